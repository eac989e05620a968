"""Names Korean users type (docs/factors.md, section 13)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import promptly

from stocklab.errors import FormulaError
from stocklab.factors import CATALOGUE, FUNCTIONS, check, translate
from stocklab.factors.naming import KOREAN_FUNCTIONS

TRANSLATED = [
    ("이동평균({PER},{20일}) < 10", "sma(per,20)<10"),
    ("PER < 10", "per<10"),
    ("기본값({ROE}) > 15", "roe>15"),
    ("기본값(ROE) > 15", "roe>15"),
    ("과거값({ROE},{1년})", "lag(roe,252)"),
    ("과거값({ROE},{4분기})", "qlag(roe,4)"),
    ("이동평균({ROE},{8분기})", "qmean(roe,8)"),
    ("변화량_기간({ROE},{1분기})", "qdelta(roe,1)"),
    ("변화율_기간({ROE},{4분기})", "growth(roe,qlag(roe,4))"),
    ("변화율_기간({종가},{1주}) > 5", "growth(close,lag(close,5))>5"),
    ("변화량({거래량},{1개월})", "delta(volume,21)"),
    ("최고값(종가, 52주) <= 종가", "tmax(close,260)<=close"),
    ("최댓값(종가,3달)", "tmax(close,63)"),
    ("기간최저({저가},{20})", "tmin(low,20)"),
    ("비율({ROE},{내림차순}) <= 10", "100*(1-xpct(roe))<=10"),
    ("비율({ROE}) <= 10", "100*(1-xpct(roe))<=10"),
    ("비율({ROE},{오름차순}) <= 10", "100*xpct(roe)<=10"),
    ("1 - 비율({ROE})", "1-100*(1-xpct(roe))"),
    ("1 / 비율({ROE})", "1/(100*(1-xpct(roe)))"),
    ("순위({시가총액}) <= 20", "xrank(market_cap,1)<=20"),
    ("순위(시가총액, 낮은순) <= 20", "xrank(market_cap)<=20"),
    ("rank(시가총액, DESC) <= 20", "xrank(market_cap,1)<=20"),
    ("MA(종가, 20) > average(종가, 60)", "sma(close,20)>sma(close,60)"),
    ("roc(close,20) > 10", "growth(close,lag(close,20))>10"),
    ("20일전값({종가}) < 종가", "lag(close,20)<close"),
    ("이동평균(20일) > 종가", "sma_20>close"),
    ("RSI(14) < 30", "rsi_14<30"),
    ("매출액 성장률(1년) > 10", "revenue_growth_1y>10"),
    ("거래량 증가율(5/20일) > 10", "volume_growth_5_20>10"),
    ("VaR 95%(1년, 일간) < 5", "var95_252d<5"),
    ("EV/EBITDA < 5", "ev_ebitda<5"),
    ("등락률 > 3", "ret_1d>3"),
    ("5일 수익률 > 3", "ret_1w>3"),
    ("ret_5d > 3", "ret_1w>3"),
    ("EPS > 1000", "eps_krw>1000"),
    ("현재가 > 1000", "price_level>1000"),
    ("(PER<10) & (PBR<1)", "(per<10)&(pbr<1)"),
    ("where(PER<10, 1, 0)", "where(per<10,1,0)"),
    ("(PER<10)&(tmean(ROE,20,minobs=10)>3)", "(per<10)&(tmean(roe,20,minobs=10)>3)"),
    ("(PER<10)&(sma(ROE,20,minobs=10)>3)", "(per<10)&(sma(roe,20,minobs=10)>3)"),
    ("이동평균(이동평균({종가},{5일}),{20일})", "sma(sma(close,5),20)"),
    ("변화율({종가}-{시가},{5일})", "growth(close-open,lag(close-open,5))"),
]


@pytest.mark.parametrize(("text", "expected"), TRANSLATED)
def test_translated(text: str, expected: str) -> None:
    assert translate(text) == expected
    assert check(expected).canonical == expected
    assert translate(text.replace(" ", "")) == expected


@pytest.mark.parametrize("text", ["sma( close , 20 )>3", "  close", "lag(close,2*3)", "eps>3", "p_req_ret"])
def test_notation_passes_unchanged(text: str) -> None:
    assert translate(text) == text


def test_every_alias_is_read() -> None:
    arguments = {"기본값": "", "비율": ",{오름차순}", "순위": ",{오름차순}"}
    for name, aliases in KOREAN_FUNCTIONS.items():
        expected = translate(f"{name}({{종가}}{arguments.get(name, ',{20일}')})")
        for alias in aliases:
            assert translate(f"{alias}({{종가}}{arguments.get(name, ',{20일}')})") == expected


def test_every_factor_is_found_by_its_names() -> None:
    for factor in CATALOGUE.values():
        for name in (factor.id.upper(), factor.name_ko, f" {factor.name_ko} "):
            assert check(translate(f"{{{name}}}")).fingerprint in (
                check(factor.id).fingerprint,
                check(translate(name.strip())).fingerprint,
            )
        assert translate(f"{{{factor.name_ko}}}+0") == f"{factor.id}+0"


REFUSED = [
    ("매출액 성장률 > 10", "ambiguous", "매출액 성장률", None),
    ("이격도({20일}) > 3", "ambiguous", "이격도", None),
    ("최고값({ROE},{4분기})", "window", "{", None),
    ("이동평균({종가},{0일})", "window", "{0일}", None),
    ("이동평균({종가},{긴})", "window", "{긴}", None),
    ("순위({종가},{옆으로})", "direction", "{옆으로}", None),
    ("이동평균({종가})", "arity", "이동평균({종가})", None),
    ("기본값({종가},{3일})", "arity", "기본값({종가},{3일})", None),
    ("이동평균(,{3일})", "arity", ",", None),
    ("{시가총앵} > 3", "unknown_name", "시가총앵", "market_cap"),
    ("이동평귱({종가},{3일})", "unknown_function", "이동평귱", "sma"),
    ("{종가 > 3", "parenthesis", "{", None),
    ("이동평균({종가},3", "parenthesis", "(", None),
    ("종가 ? 3", "character", "?", None),
    ("ｃｌｏｓｅ > 1", "character", "ｃ", None),
]


@pytest.mark.parametrize(("text", "code", "at", "suggestion"), REFUSED)
def test_refused(text: str, code: str, at: str, suggestion: str | None) -> None:
    with pytest.raises(FormulaError) as caught:
        translate(text)
    error = caught.value
    assert (error.code, error.suggestion) == (code, suggestion)
    assert text[error.position : error.position + error.length] == at


def test_all_candidates_are_named() -> None:
    with pytest.raises(FormulaError, match="revenue_growth_1y, revenue_growth_3y, revenue_growth_5y"):
        translate("매출액 성장률 > 10")
    with pytest.raises(FormulaError, match="quarterly"):
        translate("이동평균({종가},{4분기})")
    with pytest.raises(FormulaError) as caught:
        translate("")
    assert caught.value.code == "empty"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*KOREAN_FUNCTIONS, "(", ")", "{", "}", ",", "PER", "20일", "<", "3", "종가", "sma", "내림차순", " "]
        ),
        max_size=30,
    ).map("".join)
)
def test_any_text_gives_notation_or_a_formula_error(text: str) -> None:
    try:
        written = translate(text)
    except FormulaError:
        return
    check(written)


@pytest.mark.parametrize(
    "text",
    [
        "ma(" * 1300,
        "{" * 4000,
        "이동평균(" * 60 + "종가" + ",3)" * 60,
        "변화율(" * 60 + "종가" + ",3)" * 60,
        "가" * 3999,
    ],
)
def test_hostile_text_is_refused_promptly(text: str) -> None:
    with promptly(), pytest.raises(FormulaError):
        translate(text)


def test_nine_functions_have_no_other_meaning_in_the_notation() -> None:
    ours = {alias for aliases in KOREAN_FUNCTIONS.values() for alias in aliases if alias in FUNCTIONS}
    assert ours == {"lag", "sma", "delta"}  # and these three mean the same
