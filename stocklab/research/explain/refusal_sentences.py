"""Why a close did not buy a stock, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.research.explain.phrases import Facts, Speaker, count_of, day_of, fixed, nth, ranked_but, won, words_of
from stocklab.research.explain.verdicts import Code, Fact
from stocklab.research.explain.words import FILTERS, Language, named

__all__ = ["NOT_BOUGHT"]


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
    day = day_of(facts["next"])
    return (
        f"매수하지 않음: 리밸런싱을 결정하는 날이 아닙니다. 다음 결정은 {day} 종가에 합니다.",
        f"Not bought: no rebalancing is decided at this close; the next is at the close of {day}.",
    )


def _outside_universe(facts: Facts, language: Language) -> tuple[str, str]:
    name = named(FILTERS, words_of(facts.get("filter")), language)
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
    return count_of(value) if isinstance(value, int | float) else words_of(value)


def _rules_fail(facts: Facts, language: Language) -> tuple[str, str]:
    failing, unknown = words_of(facts.get("failing")), words_of(facts.get("unknown"))
    korean = [f"충족하지 못한 조건 {failing}"] if failing else []
    english = [f"{failing} {'does' if ',' not in failing else 'do'} not hold"] if failing else []
    if unknown:
        korean.append(f"값을 알 수 없는 조건 {unknown}")
        english.append(f"{unknown} {'is' if ',' not in unknown else 'are'} unknown")
    logic = words_of(facts.get("logic"))
    return (
        f"매수하지 않음: 매수 조건 [{logic}]이 참이 아닙니다({', '.join(korean) or '모든 조건이 참'}).",
        f"Not bought: the conditions to buy [{logic}] are not true ({', '.join(english) or 'every rule holds'}).",
    )


def _score_unknown(facts: Facts, language: Language) -> tuple[str, str]:
    return "매수하지 않음: 순위 점수를 계산할 수 없습니다.", "Not bought: its score for the ranking is unknown."


def _outside_kept(facts: Facts, language: Language) -> tuple[str, str]:
    best, count = facts.get("keep") == "top", count_of(facts["count"])
    return (
        f"매수하지 않음: {count_of(facts['place'])}위이며, {'상위' if best else '하위'} {count}개만 후보가 됩니다.",
        f"Not bought: it ranks {nth(facts['place'])}, and only the {'best' if best else 'worst'} {count} are admitted.",
    )


def _no_free_place(facts: Facts, language: Language) -> tuple[str, str]:
    ranked, held, most = ranked_but(facts), count_of(facts["held"]), count_of(facts["max_holdings"])
    return (
        f"매수하지 않음: {ranked[0]}빈자리가 없었습니다(보유 {held}, 최대 {most}).",
        f"Not bought: {ranked[1]}no place was free ({held} held, {most} at most).",
    )


def _places_taken(facts: Facts, language: Language) -> tuple[str, str]:
    place, of, last = count_of(facts.get("place")), count_of(facts.get("candidates")), facts.get("last_place")
    free = count_of(facts.get("free"))
    korean = f", 마지막으로 매수한 종목은 {count_of(last)}위" if last is not None else ""
    english = f"; the last that was bought ranked {nth(last)}" if last is not None else ""
    return (
        f"매수하지 않음: 순위가 낮습니다. 후보 {of}개 중 {place}위이며, "
        f"빈자리 {free}개는 앞선 순위로 찼습니다{korean}.",
        f"Not bought: its rank was too low. It ranked {nth(facts.get('place'))} of {of} candidates, "
        f"and better ones took the {free} free {'place' if free == '1' else 'places'}{english}.",
    )


def _most_new(facts: Facts, language: Language) -> tuple[str, str]:
    ranked = ranked_but(facts)
    return (
        f"매수하지 않음: {ranked[0]}하루 신규 매수 한도({count_of(facts['most'])}개)가 앞선 순위로 찼습니다.",
        f"Not bought: {ranked[1]}better ones reached the most new positions of a session ({count_of(facts['most'])}).",
    )


def _already_ordered(facts: Facts, language: Language) -> tuple[str, str]:
    return "이미 낸 매수 주문이 아직 살아 있습니다.", "An order to buy it is still alive."


def _too_recently(facts: Facts, language: Language) -> tuple[str, str]:
    return (
        f"매수하지 않음: {day_of(facts['sold'])}에 매도했고, {count_of(facts['wait'])}거래일이 지나야 다시 매수합니다"
        f"({count_of(facts['sessions_left'])}거래일 남음).",
        f"Not bought: it was sold on {day_of(facts['sold'])} and may be bought again {count_of(facts['wait'])} "
        f"sessions later ({count_of(facts['sessions_left'])} left).",
    )


def _sector_full(facts: Facts, language: Language) -> tuple[str, str]:
    sector, room = words_of(facts.get("sector")), won(facts["room_krw"], language)
    price = won(facts["price_krw"], language)
    return (
        f"매수하지 않음: 업종({sector}) 한도에 남은 금액 {room}으로는 한 주({price})를 살 수 없습니다.",
        f"Not bought: what its sector ({sector}) has left, {room}, pays no share ({price}).",
    )


def _less_than_a_share(facts: Facts, language: Language) -> tuple[str, str]:
    money, price = won(facts["money_krw"], language), won(facts["price_krw"], language)
    return (
        f"매수하지 않음: 한 종목에 배정된 금액 {money}이 한 주 값 {price}에 못 미칩니다.",
        f"Not bought: the money for one position, {money}, pays less than one share ({price}).",
    )


def _cash(facts: Facts, language: Language) -> tuple[str, str]:
    ranked = ranked_but(facts)
    cash, price = won(facts["cash_krw"], language), won(facts["price_krw"], language)
    return (
        f"매수하지 않음: {ranked[0]}쓸 수 있는 현금 {cash}으로는 한 주({price})도 살 수 없었습니다.",
        f"Not bought: {ranked[1]}the cash to count on, {cash}, did not pay one share ({price}).",
    )


def _after_cash(facts: Facts, language: Language) -> tuple[str, str]:
    ranked = ranked_but(facts)
    return (
        f"매수하지 않음: {ranked[0]}앞선 순위의 {words_of(facts['symbol'])}에서 현금이 떨어졌습니다.",
        f"Not bought: {ranked[1]}cash ran out at {words_of(facts['symbol'])}, which ranked before it.",
    )


NOT_BOUGHT: Final[Mapping[Code, Speaker]] = {
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
    Code.CLOSE_UNKNOWN: fixed("매수하지 않음: 종가를 알 수 없습니다.", "Not bought: its close is unknown."),
    Code.WEIGHT_UNKNOWN: fixed(
        "매수하지 않음: 비중 계산에 필요한 값을 알 수 없습니다.",
        "Not bought: what its weight is computed from is unknown.",
    ),
    Code.SECTOR_FULL: _sector_full,
    Code.LESS_THAN_A_SHARE: _less_than_a_share,
    Code.CASH: _cash,
    Code.AFTER_CASH: _after_cash,
    Code.WAIT_OVER: fixed(
        "매수하지 않음: 리밸런싱에서 골랐으나 기다리는 기간이 끝났습니다.",
        "Not bought: a rebalancing chose it, but the time it may wait is over.",
    ),
    Code.WAIT_ENDED: fixed(
        "리밸런싱이 더 사려던 몫을 거두었습니다: 그 뒤에 매도했거나 매도 중입니다.",
        "What a rebalancing still wanted of it was dropped: it was sold since, or is on its way out.",
    ),
    Code.PRICE_ROSE: fixed(
        "더 매수하지 않음: 가격이 올라 남은 배정 금액으로는 한 주를 살 수 없습니다.",
        "No more was bought: its price rose, and what is left of its money pays no share.",
    ),
}
"""What the close decided on a stock of which it bought none, or no more."""
