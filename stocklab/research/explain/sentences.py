"""A verdict as a sentence, Korean or English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from stocklab.research.explain.verdicts import Code, Fact, Verdict
from stocklab.research.explain.words import CAUSES, FILTERS, REASONS, Language, named

__all__ = ["sentence"]

Facts = Mapping[str, Fact]
Speaker = Callable[[Facts, Language], tuple[str, str]]


def sentence(verdict: Verdict, language: Language) -> str:
    """One or two sentences that say what happened or was decided, and why.

    >>> sentence(Verdict(code=Code.OUTSIDE_KEPT, facts={"place": 12, "keep": "top", "count": 10}), "en")
    'Not bought: it ranks 12th, and only the best 10 are admitted.'
    """
    return _SPEAKERS[verdict.code](verdict.facts, language)[language == "en"]


# --- numbers --------------------------------------------------------------------------------------------------------


def _won(value: Fact, language: Language) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:,.0f}원" if language == "ko" else f"₩{value:,.0f}"


def _count(value: Fact) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else "–"


def _shares(value: Fact, language: Language) -> str:
    if language == "ko":
        return f"{_count(value)}주"
    return f"{_count(value)} share" if value == 1 else f"{_count(value)} shares"


def _nth(value: Fact) -> str:
    """An English ordinal."""
    if not isinstance(value, int):
        return "–"
    ending = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value:,}{ending}"


def _words(value: Fact) -> str:
    return ", ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _day(value: Fact) -> str:
    return value.isoformat() if isinstance(value, date) else "–"


def _cause(facts: Facts, language: Language) -> str:
    cause = named(CAUSES, _words(facts.get("cause")), language)
    rule = _words(facts.get("rule"))
    return f"{cause} {rule}" if rule else cause


def _reason(facts: Facts, language: Language) -> str:
    return named(REASONS, _words(facts.get("reason")), language)


def _unit(facts: Facts, language: Language) -> str:
    if facts.get("unit") == "calendar_days":
        return "일" if language == "ko" else "calendar days"
    return "거래일" if language == "ko" else "sessions"


def _ranked(facts: Facts) -> tuple[str, str]:
    """Place among the candidates, as it stands before what follows; "" without one."""
    place, of = facts.get("place"), facts.get("candidates")
    if not isinstance(place, int):
        return "", ""
    return (
        f"후보 {_count(of)}개 중 {_count(place)}위였으나 ",
        f"it ranked {_nth(place)} of {_count(of)} candidates, but ",
    )


# --- in the session -------------------------------------------------------------------------------------------------


def _filled(ko: str, en: str) -> Speaker:
    def speak(facts: Facts, language: Language) -> tuple[str, str]:
        shares, price = _shares(facts["shares"], language), _won(facts["price_krw"], language)
        cause, place, of = _cause(facts, language), facts.get("place"), facts.get("candidates")
        korean, english = _not_chosen(facts)
        if isinstance(place, int):
            korean, english = (
                f"(후보 {_count(of)}개 중 {_count(place)}위)",
                f" ({_nth(place)} of {_count(of)} candidates)",
            )
        return (
            f"{shares}를 {price}에 {ko} 이유: {cause}{korean}.",
            f"{en} {shares} at {price}. Reason: {cause}{english}.",
        )

    return speak


def _filled_part(ko: str, en: str) -> Speaker:
    def speak(facts: Facts, language: Language) -> tuple[str, str]:
        whole = _filled(ko, en)(facts, language)
        left, reason = _shares(facts["left"], language), _reason(facts, language)
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
        left, reason, later = _shares(facts["left"], language), _reason(facts, language), _later(facts)
        limit = facts.get("limit_krw")
        at = f" ({'지정가' if language == 'ko' else 'limit'} {_won(limit, language)})" if limit is not None else ""
        return (
            f"{ko} 주문 {left}{at}가 체결되지 않았습니다: {reason}. {later[0]}".strip(),
            f"The order to {en} {left}{at} did not fill: {reason}. {later[1]}".strip(),
        )

    return speak


def _ended(facts: Facts, language: Language) -> tuple[str, str]:
    reason = _reason(facts, language)
    return f"주문이 취소되었습니다: {reason}.", f"The order was cancelled: {reason}."


def _delisted(facts: Facts, language: Language) -> tuple[str, str]:
    shares, price = _shares(facts["shares"], language), _won(facts["price_krw"], language)
    return (
        f"상장폐지로 {shares}의 보유가 주당 {price}에 종료되었습니다.",
        f"Delisted: the holding of {shares} ended at {price} a share.",
    )


# --- at the close, not bought ------------------------------------------------------------


def _run_ends(facts: Facts, language: Language) -> tuple[str, str]:
    return (
        "백테스트의 마지막 거래일이라 아무것도 결정하지 않습니다.",
        "The run ends here: nothing is decided at its last close.",
    )


def _market_unsafe(facts: Facts, language: Language) -> tuple[str, str]:
    if facts.get("reason") == "month":
        month = facts.get("month")
        return (
            f"매수하지 않음: 다음 거래일이 {month}월이고, 시장 필터는 {month}월에 투자하지 않습니다.",
            f"Not bought: the next session is in month {month}, in which the market filter does not invest.",
        )
    return (
        "매수하지 않음: 시장 필터의 조건이 충족되지 않았습니다.",
        "Not bought: the condition of the market filter does not hold.",
    )


def _no_rebalancing(facts: Facts, language: Language) -> tuple[str, str]:
    if facts.get("next") is None:
        return (
            "매수하지 않음: 리밸런싱을 결정하는 날이 아니며, 이 백테스트에는 더 남아 있지 않습니다.",
            "Not bought: no rebalancing is decided at this close, and none is left in this run.",
        )
    day = _day(facts["next"])
    return (
        f"매수하지 않음: 리밸런싱을 결정하는 날이 아닙니다. 다음 결정은 {day} 종가에 합니다.",
        f"Not bought: no rebalancing is decided at this close; the next is at the close of {day}.",
    )


def _outside_universe(facts: Facts, language: Language) -> tuple[str, str]:
    name = named(FILTERS, _words(facts.get("filter")), language)
    found, wanted = _amount(facts.get("found")), _amount(facts.get("wanted"))
    shown = ""
    if facts.get("unknown"):
        shown = " (값을 알 수 없음)" if language == "ko" else " (the value is unknown)"
    elif found and wanted:
        shown = f" (값 {found}, 기준 {wanted})" if language == "ko" else f" (it has {found}, wanted is {wanted})"
    elif found:
        shown = f" ({found})"
    return (
        f"매수하지 않음: 대상 종목이 아닙니다. 걸린 조건: {name}{shown}.",
        f"Not bought: it is not in the universe. Filter: {name}{shown}.",
    )


def _amount(value: Fact) -> str:
    return _count(value) if isinstance(value, int | float) else _words(value)


def _rules_fail(facts: Facts, language: Language) -> tuple[str, str]:
    failing, unknown = _words(facts.get("failing")), _words(facts.get("unknown"))
    korean = [f"충족하지 못한 조건 {failing}"] if failing else []
    english = [f"{failing} {'does' if ',' not in failing else 'do'} not hold"] if failing else []
    if unknown:
        korean.append(f"값을 알 수 없는 조건 {unknown}")
        english.append(f"{unknown} {'is' if ',' not in unknown else 'are'} unknown")
    logic = _words(facts.get("logic"))
    return (
        f"매수하지 않음: 매수 조건 [{logic}]이 참이 아닙니다({', '.join(korean) or '모든 조건이 참'}).",
        f"Not bought: the conditions to buy [{logic}] are not true ({', '.join(english) or 'every rule holds'}).",
    )


def _score_unknown(facts: Facts, language: Language) -> tuple[str, str]:
    return "매수하지 않음: 순위 점수를 계산할 수 없습니다.", "Not bought: its score for the ranking is unknown."


def _outside_kept(facts: Facts, language: Language) -> tuple[str, str]:
    best, count = facts.get("keep") == "top", _count(facts["count"])
    return (
        f"매수하지 않음: {_count(facts['place'])}위이며, {'상위' if best else '하위'} {count}개만 후보가 됩니다.",
        f"Not bought: it ranks {_nth(facts['place'])}, and only the {'best' if best else 'worst'} "
        f"{count} are admitted.",
    )


def _no_free_place(facts: Facts, language: Language) -> tuple[str, str]:
    ranked, held, most = _ranked(facts), _count(facts["held"]), _count(facts["max_holdings"])
    return (
        f"매수하지 않음: {ranked[0]}빈자리가 없었습니다(보유 {held}, 최대 {most}).",
        f"Not bought: {ranked[1]}no place was free ({held} held, {most} at most).",
    )


def _places_taken(facts: Facts, language: Language) -> tuple[str, str]:
    place, of, last = _count(facts.get("place")), _count(facts.get("candidates")), facts.get("last_place")
    free = _count(facts.get("free"))
    korean = f", 마지막으로 매수한 종목은 {_count(last)}위" if last is not None else ""
    english = f"; the last that was bought ranked {_nth(last)}" if last is not None else ""
    return (
        f"매수하지 않음: 순위가 낮습니다. 후보 {of}개 중 {place}위이며, "
        f"빈자리 {free}개는 앞선 순위로 찼습니다{korean}.",
        f"Not bought: its rank was too low. It ranked {_nth(facts.get('place'))} of {of} candidates, "
        f"and better ones took the {free} free {'place' if free == '1' else 'places'}{english}.",
    )


def _most_new(facts: Facts, language: Language) -> tuple[str, str]:
    ranked = _ranked(facts)
    return (
        f"매수하지 않음: {ranked[0]}하루 신규 매수 한도({_count(facts['most'])}개)가 앞선 순위로 찼습니다.",
        f"Not bought: {ranked[1]}better ones reached the most new positions of a session ({_count(facts['most'])}).",
    )


def _already_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    return "이미 낸 매수 주문이 아직 살아 있습니다.", "An order to buy it is still alive."


def _too_recently(facts: Facts, language: Language) -> tuple[str, str]:
    return (
        f"매수하지 않음: {_day(facts['sold'])}에 매도했고, {_count(facts['wait'])}거래일이 지나야 다시 매수합니다"
        f"({_count(facts['sessions_left'])}거래일 남음).",
        f"Not bought: it was sold on {_day(facts['sold'])} and may be bought again {_count(facts['wait'])} sessions "
        f"later ({_count(facts['sessions_left'])} left).",
    )


def _fixed(korean: str, english: str) -> Speaker:
    return lambda facts, language: (korean, english)


def _sector_full(facts: Facts, language: Language) -> tuple[str, str]:
    sector, room = _words(facts.get("sector")), _won(facts["room_krw"], language)
    price = _won(facts["price_krw"], language)
    return (
        f"매수하지 않음: 업종({sector}) 한도에 남은 금액 {room}으로는 한 주({price})를 살 수 없습니다.",
        f"Not bought: what its sector ({sector}) has left, {room}, pays no share ({price}).",
    )


def _less_than_a_share(facts: Facts, language: Language) -> tuple[str, str]:
    money, price = _won(facts["money_krw"], language), _won(facts["price_krw"], language)
    return (
        f"매수하지 않음: 한 종목에 배정된 금액 {money}이 한 주 값 {price}에 못 미칩니다.",
        f"Not bought: the money for one position, {money}, pays less than one share ({price}).",
    )


def _cash(facts: Facts, language: Language) -> tuple[str, str]:
    ranked = _ranked(facts)
    cash, price = _won(facts["cash_krw"], language), _won(facts["price_krw"], language)
    return (
        f"매수하지 않음: {ranked[0]}쓸 수 있는 현금 {cash}으로는 한 주({price})도 살 수 없었습니다.",
        f"Not bought: {ranked[1]}the cash to count on, {cash}, did not pay one share ({price}).",
    )


def _after_cash(facts: Facts, language: Language) -> tuple[str, str]:
    ranked = _ranked(facts)
    return (
        f"매수하지 않음: {ranked[0]}앞선 순위의 {_words(facts['symbol'])}에서 현금이 떨어졌습니다.",
        f"Not bought: {ranked[1]}cash ran out at {_words(facts['symbol'])}, which ranked before it.",
    )


# --- at the close, ordered or kept ------------------------------------------------------------


def _buy_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    shares, price = _shares(facts["shares"], language), _won(facts.get("price_krw"), language)
    place, of = facts.get("place"), facts.get("candidates")
    ranked = isinstance(place, int)
    return (
        f"다음 거래일에 {shares}를 매수하도록 주문했습니다(예상 가격 {price})."
        + (f" 후보 {_count(of)}개 중 {_count(place)}위입니다." if ranked else ""),
        f"Ordered for the next session: buy {shares} (expected price {price})."
        + (f" It ranked {_nth(place)} of {_count(of)} candidates." if ranked else ""),
    )


def _more_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    shares = _shares(facts["shares"], language)
    return (
        f"목표 비중까지 {shares}를 더 매수하도록 주문했습니다.",
        f"Ordered for the next session: buy {shares} more, towards its target weight.",
    )


def _waiting(facts: Facts, language: Language) -> tuple[str, str]:
    reason, since = _reason(facts, language), _day(facts.get("since"))
    return (
        f"{since} 리밸런싱에서 골랐으나 아직 주문하지 못하고 기다립니다: {reason}.",
        f"Chosen by the rebalancing of {since}, it still waits to be ordered: {reason}.",
    )


def _sell_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    shares, cause = _shares(facts["shares"], language), _cause(facts, language)
    korean, english = _not_chosen(facts)
    return (
        f"다음 거래일에 {shares}를 매도하도록 주문했습니다. 이유: {cause}{korean}.",
        f"Ordered for the next session: sell {shares}. Reason: {cause}{english}.",
    )


def _not_chosen(facts: Facts) -> tuple[str, str]:
    """Why a rebalancing did not choose what it sold; "" where it says nothing of it."""
    why = _WHY_NOT_CHOSEN.get(_words(facts.get("why")))
    return (f"({why[0]})", f" ({why[1]})") if why else ("", "")


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


def _trim(facts: Facts, language: Language) -> tuple[str, str]:
    shares, value = _shares(facts["shares"], language), _won(facts["value_krw"], language)
    money = _won(facts["money_krw"], language)
    return (
        f"목표 금액 {money}보다 많이 보유하여({value}) {shares}를 매도하도록 주문했습니다.",
        f"Ordered for the next session: sell {shares}, as it holds {value} and its target is {money}.",
    )


def _kept(facts: Facts, language: Language) -> tuple[str, str]:
    if facts.get("next") is not None:
        day = _day(facts["next"])
        return (
            f"계속 보유: 매도 규칙에 해당하지 않았고, 리밸런싱은 {day} 종가에 결정합니다.",
            f"Kept: no rule to sell it holds, and the next rebalancing is decided at the close of {day}.",
        )
    if not facts.get("exits", 1):
        return "계속 보유: 매도 규칙이 없습니다.", "Kept: there is no rule to sell it."
    return "계속 보유: 어떤 매도 규칙에도 해당하지 않았습니다.", "Kept: no rule to sell it holds."


def _kept_in_band(facts: Facts, language: Language) -> tuple[str, str]:
    value, money, band = (_won(facts[key], language) for key in ("value_krw", "money_krw", "band_krw"))
    return (
        f"계속 보유: 평가금액 {value}과 목표 {money}의 차이가 허용 범위 {band} 이내입니다.",
        f"Kept: its value {value} is within {band} of its target {money}.",
    )


def _kept_chosen(facts: Facts, language: Language) -> tuple[str, str]:
    value, money = _won(facts["value_krw"], language), _won(facts["money_krw"], language)
    return (
        f"계속 보유: 다시 선정되었고, 평가금액 {value}과 목표 {money}의 차이가 한 주에 못 미칩니다.",
        f"Kept: it was chosen again, and its value {value} is less than a share from its target {money}.",
    )


def _kept_min_holding(facts: Facts, language: Language) -> tuple[str, str]:
    cause, unit = _cause(facts, language), _unit(facts, language)
    held, least = facts.get("held"), facts.get("min_holding")
    korean = f"({_count(held)}{unit} 보유, 최소 {_count(least)}{unit})" if held is not None else ""
    english = f" ({_count(held)} {unit} held, {_count(least)} at least)" if held is not None else ""
    return (
        f"계속 보유: {cause}에 해당하나 최소 보유 기간이 지나지 않았습니다{korean}.",
        f"Kept: {cause} would sell it, but the minimum holding period is not over{english}.",
    )


def _kept_leaving(facts: Facts, language: Language) -> tuple[str, str]:
    cause = _cause(facts, language)
    decided = f"{_day(facts.get('decided'))}"
    return (
        f"매도 중: {decided}에 낸 매도 주문({cause})이 아직 살아 있습니다.",
        f"On its way out: the order to sell of {decided} ({cause}) is still alive.",
    )


def _kept_unlisted(facts: Facts, language: Language) -> tuple[str, str]:
    shares = _shares(facts["shares"], language)
    return (
        f"계속 보유: 무상증자로 받은 {shares}가 아직 상장되지 않아 팔 수 없습니다.",
        f"Kept: {shares} of a bonus issue cannot be sold before they list.",
    )


_SPEAKERS: Final[Mapping[Code, Speaker]] = {
    Code.BOUGHT: _filled("매수했습니다.", "Bought"),
    Code.BOUGHT_PART: _filled_part("매수했습니다.", "Bought"),
    Code.NOT_BOUGHT: _unfilled("매수", "buy"),
    Code.SOLD: _filled("매도했습니다.", "Sold"),
    Code.SOLD_PART: _filled_part("매도했습니다.", "Sold"),
    Code.NOT_SOLD: _unfilled("매도", "sell"),
    Code.ENDED: _ended,
    Code.DELISTED: _delisted,
    Code.RUN_ENDS: _run_ends,
    Code.MARKET_UNSAFE: _market_unsafe,
    Code.NO_REBALANCING: _no_rebalancing,
    Code.OUTSIDE_UNIVERSE: _outside_universe,
    Code.RULES_FAIL: _rules_fail,
    Code.SCORE_UNKNOWN: _score_unknown,
    Code.OUTSIDE_KEPT: _outside_kept,
    Code.NO_FREE_PLACE: _no_free_place,
    Code.PLACES_TAKEN: _places_taken,
    Code.MOST_NEW_REACHED: _most_new,
    Code.ALREADY_ORDERED: _already_ordered,
    Code.SOLD_TOO_RECENTLY: _too_recently,
    Code.CLOSE_UNKNOWN: _fixed("매수하지 않음: 종가를 알 수 없습니다.", "Not bought: its close is unknown."),
    Code.WEIGHT_UNKNOWN: _fixed(
        "매수하지 않음: 비중 계산에 필요한 값을 알 수 없습니다.",
        "Not bought: what its weight is computed from is unknown.",
    ),
    Code.SECTOR_FULL: _sector_full,
    Code.LESS_THAN_A_SHARE: _less_than_a_share,
    Code.CASH: _cash,
    Code.AFTER_CASH: _after_cash,
    Code.BUY_ORDERED: _buy_ordered,
    Code.MORE_ORDERED: _more_ordered,
    Code.WAITING: _waiting,
    Code.WAIT_OVER: _fixed(
        "매수하지 않음: 리밸런싱에서 골랐으나 기다리는 기간이 끝났습니다.",
        "Not bought: a rebalancing chose it, but the time it may wait is over.",
    ),
    Code.WAIT_ENDED: _fixed(
        "리밸런싱이 더 사려던 몫을 거두었습니다: 그 뒤에 매도했거나 매도 중입니다.",
        "What a rebalancing still wanted of it was dropped: it was sold since, or is on its way out.",
    ),
    Code.PRICE_ROSE: _fixed(
        "더 매수하지 않음: 가격이 올라 남은 배정 금액으로는 한 주를 살 수 없습니다.",
        "No more was bought: its price rose, and what is left of its money pays no share.",
    ),
    Code.SELL_ORDERED: _sell_ordered,
    Code.TRIM_ORDERED: _trim,
    Code.KEPT: _kept,
    Code.KEPT_CHOSEN: _kept_chosen,
    Code.KEPT_IN_BAND: _kept_in_band,
    Code.KEPT_MIN_HOLDING: _kept_min_holding,
    Code.KEPT_LEAVING: _kept_leaving,
    Code.KEPT_UNLISTED: _kept_unlisted,
    Code.KEPT_NOT_LISTED: _fixed(
        "계속 보유: 상장되어 있지 않아 매도 주문을 낼 수 없습니다.",
        "Kept: it is not listed, so no order to sell can be sent.",
    ),
}
