"""What filters, exits, causes and reasons are called, Korean and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["CAUSES", "FILTERS", "KINDS", "MODES", "REASONS", "Language", "named"]

Language = Literal["ko", "en"]
Names = Mapping[str, tuple[str, str]]

FILTERS: Final[Names] = {
    "listed": ("상장 종목", "Listed"),
    "market": ("시장", "Market"),
    "symbols": ("지정한 종목", "Named symbols"),
    "sectors": ("업종", "Sector"),
    "index": ("지수 구성종목", "Index member"),
    "theme": ("테마", "Theme"),
    "exclude_symbols": ("제외한 종목", "Excluded symbols"),
    "exclude_sectors": ("제외한 업종", "Excluded sectors"),
    "exclude_preferred": ("우선주 제외", "No preferred shares"),
    "exclude_spac": ("스팩 제외", "No SPACs"),
    "exclude_reit": ("리츠 제외", "No REITs"),
    "exclude_etf": ("ETF 제외", "No ETFs"),
    "exclude_foreign": ("외국기업 제외", "No foreign companies"),
    "exclude_administrative": ("관리종목 제외", "No administrative issues"),
    "exclude_attention": ("투자주의환기종목 제외", "No attention issues"),
    "exclude_caution": ("투자주의종목 제외", "No caution issues"),
    "exclude_warning": ("투자경고종목 제외", "No warning issues"),
    "exclude_risk": ("투자위험종목 제외", "No risk issues"),
    "exclude_overheated": ("단기과열종목 제외", "No overheated issues"),
    "exclude_unfaithful": ("불성실공시법인 제외", "No unfaithful disclosers"),
    "exclude_clearance": ("정리매매 종목 제외", "No clearance sales"),
    "exclude_halted": ("거래정지 종목 제외", "No halted stocks"),
    "exclude_financial": ("금융업 제외", "No financial companies"),
    "min_listed_sessions": ("상장 후 거래일 수", "Sessions since listing"),
    "min_price_krw": ("최저 주가", "Lowest price"),
    "min_trading_value_krw": ("20일 평균 거래대금", "20-session mean traded value"),
    "top_market_cap": ("시가총액 순위", "Place by market cap"),
    "top_trading_value": ("거래대금 순위", "Place by traded value"),
}
CAUSES: Final[Names] = {
    "entry": ("매수 조건", "conditions to buy"),
    "rebalance": ("리밸런싱", "rebalancing"),
    "target": ("익절", "take profit"),
    "stop": ("손절", "stop loss"),
    "trailing": ("트레일링 스톱", "trailing stop"),
    "max_holding": ("최대 보유 기간", "longest holding reached"),
    "exit_rule": ("매도 조건", "condition to sell"),
    "rank": ("순위 하락", "rank fell"),
    "entry_failed": ("매수 조건 이탈", "conditions to buy no longer hold"),
    "market_filter": ("시장 필터", "market filter"),
    "delisting": ("상장폐지", "delisting"),
}
REASONS: Final[Names] = {
    "cash": ("현금 부족", "not enough cash"),
    "halted": ("거래정지", "trading halt"),
    "limit_up": ("상한가", "at the upper price limit"),
    "limit_down": ("하한가", "at the lower price limit"),
    "participation": ("거래량 한도", "share of the day's volume"),
    "not_reached": ("지정가 미도달", "limit price not reached"),
    "no_price": ("가격 없음", "no price"),
    "delisted": ("상장폐지", "delisted"),
    "not_listed": ("미상장", "not listed"),
    "max_holdings": ("빈자리 없음", "no free place"),
    "minimum_order": ("최소 주문금액 미만", "below the smallest order"),
    "max_new": ("하루 신규 매수 한도", "most new positions of the session reached"),
    "superseded": ("이후 결정으로 대체", "replaced by a later decision"),
    "position_closed": ("보유 종료", "position already closed"),
    "consolidated": ("주식 병합으로 소멸", "gone in a share consolidation"),
    "end_of_run": ("테스트 종료", "end of the test"),
}
KINDS: Final[Names] = {key: CAUSES[key] for key in CAUSES if key not in ("entry", "rebalance", "delisting")}
MODES: Final[Names] = {
    "next_open": ("시가", "at the open"),
    "next_close": ("종가", "at the close"),
    "limit": ("지정가", "limit"),
    "vwap_proxy": ("장중 평균가", "average price of the session"),
    "trigger": ("장중 지정 조건", "price trigger"),
}


def named(names: Names, code: str, language: Language) -> str:
    """The name of a code; the code itself where none is known.

    >>> named(REASONS, "halted", "ko"), named(REASONS, "halted", "en")
    ('거래정지', 'trading halt')
    """
    found = names.get(code)
    return code if found is None else found[language == "en"]
