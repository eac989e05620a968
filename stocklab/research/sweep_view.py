"""What a sweep says: the table, a map over two parameters, and where a good result is no accident of one number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from stocklab.research.sweep_store import Row
from stocklab.strategy.sweep import Parameter, Sweep
from stocklab.types import AnyArray, FloatArray

__all__ = ["TABLE_FIGURES", "HeatMap", "Plateau", "best_first", "heat_map", "plateau_of", "table_of"]

TABLE_FIGURES: Final = (
    "cagr",
    "total_return",
    "max_drawdown",
    "sharpe",
    "sortino",
    "calmar",
    "volatility",
    "win_rate",
    "profit_factor",
    "turnover",
    "excess_return",
    "alpha",
    "final_equity_krw",
    "n_trades",
)
_MOST_CELLS: Final = 24
_LEAST_NEIGHBOURS: Final = 3
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """``values[i, j]`` belongs to ``y[i]`` and ``x[j]``, NaN where no variant is; ``counts`` variants behind it.

    Labels of a parameter with many values are ranges. ``cells`` has the place (i, j) of every variant by its number.
    """

    x: tuple[str, ...]
    y: tuple[str, ...]
    values: FloatArray
    counts: AnyArray
    cells: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """The variant whose neighbourhood does best by its median.

    ``neighbours`` variants, itself among them; ``lowest`` and ``highest`` are the objectives found there, ``own`` is
    that of the variant; ``best`` the highest objective of the whole sweep (the lowest where that is better).
    """

    number: int
    own: float
    median: float
    lowest: float
    highest: float
    neighbours: int
    best: float


def table_of(sweep: Sweep, rows: Sequence[Row]) -> pl.DataFrame:
    """One line for each combination in order: number, the values by path, run_id, code, reason, then figures.

    ``compared`` is the objective of those with trades enough, null for the others.
    """
    columns: dict[str, Any] = {"number": [row.number for row in rows]}
    for place, parameter in enumerate(sweep.parameters):
        columns[parameter.paths[0]] = [float(row.values[place]) for row in rows]
    for name in ("run_id", "code", "reason"):
        columns[name] = [getattr(row, name) for row in rows]
    figures: list[Mapping[str, Any]] = [row.figures or {} for row in rows]
    for name in TABLE_FIGURES:
        columns[name] = [figure.get(name) for figure in figures]
    columns["compared"] = [
        figure.get(sweep.objective) if figure.get("n_trades", 0) >= sweep.least_trades else None for figure in figures
    ]
    whole = {"number": pl.Int64, "n_trades": pl.Int64, "final_equity_krw": pl.Int64}
    text = {"run_id": pl.String, "code": pl.String, "reason": pl.String}
    return pl.DataFrame(columns, schema={name: whole.get(name, text.get(name, pl.Float64)) for name in columns})


def best_first(sweep: Sweep, table: pl.DataFrame) -> pl.DataFrame:
    """Lines with figures, the best that is compared first, ties by number; what is not compared comes last."""
    return table.filter(pl.col("n_trades").is_not_null()).sort(
        "compared", "number", descending=[not sweep.lower_is_better, False], nulls_last=True
    )


def heat_map(sweep: Sweep, table: pl.DataFrame, x: int, y: int, *, others: Literal["best", "median"]) -> HeatMap:
    """The objective over parameters ``x`` and ``y`` (their places); of the others the best, or the median."""
    known = table.filter(pl.col("compared").is_not_null())
    objective = known["compared"].to_numpy()
    columns, across = _binned(known[sweep.parameters[x].paths[0]].to_numpy())
    rows, down = _binned(known[sweep.parameters[y].paths[0]].to_numpy())
    values = np.full((len(rows), len(columns)), np.nan)
    counts = np.zeros(values.shape, dtype=np.int64)
    for cell in np.unique(down * len(columns) + across):
        i, j = divmod(int(cell), len(columns))
        inside = objective[(down == i) & (across == j)]
        best = inside.min() if sweep.lower_is_better else inside.max()
        values[i, j] = np.median(inside) if others == "median" else best
        counts[i, j] = len(inside)
    cells = {number: (int(i), int(j)) for number, i, j in zip(known["number"].to_list(), down, across, strict=True)}
    return HeatMap(x=columns, y=rows, values=values, counts=counts, cells=cells)


def plateau_of(sweep: Sweep, table: pl.DataFrame) -> Plateau | None:
    """The middle of the best plateau; None where no variant has neighbours enough.

    Neighbours are at most one step away in every parameter; of a sample the nearest ones, two for each parameter
    and itself. A variant that is not compared (too few trades) counts as worst; one in a corner of the ranges, with
    less than half of the neighbours others have, is not considered.
    """
    tried = table.filter(pl.col("n_trades").is_not_null())
    if tried.height < _LEAST_NEIGHBOURS or tried["compared"].null_count() == tried.height:
        return None
    sign = -1.0 if sweep.lower_is_better else 1.0
    objective = np.array([-np.inf if value is None else sign * value for value in tried["compared"]])
    steps = sweep.method == "grid"
    columns = [(tried[parameter.paths[0]].to_numpy(), parameter) for parameter in sweep.parameters]
    places = np.stack([_steps(values) if steps else _shares(values, parameter) for values, parameter in columns], 1)
    around_each = _neighbourhoods(places, steps=steps)
    least = max(_LEAST_NEIGHBOURS, max(len(inside) for inside in around_each) / 2)
    judged = [
        (float(np.median(objective[inside])), float(objective[place]), -place)
        for place, inside in enumerate(around_each)
        if len(inside) >= least and math.isfinite(objective[place])
    ]
    median, own, minus_place = max(judged, default=(-math.inf, 0.0, 0))
    if not math.isfinite(median):
        return None
    place, inside = -minus_place, around_each[-minus_place]
    around = sign * objective[inside][np.isfinite(objective[inside])]
    return Plateau(
        number=int(tried["number"][place]),
        own=sign * own,
        median=sign * median,
        lowest=float(around.min()),
        highest=float(around.max()),
        neighbours=len(inside),
        best=sign * float(objective.max()),
    )


def _neighbourhoods(places: FloatArray, *, steps: bool) -> list[AnyArray]:
    """Neighbours of each of the (n, parameters) places, itself among them."""
    found: list[AnyArray] = []
    nearest = min(2 * places.shape[1] + 1, len(places))
    for begin in range(0, len(places), _BLOCK):
        here = places[begin : begin + _BLOCK]
        away = np.zeros((len(here), len(places)))
        for mine, all_of_them in zip(here.T, places.T, strict=True):
            distance = np.abs(mine[:, None] - all_of_them[None, :])
            away = np.maximum(away, distance) if steps else away + distance**2
        if steps:
            found += [np.flatnonzero(row <= 1.0) for row in away]
        else:
            found += list(np.argpartition(away, nearest - 1, axis=1)[:, :nearest])
    return found


def _steps(values: FloatArray) -> FloatArray:
    """The step of its parameter each value is on."""
    return np.searchsorted(np.unique(values), values).astype(np.float64)


def _shares(values: FloatArray, parameter: Parameter) -> FloatArray:
    """Place of each value along its parameter, 0 to 1."""
    scaled = np.log(values) if parameter.scale == "log" else values
    spread = float(scaled.max() - scaled.min())
    return (scaled - scaled.min()) / spread if spread > 0 else np.zeros(len(values))


def _binned(values: FloatArray) -> tuple[tuple[str, ...], AnyArray]:
    """Labels and the place of each value among them; more values than fit become ranges of about equal numbers."""
    levels = np.unique(values)
    if len(levels) <= _MOST_CELLS:
        return tuple(f"{level:g}" for level in levels), np.searchsorted(levels, values)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _MOST_CELLS // 2 + 1)))
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return tuple(f"{low:g}–{high:g}" for low, high in pairwise(edges)), places
