"""What a strategy buys, in which order and how much of it, in words."""

from __future__ import annotations

from collections.abc import Sequence

from stocklab.strategy.document import OwnFactor, Ranking, Sizing, SizingMethod, Strategy
from stocklab.strategy.labels import Language, money, percent
from stocklab.strategy.logic import parse_logic
from stocklab.strategy.logic_words import describe_logic, describe_rules
from stocklab.strategy.phrases import named, pick
from stocklab.strategy.rule_words import describe_value

__all__ = ["describe_entry", "describe_ranking", "describe_sizing"]


def describe_entry(strategy: Strategy, language: Language) -> list[str]:
    """Conditions to buy.

    Raises
    ------
    FormulaError
        A formula or the logic line cannot be read.
    """
    entry = strategy.entry
    if not entry.rules:
        return [pick(language, "매수 조건: 없음. 대상 종목 모두가 후보이다.", "To buy: no rules; the whole universe.")]
    tree = parse_logic(entry.logic, [rule.id for rule in entry.rules], "all")
    lines = describe_rules(entry.rules, language, strategy.factors)
    if len(lines) == 1 and entry.logic is None:
        how = pick(language, "매수 조건: 다음을 만족하면 후보가 된다.", "To buy: the following must hold.")
    elif entry.logic is None:
        how = pick(language, "매수 조건: 다음을 모두 만족하면 후보가 된다.", "To buy: all of the following must hold.")
    else:
        logic = describe_logic(tree, language)
        how = pick(language, f"매수 조건: {logic}.", f"To buy: {logic}.")
    return [how, *lines]


def describe_ranking(ranking: Ranking, language: Language, own: Sequence[OwnFactor]) -> list[str]:
    """In which order candidates are bought, and how many of them remain."""
    if not ranking.factors:
        return [pick(language, "매수 순서: 종목코드 순.", "Order of purchase: by symbol.")]
    weights = sum(factor.weight for factor in ranking.factors)
    parts = []
    for factor in ranking.factors:
        name = describe_value(factor.formula, language, own)
        best = pick(language, "높은" if factor.direction == "high" else "낮은", f"{factor.direction}est first")
        part = f"{name} {best} 순" if language == "ko" else f"{name}, {best}"
        details = []
        if len(ranking.factors) > 1:
            share = percent(round(factor.weight / weights, 4))
            how = named(factor.transform, language)
            details.append(pick(language, f"비중 {share}, {how} 기준", f"weight {share}, by {how}"))
        if factor.neutralize != "none":
            what = named(factor.neutralize, language)
            details.append(pick(language, f"{what} 중립", f"neutral to {what}"))
        if factor.winsorize:
            cut = percent(factor.winsorize)
            details.append(pick(language, f"양끝 {cut} 절단", f"clipped at {cut} each end"))
        parts.append(part + (f" ({', '.join(details)})" if details else ""))
    text = ", ".join(parts) if language == "ko" else "; ".join(parts)
    lines = [pick(language, f"매수 순서: {text}.", f"Order of purchase: {text}.")]
    if ranking.keep != "all":
        end = ("상위", "best") if ranking.keep == "top" else ("하위", "worst")
        count = ranking.count
        lines.append(
            pick(language, f"순위 {end[0]} {count}종목만 후보로 남긴다.", f"Only the {count} {end[1]} ranked remain.")
        )
    return lines


def describe_sizing(sizing: Sizing, language: Language) -> str:
    """How much of each is bought."""
    base = pick(
        language,
        "평가금액" if sizing.base == "equity" else "초기자금",
        "equity" if sizing.base == "equity" else "initial capital",
    )
    method = {
        SizingMethod.EQUAL: ("같은 금액씩", "equal amounts"),
        SizingMethod.MARKET_CAP: ("시가총액 비례로", "in proportion to market cap"),
        SizingMethod.SCORE: ("점수 비례로", "in proportion to the score"),
        SizingMethod.INVERSE_VOLATILITY: (
            f"{sizing.volatility_sessions}일 변동성에 반비례해",
            f"in inverse proportion to {sizing.volatility_sessions}-session volatility",
        ),
        SizingMethod.FIXED_WEIGHT: (f"{base}의 {percent(sizing.weight)}씩", f"{percent(sizing.weight)} of {base} each"),
        SizingMethod.FIXED_KRW: (f"{money(sizing.amount_krw, 'ko')}씩", f"{money(sizing.amount_krw, 'en')} each"),
    }[sizing.method][language == "en"]
    caps = _sizing_caps(sizing, base, language)
    tail = (pick(language, " 단, ", " Limits: ") + ", ".join(caps) + ".") if caps else ""
    if language == "ko":
        return f"비중: 최대 {sizing.max_holdings}종목을 {method} 산다.{tail}"
    return f"Size: up to {sizing.max_holdings} holdings, {method}.{tail}"


def _sizing_caps(sizing: Sizing, base: str, language: Language) -> list[str]:
    caps = []
    if sizing.max_weight < 1:
        share = percent(sizing.max_weight)
        caps.append(pick(language, f"한 종목은 {base}의 {share}까지", f"{share} of {base} in one stock"))
    if sizing.max_sector_weight < 1:
        share = percent(sizing.max_sector_weight)
        caps.append(pick(language, f"한 업종은 {base}의 {share}까지", f"{share} of {base} in one sector"))
    if sizing.max_position_krw is not None:
        amount = money(sizing.max_position_krw, language)
        caps.append(pick(language, f"한 종목은 {amount}까지", f"{amount} in one stock"))
    if sizing.max_new_per_session is not None:
        count = sizing.max_new_per_session
        caps.append(pick(language, f"하루 신규 매수는 {count}종목까지", f"{count} new stocks a session"))
    if sizing.cash_buffer > 0:
        share = percent(sizing.cash_buffer)
        caps.append(pick(language, f"평가금액의 {share}는 현금으로 남긴다", f"{share} of equity stays in cash"))
    return caps
