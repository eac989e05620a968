"""Numbers, names and reasons as they stand in the sentences of verdicts, Korean and English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from stocklab.research.explain.verdicts import Code, Fact
from stocklab.research.explain.words import CAUSES, REASONS, Language, named

__all__ = [
    "Facts",
    "Speaker",
    "cause_of",
    "count_of",
    "day_of",
    "fixed",
    "not_chosen",
    "nth",
    "ranked_but",
    "reason_of",
    "shares_of",
    "unit_of",
    "won",
    "words_of",
]

Facts = Mapping[str, Fact]
Speaker = Callable[[Facts, Language], tuple[str, str]]
"""Says the facts of a verdict, Korean and English; the numbers in both are written as the language does."""

_WHY_NOT_CHOSEN: Final[Mapping[str, tuple[str, str]]] = {
    Code.OUTSIDE_UNIVERSE: ("대상 종목에서 벗어남", "it left the universe"),
    Code.RULES_FAIL: ("매수 조건이 참이 아님", "the conditions to buy do not hold"),
    Code.SCORE_UNKNOWN: ("점수를 알 수 없음", "its score is unknown"),
    Code.OUTSIDE_KEPT: ("선별 순위 밖", "outside of the places admitted"),
    Code.PLACES_TAKEN: ("더 나은 순위의 종목이 자리를 채움", "better ones took the places"),
    Code.NO_FREE_PLACE: ("자리가 없음", "no place was left"),
    Code.CLOSE_UNKNOWN: ("종가를 알 수 없음", "its close is unknown"),
    Code.WEIGHT_UNKNOWN: ("비중을 계산할 수 없음", "its weight is unknown"),
}


def fixed(korean: str, english: str) -> Speaker:
    """A speaker whose sentence needs no facts."""
    return lambda facts, language: (korean, english)


def won(value: Fact, language: Language) -> str:
    """An amount in won."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:,.0f}원" if language == "ko" else f"₩{value:,.0f}"


def count_of(value: Fact) -> str:
    """A number with commas, without a fraction."""
    return f"{value:,.0f}" if isinstance(value, int | float) else "–"


def shares_of(value: Fact, language: Language) -> str:
    """A number of shares."""
    if language == "ko":
        return f"{count_of(value)}주"
    return f"{count_of(value)} share" if value == 1 else f"{count_of(value)} shares"


def nth(value: Fact) -> str:
    """An English ordinal.

    >>> nth(2), nth(11), nth(1021)
    ('2nd', '11th', '1,021st')
    """
    if not isinstance(value, int):
        return "–"
    ending = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value:,}{ending}"


def words_of(value: Fact) -> str:
    """Names with commas between; "" for none."""
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def day_of(value: Fact) -> str:
    """A day as year-month-day."""
    return value.isoformat() if isinstance(value, date) else "–"


def cause_of(facts: Facts, language: Language) -> str:
    """What an order was for, with the letter of its rule."""
    cause = named(CAUSES, words_of(facts.get("cause")), language)
    rule = words_of(facts.get("rule"))
    return f"{cause} {rule}" if rule else cause


def reason_of(facts: Facts, language: Language) -> str:
    """Why an order did not fill, or something waits."""
    return named(REASONS, words_of(facts.get("reason")), language)


def unit_of(facts: Facts, language: Language) -> str:
    """What holding periods are counted in."""
    if facts.get("unit") == "calendar_days":
        return "일" if language == "ko" else "calendar days"
    return "거래일" if language == "ko" else "sessions"


def ranked_but(facts: Facts) -> tuple[str, str]:
    """Place among the candidates, as it stands before what follows; "" without one."""
    place, of = facts.get("place"), facts.get("candidates")
    if not isinstance(place, int):
        return "", ""
    return (
        f"후보 {count_of(of)}개 중 {count_of(place)}위였으나 ",
        f"it ranked {nth(place)} of {count_of(of)} candidates, but ",
    )


def not_chosen(facts: Facts) -> tuple[str, str]:
    """Why a rebalancing did not choose what it sold; "" where it says nothing of it."""
    why = _WHY_NOT_CHOSEN.get(words_of(facts.get("why")))
    return (f"({why[0]})", f" ({why[1]})") if why else ("", "")
