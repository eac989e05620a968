"""What each input of a formula is, in which unit, and which data bring it (docs/factors.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stocklab.factors.vocabulary import DERIVED, ITEMS
from stocklab.market.fundamentals import SHARE_COUNT_ITEMS

__all__ = ["INPUTS", "NEEDS", "InputInfo", "Need"]


class Need(StrEnum):
    """What must be imported for an input to be there."""

    BARS = "bars"
    RAW_BARS = "raw_bars"
    INDICES = "indices"
    RATES = "rates"
    SHARE_STRUCTURE = "share_structure"
    INVESTOR_FLOWS = "investor_flows"
    FOREIGN_HOLDINGS = "foreign_holdings"
    SHORT_SALES = "short_sales"
    SECTORS = "instruments"
    STATEMENTS = "statements"
    MARKET_FACTORS = "market_factors"
    NOTHING = "nothing"


NEEDS: Final[Mapping[Need, tuple[str, str]]] = MappingProxyType(
    {
        Need.BARS: ("일별 시세", "daily bars"),
        Need.RAW_BARS: (
            "시가총액이 있는 원주가 시세(예: marcap*)",
            "raw daily bars with market cap (such as marcap*)",
        ),
        Need.INDICES: ("지수(krx_index_daily*)", "indices (krx_index_daily*)"),
        Need.RATES: ("금리(rates*)", "interest rates (rates*)"),
        Need.SHARE_STRUCTURE: (
            "유동주식수·자기주식수(share_structure*)",
            "free float and treasury shares (share_structure*)",
        ),
        Need.INVESTOR_FLOWS: ("투자자별 순매수(investor_flows*)", "net buying by investor (investor_flows*)"),
        Need.FOREIGN_HOLDINGS: ("외국인 보유수량(foreign_holdings*)", "foreign holdings (foreign_holdings*)"),
        Need.SHORT_SALES: ("공매도(short_sales*)", "short sales (short_sales*)"),
        Need.SECTORS: ("업종(krx_sectors*)", "sectors (krx_sectors*)"),
        Need.STATEMENTS: (
            "이 항목이 있는 재무제표(dart_statements*, statements*)",
            "company statements with this item (dart_statements*, statements*)",
        ),
        Need.MARKET_FACTORS: (
            "시가총액이 있는 원주가 시세와 재무제표(두 해 이상)",
            "raw daily bars with market cap, and statements of two years or more",
        ),
        Need.NOTHING: ("", ""),
    }
)
"""Each in Korean and English, with the names of the files `stocklab data import` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputInfo:
    """One input: what it means in Korean and English; ``unit`` as in the catalogue, "" for a plain number."""

    name: str
    unit: str
    need: Need
    meaning_ko: str
    meaning_en: str


