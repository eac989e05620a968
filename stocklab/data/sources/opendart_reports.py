"""Periodic reports as OpenDART names them: codes, periods, keys of questions, amounts as text."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from stocklab.data.sources.opendart_known import Arrival, Company
from stocklab.data.statement_lines import QUARTER_OF_REPORT

__all__ = [
    "FIRST_YEAR",
    "REPORT_CODES",
    "ReportKey",
    "amount_of",
    "days_in",
    "december_reports",
    "month_end",
    "received_on",
    "report_of_title",
    "settled_reports",
]

FIRST_YEAR: Final = 2015  # business year from which the service has statements
REPORT_CODES: Final = {quarter: code for code, quarter in QUARTER_OF_REPORT.items()}
"""Fiscal quarter -> ``reprt_code``."""

# later than the law allows (90 and 60 days, docs/data.md), so that a settled report is asked for once
_ANNUAL_DAYS: Final = 95
_INTERIM_DAYS: Final = 65
_DAY: Final = re.compile(r"(\d{4})[.\-/]\s?(\d{1,2})[.\-/]\s?(\d{1,2})")
_TITLE: Final = re.compile(r"(사업|반기|분기)보고서\s*\((\d{4})\.(\d{2})\)")
_AMOUNT: Final = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportKey:
    """One report of one company as a key of a feed.

    Either a business year asked for when everybody's deadline has passed ("2024/11011/00126380"), or a receipt that
    the list of filings told of ("2024-12/11011/00126380/20250311001085": the period's month, then the receipt).
    """

    period: str
    report_code: str
    corp_code: str
    filing_no: str | None = None

    @classmethod
    def parse(cls, key: str) -> ReportKey:
        """The key of a text.

        >>> ReportKey.parse("2024-12/11011/00126380/20250311001085").period_end
        datetime.date(2024, 12, 31)
        """
        period, report_code, corp_code, *receipt = key.split("/")
        return cls(
            period=period, report_code=report_code, corp_code=corp_code, filing_no=receipt[0] if receipt else None
        )

    @classmethod
    def of_arrival(cls, arrival: Arrival) -> ReportKey:
        """The key that asks for a report that was received."""
        return cls(
            period=f"{arrival.period_end:%Y-%m}",
            report_code=arrival.report_code,
            corp_code=arrival.corp_code,
            filing_no=arrival.filing_no,
        )

    def __str__(self) -> str:
        parts = (self.period, self.report_code, self.corp_code, *([self.filing_no] if self.filing_no else []))
        return "/".join(parts)

    @property
    def quarter(self) -> int:
        """Fiscal quarter, 1..4."""
        return QUARTER_OF_REPORT[self.report_code]

    @property
    def period_end(self) -> date | None:
        """Last day of the period where the key knows it."""
        if self.filing_no is None:
            return None
        year, month = self.period.split("-")
        return month_end(int(year), int(month))

    def business_years(self) -> tuple[str, ...]:
        """Values of ``bsns_year`` to try: for a fiscal year across two calendar years it is not documented which."""
        end = self.period_end
        if end is None:
            return (self.period,)
        months = end.year * 12 + end.month - 1 + 3 * (4 - self.quarter)
        year, december = months // 12, months % 12 == 11
        return (str(year),) if december else (str(year - 1), str(year))


def month_end(year: int, month: int) -> date:
    """Last day of a month.

    >>> month_end(2024, 2)
    datetime.date(2024, 2, 29)
    """
    return date(year, month, calendar.monthrange(year, month)[1])


def settled_reports(company: Company, today: date, *, since: int) -> Iterator[tuple[int, str]]:
    """Business years and report codes whose deadline has passed for this company, the newest first.

    Fiscal years that do not end in December are taken to end in the year after the business year, the later reading;
    until then their reports are found by their arrival.
    """
    month = company.settle_month or 12
    for year in range(today.year, since - 1, -1):
        end_year = year if month == 12 else year + 1
        if company.delisted_on is not None and date(year, 1, 1) > company.delisted_on:
            continue
        if company.listed_on is not None and year < company.listed_on.year - 3:
            continue  # a prospectus goes back three years; nothing was filed before
        for quarter in (4, 3, 2, 1):
            if _closed(end_year, month, quarter) <= today:
                yield year, REPORT_CODES[quarter]


def december_reports(today: date, *, since: int) -> Iterator[tuple[int, str, bool]]:
    """(business year, report code, settled): those due for a December year, the newest first.

    ``settled``: due whatever month a fiscal year ends in.
    """
    for year in range(today.year, since - 1, -1):
        for quarter in (4, 3, 2, 1):
            if _closed(year, 12, quarter) <= today:
                yield year, REPORT_CODES[quarter], _closed(year + 1, 11, quarter) <= today


def _closed(end_year: int, end_month: int, quarter: int) -> date:
    months = end_year * 12 + end_month - 1 - 3 * (4 - quarter)
    end = month_end(months // 12, months % 12 + 1)
    return end + timedelta(days=_ANNUAL_DAYS if quarter == 4 else _INTERIM_DAYS)


def report_of_title(title: str, settle_month: int | None = None) -> tuple[str, date] | None:
    """Report code and last day of the period from a filing's title, None where it is no periodic report.

    A quarterly report does not say which quarter it is: that follows from the month in which the fiscal year ends,
    December if not known.

    >>> report_of_title("[기재정정]사업보고서 (2024.12)")
    ('11011', datetime.date(2024, 12, 31))
    >>> report_of_title("분기보고서 (2024.09)"), report_of_title("분기보고서 (2024.12)", 3)
    (('11014', datetime.date(2024, 9, 30)), ('11014', datetime.date(2024, 12, 31)))
    """
    found = _TITLE.search(title)
    if found is None or not 1 <= int(found[3]) <= 12:
        return None
    end = month_end(int(found[2]), int(found[3]))
    if found[1] == "사업":
        return "11011", end
    if found[1] == "반기":
        return "11012", end
    after = (end.month - (settle_month or 12)) % 12
    return ("11013" if after <= 6 else "11014"), end


def days_in(text: object) -> list[date]:
    """Days written in a text, in order; what is no day of the calendar is left out.

    >>> days_in("2018.01.01 ~ 2018.09.30"), days_in("2018.09.30 현재"), days_in(None)
    ([datetime.date(2018, 1, 1), datetime.date(2018, 9, 30)], [datetime.date(2018, 9, 30)], [])
    """
    found = []
    for year, month, day in _DAY.findall(str(text or "")):
        try:
            found.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found


def received_on(filing_no: object) -> date | None:
    """The day in a receipt number, None where it is none.

    >>> received_on("20250311001085")
    datetime.date(2025, 3, 11)
    """
    text = str(filing_no or "")
    if not re.fullmatch(r"\d{14}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def amount_of(value: Any) -> float | None:
    """A number as the service writes it, None for nothing ("-", empty).

    Raises
    ------
    ValueError
        It is neither; never taken for nothing.

    >>> amount_of("1,234"), amount_of("-5"), amount_of("-"), amount_of("")
    (1234.0, -5.0, None, None)
    """
    text = str(value if value is not None else "").strip()
    if text in {"", "-"}:
        return None
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no amount")
    return float(text.replace(",", ""))
