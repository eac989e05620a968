"""Names a formula may use: fields, statement items, parameters, derived inputs (docs/factors.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

__all__ = ["DERIVED", "FIELDS", "ITEMS", "PARAMETERS", "Derived", "Field", "Item", "Kind", "Parameter"]


class Kind(StrEnum):
    """What a value is spread over (docs/factors.md, section 2.1)."""

    NUMBER = "number"
    DAILY = "daily"
    QUARTERLY = "quarterly"
    ITEM = "item"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Field:
    """A daily field."""

    name: str
    name_ko: str
    kind: Kind = Kind.DAILY


@dataclass(frozen=True, slots=True)
class Item:
    """A financial statement item; ``flow`` items are summed over quarters, the others are balances."""

    name: str
    name_ko: str
    flow: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number users may want to change; today its default."""

    name: str
    default: float


@dataclass(frozen=True, slots=True)
class Derived:
    """An intermediate quantity: a name for a formula."""

    name: str
    name_ko: str
    formula: str


_Row = TypeVar("_Row", Field, Item, Parameter, Derived)


def _table(*rows: _Row) -> Mapping[str, _Row]:
    return MappingProxyType({row.name: row for row in rows})


FIELDS: Final = _table(
    Field("open", "수정시가"),
    Field("high", "수정고가"),
    Field("low", "수정저가"),
    Field("close", "수정종가"),
    Field("volume", "수정거래량"),
    Field("open_raw", "원시가"),
    Field("high_raw", "원고가"),
    Field("low_raw", "원저가"),
    Field("close_raw", "원종가"),
    Field("volume_raw", "원거래량"),
    Field("tv", "거래대금"),
    Field("mkt_close", "소속시장 지수 종가"),
    Field("rf", "무위험수익률(일)"),
    Field("smb", "규모 팩터 일간수익률"),
    Field("hml", "가치 팩터 일간수익률"),
    Field("mcap", "시가총액"),
    Field("mcap_pref", "우선주 시가총액"),
    Field("shares_listed", "상장주식수"),
    Field("shares_float", "유동주식수"),
    Field("shares_treasury", "자기주식수"),
    Field("split_ratio", "액면변경 비율"),
    Field("list_age", "상장 경과 거래일"),
    Field("frgn_net", "외국인 순매수대금"),
    Field("inst_net", "기관 순매수대금"),
    Field("pension_net", "연기금 순매수대금"),
    Field("frgn_shares", "외국인 보유수량"),
    Field("short_vol", "공매도 거래량"),
    Field("short_bal", "공매도 잔고수량"),
    Field("cal_month", "월"),
    Field("cal_tdom", "월중 거래일 순번"),
    Field("cal_tdleft", "월중 잔여 거래일"),
    Field("days_since_filing", "공시 경과일"),
    Field("sector", "업종", kind=Kind.GROUP),
)

ITEMS: Final = _table(
    Item("revenue", "매출액", True),
    Item("cogs", "매출원가", True),
    Item("gross_profit", "매출총이익", True),
    Item("sga", "판매비와관리비", True),
    Item("operating_income", "영업이익", True),
    Item("finance_income", "금융수익", True),
    Item("finance_costs", "금융원가", True),
    Item("interest_expense", "이자비용", True),
    Item("pretax_income", "법인세비용차감전순이익", True),
    Item("income_tax", "법인세비용", True),
    Item("net_income", "당기순이익", True),
    Item("net_income_parent", "지배주주순이익", True),
    Item("rnd_expense", "연구개발비", True),
    Item("dep_amort", "감가상각비", True),
    Item("cfo", "영업활동현금흐름", True),
    Item("cfi", "투자활동현금흐름", True),
    Item("cff", "재무활동현금흐름", True),
    Item("capex", "유형·무형자산 취득", True),
    Item("dividends_paid", "배당금 지급", True),
    Item("share_repurchase", "자기주식 취득", True),
    Item("share_issuance", "주식 발행", True),
    Item("dps", "주당 현금배당금", True),
    Item("eps_reported", "공시 기본주당이익", True),
    Item("total_assets", "자산총계", False),
    Item("current_assets", "유동자산", False),
    Item("cash", "현금및현금성자산", False),
    Item("st_fin", "단기금융상품", False),
    Item("receivables", "매출채권", False),
    Item("inventories", "재고자산", False),
    Item("noncurrent_assets", "비유동자산", False),
    Item("ppe", "유형자산", False),
    Item("intangibles", "무형자산", False),
    Item("total_liabilities", "부채총계", False),
    Item("current_liabilities", "유동부채", False),
    Item("noncurrent_liabilities", "비유동부채", False),
    Item("payables", "매입채무", False),
    Item("st_debt", "단기차입금", False),
    Item("lt_debt", "장기차입금", False),
    Item("lease_liab", "리스부채", False),
    Item("total_equity", "자본총계", False),
    Item("equity_parent", "지배기업소유주지분", False),
    Item("minority", "비지배지분", False),
    Item("issued_capital", "자본금", False),
    Item("capital_surplus", "자본잉여금", False),
    Item("retained_earnings", "이익잉여금", False),
    Item("shares_issued", "발행주식총수", False),
)

