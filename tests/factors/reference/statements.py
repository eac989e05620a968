"""Sections 2.3, 4.1, 4.2, 4.3 and 4.5: what a reader of one company's filings sees on one day, built from scratch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np

__all__ = ["Filings", "View"]

Array = np.ndarray[Any, np.dtype[np.float64]]
NULL = float("nan")
SHARE_COUNTS: Final = frozenset({"shares_issued"})
PER_SHARE: Final = frozenset({"dps", "eps_reported"})
# separate statements have no minority, so that owners have the whole
OWNERS: Final = {"net_income_parent": "net_income", "equity_parent": "total_equity"}
SHARE_EVENTS: Final = frozenset({"split", "consolidation", "bonus", "reduction"})


def quarter_number(day: date) -> int:
    """Calendar quarter in which a quarter ends: two fiscal quarters are 4 apart exactly when these are."""
    return day.year * 4 + (day.month - 1) // 3


@dataclass(frozen=True, slots=True)
class Filings:
    """Rows of the dataset "statements" and of the dataset "events", as they are."""

    statements: Sequence[dict[str, Any]]
    events: Sequence[dict[str, Any]]

    def of(self, symbol: str) -> Filings:
        return Filings(
            [row for row in self.statements if row["symbol"] == symbol],
            [row for row in self.events if row["symbol"] == symbol and row["kind"] in SHARE_EVENTS],
        )

    def view(self, day: date, annual: bool) -> View | None:
        """What these filings of one company show on a day; None before the first."""
        visible = [row for row in self.statements if row["filed_on"] <= day]
        if not visible:
            return None
        newest = max(quarter_number(row["period_end"]) for row in visible)
        of_newest = [row for row in visible if quarter_number(row["period_end"]) == newest]
        basis = "CFS" if any(row["statement_basis"] == "CFS" for row in of_newest) else "OFS"
        amounts: dict[tuple[int, str, int], float] = {}
        periods: dict[int, tuple[date, int]] = {}
        for row in sorted(visible, key=lambda row: row["filed_on"]):  # the latest version of a number wins
            if row["statement_basis"] == basis:
                quarter = quarter_number(row["period_end"])
                periods[quarter] = (row["period_end"], row["fiscal_quarter"])
                amounts[quarter, row["item"], row["months"]] = row["amount"]
        return View(
            oldest=min(quarter_number(row["period_end"]) for row in visible),
            newest=newest,
            since=min(row["filed_on"] for row in of_newest),
            separate=basis == "OFS",
            annual=annual,
            amounts=amounts,
            periods=periods,
            events=[(row["session"], row["ratio"]) for row in self.events if row["session"] <= day],
        )


@dataclass(frozen=True, slots=True)
class View:
    """Visible numbers of one basis: (quarter, item, months) -> amount; quarter -> (period end, fiscal quarter)."""

    oldest: int
    newest: int
    since: date
    separate: bool
    annual: bool
    amounts: dict[tuple[int, str, int], float]
    periods: dict[int, tuple[date, int]]
    events: Sequence[tuple[date, float]]
    memory: dict[str, Array] = field(default_factory=dict)  # values of Q expressions by their text

    @property
    def quarters(self) -> range:
        """The quarter axis of this view, oldest first."""
        return range(self.oldest, self.newest + 1)

    def amount(self, quarter: int, item: str, months: int) -> float:
        """As reported, on the share basis of the day."""
        found = self.amounts.get((quarter, item, months), NULL)
        if math.isnan(found) and self.separate and item in OWNERS:
            found = self.amounts.get((quarter, OWNERS[item], months), NULL)
        if self.events and (item in SHARE_COUNTS or item in PER_SHARE) and quarter in self.periods:
            ratio = math.prod(ratio for day, ratio in self.events if day > self.periods[quarter][0])
            found = found * ratio if item in SHARE_COUNTS else found / ratio
        return found

    def fiscal(self, quarter: int) -> int:
        """1..4, 0 = no report."""
        return self.periods[quarter][1] if quarter in self.periods else 0

    def discrete(self, quarter: int, item: str) -> float:
        """Three months as reported; else the year to date less what came before it in the fiscal year."""
        if self.annual:
            return NULL
        reported = self.amount(quarter, item, 3)
        place = self.fiscal(quarter)
        if not math.isnan(reported) or place < 2:
            return reported
        to_date = self.amount(quarter, item, 3 * place)
        earlier = [quarter - back for back in range(place - 1, 0, -1)]
        if [self.fiscal(each) for each in earlier] == list(range(1, place)):
            before = self.amount(quarter - 1, item, 3 * (place - 1))
            if math.isnan(before):
                before = sum(self.discrete(each, item) for each in earlier)
            return to_date - before
        if self.fiscal(quarter - 1) == place - 1:
            return to_date - self.amount(quarter - 1, item, 3 * (place - 1))
        return NULL

    def line(self, function: str, item: str) -> Array:
        """``qtr``, ``ttm`` or ``mrq`` of one item along the quarter axis."""
        key = f"{function}({item})"
        if key not in self.memory:
            self.memory[key] = np.array(self._line(function, item))
        return self.memory[key]

    def _line(self, function: str, item: str) -> list[float]:
        if function == "mrq":
            return [self.amount(quarter, item, 0) for quarter in self.quarters]
        if function == "qtr":
            return [self.discrete(quarter, item) for quarter in self.quarters]
        if self.annual:
            return [self.amount(each, item, 12) if self.fiscal(each) == 4 else NULL for each in self.quarters]
        quarters = self.line("qtr", item)
        return [float(quarters[t - 3 : t + 1].sum()) if t >= 3 else NULL for t in range(len(quarters))]


def qlag(q: Array, k: int) -> Array:
    return np.concatenate([np.full(min(k, len(q)), NULL), q[: max(len(q) - k, 0)]])


def qwindow(q: Array, n: int, deviation: bool) -> Array:
    out = np.full(len(q), NULL)
    for t in range(n - 1, len(q)):
        window = q[t - n + 1 : t + 1]
        if not np.isnan(window).any():
            away = np.zeros(n) if (window == window[0]).all() else window - window.mean()
            out[t] = (np.sqrt((away**2).sum() / (n - 1)) if n > 1 else NULL) if deviation else window.mean()
    return out


def qstreak(condition: Array) -> Array:
    out, run = np.full(len(condition), NULL), 0.0
    for t, value in enumerate(condition):
        run = run + 1 if not np.isnan(value) and value != 0 else 0.0
        out[t] = NULL if np.isnan(value) else run
    return out


QUARTERLY: Final[dict[str, Any]] = {
    "qlag": qlag,
    "qdelta": lambda q, k: q - qlag(q, k),
    "avg2": lambda q: (q + qlag(q, 4)) / 2,
    "qmean": lambda q, n: qwindow(q, n, False),
    "qstd": lambda q, n: qwindow(q, n, True),
    "qstreak": qstreak,
}
