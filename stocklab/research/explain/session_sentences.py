"""What happened in a session, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.research.explain.phrases import (
    Facts,
    Speaker,
    cause_of,
    count_of,
    not_chosen,
    nth,
    reason_of,
    shares_of,
    won,
)
from stocklab.research.explain.verdicts import Code
from stocklab.research.explain.words import Language

__all__ = ["IN_THE_SESSION"]


def _filled(ko: str, en: str) -> Speaker:
    def speak(facts: Facts, language: Language) -> tuple[str, str]:
        shares, price = shares_of(facts["shares"], language), won(facts["price_krw"], language)
        cause, place, of = cause_of(facts, language), facts.get("place"), facts.get("candidates")
        korean, english = not_chosen(facts)
        if isinstance(place, int):
            korean, english = (
                f"(후보 {count_of(of)}개 중 {count_of(place)}위)",
                f" ({nth(place)} of {count_of(of)} candidates)",
            )
        return (
            f"{shares}를 {price}에 {ko} 이유: {cause}{korean}.",
            f"{en} {shares} at {price}. Reason: {cause}{english}.",
        )

    return speak


def _filled_part(ko: str, en: str) -> Speaker:
    def speak(facts: Facts, language: Language) -> tuple[str, str]:
        whole = _filled(ko, en)(facts, language)
        left, reason = shares_of(facts["left"], language), reason_of(facts, language)
        later = _later(facts)
        return (
            f"{whole[0]} 나머지 {left}는 체결되지 않았습니다({reason}). {later[0]}".strip(),
            f"{whole[1]} The other {left} did not fill ({reason}). {later[1]}".strip(),
        )

    return speak


def _later(facts: Facts) -> tuple[str, str]:
    if facts.get("lives_on"):
        return "주문은 다음 거래일에도 유지됩니다.", "The order stays alive for the next session."
    return "", ""


def _unfilled(ko: str, en: str) -> Speaker:
    def speak(facts: Facts, language: Language) -> tuple[str, str]:
        left, reason, later = shares_of(facts["left"], language), reason_of(facts, language), _later(facts)
        limit = facts.get("limit_krw")
        at = f" ({'지정가' if language == 'ko' else 'limit'} {won(limit, language)})" if limit is not None else ""
        return (
            f"{ko} 주문 {left}{at}가 체결되지 않았습니다: {reason}. {later[0]}".strip(),
            f"The order to {en} {left}{at} did not fill: {reason}. {later[1]}".strip(),
        )

    return speak


def _ended(facts: Facts, language: Language) -> tuple[str, str]:
    reason = reason_of(facts, language)
    return f"주문이 취소되었습니다: {reason}.", f"The order was cancelled: {reason}."


def _delisted(facts: Facts, language: Language) -> tuple[str, str]:
    shares, price = shares_of(facts["shares"], language), won(facts["price_krw"], language)
    return (
        f"상장폐지로 {shares}의 보유가 주당 {price}에 종료되었습니다.",
        f"Delisted: the holding of {shares} ended at {price} a share.",
    )


IN_THE_SESSION: Final[Mapping[Code, Speaker]] = {
    Code.BOUGHT: _filled("매수했습니다.", "Bought"),
    Code.BOUGHT_PART: _filled_part("매수했습니다.", "Bought"),
    Code.NOT_BOUGHT: _unfilled("매수", "buy"),
    Code.SOLD: _filled("매도했습니다.", "Sold"),
    Code.SOLD_PART: _filled_part("매도했습니다.", "Sold"),
    Code.NOT_SOLD: _unfilled("매도", "sell"),
    Code.ENDED: _ended,
    Code.DELISTED: _delisted,
}
"""What happened to orders and holdings in a session."""
