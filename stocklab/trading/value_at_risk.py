"""Value at risk and expected shortfall of today's holdings. Cash has no risk.

All figures are won, and losses are positive. With w the worth of the holdings today, r_s their returns in session s and
L_s = -w.r_s what the book of today would have lost in it (full revaluation: every session meets today's holdings):

- historical VaR at level a: the smallest loss that at least the share a of the sessions does not exceed, an order
  statistic (numpy's ``inverted_cdf``);
- historical CVaR: the mean of the worst (1 - a) n sessions, the session on the edge counting with the fraction that
  is left, so that it is never below the VaR and parts of it add up (Acerbi and Tasche 2002, "On the coherence of
  expected shortfall", doi:10.1016/S0378-4266(02)00283-2);
- parametric (normal) VaR: z(a) s, with s the deviation of L (ddof 1) and z the normal quantile; CVaR: s phi(z)/(1 - a).
  The mean is taken as 0: over one day it is small against its own error, and it must not hide risk;
- ten days: one day times the square root of 10. It supposes independent days of equal size, and is labelled so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from statistics import NormalDist
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.trading.live_worth import LiveWorth, Worth
from stocklab.trading.return_history import ReturnHistory
from stocklab.types import BoolArray, FloatArray

__all__ = [
    "BookRisk",
    "LevelRisk",
    "NotCovered",
    "RiskPart",
    "RiskRefusal",
    "RiskWindow",
    "historical_risk",
    "normal_risk",
    "value_at_risk",
]

TEN_DAYS: Final = math.sqrt(10.0)


class RiskRefusal(StrEnum):
    """Why there are no figures: nothing is held, or no holding has a history that is long enough."""

    NOTHING_HELD = "nothing_held"
    TOO_FEW_SESSIONS = "too_few_sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWindow:
    """How far back to look. ``least_sessions`` must be known of a holding, and of all that are covered together.

    Raises
    ------
    InputError
        A level is not within 0.5 and 1, or the least number of sessions does not hold one session beyond it.
    """

    levels: tuple[float, ...] = (0.95, 0.99)
    sessions: int = 500
    least_sessions: int = 250

    def __post_init__(self) -> None:
        if not self.levels or not all(0.5 <= level < 1.0 for level in self.levels):
            raise InputError(f"Expected levels from 0.5 to below 1, found {self.levels}. Hint: fractions, 0.95.")
        least = max(2, math.ceil(1.0 / (1.0 - max(self.levels)) - 1e-9))
        if not least <= self.least_sessions <= self.sessions:
            raise InputError(f"Expected {least} to {self.sessions} sessions at least, found {self.least_sessions}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPart:
    """What a holding adds. Over all holdings ``normal_var_krw`` adds up to the normal VaR (Euler: the VaR times the
    holding's share of the variance), ``historical_cvar_krw`` to the historical CVaR (its mean loss in the same worst
    sessions). A holding that hedges has negative parts."""

    symbol: str
    worth_krw: Decimal
    normal_var_krw: float
    historical_cvar_krw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRisk:
    """Figures of one day at one level, and its parts by holding."""

    level: float
    historical_var_krw: float
    historical_cvar_krw: float
    normal_var_krw: float
    normal_cvar_krw: float
    parts: tuple[RiskPart, ...]

    def ten_days(self) -> LevelRisk:
        """The same over ten days, by the square root of time."""
        return LevelRisk(
            level=self.level,
            historical_var_krw=self.historical_var_krw * TEN_DAYS,
            historical_cvar_krw=self.historical_cvar_krw * TEN_DAYS,
            normal_var_krw=self.normal_var_krw * TEN_DAYS,
            normal_cvar_krw=self.normal_cvar_krw * TEN_DAYS,
            parts=tuple(
                RiskPart(
                    symbol=part.symbol,
                    worth_krw=part.worth_krw,
                    normal_var_krw=part.normal_var_krw * TEN_DAYS,
                    historical_cvar_krw=part.historical_cvar_krw * TEN_DAYS,
                )
                for part in self.parts
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCovered:
    """A holding that is left out, its share of all holdings, and how many returns of the window are known."""

    symbol: str
    worth_krw: Decimal
    share: float
    known_sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRisk:
    """Risk of a book. ``levels`` is empty where ``refusal`` says why; ``n_sessions`` were used, the last on ``until``.

    What is not covered is in no figure: nothing is supposed of it.
    """

    equity_krw: Decimal
    levels: tuple[LevelRisk, ...]
    n_sessions: int
    until: np.datetime64 | None
    not_covered: tuple[NotCovered, ...] = ()
    refusal: RiskRefusal | None = None

    @property
    def not_covered_share(self) -> float:
        """Share of the worth of all holdings that the figures do not speak of."""
        return sum(left.share for left in self.not_covered)


def value_at_risk(book: LiveWorth, history: ReturnHistory, window: RiskWindow | None = None) -> BookRisk:
    """VaR and CVaR of a book over the last sessions of a history.

    A holding with fewer known returns in the window than ``least_sessions`` is left out and named. Of the rest the
    sessions count in which all are known; while these are fewer than ``least_sessions``, the holding with the fewest
    known returns (of these the one worth least) is left out too. Nothing unknown is filled with 0.

    >>> sessions = np.datetime64("2024-01-01") + np.arange(500)
    >>> history = ReturnHistory(sessions=sessions, symbols=("a",), returns=np.linspace(-0.0499, 0.0, 500)[:, None])
    >>> book = LiveWorth(holdings=(Worth(symbol="a", market="KOSPI", worth_krw=Decimal(1_000_000)),))
    >>> [round(risk.historical_var_krw) for risk in value_at_risk(book, history).levels]
    [47400, 49400]
    """
    window = window or RiskWindow()
    recent = history.last(window.sessions)
    returns = recent.of(holding.symbol for holding in book.holdings)
    worth = np.array([float(holding.worth_krw) for holding in book.holdings])
    covered = _covered(returns, worth, window.least_sessions)
    known = (~np.isnan(returns)).sum(axis=0)
    left = tuple(
        NotCovered(
            symbol=holding.symbol,
            worth_krw=holding.worth_krw,
            share=float(holding.worth_krw / book.holdings_krw),
            known_sessions=int(count),
        )
        for holding, count, used in zip(book.holdings, known, covered, strict=True)
        if not used
    )
    if not covered.any():
        refusal = RiskRefusal.TOO_FEW_SESSIONS if book.holdings else RiskRefusal.NOTHING_HELD
        return BookRisk(
            equity_krw=book.equity_krw, levels=(), n_sessions=0, until=None, not_covered=left, refusal=refusal
        )
    rows = ~np.isnan(returns[:, covered]).any(axis=1)
    losses = -returns[np.ix_(rows, covered)] * worth[covered]
    holdings = tuple(holding for holding, used in zip(book.holdings, covered, strict=True) if used)
    return BookRisk(
        equity_krw=book.equity_krw,
        levels=tuple(_at_level(level, losses, holdings) for level in window.levels),
        n_sessions=int(rows.sum()),
        until=recent.sessions[rows][-1],
        not_covered=left,
    )


def historical_risk(losses: FloatArray, level: float) -> tuple[float, float, FloatArray]:
    """VaR and CVaR of (n_sessions,) losses, and the weight of each session in the CVaR, which add up to 1.

    >>> var, cvar, weights = historical_risk(np.arange(1.0, 101.0), 0.95)
    >>> var, cvar  # 95 of 100 losses are at most 95; the five above are 98 on average
    (95.0, 98.0)
    """
    n = len(losses)
    order = np.argsort(losses, kind="stable")
    tail = n * (1.0 - level)
    ranks = np.arange(n - 1, -1, -1, dtype=np.float64)  # sessions that are worse
    weights = np.empty(n)
    weights[order] = np.clip(tail - ranks, 0.0, 1.0) / tail
    at = max(math.ceil(n * level - 1e-9), 1) - 1  # 100 x 0.95 is 95, whatever its last bit says
    return float(losses[order[at]]), float(weights @ losses), weights


def normal_risk(deviation: float, level: float) -> tuple[float, float]:
    """VaR and CVaR of a normal loss with mean 0.

    >>> tuple(round(figure, 4) for figure in normal_risk(1.0, 0.95))
    (1.6449, 2.0627)
    """
    z = NormalDist().inv_cdf(level)
    return z * deviation, NormalDist().pdf(z) / (1.0 - level) * deviation


def _at_level(level: float, losses: FloatArray, holdings: tuple[Worth, ...]) -> LevelRisk:
    total = losses.sum(axis=1)
    var, cvar, weights = historical_risk(total, level)
    centred = losses - losses.mean(axis=0)
    covariances = centred.T @ centred.sum(axis=1) / (len(total) - 1)
    deviation = math.sqrt(max(float(covariances.sum()), 0.0))
    normal_var, normal_cvar = normal_risk(deviation, level)
    shares = covariances / deviation**2 if deviation > 0 else np.zeros(len(holdings))
    tails = weights @ losses
    return LevelRisk(
        level=level,
        historical_var_krw=var,
        historical_cvar_krw=cvar,
        normal_var_krw=normal_var,
        normal_cvar_krw=normal_cvar,
        parts=tuple(
            RiskPart(
                symbol=holding.symbol,
                worth_krw=holding.worth_krw,
                normal_var_krw=normal_var * float(share),
                historical_cvar_krw=float(tail),
            )
            for holding, share, tail in zip(holdings, shares, tails, strict=True)
        ),
    )


def _covered(returns: FloatArray, worth: FloatArray, least: int) -> BoolArray:
    """Which holdings have enough returns, alone and together; see `value_at_risk`."""
    known = ~np.isnan(returns)
    counts = known.sum(axis=0)
    covered: BoolArray = counts >= least
    while covered.any() and int(known[:, covered].all(axis=1).sum()) < least:
        places = np.flatnonzero(covered)
        covered[places[np.lexsort((worth[places], counts[places]))[0]]] = False
    return covered
