"""Dated lists of the demo market: members of indices and themes, flags of issues, and for which days they are all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Bars
from stocklab.data.demo.cast import SECTORS, Cast, Story, stream
from stocklab.data.demo.indices import largest_by_half
from stocklab.market.memberships import INDEX, THEME
from stocklab.market.panel import MARKET_CODES
from stocklab.types import AnyArray, BoolArray, DateArray

__all__ = ["coverage_frame", "flags_frame", "members_frame"]

SOURCE: Final = "demo data (synthetic)"
THEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "가상 인공지능": ("소프트웨어", "전기전자"),
    "가상 2차전지": ("전기전자", "화학"),
    "가상 신약": ("제약바이오",),
}
"""Theme -> sectors some of whose companies belong to it."""

_THEMES_SINCE: Final = 500  # sessions: before, nobody kept lists
_THEME_SHARE: Final = 0.4
_REVIEW: Final = 120  # sessions between lists of a theme
_WATCHED_SESSIONS: Final = 250
_WARNED_SESSIONS: Final = 10
_WARNINGS_SINCE: Final = 250
_STEEP: Final = 1.6  # close over that of five sessions before
_LONG_HALT: Final = 5


def members_frame(
    cast: Cast, bars: Bars, members: Mapping[str, BoolArray], sessions: DateArray, seed: int
) -> pl.DataFrame:
    """`members`: KOSPI200 and KOSDAQ150 whenever they change, themes by review.

    Parameters
    ----------
    members : index -> (n_sessions, n_symbols) who counts in it
    """
    kosdaq = members["KOSDAQ"] & cast.of_kind("common")
    lists = {
        "KOSPI200": members["KOSPI200"],
        "KOSDAQ150": kosdaq & largest_by_half(kosdaq, bars.close * bars.shares, sessions, 150),
    }
    parts = []
    for name, inside in lists.items():
        changed = np.flatnonzero((inside[1:] != inside[:-1]).any(axis=1)) + 1
        parts += [_list(cast.symbols[inside[row]], sessions[row], INDEX, name) for row in [0, *changed.tolist()]]
    rng = stream(seed, "themes")
    names = [name for name, _ in SECTORS]
    for theme, sectors in THEMES.items():
        eligible = np.isin(cast.sector, [names.index(sector) for sector in sectors])
        taste = rng.random(len(cast))
        for row in range(_THEMES_SINCE, len(sessions), _REVIEW):
            taste = np.where(rng.random(len(cast)) < 0.1, rng.random(len(cast)), taste)
            inside = eligible & (taste < _THEME_SHARE) & bars.listed[row]
            parts.append(_list(cast.symbols[inside], sessions[row], THEME, theme))
    frame = pl.concat(parts).with_columns(source=pl.lit(SOURCE))
    return frame.sort("kind", "name", "session", "symbol")


def _list(members: AnyArray, session: np.datetime64, kind: str, name: str) -> pl.DataFrame:
    symbols = members.tolist()
    return pl.DataFrame(
        {
            "session": pl.Series([session.item()] * len(symbols), dtype=pl.Date),
            "kind": pl.Series([kind] * len(symbols), dtype=pl.String),
            "name": pl.Series([name] * len(symbols), dtype=pl.String),
            "symbol": pl.Series(symbols, dtype=pl.String),
        }
    )


def flags_frame(cast: Cast, bars: Bars, sessions: DateArray) -> pl.DataFrame:
    """`flags`: KOSPI issues watched before they fail, steep rises warned of, long halts."""
    doomed = np.isin(cast.story, [Story.FAILED.value, Story.ERODED.value, Story.DISQUALIFIED.value])
    kospi = bars.market[-1] == MARKET_CODES["KOSPI"]
    rows: list[tuple[str, str, int, int | None]] = [
        (cast.symbols[index], "administrative", max(int(cast.gone_at[index]) - _WATCHED_SESSIONS, 0), None)
        for index in np.flatnonzero(doomed & kospi).tolist()
    ]
    for index in range(len(cast)):
        rows += [(cast.symbols[index], "warning", *period) for period in _warnings(bars, index, len(sessions))]
        rows += [(cast.symbols[index], "halted", *period) for period in _halts(bars, index, len(sessions))]
    day = [sessions[start].item() for _, _, start, _ in rows]
    released = [None if end is None else sessions[end].item() for _, _, _, end in rows]
    frame = pl.DataFrame(
        {
            "symbol": pl.Series([symbol for symbol, *_ in rows], dtype=pl.String),
            "flag": pl.Series([flag for _, flag, *_ in rows], dtype=pl.String),
            "start": pl.Series(day, dtype=pl.Date),
            "end": pl.Series(released, dtype=pl.Date),
        }
    )
    return frame.with_columns(source=pl.lit(SOURCE)).sort("symbol", "flag", "start")


def _warnings(bars: Bars, index: int, n_sessions: int) -> list[tuple[int, int | None]]:
    """From the session after a steep rise, for ten sessions; a new one only after the last has ended."""
    close, listed = bars.close[:, index].astype(np.float64), bars.listed[:, index]
    base = bars.base[:, index].astype(np.float64)
    growth = np.cumsum(np.log(np.where(listed & (base > 0), close / np.where(base > 0, base, 1.0), 1.0)))
    steep = np.zeros(n_sessions, dtype=np.bool_)
    steep[5:] = listed[5:] & listed[:-5] & (growth[5:] - growth[:-5] > np.log(_STEEP))
    found: list[tuple[int, int | None]] = []
    free = _WARNINGS_SINCE
    for row in np.flatnonzero(steep).tolist():
        if row + 1 >= free and row + 1 < n_sessions:
            end = row + 1 + _WARNED_SESSIONS
            found.append((row + 1, end if end < n_sessions else None))
            free = end
    return found


def _halts(bars: Bars, index: int, n_sessions: int) -> list[tuple[int, int | None]]:
    """Runs of at least five listed sessions without a trade."""
    still = np.concatenate([[False], bars.listed[:, index] & ~bars.traded[:, index], [False]])
    edges = np.flatnonzero(np.diff(still.astype(np.int8)))
    return [
        (start, end if end < n_sessions else None)
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        if end - start >= _LONG_HALT
    ]


def coverage_frame(sessions: DateArray) -> pl.DataFrame:
    """`flag_coverage`: warnings from the second year on; of KOSDAQ the department tells the first two flags."""
    last = sessions[-1].item()
    rows = [
        ("administrative", "KOSPI", sessions[0].item(), last, SOURCE),
        *(("halted", market, sessions[0].item(), last, SOURCE) for market in ("KOSDAQ", "KOSPI")),
        *(("warning", market, sessions[_WARNINGS_SINCE].item(), last, SOURCE) for market in ("KOSDAQ", "KOSPI")),
    ]
    return pl.DataFrame(rows, schema=["flag", "market", "first", "last", "source"], orient="row")
