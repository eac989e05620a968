"""Statutory deadlines of periodic reports: the day a report counts as public when its receipt is not known.

Sources
-------
Annual report, 90 days after the fiscal year: Financial Investment Services and Capital Markets Act (in force since
    2009-02-04), article 159 paragraph 1.
Half-year and quarterly report, 45 days after the period: the same act, article 160.
60 days for an issuer that reports interim figures on a consolidated basis, in the first and second fiscal year it does
    so: article 160. Consolidated interim reports became a duty of every issuer with fiscal 2013, so that all may use
    60 days for periods up to the end of fiscal 2014 (docs/factors.md, section 4.5).
A period that ends on a Saturday or holiday ends with the next day: Civil Act, article 161. The business day used here
    is the next KRX session; the days on which only the exchange is closed move a deadline later, never earlier.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from stocklab.errors import InputError
from stocklab.market.calendar import is_session, next_session
from stocklab.market.dated import in_force

__all__ = ["filing_deadline"]

# first period end -> days after the period end
ANNUAL_DAYS: Final = ((date(2009, 2, 4), 90),)
INTERIM_DAYS: Final = ((date(2009, 2, 4), 60), (date(2015, 1, 1), 45))
FIRST_CONSOLIDATED_DAYS: Final = ((date(2009, 2, 4), 60),)


def filing_deadline(period_end: date, fiscal_quarter: int, first_consolidated: bool = False) -> date:
    """Last day on which the report of a period may be filed: a guess of its receipt, and to be flagged as one.

    Parameters
    ----------
    period_end : date
        Last day of the quarter or of the fiscal year.
    fiscal_quarter : int
        1..4; 4 = the annual report.
    first_consolidated : bool
        First or second fiscal year with consolidated interim reports, as after a listing.

    Raises
    ------
    InputError
        The quarter is not 1..4, or the day lies before the law or outside the exchange calendar.

    >>> filing_deadline(date(2024, 3, 31), 1), filing_deadline(date(2023, 12, 31), 4)
    (datetime.date(2024, 5, 16), datetime.date(2024, 4, 1))
    """
    if not 1 <= fiscal_quarter <= 4:
        raise InputError(f"Expected a fiscal quarter from 1 to 4, found {fiscal_quarter}.")
    rows = ANNUAL_DAYS if fiscal_quarter == 4 else FIRST_CONSOLIDATED_DAYS if first_consolidated else INTERIM_DAYS
    last = period_end + timedelta(days=in_force(rows, period_end, "filing deadline"))
    return last if is_session(last, expected=True) else next_session(last, expected=True)
