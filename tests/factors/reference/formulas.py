"""Formulas to compare: one for every function, and random ones of any kind."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from reference.documents import ITEMS

__all__ = ["EVERY_FUNCTION", "random_formulas"]

EVERY_FUNCTION: Final = (
    "abs(ret1)-sign(ret1)",
    "log(close-15000)+exp(ret1*9)+sqrt(delta(close,3))",
    "max(open,lag(close,2),low)-min(open,lag(close,2),low)",
    "clip(ret1,-0.01,0.01)+pos(ret1)",
    "nz(pos(ret1))+coalesce(lag(close,30),lag(open,5),7)",
    "navg(lag(close,20),mcap,lag(low,30),short_vol)",
    "where(ret1,close,pos(-volume))+where(ret1>0,1,2)",
    "growth(ttm(net_income),close)+growth(close,lag(close,5))",
    "cagr(close,lag(close,9),2.5)",
    "(close-15000)**3+abs(ret1)**0.5+ret1**-1+coalesce((-8)**(1/3),close**-3)",
    "(ret1>0)&(volume>500000)|~(close>=open)",
    "(close==lag(close,1))+(close!=open)+(close<=open)+(low<high)",
    "-close**2+(-close)**2+2**-1",
    "qtr(revenue,2)-qtr(cfo)+qtr(dps,1)",
    "ttm(revenue,3)+ttm(capex)",
    "mrq(total_assets,2)*mrq(shares_issued,5)",
    "qlag(ttm(net_income)/mrq(total_assets),2)",
    "qdelta(qtr(operating_income)>0,3)",
    "avg2(mrq(equity_parent)/mrq(minority))",
    "qmean(qtr(revenue),6)+qstd(qtr(cfo),3)+qmean(mrq(cash),1)",
    "qstreak(qtr(net_income)>0)",
    "qlag(nz(ttm(cfo)),12)+qstreak(nz(qtr(cfo))>=0)",
    "nz(qlag(mrq(cash),25))-coalesce(ttm(rnd_expense),mrq(cash),3)",
    "qdelta(nz(qtr(revenue)),1)",
    "lag(close,7)+delta(close,3)+ret(mkt_close,5)",
    "lag(roe,5)+tmean(pbr,4)+tcount(per>10,3,minobs=1)",
    "sma(close,5)+tmean(close,9,minobs=3)",
    "tsum(volume,6)+tsum(short_vol,6,minobs=1)",
    "tmax(high,7)-tmin(low,7)",
    "tmax(high,11,minobs=2)-tmin(low,11,minobs=4)",
    "tcount(ret1>0,10)+tcount(ret1,12,minobs=5)",
    "tstd(close,8,1)+tstd(ret1,8,0,minobs=2)",
    "tmeandev(close,8)+tmeandev(tp,13,minobs=4)",
    "tskew(ret1,12)",
    "tskew(volume,15,minobs=5)",
    "tquantile(ret1,13,0.3)+tquantile(tv,10,0.9,minobs=4)",
    "ttailmean(ret1,15,0.2)+ttailmean(mcap,9,0.5,minobs=2)",
    "ttopmean(ret1,10,3)+ttopmean(volume,9,4,minobs=2)",
    "tpctrank(close,12)+tpctrank(tv,20,minobs=6)",
    "targmax(high,9)+targmin(low,9)",
    "targmax(tv,9,minobs=3)-targmin(mcap,14,minobs=2)",
    "tmdd(close,15)+tmdd(mcap,11,minobs=3)",
    "tslope(close,10)",
    "tslope(mcap,10,minobs=4)",
    "tr2(close,10)+tr2(tv,12,minobs=6)",
    "tcorr(ret1,mret1,12)+tcorr(close,volume,12,minobs=6)",
    "tbeta(ret1,mret1,12)+tbeta(tv,volume,9,minobs=5)",
    "tbeta_down(ret1,mret1,20)",
    "tbeta_down(ret1,mret1,25,minobs=10)",
    "tcoskew(ret1,mret1,18)",
    "tcoskew(ret1,mret1,20,minobs=9)",
    "tolsstd(ret1,15,2,mret1,smb)",
    "tolsstd(ret1,20,0,mret1,smb,hml,minobs=9)",
    "tolsres_ir(ret1,30,20,3,mret1,hml)",
    "tolsres_ir(ret1,30,25,1,mret1,minobs=20)",
    "streak(ret1>0)-streak(frgn_net<0)",
    "bars_since(ret1>0.02)+bars_since(volume==0)",
    "ema(close,5)-ema(mcap,4,3)",
    "rma(ret1,6)*1000",
    "wsum(tr,7)+wsum(short_vol,3)",
    "psar(high,low,0.02,0.2)-psar(low,low-9,0.1,0.1)",
    "obv_line(close,volume)",
    "cs_spread1(high,low,close)",
    "xrank(close)+xrank(roe,1)",
    "xpct(volume)",
    "xz(ret1)",
    "xzr(per)",
    "xwinsor(ret1,0.1,0.8)",
    "xmedian_by(ret1,sector)+xwmean_by(ret1,lag(mcap,1),sector)",
    "lag(xpct(close),3)*tmean(xrank(pbr),4,minobs=2)",
    "cal_month+cal_tdom*cal_tdleft+days_since_filing+list_age",
    "p_req_ret*p_persist-p_tax_default*close",
    "100*(1-0.5)/3",
    "mkt_close/lag(mkt_close,4)-rf",
)
"""At least one formula for each function of sections 2.3, 5 and 6, with ``minobs`` where it is allowed."""

_FLOWS = sorted(
    item for item, kind in ITEMS.items() if kind == "flow" and item not in ("finance_income", "eps_reported")
)
_STOCKS = sorted(item for item, kind in ITEMS.items() if kind == "stock")
_DAILY_LEAVES = ("close", "open", "high", "low", "volume", "tv", "mcap", "ret1", "frgn_net", "roe", "pbr", "eps_q")
_OPERATORS = ("+", "-", "*", "/", ">", "<=", "!=", "&", "|")
_WINDOWS = ("sma", "tsum", "tmax", "tmin", "tcount", "tmdd", "targmax", "targmin", "tpctrank")
_BARS = ("lag", "delta", "ema", "rma", "wsum")
_back = st.integers(0, 9).map(str)
_length = st.integers(1, 14).map(str)


def _call(names: tuple[str, ...], *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(names), *arguments).map(lambda parts: f"{parts[0]}({','.join(parts[1:])})")


def _combined(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Operators and element-wise functions, which go for every kind."""
    return (
        st.tuples(values, st.sampled_from(_OPERATORS), values).map(lambda parts: f"({parts[0]}){parts[1]}({parts[2]})")
        | _call(("abs", "sign", "pos", "nz", "sqrt"), values)
        | _call(("max", "min", "coalesce", "navg", "growth"), values, values)
        | _call(("where",), values, values, values)
        | values.map(lambda value: f"-({value})")
        | values.map(lambda value: f"({value})**2")
    )


_quarterly = st.recursive(
    _call(("ttm", "qtr"), st.sampled_from(_FLOWS), _back) | _call(("mrq",), st.sampled_from(_STOCKS), _back),
    lambda inner: (
        _combined(inner)
        | _call(("qlag", "qdelta", "qmean"), inner, _length)
        | _call(("avg2",), inner)
        | _call(("qstreak",), inner.map(lambda value: f"({value})>0"))
    ),
    max_leaves=4,
)
random_formulas: Final = st.recursive(
    st.sampled_from(_DAILY_LEAVES) | _quarterly,
    lambda inner: (
        _combined(inner)
        | _call(_WINDOWS, inner.map(lambda value: f"({value})+0*close"), _length)
        | _call(_BARS, inner.map(lambda value: f"({value})+0*close"), _length)
        | _call(("streak", "bars_since"), inner.map(lambda value: f"({value})>0*close"))
        | _call(("xrank", "xpct"), inner)
    ),
    max_leaves=6,
)
"""Any formula: quarterly and daily parts mixed, nulls made and filled."""
