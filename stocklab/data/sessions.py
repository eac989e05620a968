"""The exchange calendar as the store uses it: days outside the confirmed table are taken as the data gives them."""

from __future__ import annotations

from datetime import date

import numpy as np

from stocklab.data.datasets import PRICES_COIN
from stocklab.market.calendar import are_sessions, confirmed_until, first_day, sessions_between
from stocklab.types import BoolArray, DateArray

__all__ = ["closed_days", "known_sessions"]


def closed_days(days: DateArray, dataset: str = "", opened: DateArray | None = None) -> BoolArray:
    """Whether the calendar says that the exchange was closed; False for days its table does not cover.

    Parameters
    ----------
    days : (n,) datetime64[D], no NaT
    dataset : whose rows they are; coins trade every day
    opened : (m,) datetime64[D], optional
        Days known to be sessions whatever the table says (`stocklab.data.observed`).

    Returns
    -------
    (n,) bool
    """
    covered = (days >= np.datetime64(first_day(), "D")) & (days <= np.datetime64(confirmed_until(), "D"))
    closed = np.zeros(days.shape, dtype=np.bool_)
    if dataset == PRICES_COIN:
        return closed
    closed[covered] = ~are_sessions(days[covered])
    return closed if opened is None else closed & ~np.isin(days, opened)


def known_sessions(start: date, end: date) -> DateArray:
    """Sessions of the part of [start, end] that the confirmed table covers, (n,) datetime64[D]; may be empty."""
    first, last = max(start, first_day()), min(end, confirmed_until())
    if first > last:
        return np.empty(0, dtype="datetime64[D]")
    return sessions_between(first, last)
