"""Arrays of a panel that follow from others: who is listed, for how long, and the smallest exact dtype."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from stocklab.data.sessions import known_sessions
from stocklab.market.panel import Instruments
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray

__all__ = ["carry_codes", "compact", "last_true", "life", "list_age", "rows_between"]

FLOAT32_WHOLE: Final = 2**24  # whole numbers below are exact in float32


def compact(values: FloatArray) -> AnyArray:
    """Float32 where that is exact: whole numbers below 2^24."""
    small = np.nanmax(values, initial=0.0) < FLOAT32_WHOLE and np.nanmin(values, initial=0.0) > -FLOAT32_WHOLE
    if small and all(_whole(values[low : low + 256]) for low in range(0, len(values), 256)):
        return values.astype(np.float32)
    return values


def _whole(values: FloatArray) -> bool:
    return bool((np.isnan(values) | (np.floor(values) == values)).all())


def last_true(mask: BoolArray, sessions: DateArray) -> DateArray:
    last: DateArray = sessions[len(sessions) - 1 - np.argmax(mask[::-1], axis=0)].copy()
    last[~mask.any(axis=0)] = np.datetime64("NaT")
    return last


def life(here: BoolArray, sessions: DateArray, instruments: Instruments) -> tuple[AnyArray, AnyArray]:
    """First row and the row after the last of each symbol's time on the exchange, (n_symbols,) each.

    It begins at the listing, or at the first bar where that is earlier (the listing date is then that of a transfer)
    or the listing is unknown; it ends at the delisting where one is recorded, else after the last bar.
    """
    first_bar = np.argmax(here, axis=0)
    after_last = len(sessions) - np.argmax(here[::-1], axis=0)
    listing = np.searchsorted(sessions, instruments.listed_on)
    first = np.where(np.isnat(instruments.listed_on), first_bar, np.minimum(first_bar, listing))
    delisting = np.searchsorted(sessions, instruments.delisted_on)
    end = np.where(np.isnat(instruments.delisted_on), after_last, delisting)
    return first, np.maximum(end, first)


def rows_between(first: AnyArray, end: AnyArray, n_sessions: int) -> BoolArray:
    row = np.arange(n_sessions)[:, None]
    return np.asarray((row >= first) & (row < end), dtype=np.bool_)


def list_age(
    sessions: DateArray, first: AnyArray, here: BoolArray, instruments: Instruments, listed: BoolArray
) -> AnyArray:
    """Sessions since listing, 1 = the first; NaN where the listing is unknown and bars begin with the panel.

    Listings before the calendar's first session count from that session: the age is then at least what is said.
    """
    start_day, end_day = _as_date(sessions[0]), _as_date(sessions[-1])
    earliest = min((_as_date(day) for day in instruments.listed_on if not np.isnat(day)), default=start_day)
    calendar = np.union1d(known_sessions(min(earliest, start_day), end_day), sessions)
    position = np.searchsorted(calendar, sessions)
    first_bar = np.argmax(here, axis=0)
    by_listing = ~np.isnat(instruments.listed_on) & (instruments.listed_on <= sessions[first_bar])
    start = np.where(
        by_listing,
        np.searchsorted(calendar, np.where(by_listing, instruments.listed_on, sessions[0])),
        position[first_bar],
    )
    known = by_listing | (first_bar > 0)
    age = (position[:, None] - start[None, :] + 1).astype(np.float32)
    age[~listed | ~known[None, :]] = np.nan
    return age


def carry_codes(codes: AnyArray) -> None:
    """Carry markets forward, then the first one back: a code keeps its market until it is seen on another."""
    for row in range(1, len(codes)):
        np.copyto(codes[row], codes[row - 1], where=codes[row] == 0)
    for row in range(len(codes) - 2, -1, -1):
        np.copyto(codes[row], codes[row + 1], where=codes[row] == 0)


def _as_date(day: np.datetime64) -> date:
    value: date = day.astype("datetime64[D]").item()
    return value