PARAMETERS: Final = _table(
    Parameter("p_req_ret", 8.0),
    Parameter("p_persist", 0.9),
    Parameter("p_tax_default", 0.22),
)

DERIVED: Final = _table(
    Derived("ret1", "일간 수익률", "ret(close,1)"),
    Derived("mret1", "시장 일간 수익률", "ret(mkt_close,1)"),
    Derived("tr", "실질 변동폭", "max(high-low,abs(high-lag(close,1)),abs(low-lag(close,1)))"),
    Derived("tp", "대표가격", "(high+low+close)/3"),
    Derived("mcap_all", "총시가총액", "mcap+mcap_pref"),
    Derived("debt", "총차입금", "mrq(st_debt)+mrq(lt_debt)+mrq(lease_liab)"),
    Derived("cash_like", "현금성자산+단기금융상품", "mrq(cash)+mrq(st_fin)"),
    Derived("net_debt", "순차입금", "debt-cash_like"),
    Derived("ev", "기업가치", "mcap_all+net_debt+mrq(minority)"),
    Derived("ebitda", "EBITDA", "ttm(operating_income)+ttm(dep_amort)"),
    Derived("fcf", "잉여현금흐름", "ttm(cfo)-ttm(capex)"),
    Derived("tax_rate", "유효세율", "coalesce(clip(ttm(income_tax)/pos(ttm(pretax_income)),0,0.35),p_tax_default)"),
    Derived("nopat", "세후영업이익", "ttm(operating_income)*(1-tax_rate)"),
    Derived("invested_capital", "투하자본", "mrq(total_equity)+debt-cash_like"),
    Derived("eps", "주당순이익", "ttm(net_income_parent)/pos(mrq(shares_issued))"),
    Derived("eps_q", "분기 주당순이익", "qtr(net_income_parent)/pos(mrq(shares_issued))"),
    Derived("bps", "주당순자산", "mrq(equity_parent)/pos(mrq(shares_issued))"),
    Derived("cfo_to_assets", "영업현금흐름/자산", "100*ttm(cfo)/pos(mrq(total_assets))"),
    Derived(
        "roc_greenblatt",
        "그린블라트 자본수익률",
        "100*ttm(operating_income)/pos(max(mrq(current_assets)-cash_like"
        "-(mrq(current_liabilities)-mrq(st_debt)),0)+mrq(ppe))",
    ),
    Derived("tenkan", "전환선", "(tmax(high,9)+tmin(low,9))/2"),
    Derived("kijun", "기준선", "(tmax(high,26)+tmin(low,26))/2"),
    Derived("span_a", "선행스팬1", "lag((tenkan+kijun)/2,25)"),
    Derived("span_b", "선행스팬2", "lag((tmax(high,52)+tmin(low,52))/2,25)"),
    Derived(
        "qmj_profitability",
        "QMJ 수익성",
        "xzr(navg(xzr(gpa),xzr(roe),xzr(roa),xzr(cfo_to_assets),xzr(gross_margin),-xzr(accruals_cf)))",
    ),
    Derived(
        "qmj_growth",
        "QMJ 성장성",
        "xzr(navg(xzr(qdelta(gpa,20)),xzr(qdelta(roe,20)),xzr(qdelta(roa,20)),"
        "xzr(qdelta(cfo_to_assets,20)),xzr(qdelta(gross_margin,20))))",
    ),
    Derived(
        "qmj_safety",
        "QMJ 안정성",
        "xzr(navg(-xzr(beta_252d),-xzr(borrowings_ratio),-xzr(ohlson_o),xzr(altman_z),-xzr(roe_stability_5y)))",
    ),
)
