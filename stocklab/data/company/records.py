"""What was recorded of one symbol with a date: dividends, corporate actions, flags, and its delisting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from stocklab.data.snapshot import Snapshot

__all__ = ["FlagPeriod", "Records", "records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagPeriod:
    """A flag from its start to the day of release; ``end`` None: still in force."""

    flag: str
    start: date
    end: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Rows of the snapshot, newest first; a dataset that is not loaded is None, which is not the same as no row.

    ``dividends`` has record_date, ex_date, pay_date and krw_per_share; ``events`` session, kind and ratio (shares after
    for each share before).
    """

    dividends: pl.DataFrame | None
    events: pl.DataFrame | None
    flags: tuple[FlagPeriod, ...] | None


def records(snapshot: Snapshot, symbol: str) -> Records:
    """Everything recorded of a symbol."""
    dividends = _rows(snapshot, "dividends", symbol)
    events = _rows(snapshot, "events", symbol)
    flags = _rows(snapshot, "flags", symbol)
    return Records(
        dividends=None if dividends is None else dividends.sort("record_date", descending=True),
        events=None if events is None else events.sort("session", "kind", descending=[True, False]),
        flags=None
        if flags is None
        else tuple(
            FlagPeriod(flag=flag, start=start, end=end)
            for flag, start, end in flags.sort("start", descending=True).select("flag", "start", "end").iter_rows()
        ),
    )


def _rows(snapshot: Snapshot, dataset: str, symbol: str) -> pl.DataFrame | None:
    if not snapshot.has(dataset):
        return None
    return snapshot.scan(dataset).filter(pl.col("symbol") == symbol).collect()
