"""Figures of an equity curve against empyrical, an implementation that knows nothing of ours, to 1e-9.

Where the definitions differ the test says how: alpha (ours is the intercept of the regression times the sessions of a
year, theirs is compounded), beta and alpha under a changing risk-free rate (theirs takes one rate for all, so it is given
excess returns) and the number of periods a year (252; ours is counted). See docs/metrics.md.
"""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.metrics import return_figures
from stocklab.data import Store, open_panel
from stocklab.factors import DirectSource
from stocklab.market.calendar import sessions_between
from stocklab.strategy import PRESETS

SESSIONS = sessions_between(date(2014, 1, 2), date(2024, 12, 30))
INITIAL = 100_000_000.0


@st.composite
def curves(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """Sessions, equity, index levels and daily risk-free rates of a book that is never lost whole."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(40, len(SESSIONS)))
    first = draw(st.integers(0, len(SESSIONS) - n))
    wild = draw(st.sampled_from([0.002, 0.01, 0.04]))
    market = np.clip(rng.standard_t(4, n) * 0.008, -0.3, 0.3)
    own = np.clip(draw(st.floats(-1.0, 2.0)) * market + rng.standard_t(4, n) * wild, -0.3, 0.3)
    own[0] = market[0] = 0.0
    rf = rng.uniform(0.0, 0.0003, n) if draw(st.booleans()) else np.zeros(n)
    return SESSIONS[first : first + n], INITIAL * np.cumprod(1 + own), 2000.0 * np.cumprod(1 + market), rf


@settings(max_examples=60, deadline=None)
@given(curves())
def test_figures_of_the_same_meaning_are_the_same_numbers(curve: tuple[Any, Any, Any, Any]) -> None:
    sessions, equity, index, rf = curve
    found = return_figures(sessions, equity, INITIAL, index, rf)
    returns, other = (
        pd.Series(level[1:] / level[:-1] - 1.0, index=pd.DatetimeIndex(sessions[1:])) for level in (equity, index)
    )
    free = pd.Series(rf[1:], index=returns.index)
    a_year = found["sessions_per_year"]
    worst = empyrical.max_drawdown(returns)
    cagr = (1.0 + empyrical.cum_returns_final(returns)) ** (a_year / len(returns)) - 1.0
    theirs = {
        "total_return": empyrical.cum_returns_final(returns),
        "cagr": empyrical.annual_return(returns, annualization=a_year),
        "volatility": empyrical.annual_volatility(returns, annualization=a_year),
        "max_drawdown": worst,
        "sharpe": empyrical.sharpe_ratio(returns, risk_free=free, annualization=a_year),
        "sortino": empyrical.sortino_ratio(returns, required_return=free, annualization=a_year),
        "calmar": cagr / -worst if worst < 0 else math.nan,
        "beta": empyrical.beta(returns - free, other - free),
        "best_day": returns.max(),
        "worst_day": returns.min(),
        "benchmark_return": empyrical.cum_returns_final(other),
        "benchmark_cagr": empyrical.annual_return(other, annualization=a_year),
        "benchmark_max_drawdown": empyrical.max_drawdown(other),
    }
    for name, value in theirs.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    compounded = empyrical.alpha(returns - free, other - free, annualization=a_year)
    assert (1.0 + found["alpha"] / a_year) ** a_year - 1.0 == pytest.approx(compounded, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("table", "period"), [("monthly", "monthly"), ("yearly", "yearly")])
def test_months_and_years_of_a_run_are_its_daily_returns_compounded(demo_home: Path, table: str, period: str) -> None:
    panel = open_panel(Store(demo_home))
    request = RunRequest(
        strategy=PRESETS["low_volatility"].strategy,
        start=date(2019, 1, 2),
        end=date(2025, 12, 30),
        initial_cash_krw=100_000_000,
    )
    result = simulate(panel, request, DirectSource(panel))
    equity = pd.Series(
        result.tables["daily"]["equity_krw"].to_list(), index=result.tables["daily"]["session"].to_list()
    )
    equity.index = pd.DatetimeIndex(equity.index)
    theirs = empyrical.aggregate_returns(equity.pct_change().dropna(), period)
    ours = [row["return"] for row in result.metrics[table]]
    assert len(ours) == len(theirs) >= 7
    assert ours == pytest.approx(theirs.to_list(), rel=1e-9, abs=1e-12)
