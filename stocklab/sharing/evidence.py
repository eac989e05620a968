"""What a publication shows of its backtest: figures and a thinned curve, frozen with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stocklab.backtest.result import Result, in_floats
from stocklab.research.deflated_sharpe import moments
from stocklab.strategy import Strategy, parse_document

__all__ = ["FIGURES", "POINTS", "Evidence", "evidence_of"]

POINTS: Final = 120
FIGURES: Final = (
    "total_return",
    "cagr",
    "volatility",
    "max_drawdown",
    "sharpe",
    "sortino",
    "calmar",
    "win_rate",
    "profit_factor",
    "turnover",
    "exposure",
    "n_trades",
    "cost_per_year",
    "benchmark_return",
    "sessions_per_year",
)
"""Figures of a run that a publication keeps; ratios are fractions, None where one is not defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Figures of a run, with those the boards need beside, and its curve as growth of 1."""

    metrics: Mapping[str, float | None]
    curve: Mapping[str, list[Any]]


def evidence_of(result: Result, *, capacity_krw: float | None = None) -> Evidence:
    """What is shown of a finished run; ``capacity_krw`` is what it could carry, where that is known."""
    daily = in_floats(result.tables["daily"])
    equity = daily["equity_krw"].to_numpy().astype(np.float64)
    before = equity[:-1]
    returns = np.divide(equity[1:], before, out=np.ones_like(before), where=before != 0.0) - 1.0
    shape = moments(returns)
    figures = {name: _number(result.metrics.get(name)) for name in FIGURES}
    figures |= {
        "sessions": float(daily.height),
        "skewness": None if shape is None else shape[0],
        "kurtosis": None if shape is None else shape[1],
        "initial_cash_krw": float(result.card["initial_cash_krw"]),
        "capacity_krw": capacity_krw,
        "after_costs": float(_paid(parse_document(dict(result.card["strategy"])))),
    }
    chosen = np.unique(np.linspace(0, daily.height - 1, min(POINTS, daily.height)).round().astype(int))
    sessions = daily["session"].to_list()
    initial = float(result.card["initial_cash_krw"])
    return Evidence(
        metrics=figures,
        curve={
            "sessions": [sessions[index].isoformat() for index in chosen.tolist()],
            "growth": [round(float(equity[index]) / initial, 5) for index in chosen.tolist()],
        },
    )


def _paid(strategy: Strategy) -> bool:
    """Whether the run had to pay commission and slippage, and tax where sales are taxed."""
    costs = strategy.costs
    taxed = strategy.universe.of_coins or costs.tax == "dated" or costs.tax > 0
    return costs.commission_rate > 0 and costs.slippage_rate > 0 and taxed


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if usable else None
