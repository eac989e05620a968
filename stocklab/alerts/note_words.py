"""The lines of a daily note in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["NOTE_LINES", "NOTE_TITLES"]


def _both(**lines: tuple[str, str]) -> Mapping[str, Mapping[str, str]]:
    return MappingProxyType({name: {"ko": korean, "en": english} for name, (korean, english) in lines.items()})


NOTE_TITLES: Final = _both(
    done=("한 일", "What was done"),
    not_done=("하지 않은 일과 이유", "What was not done, and why"),
    doubt=("확인이 필요한 주문", "Orders in doubt"),
    positions=("보유와 손익", "Positions and profit"),
    gap=("백테스트와의 차이", "Difference from the backtest"),
    next=("다음 거래일", "Next session"),
)

NOTE_LINES: Final = _both(
    headline_traded=(
        "{session} 체결 {fills}건, 하루 손익 {day}원",
        "{session}: {fills} fills, {day} won on the day",
    ),
    headline_quiet=("{session} 매매 없음: {why}", "{session}: no trades. {why}"),
    headline_closed=("{session} 휴장: 매매 없음", "{session}: the exchange was closed"),
    why_closed=(
        "휴장일입니다{holiday}. 판단도 주문도 없었습니다.",
        "The exchange was closed{holiday}. Nothing was decided or ordered.",
    ),
    why_no_trader=("돌고 있는 자동매매가 없습니다.", "No automatic trading is running."),
    why_no_signal=("매수 조건을 모두 만족한 종목이 없습니다.", "No stock met the entry rules."),
    why_held=(
        "조건을 만족한 종목은 이미 보유하고 있고 매도 조건도 없었습니다.",
        "What met the rules is held already, and no exit applied.",
    ),
    why_blocked=("주문을 내지 않게 막는 것이 있었습니다.", "Something held orders back."),
    why_unfilled=("낸 주문이 체결되지 않았습니다.", "Orders were sent and not filled."),
    nothing_done=("체결된 주문이 없습니다.", "No order was filled."),
    filled=(
        "{trader}: {name}({symbol}) {quantity}주 {side}, {price_krw}원 · {reason}",
        "{trader}: {side} {quantity} {name} ({symbol}) at {price_krw} won · {reason}",
    ),
    unfilled=(
        "{trader}: {name}({symbol}) {quantity}주 {side} 주문이 체결되지 않았습니다 · {reason}",
        "{trader}: the order to {side} {quantity} {name} ({symbol}) was not filled · {reason}",
    ),
    refused=(
        "{trader}: {name}({symbol}) {quantity}주 {side} 주문을 위험 관리가 막았습니다 · {reason}",
        "{trader}: the order to {side} {quantity} {name} ({symbol}) was held back · {reason}",
    ),
    rejected=(
        "{trader}: {name}({symbol}) {quantity}주 {side} 주문을 증권사가 거부했습니다 · {reason}",
        "{trader}: the broker rejected the order to {side} {quantity} {name} ({symbol}) · {reason}",
    ),
    no_trader=(
        "돌고 있는 자동매매가 없어서 아무 판단도 하지 않았습니다.",
        "No automatic trading is running, so nothing was decided.",
    ),
    trader_state=("{trader}({account}): {state}.", "{trader} ({account}): {state}."),
    undecided=("{trader}: 이 날은 판단하지 않았습니다.", "{trader}: nothing was decided on this day."),
    looked=(
        "{trader}: {universe}종목을 보았고 {matched}종목이 매수 조건을 모두 만족했습니다. 보유 {held}종목.",
        "{trader}: looked at {universe} stocks; {matched} met all entry rules. {held} held.",
    ),
    condition=('조건 "{words}" 불만족 {failed}종목', 'condition "{words}" was false for {failed}'),
    condition_unknown=(
        '조건 "{words}" 불만족 {failed}종목, 알 수 없음 {unknown}종목',
        'condition "{words}" was false for {failed}, not known for {unknown}',
    ),
    blocked=("{trader}: {blocked}.", "{trader}: {blocked}."),
    cash=(
        "{trader}: 현금 {cash_krw}원, 가장 싼 후보 한 주가 {cheapest_krw}원입니다.",
        "{trader}: {cash_krw} won in cash; one share of the cheapest candidate costs {cheapest_krw} won.",
    ),
    kill_switch=("긴급 정지 중입니다: {reason}.", "The emergency stop is on: {reason}."),
    stale=("시세가 {data_last}까지만 있어 {late}거래일 늦습니다.", "Data end on {data_last}, {late} sessions late."),
    in_doubt=(
        "{name}({symbol}) {quantity}주 {side}: 접수 여부를 확인하고 있습니다. 다시 보내지 않습니다.",
        "{side} {quantity} {name} ({symbol}): whether it was taken is being asked. It is not sent again.",
    ),
    equity=("평가금액 {equity_krw}원, 하루 손익 {day_krw}원.", "Equity {equity_krw} won, {day_krw} won on the day."),
    position=(
        "{name}({symbol}) {quantity}주 · {value_krw}원 · 하루 {day_krw}원 · 누적 {total_krw}원",
        "{name} ({symbol}) {quantity} · {value_krw} won · day {day_krw} · since bought {total_krw}",
    ),
    no_positions=("보유한 종목이 없습니다.", "Nothing is held."),
    gap=(
        "{trader}: {total_krw}원 = 가격 {price_krw} + 시점 {timing_krw} + 놓친 주문 {missed_krw} + 비용 {cost_krw}",
        "{trader}: {total_krw} won = price {price_krw} + timing {timing_krw} + missed {missed_krw} + costs {cost_krw}",
    ),
    next_session=("{day}", "{day}"),
    next_unknown=("다음 거래일을 아직 알 수 없습니다.", "The next session is not known yet."),
    step=("{at} {step}", "{at} {step}"),
)
