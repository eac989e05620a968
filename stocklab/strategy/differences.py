"""What changed between two versions of a document, field by field, in Korean and English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stocklab.strategy.document import Strategy
from stocklab.strategy.labels import Language

__all__ = ["Difference", "differences", "field_name"]

_KEYED: Final = ("id", "formula")
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("이름", "Name"),
    "description": ("설명", "Description"),
    "tags": ("태그", "Tags"),
    "style": ("유형", "Style"),
    "horizon": ("기간", "Horizon"),
    "risk": ("위험", "Risk"),
    "universe": ("종목군", "Universe"),
    "markets": ("시장", "Markets"),
    "sectors": ("업종", "Sectors"),
    "exclude_sectors": ("제외 업종", "Excluded sectors"),
    "themes": ("테마", "Themes"),
    "index": ("지수", "Index"),
    "symbols": ("종목", "Symbols"),
    "exclude_symbols": ("제외 종목", "Excluded symbols"),
    "exclude": ("제외 조건", "Exclusions"),
    "min_listed_sessions": ("최소 상장 거래일", "Least sessions since listing"),
    "min_trading_value_krw": ("최소 거래대금", "Least traded value"),
    "min_price_krw": ("최소 주가", "Least price"),
    "top": ("상위 종목만", "Largest only"),
    "by": ("기준", "By"),
    "count": ("개수", "Number"),
    "skip": ("건너뛸 개수", "Skipped"),
    "factors": ("팩터", "Factors"),
    "formula": ("수식", "Formula"),
    "unit": ("단위", "Unit"),
    "higher_is_better": ("방향", "Direction"),
    "note": ("메모", "Note"),
    "entry": ("매수", "Buy"),
    "rules": ("조건", "Conditions"),
    "logic": ("논리식", "Logic"),
    "ranking": ("순위", "Ranking"),
    "weight": ("비중", "Weight"),
    "direction": ("방향", "Direction"),
    "transform": ("변환", "Transform"),
    "neutralize": ("중립화", "Neutralisation"),
    "winsorize": ("극단값 처리", "Winsorisation"),
    "keep": ("남길 후보", "Candidates kept"),
    "sizing": ("비중", "Sizing"),
    "method": ("방법", "Method"),
    "max_holdings": ("최대 보유 종목", "Most holdings"),
    "amount_krw": ("종목당 금액", "Amount each"),
    "volatility_sessions": ("변동성 기간", "Volatility window"),
    "max_weight": ("종목당 최대 비중", "Most weight of one"),
    "max_sector_weight": ("업종당 최대 비중", "Most weight of a sector"),
    "max_position_krw": ("종목당 최대 금액", "Most money in one"),
    "max_new_per_session": ("하루 신규 매수 한도", "Most new ones a day"),
    "cash_buffer": ("현금 비율", "Cash buffer"),
    "base": ("비중 기준", "Weights are of"),
    "execution": ("체결", "Execution"),
    "buy": ("매수 시점", "Purchases"),
    "sell": ("매도 시점", "Sales"),
    "limit_offset": ("지정가 거리", "Limit distance"),
    "limit_reference": ("지정가 기준", "Limit reference"),
    "participation": ("거래량 참여 한도", "Participation cap"),
    "carry_unfilled_sessions": ("미체결 이월", "Unfilled carried"),
    "exit": ("매도", "Sell"),
    "target": ("목표 수익", "Target"),
    "stop": ("손절", "Stop"),
    "trailing": ("추적 손절", "Trailing stop"),
    "level": ("폭", "Distance"),
    "basis": ("판단 가격", "Judged on"),
    "min_holding": ("최소 보유 기간", "Least holding"),
    "max_holding": ("최대 보유 기간", "Most holding"),
    "holding_unit": ("보유 기간 단위", "Holding counts"),
    "min_holding_blocks_stops": ("최소 보유 중 손절 보류", "Least holding holds back stops"),
    "rank_below": ("순위 밖이면 매도", "Sold below rank"),
    "when_entry_fails": ("매수 조건 이탈 시 매도", "Sold when the entry fails"),
    "reentry_wait_sessions": ("재매수 대기", "Wait before buying again"),
    "rebalancing": ("리밸런싱", "Rebalancing"),
    "mode": ("방식", "Mode"),
    "period": ("주기", "Period"),
    "day_shift": ("날짜 이동", "Day shift"),
    "drift_band": ("허용 이탈", "Drift band"),
    "market_filter": ("시장 필터", "Market filter"),
    "months": ("달", "Months"),
    "action": ("행동", "Action"),
    "costs": ("비용", "Costs"),
    "commission_rate": ("수수료율", "Commission"),
    "tax": ("세금", "Tax"),
    "slippage_rate": ("슬리피지", "Slippage"),
    "benchmark": ("벤치마크", "Benchmark"),
    "statements": ("재무제표 기준", "Statements"),
    "allocation": ("자본", "Capital"),
    "initial_cash_krw": ("초기 자본", "Starting cash"),
}
"""Korean and English name of each key of the document; a key that is missing here is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that changed, with what it was and what it is; None where it was not there, or is no more."""

    path: str
    before: Any
    after: Any

    def words(self, language: Language) -> tuple[str, str, str]:
        """Name of the field, what it was and what it is."""
        return field_name(self.path, language), _value(self.before, language), _value(self.after, language)


def differences(before: Strategy, after: Strategy) -> tuple[Difference, ...]:
    """Every field that differs, in the order of the document. Conditions are compared by letter, factors by formula.

    >>> def of(formula, most):
    ...     rules = [{"id": "A", "formula": formula}]
    ...     return Strategy(name="x", entry={"rules": rules}, sizing={"max_holdings": most})
    >>> [one.words("en") for one in differences(of("per<10", 20), of("per<8", 5))]
    [('Buy › Conditions › A › Formula', 'per<10', 'per<8'), ('Sizing › Most holdings', '20', '5')]
    """
    return tuple(_compare("", before.model_dump(mode="json"), after.model_dump(mode="json")))


def field_name(path: str, language: Language) -> str:
    """Path of a field in words; what it holds that has a name of its own stays as it is.

    >>> field_name("exit.stop.level", "ko")
    '매도 › 손절 › 폭'
    """
    which = 0 if language == "ko" else 1
    return " › ".join(_NAMES[part][which] if part in _NAMES else part for part in path.split("."))


def _compare(path: str, before: Any, after: Any) -> Iterator[Difference]:
    before, after = _by_key(before), _by_key(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _compare(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
    elif before != after:
        yield Difference(path=path, before=before, after=after)


def _by_key(value: Any) -> Any:
    """A list of objects as an object, so that a part that moved or was put in does not shift all behind it."""
    if not (isinstance(value, list) and value and all(isinstance(part, dict) for part in value)):
        return {} if value == [] else value
    found: dict[str, Any] = {}
    for number, part in enumerate(value):
        name = next((str(part[key]) for key in _KEYED if part.get(key)), str(number + 1)).replace(".", "·")
        found[name if name not in found else f"{name} ({number + 1})"] = part
    return found


def _value(value: Any, language: Language) -> str:
    if value is None or value == {}:
        return "—"
    if isinstance(value, bool):
        return (("아니요", "예") if language == "ko" else ("no", "yes"))[value]
    if isinstance(value, dict):
        shown = (f"{field_name(str(key), language)} {_value(part, language)}" for key, part in value.items())
        return ", ".join(text for text in shown if not text.endswith("—"))
    if isinstance(value, list):
        return ", ".join(_value(part, language) for part in value) or "—"
    return f"{value:,}" if isinstance(value, int) else str(value)