_FIELD_ROWS: Final = (
    ("open", "KRW", Need.BARS, "수정주가의 시가", "Opening price, adjusted"),
    ("high", "KRW", Need.BARS, "수정주가의 고가", "Highest price, adjusted"),
    ("low", "KRW", Need.BARS, "수정주가의 저가", "Lowest price, adjusted"),
    (
        *("close", "KRW", Need.BARS),
        "액면변경·증자·감자 등을 반영하고 현금배당은 반영하지 않은 종가",
        "Closing price, adjusted for splits, rights, reductions and the like, not for cash dividends",
    ),
    ("volume", "shares", Need.BARS, "주가와 같은 비율로 수정한 거래량", "Shares traded, adjusted as the price is"),
    ("open_raw", "KRW", Need.RAW_BARS, "그날 실제로 거래된 시가", "Opening price as traded"),
    ("high_raw", "KRW", Need.RAW_BARS, "그날 실제로 거래된 고가", "Highest price as traded"),
    ("low_raw", "KRW", Need.RAW_BARS, "그날 실제로 거래된 저가", "Lowest price as traded"),
    ("close_raw", "KRW", Need.RAW_BARS, "그날 실제로 거래된 종가", "Closing price as traded"),
    ("volume_raw", "shares", Need.RAW_BARS, "그날 실제 거래량", "Shares as traded"),
    ("tv", "KRW", Need.BARS, "거래소가 발표한 거래대금", "Value traded, as the exchange publishes it"),
    (
        *("mkt_close", "", Need.INDICES),
        "코스피 종목은 코스피, 코스닥 종목은 코스닥 지수의 종가",
        "Close of the index of the stock's own market, KOSPI or KOSDAQ",
    ),
    ("rf", "", Need.RATES, "CD 91일물 금리의 하루치", "A day's part of the 91-day CD rate"),
    ("smb", "", Need.MARKET_FACTORS, "소형주 − 대형주 수익률", "Return of small less that of large stocks"),
    ("hml", "", Need.MARKET_FACTORS, "가치주 − 성장주 수익률", "Return of value less that of growth stocks"),
    ("mcap", "KRW", Need.RAW_BARS, "보통주 상장주식수 × 종가", "Listed common shares times the close"),
    (
        *("mcap_pref", "KRW", Need.RAW_BARS),
        "같은 회사의 상장 우선주 시가총액 합, 없으면 0",
        "Market cap of the issuer's listed preferred classes, 0 where there are none",
    ),
    ("shares_listed", "shares", Need.RAW_BARS, "그날의 보통주 상장주식수", "Listed common shares of the day"),
    ("shares_float", "shares", Need.SHARE_STRUCTURE, "시장에서 유통되는 주식수", "Shares in free float"),
    ("shares_treasury", "shares", Need.SHARE_STRUCTURE, "회사가 가진 자기주식", "Shares the company itself holds"),
    (
        *("split_ratio", "", Need.RAW_BARS),
        "액면변경 효력일의 1주당 새 주식수, 그 밖의 날은 1",
        "New shares per old share on the day of a split or consolidation, else 1",
    ),
    ("list_age", "days", Need.BARS, "상장 첫날을 1로 센 거래일 수", "Sessions since listing, the first is 1"),
    ("frgn_net", "KRW", Need.INVESTOR_FLOWS, "외국인의 매수 − 매도", "Bought less sold by foreigners"),
    ("inst_net", "KRW", Need.INVESTOR_FLOWS, "기관의 매수 − 매도", "Bought less sold by institutions"),
    ("pension_net", "KRW", Need.INVESTOR_FLOWS, "연기금의 매수 − 매도", "Bought less sold by pension funds"),
    (
        *("frgn_shares", "shares", Need.FOREIGN_HOLDINGS),
        "외국인이 가진 주식수(하루 늦게 확정)",
        "Shares foreigners hold, confirmed a session later",
    ),
    (
        "short_vol",
        "shares",
        Need.SHORT_SALES,
        "공매도 수량(이틀 늦게 공개)",
        "Shares sold short, public two sessions later",
    ),
    ("short_bal", "shares", Need.SHORT_SALES, "공매도 잔고(이틀 늦게 공개)", "Shares short, public two sessions later"),
    ("cal_month", "", Need.NOTHING, "거래소 달력의 월(1~12)", "Month of the exchange calendar, 1 to 12"),
    ("cal_tdom", "", Need.NOTHING, "그달의 몇 번째 거래일인지", "Number of the session in its month, the first is 1"),
    ("cal_tdleft", "", Need.NOTHING, "그달에 남은 거래일 수", "Sessions left in the month, the last is 0"),
    (
        *("days_since_filing", "days", Need.STATEMENTS),
        "가장 최근 분기 보고서가 공개된 뒤 지난 날짜 수",
        "Calendar days since the newest quarter became public",
    ),
    ("sector", "", Need.SECTORS, "거래소 업종 분류", "Industry class of the exchange"),
)

