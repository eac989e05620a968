"""Index levels chained from the demo stocks, so that listings, delistings and share counts never move them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from stocklab.data.demo.bars import Bars
from stocklab.data.demo.cast import Cast, stream
from stocklab.market.panel import MARKET_CODES
from stocklab.types import BoolArray, DateArray, FloatArray, IntArray

__all__ = ["IndexLevels", "index_levels", "index_members", "largest_by_half", "sector_growth"]

_START: Final = {"KOSPI": 2000.0, "KOSDAQ": 680.0, "KOSPI200": 250.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexLevels:
    """One index, arrays (n_sessions,): levels, shares traded, KRW traded."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: IntArray
    tv: IntArray


def index_members(cast: Cast, bars: Bars, sessions: DateArray) -> Mapping[str, BoolArray]:
    """Who counts in each index on each session, (n_sessions, n_symbols).

    KOSPI and KOSDAQ hold every share of their market but funds; an issue enters on its second session. KOSPI200 holds
    the 200 largest common shares, or three fifths of them where the market has fewer than 334, chosen at the last close
    before each January and July.
    """
    row = np.arange(len(sessions))[:, None]
    in_chain = bars.listed & (row != cast.listed_at) & ~cast.of_kind("etf")
    kospi = in_chain & (bars.market == MARKET_CODES["KOSPI"])
    members = {"KOSPI": kospi, "KOSDAQ": in_chain & (bars.market == MARKET_CODES["KOSDAQ"])}
    common = kospi & cast.of_kind("common")
    members["KOSPI200"] = kospi & largest_by_half(common, bars.close * bars.shares, sessions, 200)
    return members


def largest_by_half(eligible: BoolArray, value: IntArray, sessions: DateArray, most: int) -> BoolArray:
    """The ``most`` largest of the eligible, or three fifths of them, chosen at the last close before each half year.

    All arrays are (n_sessions, n_symbols).
    """
    large = np.zeros_like(eligible)
    halves = (sessions.astype("datetime64[M]").astype(np.int64)) // 6
    starts = [0, *(np.flatnonzero(np.diff(halves)) + 1).tolist(), len(sessions)]
    for start, end in pairwise(starts):
        judged = max(start - 1, 0)
        chosen = np.flatnonzero(eligible[judged])
        order = chosen[np.argsort(-value[judged, chosen], kind="stable")]
        large[start:end, order[: min(most, -(-3 * len(order) // 5))]] = True
    return large


def index_levels(members: Mapping[str, BoolArray], bars: Bars, seed: int) -> Mapping[str, IndexLevels]:
    """Levels of each index, rounded to two decimals as published."""
    return {name: _chain(inside, bars, _START[name], stream(seed, name)) for name, inside in members.items()}


def _chain(inside: BoolArray, bars: Bars, start: float, rng: np.random.Generator) -> IndexLevels:
    weight = np.where(inside, bars.shares, 0).astype(np.float64)
    base = (weight * bars.base).sum(axis=1)
    step = (weight * bars.close).sum(axis=1) / base
    close = start * np.cumprod(step)
    opens = close / step * ((weight * bars.open).sum(axis=1) / base)
    # highs of the members do not coincide: a little beyond open and close, by the usual range of an index
    reach = 0.0035 * np.abs(rng.standard_normal((2, len(step))))
    inside_market = inside & bars.traded
    return IndexLevels(
        open=np.round(opens, 2),
        high=np.round(np.maximum(opens, close) * (1 + reach[0]), 2),
        low=np.round(np.minimum(opens, close) * (1 - reach[1]), 2),
        close=np.round(close, 2),
        volume=np.where(inside_market, bars.volume, 0).sum(axis=1),
        tv=np.where(inside_market, bars.tv, 0).sum(axis=1),
    )


def sector_growth(sector: int, cast: Cast, members: Mapping[str, BoolArray], bars: Bars) -> FloatArray:
    """Cap-weighted daily log return of the index members of one sector, (n_sessions,); 0 where it has none."""
    inside = (members["KOSPI"] | members["KOSDAQ"]) & (cast.sector == sector)
    weight = np.where(inside, bars.shares, 0).astype(np.float64)
    base = (weight * bars.base).sum(axis=1)
    growth = np.zeros(len(base))
    np.divide((weight * bars.close).sum(axis=1), base, out=growth, where=base > 0)
    return np.log(np.where(base > 0, growth, 1.0))
