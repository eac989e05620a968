"""A broker without a protocol: the account of `exchange` behind `Broker`, with the same troubles as the fakes that speak
one. For tests of what is above the adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from fakes.broker_faults import Target, Trouble, Troubles
from fakes.exchange import Exchange, Order, Refused, Why

from stocklab.brokers.values import (
    BrokerCash,
    BrokerHolding,
    BrokerName,
    BrokerOrder,
    BrokerTraits,
    OrderRef,
    OrderTicket,
    PlacedState,
    PriceKind,
    Quote,
    QuoteSource,
    Receipt,
    Rejection,
    Side,
    Validity,
)
from stocklab.errors import BrokerTemporary, OrderRejected, OrderUnknown, OrderUnsent

TRAITS = BrokerTraits(
    name=BrokerName.KIWOOM,
    mock=True,
    knows_client_ids=False,
    day_ends=True,
    coins=False,
    buys_by_money=False,
    rests_stops=False,
    lookup_after=(timedelta(seconds=2),),
    absent_after=timedelta(seconds=60),
)
_REASONS = {
    Why.CASH: Rejection.CASH,
    Why.SELLABLE: Rejection.SELLABLE,
    Why.CLOSED: Rejection.CLOSED,
    Why.NOT_OPEN_YET: Rejection.CLOSED,
    Why.NOTHING_LEFT: Rejection.FINISHED,
    Why.NO_ORDER: Rejection.FINISHED,
    Why.HALTED: Rejection.HALTED,
}


class DirectBroker:
    """See `stocklab.brokers.protocol.Broker`. ``before`` and ``after`` are called around each request, to cut there."""

    def __init__(
        self,
        exchange: Exchange,
        troubles: Troubles,
        *,
        traits: BrokerTraits = TRAITS,
        cut: Callable[[str], None] = lambda _where: None,
    ) -> None:
        self.exchange = exchange
        self.troubles = troubles
        self.traits = traits
        self.cut = cut
        self.sent: list[str] = []  # client ids, as they reached the broker or the wire

    def check(self) -> str:
        return "50****10"

    def send(self, ticket: OrderTicket) -> Receipt:
        self.cut("before send")
        trouble = self.troubles.take(Target.ORDER)
        if trouble is Trouble.TOKEN_DEAD:
            raise OrderUnsent("fake", "no connection")
        self.sent.append(ticket.client_order_id)
        if trouble is not None and not trouble.recorded:
            raise OrderUnknown("fake", trouble.value, likely_refused=trouble is Trouble.TOO_MANY)
        try:
            order = self.exchange.place(
                ticket.symbol,
                buys=ticket.side is Side.BUY,
                quantity=ticket.quantity,
                limit=ticket.limit_price_krw,
                money=ticket.money_krw,
                validity=Validity(ticket.validity).value,
                client_id=ticket.client_order_id,
            )
        except Refused as error:
            if trouble is not None:
                raise OrderUnknown("fake", trouble.value) from error
            raise OrderRejected("fake", error.why, reason=_REASONS.get(error.why, Rejection.OTHER)) from error
        self.cut("after send")
        if trouble is not None:
            raise OrderUnknown("fake", trouble.value)
        return Receipt(ref=OrderRef(order.day, order.number), accepted_at=self.exchange.clock())

    def cancel(self, ref: OrderRef, *, symbol: str, side: Side) -> None:
        del symbol, side
        self.cut("before cancel")
        trouble = self.troubles.take(Target.CANCEL)
        if trouble is not None and not trouble.recorded:
            raise OrderUnknown("fake", trouble.value)
        try:
            self.exchange.cancel(ref.number, ref.day)
        except Refused as error:
            raise OrderRejected("fake", error.why, reason=_REASONS.get(error.why, Rejection.OTHER)) from error
        self.cut("after cancel")
        if trouble is not None:
            raise OrderUnknown("fake", trouble.value)

    def day_orders(self, day: date) -> Sequence[BrokerOrder]:
        self._ask(Target.JOURNAL)
        return [row_of(one) for one in self.exchange.journal() if one.day == day]

    def find(self, client_order_id: str) -> BrokerOrder | None:
        self._ask(Target.JOURNAL)
        found = [one for one in self.exchange.journal() if one.client_id == client_order_id]
        return row_of(found[0]) if found else None

    def holdings(self) -> Sequence[BrokerHolding]:
        self._ask(Target.BALANCE)
        return [
            BrokerHolding(symbol=symbol, quantity=held, sellable=sellable, average_cost_krw=cost)
            for symbol, held, sellable, cost in self.exchange.shown_holdings()
        ]

    def cash(self) -> BrokerCash:
        self._ask(Target.BALANCE)
        total, free = self.exchange.shown_cash()
        return BrokerCash(total_krw=total, orderable_krw=free)

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        self._ask(Target.QUOTE)
        listings = self.exchange.listings
        return {
            symbol: Quote(
                symbol=symbol,
                price_krw=listings[symbol].price,
                at=self.exchange.clock(),
                source=QuoteSource.REST,
                base_price_krw=listings[symbol].base_price,
            )
            for symbol in symbols
            if symbol in listings
        }

    def close(self) -> None:
        pass

    def _ask(self, target: Target) -> None:
        self.cut(f"before {target}")
        trouble = self.troubles.take(target)
        if trouble is not None:
            raise BrokerTemporary("fake", trouble.value)


def row_of(placed: Order) -> BrokerOrder:
    """A row of the journal, as an adapter gives it."""
    if placed.refusal is not None:
        state = PlacedState.REJECTED
    elif placed.quantity is not None and placed.filled == placed.quantity:
        state = PlacedState.FILLED
    else:
        state = PlacedState.CANCELLED if placed.ended else PlacedState.OPEN
    return BrokerOrder(
        ref=OrderRef(placed.day, placed.number),
        symbol=placed.symbol,
        side=Side.BUY if placed.buys else Side.SELL,
        kind=PriceKind.LIMIT if placed.limit is not None else PriceKind.MARKET,
        quantity=placed.quantity,
        limit_price_krw=placed.limit,
        filled_quantity=placed.filled,
        filled_krw=placed.amount,
        costs_krw=placed.costs,
        state=state,
        placed_at=placed.placed_at.replace(microsecond=0),
    )
