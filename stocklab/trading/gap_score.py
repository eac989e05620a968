"""How far live trading strays from the backtest over a trial, as one number and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from stocklab.errors import InputError

__all__ = ["GapScore", "GapVerdict", "ScoredDay", "gap_score"]

_BASIS_POINTS = Decimal(10_000)


class GapVerdict(StrEnum):
    """Whether a strategy may be promoted as far as its gap is concerned."""

    PASSED = "passed"
    TOO_WIDE = "too_wide"
    TOO_FEW_DAYS = "too_few_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredDay:
    """The gap of a day and the equity of the strategy's sleeve at its start.

    Raises
    ------
    InputError
        There was no equity.
    """

    session: date
    gap_krw: Decimal
    equity_krw: Decimal

    def __post_init__(self) -> None:
        if self.equity_krw <= 0:
            raise InputError(f"{self.session}: expected an equity above 0, found {self.equity_krw}.")

    @property
    def bps(self) -> Decimal:
        """The gap in basis points of the equity."""
        return self.gap_krw / self.equity_krw * _BASIS_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class GapScore:
    """``mean_abs_bps`` (None without days) is what the verdict goes by. ``mean_bps`` shows whether the days err to one
    side; ``worst`` is the day with the widest gap."""

    days: int
    mean_abs_bps: Decimal | None
    mean_bps: Decimal | None
    worst: ScoredDay | None
    verdict: GapVerdict


def gap_score(days: Sequence[ScoredDay], most_bps: Decimal, least_days: int) -> GapScore:
    """Mean absolute gap of the days of a trial. Days that erred up and down do not make up for each other.

    Parameters
    ----------
    days : one for each session of the trial, also those without a trade
    most_bps : widest mean that passes
    least_days : fewer are no trial

    Raises
    ------
    InputError
        A session occurs twice, or a threshold is not positive.

    >>> days = [ScoredDay(session=date(2026, 1, day), gap_krw=Decimal(gap), equity_krw=Decimal(1_000_000))
    ...         for day, gap in ((5, 300), (6, -500), (7, 100))]
    >>> score = gap_score(days, most_bps=Decimal(5), least_days=3)
    >>> (int(score.mean_abs_bps), score.verdict.value)  # 3, 5 and 1 basis points
    (3, 'passed')
    """
    if most_bps <= 0 or least_days <= 0:
        raise InputError(f"Expected thresholds above 0, found {most_bps} bps and {least_days} days.")
    if len({day.session for day in days}) != len(days):
        raise InputError("Expected each session once.")
    if not days:
        return GapScore(days=0, mean_abs_bps=None, mean_bps=None, worst=None, verdict=GapVerdict.TOO_FEW_DAYS)
    gaps = [day.bps for day in days]
    mean_abs = sum((abs(gap) for gap in gaps), Decimal(0)) / len(gaps)
    verdict = GapVerdict.PASSED if mean_abs <= most_bps else GapVerdict.TOO_WIDE
    return GapScore(
        days=len(days),
        mean_abs_bps=mean_abs,
        mean_bps=sum(gaps, Decimal(0)) / len(gaps),
        worst=max(days, key=lambda day: (abs(day.bps), day.session)),
        verdict=verdict if len(days) >= least_days else GapVerdict.TOO_FEW_DAYS,
    )
