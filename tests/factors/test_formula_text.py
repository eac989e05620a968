"""Parser and checker: what is refused, where the error points, what is suggested; canonical text; hostile text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import promptly

from stocklab.errors import FormulaError
from stocklab.factors import CATALOGUE, FUNCTIONS, check
from stocklab.factors.checker import build
from stocklab.factors.graph import Graph
from stocklab.factors.parser import parse
from stocklab.factors.syntax import canonical

# text, code, the characters the error must point at, suggestion
REFUSED = [
    ("clsoe > 3", "unknown_name", "clsoe", "close"),
    ("close > opne", "unknown_name", "opne", "open"),
    ("smaa(close,3)", "unknown_function", "smaa", "sma"),
    ("PER < 10", "unknown_name", "PER", "per"),
    ("시가총액 > 1", "unknown_name", "시가총액", "market_cap"),
    ("close + 이동평균(close,3)", "unknown_name", "이동평균", "sma"),
    ("sma(close)", "arity", "sma(close)", None),
    ("3 + max(close)", "arity", "max(close)", None),
    ("1 < close < 3", "chained", "close", None),
    ("close.real", "forbidden", ".", None),
    ("close[1]", "forbidden", "[", None),
    ("close > '3'", "forbidden", "'", None),
    ("lambda: close", "forbidden", "lambda", None),
    ("close and open", "forbidden", "and", None),
    ("close if open else low", "forbidden", "if", None),
    ("{PER} < 3", "forbidden", "{", None),
    ("close % 3", "forbidden", "%", None),
    ("close # note", "forbidden", "#", None),
    ("close // 2", "forbidden", "close // 2", None),
    ("(close, open)", "forbidden", "(close, open)", None),
    ("+close", "forbidden", "+", None),
    ("3(close)", "forbidden", "3(close)", None),
    ("close\0", "forbidden", "\0", None),
    ("ｃｌｏｓｅ > 1", "character", "ｃｌｏｓｅ", None),
    ("ſma(close,3)", "character", "ſma", None),
    ("closé", "character", "closé", None),
    ("close\u00a0> 1", "character", "\u00a0", None),
    ("sma(close,n=3)", "keyword", "n=3", None),
    ("sma(close,3,minobs=1,minobs=2)", "keyword", "minobs=2", None),
    ("lag(close,3,minobs=2)", "keyword", "2", None),
    ("f(**close)", "keyword", "**close", None),
    ("sma(*close)", "forbidden", "*close", None),
    ("close = 3", "syntax", "=", "=="),
    ("close >", "incomplete", ">", None),
    ("close open", "syntax", "open", None),
    ("sma(close,3", "parenthesis", "(", None),
    ("close)", "parenthesis", ")", None),
    ("", "empty", None, None),
    ("  \n ", "empty", None, None),
    ("1e999", "number", "1e999", None),
    ("9" * 400, "number", "9" * 400, None),
    ("0x10", "number", "0x", None),
    ("1_000", "number", "1_", None),
    ("1and 2", "number", "1a", None),
    ("close**65", "number", "65", None),
    ("close**(8*9)", "number", "8*9", None),
    ("sma(close,0)", "window", "0", None),
    ("sma(close,-5)", "window", "-5", None),
    ("lag(close,-1)", "window", "-1", None),
    ("sma(close,2.5)", "window", "2.5", None),
    ("sma(close,2521)", "window", "2521", None),
    ("sma(close,20,minobs=21)", "window", "21", None),
    ("sma(close,open)", "kind", "open", None),
    ("sma(close,1/0)", "window", "1/0", None),
    ("tstd(close,3,3)", "number", "tstd(close,3,3)", None),
    ("tquantile(close,5,1.5)", "number", "1.5", None),
    ("psar(high,low,0.3,0.2)", "number", None, None),
    ("tolsres_ir(close,9,3,5,open)", "number", None, None),
    ("xrank(close,2)", "number", None, None),
    ("sma(3,4)", "kind", "3", None),
    ("revenue", "kind", "revenue", None),
    ("close + revenue", "kind", "revenue", None),
    ("ttm(close)", "kind", "close", None),
    ("mrq(revenue)", "kind", "revenue", None),
    ("ttm(total_assets)", "kind", "total_assets", None),
    ("ttm(revnue)", "unknown_name", "revnue", "revenue"),
    ("qlag(close,4)", "kind", "close", None),
    ("sector", "kind", "sector", None),
    ("close > sector", "kind", "sector", None),
    ("xmedian_by(close,close)", "kind", None, None),
    ("sma", "unknown_name", "sma", None),
]


@pytest.mark.parametrize(("text", "code", "at", "suggestion"), REFUSED, ids=[repr(row[0][:30]) for row in REFUSED])
def test_refused_text_names_the_place(text: str, code: str, at: str | None, suggestion: str | None) -> None:
    with pytest.raises(FormulaError) as caught:
        check(text)
    error = caught.value
    assert error.code == code
    assert error.suggestion == suggestion
    if at is not None:
        assert text[error.position : error.position + error.length] == at
    assert error.text == text


def fault_of(text: str) -> FormulaError | None:
    try:
        check(text)
    except FormulaError as error:
        return error
    return None


HOSTILE = [
    "(" * 4000,
    "-" * 3999 + "1",
    "~" * 3999 + "1",
    "1**" * 1300 + "1",
    "1+" * 1999 + "1",
    "close**" * 500 + "2",
    "sma(" * 900 + "close" + ",3)" * 100,
    "9" * 4000,
    "1e" + "9" * 3000,
    "a" * 4000,
    "가" * 4000,
    "max(" + "close," * 660 + "close)",
    "(" * 60 + "close" + ")" * 60 + "x" * 3000,
    "close>" * 600,
    "\0" * 4000,
    "\u202e" * 4000,
    "close" + " " * 3990,
    "x" * 100_000,
    "momentum_score*" * 260 + "1",
    "(lambda:0)()" * 300,
    "{" * 4000,
    "1if" * 1000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_answered_promptly(text: str) -> None:
    with promptly():
        error = fault_of(text)
    assert error is None or (0 <= error.position <= len(text) and error.pointer())


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.text(alphabet="close()+-*/<>=&|~,.0123456789 smaex_'\"[]{}\n\t", max_size=60)
    | st.lists(st.sampled_from(["close", "sma", "(", ")", ",", "3", "+", "-", "**", ">", "&", "~", "minobs="])).map(
        "".join
    )
)
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    error = fault_of(text)
    if error is None:
        checked = check(text)
        assert check(checked.canonical).canonical == checked.canonical
        assert check(checked.canonical).fingerprint == checked.fingerprint
    else:
        assert 0 <= error.position <= max(len(text), 1)


def test_positions_are_characters_after_leading_space_and_lines() -> None:
    with pytest.raises(FormulaError) as caught:
        check("  close >\n  opne")
    assert (caught.value.position, caught.value.length) == (12, 4)
    assert check("close\n>\n3").canonical == "close>3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("((close)) + ( open*high )", "close+open*high"),
        ("(close+open)*high", "(close+open)*high"),
        ("close-(open-low)", "close-(open-low)"),
        ("(close-open)-low", "close-open-low"),
        ("close/(open*low)", "close/(open*low)"),
        ("(close**2)**3", "(close**2)**3"),
        ("close**(2**3)", "close**2**3"),
        ("-(close**2)", "-close**2"),
        ("(-close)**2", "(-close)**2"),
        ("(-2)**2", "(-2)**2"),
        ("close**-2", "close**-2"),
        ("~(close>open)", "~(close>open)"),
        ("(close>open)&(open>low)|(low>3.0)", "(close>open)&(open>low)|(low>3)"),
        ("tmean( close , 5 , minobs = 3 )", "tmean(close,5,minobs=3)"),
        ("close*1e-7", "close*1e-07"),
        ("(close>open)>0", "(close>open)>0"),
    ],
)
def test_canonical_spelling(text: str, expected: str) -> None:
    assert canonical(parse(text)) == expected
    assert check(expected).fingerprint == check(text).fingerprint


def test_equal_steps_share_a_fingerprint_and_others_do_not() -> None:
    assert check("ret_1d").fingerprint == check("100*ret(close,1)").fingerprint
    assert check("sma(close,20)").fingerprint == check("tmean( close, 20 )").fingerprint
    distinct = ["close", "open", "sma(close,20)", "sma(close,21)", "tstd(close,20,0)", "tstd(close,20,1)", "close>3"]
    assert len({check(text).fingerprint for text in distinct}) == len(distinct)


def test_kinds() -> None:
    kinds = {
        text: check(text).kind for text in ("close", "1+2", "p_req_ret", "roe", "roe>15", "roe*close", "lag(roe,5)")
    }
    assert list(kinds.values()) == ["daily", "number", "number", "quarterly", "quarterly", "daily", "daily"]
    assert check("qlag(roe,4)").kind == "quarterly"
    assert check("xrank(roe)").cross_sectional
    assert not check("roe").cross_sectional
    assert check("ema(close,5)").recursive
    assert not check("sma(close,5)").recursive


def test_constants_fold_with_the_null_algebra() -> None:
    graph = Graph()
    texts = [
        "1/0",
        "log(0)",
        "sqrt(-1)",
        "(-8)**0.5",
        "exp(999)",
        "nz(1/0)",
        "coalesce(1/0,3)",
        "navg(1/0,4)",
        "where(0,1,2)",
    ]
    values = [graph.constant(build(graph, text)) for text in texts]
    assert [None if value != value else value for value in values] == [None] * 5 + [0, 3, 4, 2]
    more = {
        "growth(3,2)": 50.0,
        "cagr(4,1,2)": 100.0,
        "clip(5,0,3)": 3.0,
        "sign(-2)": -1.0,
        "pos(-1)": None,
        "2**3": 8.0,
    }
    for text, expected in more.items():
        value = graph.constant(build(graph, text))
        assert (value != value) if expected is None else value == pytest.approx(expected)


def test_a_definition_that_goes_round_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace
    from types import MappingProxyType

    from stocklab.factors import checker

    looped = dict(CATALOGUE)
    looped["ret_1d"] = replace(CATALOGUE["ret_1d"], formula="ret_1w+1")
    looped["ret_1w"] = replace(CATALOGUE["ret_1w"], formula="ret_1d+1")
    monkeypatch.setattr(checker, "CATALOGUE", MappingProxyType(looped))
    with pytest.raises(FormulaError, match="ret_1d > ret_1w > ret_1d") as caught:
        build(Graph(), "ret_1d")
    assert caught.value.code == "cycle"


def test_every_function_has_help_in_both_languages() -> None:
    for name, function in FUNCTIONS.items():
        assert function.name == name
        assert any("\uac00" <= letter <= "\ud7a3" for letter in function.help_ko)
        assert function.help_en.isascii()
        assert function.signature.startswith(f"{name}(")
