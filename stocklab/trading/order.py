"""An order, and what the broker's journal means for it.

Fills are booked from cumulative figures: what the journal says is filled, less what is booked. Reading the same row
twice, rows out of order or an older state therefore change nothing, and no notice of a socket is ever booked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from stocklab.brokers.values import BrokerOrder, OrderRef, OrderTicket, PlacedState, PriceKind, Side
from stocklab.errors import OrderStateError
from stocklab.trading.order_states import OrderEvent, OrderState, next_state

__all__ = ["Fill", "Order", "Progress", "advance", "follow"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. ``number`` within its account rises by one with each order; ``ref`` is the broker's name for it.

    ``known_numbers`` are the broker's order numbers of the day that were known before it was sent: whatever the journal
    shows beyond them may be this order. ``booked_*`` are sums over its fills.
    """

    order_id: str
    account_id: str
    ticket: OrderTicket
    state: OrderState = OrderState.INTENT
    ref: OrderRef | None = None
    sent_at: datetime | None = None
    known_numbers: frozenset[str] = frozenset()
    booked_quantity: Decimal = ZERO
    booked_krw: Decimal = ZERO
    booked_costs_krw: Decimal = ZERO
    fills: int = 0

    @property
    def symbol(self) -> str:
        """What is bought or sold."""
        return self.ticket.symbol

    @property
    def side(self) -> Side:
        """Which way."""
        return self.ticket.side

    @property
    def open_quantity(self) -> Decimal | None:
        """What may still be filled; None for a purchase by money, zero once it ended."""
        if self.state.final:
            return ZERO
        return None if self.ticket.quantity is None else self.ticket.quantity - self.booked_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What one reading of the journal added. ``number`` counts from 1 within the order.

    ``quantity`` is zero where the broker only corrected an amount or named costs; amounts may then be negative.
    """

    order_id: str
    number: int
    symbol: str
    side: Side
    quantity: Decimal
    amount_krw: Decimal
    costs_krw: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """An order after a reading, what happened in it, and the fill it brought. ``stale``: the reading was older than
    what is booked, and nothing was taken from it."""

    order: Order
    events: tuple[OrderEvent, ...] = ()
    fill: Fill | None = None
    stale: bool = False


def advance(order: Order, event: OrderEvent) -> Order:
    """The order after an event. Raises OrderStateError, see `next_state`."""
    return replace(order, state=next_state(order.state, event, order.order_id))


def follow(order: Order, seen: BrokerOrder) -> Progress:
    """What a row of the journal means. The order must be named by it already (``order.ref``).

    Raises
    ------
    OrderStateError
        The row is not about this order, fills more than was ordered, or cannot follow what is known.
    """
    _same_order(order, seen)
    if seen.filled_quantity < order.booked_quantity:
        return Progress(order=order, stale=True)
    order, fill = _booked(order, seen)
    events: list[OrderEvent] = []
    if fill is not None and fill.quantity:
        events.append(OrderEvent.FILLED if _complete(order, seen) else OrderEvent.PART_FILLED)
    ending = _ending(order, seen)
    if ending is not None and OrderEvent.FILLED not in events:
        events.append(ending)
    for event in events:
        order = advance(order, event)
    return Progress(order=order, events=tuple(events), fill=fill)


def _same_order(order: Order, seen: BrokerOrder) -> None:
    ticket = order.ticket
    if order.ref is None or (order.ref.number, order.ref.day) != (seen.ref.number, seen.ref.day):
        raise OrderStateError(order.state, f"row of order {seen.ref.number}", order.order_id)
    if (ticket.symbol, ticket.side) != (seen.symbol, seen.side):
        raise OrderStateError(order.state, f"row of {seen.side} {seen.symbol}", order.order_id)
    if ticket.quantity is not None and seen.filled_quantity > ticket.quantity:
        raise OrderStateError(order.state, f"{seen.filled_quantity} filled of {ticket.quantity}", order.order_id)


def _booked(order: Order, seen: BrokerOrder) -> tuple[Order, Fill | None]:
    """The order with everything the row says is filled, and the difference."""
    costs = order.booked_costs_krw if seen.costs_krw is None else seen.costs_krw
    fill = Fill(
        order_id=order.order_id,
        number=order.fills + 1,
        symbol=order.symbol,
        side=order.side,
        quantity=seen.filled_quantity - order.booked_quantity,
        amount_krw=seen.filled_krw - order.booked_krw,
        costs_krw=costs - order.booked_costs_krw,
    )
    if not (fill.quantity or fill.amount_krw or fill.costs_krw):
        return order, None
    if fill.quantity and fill.amount_krw <= 0:
        raise OrderStateError(order.state, f"{fill.quantity} filled for {fill.amount_krw} won", order.order_id)
    booked = replace(
        order,
        booked_quantity=seen.filled_quantity,
        booked_krw=seen.filled_krw,
        booked_costs_krw=costs,
        fills=fill.number,
    )
    return booked, fill


def _complete(order: Order, seen: BrokerOrder) -> bool:
    """A purchase by money has no quantity to reach: the broker says when it is done."""
    if order.ticket.quantity is None:
        return seen.state.final
    return seen.filled_quantity == order.ticket.quantity


def _ending(order: Order, seen: BrokerOrder) -> OrderEvent | None:
    """The end that the row tells, unless it is known already."""
    if order.state.final:
        return None
    if seen.state is PlacedState.REJECTED and not seen.filled_quantity:
        return OrderEvent.REJECTED
    if seen.state is PlacedState.CANCELLED or (seen.state is PlacedState.REJECTED and seen.filled_quantity):
        bought_by_money = order.ticket.kind is PriceKind.MARKET and order.ticket.quantity is None
        return OrderEvent.FILLED if bought_by_money and seen.filled_quantity else OrderEvent.ENDED
    if seen.state is PlacedState.FILLED and _complete(order, seen):
        return OrderEvent.FILLED
    return None
