"""What factors, fields, functions and numbers are called in Korean and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS
from stocklab.strategy.input_names import ENGLISH_INPUT_NAMES
from stocklab.strategy.notation import number_text

__all__ = ["Language", "label", "money", "noun", "percent", "quantity", "unit_of"]

Language = Literal["ko", "en"]

_FIELDS: Final[Mapping[str, tuple[str, str, str]]] = {
    # name: Korean, English, unit (docs/factors.md, inputs)
    "open": ("시가", "Open", "KRW"),
    "high": ("고가", "High", "KRW"),
    "low": ("저가", "Low", "KRW"),
    "close": ("종가", "Close", "KRW"),
    "volume": ("거래량", "Volume", "shares"),
    "open_raw": ("원시가", "Raw open", "KRW"),
    "high_raw": ("원고가", "Raw high", "KRW"),
    "low_raw": ("원저가", "Raw low", "KRW"),
    "close_raw": ("원종가", "Raw close", "KRW"),
    "volume_raw": ("원거래량", "Raw volume", "shares"),
    "tv": ("거래대금", "Trading value", "KRW"),
    "mkt_close": ("시장지수 종가", "Market index", "points"),
    "rf": ("무위험수익률", "Risk-free rate", ""),
    "mcap": ("시가총액", "Market cap", "KRW"),
    "mcap_pref": ("우선주 시가총액", "Preferred market cap", "KRW"),
    "mcap_all": ("총시가총액", "Total market cap", "KRW"),
    "shares_listed": ("상장주식수", "Listed shares", "shares"),
    "shares_float": ("유동주식수", "Float shares", "shares"),
    "list_age": ("상장 경과일", "Sessions since listing", "days"),
    "split_ratio": ("액면변경 비율", "Split ratio", ""),
    "cal_month": ("월", "Month", ""),
    "cal_tdom": ("월중 거래일 순번", "Session of the month", ""),
    "cal_tdleft": ("월중 잔여 거래일", "Sessions left in the month", ""),
    "ret1": ("일간 수익률", "Daily return", ""),
    "mret1": ("시장 일간 수익률", "Daily market return", ""),
    "tr": ("실질 변동폭(TR)", "True range", "KRW"),
    "tp": ("대표가격", "Typical price", "KRW"),
    "sector": ("업종", "Sector", ""),
    "stocks": ("주식", "stocks", ""),
    "coins": ("코인", "coins", ""),
}

_PERSONS: Final = (
    *("Altman", "Amihud", "Beneish", "Bollinger", "Chaikin", "Corwin", "Donchian", "Frazzini", "Garman", "Graham"),
    *("Halloween", "Ichimoku", "Keltner", "Ohlson", "Parkinson", "Piotroski", "Sharpe", "Sloan", "Sortino", "Wilder"),
    *("Williams", "Yang", "Zmijewski"),
)
_EOK: Final = 100_000_000
_JO: Final = 10_000 * _EOK


def label(name: str, language: Language) -> str:
    """Name of a factor, field, statement item or derived input for people; the id itself where none is known.

    >>> label("close", "ko"), label("close", "en")
    ('종가', 'Close')
    """
    if name in CATALOGUE:
        factor = CATALOGUE[name]
        return factor.name_ko if language == "ko" else factor.name_en
    if name in _FIELDS:
        return _FIELDS[name][language == "en"]
    if language == "en":
        return ENGLISH_INPUT_NAMES.get(name, name)
    known = ITEMS.get(name) or FIELDS.get(name) or DERIVED.get(name)
    return known.name_ko if known else name


def noun(name: str, language: Language) -> str:
    """The name as it stands inside a sentence: English ones begin small unless named after a person.

    >>> noun("volatility_20d", "en"), noun("sharpe_252d", "en"), noun("rsi_14", "ko")
    ('volatility, 20 days', 'Sharpe ratio of the stock, 252 days', 'RSI(14)')
    """
    text = label(name, language)
    if language == "ko" or not text[1:2].islower() or text.startswith(_PERSONS):
        return text
    return text[0].lower() + text[1:]


def unit_of(name: str) -> str:
    """Unit of a factor or field as the catalogue writes it, "" where none."""
    if name in CATALOGUE:
        return CATALOGUE[name].unit
    return _FIELDS.get(name, ("", "", ""))[2]


def money(amount_krw: float, language: Language) -> str:
    """An amount in KRW; Korean counts large ones in 억 and 조.

    >>> money(1_000_000_000, "ko"), money(150_000_000, "ko"), money(1000, "ko"), money(1_000_000_000, "en")
    ('10억원', '1.5억원', '1,000원', 'KRW 1,000,000,000')
    """
    if language == "en":
        return f"KRW {_grouped(amount_krw)}"
    for size, name in ((_JO, "조"), (_EOK, "억")):
        if abs(amount_krw) >= size and round(amount_krw / size, 2) * size == amount_krw:
            return f"{_grouped(amount_krw / size)}{name}원"
    return f"{_grouped(amount_krw)}원"


def percent(fraction: float) -> str:
    """A fraction as percent, without needless digits.

    >>> percent(0.00015), percent(0.1)
    ('0.015%', '10%')
    """
    return f"{round(100 * fraction, 6):g}%"


def quantity(value: float, unit: str, language: Language) -> str:
    """A number with its unit.

    >>> quantity(15, "%", "ko"), quantity(10, "x", "ko"), quantity(20, "days", "en"), quantity(20, "rank", "ko")
    ('15%', '10배', '20 sessions', '20위')
    """
    if unit == "KRW":
        return money(value, language)
    number = _grouped(value)
    if language == "ko":
        return number + {"%": "%", "%p": "%p", "x": "배", "days": "일", "shares": "주", "rank": "위"}.get(unit, "")
    return number + {"%": "%", "%p": " percentage points", "x": "x", "days": " sessions", "shares": " shares"}.get(
        unit, ""
    )


def _grouped(value: float) -> str:
    text = number_text(value)
    whole, point, rest = text.partition(".")
    if "e" in text or len(whole.lstrip("-")) < 4:
        return text
    return f"{int(whole):,}{point}{rest}"
