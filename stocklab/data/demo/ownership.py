"""Free float and treasury shares of the demo issuers, as their reports state them; and the money-market rate."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.books import Books
from stocklab.data.demo.cast import Cast, stream
from stocklab.data.demo.filings import Filings
from stocklab.types import DateArray, FloatArray, IntArray

__all__ = ["rates_frame", "structure_frame"]

_LOWEST, _HIGHEST, _USUAL = 1.0, 4.0, 2.4  # percent a year
_DAILY_MOVE: Final = 0.012


def structure_frame(cast: Cast, books: Books, filings: Filings, shares: IntArray, seed: int) -> pl.DataFrame:
    """`share_structure`: counts of the common class at the quarter end, public with the report.

    ``shares`` are the outstanding ones at the quarter ends, (n_quarters, n_symbols). Large holders and treasury shares
    move slowly.
    """
    rng = stream(seed, "ownership")
    shape = books.equity.shape
    insiders = np.clip(rng.uniform(0.2, 0.65, size=shape[1]) + _wander(rng, shape, 0.008), 0.1, 0.8)
    owns = rng.random(shape[1]) < 0.55
    treasury = np.where(owns, np.clip(rng.uniform(0.0, 0.08, size=shape[1]) + _wander(rng, shape, 0.003), 0, 0.15), 0.0)
    held = (treasury * shares).astype(np.int64)
    free = ((1 - insiders) * (shares - held)).astype(np.int64)
    place = (filings.quarter, filings.symbol)
    frame = pl.DataFrame(
        {
            "symbol": pl.Series(cast.symbols).gather(filings.symbol),
            "as_of": books.ends[filings.quarter],
            "filed_on": filings.filed_on,
            "shares_float": free[place],
            "shares_treasury": held[place],
        }
    )
    return frame.sort("symbol", "as_of", "filed_on")


def _wander(rng: np.random.Generator, shape: tuple[int, ...], step: float) -> FloatArray:
    path: FloatArray = np.cumsum(step * rng.standard_normal(shape), axis=0)
    return path


def rates_frame(sessions: DateArray, seed: int) -> pl.DataFrame:
    """`rates`: a 91-day yield that wanders between 1 and 4 % a year, to a hundredth."""
    noise = _DAILY_MOVE * stream(seed, "rates").standard_normal(len(sessions))
    level, path = _USUAL, np.empty(len(sessions))
    for session, shock in enumerate(noise.tolist()):
        level = min(max(level + 0.0004 * (_USUAL - level) + shock, _LOWEST), _HIGHEST)
        path[session] = level
    return pl.DataFrame({"session": sessions, "name": "CD91", "percent": np.round(path, 2)})
