"""What capital and slippage do, on the demo market and against the run itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from stocklab.backtest import RunRequest, simulate
from stocklab.data import Store, open_panel
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel
from stocklab.research.capacity import CAPITALS_KRW, by_capital, by_slippage
from stocklab.strategy import PRESETS


@pytest.fixture(scope="module")
def panel(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home))


@pytest.fixture(scope="module")
def request_() -> RunRequest:
    strategy = PRESETS["short_term_reversal"].strategy
    return RunRequest(strategy=strategy, start=date(2021, 1, 4), end=date(2023, 12, 28), initial_cash_krw=100_000_000)


def test_the_runs_own_capital_and_slippage_give_its_own_figures(panel: Panel, request_: RunRequest) -> None:
    source = DirectSource(panel)
    own = simulate(panel, request_, source).metrics
    (capital,) = by_capital(panel, request_, source, capitals=[request_.initial_cash_krw])
    (slippage,) = by_slippage(panel, request_, source, slippages=[request_.strategy.costs.slippage_rate])
    for point in (capital, slippage):
        found = (point.total_return, point.cagr, point.max_drawdown, point.cost_per_year, point.n_trades)
        assert found == tuple(
            own[name] for name in ("total_return", "cagr", "max_drawdown", "cost_per_year", "n_trades")
        )


def test_ten_billion_won_cannot_buy_what_a_hundred_million_can(panel: Panel, request_: RunRequest) -> None:
    points = {point.value: point for point in by_capital(panel, request_, DirectSource(panel))}
    assert tuple(points) == tuple(float(cash) for cash in CAPITALS_KRW)
    assert points[1e10].bought < 0.9 * points[1e8].bought
    # without a cap the same orders fill as far as whole shares and money go
    free = request_.strategy.execution.model_copy(update={"participation": 1.0})
    unlimited = replace(request_, strategy=request_.strategy.model_copy(update={"execution": free}))
    (uncapped,) = by_capital(panel, unlimited, DirectSource(panel), capitals=[10**10])
    assert uncapped.bought > points[1e10].bought


def test_slippage_only_costs(panel: Panel, request_: RunRequest) -> None:
    points = by_slippage(panel, request_, DirectSource(panel))
    returns = [point.total_return for point in points]
    assert all(value is not None for value in returns)
    assert returns[0] > returns[3] > returns[-1]  # type: ignore[operator]
    costs = [point.cost_per_year or 0.0 for point in points]
    assert costs == sorted(costs)
