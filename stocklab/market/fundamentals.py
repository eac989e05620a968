"""`Fundamentals`: statement figures of every symbol in the order in which they became public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from stocklab.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["PER_SHARE_ITEMS", "SHARE_COUNT_ITEMS", "Fundamentals", "StatementMode", "slot_of"]

SHARE_COUNT_ITEMS: Final = frozenset({"shares_issued"})
"""Items that grow with a split: multiplied by every share event between quarter end and the day of the value."""
PER_SHARE_ITEMS: Final = frozenset({"dps", "eps_reported"})
"""Items that shrink with a split: divided by the same ratios."""


class StatementMode(StrEnum):
    """When a statement figure is visible (docs/factors.md, section 4.5)."""

    STRICT = "strict"  # from the receipt of the very version it comes from
    RESTATED = "restated"  # the latest version, from the day the report was first filed: hindsight, and labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Fundamentals:
    """Reports, share events and the views they make, each sorted by symbol, then day.

    A **report** is one version of one company's quarter on one basis. A **view** is a day on which something changed
    for a symbol: a report became public or a share event took effect; between two views nothing changes. Days are
    int32 since 1970-01-01. A quarter is a slot, the calendar quarter in which it ends (`slot_of`), so that two slots
    are four apart exactly when the fiscal quarters are.

    Attributes
    ----------
    mode : StatementMode
    items : names with at least one amount, sorted
    first_report : (n_symbols + 1,) int64
        Reports of symbol j are ``first_report[j]:first_report[j + 1]``; likewise ``first_event`` and ``first_view``.
    report_day, report_slot, report_end : (n_reports,) int32
        Day it became public, slot of the quarter, day the quarter ended.
    report_quarter : (n_reports,) int8, fiscal quarter 1..4
    consolidated, from_deadline, restated : (n_reports,) bool
        Basis; the day is a statutory deadline, not a receipt; numbers come from a later receipt (restated mode only).
    quarter_amounts, cumulative_amounts : flow item -> (n_reports,) float64
        Of the three months as reported, and of the fiscal year to date; NaN = not reported.
    balances : stock item -> (n_reports,) float64, at the end of the quarter; NaN = not reported
    event_day : (n_events,) int32; event_ratio : (n_events,) float64 new shares per old
    view_day : (n_views,) int32
    view_row : (n_views,) int32 first session on or after that day; n_sessions where none is
    view_slot : (n_views,) int32 newest quarter visible
    view_since : (n_views,) int32 day on which that quarter first became visible
    view_consolidated : (n_views,) bool basis of that quarter, used for every quarter of the view
    view_annual : (n_views,) bool the issuer files no interim reports (KONEX)
    width : quarters a line of a view must hold
    """

    mode: StatementMode
    items: tuple[str, ...]
    first_report: IntArray
    report_day: AnyArray
    report_slot: AnyArray
    report_end: AnyArray
    report_quarter: AnyArray
    consolidated: BoolArray
    from_deadline: BoolArray
    restated: BoolArray
    quarter_amounts: Mapping[str, FloatArray]
    cumulative_amounts: Mapping[str, FloatArray]
    balances: Mapping[str, FloatArray]
    first_event: IntArray
    event_day: AnyArray
    event_ratio: FloatArray
    first_view: IntArray
    view_day: AnyArray
    view_row: AnyArray
    view_slot: AnyArray
    view_since: AnyArray
    view_consolidated: BoolArray
    view_annual: BoolArray
    width: int

    @property
    def n_reports(self) -> int:
        """Number of report versions."""
        return len(self.report_day)

    @property
    def n_views(self) -> int:
        """Number of views."""
        return len(self.view_day)


def slot_of(period_end: AnyArray) -> AnyArray:
    """Calendar quarter of each day, counted from 1970: the place of a fiscal quarter on the quarter axis.

    >>> slot_of(np.array(["1970-03-31", "2024-12-31", "2025-02-28"], dtype="datetime64[D]"))
    array([  0, 219, 220], dtype=int32)
    """
    months = period_end.astype("datetime64[M]").astype(np.int64)
    slots: AnyArray = (months // 3).astype(np.int32)
    return slots
