"""Issue flags of a panel: the exchange's department on each raw bar, and recorded periods where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.cells import Cells
from stocklab.data.field_place import FieldPlace
from stocklab.market.issue_flags import ISSUE_FLAGS, UNKNOWN_FLAG, flag_field
from stocklab.market.panel import MARKET_CODES
from stocklab.types import AnyArray

__all__ = ["save_issue_flags"]

DEPARTMENT_WORDS: Final[Mapping[str, str]] = {"administrative": "관리종목", "attention": "투자주의환기"}


def save_issue_flags(place: FieldPlace, market: AnyArray, raw: Cells | None) -> None:
    """Save a field of each flag of which anything is known: 1 = in force, 0 = not, 255 = unknown.

    A flag is in force where the department of the bar says so or a recorded period covers the session; it is not where
    the department says otherwise or the day is one for which the records of the issue's market are complete. A period
    without an end holds on.

    Parameters
    ----------
    market : (n_sessions, n_symbols) MARKET_CODES
    raw : raw bars on the panel's grid; None where there are none
    """
    snapshot = place.snapshot
    periods = snapshot.scan("flags").collect() if snapshot.has("flags") else None
    complete = snapshot.scan("flag_coverage").collect() if snapshot.has("flag_coverage") else None
    for flag in ISSUE_FLAGS:
        values = _by_department(raw, flag)
        mine = None if periods is None else periods.filter(pl.col("flag") == flag)
        covered = None if complete is None else complete.filter(pl.col("flag") == flag)
        if values is None:
            if (mine is None or mine.is_empty()) and (covered is None or covered.is_empty()):
                continue
            values = np.full(place.listed.shape, UNKNOWN_FLAG, dtype=np.uint8)
        if mine is not None:
            _mark_periods(place, flag, mine, values)
        if covered is not None:
            _mark_covered(place, covered, market, values)
        values[~place.listed] = UNKNOWN_FLAG
        if (values != UNKNOWN_FLAG).any():
            place.write(flag_field(flag), values)


def _by_department(raw: Cells | None, flag: str) -> AnyArray | None:
    if raw is None or flag not in DEPARTMENT_WORDS:
        return None
    said = pl.col("dept").str.contains(DEPARTMENT_WORDS[flag], literal=True).cast(pl.UInt8)
    return raw.fill(said, ["dept"], dtype=np.uint8, empty=UNKNOWN_FLAG)


def _mark_periods(place: FieldPlace, flag: str, periods: pl.DataFrame, values: AnyArray) -> None:
    """1 from the start to the day before the end; a department that says otherwise is counted in a note."""
    column_of = {symbol: column for column, symbol in enumerate(place.symbols)}
    denied = 0
    for symbol, start, end in periods.select("symbol", "start", "end").iter_rows():
        column = column_of.get(symbol)
        if column is None:
            continue
        first = int(np.searchsorted(place.sessions, np.datetime64(start, "D")))
        last = len(place.sessions) if end is None else int(np.searchsorted(place.sessions, np.datetime64(end, "D")))
        denied += int(np.count_nonzero(values[first:last, column] == 0))
        values[first:last, column] = 1
    if denied:
        place.notes.append(
            f"On {denied} days of issues a recorded period of the flag {flag} stands against the department on the "
            "bar, which names another or none; the flag counts."
        )


def _mark_covered(place: FieldPlace, covered: pl.DataFrame, market: AnyArray, values: AnyArray) -> None:
    """0 where nothing is known and the records of the market are complete."""
    for name, first_day, last_day in covered.select("market", "first", "last").iter_rows():
        first = int(np.searchsorted(place.sessions, np.datetime64(first_day, "D")))
        last = int(np.searchsorted(place.sessions, np.datetime64(last_day, "D"), side="right"))
        block = values[first:last]
        block[(market[first:last] == MARKET_CODES.get(name, UNKNOWN_FLAG)) & (block == UNKNOWN_FLAG)] = 0
