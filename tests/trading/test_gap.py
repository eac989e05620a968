"""The gap between live and backtest: every part by hand, and on random days against ledgers kept apart."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.brokers.values import Side
from stocklab.errors import InputError
from stocklab.trading import (
    DayGap,
    GapDay,
    GapVerdict,
    LiveFill,
    PlannedTrade,
    ScoredDay,
    SymbolDay,
    day_gap,
    gap_score,
)

DAY = date(2026, 11, 20)


def won(*amounts: Any) -> list[Decimal | None]:
    return [None if amount is None else Decimal(amount) for amount in amounts]


def plan(plan_id: str, side: Side, quantity: Any, price: Any, costs: Any = 0, symbol: str = "a") -> PlannedTrade:
    quantity, price, costs = won(quantity, price, costs)
    return PlannedTrade(plan_id=plan_id, symbol=symbol, side=side, quantity=quantity, price_krw=price, costs_krw=costs)


def fill(
    plan_id: str | None, side: Side, quantity: Any, amount: Any, costs: Any = 0, at: Any = None, symbol: str = "a"
) -> LiveFill:
    quantity, amount, costs, at = won(quantity, amount, costs, at)
    return LiveFill(
        plan_id=plan_id,
        symbol=symbol,
        side=side,
        quantity=quantity,
        amount_krw=amount,
        costs_krw=costs,
        reference_krw=at,
    )


def facts(before: Any, close: Any, live: Any = 0, backtest: Any = 0, incomes: tuple[Any, Any] = (0, 0)) -> SymbolDay:
    before, close, live, backtest, *incomes = won(before, close, live, backtest, *incomes)
    return SymbolDay(
        previous_close_krw=before,
        close_krw=close,
        live_quantity=live,
        backtest_quantity=backtest,
        live_income_krw=incomes[0],
        backtest_income_krw=incomes[1],
    )


def gap_of(symbol: SymbolDay, planned: list[PlannedTrade], fills: list[LiveFill]) -> DayGap:
    return day_gap(GapDay(session=DAY, symbols={"a": symbol}, planned=tuple(planned), fills=tuple(fills)))


def parts(gap: DayGap) -> tuple[Decimal, ...]:
    return gap.price_krw, gap.timing_krw, gap.missed_krw, gap.cost_krw, gap.total_krw


BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("symbol", "planned", "fills", "expected"),
    [
        # everything as planned
        (facts(100, 110, 5, 5), [plan("1", BUY, 10, 102, 7)], [fill("1", BUY, 10, 1_020, 7)], (0, 0, 0, 0, 0)),
        # bought at 102.3 on average instead of 102
        (facts(100, 110), [plan("1", BUY, 10, 102)], [fill("1", BUY, 10, 1_023)], (-3, 0, 0, 0, -3)),
        # sold at 103 instead of 102
        (facts(100, 110, 9, 9), [plan("1", SELL, 9, 102)], [fill("1", SELL, 9, 927)], (9, 0, 0, 0, 9)),
        # sold later, when the model's price had fallen from 102 to 99; that was met
        (facts(100, 90, 9, 9), [plan("1", SELL, 9, 102)], [fill("1", SELL, 9, 891, at=99)], (0, -27, 0, 0, -27)),
        # a third was not bought, and the price went from 102 to 110
        (facts(100, 110), [plan("1", BUY, 9, 102)], [fill("1", BUY, 6, 612)], (0, 0, -24, 0, -24)),
        # a sale was not made at all, and the price rose
        (facts(100, 110, 9, 9), [plan("1", SELL, 9, 102)], [], (0, 0, 72, 0, 72)),
        # 4 shares of earlier days are missing: their 10 won each, and their dividend of 3
        (facts(100, 110, 1, 5, (3, 15)), [], [], (0, 0, -52, 0, -52)),
        # they are bought today at 108, when the model's price was 107: from 100 to 107 is time, the won above is price
        (facts(100, 110, 1, 5), [], [fill(None, BUY, 4, 432, at=107)], (-4, -28, 0, 0, -32)),
        # a person bought 2 at 104, nothing else known: 4 won each is price, the day's 10 won each is more shares
        (facts(100, 110), [], [fill(None, BUY, 2, 208)], (-8, 0, 20, 0, 12)),
        # two fills of one plan, the second late and dear, and costs of 12 for 5
        (
            facts(100, 110),
            [plan("1", BUY, 10, 102, 5)],
            [fill("1", BUY, 4, 408, 6), fill("1", BUY, 6, 642, 6, at=106)],
            (-6, -24, 0, -7, -37),
        ),
    ],
)
def test_each_part_by_hand(symbol: SymbolDay, planned: Any, fills: Any, expected: tuple[int, ...]) -> None:
    assert parts(gap_of(symbol, planned, fills)) == expected


def test_a_plan_filled_a_day_late_costs_what_it_cost_in_all() -> None:
    """Planned: 10 at 100, close 104. Bought at 109 next day, at the opening price, close 112: 9 won a share worse."""
    first = gap_of(facts(98, 104), [plan("1", BUY, 10, 100)], [])
    second = gap_of(facts(104, 112, 0, 10), [], [fill(None, BUY, 10, 1_090, at=109)])
    assert parts(first) == (0, 0, -40, 0, -40)
    assert parts(second) == (0, -50, 0, 0, -50)


@st.composite
def days(draw: st.DrawFn) -> GapDay:
    """Days with anything in them: both sides, several plans and fills, coins with many digits."""
    digits = draw(st.sampled_from([0, 8, 12]))
    unit = Decimal(1).scaleb(-digits)

    def number(least: int, most: int = 10**15) -> Decimal:
        return draw(st.integers(least, most)) * unit

    symbols, planned, fills = {}, [], []
    for symbol in "ab"[: draw(st.integers(1, 2))]:
        symbols[symbol] = SymbolDay(
            previous_close_krw=number(1),
            close_krw=number(0),
            live_quantity=number(0),
            backtest_quantity=number(0),
            live_income_krw=number(-(10**6)),
            backtest_income_krw=number(-(10**6)),
        )
        for i in range(draw(st.integers(0, 3))):
            side = draw(st.sampled_from(Side))
            planned.append(plan(f"{symbol}{i}", side, number(1), number(1), number(-100), symbol))
        mine = [trade for trade in planned if trade.symbol == symbol]
        for _ in range(draw(st.integers(0, 4))):
            of = draw(st.sampled_from([None, *mine]))
            side = draw(st.sampled_from(Side)) if of is None else of.side
            at = draw(st.sampled_from([None, number(1)]))
            name = None if of is None else of.plan_id
            fills.append(fill(name, side, number(1), number(1), number(-100), at, symbol))
    return GapDay(session=DAY, symbols=symbols, planned=tuple(planned), fills=tuple(fills))


def in_units(amount: Decimal) -> int:
    """Exact: whole numbers of 10^-24 won."""
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    return (-1) ** sign * int("".join(map(str, digits))) * 10 ** (24 + exponent)


def ledger(day: GapDay, *, live: bool) -> int:
    """Worth at the close less worth at the start, by walking through cash and shares in whole units."""
    total = 0
    for symbol, known in day.symbols.items():
        shares = in_units(known.live_quantity if live else known.backtest_quantity)
        cash = in_units(known.live_income_krw if live else known.backtest_income_krw) * 10**24
        start = shares * in_units(known.previous_close_krw)
        for trade in day.fills if live else day.planned:
            if trade.symbol != symbol:
                continue
            sign = 1 if trade.side is Side.BUY else -1
            shares += sign * in_units(trade.quantity)
            if isinstance(trade, LiveFill):
                cash -= sign * in_units(trade.amount_krw) * 10**24
            else:
                cash -= sign * in_units(trade.quantity) * in_units(trade.price_krw)
            cash -= in_units(trade.costs_krw) * 10**24
        total += shares * in_units(known.close_krw) + cash - start
    return total


@given(days())
@settings(max_examples=150)
def test_the_parts_are_the_difference_of_two_ledgers_to_the_last_digit(day: GapDay) -> None:
    gap = day_gap(day)
    live, backtest = ledger(day, live=True), ledger(day, live=False)
    assert in_units(gap.live_krw) * 10**24 == live
    assert in_units(gap.backtest_krw) * 10**24 == backtest
    assert sum(in_units(part) for part in parts(gap)[:4]) * 10**24 == live - backtest
    assert (gap.residual_krw, in_units(gap.total_krw) * 10**24) == (0, live - backtest)
    for symbol in gap.symbols:
        assert symbol.residual_krw == 0


@pytest.mark.parametrize(
    ("symbols", "planned", "fills", "message"),
    [
        ({}, [], [fill(None, BUY, 1, 1)], "expected its prices"),
        ({"a": facts(1, 1)}, [], [fill("1", BUY, 1, 1)], "expected its own, found None"),
        ({"a": facts(1, 1)}, [plan("1", SELL, 1, 1)], [fill("1", BUY, 1, 1)], "expected its own"),
        ({"a": facts(1, 1)}, [plan("1", BUY, 1, 1), plan("1", BUY, 1, 1)], [], "once"),
        ({"a": facts(1, 1)}, [plan("1", BUY, 0, 1)], [], "above 0"),
        ({"a": facts(1, 1)}, [], [fill(None, BUY, 1, 0)], "above 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(symbols: Any, planned: Any, fills: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        day_gap(GapDay(session=DAY, symbols=symbols, planned=tuple(planned), fills=tuple(fills)))


def scored(day: int, gap: int, equity: int = 1_000_000) -> ScoredDay:
    return ScoredDay(session=date(2026, 11, day), gap_krw=Decimal(gap), equity_krw=Decimal(equity))


def test_the_score_is_the_mean_width_and_days_do_not_make_up_for_each_other() -> None:
    trial = [scored(2, 2_000), scored(3, -2_000), scored(4, 0), scored(5, 300, 500_000)]  # 20, -20, 0 and 6 bps
    score = gap_score(trial, Decimal("11.5"), 4)
    assert (score.mean_abs_bps, score.mean_bps) == (Decimal("11.5"), Decimal("1.5"))
    assert (score.verdict, score.worst, score.days) == (GapVerdict.PASSED, trial[1], 4)
    assert gap_score(trial, Decimal("11.4"), 4).verdict is GapVerdict.TOO_WIDE
    assert gap_score(trial, Decimal("11.4"), 5).verdict is GapVerdict.TOO_FEW_DAYS
    assert gap_score([], Decimal(1), 1).verdict is GapVerdict.TOO_FEW_DAYS
    with pytest.raises(InputError, match="once"):
        gap_score([trial[0], trial[0]], Decimal(1), 1)
    with pytest.raises(InputError, match="thresholds"):
        gap_score(trial, Decimal(0), 1)
    with pytest.raises(InputError, match="equity above 0"):
        scored(6, 1, 0)
