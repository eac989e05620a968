"""Two to ten results side by side, over the sessions they have in common.

Whether one result is better than another is a question about the daily differences of their returns. Returns of
neighbouring days are not independent, so the differences are drawn again in blocks of random length (the stationary
bootstrap of Politis and Romano 1994); every pair is judged on the same draws. With several results compared at once the
p-values are adjusted by Holm's method (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from stocklab.backtest.metrics import return_figures
from stocklab.backtest.result import Result, in_floats
from stocklab.errors import InputError
from stocklab.types import DateArray, FloatArray, IntArray

__all__ = ["FEWEST_SESSIONS", "MOST_RESULTS", "Comparison", "Difference", "Figures", "compare", "holm", "redrawn_means"]

MOST_RESULTS: Final = 10
FEWEST_SESSIONS: Final = 60
"""Fewer common sessions say nothing about a difference."""
DRAWS: Final = 2000
_DRAWS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One result over the common sessions; fractions, None where undefined."""

    total_return: float | None
    cagr: float | None
    volatility: float | None
    max_drawdown: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A result less the first one: mean daily return times the sessions of a year.

    ``low`` and ``high`` bound 95 % of the redrawn means. ``p_value`` is the chance of a mean at least this far from 0
    if there were no difference, adjusted for the number of results compared.
    """

    per_year: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Results side by side, in the order given.

    Attributes
    ----------
    sessions : (n_sessions,) datetime64[D] on which all results have a book
    growth : (n_results, n_sessions) equity as a multiple of that on the first common session
    correlation : (n_results, n_results) of daily returns; NaN where one never changes
    overlap : (n_results, n_results) mean share of the equity held in the same stocks: sum of the smaller weights
    differences : one for every result after the first, against the first
    """

    run_ids: tuple[str, ...]
    sessions: DateArray
    growth: FloatArray
    figures: tuple[Figures, ...]
    correlation: FloatArray
    overlap: FloatArray
    differences: tuple[Difference, ...]


def compare(results: Sequence[Result], *, seed: int = 0) -> Comparison:
    """Compare over the common sessions; the same results and seed give the same numbers.

    Raises
    ------
    InputError
        Fewer than two results, more than ten, one twice, or too few common sessions.
    """
    run_ids = tuple(result.run_id for result in results)
    if not 2 <= len(run_ids) <= MOST_RESULTS:
        raise InputError(f"A comparison needs 2 to {MOST_RESULTS} results, found {len(run_ids)}.")
    if len(set(run_ids)) < len(run_ids):
        raise InputError("A result was named twice. Name each result of a comparison once.")
    books = [in_floats(result.tables["daily"].select("session", "equity_krw")) for result in results]
    common = books[0].select("session")
    for book in books[1:]:
        common = common.join(book.select("session"), on="session", how="semi")
    if common.height < FEWEST_SESSIONS:
        raise InputError(
            f"The results have {common.height} sessions in common; a comparison needs {FEWEST_SESSIONS}. "
            "Run them over ranges that overlap."
        )
    sessions = common["session"].to_numpy().astype("datetime64[D]")
    equity = np.stack([common.join(book, on="session", how="left")["equity_krw"].to_numpy() for book in books])
    growth = equity / equity[:, :1].astype(np.float64)
    returns = _returns(growth)
    figures = tuple(_figures(sessions, row) for row in growth)
    per_year = (len(sessions) - 1) / ((sessions[-1] - sessions[0]).astype(np.int64) / 365.25)
    return Comparison(
        run_ids=run_ids,
        sessions=sessions,
        growth=growth,
        figures=figures,
        correlation=_correlation(returns),
        overlap=_overlap(results, common),
        differences=_differences(returns, per_year, seed),
    )


