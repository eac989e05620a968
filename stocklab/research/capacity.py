"""How a result depends on the capital put in and on the slippage assumed: the same run again, with one number changed.

More capital buys a larger part of a day's volume, and the participation cap then leaves orders unfilled; less capital
cannot buy whole shares of everything. Neither says what one's own orders do to the price: that is what slippage stands
for, and why both are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.result import Result, ShouldCancel, in_floats
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.market.upbit import MOST_INITIAL_CASH_KRW

__all__ = ["CAPITALS_KRW", "SLIPPAGES", "Point", "by_capital", "by_slippage"]

CAPITALS_KRW: Final = (
    10**6, 3 * 10**6, 10**7, 3 * 10**7, 10**8, 3 * 10**8, 10**9, 3 * 10**9, 10**10,
)  # fmt: skip
SLIPPAGES: Final = (0.0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A run with ``value`` as its capital (KRW) or slippage (fraction of the price); fractions, None where undefined.

    ``bought`` is the mean part of a purchase order that was filled; 1 without orders.
    """

    value: float
    total_return: float | None
    cagr: float | None
    max_drawdown: float | None
    cost_per_year: float | None
    n_trades: int
    bought: float


def by_capital(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    capitals: Sequence[int] = CAPITALS_KRW,
    should_cancel: ShouldCancel | None = None,
) -> tuple[Point, ...]:
    """The run with other starting cash, in the order given; of coins those that a run can start with.

    Raises
    ------
    InputError, DataError, Cancelled
        As `simulate`.
    """
    return tuple(
        _point(
            float(cash),
            simulate(panel, replace(request, initial_cash_krw=cash), source, should_cancel=should_cancel),
        )
        for cash in capitals
        if panel.unit == 1 or cash <= MOST_INITIAL_CASH_KRW
    )


def by_slippage(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    slippages: Sequence[float] = SLIPPAGES,
    should_cancel: ShouldCancel | None = None,
) -> tuple[Point, ...]:
    """The run with other slippage, in the order given; raises as `by_capital`."""
    points = []
    for rate in slippages:
        costs = request.strategy.costs.model_copy(update={"slippage_rate": rate})
        changed = replace(request, strategy=request.strategy.model_copy(update={"costs": costs}))
        points.append(_point(rate, simulate(panel, changed, source, should_cancel=should_cancel)))
    return tuple(points)


def _point(value: float, result: Result) -> Point:
    found = result.metrics
    return Point(
        value=value,
        total_return=found["total_return"],
        cagr=found["cagr"],
        max_drawdown=found["max_drawdown"],
        cost_per_year=found["cost_per_year"],
        n_trades=int(found["n_trades"]),
        bought=_bought(result),
    )


def _bought(result: Result) -> float:
    """Mean part of a purchase order that was filled."""
    orders = in_floats(result.tables["orders"]).filter((pl.col("side") == "buy") & (pl.col("shares_ordered") > 0))
    if not orders.height:
        return 1.0
    return float((orders["shares_filled"] / orders["shares_ordered"]).mean())  # type: ignore[arg-type]
