"""Fields of a panel of coins: every UTC day is a session; a day without a candle is a halt at the carried close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from stocklab.data.cells import Cells
from stocklab.data.panel_fields import rows_between
from stocklab.market.panel import MARKET_CODES
from stocklab.strategy.document import COIN_BENCHMARK
from stocklab.types import AnyArray, FloatArray

__all__ = ["CoinArrays", "coin_arrays"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinArrays:
    """Fields by name, (n_sessions, n_symbols) each, indices by name, (n_sessions,) each, and notes."""

    fields: Mapping[str, AnyArray]
    indices: Mapping[str, FloatArray]
    tv_estimated: bool
    notes: tuple[str, ...]


def coin_arrays(cells: Cells) -> CoinArrays:
    """What the bars of coins say on the grid of every day.

    A coin is listed from its first stored bar to its last; its age counts from the first, so it is at least what is
    said. Prices stay float64 whatever they are, so that one compiled kernel serves every panel of coins.
    """
    close = _filled(cells, pl.col("close"), ["close"])
    here = ~np.isnan(close)
    first, end = np.argmax(here, axis=0), len(close) - np.argmax(here[::-1], axis=0)
    listed = rows_between(first, end, len(close))
    missing = listed & ~here
    for row in range(1, len(close)):
        np.copyto(close[row], close[row - 1], where=missing[row])
    volume = _filled(cells, pl.col("volume"), ["volume"])
    volume[missing] = 0.0
    tv = _filled(cells, pl.coalesce("tv", pl.col("close") * pl.col("volume")), ["tv", "close", "volume"])
    tv[missing] = 0.0
    known = _filled(cells, pl.col("tv"), ["tv"])
    prices = {name: _filled(cells, pl.col(name), [name]) for name in ("open", "high", "low")}
    traded = here & (volume > 0) & ~np.isnan(prices["open"])
    for values in prices.values():
        np.copyto(values, close, where=listed & np.isnan(values))
    age = (np.arange(len(close))[:, None] - first[None, :] + 1).astype(np.float32)
    age[~listed] = np.nan
    fields = {
        **prices,
        "close": close,
        "volume": volume,
        "tv": tv,
        "traded": traded,
        "listed": listed,
        "list_age": age,
        "market": np.where(listed, np.uint8(MARKET_CODES["UPBIT"]), np.uint8(0)),
    }
    notes = []
    if missing.any():
        notes.append(f"{int(missing.sum())} days without a candle are kept as halts at the close before.")
    estimated = bool((np.isnan(known) & traded).any())
    indices = {}
    if COIN_BENCHMARK in cells.symbols:
        indices[COIN_BENCHMARK] = np.ascontiguousarray(close[:, cells.symbols.index(COIN_BENCHMARK)])
    return CoinArrays(fields=fields, indices=indices, tv_estimated=estimated, notes=tuple(notes))


def _filled(cells: Cells, expression: pl.Expr, columns: list[str]) -> FloatArray:
    return cells.fill(expression, columns, dtype=np.float64, empty=np.nan)