def _returns(growth: FloatArray) -> FloatArray:
    """(n_results, n_sessions - 1) daily returns; 0 once everything is lost."""
    before = growth[:, :-1]
    ratio = np.divide(growth[:, 1:], before, out=np.ones_like(before), where=before != 0.0)
    return np.asarray(ratio - 1.0, dtype=np.float64)


def _figures(sessions: DateArray, growth: FloatArray) -> Figures:
    unknown, free = np.full(len(growth), np.nan), np.zeros(len(growth))
    found = return_figures(sessions, growth, 1.0, unknown, free)
    return Figures(
        total_return=found["total_return"],
        cagr=found["cagr"],
        volatility=found["volatility"],
        max_drawdown=found["max_drawdown"],
    )


def _correlation(returns: FloatArray) -> FloatArray:
    apart = returns - returns.mean(axis=1, keepdims=True)
    size = np.sqrt((apart**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((apart @ apart.T) / np.outer(size, size), dtype=np.float64)


def _overlap(results: Sequence[Result], common: pl.DataFrame) -> FloatArray:
    """Mean over the common sessions of the sum of the smaller weights."""
    weights = [
        in_floats(result.tables["positions"])
        .join(common, on="session", how="semi")
        .join(in_floats(result.tables["daily"].select("session", "equity_krw")), on="session")
        .filter(pl.col("equity_krw") > 0)
        .select("session", "symbol", weight=pl.col("value_krw") / pl.col("equity_krw"))
        for result in results
    ]
    found = np.zeros((len(results), len(results)))
    for place, mine in enumerate(weights):
        for other, theirs in enumerate(weights[: place + 1]):
            both = mine.join(theirs, on=["session", "symbol"], suffix="_other")
            shared = both.select(pl.min_horizontal("weight", "weight_other").sum()).item() or 0.0
            found[place, other] = found[other, place] = shared / common.height
    return found


def _differences(returns: FloatArray, per_year: float, seed: int) -> tuple[Difference, ...]:
    gaps = returns[1:] - returns[0]
    means = gaps.mean(axis=1)
    drawn = redrawn_means(gaps, DRAWS, np.random.default_rng(seed))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    beyond = (np.abs(drawn - means[:, None]) >= np.abs(means)[:, None]).sum(axis=1)
    chances = holm((beyond + 1.0) / (DRAWS + 1.0))
    return tuple(
        Difference(
            per_year=float(per_year * means[place]),
            low=float(per_year * low[place]),
            high=float(per_year * high[place]),
            p_value=float(chances[place]),
        )
        for place in range(len(gaps))
    )


def redrawn_means(values: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    """(n_series, draws) means of each series drawn again by the stationary bootstrap.

    Blocks begin anywhere with equal chance, run on over the end to the beginning, and have a geometric length with mean
    n^(1/3); all series are drawn at the same places.

    Parameters
    ----------
    values : (n_series, n)
    """
    n = values.shape[1]
    mean_length = max(1.0, n ** (1.0 / 3.0))
    out = np.empty((values.shape[0], draws))
    for first in range(0, draws, _DRAWS_AT_ONCE):
        count = min(_DRAWS_AT_ONCE, draws - first)
        out[:, first : first + count] = values[:, _places(n, count, mean_length, rng)].mean(axis=2)
    return out


def _places(n: int, count: int, mean_length: float, rng: np.random.Generator) -> IntArray:
    """(count, n) positions: runs of consecutive days from random beginnings."""
    begins = rng.random((count, n)) < 1.0 / mean_length
    begins[:, 0] = True
    day = np.arange(n)
    begun = np.maximum.accumulate(np.where(begins, day, 0), axis=1)
    origin = np.take_along_axis(rng.integers(0, n, (count, n)), begun, axis=1)
    return np.asarray((origin + day - begun) % n, dtype=np.int64)


def holm(p_values: FloatArray) -> FloatArray:
    """p-values adjusted so that the chance of any false alarm among them stays below the level.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    out = np.empty(len(p_values))
    out[order] = adjusted
    return out
