"""Which sessions a sync may ask for at a moment: the calendar where it is sure, weekdays where it is not."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

import numpy as np

from stocklab.data.sources.calls import KST
from stocklab.data.sources.feed import Window
from stocklab.market.calendar import confirmed_until, expected_until, first_day, sessions_between
from stocklab.types import DateArray

__all__ = ["AFTER_CLOSE", "window_at"]

AFTER_CLOSE: Final = time(17, 0)  # exam days close at 16:30
_SATURDAY: Final = 5


def window_at(now: datetime, history_from: date) -> Window:
    """The sessions from ``history_from`` that have ended by ``now``.

    Beyond what the exchange has confirmed, expected sessions count, and beyond the table every weekday: a source that
    has no rows for one of them shows that it was none.

    Parameters
    ----------
    now : timezone-aware
    history_from : date
        First day wanted; days before the calendar begins are left out.
    """
    here = now.astimezone(KST)
    last = here.date() if here.time() >= AFTER_CLOSE else here.date() - timedelta(days=1)
    first = max(history_from, first_day())
    if last < first:
        return Window(sessions=np.empty(0, dtype="datetime64[D]"), now=here)
    known_to = min(last, expected_until())
    parts = [sessions_between(first, known_to, expected=known_to > confirmed_until())] if first <= known_to else []
    if last > known_to:
        parts.append(_weekdays(max(first, known_to + timedelta(days=1)), last))
    return Window(sessions=np.concatenate(parts), now=here)


def _weekdays(first: date, last: date) -> DateArray:
    days = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
    return days[(days.astype(np.int64) + 3) % 7 < _SATURDAY]
