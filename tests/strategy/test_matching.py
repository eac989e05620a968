"""Suggestions for a new user: points counted by hand, the same every time, and every preset within reach."""

from __future__ import annotations

from itertools import product

import pytest

from stocklab.errors import InputError
from stocklab.strategy import PRESETS
from stocklab.strategy.matching import Answers, Approach, Company, Horizon, Income, Question, Risk, match_presets

ALL = [
    Answers(horizon=horizon, approach=approach, risk=risk, income=income, company=company)
    for horizon, approach, risk, income, company in product(Horizon, Approach, Risk, Income, Company)
]
CAREFUL = Answers(
    horizon=Horizon.LONG,
    approach=Approach.VALUE,
    risk=Risk.LOW,
    income=Income.DIVIDEND,
    company=Company.STEADY,
)
TRADER = Answers(
    horizon=Horizon.SHORT,
    approach=Approach.CONTRARIAN,
    risk=Risk.HIGH,
    income=Income.GAIN,
    company=Company.ANY,
)


def test_a_careful_investor_is_shown_dividends_first() -> None:
    first, second, _third = match_presets(CAREFUL)
    assert (first.preset_id, first.score, first.fits) == ("dividend_large_yield", 100, tuple(Question))
    # long, value, low and defensive fit; of a defensive strategy dividends are likely, not the aim: half of 10
    assert (second.preset_id, second.score) == ("graham_defensive", 20 + 30 + 25 + 5 + 15)
    assert second.points[Question.INCOME] == 5
    assert Question.INCOME not in second.fits


def test_a_short_term_contrarian_is_shown_reversals() -> None:
    found = match_presets(TRADER)
    assert {match.preset_id for match in found} == {"bollinger_reversion", "rsi_reversal", "short_term_reversal"}
    assert {match.score for match in found} == {100}


def test_one_step_off_costs_what_it_should() -> None:
    quality = Answers(
        horizon=Horizon.MEDIUM, approach=Approach.QUALITY, risk=Risk.LOW, income=Income.GAIN, company=Company.EXCELLENT
    )
    scores = {match.preset_id: match.score for match in match_presets(quality, most=len(PRESETS))}
    # quality_gross_profit is long and of medium risk: one step off in both
    assert scores["quality_gross_profit"] == 10 + 30 + 10 + 10 + 15
    # buffett is value and quality: half of its style, which is enough
    assert scores["buffett_buffettology"] == 10 + 30 + 10 + 10 + 15
    # momentum_12_1 has high risk, two steps off, and nothing of quality
    assert scores["momentum_12_1"] == 20 + 0 + 0 + 10 + 0


def test_every_preset_is_somebodys_suggestion_and_always_the_same_one() -> None:
    suggested = {match.preset_id for answers in ALL for match in match_presets(answers)}
    assert suggested == set(PRESETS)
    for answers in ALL[::37]:
        assert match_presets(answers) == match_presets(answers)
        scores = [match.score for match in match_presets(answers, most=len(PRESETS))]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 100 for score in scores)


def test_what_the_data_cannot_run_is_left_out() -> None:
    found = match_presets(CAREFUL, usable={"momentum_12_1", "rsi_reversal"})
    assert {match.preset_id for match in found} == {"momentum_12_1", "rsi_reversal"}


def test_answers_come_back_from_json_and_strange_ones_do_not() -> None:
    assert Answers.from_dict(CAREFUL.to_dict()) == CAREFUL
    with pytest.raises(InputError, match="Expected an answer"):
        Answers.from_dict({**CAREFUL.to_dict(), "risk": "none"})
    with pytest.raises(InputError, match="Expected an answer"):
        Answers.from_dict({})
