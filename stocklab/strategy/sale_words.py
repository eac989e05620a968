"""When a strategy sells, in words."""

from __future__ import annotations

from collections.abc import Sequence

from stocklab.strategy.document import ExitRules, HoldingUnit, OwnFactor, PriceTrigger
from stocklab.strategy.labels import Language, percent
from stocklab.strategy.logic import parse_logic
from stocklab.strategy.logic_words import describe_logic, describe_rules
from stocklab.strategy.phrases import pick

__all__ = ["describe_exits"]


def describe_exits(rules: ExitRules, language: Language, own: Sequence[OwnFactor], *, by_signal: bool) -> list[str]:
    """When a position is sold, and what holds a sale or a purchase back.

    Raises
    ------
    FormulaError
        A formula or the logic line cannot be read.
    """
    ways = _price_exits(rules, language) + _other_exits(rules, language)
    lines = describe_rules(rules.rules, language, own)
    if lines:
        tree = parse_logic(rules.logic, [rule.id for rule in rules.rules], "any")
        if rules.logic is not None:
            logic = describe_logic(tree, language)
            ways.append(pick(language, f"매도 조건 {logic}", f"the rules {logic}"))
        elif len(lines) == 1:
            ways.append(pick(language, "다음 매도 조건", "the rule below"))
        else:
            ways.append(pick(language, "다음 매도 조건 중 하나", "any of the rules below"))
    if not ways:
        if by_signal:
            return [pick(language, "매도: 정한 조건이 없어 끝까지 보유한다.", "To sell: no rule; held to the end.")]
        return [
            pick(
                language,
                "매도: 리밸런싱에서 목표에 없는 종목을 판다.",
                "To sell: what is no longer in the target is sold at rebalancing.",
            )
        ]
    head = pick(
        language, f"매도(먼저 오는 것): {', '.join(ways)}.", f"To sell, whichever comes first: {'; '.join(ways)}."
    )
    return [head, *lines, *_holding_back(rules, language)]


def _price_exits(rules: ExitRules, language: Language) -> list[str]:
    def way(trigger: PriceTrigger, korean: str, english: str) -> str:
        basis = {"intraday": ("장중", "in the session"), "close": ("종가", "at the close")}[trigger.basis]
        share = percent(trigger.level)
        return pick(language, f"{korean.format(share)}({basis[0]} 기준)", f"{english.format(share)} ({basis[1]})")

    ways = []
    if rules.target is not None:
        ways.append(way(rules.target, "매수가 대비 +{} 익절", "target {} above the purchase price"))
    if rules.stop is not None:
        ways.append(way(rules.stop, "매수가 대비 -{} 손절", "stop {} below the purchase price"))
    if rules.trailing is not None:
        ways.append(
            way(rules.trailing, "보유 중 고점 대비 -{} 추적손절", "trailing stop {} below the high since purchase")
        )
    return ways


def _other_exits(rules: ExitRules, language: Language) -> list[str]:
    ways = []
    if rules.max_holding is not None:
        ways.append(
            pick(
                language,
                f"보유 {_span(rules.max_holding, rules, language)} 경과",
                f"after {_span(rules.max_holding, rules, language)}",
            )
        )
    if rules.rank_below is not None:
        place = rules.rank_below
        ways.append(pick(language, f"순위가 {place}위 밖으로 밀림", f"rank falls below {place}"))
    if rules.when_entry_fails:
        ways.append(pick(language, "매수 조건이 더는 맞지 않음", "the entry rules no longer hold"))
    return ways


def _span(length: int, rules: ExitRules, language: Language) -> str:
    calendar = rules.holding_unit is HoldingUnit.CALENDAR_DAYS
    if language == "ko":
        return f"{length}{'일(달력)' if calendar else '거래일'}"
    return f"{length} {'calendar days' if calendar else 'sessions'}"


def _holding_back(rules: ExitRules, language: Language) -> list[str]:
    lines = []
    if rules.min_holding:
        span = _span(rules.min_holding, rules, language)
        stops = rules.min_holding_blocks_stops
        lines.append(
            pick(
                language,
                f"최소 {span}은 보유한다({'익절·손절도 미룬다' if stops else '익절·손절은 예외'}).",
                f"Held at least {span} ({'price exits wait too' if stops else 'price exits do not wait'}).",
            )
        )
    if rules.reentry_wait_sessions:
        days = rules.reentry_wait_sessions
        lines.append(
            pick(
                language,
                f"판 종목은 {days}거래일 동안 다시 사지 않는다.",
                f"No repurchase for {days} sessions after a sale.",
            )
        )
    return lines
