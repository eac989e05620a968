"""What the journal, holdings and cash say is what truly happened, whatever the history and however small the pages."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from decimal import Decimal

import pytest
from fakes.broker_faults import Heard, Target, Told, Trouble, WithoutSocket
from fakes.exchange import KST, Order, Refused
from fakes.upbit_exchange import uuid_of
from fakes.upbit_pocket import CREDENTIALS, START, Pocket, make_pacer, make_pocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stocklab.brokers.upbit.execution import UpbitBroker
from stocklab.brokers.values import BrokerOrder, OrderTicket, PlacedState, PriceKind, Side, Validity
from stocklab.errors import BrokerTemporary, OrderRejected

TODAY = START.date()
STEP = st.tuples(
    st.sampled_from(["buy", "sell", "market_buy", "market_sell", "ioc", "hand", "cancel", "trade", "wait"]),
    st.integers(1, 40),
    st.integers(0, 6),
    st.sampled_from(["KRW-BTC", "KRW-DOGE"]),
)
PRICES = {"KRW-BTC": (Decimal(108_000_000), Decimal(500_000)), "KRW-DOGE": (Decimal(210), Decimal(3))}
SIZES = {"KRW-BTC": Decimal("0.00110001"), "KRW-DOGE": Decimal("301.5")}


@pytest.fixture
def pocket() -> Pocket:
    return make_pocket()


def limit(
    name: str, price: Decimal | int, quantity: str = "0.01", *, side: Side = Side.BUY, symbol: str = "KRW-BTC"
) -> OrderTicket:
    return OrderTicket(
        client_order_id=name,
        symbol=symbol,
        side=side,
        kind=PriceKind.LIMIT,
        quantity=Decimal(quantity),
        limit_price_krw=Decimal(price),
    )


def truth(order: Order) -> tuple[object, ...]:
    """An order of the exchange in the words of a journal."""
    if not order.ended:
        state = PlacedState.OPEN
    elif order.quantity is not None:
        state = PlacedState.FILLED if order.filled == order.quantity else PlacedState.CANCELLED
    else:
        # A purchase by money has bought all it could when not even the smallest part of a coin could be paid.
        assert order.money is not None
        dearest = order.amount / order.filled if order.filled else Decimal(0)
        state = PlacedState.FILLED if order.money - order.amount < dearest / 10**8 else PlacedState.CANCELLED
    return (
        uuid_of(order.number),
        order.symbol,
        Side.BUY if order.buys else Side.SELL,
        order.quantity,
        order.limit,
        order.filled,
        order.amount,
        order.costs,
        order.client_id,
        order.placed_at.replace(microsecond=0),
        state,
    )


def said(order: BrokerOrder) -> tuple[object, ...]:
    return (
        order.ref.number,
        order.symbol,
        order.side,
        order.quantity,
        order.limit_price_krw,
        order.filled_quantity,
        order.filled_krw,
        order.costs_krw,
        order.client_order_id,
        order.placed_at,
        order.state,
    )


def play(pocket: Pocket, number: int, step: tuple[str, int, int, str]) -> None:
    """One thing happens; whatever the exchange refuses did not."""
    what, much, offset, symbol = step
    middle, gap = PRICES[symbol]
    price, quantity = middle + (offset - 3) * gap, SIZES[symbol] * much
    name = f"sl-{number}"
    match what:
        case "trade":
            pocket.exchange.trade(symbol, price, quantity)
            return
        case "cancel":
            resting = [one for one in pocket.exchange.orders if not one.ended]
            if resting and not offset % 2:
                pocket.exchange.confirm_cancels()
            elif resting:
                one = resting[much % len(resting)]
                pocket.exchange.slow_cancels = bool(offset % 3)
                if not one.cancel_asked:
                    ref = next(o.ref for o in pocket.broker.day_orders(TODAY) if o.ref.number == uuid_of(one.number))
                    pocket.broker.cancel(ref, symbol=one.symbol, side=Side.BUY if one.buys else Side.SELL)
            return
        case "wait":
            return
        case "hand":
            with contextlib.suppress(Refused):
                pocket.exchange.place(symbol, buys=offset % 2 == 0, quantity=quantity, limit=price, by_hand=True)
            return
    at_market = what.startswith("market")
    side = Side.SELL if "sell" in what else Side.BUY
    by_money = what == "market_buy"
    ticket = OrderTicket(
        client_order_id=name,
        symbol=symbol,
        side=side,
        kind=PriceKind.MARKET if at_market else PriceKind.LIMIT,
        quantity=None if by_money else quantity,
        money_krw=Decimal(10_007 * much) if by_money else None,
        limit_price_krw=None if at_market else price,
        validity=Validity.IOC if what == "ioc" else Validity.DAY,
    )
    try:
        pocket.broker.send(ticket)
    except OrderRejected:
        assert pocket.broker.find(name) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=5, max_size=30), rows=st.integers(1, 4), depth=st.none() | st.integers(1, 9))
def test_any_history_is_told_exactly(steps: list[tuple[str, int, int, str]], rows: int, depth: int | None):
    pocket = make_pocket(open_rows=rows, closed_rows=rows + 2)
    for listing in pocket.exchange.listings.values():
        listing.depth = None if depth is None else SIZES.get(listing.symbol, Decimal(1)) * depth
    for number, step in enumerate(steps):
        play(pocket, number, step)
        pocket.clock.sleep(3.3)  # fewer orders than rows in two seconds, as windows of a thousand rows have
    assert [said(one) for one in pocket.broker.day_orders(TODAY)] == [truth(one) for one in pocket.exchange.orders]
    held = {one.symbol: one.quantity for one in pocket.broker.holdings()}
    assert held == pocket.exchange.held
    assert pocket.broker.cash().total_krw == pocket.exchange.cash
    for order in pocket.exchange.orders:
        if order.client_id is not None:
            found = pocket.broker.find(order.client_id)
            assert found is not None
            assert said(found) == truth(order)
    assert pocket.fake.overruns == 0


def test_days_are_those_of_seoul_and_what_rests_is_in_each(pocket: Pocket):
    pocket.broker.send(limit("rests", 90_000_000))
    pocket.broker.send(limit("first", 110_000_000))
    midnight = (START + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    pocket.clock.now = midnight - timedelta(milliseconds=1)
    pocket.broker.send(limit("last", 110_000_000))
    pocket.clock.now = midnight
    pocket.broker.send(limit("next", 110_000_000))
    pocket.clock.now += timedelta(days=9)
    names = {
        day: [one.client_order_id for one in pocket.broker.day_orders(TODAY + timedelta(days=day))] for day in (0, 1, 2)
    }
    assert names == {0: ["rests", "first", "last"], 1: ["rests", "next"], 2: ["rests"]}
    assert pocket.broker.day_orders(TODAY)[2].ref.day == TODAY


def test_trades_that_lag_are_waited_for(pocket: Pocket):
    pocket.broker.send(limit("a", 100_000_000, "0.003"))
    for size in ("0.001", "0.002"):
        pocket.exchange.trade("KRW-BTC", Decimal(100_000_000), Decimal(size))
    pocket.fake.late_trades = 2
    [order] = pocket.broker.day_orders(TODAY)
    assert (order.filled_quantity, order.filled_krw) == (Decimal("0.003"), Decimal(300_000))
    assert pocket.clock.slept == [0.2, 0.5]


def test_trades_that_stay_away_are_no_fills(pocket: Pocket):
    pocket.broker.send(limit("a", 110_000_000))
    pocket.fake.late_trades = 99
    with pytest.raises(BrokerTemporary):
        pocket.broker.day_orders(TODAY)
    with pytest.raises(BrokerTemporary):
        pocket.broker.find("a")


def test_the_same_fills_are_asked_for_once(pocket: Pocket):
    pocket.broker.send(limit("a", 110_000_000))
    first = pocket.broker.day_orders(TODAY)
    asked = len(pocket.fake.heard)
    assert pocket.broker.day_orders(TODAY) == first
    assert [one.path for one in pocket.fake.heard[asked:]] == ["/v1/orders/open", "/v1/orders/closed"]


def test_fills_that_come_between_readings_are_added(pocket: Pocket):
    pocket.broker.send(limit("a", 100_000_000, "0.003"))
    seen = []
    for size in ("0.001", "0.0005", "0.0015"):
        pocket.exchange.trade("KRW-BTC", Decimal(100_000_000), Decimal(size))
        [order] = pocket.broker.day_orders(TODAY)
        seen.append((order.filled_quantity, order.filled_krw, order.state))
    assert seen == [
        (Decimal("0.001"), Decimal(100_000), PlacedState.OPEN),
        (Decimal("0.0015"), Decimal(150_000), PlacedState.OPEN),
        (Decimal("0.003"), Decimal(300_000), PlacedState.FILLED),
    ]


def test_a_part_of_the_list_is_no_list():
    pocket = make_pocket(open_rows=2)
    for number in range(5):
        pocket.broker.send(limit(f"a-{number}", 90_000_000))
    pocket.fake.troubles.plan(Target.JOURNAL, Trouble.CUT_PAGES)
    with pytest.raises(BrokerTemporary):
        pocket.broker.day_orders(TODAY)
    assert len(pocket.broker.day_orders(TODAY)) == 5


def test_more_orders_than_a_window_can_tell_apart_are_an_error():
    pocket = make_pocket(closed_rows=3)
    for number in range(3):
        pocket.broker.send(limit(f"a-{number}", 110_000_000, "0.001"))
    with pytest.raises(BrokerTemporary, match="within 2 s"):
        pocket.broker.day_orders(TODAY)


def seen_while_ending(times: int, *, rows: int) -> UpbitBroker:
    """Nine resting orders, of which the oldest ends whenever the first page of open ones has been read."""
    pocket = make_pocket()
    left = [times]

    def answer(heard: Heard) -> Told:
        told = pocket.fake.answer(heard)
        if heard.path == "/v1/orders/open" and "page=1&" in heard.raw_query and left[0]:
            left[0] -= 1
            pocket.exchange.cancel(next(one.number for one in pocket.exchange.orders if not one.ended))
        return told

    broker = UpbitBroker(
        credentials=CREDENTIALS,
        pacer=make_pacer(pocket.clock),
        clock=pocket.clock,
        sleep=pocket.clock.sleep,
        transport=WithoutSocket(answer, pocket.clock.sleep),
        open_rows=rows,
    )
    for number in range(9):
        broker.send(limit(f"a-{number}", 90_000_000))
    return broker


@pytest.mark.parametrize(("times", "rows"), [(1, 2), (2, 2), (1, 100)])
def test_orders_that_end_between_pages_and_lists_hide_none(times: int, rows: int):
    orders = seen_while_ending(times, rows=rows).day_orders(TODAY)
    assert [one.client_order_id for one in orders] == [f"a-{number}" for number in range(9)]
    assert [one.state for one in orders].count(PlacedState.CANCELLED) == times


def test_a_list_that_never_holds_still_is_no_list():
    with pytest.raises(BrokerTemporary, match="differ"):
        seen_while_ending(9, rows=2).day_orders(TODAY)


def test_a_purchase_by_money_that_met_too_little_is_cancelled(pocket: Pocket):
    pocket.exchange.listings["KRW-BTC"].depth = Decimal("0.0001")
    for name, money in (("whole", 10_000), ("part", 20_000)):
        ticket = OrderTicket(
            client_order_id=name,
            symbol="KRW-BTC",
            side=Side.BUY,
            kind=PriceKind.MARKET,
            quantity=None,
            money_krw=Decimal(money),
        )
        pocket.broker.send(ticket)
    # 10,000 won buy 0.00009259 coins at 108,000,000 won; 28 jeon are left over.
    whole, part = pocket.broker.day_orders(TODAY)
    assert (whole.state, whole.filled_quantity, whole.filled_krw) == (
        PlacedState.FILLED,
        Decimal("0.00009259"),
        Decimal("9999.72"),
    )
    assert (part.state, part.filled_quantity, part.filled_krw) == (
        PlacedState.CANCELLED,
        Decimal("0.0001"),
        Decimal(10_800),
    )


def test_a_late_journal_finds_nothing_at_first(pocket: Pocket):
    pocket.exchange.journal_delay = timedelta(seconds=3)
    pocket.broker.send(limit("a", 90_000_000))
    assert pocket.broker.find("a") is None
    pocket.clock.sleep(3)
    assert pocket.broker.find("a") is not None


def test_fifty_orders_are_paced(pocket: Pocket):
    for number in range(50):
        pocket.broker.send(limit(f"a-{number}", 110_000_000, "0.001"))
    assert len(pocket.broker.day_orders(TODAY)) == 50
    assert pocket.fake.overruns == 0
    # 50 orders at 12 a second, then 52 questions at 30 a second: not faster, and not much slower either.
    assert 5 < (pocket.clock() - START).total_seconds() < 12


def test_nothing_is_there_on_another_day(pocket: Pocket):
    pocket.broker.send(limit("a", 110_000_000))
    assert list(pocket.broker.day_orders(date(2026, 11, 19))) == []
    assert pocket.clock().tzinfo is KST
