"""After any history the lists say what truly happened, whatever Kiwoom's guide leaves open."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest
from fakes.exchange import Order, Refused
from fakes.kiwoom import Habits
from fakes.kiwoom_stage import Stage, tick_of
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.brokers.values import BrokerOrder, OrderRef, OrderTicket, PlacedState, PriceKind, Side, Validity
from stocklab.errors import OrderRejected

SYMBOLS = ("005930", "000660")
HABITS = st.builds(
    Habits,
    rows_per_fill=st.booleans(),
    rounds_average=st.booleans(),
    rest_stays=st.booleans(),
    lists_cancels_open=st.booleans(),
    no_key_when_empty=st.booleans(),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("send"),
            st.sampled_from(SYMBOLS),
            st.booleans(),
            st.integers(1, 60),
            st.integers(-3, 3),
            st.sampled_from(["limit", "limit", "limit", "market", "ioc", "fok"]),
        ),
        st.tuples(st.just("trade"), st.sampled_from(SYMBOLS), st.integers(-4, 4), st.integers(1, 40)),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("confirm")),
        st.tuples(st.just("hand"), st.sampled_from(SYMBOLS), st.booleans(), st.integers(1, 9)),
        st.tuples(st.just("read")),
        st.tuples(st.just("tomorrow")),
    ),
    max_size=25,
)


def truth_of(order: Order) -> tuple:
    state = (
        PlacedState.OPEN
        if not order.ended
        else PlacedState.FILLED
        if order.rest == 0
        else PlacedState.REJECTED
        if order.refusal is not None and not order.filled
        else PlacedState.CANCELLED
    )
    return (
        OrderRef(order.day, order.number),
        order.symbol,
        Side.BUY if order.buys else Side.SELL,
        PriceKind.MARKET if order.limit is None else PriceKind.LIMIT,
        order.quantity,
        order.limit,
        order.filled,
        order.amount,
        state,
        order.placed_at.replace(microsecond=0),
    )


def told_of(order: BrokerOrder) -> tuple:
    return (
        order.ref,
        order.symbol,
        order.side,
        order.kind,
        order.quantity,
        order.limit_price_krw,
        order.filled_quantity,
        order.filled_krw,
        order.state,
        order.placed_at,
    )


def compare(stage: Stage) -> None:
    today = stage.broker._today()
    orders = stage.broker.day_orders(today)
    mine = [order for order in stage.exchange.orders if order.day == today]
    assert [told_of(order) for order in orders] == [truth_of(order) for order in mine]
    for told, order in zip(orders, mine, strict=True):
        assert told.costs_krw in (None, order.costs)
    assert {one.symbol: one.quantity for one in stage.broker.holdings()} == stage.exchange.held
    free = {symbol: sellable for symbol, _, sellable, _ in stage.exchange.shown_holdings()}
    assert {one.symbol: one.sellable for one in stage.broker.holdings()} == free
    cash = stage.broker.cash()
    total, orderable = stage.exchange.shown_cash()
    assert (cash.total_krw, cash.orderable_krw) == (total, max(Decimal(0), orderable))
    assert stage.fake.gate.overruns == 0


def legal(stage: Stage, symbol: str, steps: int) -> Decimal:
    price = stage.exchange.listings[symbol].price
    return price + steps * tick_of(price - 1)


def act(stage: Stage, action: tuple, ids: itertools.count) -> None:
    name, *rest = action
    if name == "send":
        symbol, buys, quantity, steps, kind = rest
        limit = None if kind == "market" else legal(stage, symbol, steps)
        ticket = OrderTicket(
            client_order_id=f"t-{next(ids)}",
            symbol=symbol,
            side=Side.BUY if buys else Side.SELL,
            kind=PriceKind.MARKET if limit is None else PriceKind.LIMIT,
            quantity=Decimal(quantity),
            limit_price_krw=limit,
            validity=Validity(kind) if kind in ("ioc", "fok") else Validity.DAY,
        )
        try:
            receipt = stage.broker.send(ticket)
        except OrderRejected:
            return
        assert receipt.ref.number == stage.exchange.orders[-1].number
    elif name == "trade":
        symbol, steps, size = rest
        stage.exchange.trade(symbol, legal(stage, symbol, steps), Decimal(size))
    elif name == "cancel":
        today = [order for order in stage.exchange.orders if order.day == stage.broker._today()]
        if today:
            order = today[-1 - rest[0] % len(today)]
            try:
                stage.broker.cancel(OrderRef(order.day, order.number), symbol=order.symbol, side=Side.BUY)
            except OrderRejected:
                assert order.ended or order.cancel_asked
    elif name == "confirm":
        stage.exchange.confirm_cancels()
    elif name == "hand":
        symbol, buys, quantity = rest
        try:
            stage.exchange.by_hand(symbol, buys=buys, quantity=Decimal(quantity))
        except Refused:
            return
    elif name == "read":
        compare(stage)
    else:
        stage.at(15, 40)
        stage.exchange.end_day()
        compare(stage)
        stage.next_day()
    stage.clock.now += timedelta(seconds=7)


@settings(deadline=None)
@given(
    actions=ACTIONS,
    habits=HABITS,
    page_size=st.integers(1, 7),
    slow=st.booleans(),
    depth=st.sampled_from([None, 7, 30]),
)
def test_lists_and_balances_are_the_truth_after_any_history(
    actions: list[tuple], habits: Habits, page_size: int, slow: bool, depth: int | None
):
    """Prices are where the tick (100 or more) makes amounts exact from averages: orders of 60 shares at most."""
    stage = Stage(page_size=page_size, habits=habits)
    stage.exchange.slow_cancels = slow
    for listing in stage.exchange.listings.values():
        listing.depth = None if depth is None else Decimal(depth)
    ids = itertools.count()
    for action in actions:
        act(stage, action, ids)
    compare(stage)


def test_a_fill_that_crosses_a_cancel_is_a_fill():
    stage = Stage()
    stage.exchange.slow_cancels = True
    ticket = OrderTicket(
        client_order_id="one",
        symbol="005930",
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        quantity=Decimal(10),
        limit_price_krw=Decimal(71_000),
    )
    ref = stage.broker.send(ticket).ref
    stage.exchange.trade("005930", Decimal(71_000), Decimal(4))
    stage.broker.cancel(ref, symbol="005930", side=Side.BUY)
    assert [order.state for order in stage.broker.day_orders(ref.day)] == [PlacedState.OPEN]
    stage.exchange.trade("005930", Decimal(70_900), Decimal(6))
    stage.exchange.confirm_cancels()
    (order,) = stage.broker.day_orders(ref.day)
    # By hand: 4 at 71,000 and 6 at 70,900.
    assert (order.state, order.filled_quantity, order.filled_krw) == (PlacedState.FILLED, 10, 709_400)


def test_an_order_is_found_late_and_then_complete():
    stage = Stage()
    stage.exchange.journal_delay = timedelta(seconds=20)
    stage.exchange.by_hand("005930", buys=True, quantity=Decimal(3))
    today = stage.broker._today()
    assert stage.broker.day_orders(today) == []
    stage.clock.sleep(20)
    assert [order.filled_krw for order in stage.broker.day_orders(today)] == [3 * 71_400]


def test_numbers_begin_again_every_day():
    stage = Stage()
    first = stage.exchange.by_hand("005930", buys=True, quantity=Decimal(1))
    stage.next_day()
    second = stage.exchange.by_hand("000660", buys=True, quantity=Decimal(2))
    assert first.number == second.number
    yesterday, today = stage.broker.day_orders(first.day), stage.broker.day_orders(second.day)
    assert [order.symbol for order in yesterday] == ["005930"]
    assert [order.symbol for order in today] == ["000660"]
    assert yesterday[0].ref != today[0].ref


@pytest.mark.parametrize("habits", [Habits(), Habits(rows_per_fill=True)])
def test_large_orders_at_many_prices_are_exact_while_open_and_within_a_won_a_share_later(habits: Habits):
    """Only with a row for each fill is it exact after the end: an average in whole won cannot tell more."""
    stage = Stage(habits=habits, cash=10**12)
    order = stage.exchange.place("005930", buys=True, quantity=Decimal(100_000), limit=Decimal(70_000))
    for number in range(37):
        stage.exchange.trade("005930", Decimal(70_000 - 100 * (number % 3)), Decimal(2_000 + number))
    (told,) = stage.broker.day_orders(order.day)
    assert told.filled_krw == order.amount
    stage.exchange.trade("005930", Decimal(69_700))
    (told,) = stage.broker.day_orders(order.day)
    assert told.state is PlacedState.FILLED
    wrong = abs(told.filled_krw - order.amount)
    assert wrong == 0 if habits.rows_per_fill else wrong < 100_000
