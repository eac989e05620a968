"""The sentence of each kind of alert in both languages, with the names of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from stocklab.alerts.kinds import AlertKind

__all__ = ["SENTENCES", "Said"]


class Said(NamedTuple):
    """A title of one line, and the text below it."""

    title: str
    text: str


SENTENCES: Final[Mapping[AlertKind, Mapping[str, Said]]] = {
    AlertKind.FILL: {
        "ko": Said(
            "{side} 체결: {name} {quantity}주",
            "{symbol} {name} {quantity}주를 {price_krw}원에 {side}했습니다. 계좌 {account}.",
        ),
        "en": Said(
            "Filled: {side} {quantity} {name}",
            "{side} {quantity} of {symbol} {name} at {price_krw} won. Account {account}.",
        ),
    },
    AlertKind.REJECTED: {
        "ko": Said(
            "주문 거부: {name}",
            "증권사가 {symbol} {name} {quantity}주 {side} 주문을 거부했습니다: {reason}. 계좌 {account}.",
        ),
        "en": Said(
            "Order rejected: {name}",
            "The broker rejected the order to {side} {quantity} of {symbol} {name}: {reason}. Account {account}.",
        ),
    },
    AlertKind.REFUSED: {
        "ko": Said(
            "위험 관리가 막은 주문: {name}",
            "{symbol} {name} {quantity}주 {side} 주문을 보내지 않았습니다: {reason}. 계좌 {account}.",
        ),
        "en": Said(
            "Order held back: {name}",
            "The order to {side} {quantity} of {symbol} {name} was not sent: {reason}. Account {account}.",
        ),
    },
    AlertKind.IN_DOUBT: {
        "ko": Said(
            "주문 확인 필요: {name}",
            "{symbol} {name} {quantity}주 {side} 주문에 답이 없습니다. 다시 "
            "보내지 않고 증권사에 확인하고 있습니다. 계좌 {account}.",
        ),
        "en": Said(
            "Order in doubt: {name}",
            "The order to {side} {quantity} of {symbol} {name} got no answer. It "
            "is not sent again; the broker is being asked. Account {account}.",
        ),
    },
    AlertKind.AMBIGUOUS: {
        "ko": Said(
            "직접 확인해 주세요: {name}",
            "{symbol} {name} {quantity}주 {side} 주문이 접수되었는지 증권사 기록으로 "
            "알 수 없습니다. 이 종목은 확인할 때까지 멈춥니다. 계좌 {account}.",
        ),
        "en": Said(
            "Please look: {name}",
            "The broker's records do not say whether the order to {side} {quantity} of {symbol} "
            "{name} was taken. The symbol stops until you decide. Account {account}.",
        ),
    },
    AlertKind.DIFFERENCE: {
        "ko": Said("증권사와 장부가 다릅니다: {account}", "{detail}"),
        "en": Said("Books differ from the broker's: {account}", "{detail}"),
    },
    AlertKind.KILL_SWITCH: {
        "ko": Said("긴급 정지 {switch}: {scope}", "{reason}"),
        "en": Said("Emergency stop {switch}: {scope}", "{reason}"),
    },
    AlertKind.STOP_FIRED: {
        "ko": Said(
            "손절 실행: {name}",
            "{symbol} {name} 가격 {price_krw}원이 손절 기준 {stop_krw}원에 "
            "닿았습니다. {quantity}주를 팝니다. 계좌 {account}.",
        ),
        "en": Said(
            "Stop fired: {name}",
            "{symbol} {name} at {price_krw} won reached its stop of {stop_krw} "
            "won. {quantity} are being sold. Account {account}.",
        ),
    },
    AlertKind.TARGET_REACHED: {
        "ko": Said(
            "목표 도달: {name}",
            "{symbol} {name} 가격 {price_krw}원이 목표 {target_krw}원에 "
            "닿았습니다. {quantity}주를 팝니다. 계좌 {account}.",
        ),
        "en": Said(
            "Target reached: {name}",
            "{symbol} {name} at {price_krw} won reached its target of {target_krw} "
            "won. {quantity} are being sold. Account {account}.",
        ),
    },
    AlertKind.PRICE: {
        "ko": Said(
            "가격 알림: {name} {value}{unit}", "{symbol} {name}: {limit}{unit} {condition}. 지금 {value}{unit}."
        ),
        "en": Said("Price: {name} {value}{unit}", "{symbol} {name}: {condition} {limit}{unit}. Now {value}{unit}."),
    },
    AlertKind.INDICATOR: {
        "ko": Said("조건 충족: {name}", "{session} 종가 기준으로 {symbol} {name}에서 조건이 맞습니다: {formula}"),
        "en": Said("Condition met: {name}", "At the close of {session} it holds for {symbol} {name}: {formula}"),
    },
    AlertKind.DISCLOSURE: {
        "ko": Said("공시: {name}", "{filed_on} {symbol} {name}: {title}"),
        "en": Said("Filing: {name}", "{filed_on} {symbol} {name}: {title}"),
    },
    AlertKind.HALT: {
        "ko": Said(
            "{flag}: {name}", "{session} {symbol} {name}: {flag}. 주문이 나가지 않거나 체결되지 않을 수 있습니다."
        ),
        "en": Said("{flag}: {name}", "{session} {symbol} {name}: {flag}. Orders may not be sent or filled."),
    },
    AlertKind.DATA_STALE: {
        "ko": Said(
            "시장 데이터가 늦습니다", "가장 새로운 시세는 {newest}, 있어야 할 것은 {expected}입니다 ({late}일 늦음)."
        ),
        "en": Said(
            "Market data are late", "The newest bar is of {newest}; {expected} was expected ({late} sessions late)."
        ),
    },
    AlertKind.SCHEDULER_DOWN: {
        "ko": Said(
            "스케줄러가 멈췄습니다",
            "{last_seen} 이후 소식이 없습니다. 자동매매, 손절 감시, 데이터 "
            "갱신이 돌지 않습니다. `stocklab up` 또는 컨테이너를 확인하세요.",
        ),
        "en": Said(
            "The scheduler is down",
            "Nothing was heard of it since {last_seen}. No trading, "
            "no stops, no sync. Check `stocklab up` or the container.",
        ),
    },
    AlertKind.BROKER: {
        "ko": Said("증권사 연결: {account}", "{problem}. {detail}"),
        "en": Said("Broker: {account}", "{problem}. {detail}"),
    },
    AlertKind.DAILY_NOTE: {"ko": Said("{headline_ko}", "{text_ko}"), "en": Said("{headline_en}", "{text_en}")},
    AlertKind.TEST: {
        "ko": Said("시험 알림", "{channel} 채널이 잘 됩니다. Stock Lab이 보냈습니다."),
        "en": Said("Test", "The channel {channel} works. Sent by Stock Lab."),
    },
}
"""What `say` fills in."""
