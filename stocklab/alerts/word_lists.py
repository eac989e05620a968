"""Words for the codes that parameters of alerts hold, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["WORDS"]


def _both(**words: tuple[str, str]) -> Mapping[str, Mapping[str, str]]:
    return {code: {"ko": korean, "en": english} for code, (korean, english) in words.items()}


WORDS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = MappingProxyType(
    {
        "side": _both(buy=("매수", "buy"), sell=("매도", "sell")),
        "switch": _both(true=("작동", "thrown"), false=("해제", "lifted")),
        "condition": _both(
            above=("이상", "at or above"),
            below=("이하", "at or below"),
            rises=("이상 하루 상승", "up on the day by"),
            falls=("이상 하루 하락", "down on the day by"),
        ),
        "unit": _both(won=("원", " won"), percent=("%", "%")),
        "flag": _both(
            administrative=("관리종목", "Administrative issue"),
            attention=("투자주의환기종목", "Issue for attention"),
            caution=("투자주의종목", "Investment caution"),
            warning=("투자경고종목", "Investment warning"),
            risk=("투자위험종목", "Investment risk"),
            overheated=("단기과열종목", "Short-term overheated"),
            unfaithful=("불성실공시법인", "Unfaithful discloser"),
            clearance=("정리매매", "Clearance sale before delisting"),
            halted=("매매거래정지", "Trading halted"),
        ),
        "problem": _both(
            unreachable=("증권사에 연결되지 않습니다", "The broker cannot be reached"),
            denied=("증권사가 키를 받지 않습니다", "The broker refuses the key"),
            token=("접근 토큰을 새로 받지 못했습니다", "No new access token"),
            socket=("실시간 연결이 끊겼습니다", "The live connection is down"),
        ),
        "state": _both(
            paused=("일시정지 중", "paused"),
            no_entries=("새로 사지 않음", "no new entries"),
            stopped=("멈춤", "stopped"),
            waiting_for_approval=("승인을 기다림", "waiting for approval"),
        ),
        "blocked": _both(
            kill_switch=("긴급 정지 중이라 주문을 보내지 않았습니다", "the emergency stop is on: no order was sent"),
            stale_data=("시세가 늦어 새로 사지 않았습니다", "data were late: nothing was bought"),
            no_quotes=("실시간 시세가 없어 새로 사지 않았습니다", "no live quotes: nothing was bought"),
            cash_too_small=("현금이 모자라 사지 못했습니다", "cash was too small to buy"),
            holdings_full=("보유 종목 수 한도가 찼습니다", "the most holdings are reached"),
            buys_a_day=("하루 매수 한도가 찼습니다", "the most purchases of a day are reached"),
            day_loss=("하루 손실 한도를 넘어 새로 사지 않았습니다", "the day's loss limit is reached: no entries"),
            drawdown=("낙폭 한도를 넘어 새로 사지 않았습니다", "the drawdown limit is reached: no entries"),
            order_in_doubt=("확인 중인 주문이 있어 그 종목을 멈췄습니다", "an order in doubt stops its symbol"),
            broker_down=("증권사에 연결되지 않았습니다", "the broker could not be reached"),
            not_approved=("주문표가 승인되지 않아 보내지 않았습니다", "the order sheet was not approved"),
            not_due=("리밸런싱 날이 아닙니다", "it was no day of rebalancing"),
        ),
        "step": _both(
            prepare=("준비와 판단", "prepare and decide"),
            open_auction=("시가 단일가 주문", "orders for the opening auction"),
            buy_check=("매수 확인", "buy check"),
            sell_check=("매도 확인", "sell check"),
            close_auction=("종가 단일가 주문", "orders for the closing auction"),
            note=("하루 보고", "daily note"),
        ),
        "reason": _both(
            cash=("주문 가능 금액이 모자랍니다", "not enough cash"),
            price_limit=("가격 제한을 벗어났습니다", "price beyond the day's limits"),
            halted=("거래정지 종목입니다", "trading is halted"),
            kill_switch=("긴급 정지 중입니다", "the emergency stop is on"),
            stale_quote=("시세가 오래되었습니다", "the quote is stale"),
            duplicate=("같은 주문이 이미 있습니다", "the same order is there already"),
            day_loss=("하루 손실 한도를 넘었습니다", "the day's loss limit is reached"),
            concentration=("한 종목 비중 한도를 넘습니다", "the limit for one position is reached"),
        ),
    }
)
"""By parameter and code. A code that is not here is shown as it is: it may be a sentence already."""
