"""A whole strategy document as plain sentences, Korean or English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stocklab.strategy.document import (
    Costs,
    Execution,
    ExitRules,
    FillMode,
    HoldingUnit,
    MarketFilter,
    OwnFactor,
    PriceTrigger,
    Ranking,
    Rebalancing,
    Rule,
    Sizing,
    SizingMethod,
    StatementMode,
    Strategy,
    TopBy,
    Universe,
)
from stocklab.strategy.korean import with_particle
from stocklab.strategy.labels import Language, money, percent
from stocklab.strategy.logic import And, Letter, LogicTree, Node, Not, Or, parse_logic
from stocklab.strategy.notation import number_text
from stocklab.strategy.own_factors import statement_formulas
from stocklab.strategy.rule_words import describe_rule, describe_value

__all__ = ["describe_logic", "describe_strategy"]

_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "KOSPI": ("코스피", "KOSPI"),
    "KOSDAQ": ("코스닥", "KOSDAQ"),
    "KONEX": ("코넥스", "KONEX"),
    "UPBIT": ("업비트", "Upbit"),
    "KRW-BTC": ("비트코인", "bitcoin"),
    "KOSPI200": ("코스피200", "KOSPI 200"),
    "KOSDAQ150": ("코스닥150", "KOSDAQ 150"),
    "preferred": ("우선주", "preferred shares"),
    "spac": ("스팩", "SPACs"),
    "reit": ("리츠", "REITs"),
    "etf": ("ETF", "ETFs"),
    "foreign": ("외국기업", "foreign companies"),
    "administrative": ("관리종목", "administrative issues"),
    "attention": ("투자주의 환기종목", "attention issues"),
    "caution": ("투자주의종목", "caution issues"),
    "warning": ("투자경고종목", "warning issues"),
    "risk": ("투자위험종목", "risk issues"),
    "overheated": ("단기과열종목", "overheated issues"),
    "unfaithful": ("불성실공시법인", "unfaithful disclosers"),
    "clearance": ("정리매매 종목", "clearance sales"),
    "halted": ("거래정지 종목", "halted stocks"),
    "financial": ("금융업", "financials"),
    "market_cap": ("시가총액", "market cap"),
    "trading_value": ("20일 평균 거래대금", "20-session mean traded value"),
    "daily": ("매일", "every session"),
    "weekly": ("매주", "every week"),
    "monthly": ("매월", "every month"),
    "quarterly": ("매분기", "every quarter"),
    "yearly": ("매년", "every year"),
    "sector": ("업종", "sector"),
    "sector_size": ("업종과 시가총액", "sector and market cap"),
    "rank": ("순위", "rank"),
    "zscore": ("표준점수", "z-score"),
    "value": ("값", "value"),
}
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
    lines = [_universe(strategy.universe, language)]
    lines += _own_factors(own, language)
    lines += _entry(strategy, language)
    lines += _ranking(strategy.ranking, language, own)
    lines.append(_sizing(strategy.sizing, language))
    lines.append(_execution(strategy.execution, language))
    lines += _exits(strategy.exit, language, own, by_signal=strategy.rebalancing.mode == "signal")
    lines.append(_rebalancing(strategy.rebalancing, language))
    lines += _market_filter(strategy.market_filter, language, own)
    lines.append(_costs(strategy.costs, language, coins=strategy.universe.of_coins))
    return lines + _statements(strategy, language)


def describe_logic(tree: LogicTree, language: Language) -> str:
    """The logic line in words; both forms are read back by ``parse_logic``.

    >>> describe_logic(parse_logic("A and (B or not C)", "ABC", "all"), "ko")
    'A 그리고 (B 또는 C 아님)'
    """
    return tree.text if language == "en" else "" if tree.root is None else _korean_logic(tree.root)


def _korean_logic(node: Node) -> str:
    match node:
        case Letter(name):
            return name
        case Not(item):
            return f"{_korean_logic(item)} 아님" if isinstance(item, Letter) else f"({_korean_logic(item)}) 아님"
        case And(items):
            return " 그리고 ".join(
                f"({_korean_logic(item)})" if isinstance(item, Or) else _korean_logic(item) for item in items
            )
        case Or(items):
            return " 또는 ".join(_korean_logic(item) for item in items)


def _pick(language: Language, korean: str, english: str) -> str:
    return korean if language == "ko" else english


def _name(key: str, language: Language) -> str:
    return _NAMES[key][language == "en"]


def _list(items: Sequence[str], language: Language) -> str:
    if language == "ko":
        return "·".join(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _universe(universe: Universe, language: Language) -> str:
    markets = _list([_name(market, language) for market in universe.markets], language)
    if universe.index is not None:
        markets = _name(universe.index, language)
    limits = _universe_limits(universe, language)
    exclude = [_name(flag, language) for flag in universe.exclude] + [*universe.exclude_sectors]
    exclude += universe.exclude_symbols
    left_out = ""
    if exclude:
        names = _list(exclude, language)
        left_out = _pick(language, f" {with_particle(names, '은/는')} 뺀다.", f" Left out: {names}.")
    top = _top(universe.top, language) if universe.top is not None else ""
    if language == "ko":
        what = "코인" if universe.of_coins else "종목"
        among = f"{markets} {what} 가운데 {', '.join(limits)} {what}" if limits else f"{markets} {what}"
        return f"대상: {among}{top}.{left_out}"
    what = "coins" if universe.of_coins else "stocks"
    among = f"{markets} {what}" + (f" with {', '.join(limits)}" if limits else "")
    return f"Universe: {among}{top}.{left_out}"


def _universe_limits(universe: Universe, language: Language) -> list[str]:
    limits = []
    if universe.sectors or universe.themes:
        names = _list([*universe.sectors, *universe.themes], language)
        limits.append(_pick(language, f"업종·테마가 {names}인", f"sector or theme {names}"))
    if universe.symbols:
        codes = _list(universe.symbols, language)
        limits.append(_pick(language, f"코드가 {codes}인", f"code {codes}"))
    if universe.min_listed_sessions:
        days = universe.min_listed_sessions
        limits.append(_pick(language, f"상장 후 {days}거래일 이상 지난", f"at least {days} sessions since listing"))
    if universe.min_trading_value_krw:
        amount = money(universe.min_trading_value_krw, language)
        limits.append(
            _pick(language, f"20일 평균 거래대금이 {amount} 이상인", f"20-session mean traded value >= {amount}")
        )
    if universe.min_price_krw:
        amount = money(universe.min_price_krw, language)
        limits.append(_pick(language, f"주가가 {amount} 이상인", f"price >= {amount}"))
    return limits


def _top(top: TopBy, language: Language) -> str:
    by = _name(top.by, language)
    first, last = top.skip + 1, top.skip + top.count
    if language == "ko":
        return f" 중 {by} 상위 {last}위까지" if top.skip == 0 else f" 중 {by} {first}위부터 {last}위까지"
    return f", the {last} largest by {by}" if top.skip == 0 else f", places {first} to {last} by {by}"


def _own_factors(own: Sequence[OwnFactor], language: Language) -> list[str]:
    lines = []
    for factor in own:
        name = factor.name or factor.id
        meaning = describe_value(factor.formula, language, own)
        note = f" ({factor.note})" if factor.note else ""
        lines.append(_pick(language, f"내 팩터 '{name}': {meaning}{note}.", f'Own factor "{name}": {meaning}{note}.'))
    return lines


def _statements(strategy: Strategy, language: Language) -> list[str]:
    if strategy.statements is StatementMode.RESTATED:
        return [
            _pick(
                language,
                "재무제표: 나중에 고쳐진 숫자를 처음 공시한 날부터 쓴다(사후 정보가 섞인다).",
                "Company reports: numbers as corrected later, from the first filing on; this is hindsight.",
            )
        ]
    if not statement_formulas(strategy):
        return []
    return [
        _pick(
            language,
            "재무제표: 공시가 접수된 날부터, 그때 공시된 숫자 그대로 쓴다.",
            "Company reports: numbers as they were filed, from the day of their receipt.",
        )
    ]


def _rules(rules: Sequence[Rule], language: Language, own: Sequence[OwnFactor]) -> list[str]:
    lines = []
    for rule in rules:
        note = f" ({rule.note})" if rule.note else ""
        lines.append(f"{rule.id}: {describe_rule(rule.formula, language, own)}{note}.")
    return lines


def _entry(strategy: Strategy, language: Language) -> list[str]:
    entry = strategy.entry
    if not entry.rules:
        return [_pick(language, "매수 조건: 없음. 대상 종목 모두가 후보이다.", "To buy: no rules; the whole universe.")]
    tree = parse_logic(entry.logic, [rule.id for rule in entry.rules], "all")
    lines = _rules(entry.rules, language, strategy.factors)
    if len(lines) == 1 and entry.logic is None:
        how = _pick(language, "매수 조건: 다음을 만족하면 후보가 된다.", "To buy: the following must hold.")
    elif entry.logic is None:
        how = _pick(language, "매수 조건: 다음을 모두 만족하면 후보가 된다.", "To buy: all of the following must hold.")
    else:
        logic = describe_logic(tree, language)
        how = _pick(language, f"매수 조건: {logic}.", f"To buy: {logic}.")
    return [how, *lines]


def _ranking(ranking: Ranking, language: Language, own: Sequence[OwnFactor]) -> list[str]:
    if not ranking.factors:
        return [_pick(language, "매수 순서: 종목코드 순.", "Order of purchase: by symbol.")]
    weights = sum(factor.weight for factor in ranking.factors)
    parts = []
    for factor in ranking.factors:
        name = describe_value(factor.formula, language, own)
        best = _pick(language, "높은" if factor.direction == "high" else "낮은", f"{factor.direction}est first")
        part = f"{name} {best} 순" if language == "ko" else f"{name}, {best}"
        details = []
        if len(ranking.factors) > 1:
            share = percent(round(factor.weight / weights, 4))
            how = _name(factor.transform, language)
            details.append(_pick(language, f"비중 {share}, {how} 기준", f"weight {share}, by {how}"))
        if factor.neutralize != "none":
            what = _name(factor.neutralize, language)
            details.append(_pick(language, f"{what} 중립", f"neutral to {what}"))
        if factor.winsorize:
            cut = percent(factor.winsorize)
            details.append(_pick(language, f"양끝 {cut} 절단", f"clipped at {cut} each end"))
        parts.append(part + (f" ({', '.join(details)})" if details else ""))
    text = ", ".join(parts) if language == "ko" else "; ".join(parts)
    lines = [_pick(language, f"매수 순서: {text}.", f"Order of purchase: {text}.")]
    if ranking.keep != "all":
        end = ("상위", "best") if ranking.keep == "top" else ("하위", "worst")
        count = ranking.count
        lines.append(
            _pick(language, f"순위 {end[0]} {count}종목만 후보로 남긴다.", f"Only the {count} {end[1]} ranked remain.")
        )
    return lines


def _sizing(sizing: Sizing, language: Language) -> str:
    base = _pick(
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
    tail = (_pick(language, " 단, ", " Limits: ") + ", ".join(caps) + ".") if caps else ""
    if language == "ko":
        return f"비중: 최대 {sizing.max_holdings}종목을 {method} 산다.{tail}"
    return f"Size: up to {sizing.max_holdings} holdings, {method}.{tail}"


def _sizing_caps(sizing: Sizing, base: str, language: Language) -> list[str]:
    caps = []
    if sizing.max_weight < 1:
        share = percent(sizing.max_weight)
        caps.append(_pick(language, f"한 종목은 {base}의 {share}까지", f"{share} of {base} in one stock"))
    if sizing.max_sector_weight < 1:
        share = percent(sizing.max_sector_weight)
        caps.append(_pick(language, f"한 업종은 {base}의 {share}까지", f"{share} of {base} in one sector"))
    if sizing.max_position_krw is not None:
        amount = money(sizing.max_position_krw, language)
        caps.append(_pick(language, f"한 종목은 {amount}까지", f"{amount} in one stock"))
    if sizing.max_new_per_session is not None:
        count = sizing.max_new_per_session
        caps.append(_pick(language, f"하루 신규 매수는 {count}종목까지", f"{count} new stocks a session"))
    if sizing.cash_buffer > 0:
        share = percent(sizing.cash_buffer)
        caps.append(_pick(language, f"평가금액의 {share}는 현금으로 남긴다", f"{share} of equity stays in cash"))
    return caps


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
        reference = _pick(language, "전일 종가" if previous else "당일 시가", "previous close" if previous else "open")
        text += _pick(
            language,
            f" 매수 지정가는 {reference} {offset}, 매도 지정가는 그 반대쪽이다.",
            f" The buy limit is the {reference} {offset}, the sell limit mirrors it.",
        )
    if execution.carry_unfilled_sessions:
        days = execution.carry_unfilled_sessions
        text += _pick(
            language, f" 미체결 잔량은 {days}거래일 더 낸다.", f" An unfilled rest lives {days} more sessions."
        )
    return text


def _exits(rules: ExitRules, language: Language, own: Sequence[OwnFactor], *, by_signal: bool) -> list[str]:
    ways = _price_exits(rules, language) + _other_exits(rules, language)
    lines = _rules(rules.rules, language, own)
    if lines:
        tree = parse_logic(rules.logic, [rule.id for rule in rules.rules], "any")
        if rules.logic is not None:
            logic = describe_logic(tree, language)
            ways.append(_pick(language, f"매도 조건 {logic}", f"the rules {logic}"))
        elif len(lines) == 1:
            ways.append(_pick(language, "다음 매도 조건", "the rule below"))
        else:
            ways.append(_pick(language, "다음 매도 조건 중 하나", "any of the rules below"))
    if not ways:
        if by_signal:
            return [_pick(language, "매도: 정한 조건이 없어 끝까지 보유한다.", "To sell: no rule; held to the end.")]
        return [
            _pick(
                language,
                "매도: 리밸런싱에서 목표에 없는 종목을 판다.",
                "To sell: what is no longer in the target is sold at rebalancing.",
            )
        ]
    head = _pick(
        language, f"매도(먼저 오는 것): {', '.join(ways)}.", f"To sell, whichever comes first: {'; '.join(ways)}."
    )
    return [head, *lines, *_holding_back(rules, language)]


def _price_exits(rules: ExitRules, language: Language) -> list[str]:
    def way(trigger: PriceTrigger, korean: str, english: str) -> str:
        basis = {"intraday": ("장중", "in the session"), "close": ("종가", "at the close")}[trigger.basis]
        share = percent(trigger.level)
        return _pick(language, f"{korean.format(share)}({basis[0]} 기준)", f"{english.format(share)} ({basis[1]})")

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
            _pick(
                language,
                f"보유 {_span(rules.max_holding, rules, language)} 경과",
                f"after {_span(rules.max_holding, rules, language)}",
            )
        )
    if rules.rank_below is not None:
        place = rules.rank_below
        ways.append(_pick(language, f"순위가 {place}위 밖으로 밀림", f"rank falls below {place}"))
    if rules.when_entry_fails:
        ways.append(_pick(language, "매수 조건이 더는 맞지 않음", "the entry rules no longer hold"))
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
            _pick(
                language,
                f"최소 {span}은 보유한다({'익절·손절도 미룬다' if stops else '익절·손절은 예외'}).",
                f"Held at least {span} ({'price exits wait too' if stops else 'price exits do not wait'}).",
            )
        )
    if rules.reentry_wait_sessions:
        days = rules.reentry_wait_sessions
        lines.append(
            _pick(
                language,
                f"판 종목은 {days}거래일 동안 다시 사지 않는다.",
                f"No repurchase for {days} sessions after a sale.",
            )
        )
    return lines


def _rebalancing(rebalancing: Rebalancing, language: Language) -> str:
    if rebalancing.mode == "signal":
        return _pick(
            language,
            "매매 시점: 매일 장 마감 후 신호를 보고 다음 거래일에 주문한다.",
            "Timing: signals are read after each close and traded in the next session.",
        )
    period = _name(rebalancing.period, language)
    shift = ""
    if rebalancing.day_shift:
        days = rebalancing.day_shift
        shift = _pick(language, f" 첫 거래일에서 {days}거래일 뒤에", f", {days} sessions after its first")
    band = ""
    if rebalancing.drift_band > 0:
        width = percent(rebalancing.drift_band)
        band = _pick(
            language,
            f" 목표와의 차이가 {width}포인트 이내인 종목은 그대로 둔다.",
            f" Positions within {width.rstrip('%')} percentage points of their target are left alone.",
        )
    return _pick(
        language,
        f"매매 시점: {period}{shift} 목표 비중으로 맞춘다.{band}",
        f"Timing: the book moves to target weights {period}{shift}.{band}",
    )


def _market_filter(market: MarketFilter | None, language: Language, own: Sequence[OwnFactor]) -> list[str]:
    if market is None:
        return []
    unsafe = _pick(
        language,
        "모두 팔아 현금으로 둔다" if market.action == "sell_all" else "새로 사지 않는다",
        "everything is sold" if market.action == "sell_all" else "nothing new is bought",
    )
    conditions = []
    if market.formula is not None:
        index = _name(market.index, language)
        sentence = describe_rule(market.formula, language, own)
        conditions.append(_pick(language, f"{index} 지수에서 [{sentence}]", f"on {index}, [{sentence}]"))
    if len(market.months) < 12:
        months = _list([number_text(month) for month in sorted(market.months)], language)
        conditions.append(_pick(language, f"{months}월", f"month {months}"))
    if not conditions:
        return []
    when = _pick(language, ", 그리고 ", " and ").join(conditions)
    return [
        _pick(
            language,
            f"시장 필터: {when}일 때만 투자하고, 아니면 {unsafe}.",
            f"Market filter: invested only while {when}; otherwise {unsafe}.",
        )
    ]


def _costs(costs: Costs, language: Language, *, coins: bool) -> str:
    commission, slippage = percent(costs.commission_rate), percent(costs.slippage_rate)
    if isinstance(costs.tax, float):
        tax = _pick(language, f"거래세 {percent(costs.tax)}", f"tax {percent(costs.tax)} of sales")
    elif coins:
        tax = _pick(language, "거래세 없음", "no tax")
    else:
        tax = _pick(language, "거래세는 시장과 날짜에 따른 법정 세율", "the legal tax of each market and date")
    return _pick(
        language,
        f"비용: 수수료 편도 {commission}, {tax}, 슬리피지 편도 {slippage}.",
        f"Costs: commission {commission} a side, {tax}, slippage {slippage} a side.",
    )
