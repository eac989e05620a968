"""Stops and targets: what fires when, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.brokers.values import OrderTicket, PriceKind, Quote, QuoteSource, Side
from stocklab.errors import InputError
from stocklab.trading import Holding, Order, OrderState
from stocklab.trading.guarding import Guard, GuardKind, Verdict, exit_draft, judge, sellable, send_again, worst
from stocklab.trading.journal import Kept, Origin
from stocklab.trading.pricing import RepricePolicy, Venue

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
HELD = Holding(quantity=Decimal(10), cost_krw=Decimal(100_000))  # 10,000 each
KOSPI = Venue(market="KOSPI")


def guard(kind: str, *, level: int | None = None, fraction: str | None = None, high: int | None = None) -> Guard:
    return Guard(
        guard_id="g",
        sleeve_id="s",
        symbol="X",
        kind=GuardKind(kind),
        level_krw=None if level is None else Decimal(level),
        fraction=None if fraction is None else Decimal(fraction),
        high_krw=None if high is None else Decimal(high),
    )


def quote(price: int, seconds: int = 0, source: str = "socket", **more: object) -> Quote:
    known = Quote(symbol="X", price_krw=Decimal(price), at=NOW - timedelta(seconds=seconds), source=QuoteSource(source))
    return replace(known, base_price_krw=Decimal(10_000), **more)


@pytest.mark.parametrize(
    ("watched", "shown", "fired", "level", "warn"),
    [
        (guard("stop", level=9_000), quote(9_010), False, 9_000, None),
        (guard("stop", level=9_000), quote(9_000), True, 9_000, None),
        (guard("stop", level=9_000), quote(7_500), True, 9_000, None),  # a gap
        (guard("stop", fraction="0.08"), quote(9_210), False, 9_200, None),
        (guard("stop", fraction="0.08"), quote(9_200, source="rest"), True, 9_200, None),
        (guard("stop", fraction="0.08"), quote(9_200, seconds=31), False, 9_200, "delayed_beyond"),
        (guard("stop", fraction="0.08"), quote(9_300, seconds=31), False, 9_200, "delayed"),
        (guard("stop", fraction="0.08"), quote(9_000, source="close"), False, 9_200, "delayed_beyond"),
        (guard("stop", fraction="0.08"), quote(9_000, halted=True), False, 9_200, "halted"),
        (guard("stop", fraction="0.08"), None, False, 9_200, "no_price"),
        (guard("target", fraction="0.2"), quote(11_990), False, 12_000, None),
        (guard("target", fraction="0.2"), quote(12_000), True, 12_000, None),
        (guard("target", level=12_000), quote(12_500, seconds=31), False, 12_000, "delayed_beyond"),
        (guard("trailing", fraction="0.1", high=12_000), quote(10_810), False, 10_800, None),
        (guard("trailing", fraction="0.1", high=12_000), quote(10_800), True, 10_800, None),
    ],
)
def test_when_a_guard_fires(watched: Guard, shown: Quote | None, fired: bool, level: int, warn: str | None) -> None:
    found = judge(watched, HELD, shown, NOW)
    assert (found.fired, found.level_krw, found.warn, found.new_high) == (fired, level, warn, None)


def test_a_high_rises_on_prices_of_now_alone() -> None:
    watched = guard("trailing", fraction="0.1", high=12_000)
    found = judge(watched, HELD, quote(12_500), NOW)
    assert (found.fired, found.new_high, found.level_krw) == (False, 12_500, 11_250)
    for shown in (quote(12_500, seconds=31), quote(12_500, source="close"), quote(12_500, halted=True)):
        assert judge(watched, HELD, shown, NOW).new_high is None
    fresh = guard("trailing", fraction="0.1")
    assert judge(fresh, HELD, quote(9_000), NOW).new_high == 9_000  # it watches from the first price it sees


def test_nothing_fires_over_nothing() -> None:
    for none in (None, Holding(quantity=Decimal(0), cost_krw=Decimal(0))):
        found = judge(guard("stop", level=9_000), none, quote(8_000), NOW)
        assert (found.fired, found.warn) == (False, "not_held")
    without_cost = Holding(quantity=Decimal(10), cost_krw=Decimal(0))
    assert not judge(guard("stop", fraction="0.1"), without_cost, quote(1), NOW).fired


@given(st.lists(st.integers(5_000, 15_000), min_size=1, max_size=40), st.integers(1, 50))
def test_a_trailing_stop_fires_when_the_price_first_falls_that_far_from_its_high(prices: list[int], part: int) -> None:
    fraction = Decimal(part) / 100
    expected = next(
        (number for number in range(len(prices)) if prices[number] <= max(prices[: number + 1]) * (1 - fraction)), None
    )
    watched, fired = guard("trailing", fraction=str(fraction)), None
    for number, price in enumerate(prices):
        found = judge(watched, HELD, quote(price), NOW)
        if found.fired:
            fired = number
            break
        watched = replace(watched, high_krw=found.new_high or watched.high_krw)
    assert fired == expected


def test_the_stop_wins_over_the_target_and_the_nearest_stop_over_the_others() -> None:
    low, high = (Verdict(guard=guard("stop", level=one), fired=True, level_krw=Decimal(one)) for one in (8_000, 9_000))
    target = Verdict(guard=guard("target", level=7_000), fired=True, level_krw=Decimal(7_000))
    calm = Verdict(guard=guard("stop", level=9_500))
    assert worst([target, calm, low, high]) is high
    assert worst([calm, target]) is target
    assert worst([calm]) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "stop"},
        {"kind": "stop", "level": 9_000, "fraction": "0.1"},
        {"kind": "trailing", "level": 9_000},
        {"kind": "stop", "fraction": "1"},
        {"kind": "stop", "fraction": "-0.1"},
        {"kind": "stop", "level": 0},
        {"kind": "target", "fraction": "11"},
        {"kind": "target", "fraction": "NaN"},
    ],
)
def test_what_is_no_guard(broken: dict[str, str]) -> None:
    with pytest.raises(InputError):
        guard(**broken)  # type: ignore[arg-type]


def sale(state: OrderState, quantity: int = 10, booked: int = 0, **more: object) -> Kept:
    ticket = OrderTicket(
        client_order_id="sl-1", symbol="X", side=Side.SELL, kind=PriceKind.MARKET, quantity=Decimal(quantity)
    )
    order = Order(order_id="1", account_id="a", ticket=ticket, state=state, booked_quantity=Decimal(booked))
    kept = Kept(
        order=order, origin=Origin.STOP, reason="stop", parts={"s": Decimal(quantity)}, booked={"s": Decimal(booked)},
        plan_key="guard:g", created_at=NOW, epoch=3,
    )  # fmt: skip
    return replace(kept, **more)


def test_an_exit_sells_what_is_free_and_rests_at_the_lower_limit() -> None:
    assert sellable("s", "X", Decimal(25), [sale(OrderState.OPEN, 10, 4), sale(OrderState.INTENT, 5)]) == 14
    assert sellable("s", "X", Decimal(25), [sale(OrderState.EXPIRED, 10, 4)]) == 25
    assert sellable("other", "X", Decimal(25), [sale(OrderState.OPEN)]) == 25
    stop = Verdict(guard=guard("stop", level=9_000), fired=True)
    draft = exit_draft(stop, Decimal(10), quote(8_900), NOW, venue=KOSPI)
    assert draft is not None
    assert (draft.kind, draft.quantity, draft.parts, draft.plan_key) == ("market", 10, {"s": 10}, "guard:g")
    locked = exit_draft(stop, Decimal(10), quote(7_000), NOW, venue=KOSPI)
    assert locked is not None
    assert (locked.kind, locked.limit_price_krw) == ("limit", 7_000)  # 10,000 less 30 %
    near = exit_draft(stop, Decimal(10), quote(8_900), NOW, venue=KOSPI, policy=RepricePolicy())
    assert near is not None
    assert near.limit_price_krw == 8_820  # 8,811, on the tick of 10
    assert near.policy == RepricePolicy().document()
    target = exit_draft(replace(stop, guard=guard("target", level=1)), Decimal(10), quote(8_900), NOW, venue=KOSPI)
    assert target is not None
    assert target.limit_price_krw == 8_820
    assert exit_draft(stop, Decimal(0), quote(8_900), NOW, venue=KOSPI) is None


def test_an_exit_that_died_with_its_day_is_sent_again_once_a_session() -> None:
    opens = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    closes = opens + timedelta(minutes=29)

    def again(*sent: Kept, quantity: int = 10) -> tuple[object, ...] | None:
        draft = send_again(sent, Decimal(quantity), date(2026, 11, 23), opens=opens, closes=closes)
        return None if draft is None else (draft.plan_key, draft.quantity, draft.kind, draft.not_before)

    assert again(sale(OrderState.EXPIRED, 10, 4)) == ("guard:g@2026-11-23", 6, "market", opens)
    assert again(sale(OrderState.EXPIRED, 10, 4), quantity=2) == ("guard:g@2026-11-23", 2, "market", opens)
    second = sale(OrderState.EXPIRED, plan_key="guard:g@2026-11-20")
    assert again(sale(OrderState.EXPIRED), second) == ("guard:g@2026-11-23", 10, "market", opens)
    assert again(second, sale(OrderState.WITHDRAWN)) == ("guard:g@2026-11-23", 10, "market", opens)
    for over in (
        sale(OrderState.FILLED, 10, 10),
        sale(OrderState.OPEN),
        sale(OrderState.UNKNOWN),
        sale(OrderState.WITHDRAWN, cancel_wanted=True),
        sale(OrderState.CANCELLED),
        sale(OrderState.EXPIRED, cancel_wanted=True),
    ):
        assert again(over) is None
    assert again(sale(OrderState.EXPIRED), quantity=0) is None
