"""What the broker's journal and balances say about orders in doubt and about the book.

An order in doubt ends only by proof: a row that can be no other order, or a journal that is known to be of now and does
not show it. A journal proves that it is of now by showing orders that the broker took before; one that does not (a
server that came back with yesterday's state) proves nothing, however often it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from stocklab.brokers.values import BrokerCash, BrokerHolding, BrokerOrder, BrokerTraits, OrderRef
from stocklab.errors import OrderStateError
from stocklab.trading.book import Book
from stocklab.trading.order import Order
from stocklab.trading.order_states import OrderEvent, OrderState

__all__ = ["Difference", "Resolution", "compare", "may_be", "resolve"]

_CLOCKS_DIFFER: Final = timedelta(seconds=2)
_CLEAN_READINGS: Final = 3
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a reading says of an order in doubt. ``event`` None: nothing yet, look again. ``row`` goes with FOUND.

    ``misses`` counts the readings that are of now and do not show the order; it is carried to the next reading.
    """

    event: OrderEvent | None = None
    row: BrokerOrder | None = None
    misses: int = 0
    reason: str = ""


def resolve(
    order: Order,
    journal: Sequence[BrokerOrder],
    *,
    taken: Iterable[OrderRef],
    proof: Iterable[str],
    misses: int,
    now: datetime,
    traits: BrokerTraits,
) -> Resolution:
    """Look for an order in doubt in one whole reading of the journal.

    Parameters
    ----------
    order
        In state UNKNOWN or AMBIGUOUS, or ABSENT where a late row is looked for.
    taken
        What other orders of the account are known by.
    proof
        Numbers of the day that the broker is known to have given out (to whichever order): the journal must show them
        all, and there must be one, for "not there" to mean anything.
    misses
        From the last `Resolution`.

    Raises
    ------
    OrderStateError
        The order was never sent.
    """
    sent_at = order.sent_at
    if sent_at is None:
        raise OrderStateError(order.state, "looking for an order that was never sent", order.order_id)
    claimed = set(taken)
    if traits.knows_client_ids:
        candidates = [row for row in journal if row.client_order_id == order.ticket.client_order_id]
    else:
        candidates = [row for row in journal if row.ref not in claimed and may_be(order, row, sent_at)]
    if len(candidates) == 1:
        return Resolution(event=OrderEvent.FOUND, row=candidates[0], reason=f"order {candidates[0].ref.number} is it")
    if candidates:
        return _stuck(order, misses, f"{len(candidates)} orders of the journal may be it")
    if order.state is OrderState.ABSENT:
        return Resolution(misses=misses)
    numbers, wanted = {row.ref.number for row in journal}, set(proof)
    if not traits.knows_client_ids and (not wanted or not wanted <= numbers):
        late = now - sent_at > traits.absent_after
        reason = "the journal does not show that it is of now"
        return _stuck(order, misses, reason) if late else Resolution(misses=misses, reason=reason)
    misses += 1
    if now - sent_at >= traits.absent_after and misses >= _CLEAN_READINGS:
        return Resolution(event=OrderEvent.NOT_FOUND, misses=misses, reason=f"not in {misses} readings")
    return Resolution(misses=misses, reason="not there yet")


def _stuck(order: Order, misses: int, reason: str) -> Resolution:
    """A person must look; said once."""
    event = OrderEvent.CANNOT_TELL if order.state is OrderState.UNKNOWN else None
    return Resolution(event=event, misses=misses, reason=reason)


def may_be(order: Order, row: BrokerOrder, sent_at: datetime) -> bool:
    """Whether a row has the terms of an order and appeared after it was sent."""
    ticket = order.ticket
    return (
        row.ref.number not in order.known_numbers
        and (row.symbol, row.side, row.kind, row.quantity) == (ticket.symbol, ticket.side, ticket.kind, ticket.quantity)
        and (row.limit_price_krw or None) == ticket.limit_price_krw
        # Brokers give whole seconds.
        and row.placed_at >= sent_at.replace(microsecond=0) - _CLOCKS_DIFFER
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What the broker has beyond the book: positive is more. ``symbol`` None is cash."""

    symbol: str | None
    booked: Decimal
    at_broker: Decimal

    @property
    def more(self) -> Decimal:
        """At the broker, less booked."""
        return self.at_broker - self.booked


def compare(book: Book, holdings: Iterable[BrokerHolding], cash: BrokerCash | None) -> tuple[Difference, ...]:
    """Where the broker and the book differ, by symbol; cash last.

    It means something only when every order of the journal was followed before, and the journal is the same afterwards.
    """
    there: Mapping[str, Decimal] = {one.symbol: one.quantity for one in holdings}
    found = [
        Difference(symbol=symbol, booked=book.held(symbol), at_broker=there.get(symbol, ZERO))
        for symbol in sorted({*book.symbols(), *there})
    ]
    if cash is not None:
        found.append(Difference(symbol=None, booked=book.cash_krw, at_broker=cash.total_krw))
    return tuple(one for one in found if one.more)
