"""Which presets fit a person: five answers, a score from 0 to 100 for each preset, and what it is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from stocklab.errors import InputError
from stocklab.strategy.presets import PRESETS, Preset

__all__ = ["Answers", "Approach", "Company", "Horizon", "Income", "Match", "Question", "Risk", "match_presets"]


class Horizon(StrEnum):
    """How long the money may stay in a position."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class Approach(StrEnum):
    """How stocks are picked."""

    VALUE = "value"
    QUALITY = "quality"
    GROWTH = "growth"
    MOMENTUM = "momentum"
    CONTRARIAN = "contrarian"


class Risk(StrEnum):
    """How deep a fall can be borne."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Income(StrEnum):
    """Where the return is to come from."""

    DIVIDEND = "dividend"
    GAIN = "gain"


class Company(StrEnum):
    """The companies a person likes to own. ANY: the price counts, not the company."""

    STEADY = "steady"
    EXCELLENT = "excellent"
    CHEAP = "cheap"
    GROWING = "growing"
    SMALL = "small"
    ANY = "any"


class Question(StrEnum):
    """The five questions, which are the parts of a score."""

    HORIZON = "horizon"
    APPROACH = "approach"
    RISK = "risk"
    INCOME = "income"
    COMPANY = "company"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One answer to each question."""

    horizon: Horizon
    approach: Approach
    risk: Risk
    income: Income
    company: Company

    def to_dict(self) -> dict[str, str]:
        """JSON-ready form."""
        return {question.value: getattr(self, question.value).value for question in Question}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Answers:
        """Answers again.

        Raises
        ------
        InputError
            One is missing or none of the choices.
        """
        try:
            return cls(
                horizon=Horizon(found["horizon"]),
                approach=Approach(found["approach"]),
                risk=Risk(found["risk"]),
                income=Income(found["income"]),
                company=Company(found["company"]),
            )
        except (KeyError, ValueError) as error:
            raise InputError(f"Expected an answer to each of {', '.join(Question)}, found {dict(found)}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A preset and how well it fits: ``score`` from 0 to 100, which ``points`` add up to."""

    preset_id: str
    score: int
    points: Mapping[Question, int]

    @property
    def fits(self) -> tuple[Question, ...]:
        """Questions whose answer it fits fully."""
        return tuple(question for question in Question if self.points[question] == _MOST[question])


_MOST: Final[Mapping[Question, int]] = {
    Question.HORIZON: 20,
    Question.APPROACH: 30,
    Question.RISK: 25,
    Question.INCOME: 10,
    Question.COMPANY: 15,
}
_BY_STEPS: Final = {Question.HORIZON: (20, 10, 0), Question.RISK: (25, 10, 0)}
_APPROACHES: Final[Mapping[Approach, frozenset[str]]] = {
    Approach.VALUE: frozenset({"value", "deep value", "dividend"}),
    Approach.QUALITY: frozenset({"quality"}),
    Approach.GROWTH: frozenset({"growth", "innovation"}),
    Approach.MOMENTUM: frozenset({"momentum", "anchoring", "trend", "breakout", "market timing"}),
    Approach.CONTRARIAN: frozenset({"reversal", "behavioural", "deep value", "low volatility"}),
}
_COMPANIES: Final[Mapping[Company, frozenset[str]]] = {
    Company.STEADY: frozenset({"defensive", "low volatility", "dividend"}),
    Company.EXCELLENT: frozenset({"quality"}),
    Company.CHEAP: frozenset({"value", "deep value"}),
    Company.GROWING: frozenset({"growth", "innovation"}),
    Company.SMALL: frozenset({"small cap", "deep value", "volume"}),
    Company.ANY: frozenset({"trend", "momentum", "anchoring", "breakout", "reversal", "behavioural"}),
}
_HOW_MADE: Final = frozenset({"composite", "concentrated", "technical"})  # words for how, not for what is bought
_PAYS: Final = frozenset({"dividend"})
_MAY_PAY: Final = frozenset({"defensive", "low volatility", "value"})


def match_presets(
    answers: Answers, *, presets: Mapping[str, Preset] = PRESETS, usable: Collection[str] | None = None, most: int = 3
) -> tuple[Match, ...]:
    """The presets that fit best, the best first.

    Presets of the same score are ordered by a draw that hangs on the answers alone: the same answers give the same
    presets, and no preset is always last among its equals. ``usable`` leaves out the others (those the data lack).
    """
    found = [_match(answers, preset) for key, preset in presets.items() if usable is None or key in usable]
    return tuple(sorted(found, key=lambda match: (-match.score, _draw(answers, match.preset_id)))[:most])


def _match(answers: Answers, preset: Preset) -> Match:
    tags = preset.tags
    style = frozenset(tags.style) - _HOW_MADE
    points = {
        Question.HORIZON: _near(Question.HORIZON, list(Horizon), answers.horizon, tags.horizon),
        Question.APPROACH: _share(Question.APPROACH, _APPROACHES[answers.approach], style),
        Question.RISK: _near(Question.RISK, list(Risk), answers.risk, tags.risk),
        Question.INCOME: _income(answers.income, style),
        Question.COMPANY: _share(Question.COMPANY, _COMPANIES[answers.company], style),
    }
    return Match(preset_id=preset.id, score=sum(points.values()), points=points)


def _near(question: Question, steps: list[Horizon] | list[Risk], wanted: str, found: str | None) -> int:
    order = [str(step) for step in steps]
    if found not in order:
        return 0
    return _BY_STEPS[question][abs(order.index(wanted) - order.index(found))]


def _share(question: Question, wanted: frozenset[str], style: frozenset[str]) -> int:
    """All points where at least half of the words of a style are wanted, half of them for fewer."""
    common = wanted & style
    if not common:
        return 0
    return _MOST[question] if 2 * len(common) >= len(style) else _MOST[question] // 2


def _income(wanted: Income, style: frozenset[str]) -> int:
    most = _MOST[Question.INCOME]
    if wanted is Income.GAIN:
        return 0 if style & _PAYS else most
    if style & _PAYS:
        return most
    return most // 2 if style & _MAY_PAY else 0


def _draw(answers: Answers, preset_id: str) -> str:
    text = "|".join((*answers.to_dict().values(), preset_id))
    return hashlib.sha256(text.encode()).hexdigest()