_ITEM_MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "operating_income": (
        "매출총이익 − 판매비와관리비(한국 기준)",
        "Gross profit less selling and administrative expense",
    ),
    "net_income": ("비지배지분을 포함한 순이익", "Profit including that of non-controlling interests"),
    "net_income_parent": (
        "지배기업 주주 몫의 순이익, 별도재무제표는 당기순이익",
        "Profit of the parent's owners; in separate statements the whole profit",
    ),
    "equity_parent": (
        "지배기업 주주 몫의 자본, 별도재무제표는 자본총계",
        "Equity of the parent's owners; in separate statements the whole equity",
    ),
    "capex": ("유형·무형자산을 사는 데 쓴 현금", "Cash spent on tangible and intangible assets"),
    "dep_amort": ("현금흐름표나 주석의 감가상각·무형자산상각", "From the cash-flow statement or the notes"),
    "finance_costs": ("환·파생손실이 섞여 이자비용과 다름", "Holds currency and derivative losses: not the interest"),
    "dps": (
        "보통주 1주당 현금배당, 기준일의 주식 수에 맞춤",
        "Cash dividend per common share, on the share basis of the day",
    ),
    "eps_reported": ("공시된 주당이익(점검용)", "As the company reports it, for checks only"),
    "shares_issued": ("보통주+우선주 발행주식, 기준일의 주식 수에 맞춤", "All classes, on the share basis of the day"),
    "st_debt": ("1년 안에 갚을 차입금과 유동성 장기부채", "Due within a year, with the current part of long-term debt"),
    "lt_debt": ("1년 뒤에 갚을 차입금과 사채", "Loans and bonds due later than a year"),
    "lease_liab": ("리스부채(2019년부터)", "Lease liabilities, from 2019 on"),
    "st_fin": ("예금·단기투자자산", "Deposits and short-term investments"),
}
_ZERO_WHERE_ABSENT: Final = frozenset(
    {
        *("capex", "dividends_paid", "share_repurchase", "share_issuance", "st_fin", "inventories", "ppe"),
        *("intangibles", "st_debt", "lt_debt", "lease_liab", "minority", "dps"),
    }
)
_PARAMETER_ROWS: Final = (
    ("p_req_ret", "%", "주주가 요구하는 연 수익률", "Return on equity that owners require, a year"),
    ("p_persist", "", "초과이익이 이어지는 정도(1 = 영구)", "How far excess return persists, 1 = for ever"),
    ("p_tax_default", "", "실효세율을 쓸 수 없을 때의 세율", "Tax rate where the effective one means nothing"),
)
_DERIVED_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("tr", "tp", "mcap_all", "debt", "cash_like", "net_debt", "ev", "ebitda", "fcf", "nopat"),
            *("invested_capital", "eps", "eps_q", "bps", "tenkan", "kijun", "span_a", "span_b"),
        ),
        "KRW",
    ),
    "cfo_to_assets": "%",
    "roc_greenblatt": "%",
}


def _item(name: str, flow: bool) -> InputInfo:
    kind = ("분기 금액", "amount of a quarter") if flow else ("분기말 잔액", "balance at quarter end")
    absent = ("없으면 0", "0 where the line is missing") if name in _ZERO_WHERE_ABSENT else ("", "")
    words = [
        " · ".join(part for part in (_ITEM_MEANINGS.get(name, ("", ""))[place], kind[place], absent[place]) if part)
        for place in (0, 1)
    ]
    unit = "shares" if name in SHARE_COUNT_ITEMS else "KRW"
    return InputInfo(name=name, unit=unit, need=Need.STATEMENTS, meaning_ko=words[0], meaning_en=_capital(words[1]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _all() -> dict[str, InputInfo]:
    rows = [
        InputInfo(name=name, unit=unit, need=need, meaning_ko=korean, meaning_en=english)
        for name, unit, need, korean, english in _FIELD_ROWS
    ]
    rows += [_item(item.name, item.flow) for item in ITEMS.values()]
    rows += [
        InputInfo(name=name, unit=unit, need=Need.NOTHING, meaning_ko=korean, meaning_en=english)
        for name, unit, korean, english in _PARAMETER_ROWS
    ]
    rows += [
        InputInfo(
            name=name,
            unit=_DERIVED_UNITS.get(name, ""),
            need=Need.NOTHING,
            meaning_ko=derived.formula,
            meaning_en=derived.formula,
        )
        for name, derived in DERIVED.items()
    ]
    return {row.name: row for row in rows}


INPUTS: Final[Mapping[str, InputInfo]] = MappingProxyType(_all())
"""Every field, item, parameter and derived input; what a derived input means is its formula."""
