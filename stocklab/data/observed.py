"""Where the data know better than the calendar's table: days it calls closed that traded, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.sessions import closed_days
from stocklab.data.snapshot import Snapshot
from stocklab.types import DateArray

__all__ = ["WHOLE_MARKET", "Observed", "observe", "observe_snapshot"]

WHOLE_MARKET: Final = ("krx_openapi.stocks", "datagokr.stocks")
"""Feeds whose keys are sessions of the whole market, so that an empty answer means a closed exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Corrections of the calendar, each (n,) datetime64[D], ascending.

    ``opened``: closed by the table, but KOSPI has a level. ``closed``: sessions by the table for which the exchange's
    own service answered for good that there are no rows, and nobody else has any.
    """

    opened: DateArray
    closed: DateArray


def observe(datasets: Mapping[str, pl.LazyFrame]) -> Observed:
    """Read the corrections out of the datasets ``indices`` and ``coverage``."""
    levels = _days(datasets, "indices", pl.col("index") == "KOSPI", pl.col("session"))
    whole = pl.col("feed").is_in(list(WHOLE_MARKET))
    day = pl.col("key").str.to_date("%Y-%m-%d", strict=False)
    empty = _days(datasets, "coverage", whole & (pl.col("state") == "empty"), day)
    answered = _days(datasets, "coverage", whole & (pl.col("state") == "final"), day)
    closed = np.setdiff1d(empty, np.union1d(answered, levels))
    return Observed(opened=levels[closed_days(levels)], closed=closed[~closed_days(closed)])


def observe_snapshot(snapshot: Snapshot) -> Observed:
    """`observe` for a snapshot."""
    return observe({name: snapshot.scan(name) for name in ("indices", "coverage") if snapshot.has(name)})


def _days(datasets: Mapping[str, pl.LazyFrame], name: str, which: pl.Expr, day: pl.Expr) -> DateArray:
    if name not in datasets:
        return np.empty(0, dtype="datetime64[D]")
    found = datasets[name].filter(which).select(day.alias("day")).drop_nulls().unique().sort("day").collect()
    return found["day"].to_numpy().astype("datetime64[D]")
