"""Sentences of explanations: every verdict has one in both languages, from its own facts alone."""

from __future__ import annotations

import re
from datetime import date

import pytest

from stocklab.backtest.codes import CAUSE_NAMES, REASON_NAMES
from stocklab.research.explain import Code, Verdict
from stocklab.research.explain.sentences import sentence
from stocklab.research.explain.verdicts import Fact
from stocklab.research.explain.words import CAUSES, REASONS

FACTS: dict[str, Fact] = {
    "shares": 10,
    "left": 3,
    "price_krw": 71_200,
    "limit_krw": 70_000,
    "money_krw": 4_750_000,
    "value_krw": 4_800_000,
    "band_krw": 50_000,
    "room_krw": 60_000,
    "cash_krw": 5_000,
    "cause": "exit_rule",
    "rule": "A",
    "reason": "halted",
    "lives_on": 1,
    "place": 12,
    "candidates": 45,
    "last_place": 11,
    "free": 2,
    "held": 20,
    "max_holdings": 20,
    "most": 3,
    "month": 5,
    "next": date(2024, 3, 29),
    "filter": "min_price_krw",
    "found": 850.0,
    "wanted": 1000,
    "unknown": 0,
    "logic": "A and B",
    "failing": ("B",),
    "keep": "top",
    "count": 10,
    "sold": date(2024, 3, 4),
    "wait": 5,
    "sessions_left": 2,
    "symbol": "005930",
    "sector": "반도체",
    "since": date(2024, 2, 29),
    "decided": date(2024, 3, 1),
    "min_holding": 10,
    "unit": "sessions",
    "exits": 2,
}
NOT_OF_RULES = {"unknown": ()}


@pytest.mark.parametrize("code", list(Code))
def test_every_verdict_is_a_sentence_in_both_languages(code: Code) -> None:
    facts = FACTS | (NOT_OF_RULES if code is Code.RULES_FAIL else {})
    korean, english = (sentence(Verdict(code=code, facts=facts), language) for language in ("ko", "en"))
    assert re.search(r"[가-힣]", korean)
    assert not re.search(r"[가-힣]", english.replace("반도체", ""))
    for said in (korean, english):
        assert said.endswith(".")
        assert "None" not in said
        assert "–" not in said, "a number is missing"


@pytest.mark.parametrize(
    ("code", "facts", "korean", "english"),
    [
        (
            Code.PLACES_TAKEN,
            {"place": 12, "candidates": 45, "free": 1, "last_place": 3},
            "후보 45개 중 12위이며, 빈자리 1개는 앞선 순위로 찼습니다, 마지막으로 매수한 종목은 3위.",
            "It ranked 12th of 45 candidates, and better ones took the 1 free place; the last that was bought ranked 3rd.",
        ),
        (
            Code.LESS_THAN_A_SHARE,
            {"money_krw": 250_000, "price_krw": 340_500},
            "한 종목에 배정된 금액 250,000원이 한 주 값 340,500원에 못 미칩니다.",
            "the money for one position, ₩250,000, pays less than one share (₩340,500).",
        ),
        (
            Code.BOUGHT,
            {"shares": 1, "price_krw": 71_200, "cause": "entry", "place": 2, "candidates": 21},
            "1주를 71,200원에 매수했습니다. 이유: 매수 조건(후보 21개 중 2위).",
            "Bought 1 share at ₩71,200. Reason: conditions to buy (2nd of 21 candidates).",
        ),
        (
            Code.RULES_FAIL,
            {"logic": "A and not B", "failing": ("A",), "unknown": ("B", "C")},
            "매수 조건 [A and not B]이 참이 아닙니다(충족하지 못한 조건 A, 값을 알 수 없는 조건 B, C).",
            "the conditions to buy [A and not B] are not true (A does not hold, B, C are unknown).",
        ),
    ],
)
def test_numbers_stand_where_they_belong(code: Code, facts: dict[str, Fact], korean: str, english: str) -> None:
    assert sentence(Verdict(code=code, facts=facts), "ko").endswith(korean)
    assert sentence(Verdict(code=code, facts=facts), "en").endswith(english)


def test_every_word_of_the_tables_has_a_name() -> None:
    assert set(CAUSE_NAMES) == set(CAUSES)
    assert set(REASON_NAMES) - {""} <= set(REASONS)
