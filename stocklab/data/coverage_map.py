"""What a snapshot holds by year and dataset, which sessions are missing inside, and whose rows stand.

Counting reads each file once per process: files are known by their checksum, and a sync writes only the touched years
anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.datasets import BAR_DATASETS, DATASETS, PRICES_COIN, PRICES_RAW
from stocklab.data.sessions import known_sessions
from stocklab.data.snapshot import Snapshot
from stocklab.market.calendar import expected_until, first_day, sessions_between
from stocklab.types import DateArray

__all__ = [
    "DAILY",
    "REPORTS",
    "CoverageCell",
    "CoverageMap",
    "StandingSource",
    "ThinSession",
    "coverage_map",
    "standing_sources",
]

DAILY: Final = (
    *("prices_raw", "prices_adjusted", "prices_coin", "indices", "investor_flows", "foreign_holdings", "short_sales"),
    "rates",
)
"""Datasets with rows on every session."""
REPORTS: Final = ("statements", "share_structure", "dividends")
"""Datasets with rows when somebody reports: measured by stocks, not by sessions."""

_HOLED: Final = (*BAR_DATASETS, "indices")
_THIN: Final = 0.9  # of the symbols of the year's fullest session
_FILES_KEPT: Final = 600
_counted: OrderedDict[tuple[str, str], pl.DataFrame] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCell:
    """One dataset in one year.

    Attributes
    ----------
    share : float or None
        Daily datasets: sessions with rows of the sessions of the calendar that have ended, 0 to 1. Reports: stocks with
        rows, relative to the year with the most. None where the calendar does not know the year.
    days, expected : int
        Sessions with rows, and by the calendar; for reports stocks, and those of the fullest year.
    typical, least, most : int
        Symbols in the median, thinnest and fullest session; for reports all the stocks.
    thinnest : date or None
        The session with the fewest symbols.
    """

    dataset: str
    year: int
    share: float | None
    days: int
    expected: int
    typical: int
    least: int
    most: int
    thinnest: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinSession:
    """A session with fewer than nine tenths of the symbols of its year's fullest one."""

    dataset: str
    session: date
    symbols: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageMap:
    """Cells by (dataset, year); ``holes`` are sessions of the confirmed calendar inside the span of bars or indices
    that have no row; ``thin`` the newest first.
    """

    datasets: tuple[str, ...]
    years: tuple[int, ...]
    cells: Mapping[tuple[str, int], CoverageCell]
    holes: Mapping[str, tuple[date, ...]]
    thin: tuple[ThinSession, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingSource:
    """A source whose raw bars stand: how many sessions and rows, from when to when."""

    source: str
    sessions: int
    rows: int
    first: date
    last: date


def coverage_map(snapshot: Snapshot, until: date) -> CoverageMap:
    """Count a snapshot.

    Parameters
    ----------
    until : date
        The newest session that has ended: of its year no later ones are expected.
    """
    names = tuple(name for name in (*DAILY, *REPORTS) if snapshot.has(name))
    cells: dict[tuple[str, int], CoverageCell] = {}
    holes: dict[str, tuple[date, ...]] = {}
    thin: list[ThinSession] = []
    for name in names:
        if name in REPORTS:
            cells |= _report_cells(name, _stocks_by_year(snapshot, name))
            continue
        days = _days(snapshot, name)
        cells |= _daily_cells(name, days, until)
        if name in _HOLED:
            holes[name] = _holes(name, days["session"])
        if name in BAR_DATASETS and name != PRICES_COIN:  # there are few coins, and new ones every month
            thin += _thin(name, days)
    years = tuple(sorted({year for _, year in cells}))
    return CoverageMap(
        datasets=names,
        years=years,
        cells=MappingProxyType(cells),
        holes=MappingProxyType({name: days for name, days in holes.items() if days}),
        thin=tuple(sorted(thin, key=lambda one: (one.session, one.dataset), reverse=True)),
    )


def standing_sources(snapshot: Snapshot) -> tuple[StandingSource, ...]:
    """Whose raw bars stand, the one with the newest session first; empty without raw bars."""
    if not snapshot.has(PRICES_RAW):
        return ()
    found = (
        _by_day(snapshot, PRICES_RAW)
        .group_by("source")
        .agg(
            sessions=pl.col("session").n_unique(),
            rows=pl.col("symbols").sum(),
            first=pl.col("session").min(),
            last=pl.col("session").max(),
        )
        .sort(["last", "sessions", "source"], descending=[True, True, False])
    )
    return tuple(StandingSource(**row) for row in found.iter_rows(named=True))


def _daily_cells(name: str, days: pl.DataFrame, until: date) -> dict[tuple[str, int], CoverageCell]:
    cells = {}
    for (year,), part in days.group_by(pl.col("session").dt.year()):
        number = int(str(year))
        expected = _expected(name, number, until)
        sessions = part["session"].to_numpy()
        held = len(sessions) if expected is None else int(np.isin(sessions, expected).sum())
        least = part.sort(["symbols", "session"]).row(0, named=True)
        cells[name, number] = CoverageCell(
            dataset=name,
            year=number,
            share=None if expected is None or not len(expected) else held / len(expected),
            days=held,
            expected=0 if expected is None else len(expected),
            typical=int(np.median(part["symbols"].to_numpy())),
            least=int(least["symbols"]),
            most=int(part["symbols"].to_numpy().max()),
            thinnest=least["session"],
        )
    return cells


def _report_cells(name: str, stocks: Mapping[int, int]) -> dict[tuple[str, int], CoverageCell]:
    most = max(stocks.values(), default=0)
    return {
        (name, year): CoverageCell(
            dataset=name,
            year=year,
            share=count / most,
            days=count,
            expected=most,
            typical=count,
            least=count,
            most=count,
        )
        for year, count in stocks.items()
    }


def _expected(name: str, year: int, until: date) -> DateArray | None:
    """Sessions of a year that have ended; None where the calendar does not reach."""
    first, last = date(year, 1, 1), min(date(year, 12, 31), until)
    if name == PRICES_COIN:
        return np.arange(np.datetime64(first, "D"), np.datetime64(max(first, last), "D") + 1)
    first, last = max(first, first_day()), min(last, expected_until())
    return None if first > last else sessions_between(first, last, expected=True)


def _holes(name: str, sessions: pl.Series) -> tuple[date, ...]:
    held = sessions.to_numpy()
    first, last = held.min().astype(object), held.max().astype(object)
    if name == PRICES_COIN:
        wanted = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
    else:
        wanted = known_sessions(first, last)
    missing: list[date] = wanted[~np.isin(wanted, held)].astype("datetime64[D]").tolist()
    return tuple(reversed(missing))


def _thin(name: str, days: pl.DataFrame) -> list[ThinSession]:
    most = pl.col("symbols").max().over(pl.col("session").dt.year())
    found = days.with_columns(most=most).filter(pl.col("symbols") < _THIN * pl.col("most"))
    return [ThinSession(dataset=name, **row) for row in found.iter_rows(named=True)]


def _days(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """session, symbols; one row a session, ascending, of all sources."""
    return _by_day(snapshot, name).group_by("session").agg(pl.col("symbols").sum()).sort("session")


def _by_day(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """session, source, symbols: rows of each session and source; the key is unique, so that rows are symbols."""
    spec = DATASETS[name]
    parts = []
    for file in snapshot.manifest.datasets[name].files:
        key = (file.sha256, name)
        known = _kept(key)
        if known is None:
            source = pl.col("source").cast(pl.String) if "source" in spec.schema else pl.lit("").alias("source")
            known = (
                pl.scan_parquet(snapshot.path / file.path, glob=False)
                .select("session", source)
                .group_by("session", "source")
                .agg(symbols=pl.len().cast(pl.Int64))
                .collect()
            )
            _keep(key, known)
        parts.append(known)
    return pl.concat(parts)


def _stocks_by_year(snapshot: Snapshot, name: str) -> dict[int, int]:
    """Year of the dataset's own day -> stocks with a row."""
    column = str(DATASETS[name].session_column)
    key = (snapshot.manifest.datasets[name].checksum, name)
    known = _kept(key)
    if known is None:
        known = (
            snapshot.scan(name)
            .group_by(year=pl.col(column).dt.year())
            .agg(stocks=pl.col("symbol").n_unique())
            .sort("year")
            .collect()
        )
        _keep(key, known)
    return dict(known.select(pl.col("year").cast(pl.Int64), pl.col("stocks").cast(pl.Int64)).iter_rows())


def _kept(key: tuple[str, str]) -> pl.DataFrame | None:
    with _lock:
        found = _counted.get(key)
        if found is not None:
            _counted.move_to_end(key)
        return found


def _keep(key: tuple[str, str], frame: pl.DataFrame) -> None:
    with _lock:
        _counted[key] = frame
        while len(_counted) > _FILES_KEPT:
            _counted.popitem(last=False)
