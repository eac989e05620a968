"""The error tree: who can do what, and messages that point."""

from __future__ import annotations

import inspect

import pytest

from stocklab import errors
from stocklab.errors import BrokenInput, DocumentError, FieldFault, FormulaError, ResultNotFound, StockLabError


def _tree() -> list[type[Exception]]:
    return [value for name in errors.__all__ if issubclass(value := getattr(errors, name), Exception)]


def test_every_error_hangs_on_one_tree_and_says_what_it_is():
    for error in _tree():
        assert issubclass(error, StockLabError)
        assert inspect.getdoc(error), error


def test_the_drawing_in_the_module_names_every_error():
    assert errors.__doc__ is not None
    assert {error.__name__ for error in _tree()} == {
        word for word in errors.__doc__.replace("─", " ").split() if word in errors.__all__
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InputError", 2),
        ("SettingsError", 2),
        ("FormulaError", 2),
        ("DocumentError", 1),
        ("DataError", 3),
        ("BrokenInput", 3),
        ("StoreError", 3),
        ("ResultNotFound", 3),
        ("JobError", 4),
        ("StockLabError", 4),
    ],
)
def test_exit_codes_are_the_contract_of_the_command_line(name: str, code: int):
    assert getattr(errors, name).exit_code == code


def test_a_formula_error_points_at_its_characters():
    error = FormulaError("Unknown name 'clsoe'", text="ma(clsoe, 5)", position=3, length=5, suggestion="close")
    assert str(error) == "Unknown name 'clsoe' (character 4)"
    assert error.pointer() == "ma(clsoe, 5)\n   ^^^^^"


def test_a_formula_error_far_into_a_long_text_shows_a_window():
    text = "close + " * 100 + "qqq"
    pointer = FormulaError("Unknown name", text=text, position=800, length=3).pointer()
    line, caret = pointer.split("\n")
    assert len(line) <= 80
    assert line[caret.index("^") :][:3] == "qqq"


def test_a_formula_of_several_lines_keeps_the_pointer_aligned():
    pointer = FormulaError("Unknown name", text="close\n+ qqq", position=8, length=3).pointer()
    assert pointer.split("\n") == ["close + qqq", "        ^^^"]


def test_a_document_error_lists_every_fault_with_its_path():
    faults = (
        FieldFault(path="sizing.max_holdings", code="range", message="must be at least 1"),
        FieldFault(path="entry.rules.1.formula", code="unknown_name", message="unknown name"),
    )
    error = DocumentError(faults)
    assert str(error) == "sizing.max_holdings: must be at least 1; entry.rules.1.formula: unknown name"
    assert error.faults == faults


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "bars.csv: negative price"),
        ({"row": 7}, "bars.csv, row 7: negative price"),
        ({"row": 7, "column": "low"}, "bars.csv, row 7, column 'low': negative price"),
        ({"column": "low", "hint": "prices are won"}, "bars.csv, column 'low': negative price Hint: prices are won"),
    ],
)
def test_a_broken_file_is_named_with_row_and_column(fields: dict, message: str):
    assert str(BrokenInput("negative price", file="bars.csv", **fields)) == message


def test_a_missing_result_says_where_results_live():
    assert str(ResultNotFound("abc")) == "No result 'abc' is stored here. Hint: results are kept per STOCKLAB_HOME."
