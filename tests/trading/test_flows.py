"""Returns that flows do not touch: by hand, against a search by scipy, and for any deposits."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from stocklab.brokers.values import Side
from stocklab.errors import InputError
from stocklab.trading import (
    OUTSIDE,
    AccountDay,
    Book,
    Entry,
    EntryKind,
    Fill,
    Losses,
    RiskLimits,
    Stage,
    daily_returns,
    flow_krw,
    growth,
    losses,
    money_weighted,
    sleeve_profits,
    stage_of,
    time_weighted,
)

START = date(2026, 1, 5)


def account(*days: tuple[int, int], every: int = 1) -> list[AccountDay]:
    """Equity and flow of each day."""
    return [
        AccountDay(session=START + timedelta(days=every * i), equity_krw=Decimal(equity), flow_krw=Decimal(flow))
        for i, (equity, flow) in enumerate(days)
    ]


def test_returns_by_hand() -> None:
    # 1000 -> 1100 is 10 %; a deposit of 900 makes 2000, which becomes 1800: -10 %; 800 leave, and 1000 become 1050: 5 %
    days = account((1_000, 1_000), (1_100, 0), (1_800, 900), (1_050, -800))
    assert daily_returns(days) == (Decimal("0.1"), Decimal("-0.1"), Decimal("0.05"))
    assert time_weighted(days) == Decimal("1.1") * Decimal("0.9") * Decimal("1.05") - 1
    # growth 1, 1.1, 0.99, 1.0395: 5.5 % below the peak of 1.1
    assert losses(days) == Losses(
        day_return=Decimal("0.05"), week_return=Decimal("0.0395"), drawdown=Decimal("1.0395") / Decimal("1.1") - 1
    )
    assert losses(days, week_sessions=2).week_return == Decimal("1.0395") / Decimal("1.1") - 1
    assert losses(days[:1]) == losses([]) == Losses(day_return=Decimal(0), week_return=Decimal(0), drawdown=Decimal(0))
    assert time_weighted(days[:1]) is None
    with pytest.raises(InputError, match="at least one session"):
        losses(days, 0)


def test_an_account_that_was_emptied_and_filled_again_keeps_its_return() -> None:
    days = account((0, 0), (110, 100), (0, -110), (0, 0), (60, 50))
    assert daily_returns(days) == (Decimal("0.1"), None, None, Decimal("0.2"))
    assert growth(days)[-1] == Decimal("1.32")
    with pytest.raises(InputError, match="missing deposit"):
        daily_returns(account((0, 0), (10, 0)))
    with pytest.raises(InputError, match="ascend"):
        daily_returns([*days, days[0]])


def test_a_deposit_does_not_hide_a_loss_from_the_risk_gate() -> None:
    days = account((1_000, 0), (910, 0), (2_000, 1_090))  # 9 % lost, then more paid in than was lost
    now = losses(days)
    assert (now.day_return, now.week_return, now.drawdown) == (0, Decimal("-0.09"), Decimal("-0.09"))
    assert stage_of(now.day_return, now.week_return, now.drawdown, RiskLimits()) is Stage.NO_ENTRIES


@given(
    st.lists(st.integers(-900, 1_500), min_size=1, max_size=12),
    st.lists(st.integers(0, 10**9), min_size=12, max_size=12),
    st.integers(1, 10**9),
)
@settings(max_examples=100)
def test_flows_change_no_return(changes: list[int], deposits: list[int], start: int) -> None:
    """The same changes with and without deposits, and with everything but one won withdrawn."""
    rates = [Decimal(1) + Decimal(change) / 10_000 for change in changes]

    def lived(flows: list[Decimal]) -> list[AccountDay]:
        equity, days = Decimal(start), [AccountDay(session=START, equity_krw=Decimal(start))]
        for i, (rate, flow) in enumerate(zip(rates, flows, strict=False)):
            equity = (equity + flow) * rate
            days.append(AccountDay(session=START + timedelta(days=i + 1), equity_krw=equity, flow_krw=flow))
        return days

    alone, paid_in = lived([Decimal(0)] * 12), lived([Decimal(krw) for krw in deposits])
    withdrawn = lived([Decimal(1 - start), *[Decimal(0)] * 11])
    for one, other, third in zip(growth(alone), growth(paid_in), growth(withdrawn), strict=True):
        assert abs(one - other) < Decimal("1e-20")
        assert abs(one - third) < Decimal("1e-20")


def test_money_weighted_by_hand() -> None:
    # 100 for a year and 100 for its last half become 226: x^2 + x = 2.26 with x the growth of 182 days
    days = account((100, 0), (1, 100), (226, 0), every=182)
    found = money_weighted(days)
    half = (math.sqrt(1 + 4 * 2.26) - 1) / 2
    assert found is not None
    assert found.period == pytest.approx(half**2 - 1, rel=1e-12)
    assert found.yearly == pytest.approx(half ** (2 * 365 / 364) - 1, rel=1e-12)
    day = money_weighted(account((100, 0), (150, 0)))
    assert day is not None
    assert (day.period, day.yearly) == (pytest.approx(0.5), pytest.approx(1.5**365 - 1))
    long = money_weighted(account((100, 0), (100_000, 0)))
    assert long is not None
    assert long.yearly == math.inf  # a thousandfold in a day
    assert money_weighted(account((0, 0), (0, 0))) is None
    assert money_weighted(account((100, 0))) is None


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 10**8)), min_size=1, max_size=8), st.floats(0.2, 5.0))
@settings(max_examples=60)
def test_money_weighted_agrees_with_a_search_by_scipy(gaps: list[tuple[int, int]], gain: float) -> None:
    day, paid, days = START, 10**6, [AccountDay(session=START, equity_krw=Decimal(10**6))]
    for gap, krw in gaps:
        day, paid = day + timedelta(days=gap), paid + krw
        days.append(AccountDay(session=day, equity_krw=Decimal(1), flow_krw=Decimal(krw)))
    final = int(days[0].equity_krw * Decimal(gain)) + paid - 10**6
    last = AccountDay(session=day + timedelta(days=30), equity_krw=Decimal(final))

    def left(rate: float) -> float:
        terms = ((10**6, START), *((float(one.flow_krw), one.session) for one in days[1:]))
        years = [(krw, (last.session - at).days / 365) for krw, at in terms]
        return sum(krw * (1 + rate) ** time for krw, time in years) - final

    found = money_weighted([*days, last])
    assert found is not None
    assert abs(left(found.yearly)) <= 1e-6 * max(final, paid)
    assert found.yearly == pytest.approx(brentq(left, -1 + 1e-12, 1e12, xtol=1e-12, maxiter=1_000), abs=1e-6, rel=1e-6)


def test_what_counts_as_a_flow() -> None:
    entries = [
        Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=Decimal(500)),
        Entry(kind=EntryKind.ALLOCATION, sleeve_id=OUTSIDE, cash_krw=Decimal(-200)),
        Entry(kind=EntryKind.ALLOCATION, sleeve_id="a", cash_krw=Decimal(200)),
        Entry(kind=EntryKind.BUY, sleeve_id="a", symbol="s", quantity=Decimal(1), cash_krw=Decimal(-101)),
        Entry(kind=EntryKind.UNEXPLAINED, sleeve_id=OUTSIDE, symbol="s", quantity=Decimal(2)),
        Entry(kind=EntryKind.CROSSING, sleeve_id="a", symbol="s", quantity=Decimal(-1), cash_krw=Decimal(100)),
    ]
    prices = {"s": Decimal(90)}
    assert flow_krw(entries, prices) == 500 + 2 * 90
    assert flow_krw(entries, prices, OUTSIDE) == 500 - 200 + 2 * 90
    assert flow_krw(entries, prices, "a") == 200
    with pytest.raises(InputError, match="expected a price"):
        flow_krw(entries, {})


def test_profit_of_sleeves_by_hand() -> None:
    def trade(side: Side, quantity: int, amount: int, costs: int) -> Fill:
        krw, cost = Decimal(amount), Decimal(costs)
        return Fill(
            order_id="o",
            number=1,
            symbol="s",
            side=side,
            quantity=Decimal(quantity),
            amount_krw=krw,
            costs_krw=cost,
        )

    book = Book().apply([Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=Decimal(5_000))])
    book = book.apply(book.of_allocation("a", Decimal(3_000)))
    one = Decimal(1)
    book = book.apply(book.of_fill(trade(Side.BUY, 10, 1_000, 10), {"a": one * 10}, one))  # paid 1010
    book = book.apply(book.of_fill(trade(Side.SELL, 4, 600, 8), {"a": one * 4}, one))  # 592 for 404: 188
    a, outside = sleeve_profits(book, {"s": Decimal(120)})  # 6 left, paid 606, worth 720
    assert (a.sleeve_id, a.realised_krw, a.unrealised_krw, a.profit_krw) == ("a", 188, 114, 302)
    assert (a.cash_krw, a.worth_krw, a.equity_krw) == (3_000 - 1_010 + 592, 720, 3_302)
    assert (outside.equity_krw, outside.profit_krw) == (2_000, 0)
    with pytest.raises(InputError, match="expected a price"):
        sleeve_profits(book, {})
