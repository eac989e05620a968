"""Where a statement figure comes from: the quarters behind it, their reports, the days these became public."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from stocklab.factors.quarters import item_lines
from stocklab.market.fundamentals import PER_SHARE_ITEMS, SHARE_COUNT_ITEMS, Fundamentals
from stocklab.types import FloatArray

__all__ = ["Amount", "Origin", "Statement", "View", "amounts_of", "view_on"]

_EPOCH: Final = date(1970, 1, 1)


class Origin(StrEnum):
    """How the amount of a quarter follows from what was reported."""

    BALANCE = "balance"  # at the end of the quarter
    QUARTER = "quarter"  # three months as reported
    FIRST = "first"  # the first quarter of the fiscal year to date
    DIFFERENCE = "difference"  # year to date less that of the quarter before
    REMAINDER = "remainder"  # year to date less the quarters before
    YEAR = "year"  # twelve months, where no interim reports exist
    ABSENT = "absent"  # a report is missing, or does not have the item


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is visible of a company on a day: the newest quarter, since when, and the basis used for every quarter."""

    index: int
    newest_slot: int
    since: date
    consolidated: bool
    annual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One quarter.

    Attributes
    ----------
    value : as the engine uses it, on the share basis of the day; NaN = null
    origin : how it follows from the reports
    period_end, fiscal_quarter : None, 0 without a report
    filed_on : day the report behind it became public; None without one
    from_deadline : that day is the statutory deadline, not a receipt
    consolidated : basis of the report
    restated : the number is a later version's, shown from the first filing on (restated mode)
    reported : what the report says: the balance, the three months, or the year to date
    before : the year to date of the quarter before, where it is taken away; else NaN
    share_factor : by which share events since the quarter's end changed a count (or divide an amount per share)
    """

    value: float
    origin: Origin
    period_end: date | None
    fiscal_quarter: int
    filed_on: date | None
    from_deadline: bool
    consolidated: bool
    restated: bool
    reported: float
    before: float
    share_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A figure of the reports: its quarters, oldest first."""

    item: str
    function: str
    quarters: tuple[Amount, ...]


@dataclass(slots=True)
class _Known:
    """What a view knows of one quarter: values, and the reports they come from."""

    end: int
    fiscal: int
    report: int
    quarter: float = np.nan
    to_date: float = np.nan
    quarter_report: int = -1
    to_date_report: int = -1


def view_on(known: Fundamentals, row: int) -> View | None:
    """The view in force on a session; None before the first report. ``known`` holds one stock alone."""
    index = int(np.searchsorted(known.view_row, row, side="right")) - 1
    if index < 0:
        return None
    return View(
        index=index,
        newest_slot=int(known.view_slot[index]),
        since=_day(int(known.view_since[index])),
        consolidated=bool(known.view_consolidated[index]),
        annual=bool(known.view_annual[index]),
    )


def amounts_of(known: Fundamentals, view: View, function: str, item: str, back: int) -> Statement:
    """The quarters behind ``ttm``, ``qtr`` or ``mrq`` of an item, ``back`` quarters before the newest.

    Amounts are the engine's own (`item_lines`); what the reports say stands beside them. ``known`` holds one stock
    alone.
    """
    count = 1 if function != "ttm" or view.annual else 4
    shown = "mrq" if function == "mrq" else "ttm" if view.annual and function == "ttm" else "qtr"
    line = item_lines(known, shown, item, 0)[view.index]
    reader = _Reader(known, view, function, item)
    slots = [view.newest_slot - back - place for place in reversed(range(count))]
    return Statement(item=item, function=function, quarters=tuple(reader.amount(line, slot) for slot in slots))


class _Reader:
    """Reads the reports public on the day of a view, on its basis, for one item."""

    def __init__(self, known: Fundamentals, view: View, function: str, item: str) -> None:
        self.known, self.view, self.function, self.item = known, view, function, item
        self.seen: dict[int, _Known] = {}
        self.first = (known.balances if function == "mrq" else known.quarter_amounts).get(item)
        self.to_date = None if function == "mrq" else known.cumulative_amounts.get(item)
        for report in range(known.n_reports):
            if known.report_day[report] <= known.view_day[view.index]:
                self.read(report)

    def read(self, report: int) -> None:
        known, seen = self.known, self.seen
        if bool(known.consolidated[report]) is not self.view.consolidated:
            return
        slot, end = int(known.report_slot[report]), int(known.report_end[report])
        if slot not in seen or end > seen[slot].end:
            seen[slot] = _Known(end=end, fiscal=int(known.report_quarter[report]), report=report)
        here = seen[slot]
        if end < here.end:
            return  # another period in the same slot: the later one counts
        here.report = report
        if self.first is not None and not np.isnan(self.first[report]):
            here.quarter, here.quarter_report = float(self.first[report]), report
        if self.to_date is not None and not np.isnan(self.to_date[report]):
            here.to_date, here.to_date_report = float(self.to_date[report]), report

    def amount(self, line: FloatArray, slot: int) -> Amount:
        """One quarter: ``line`` ends with the newest quarter's value."""
        place = len(line) - 1 - (self.view.newest_slot - slot)
        value = float(line[place]) if 0 <= place < len(line) else np.nan
        here = self.seen.get(slot)
        origin, before = self.origin(here, self.seen.get(slot - 1), known=not np.isnan(value))
        direct = origin in (Origin.BALANCE, Origin.QUARTER)
        report, said = -1, np.nan
        if here is not None:
            report = here.quarter_report if direct else here.to_date_report
            said = here.quarter if direct else here.to_date
            if origin is Origin.ABSENT:
                report, said = here.report, np.nan
        known = self.known
        return Amount(
            value=value,
            origin=origin,
            period_end=None if here is None else _day(here.end),
            fiscal_quarter=0 if here is None else here.fiscal,
            filed_on=None if report < 0 else _day(int(known.report_day[report])),
            from_deadline=report >= 0 and bool(known.from_deadline[report]),
            consolidated=self.view.consolidated,
            restated=report >= 0 and bool(known.restated[report]),
            reported=said,
            before=before,
            share_factor=1.0 if here is None else self.share_factor(here.end),
        )

    def origin(self, here: _Known | None, previous: _Known | None, *, known: bool) -> tuple[Origin, float]:
        """How the engine formed the amount, and the year to date it took away."""
        if here is None or not known:
            return Origin.ABSENT, np.nan
        if self.function == "mrq":
            return Origin.BALANCE, np.nan
        if self.view.annual:
            return Origin.YEAR, np.nan
        if not np.isnan(here.quarter):
            return Origin.QUARTER, np.nan
        if here.fiscal <= 1:
            return Origin.FIRST, np.nan
        if previous is not None and not np.isnan(previous.to_date):
            return Origin.DIFFERENCE, previous.to_date
        return Origin.REMAINDER, np.nan

    def share_factor(self, end: int) -> float:
        if self.item not in SHARE_COUNT_ITEMS and self.item not in PER_SHARE_ITEMS:
            return 1.0
        days = self.known.event_day
        return float(np.prod(self.known.event_ratio[(days > end) & (days <= self.known.view_day[self.view.index])]))


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
