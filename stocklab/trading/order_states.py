"""States of an order and what may happen in each: one table. A pair that is not in it is an error that stops.

An order is a row before it is a request, and it is sent once. Whatever is not certain is UNKNOWN until the broker's
journal tells; nothing here leads from UNKNOWN back to sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from stocklab.errors import OrderStateError

__all__ = ["NEXT", "OrderEvent", "OrderState", "next_state"]


class OrderState(StrEnum):
    """Where an order is.

    INTENT: written, not sent. SENDING: about to be sent, or being sent; after a crash it may be at the broker.
    UNKNOWN: sent or perhaps sent, without a certain answer. AMBIGUOUS: the journal cannot tell; a person must.
    OPEN: the broker has it. CANCELLING: a cancel was asked for and is not confirmed. ABSENT: looked for long enough and
    not found. UNSENT: provably never left this machine. REFUSED: by our own risk gate. WITHDRAWN: given up before it
    was sent. EXPIRED: its day ended.
    """

    INTENT = "intent"
    SENDING = "sending"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    OPEN = "open"
    CANCELLING = "cancelling"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    ABSENT = "absent"
    UNSENT = "unsent"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def final(self) -> bool:
        """Whether nothing is expected any more. Late news can still come; the table says which."""
        return self not in _LIVE

    @property
    def in_doubt(self) -> bool:
        """Whether it is not known if the broker has the order."""
        return self in (OrderState.SENDING, OrderState.UNKNOWN, OrderState.AMBIGUOUS)

    @property
    def at_broker(self) -> bool:
        """Whether the broker has it and it can still be filled."""
        return self in (OrderState.OPEN, OrderState.CANCELLING)


_LIVE: Final = frozenset(
    {
        OrderState.INTENT,
        OrderState.SENDING,
        OrderState.UNKNOWN,
        OrderState.AMBIGUOUS,
        OrderState.OPEN,
        OrderState.CANCELLING,
    }
)


class OrderEvent(StrEnum):
    """What happens to an order.

    FOUND, NOT_FOUND and CANNOT_TELL are the reconciler's answers about an order in doubt, or a person's. ENDED: the
    journal says that what is left will not be filled. CANCEL_FAILED: the broker refused the cancel.
    """

    GATE_REFUSED = "gate_refused"
    WITHDRAWN = "withdrawn"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NEVER_LEFT = "never_left"
    NO_ANSWER = "no_answer"
    FOUND = "found"
    NOT_FOUND = "not_found"
    CANNOT_TELL = "cannot_tell"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_FAILED = "cancel_failed"
    PART_FILLED = "part_filled"
    FILLED = "filled"
    ENDED = "ended"
    DAY_OVER = "day_over"


_S, _E = OrderState, OrderEvent

NEXT: Final[Mapping[tuple[OrderState, OrderEvent], OrderState]] = {
    (_S.INTENT, _E.GATE_REFUSED): _S.REFUSED,
    (_S.INTENT, _E.WITHDRAWN): _S.WITHDRAWN,
    (_S.INTENT, _E.SENDING): _S.SENDING,
    (_S.SENDING, _E.ACCEPTED): _S.OPEN,
    (_S.SENDING, _E.REJECTED): _S.REJECTED,
    (_S.SENDING, _E.NEVER_LEFT): _S.UNSENT,
    (_S.SENDING, _E.NO_ANSWER): _S.UNKNOWN,
    (_S.UNKNOWN, _E.FOUND): _S.OPEN,
    (_S.UNKNOWN, _E.NOT_FOUND): _S.ABSENT,
    (_S.UNKNOWN, _E.CANNOT_TELL): _S.AMBIGUOUS,
    (_S.AMBIGUOUS, _E.FOUND): _S.OPEN,
    (_S.AMBIGUOUS, _E.NOT_FOUND): _S.ABSENT,
    # The journal showed it after all, later than any broker is known to be.
    (_S.ABSENT, _E.FOUND): _S.OPEN,
    (_S.OPEN, _E.CANCEL_ASKED): _S.CANCELLING,
    (_S.CANCELLING, _E.CANCEL_ASKED): _S.CANCELLING,
    (_S.CANCELLING, _E.CANCEL_FAILED): _S.OPEN,
    (_S.OPEN, _E.PART_FILLED): _S.OPEN,
    (_S.CANCELLING, _E.PART_FILLED): _S.CANCELLING,
    (_S.OPEN, _E.FILLED): _S.FILLED,
    (_S.CANCELLING, _E.FILLED): _S.FILLED,
    (_S.OPEN, _E.ENDED): _S.CANCELLED,
    (_S.CANCELLING, _E.ENDED): _S.CANCELLED,
    (_S.OPEN, _E.DAY_OVER): _S.EXPIRED,
    (_S.CANCELLING, _E.DAY_OVER): _S.EXPIRED,
    (_S.OPEN, _E.REJECTED): _S.REJECTED,
    (_S.CANCELLING, _E.REJECTED): _S.REJECTED,
    # A fill that crossed our cancel, or that the journal showed after the end.
    (_S.CANCELLED, _E.PART_FILLED): _S.CANCELLED,
    (_S.CANCELLED, _E.FILLED): _S.FILLED,
    (_S.EXPIRED, _E.PART_FILLED): _S.EXPIRED,
    (_S.EXPIRED, _E.FILLED): _S.FILLED,
}
"""(state, event) -> next state."""


def next_state(state: OrderState, event: OrderEvent, order_id: str = "") -> OrderState:
    """The state after an event.

    Raises
    ------
    OrderStateError
        The event cannot happen in this state.

    >>> next_state(OrderState.SENDING, OrderEvent.NO_ANSWER)
    <OrderState.UNKNOWN: 'unknown'>
    """
    found = NEXT.get((state, event))
    if found is None:
        raise OrderStateError(state, event, order_id)
    return found
