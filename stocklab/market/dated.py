"""Rows of (effective date, value): the rule in force on a trade date, asked only from the first row on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import numpy as np

from stocklab.errors import InputError
from stocklab.types import DateArray, IntArray

__all__ = ["in_force", "rows_in_force"]

Value = TypeVar("Value")


def in_force(rows: Sequence[tuple[date, Value]], day: date, what: str) -> Value:
    """Value of the last row that is effective on ``day``.

    Raises
    ------
    InputError
        ``day`` is before the first row: no rule is known, and none is guessed.

    >>> in_force(((date(2020, 1, 1), "old"), (date(2021, 1, 1), "new")), date(2020, 12, 31), "rule")
    'old'
    """
    position = bisect_right([row[0] for row in rows], day) - 1
    if position < 0:
        raise InputError(f"No {what} is known for {day}. Expected a date from {rows[0][0]} on.")
    return rows[position][1]


def rows_in_force(rows: Sequence[tuple[date, Value]], sessions: DateArray, what: str) -> IntArray:
    """Index of the row in force on each session, (n_sessions,) int64.

    Raises
    ------
    InputError
        A session is before the first row.
    """
    starts = np.array([row[0] for row in rows], dtype="datetime64[D]")
    found = np.searchsorted(starts, sessions, side="right") - 1
    if len(found) and int(found.min()) < 0:
        raise InputError(f"No {what} is known for {sessions[0]}. Expected a date from {rows[0][0]} on.")
    return found.astype(np.int64)
