"""What the quality report says about single symbols: a score, and which of a run's stocks have findings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

__all__ = ["POINTS", "SymbolFindings", "dirty_inputs", "findings_by_symbol", "knows_symbols", "score_of"]

POINTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "jumps": 30,
        "unit_errors": 30,
        "volume_breaks": 20,
        "ends_early": 20,
        "gaps": 15,
        "cut_before_delisting": 15,
        "unbalanced": 15,
        "quarters_against_year": 10,
        "trades_after_delisting": 10,
        "stale": 10,
        "off_session": 5,
        "unnamed": 5,
        "deadline_dated": 5,
        "late_reports": 2,
    }
)
"""Points a symbol loses for a kind of finding, however many of them it has: more for what can move a result, less for
what is only noted (docs/data.md)."""

_OTHER_KIND: Final = 5
_LOOK_BACK: Final = timedelta(days=366)  # formulas of a run's first sessions read about a year before them

_Findings = Mapping[str, "SymbolFindings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolFindings:
    """A symbol: its score from 0 to 100, and its findings as (dataset, check) -> count."""

    symbol: str
    score: int
    findings: Mapping[tuple[str, str], int]

    @property
    def count(self) -> int:
        """Findings of all kinds."""
        return sum(self.findings.values())


def score_of(checks: Collection[str]) -> int:
    """100 less the points of each kind of finding, not below 0; a kind counts once.

    >>> score_of([]), score_of(["jumps", "gaps", "gaps"]), score_of(POINTS)
    (100, 55, 0)
    """
    return max(0, 100 - sum(POINTS.get(check, _OTHER_KIND) for check in set(checks)))


def knows_symbols(report: Mapping[str, Any]) -> bool:
    """Whether a report names every symbol with findings; those of earlier versions hold examples only."""
    return all("symbols" in one for one in report.get("checks", ()))


def findings_by_symbol(report: Mapping[str, Any]) -> tuple[SymbolFindings, ...]:
    """Every symbol with findings, the lowest score first, then the most findings, then by symbol.

    Parameters
    ----------
    report : as `stocklab.data.quality.assess` makes it
    """
    found: dict[str, dict[tuple[str, str], int]] = {}
    for one in report.get("checks", ()):
        for symbol, (count, _first, _last) in one.get("symbols", {}).items():
            found.setdefault(symbol, {})[one["dataset"], one["check"]] = count
    scored = (
        SymbolFindings(symbol=symbol, score=score_of([check for _, check in kinds]), findings=kinds)
        for symbol, kinds in found.items()
    )
    return tuple(sorted(scored, key=lambda one: (one.score, -one.count, one.symbol)))


def dirty_inputs(
    report: Mapping[str, Any], symbols: Collection[str], datasets: Collection[str], start: date, end: date
) -> tuple[SymbolFindings, ...]:
    """Findings of the symbols a run traded, in the datasets it read, that it may have seen; ordered as above.

    Left out are findings that speak only of days after ``end``, or only of days more than a year before ``start``.
    """
    wanted, read = set(symbols), set(datasets)
    kept = []
    for one in report.get("checks", ()):
        if one["dataset"] in read:
            mine = {
                symbol: row
                for symbol, row in one.get("symbols", {}).items()
                if symbol in wanted and _overlaps(row[1], row[2], start, end)
            }
            kept.append({**one, "symbols": mine})
    return findings_by_symbol({"checks": kept})


def _overlaps(first: str | None, last: str | None, start: date, end: date) -> bool:
    begins_late = first is not None and date.fromisoformat(first) > end
    ended_before = last is not None and date.fromisoformat(last) < start - _LOOK_BACK
    return not begins_late and not ended_before
