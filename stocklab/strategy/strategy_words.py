"""A whole strategy document as plain sentences, Korean or English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stocklab.strategy.document import (
    Costs,
    Execution,
    FillMode,
    MarketFilter,
    OwnFactor,
    Rebalancing,
    StatementMode,
    Strategy,
)
from stocklab.strategy.labels import Language, percent
from stocklab.strategy.notation import number_text
from stocklab.strategy.own_factors import statement_formulas
from stocklab.strategy.phrases import listed, named, pick
from stocklab.strategy.purchase_words import describe_entry, describe_ranking, describe_sizing
from stocklab.strategy.rule_words import describe_rule, describe_value
from stocklab.strategy.sale_words import describe_exits
from stocklab.strategy.universe_words import describe_universe

__all__ = ["describe_strategy"]

_FILLS: Final[Mapping[FillMode, tuple[str, str]]] = {
    FillMode.NEXT_OPEN: ("다음 거래일 시가에", "at the next open"),
    FillMode.NEXT_CLOSE: ("다음 거래일 종가에", "at the next close"),
    FillMode.LIMIT: ("다음 거래일 지정가로", "by limit order in the next session"),
    FillMode.VWAP_PROXY: ("다음 거래일 평균가로", "near the next session's average price"),
}


def describe_strategy(strategy: Strategy, language: Language) -> list[str]:
    """Sentences in reading order: universe, own factors, buying, ranking, sizing, execution, selling, rebalancing,
    market, costs, company reports.

    Parameters
    ----------
    strategy : a document; its formulas and logic lines must be valid (``parse_document`` makes sure)
    language : "ko" or "en"

    Returns
    -------
    Sentences, each with its full stop

    Raises
    ------
    FormulaError
        A formula or a logic line cannot be read.
    """
    own = strategy.factors
    lines = [describe_universe(strategy.universe, language)]
    lines += _own_factors(own, language)
    lines += describe_entry(strategy, language)
    lines += describe_ranking(strategy.ranking, language, own)
    lines.append(describe_sizing(strategy.sizing, language))
    lines.append(_execution(strategy.execution, language))
    lines += describe_exits(strategy.exit, language, own, by_signal=strategy.rebalancing.mode == "signal")
    lines.append(_rebalancing(strategy.rebalancing, language))
    lines += _market_filter(strategy.market_filter, language, own)
    lines.append(_costs(strategy.costs, language, coins=strategy.universe.of_coins))
    return lines + _statements(strategy, language)


def _own_factors(own: Sequence[OwnFactor], language: Language) -> list[str]:
    lines = []
    for factor in own:
        name = factor.name or factor.id
        meaning = describe_value(factor.formula, language, own)
        note = f" ({factor.note})" if factor.note else ""
        lines.append(pick(language, f"내 팩터 '{name}': {meaning}{note}.", f'Own factor "{name}": {meaning}{note}.'))
    return lines


def _execution(execution: Execution, language: Language) -> str:
    buy, sell = _FILLS[execution.buy][language == "en"], _FILLS[execution.sell][language == "en"]
    if language == "ko":
        text = f"주문: {buy} 사고 팔며" if buy == sell else f"주문: {buy} 사고 {sell} 팔며"
        text += f", 한 주문은 그날 거래량의 {percent(execution.participation)}까지만 체결된다."
    else:
        text = f"Orders: buy and sell {buy}" if buy == sell else f"Orders: buy {buy}, sell {sell}"
        text += f"; one order fills at most {percent(execution.participation)} of the session's volume."
    if FillMode.LIMIT in (execution.buy, execution.sell):
        offset = f"{'+' if execution.limit_offset >= 0 else '-'}{percent(abs(execution.limit_offset))}"
        previous = execution.limit_reference == "previous_close"
        reference = pick(language, "전일 종가" if previous else "당일 시가", "previous close" if previous else "open")
        text += pick(
            language,
            f" 매수 지정가는 {reference} {offset}, 매도 지정가는 그 반대쪽이다.",
            f" The buy limit is the {reference} {offset}, the sell limit mirrors it.",
        )
    if execution.carry_unfilled_sessions:
        days = execution.carry_unfilled_sessions
        text += pick(
            language, f" 미체결 잔량은 {days}거래일 더 낸다.", f" An unfilled rest lives {days} more sessions."
        )
    return text


def _rebalancing(rebalancing: Rebalancing, language: Language) -> str:
    if rebalancing.mode == "signal":
        return pick(
            language,
            "매매 시점: 매일 장 마감 후 신호를 보고 다음 거래일에 주문한다.",
            "Timing: signals are read after each close and traded in the next session.",
        )
    period = named(rebalancing.period, language)
    shift = ""
    if rebalancing.day_shift:
        days = rebalancing.day_shift
        shift = pick(language, f" 첫 거래일에서 {days}거래일 뒤에", f", {days} sessions after its first")
    band = ""
    if rebalancing.drift_band > 0:
        width = percent(rebalancing.drift_band)
        band = pick(
            language,
            f" 목표와의 차이가 {width}포인트 이내인 종목은 그대로 둔다.",
            f" Positions within {width.rstrip('%')} percentage points of their target are left alone.",
        )
    return pick(
        language,
        f"매매 시점: {period}{shift} 목표 비중으로 맞춘다.{band}",
        f"Timing: the book moves to target weights {period}{shift}.{band}",
    )


def _market_filter(market: MarketFilter | None, language: Language, own: Sequence[OwnFactor]) -> list[str]:
    if market is None:
        return []
    unsafe = pick(
        language,
        "모두 팔아 현금으로 둔다" if market.action == "sell_all" else "새로 사지 않는다",
        "everything is sold" if market.action == "sell_all" else "nothing new is bought",
    )
    conditions = []
    if market.formula is not None:
        index = named(market.index, language)
        sentence = describe_rule(market.formula, language, own)
        conditions.append(pick(language, f"{index} 지수에서 [{sentence}]", f"on {index}, [{sentence}]"))
    if len(market.months) < 12:
        months = listed([number_text(month) for month in sorted(market.months)], language)
        conditions.append(pick(language, f"{months}월", f"month {months}"))
    if not conditions:
        return []
    when = pick(language, ", 그리고 ", " and ").join(conditions)
    return [
        pick(
            language,
            f"시장 필터: {when}일 때만 투자하고, 아니면 {unsafe}.",
            f"Market filter: invested only while {when}; otherwise {unsafe}.",
        )
    ]


def _costs(costs: Costs, language: Language, *, coins: bool) -> str:
    commission, slippage = percent(costs.commission_rate), percent(costs.slippage_rate)
    if isinstance(costs.tax, float):
        tax = pick(language, f"거래세 {percent(costs.tax)}", f"tax {percent(costs.tax)} of sales")
    elif coins:
        tax = pick(language, "거래세 없음", "no tax")
    else:
        tax = pick(language, "거래세는 시장과 날짜에 따른 법정 세율", "the legal tax of each market and date")
    return pick(
        language,
        f"비용: 수수료 편도 {commission}, {tax}, 슬리피지 편도 {slippage}.",
        f"Costs: commission {commission} a side, {tax}, slippage {slippage} a side.",
    )


def _statements(strategy: Strategy, language: Language) -> list[str]:
    if strategy.statements is StatementMode.RESTATED:
        return [
            pick(
                language,
                "재무제표: 나중에 고쳐진 숫자를 처음 공시한 날부터 쓴다(사후 정보가 섞인다).",
                "Company reports: numbers as corrected later, from the first filing on; this is hindsight.",
            )
        ]
    if not statement_formulas(strategy):
        return []
    return [
        pick(
            language,
            "재무제표: 공시가 접수된 날부터, 그때 공시된 숫자 그대로 쓴다.",
            "Company reports: numbers as they were filed, from the day of their receipt.",
        )
    ]
