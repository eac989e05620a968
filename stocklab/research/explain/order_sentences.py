"""What a close ordered, and why it kept what it holds, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.research.explain.phrases import (
    Facts,
    Speaker,
    cause_of,
    count_of,
    day_of,
    fixed,
    not_chosen,
    nth,
    reason_of,
    shares_of,
    unit_of,
    won,
)
from stocklab.research.explain.verdicts import Code
from stocklab.research.explain.words import Language

__all__ = ["ORDERED_OR_KEPT"]


def _buy_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    shares, price = shares_of(facts["shares"], language), won(facts.get("price_krw"), language)
    place, of = facts.get("place"), facts.get("candidates")
    ranked = isinstance(place, int)
    return (
        f"다음 거래일에 {shares}를 매수하도록 주문했습니다(예상 가격 {price})."
        + (f" 후보 {count_of(of)}개 중 {count_of(place)}위입니다." if ranked else ""),
        f"Ordered for the next session: buy {shares} (expected price {price})."
        + (f" It ranked {nth(place)} of {count_of(of)} candidates." if ranked else ""),
    )


def _more_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    shares = shares_of(facts["shares"], language)
    return (
        f"목표 비중까지 {shares}를 더 매수하도록 주문했습니다.",
        f"Ordered for the next session: buy {shares} more, towards its target weight.",
    )


def _waiting(facts: Facts, language: Language) -> tuple[str, str]:
    reason, since = reason_of(facts, language), day_of(facts.get("since"))
    return (
        f"{since} 리밸런싱에서 골랐으나 아직 주문하지 못하고 기다립니다: {reason}.",
        f"Chosen by the rebalancing of {since}, it still waits to be ordered: {reason}.",
    )


def _sell_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    shares, cause = shares_of(facts["shares"], language), cause_of(facts, language)
    korean, english = not_chosen(facts)
    return (
        f"다음 거래일에 {shares}를 매도하도록 주문했습니다. 이유: {cause}{korean}.",
        f"Ordered for the next session: sell {shares}. Reason: {cause}{english}.",
    )


def _trim(facts: Facts, language: Language) -> tuple[str, str]:
    shares, value = shares_of(facts["shares"], language), won(facts["value_krw"], language)
    money = won(facts["money_krw"], language)
    return (
        f"목표 금액 {money}보다 많이 보유하여({value}) {shares}를 매도하도록 주문했습니다.",
        f"Ordered for the next session: sell {shares}, as it holds {value} and its target is {money}.",
    )


def _kept(facts: Facts, language: Language) -> tuple[str, str]:
    if facts.get("next") is not None:
        day = day_of(facts["next"])
        return (
            f"계속 보유: 매도 규칙에 해당하지 않았고, 리밸런싱은 {day} 종가에 결정합니다.",
            f"Kept: no rule to sell it holds, and the next rebalancing is decided at the close of {day}.",
        )
    if not facts.get("exits", 1):
        return "계속 보유: 매도 규칙이 없습니다.", "Kept: there is no rule to sell it."
    return "계속 보유: 어떤 매도 규칙에도 해당하지 않았습니다.", "Kept: no rule to sell it holds."


def _kept_in_band(facts: Facts, language: Language) -> tuple[str, str]:
    value, money, band = (won(facts[key], language) for key in ("value_krw", "money_krw", "band_krw"))
    return (
        f"계속 보유: 평가금액 {value}과 목표 {money}의 차이가 허용 범위 {band} 이내입니다.",
        f"Kept: its value {value} is within {band} of its target {money}.",
    )


def _kept_chosen(facts: Facts, language: Language) -> tuple[str, str]:
    value, money = won(facts["value_krw"], language), won(facts["money_krw"], language)
    return (
        f"계속 보유: 다시 선정되었고, 평가금액 {value}과 목표 {money}의 차이가 한 주에 못 미칩니다.",
        f"Kept: it was chosen again, and its value {value} is less than a share from its target {money}.",
    )


def _kept_min_holding(facts: Facts, language: Language) -> tuple[str, str]:
    cause, unit = cause_of(facts, language), unit_of(facts, language)
    held, least = facts.get("held"), facts.get("min_holding")
    korean = f"({count_of(held)}{unit} 보유, 최소 {count_of(least)}{unit})" if held is not None else ""
    english = f" ({count_of(held)} {unit} held, {count_of(least)} at least)" if held is not None else ""
    return (
        f"계속 보유: {cause}에 해당하나 최소 보유 기간이 지나지 않았습니다{korean}.",
        f"Kept: {cause} would sell it, but the minimum holding period is not over{english}.",
    )


def _kept_leaving(facts: Facts, language: Language) -> tuple[str, str]:
    cause = cause_of(facts, language)
    decided = f"{day_of(facts.get('decided'))}"
    return (
        f"매도 중: {decided}에 낸 매도 주문({cause})이 아직 살아 있습니다.",
        f"On its way out: the order to sell of {decided} ({cause}) is still alive.",
    )


def _kept_unlisted(facts: Facts, language: Language) -> tuple[str, str]:
    shares = shares_of(facts["shares"], language)
    return (
        f"계속 보유: 무상증자로 받은 {shares}가 아직 상장되지 않아 팔 수 없습니다.",
        f"Kept: {shares} of a bonus issue cannot be sold before they list.",
    )


ORDERED_OR_KEPT: Final[Mapping[Code, Speaker]] = {
    Code.BUY_ORDERED: _buy_ordered,
    Code.MORE_ORDERED: _more_ordered,
    Code.WAITING: _waiting,
    Code.SELL_ORDERED: _sell_ordered,
    Code.TRIM_ORDERED: _trim,
    Code.KEPT: _kept,
    Code.KEPT_CHOSEN: _kept_chosen,
    Code.KEPT_IN_BAND: _kept_in_band,
    Code.KEPT_MIN_HOLDING: _kept_min_holding,
    Code.KEPT_LEAVING: _kept_leaving,
    Code.KEPT_UNLISTED: _kept_unlisted,
    Code.KEPT_NOT_LISTED: fixed(
        "계속 보유: 상장되어 있지 않아 매도 주문을 낼 수 없습니다.",
        "Kept: it is not listed, so no order to sell can be sent.",
    ),
}
"""What the close decided on a stock it ordered, or holds."""
