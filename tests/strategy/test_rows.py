"""Builder rows and formulas: exact inverses of each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.errors import FormulaError, InputError
from stocklab.factors import check
from stocklab.strategy.document import Rule
from stocklab.strategy.form import RuleLine, lines_of, rules_of
from stocklab.strategy.notation import canonical
from stocklab.strategy.rows import (
    FUNCTION_NAMES,
    Direction,
    Function,
    LengthUnit,
    Operand,
    Operator,
    Row,
    formula_of,
    operand_formula,
    operand_of,
    row_of,
)

# docs/factors.md, section 13, column "our notation"
NINE = [
    (Function.VALUE, None, LengthUnit.SESSIONS, "per"),
    (Function.PAST, 252, LengthUnit.SESSIONS, "lag(per,252)"),
    (Function.AVERAGE, 20, LengthUnit.SESSIONS, "sma(per,20)"),
    (Function.PERCENTILE, Direction.DESCENDING, LengthUnit.SESSIONS, "100*(1-xpct(per))"),
    (Function.PERCENTILE, Direction.ASCENDING, LengthUnit.SESSIONS, "100*xpct(per)"),
    (Function.RANK, Direction.DESCENDING, LengthUnit.SESSIONS, "xrank(per,1)"),
    (Function.RANK, Direction.ASCENDING, LengthUnit.SESSIONS, "xrank(per)"),
    (Function.HIGHEST, 20, LengthUnit.SESSIONS, "tmax(per,20)"),
    (Function.LOWEST, 20, LengthUnit.SESSIONS, "tmin(per,20)"),
    (Function.CHANGE, 5, LengthUnit.SESSIONS, "delta(per,5)"),
    (Function.CHANGE_RATE, 5, LengthUnit.SESSIONS, "growth(per,lag(per,5))"),
    (Function.PAST, 4, LengthUnit.QUARTERS, "qlag(per,4)"),
    (Function.CHANGE, 4, LengthUnit.QUARTERS, "qdelta(per,4)"),
    (Function.CHANGE_RATE, 4, LengthUnit.QUARTERS, "growth(per,qlag(per,4))"),
    (Function.AVERAGE, 4, LengthUnit.QUARTERS, "qmean(per,4)"),
]


@pytest.mark.parametrize(("function", "argument", "unit", "formula"), NINE)
def test_the_nine_functions_have_the_notation_of_the_language(
    function: Function, argument: int | Direction | None, unit: LengthUnit, formula: str
) -> None:
    operand = Operand(factor="per", function=function, argument=argument, unit=unit)
    assert operand_formula(operand) == formula
    assert operand_of(formula) == operand


def test_every_function_has_both_names_and_direction_defaults_to_descending() -> None:
    assert set(FUNCTION_NAMES) == set(Function)
    assert Operand(factor="per", function=Function.RANK).argument is Direction.DESCENDING


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_rows_survive_the_way_to_a_formula_and_back(data: st.DataObject, random_inputs: Any) -> None:
    row = data.draw(random_inputs.rows())
    formula = formula_of(row)
    assert row_of(formula) == row
    assert canonical(formula) == formula


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_formulas_of_rows_are_valid_and_canonical_in_the_language(data: st.DataObject, random_inputs: Any) -> None:
    row = data.draw(random_inputs.rows(st.floats(-1000, 1000)))
    checked = check(formula_of(row))
    assert checked.canonical == formula_of(row)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("close > sma( close, 60 )", "close>sma(close,60)"),
        ("(rsi_14 >= 50.0) & (rsi_14 <= 70)", "(rsi_14>=50)&(rsi_14<=70)"),
        ("(rsi_14<30)|(rsi_14>70)", "(rsi_14<30)|(rsi_14>70)"),
        ("close>1*open", "close>1*open"),
        ("close>-0.5*(100*xpct(per))", "close>-0.5*(100*xpct(per))"),
        ("ret_1d != -5", "ret_1d!=-5"),
    ],
)
def test_formulas_that_are_rows_keep_their_canonical_text(text: str, formula: str) -> None:
    row = row_of(text)
    assert row is not None
    assert formula_of(row) == canonical(text) == formula


@pytest.mark.parametrize(
    "formula",
    [
        "5<rsi_14",
        "close>open+1",
        "close>open*2",
        "lag(close,0)>1",
        "lag(close,2521)>1",
        "growth(close,lag(open,5))>1",
        "sma(close,20,minobs=5)>1",
        "(close>1)&(open<2)",
        "(close>2)&(close<3)",
        "(close>=3)&(close<=2)",
        "(close>=open)&(close<=2)",
        "xrank(close,2)>1",
        "200*xpct(close)>1",
        "new_high_52w",
        "~(close>1)",
        "close >",
        "lambda: 1",
        "한글>1",
        "xrank(close+1)<5",
        "close>2*(open+1)",
    ],
)
def test_what_rows_cannot_say_exactly_stays_text(formula: str) -> None:
    assert row_of(formula) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": "no such"}, "Expected the id"),
        ({"factor": "lambda"}, "Expected the id"),
        ({"factor": "close", "argument": 3}, "takes no argument"),
        ({"factor": "close", "function": Function.PAST}, "whole number 1..2520, found None"),
        ({"factor": "close", "function": Function.AVERAGE, "argument": 0}, "whole number 1..2520, found 0"),
        ({"factor": "close", "function": Function.AVERAGE, "argument": True}, "found True"),
        ({"factor": "close", "function": Function.RANK, "argument": 5}, "takes a direction"),
        (
            {"factor": "per", "function": Function.HIGHEST, "argument": 4, "unit": LengthUnit.QUARTERS},
            "does not count quarters",
        ),
    ],
)
def test_operands_refuse_arguments_that_do_not_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Operand(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operator": Operator.LESS}, "either a value or another factor"),
        ({"operator": Operator.LESS, "value": 1.0, "right": Operand(factor="open")}, "either a value or"),
        ({"operator": Operator.LESS, "value": 1.0, "low": 1.0}, "either a value or"),
        ({"operator": Operator.BETWEEN, "value": 1.0}, "takes low and high"),
        ({"operator": Operator.BETWEEN, "low": 2.0, "high": 1.0}, "low 2.0 is above high 1.0"),
        ({"operator": Operator.LESS, "value": float("nan")}, "finite"),
        ({"operator": Operator.LESS, "value": 1.0, "times": 2.0}, "times multiplies"),
    ],
)
def test_rows_refuse_right_sides_that_do_not_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Row(left=Operand(factor="close"), **arguments)


def test_lines_keep_text_that_is_no_row() -> None:
    rules = (Rule(id="A", formula="close>1", note="n"), Rule(id="B", formula="close > open + 1"))
    lines = lines_of(rules)
    assert lines[0].row == row_of("close>1")
    assert lines[1].text == "close > open + 1"
    assert rules_of(lines) == rules
    with pytest.raises(InputError, match="either a row or a text; found neither"):
        RuleLine(id="A")
    with pytest.raises(InputError, match="found both"):
        RuleLine(id="A", row=lines[0].row, text="close>1")


def test_canonical_refuses_what_is_no_formula_with_its_character() -> None:
    with pytest.raises(FormulaError) as caught:
        canonical("close > open and 3")
    assert caught.value.position == 13
    assert operand_of("한글") is None
