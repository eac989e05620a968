"""The deflated Sharpe ratio: how likely a Sharpe ratio is more than the best of as many lucky ones.

Source: D. H. Bailey and M. Lopez de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest
Overfitting and Non-Normality", Journal of Portfolio Management 40(5), 2014, equations 1 and 2.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.types import FloatArray

__all__ = ["deflated_score", "expected_best", "moments", "probability"]

_EULER: Final = 0.5772156649015329
_NORMAL: Final = NormalDist()


def expected_best(trials: int, variance: float) -> float:
    """Sharpe ratio to expect of the best of so many trials without any skill, per session.

    Parameters
    ----------
    trials : int
        Independent trials; 1 means that nothing was chosen, and gives 0.
    variance : float
        Of the trials' Sharpe ratios, per session.

    Raises
    ------
    InputError
        Fewer than one trial, or a negative variance.
    """
    if trials < 1 or variance < 0:
        raise InputError(f"Expected at least one trial and a variance of at least 0, found {trials} and {variance}.")
    if trials == 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - _EULER) * first + _EULER * second)


def deflated_score(
    sharpe: float, *, sessions: int, skewness: float, kurtosis: float, trials: int, variance: float | None = None
) -> float | None:
    """How many standard errors a Sharpe ratio lies above the best to expect of luck; None where it is not defined.

    `probability` of it is the deflated Sharpe ratio. The score orders like that, and does not run into 1.

    Parameters
    ----------
    sharpe : float
        Per session, not annualised.
    sessions : int
        Returns it was computed from.
    skewness, kurtosis : float
        Of these returns; a normal distribution has 0 and 3.
    variance : float, optional
        Of the Sharpe ratios of the trials. None where they were only counted: what trials without skill have by chance,
        1 / (sessions - 1).
    """
    if sessions < 3:
        return None
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if not spread > 0:
        return None
    best = expected_best(trials, 1 / (sessions - 1) if variance is None else variance)
    return (sharpe - best) * math.sqrt(sessions - 1) / math.sqrt(spread)


def probability(score: float) -> float:
    """The deflated Sharpe ratio of a score, from 0 to 1.

    >>> round(probability(1.959964), 4)
    0.975
    """
    return _NORMAL.cdf(score)


def moments(returns: FloatArray) -> tuple[float, float] | None:
    """Skewness and kurtosis (3 for a normal distribution) of returns; None where they do not vary.

    Parameters
    ----------
    returns : (n,)

    >>> moments(np.array([-1.0, 0.0, 1.0]))
    (0.0, 1.5)
    """
    if len(returns) < 2:
        return None
    apart = returns - returns.mean()
    variance = float(np.mean(apart**2))
    if not variance > 0:
        return None
    return float(np.mean(apart**3)) / variance**1.5, float(np.mean(apart**4)) / variance**2
