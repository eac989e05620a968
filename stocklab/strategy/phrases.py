"""Small pieces of the sentences about a strategy, Korean and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stocklab.strategy.labels import Language

__all__ = ["listed", "named", "pick"]

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


def pick(language: Language, korean: str, english: str) -> str:
    """The one of two forms that is in the language."""
    return korean if language == "ko" else english


def named(key: str, language: Language) -> str:
    """What a code of the document, such as ``weekly`` or ``KOSPI``, is called inside a sentence."""
    return _NAMES[key][language == "en"]


def listed(items: Sequence[str], language: Language) -> str:
    """Several words in a row.

    >>> listed(["코스피", "코스닥"], "ko"), listed(["KOSPI", "KOSDAQ", "KONEX"], "en")
    ('코스피·코스닥', 'KOSPI, KOSDAQ and KONEX')
    """
    if language == "ko":
        return "·".join(items)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
