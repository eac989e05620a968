"""The deflated Sharpe ratio against the worked example of its paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kurtosis, skew

from stocklab.errors import InputError
from stocklab.research.deflated_sharpe import deflated_score, expected_best, moments, probability

# Bailey & Lopez de Prado (2014), "A numerical example": five years of daily returns, an annualised Sharpe ratio of 2.5
# over 250 days a year, skewness -3, kurtosis 10, 100 trials whose annualised Sharpe ratios have variance 1/2.
SHARPE, SESSIONS, VARIANCE = 2.5 / math.sqrt(250), 1250, 0.5 / 250


def deflated(
    *, trials: int, skewness: float = -3.0, kurtosis: float = 10.0, variance: float | None = VARIANCE
) -> float:
    score = deflated_score(
        SHARPE, sessions=SESSIONS, skewness=skewness, kurtosis=kurtosis, trials=trials, variance=variance
    )
    assert score is not None
    return probability(score)


def test_the_example_of_the_paper() -> None:
    assert expected_best(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    assert deflated(trials=100) == pytest.approx(0.9004, abs=5e-5)
    assert deflated(trials=46) == pytest.approx(0.9505, abs=5e-5)
    assert deflated(trials=88, skewness=0.0, kurtosis=3.0) == pytest.approx(0.9505, abs=5e-5)


def test_without_a_choice_it_is_the_probabilistic_sharpe_ratio() -> None:
    # By hand: SR 0.1, 101 returns, normal: 0.1 * 10 / sqrt(1 + 0.5 * 0.01) = 0.99751 standard errors above zero.
    score = deflated_score(0.1, sessions=101, skewness=0.0, kurtosis=3.0, trials=1)
    assert score == pytest.approx(0.9975093, abs=1e-7)


def test_trials_that_were_only_counted_vary_as_luck_does() -> None:
    # By hand: two trials: Z(1/2) = 0, Z(1 - 1/(2e)) = Z(0.8160603) = 0.9004457; times 0.5772157 / sqrt(1249).
    assert expected_best(2, 1 / 1249) == pytest.approx(0.5772157 * 0.9004 / math.sqrt(1249), rel=1e-3)
    assert deflated(trials=1, variance=None) > deflated(trials=2, variance=None) > deflated(trials=1000, variance=None)


def test_what_is_not_defined_is_none_and_nonsense_is_refused() -> None:
    assert deflated_score(0.1, sessions=2, skewness=0.0, kurtosis=3.0, trials=1) is None
    assert deflated_score(3.0, sessions=100, skewness=3.0, kurtosis=1.0, trials=1) is None  # a spread below zero
    assert moments(np.zeros(5)) is None
    with pytest.raises(InputError, match="at least one trial"):
        expected_best(0, 1.0)


def test_moments_are_those_of_scipy() -> None:
    returns = np.random.default_rng(7).standard_t(4, 500)
    found = moments(returns)
    assert found == pytest.approx((skew(returns), kurtosis(returns, fisher=False)))
