"""Own names in formulas: put in place, bounded, and every fault at the character that was typed."""

from __future__ import annotations

import pytest
from patience import promptly

from stocklab.errors import FormulaError
from stocklab.factors import (
    NO_DEFINITIONS,
    Definition,
    Definitions,
    Kind,
    check,
    check_with,
    expand,
    is_taken,
    translate,
)
from stocklab.factors.parser import MAX_CHARACTERS


def defined(**formulas: str) -> Definitions:
    known = NO_DEFINITIONS
    for name, formula in formulas.items():
        known = known.adding(Definition(id=name, formula=formula))
    return known


OWN = (
    defined(gap="close/sma(close,20)-1", sales="ttm(revenue)", twice="gap+gap")
    .adding(Definition(id="calm", formula="-volatility_20d", title="조용한 (20일)"))
    .refusing(Definition(id="later", formula="close"), "own_factor_order", "It comes later.")
)


class TestExpansion:
    @pytest.mark.parametrize(
        ("formula", "plain"),
        [
            ("gap > 0.1", "close/sma(close,20)-1>0.1"),
            ("2*gap", "2*(close/sma(close,20)-1)"),  # parentheses where they are needed
            ("-gap**2", "-(close/sma(close,20)-1)**2"),
            ("xpct(gap)", "xpct(close/sma(close,20)-1)"),
            ("twice", "close/sma(close,20)-1+(close/sma(close,20)-1)"),
            ("growth(sales,qlag(sales,4))", "growth(ttm(revenue),qlag(ttm(revenue),4))"),
            ("sma(calm,5,minobs=3)", "sma(-volatility_20d,5,minobs=3)"),
            ("close > 1.0 * sma(close, 60)", "close > 1.0 * sma(close, 60)"),  # nothing to put in place: as written
        ],
    )
    def test_a_name_gives_way_to_what_it_means(self, formula: str, plain: str) -> None:
        assert expand(formula, OWN) == plain
        assert check_with(formula, OWN).fingerprint == check(plain).fingerprint

    def test_a_quarterly_name_stays_quarterly(self) -> None:
        assert check_with("qlag(sales,4)", OWN).kind is Kind.QUARTERLY
        assert check_with("sales*close", OWN).kind is Kind.DAILY

    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("이동평균({gap},{1개월}) < 0", "sma(gap,21)<0"),
            ("조용한(20일) > 종가", "calm>close"),
            ("비율({조용한 (20일)},{내림차순})<=10", "100*(1-xpct(calm))<=10"),
            ("변화율_기간({sales},{4분기})>10", "growth(sales,qlag(sales,4))>10"),
        ],
    )
    def test_people_type_it_like_any_factor(self, typed: str, stored: str) -> None:
        assert translate(typed, OWN) == stored


class TestFaults:
    @pytest.mark.parametrize(
        ("formula", "code", "at"),
        [
            ("close>qlag(gap, 4)", "kind", "gap"),
            ("ttm(gap)", "kind", "gap"),
            ("gap>ttm(total_assets)", "kind", "total_assets"),
            ("twice + sma(close, 0)", "window", "0"),
            ("sma(close,gap)", "kind", "gap"),
            ("gap**65", "number", "65"),
            ("2**gap>1>0", "chained", "1"),
            ("nothing(gap)", "unknown_function", "nothing"),
            ("gap+(later-1)", "own_factor_order", "later"),
            ("gap + missing_name", "unknown_name", "missing_name"),
        ],
    )
    def test_they_point_into_the_text_that_was_typed(self, formula: str, code: str, at: str) -> None:
        with pytest.raises(FormulaError) as caught:
            check_with(formula, OWN)
        error = caught.value
        assert (error.code, error.text) == (code, formula)
        assert formula[error.position : error.position + error.length] == at

    def test_a_slip_in_an_own_name_suggests_it(self) -> None:
        for read in (lambda text: check_with(text, OWN), lambda text: translate(text, OWN)):
            with pytest.raises(FormulaError) as caught:
                read("twicee>1")
            assert caught.value.suggestion == "twice"

    @pytest.mark.parametrize(
        ("formula", "code"),
        [("5", "kind"), ("2*p_req_ret", "kind"), ("sector", "kind"), ("revenue", "kind"), ("me+1", "unknown_name")],
    )
    def test_only_a_value_of_each_stock_can_be_named(self, formula: str, code: str) -> None:
        with pytest.raises(FormulaError) as caught:
            NO_DEFINITIONS.adding(Definition(id="me", formula=formula))
        assert caught.value.code == code

    @pytest.mark.parametrize(
        "name", ["roe", "close", "revenue", "sma", "p_req_ret", "ev", "minobs", "이동평균", "PER", "eps"]
    )
    def test_names_of_the_language_are_taken(self, name: str) -> None:
        assert is_taken(name)
        assert not is_taken(f"my_{name}")


class TestHostileNames:
    """Each is refused promptly, before what it would mean is built."""

    def refused(self, known: Definitions, formula: str) -> str:
        with promptly(), pytest.raises(FormulaError) as caught:
            check_with(formula, known)
        assert 0 <= caught.value.position < len(formula)
        return caught.value.code

    def test_doubling_names_stop_at_the_limit_of_parts(self) -> None:
        known = NO_DEFINITIONS.adding(Definition(id="x0", formula="close+open"))
        for step in range(1, 9):
            known = known.adding(Definition(id=f"x{step}", formula=f"x{step - 1}*x{step - 1}"))
        assert self.refused(known, "x8*x8") == "too_many"
        assert self.refused(known, "max(" + ",".join(["x8"] * 40) + ")") == "too_many"

    def test_nested_names_stop_at_the_limit_of_depth(self) -> None:
        known = defined(deep="abs(" * 35 + "close" + ")" * 35)
        assert self.refused(known, "abs(" * 30 + "deep" + ")" * 30) == "too_deep"

    def test_long_meanings_stop_at_the_limit_of_characters(self) -> None:
        several = "max(" + ",".join(["volatility_20d"] * 30) + ")"
        long = f"max({several},{several},{several},{several},{several})"
        assert len(long) < MAX_CHARACTERS
        assert self.refused(defined(long=long), "long+long") == "too_long"
