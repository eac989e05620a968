"""Orders follow the broker's journal: rows twice, out of order, of an older state, partly shown; each fill once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fakes.direct_broker import row_of
from fakes.exchange import KST, Exchange, Listing, Refused
from fakes.exchange import Order as Placed
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.brokers.values import BrokerOrder, OrderRef, OrderTicket, PlacedState, PriceKind, Side
from stocklab.errors import OrderStateError
from stocklab.trading import OUTSIDE, Book, Entry, EntryKind, Order, OrderEvent, OrderState, advance, follow

NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)
WON = Decimal(1)
CODE = "005930"


def ticket(side: Side, quantity: int, limit: int) -> OrderTicket:
    return OrderTicket(
        client_order_id="sl-1",
        symbol=CODE,
        side=side,
        kind=PriceKind.LIMIT,
        quantity=Decimal(quantity),
        limit_price_krw=Decimal(limit),
    )


def opened(placed: Placed, number: int) -> Order:
    side = Side.BUY if placed.buys else Side.SELL
    assert placed.quantity is not None
    assert placed.limit is not None
    order = Order(order_id=f"o{number}", account_id="a", ticket=ticket(side, int(placed.quantity), int(placed.limit)))
    order = advance(advance(order, OrderEvent.SENDING), OrderEvent.ACCEPTED)
    return replace(order, ref=OrderRef(placed.day, placed.number))


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.booleans(), st.integers(1, 30), st.integers(95, 105)),
        st.tuples(st.just("trade"), st.integers(93, 107), st.integers(1, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("confirm")),
        st.tuples(st.just("read"), st.permutations(range(6)), st.booleans()),
        st.tuples(st.just("reread"), st.integers(0, 9)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(ACTIONS)
def test_every_fill_is_booked_once_however_the_journal_is_read(actions: Sequence[Any]) -> None:
    clock = [NOON]
    exchange = Exchange([Listing(CODE, "x", WON * 100, WON * 100)], clock=lambda: clock[0], cash=WON * 100_000)
    exchange.slow_cancels = True
    exchange.place(CODE, buys=True, quantity=WON * 50, limit=None, by_hand=True)
    # What was there before is no strategy's; the order's fills go to two sleeves.
    book = Book().apply([Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=exchange.cash)])
    book = book.apply([Entry(kind=EntryKind.UNEXPLAINED, sleeve_id="one", symbol=CODE, quantity=WON * 50)])
    orders: dict[str, Order] = {}
    rows: list[list[BrokerOrder]] = []

    def read(journal: Sequence[BrokerOrder]) -> None:
        nonlocal book
        for row in journal:
            if row.ref.number not in orders:
                continue
            progress = follow(orders[row.ref.number], row)
            orders[row.ref.number] = progress.order
            if progress.fill is not None:
                parts = {"one": progress.fill.quantity}
                book = book.apply(book.of_fill(progress.fill, parts, WON))

    for action in actions:
        clock[0] += timedelta(seconds=1)
        match action:
            case "place", buys, quantity, limit:
                try:
                    placed = exchange.place(CODE, buys=buys, quantity=Decimal(quantity), limit=Decimal(limit))
                except Refused:
                    continue
                orders[placed.number] = opened(placed, len(orders))
            case "trade", price, size:
                exchange.trade(CODE, Decimal(price), Decimal(size))
            case "cancel", place:
                if place < len(orders):
                    number = sorted(orders)[place]
                    try:
                        exchange.cancel(number)
                    except Refused:
                        continue
                    if not orders[number].state.final:
                        orders[number] = advance(orders[number], OrderEvent.CANCEL_ASKED)
            case ("confirm",):
                exchange.confirm_cancels()
            case "read", mixed, twice:
                journal = [row_of(one) for one in exchange.journal()]
                rows.append(journal)
                read([journal[place] for place in mixed if place < len(journal)] * (2 if twice else 1))
            case "reread", place:  # a journal of earlier, as after a restart of the broker
                if place < len(rows):
                    read(rows[place])
    read([row_of(one) for one in exchange.journal()])
    ours = {one.number: one for one in exchange.orders if one.number in orders}
    for number, order in orders.items():
        truth = ours[number]
        assert (order.booked_quantity, order.booked_krw, order.booked_costs_krw) == (
            truth.filled,
            truth.amount,
            truth.costs,
        )
        assert order.state.final == truth.ended
        assert (order.state is OrderState.FILLED) == (truth.filled == truth.quantity)
    assert book.cash_krw == exchange.cash
    assert {symbol: book.held(symbol) for symbol in book.symbols()} == exchange.held


def a_row(**changes: Any) -> BrokerOrder:
    row = BrokerOrder(
        ref=OrderRef(NOON.astimezone(KST).date(), "0000001"),
        symbol=CODE,
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        quantity=WON * 10,
        limit_price_krw=WON * 100,
        filled_quantity=WON * 4,
        filled_krw=WON * 400,
        state=PlacedState.OPEN,
        placed_at=NOON,
    )
    return replace(row, **changes)


def an_order() -> Order:
    order = Order(order_id="o", account_id="a", ticket=ticket(Side.BUY, 10, 100), ref=a_row().ref)
    return advance(advance(order, OrderEvent.SENDING), OrderEvent.ACCEPTED)


def test_costs_that_come_later_are_booked_alone() -> None:
    first = follow(an_order(), a_row())
    assert first.fill is not None
    assert (first.fill.quantity, first.fill.amount_krw, first.fill.costs_krw) == (4, 400, 0)
    later = follow(first.order, a_row(costs_krw=WON * 3))
    assert later.fill is not None
    assert (later.fill.number, later.fill.quantity, later.fill.amount_krw, later.fill.costs_krw) == (2, 0, 0, 3)
    assert later.events == ()


def test_an_older_state_of_the_broker_changes_nothing() -> None:
    filled = follow(an_order(), a_row(filled_quantity=WON * 10, filled_krw=WON * 1000, state=PlacedState.FILLED))
    assert filled.order.state is OrderState.FILLED
    stale = follow(filled.order, a_row())
    assert (stale.stale, stale.fill, stale.order) == (True, None, filled.order)


@pytest.mark.parametrize(
    "changes",
    [
        {"ref": OrderRef(NOON.date(), "0000002")},
        {"symbol": "000660"},
        {"side": Side.SELL},
        {"filled_quantity": WON * 11},
        {"filled_krw": Decimal(0)},
    ],
)
def test_a_row_that_cannot_be_is_an_error_and_changes_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(OrderStateError):
        follow(an_order(), a_row(**changes))
