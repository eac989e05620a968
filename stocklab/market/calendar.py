"""Sessions of the Korea Exchange from a dated table: no clock, nothing guessed.

The table is confirmed up to `confirmed_until`; what lies beyond is only expected and is given out when the caller asks
for it by ``expected=True``. Asking outside the table is an error, never a weekday rule.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

import numpy as np

from stocklab.errors import InputError
from stocklab.market.krx_holidays import (
    CONFIRMED_CLOSURES,
    CONFIRMED_UNTIL,
    EXAM_DAYS,
    EXPECTED_CLOSURES,
    FIRST_DAY,
    LAST_SATURDAY_SESSION,
    REGULAR_HOURS,
)
from stocklab.types import BoolArray, DateArray

__all__ = [
    "are_sessions",
    "confirmed_until",
    "expected_until",
    "first_day",
    "is_session",
    "next_session",
    "previous_session",
    "session_hours",
    "sessions_between",
]

_SATURDAY = 5
_HOUR = timedelta(hours=1)


def first_day() -> date:
    """First day the table knows; earlier questions are errors."""
    return FIRST_DAY


def confirmed_until() -> date:
    """Last day whose opening or closing is certain."""
    return CONFIRMED_UNTIL


def expected_until() -> date:
    """Last day the table has an expectation for (``expected=True``)."""
    return date(max(EXPECTED_CLOSURES), 12, 31)


def sessions_between(start: date, end: date, *, expected: bool = False) -> DateArray:
    """KRX sessions in [start, end], both included.

    Parameters
    ----------
    start, end : date
        Within `first_day` and `confirmed_until` (`expected_until` with ``expected``).
    expected : bool
        Also use the closures expected for years KRX has not confirmed yet.

    Returns
    -------
    (n_sessions,) datetime64[D], ascending; empty when no session lies between.

    Raises
    ------
    InputError
        start > end, or a bound is outside the table.

    Source: stocklab/market/krx_holidays.py.

    >>> sessions_between(date(2026, 6, 2), date(2026, 6, 4))
    array(['2026-06-02', '2026-06-04'], dtype='datetime64[D]')
    """
    _require(start, expected)
    _require(end, expected)
    if start > end:
        raise InputError(f"The start {start} is after the end {end}. Hint: exchange them.")
    table = _table()
    low = np.searchsorted(table, np.datetime64(start, "D"), side="left")
    high = np.searchsorted(table, np.datetime64(end, "D"), side="right")
    return table[low:high]


def are_sessions(days: DateArray, *, expected: bool = False) -> BoolArray:
    """Whether each day is a KRX session, shape of ``days``.

    Raises
    ------
    InputError
        A day is NaT or outside the table.

    >>> are_sessions(np.array(["2026-07-17", "2026-07-20"], dtype="datetime64[D]"))
    array([False,  True])
    """
    wanted = np.asarray(days, dtype="datetime64[D]")
    if wanted.size == 0:
        return np.zeros(wanted.shape, dtype=np.bool_)
    if np.isnat(wanted).any():
        raise InputError("A day is missing (NaT). Hint: drop missing days before asking the calendar.")
    _require(_as_date(wanted.min()), expected)
    _require(_as_date(wanted.max()), expected)
    table = _table()
    position = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    found: BoolArray = table[position] == wanted
    return found


def is_session(day: date, *, expected: bool = False) -> bool:
    """Whether KRX trades on ``day``.

    Raises
    ------
    InputError
        The day is outside the table.

    >>> is_session(date(2025, 12, 31))
    False
    """
    return len(sessions_between(day, day, expected=expected)) == 1


def previous_session(day: date, *, expected: bool = False) -> date:
    """Last session strictly before ``day``.

    Raises
    ------
    InputError
        The day or the session before it is outside the table.

    >>> previous_session(date(2026, 1, 2))
    datetime.date(2025, 12, 30)
    """
    _require(day, expected)
    position = int(np.searchsorted(_table(), np.datetime64(day, "D"), side="left")) - 1
    if position < 0:
        raise InputError(f"No session before {day} in the KRX calendar, which starts {FIRST_DAY}.")
    return _as_date(_table()[position])


def next_session(day: date, *, expected: bool = False) -> date:
    """First session strictly after ``day``.

    Raises
    ------
    InputError
        The day or the session after it is outside the table.

    >>> next_session(date(2026, 9, 23))
    datetime.date(2026, 9, 28)
    """
    _require(day, expected)
    position = int(np.searchsorted(_table(), np.datetime64(day, "D"), side="right"))
    if position == len(_table()):
        raise InputError(f"No session after {day} in the KRX calendar, which ends {expected_until()}.")
    found = _as_date(_table()[position])
    _require(found, expected)
    return found


def session_hours(day: date, *, expected: bool = False) -> tuple[time, time]:
    """Opening and close of the regular session, Korean time.

    The first session of a year opens an hour late; on the day of the college entrance exam opening and close both move
    by an hour.

    Raises
    ------
    InputError
        ``day`` is no session, or lies before the first row of the hours.

    >>> session_hours(date(2025, 11, 13))
    (datetime.time(10, 0), datetime.time(16, 30))
    """
    if not is_session(day, expected=expected):
        raise InputError(f"KRX is closed on {day}. Hint: `next_session` names the next trading day.")
    rows = [row for row in REGULAR_HOURS if row[0] <= day]
    if not rows:
        raise InputError(f"Session hours before {REGULAR_HOURS[0][0]} are not in the table; {day} was asked.")
    _, opens, closes = rows[-1]
    if day.strftime("%m-%d") == EXAM_DAYS.get(day.year):
        return _later(opens), _later(closes)
    if day.year > FIRST_DAY.year and previous_session(day, expected=expected).year < day.year:
        return _later(opens), closes
    return opens, closes


def _require(day: date, expected: bool) -> None:
    last = expected_until() if expected else CONFIRMED_UNTIL
    if not FIRST_DAY <= day <= last:
        certainty = "expected" if expected else "confirmed"
        hint = "later years follow when KRX announces them" if day > last else "ask from the first day on"
        raise InputError(f"The KRX calendar is {certainty} from {FIRST_DAY} to {last}; {day} was asked. Hint: {hint}.")


def _later(moment: time) -> time:
    return (datetime.combine(FIRST_DAY, moment) + _HOUR).time()


def _as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day.astype("datetime64[D]")))


@cache
def _table() -> DateArray:
    """Every session of the table, confirmed and expected, (n,) datetime64[D], read-only."""
    days = np.arange(np.datetime64(FIRST_DAY, "D"), np.datetime64(expected_until(), "D") + 1)
    weekday = (days.astype(np.int64) + 3) % 7  # day 0 of the epoch was a Thursday
    trades = weekday < _SATURDAY
    trades |= (weekday == _SATURDAY) & (days <= np.datetime64(LAST_SATURDAY_SESSION, "D"))
    closures = np.array(
        [
            f"{year}-{day}"
            for table in (CONFIRMED_CLOSURES, EXPECTED_CLOSURES)
            for year, closed in table.items()
            for day in closed.split()
        ],
        dtype="datetime64[D]",
    )
    sessions = days[trades & ~np.isin(days, closures)]
    sessions.flags.writeable = False
    return sessions
