"""Logic lines: reading, canonical text, evaluation on masks."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.errors import FormulaError, InputError
from stocklab.strategy.logic import (
    LETTERS,
    combine,
    letters_of,
    mask_formulas,
    next_letter,
    parse_logic,
    unused_letters,
)
from stocklab.strategy.logic_words import describe_logic

ABC = ["A", "B", "C"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("A and (B or not C)", "A and (B or not C)"),
        ("a AND b Or c", "A and B or C"),
        ("A & B | ~C", "A and B or not C"),
        ("A&&B||!C", "A and B or not C"),
        ("A 그리고 (B 또는 C 아님)", "A and (B or not C)"),
        ("A그리고B또는아님C", "A and B or not C"),
        ("(A 또는 B) 아님", "not (A or B)"),
        ("((A)) and ((B and C))", "A and B and C"),
        ("not not A", "A"),
        ("not (not A and B)", "not (not A and B)"),
        ("A or (B or C)", "A or B or C"),
    ],
)
def test_every_spelling_reads_as_one_canonical_text(line: str, text: str) -> None:
    tree = parse_logic(line, ABC, "all")
    assert tree.text == text
    assert parse_logic(tree.text, ABC, "all") == tree


@pytest.mark.parametrize(
    ("line", "position", "length", "message"),
    [
        ("A and D", 6, 1, "no rule 'D'; there is: A, B, C"),
        ("A nad B", 2, 3, "no rule 'nad'.*Did you mean 'and'"),
        ("A and", 4, 1, "ends where a rule is expected"),
        ("A B", 2, 1, "Expected 'and' or 'or'"),
        ("A and (B or C", 6, 1, "never closed"),
        ("A and B) or C", 7, 1, r"'\)' without its '\('"),
        ("A and or B", 6, 2, "Expected a rule, found 'or'"),
        ("A + B", 2, 1, r"Unexpected character '\+'"),
        ("A 그리고 7", 6, 1, "Unexpected character '7'"),
        ("()", 1, 1, "Expected a rule"),
        ("(" * 61 + "A" + ")" * 61, 60, 1, "More than 60 parentheses"),
    ],
)
def test_faults_point_at_their_character(line: str, position: int, length: int, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        parse_logic(line, ABC, "all")
    assert (caught.value.position, caught.value.length) == (position, length)
    assert caught.value.text == line


def test_the_automatic_line_is_all_to_buy_and_any_to_sell() -> None:
    assert parse_logic(None, ABC, "all").text == "A and B and C"
    assert parse_logic("  ", ABC, "any").text == "A or B or C"
    assert parse_logic(None, ["B"], "any").text == "B"


def test_without_rules_everything_may_be_bought_and_nothing_is_sold() -> None:
    nothing = parse_logic(None, [], "all")
    assert nothing.text == ""
    assert combine(nothing, {}, shape=(2, 3)).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert combine(parse_logic(None, [], "any"), {}, shape=(2,)).tolist() == [0, 0]
    with pytest.raises(InputError, match="no rules to combine"):
        combine(nothing, {})


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_combine_agrees_with_python_on_every_assignment(data: st.DataObject, random_inputs: Any) -> None:
    line = data.draw(random_inputs.logic_lines(ABC))
    tree = parse_logic(line, ABC, "all")
    table = np.array(list(product((0, 1), repeat=3)), dtype=np.uint8)
    masks = {letter: table[:, column].reshape(2, 4) for column, letter in enumerate(ABC)}
    before = {letter: mask.copy() for letter, mask in masks.items()}
    # canonical text happens to be a Python expression
    expected = [bool(eval(tree.text, dict(zip(ABC, map(bool, row), strict=True)))) for row in table]
    found = combine(tree, masks)
    assert found.dtype == np.uint8
    assert found.shape == (2, 4)
    assert found.ravel().astype(bool).tolist() == expected
    for letter in ABC:
        np.testing.assert_array_equal(masks[letter], before[letter])


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_canonical_and_korean_text_read_back_as_the_same_tree(data: st.DataObject, random_inputs: Any) -> None:
    tree = parse_logic(data.draw(random_inputs.logic_lines(ABC)), ABC, "all")
    assert parse_logic(tree.text, ABC, "all") == tree
    assert parse_logic(describe_logic(tree, "ko"), ABC, "all") == tree
    assert describe_logic(tree, "en") == tree.text


def test_an_unknown_rule_passes_neither_plain_nor_negated() -> None:
    # three stocks: the rule B holds, fails, is unknown
    tree = parse_logic("not (B or not A)", ABC, "all")
    formulas = mask_formulas(tree, {"A": "close>1", "B": "per<10", "C": "open>1"})
    assert formulas == {"~B": "~(per<10)", "A": "close>1"}
    masks = {"A": np.array([1, 1, 1], "u1"), "B": np.array([1, 0, 0], "u1"), "~B": np.array([0, 1, 0], "u1")}
    assert combine(tree, masks).tolist() == [0, 1, 0]
    del masks["~B"]
    assert combine(tree, masks).tolist() == [0, 1, 1]  # the complement cannot tell unknown from false


def test_masks_must_be_there_and_of_one_shape() -> None:
    tree = parse_logic("A and B", ABC, "all")
    with pytest.raises(InputError, match="No mask for rule 'B'; found A"):
        combine(tree, {"A": np.ones(2, "u1")})
    with pytest.raises(InputError, match="Masks of one shape"):
        combine(tree, {"A": np.ones(2, "u1"), "B": np.ones(3, "u1")})


def test_letters_used_unused_and_next() -> None:
    tree = parse_logic("C or not A or C", ABC, "all")
    assert letters_of(tree) == ("C", "A")
    assert unused_letters(tree, ABC) == ("B",)
    assert letters_of(parse_logic(None, [], "any")) == ()
    assert LETTERS[:2] + LETTERS[25:28] == ("A", "B", "Z", "AA", "AB")
    assert next_letter(["A", "B"]) == "C"
    assert "OR" not in LETTERS
    with pytest.raises(InputError, match="All 52 rule letters"):
        next_letter(LETTERS)
