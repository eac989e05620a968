"""Comparisons against scipy, a hand calculation and what statistics promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from stocklab.backtest.result import TABLE_SCHEMAS, Result
from stocklab.errors import InputError
from stocklab.market.calendar import sessions_between
from stocklab.research.compare import compare, holm, redrawn_means

SESSIONS = sessions_between(date(2020, 1, 2), date(2023, 12, 28))


def result(run_id: str, growth: Any, holdings: dict[str, float] | None = None, sessions: Any = SESSIONS) -> Result:
    """A result with that equity curve, holding the same weights every day."""
    equity = np.round(1e12 * np.asarray(growth)).astype(np.int64)
    daily = pl.DataFrame(
        {
            "session": sessions,
            "cash_krw": equity,
            "holdings_krw": np.zeros(len(equity), dtype=np.int64),
            "equity_krw": equity,
            "benchmark": np.full(len(equity), np.nan),
        },
        schema=TABLE_SCHEMAS["daily"],
    )
    rows = [
        {"session": day, "symbol": symbol, "shares": 1, "close_krw": 1, "value_krw": round(weight * int(worth))}
        for symbol, weight in (holdings or {}).items()
        for day, worth in zip(daily["session"], equity, strict=True)
    ]
    tables = {name: pl.DataFrame(schema=schema) for name, schema in TABLE_SCHEMAS.items()}
    tables |= {"daily": daily, "positions": pl.DataFrame(rows, schema=TABLE_SCHEMAS["positions"])}
    return Result(run_id=run_id, card={}, metrics={}, tables=tables)


def walk(seed: int, drift: float = 0.0, spread: float = 0.01) -> Any:
    steps = np.random.default_rng(seed).normal(drift, spread, len(SESSIONS))
    steps[0] = 0.0
    return np.cumprod(1 + steps)


def test_correlation_is_scipys() -> None:
    curves = [walk(1), walk(2), 0.5 * walk(1) + 0.5 * walk(3)]
    found = compare([result(str(place), curve) for place, curve in enumerate(curves)])
    returns = [row[1:] / row[:-1] - 1 for row in found.growth]
    for place, mine in enumerate(returns):
        for other, theirs in enumerate(returns):
            assert found.correlation[place, other] == pytest.approx(stats.pearsonr(mine, theirs).statistic, abs=1e-12)


def test_overlap_by_hand() -> None:
    """Smaller weights: 0.3 of A and 0.1 of B are in both; nothing is in the third."""
    found = compare(
        [
            result("one", walk(1), {"A": 0.5, "B": 0.1}),
            result("two", walk(2), {"A": 0.3, "B": 0.6}),
            result("none", walk(3), {"C": 1.0}),
        ]
    )
    assert found.overlap == pytest.approx(np.array([[0.6, 0.4, 0.0], [0.4, 0.9, 0.0], [0.0, 0.0, 1.0]]), abs=1e-9)


def test_only_common_sessions_count() -> None:
    long, short = walk(1), walk(2)[200:800]
    found = compare([result("long", long), result("short", short, sessions=SESSIONS[200:800])])
    assert found.sessions.tolist() == SESSIONS[200:800].tolist()
    assert found.growth[0] == pytest.approx(long[200:800] / long[200], rel=1e-9)
    assert found.figures[0].total_return == pytest.approx(long[799] / long[200] - 1, rel=1e-9)
    assert found.growth[:, 0].tolist() == [1.0, 1.0]


def test_independent_days_are_judged_as_the_t_test_does() -> None:
    """Without dependence between days the bootstrap and Student's test must agree."""
    for drift in (0.0, 0.0004, 0.0008):
        base = walk(1)
        steps = np.random.default_rng(5).normal(drift, 0.006, len(SESSIONS))
        other = base * np.cumprod(1 + np.where(np.arange(len(SESSIONS)) > 0, steps, 0.0))
        found = compare([result("base", base), result("other", other)])
        returns = [row[1:] / row[:-1] - 1 for row in found.growth]
        student = stats.ttest_1samp(returns[1] - returns[0], 0.0)
        per_year = 246
        assert found.differences[0].per_year == pytest.approx((returns[1] - returns[0]).mean() * per_year, rel=0.02)
        assert found.differences[0].p_value == pytest.approx(student.pvalue, abs=0.04)
        low, high = student.confidence_interval(0.95)
        assert found.differences[0].low == pytest.approx(low * per_year, abs=0.02)
        assert found.differences[0].high == pytest.approx(high * per_year, abs=0.02)


def test_dependent_days_widen_the_interval() -> None:
    """The mean of an AR(1) series with coefficient 0.5 has three times the variance of independent days."""
    rng = np.random.default_rng(3)
    shocks = rng.normal(0, 1, 4000)
    series = np.zeros(4000)
    for t in range(1, 4000):
        series[t] = 0.5 * series[t - 1] + shocks[t]
    redrawn = redrawn_means(series[None, :], 2000, np.random.default_rng(0))[0]
    independent = series.std() / np.sqrt(4000)
    assert 1.45 * independent < redrawn.std() < 1.85 * independent  # sqrt(3) = 1.73, a little less for short blocks


def test_no_difference_is_seldom_called_one() -> None:
    """At the 5 % level about one in twenty pairs of equal strategies may look different; 12 in 60 would be absurd."""
    alarms = 0
    for seed in range(60):
        found = compare([result("a", walk(2 * seed)), result("b", walk(2 * seed + 1))])
        alarms += found.differences[0].p_value < 0.05
    assert alarms <= 8


def test_holm_by_hand() -> None:
    assert holm(np.array([0.02, 0.005, 0.3, 0.04])).tolist() == pytest.approx([0.06, 0.02, 0.3, 0.08])


def test_the_same_question_has_the_same_answer() -> None:
    results = [result("a", walk(1)), result("b", walk(2))]
    assert compare(results).differences == compare(results).differences


def test_what_cannot_be_compared_is_refused() -> None:
    one = result("one", walk(1))
    with pytest.raises(InputError, match="needs 2 to 10 results, found 1"):
        compare([one])
    with pytest.raises(InputError, match="named twice"):
        compare([one, one])
    with pytest.raises(InputError, match="found 11"):
        compare([replace(one, run_id=str(place)) for place in range(11)])
    with pytest.raises(InputError, match="have 0 sessions in common"):
        compare(
            [
                result("a", walk(1)[:100], sessions=SESSIONS[:100]),
                result("b", walk(1)[:100], sessions=SESSIONS[100:200]),
            ]
        )


def test_a_book_that_lost_everything_is_still_compared() -> None:
    lost = np.where(np.arange(len(SESSIONS)) < 50, 1.0, 0.0)
    found = compare([result("a", walk(1)), result("lost", lost)])
    assert found.figures[1].total_return == -1.0
    assert np.isfinite(found.differences[0].p_value)
