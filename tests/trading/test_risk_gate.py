"""The risk gate: each limit at its edge, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stocklab.brokers.values import OrderTicket, PriceKind, Quote, QuoteSource, Side
from stocklab.errors import InputError
from stocklab.trading import Account, GateReason, RiskLimits, Stage, gate, stage_of

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # 10:00 in Seoul
CODE = "005930"
QUOTE = Quote(
    symbol=CODE,
    price_krw=Decimal(71_400),
    at=NOW - timedelta(seconds=30),
    source=QuoteSource.SOCKET,
    base_price_krw=Decimal(70_900),
)
# 70,900 x 30 % = 21,270, floored to the tick of 100: 21,200. Limits 49,700 and 92,100, as the broker's own page says.
ACCOUNT = Account(
    now=NOW, market="KOSPI", equity_krw=Decimal(10_000_000), orderable_krw=Decimal(5_000_000), sellable=Decimal(10)
)
LIMITS = RiskLimits()


def buy(quantity: int = 10, limit: int | None = 71_400, **changes: Any) -> OrderTicket:
    ticket = OrderTicket(
        client_order_id="sl-1",
        symbol=CODE,
        side=Side.BUY,
        kind=PriceKind.MARKET if limit is None else PriceKind.LIMIT,
        quantity=Decimal(quantity),
        limit_price_krw=None if limit is None else Decimal(limit),
    )
    return replace(ticket, **changes)


def sell(quantity: int = 10, limit: int | None = 71_400) -> OrderTicket:
    return buy(quantity, limit, side=Side.SELL)


def test_an_order_within_every_limit_passes() -> None:
    assert gate(buy(), QUOTE, ACCOUNT, LIMITS) == ()
    assert gate(sell(), QUOTE, ACCOUNT, LIMITS) == ()


@pytest.mark.parametrize(
    ("ticket", "quote", "account", "expected"),
    [
        (buy(limit=71_450), {}, {}, {"price_off_tick"}),  # 100 won from 50,000 on
        (buy(limit=92_100), {"price_krw": Decimal(92_000)}, {}, set()),
        (buy(limit=92_200), {"price_krw": Decimal(92_000)}, {}, {"price_outside_limits"}),
        (sell(limit=49_700), {"price_krw": Decimal(50_000)}, {}, set()),
        (sell(limit=49_650), {"price_krw": Decimal(50_000)}, {}, {"price_outside_limits"}),
        (buy(), {"at": NOW - timedelta(seconds=31)}, {}, {"stale_quote"}),
        (buy(), {"source": QuoteSource.CLOSE}, {}, {"stale_quote"}),
        (sell(), {"halted": True}, {}, {"halted"}),
        # 5 % over 71,400 is 74,970; a low bid is no mistake, nor a high offer
        (buy(limit=74_900), {}, {}, set()),
        (buy(limit=75_000), {}, {}, {"fat_finger_price"}),
        (buy(limit=60_000), {}, {}, set()),
        (sell(limit=67_800), {}, {}, {"fat_finger_price"}),
        (sell(limit=80_000), {}, {}, set()),
        # 10 at 71,400 and 0.015 %: 714,107.1
        (buy(), {}, {"orderable_krw": Decimal(714_108)}, set()),
        (buy(), {}, {"orderable_krw": Decimal(714_107)}, {"cash"}),
        # a quarter of 10,000,000: 35 at 71,400 are 2,499,000
        (buy(35), {}, {}, set()),
        (buy(36), {}, {}, {"fat_finger_size"}),
        (buy(), {}, {"worth_krw": {CODE: Decimal(2_286_000)}}, set()),
        (buy(), {}, {"worth_krw": {CODE: Decimal(2_286_001)}}, {"position_cap"}),
        (buy(), {}, {"sector": "G45", "sector_worth_krw": {"G45": Decimal(5_286_001)}}, {"sector_cap"}),
        (buy(), {}, {"sector": "", "sector_worth_krw": {"": Decimal(9_000_000)}}, set()),
        (buy(), {}, {"orders_today": 199}, set()),
        (sell(), {}, {"orders_today": 200}, {"orders_per_day"}),
        (buy(), {}, {"day_value_krw": Decimal(19_286_001)}, {"value_per_day"}),
        (buy(), {}, {"recent": ((CODE, Side.BUY, Decimal(10), NOW - timedelta(seconds=59)),)}, {"duplicate"}),
        (buy(), {}, {"recent": ((CODE, Side.BUY, Decimal(10), NOW - timedelta(seconds=60)),)}, set()),
        (sell(11), {}, {}, {"not_held"}),
        # at the market, a purchase is worth what the upper limit would cost: 30 x 92,100
        (buy(30, None), {"upper_limit_krw": Decimal(92_100)}, {}, {"fat_finger_size"}),
        (buy(), {}, {"killed": True}, {"kill_switch"}),
        (sell(), {}, {"killed": True}, {"kill_switch"}),
        # losses hold back entries, never exits
        (buy(), {}, {"stage": Stage.NO_ENTRIES}, {"loss_stage"}),
        (sell(), {}, {"stage": Stage.FLATTEN, "orderable_krw": Decimal(0), "equity_krw": Decimal(1)}, set()),
    ],
)
def test_each_limit_at_its_edge(
    ticket: OrderTicket, quote: dict[str, Any], account: dict[str, Any], expected: set[str]
) -> None:
    assert set(gate(ticket, replace(QUOTE, **quote), replace(ACCOUNT, **account), LIMITS)) == expected


def test_every_reason_is_said_at_once() -> None:
    poor = replace(ACCOUNT, orderable_krw=Decimal(0), killed=True, orders_today=200)
    found = gate(buy(limit=99_950), None, poor, LIMITS)
    assert set(found) == {
        GateReason.KILL_SWITCH,
        GateReason.PRICE_OFF_TICK,
        GateReason.NO_QUOTE,
        GateReason.ORDERS_PER_DAY,
        GateReason.CASH,
    }


def test_coins_have_a_smallest_order_and_their_own_ticks() -> None:
    quote = Quote(symbol="KRW-BTC", price_krw=Decimal(108_000_000), at=NOW, source=QuoteSource.REST)
    account = replace(ACCOUNT, market="UPBIT", sellable=Decimal("0.00004"))
    ticket = replace(
        buy(), symbol="KRW-BTC", quantity=Decimal("0.00004629"), limit_price_krw=Decimal(108_000_000)
    )  # 4,999.32 won
    assert gate(ticket, quote, account, LIMITS) == (GateReason.TOO_SMALL,)
    assert gate(replace(ticket, quantity=Decimal("0.0000463")), quote, account, LIMITS) == ()
    odd = replace(ticket, quantity=Decimal("0.001"), limit_price_krw=Decimal(108_000_500))
    assert gate(odd, quote, account, LIMITS) == (GateReason.PRICE_OFF_TICK,)


@pytest.mark.parametrize(
    ("day", "week", "drawdown", "expected"),
    [
        ("0.10", "0.10", "0", "normal"),
        ("-0.0299", "-0.0599", "-0.1499", "normal"),
        ("-0.03", "0", "0", "no_entries"),
        ("0", "-0.10", "-0.15", "reduce"),
        ("-0.031", "-0.02", "-0.30", "flatten"),
    ],
)
def test_the_worst_loss_decides_the_stage(day: str, week: str, drawdown: str, expected: str) -> None:
    assert stage_of(Decimal(day), Decimal(week), Decimal(drawdown), LIMITS) == expected


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="above 0"):
        RiskLimits(most_order_fraction=Decimal(0))
    with pytest.raises(InputError, match="Losses of a week"):
        RiskLimits(week_loss=(Decimal("0.2"), Decimal("0.1"), Decimal("0.3")))
