"""Answers are the owner's own; presets are counted by people."""

from __future__ import annotations

import pytest

from stocklab.db import Database, OwnerRow, QuestionnaireRow
from stocklab.portfolios import Ideas
from stocklab.portfolios.onboarding import Onboarding
from stocklab.strategy import PRESETS
from stocklab.strategy.matching import Answers, Approach, Company, Horizon, Income, Risk, match_presets

ANSWERS = Answers(
    horizon=Horizon.LONG, approach=Approach.GROWTH, risk=Risk.MEDIUM, income=Income.GAIN, company=Company.GROWING
)


@pytest.fixture
def two(database: Database) -> Database:
    with database.write() as session:
        session.add_all([OwnerRow(id="ada", name="Ada"), OwnerRow(id="ben", name="Ben")])
    return database


def test_answers_are_kept_for_their_owner_alone_and_can_be_given_anew(two: Database) -> None:
    onboarding = Onboarding(two)
    onboarding.keep("ada", ANSWERS, match_presets(ANSWERS))
    assert (onboarding.answers("ada"), onboarding.answers("ben")) == (ANSWERS, None)
    other = Answers.from_dict({**ANSWERS.to_dict(), "risk": "low"})
    onboarding.keep("ada", other, match_presets(other))
    assert onboarding.answers("ada") == other
    with two.write() as session:
        session.get_one(QuestionnaireRow, "ada").answers = {"shoe_size": 43}
    assert onboarding.answers("ada") is None


def test_a_preset_counts_once_a_person_and_under_any_name(two: Database) -> None:
    ideas, strategy = Ideas(two), PRESETS["rsi_reversal"].strategy
    for owner in ("ada", "ada", "ben"):
        ideas.add(owner, [strategy, strategy.model_copy(update={"name": "mine"})])
    ideas.add("ben", [PRESETS["momentum_12_1"].strategy])
    assert Onboarding(two).popularity() == {"rsi_reversal": 2, "momentum_12_1": 1}
