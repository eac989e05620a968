"""Cash dividends: when a share goes ex, when the money comes, what is withheld.

Sources
-------
Ex-date: one session before the record date, since a purchase settles two sessions later; where the record date is not a
    settlement day (31 December), before the last one up to it (docs/market-rules.md, section 9: the ex-date of record
    date 2021-12-31 was 2021-12-29).
Withholding: income tax of 14 % (Income Tax Act, article 129, in force since 2005) and a tenth of it as local tax.
Payment: within a month after the shareholders' meeting (Commercial Act, article 464-2), for a December year end about
    the middle of April; interim and quarterly dividends within a month of the board's decision, which most firms take
    some weeks after the record date. LIKELY: used only where the day is not published, and counted.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.market.dated import rows_in_force
from stocklab.types import DateArray, IntArray

__all__ = ["WITHHELD_PPB", "ex_date", "expected_payment", "withholding_table"]

WITHHELD_PPB: Final = ((date(2005, 1, 1), 154_000_000),)
"""Rows of (day of payment from, parts per billion of the dividend)."""

YEAR_END_DAYS: Final = 110
INTERIM_DAYS: Final = 50


def withholding_table(sessions: DateArray) -> IntArray:
    """Rate withheld from what is paid on each session, (n_sessions,) int64 parts per billion.

    Raises
    ------
    InputError
        A session is before the first row.
    """
    rates = np.array([rate for _, rate in WITHHELD_PPB], dtype=np.int64)
    found: IntArray = rates[rows_in_force(WITHHELD_PPB, sessions, "withholding rate")]
    return found


def ex_date(record_date: date, sessions: DateArray) -> date:
    """First session on which the share trades without the dividend.

    Parameters
    ----------
    record_date : date
    sessions : datetime64[D], ascending sessions of the exchange around it

    Raises
    ------
    InputError
        The sessions do not reach two sessions before the record date.

    >>> days = np.array(["2021-12-28", "2021-12-29", "2021-12-30", "2022-01-03"], dtype="datetime64[D]")
    >>> ex_date(date(2021, 12, 31), days)
    datetime.date(2021, 12, 29)
    """
    settled = int(np.searchsorted(sessions, np.datetime64(record_date, "D"), side="right")) - 1
    if settled < 1:
        raise InputError(f"The session before the record date {record_date} is not known.")
    found: date = sessions[settled - 1].astype("datetime64[D]").item()
    return found


def expected_payment(record_date: date, settle_month: int = 12) -> date:
    """About when a dividend without a published day of payment is paid.

    >>> expected_payment(date(2024, 12, 31)), expected_payment(date(2024, 3, 31))
    (datetime.date(2025, 4, 20), datetime.date(2024, 5, 20))
    """
    days = YEAR_END_DAYS if record_date.month == settle_month else INTERIM_DAYS
    return record_date + timedelta(days=days)
