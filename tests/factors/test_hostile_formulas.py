"""Text meant to do harm: everywhere a user's formula is read, a pointed error within a second, and nothing is run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from patience import promptly

from stocklab.errors import FormulaError
from stocklab.factors import (
    NO_DEFINITIONS,
    Definition,
    Wanted,
    check,
    check_with,
    evaluate,
    evaluate_series,
    missing_inputs,
    translate,
)
from stocklab.market.panel import Panel

OWN = NO_DEFINITIONS.adding(Definition(id="mine", formula="close/sma(close,20)-1", title="내 팩터"))

# what it tries: text, code of the error, characters the error points at
HOSTILE = {
    "attribute access": ("close.__class__.__mro__", "forbidden", "."),
    "attribute of an own factor": ("mine.__globals__>0", "forbidden", "."),
    "call of a builtin": ("close+__import__(close)", "unknown_function", "__import__"),
    "code in a lambda": ("(lambda: 0)()", "forbidden", "lambda"),
    "a comprehension": ("max(close for x in close)", "forbidden", "for"),
    "a walrus": ("(close:=3)+1", "forbidden", ":"),
    "a string": ("close+'x'*10**9", "forbidden", "'"),
    "huge power": ("close+9**9**9", "number", "9**9"),
    "huge power of an own factor": ("mine**1000000", "number", "1000000"),
    "huge window": ("sma(close,999999999)", "window", "999999999"),
    "endless digits": ("close>" + "9" * 3000, "number", "9" * 3000),
    "deep nesting": ("(" * 1500 + "close" + ")" * 1500, "too_deep", None),
    "deep minus": ("-" * 3000 + "close", "too_deep", None),
    "many parts": (f"max({','.join(['1' + '+1' * 25] * 40)})", "too_many", None),
    "unknown name": ("1+clos/open", "unknown_name", "clos"),
    "unknown function": ("smma(close,3)", "unknown_function", "smma"),
    "an item where days are wanted": ("1+sma(revenue,20)", "kind", "revenue"),
    "a daily value among quarters": ("qlag(close+mine,4)", "kind", "close+mine"),
    "a group among numbers": ("close+sector", "kind", "sector"),
    "full-width look-alikes": ("ｃｌｏｓｅ>1", "character", "ｃｌｏｓｅ"),
    "look-alike letters": ("clоse>1", "character", "clоse"),  # the о is Cyrillic
    "right-to-left override": ("close>\u202e1", "character", "\u202e"),
    "zero-width space": ("close\u200b>1", "character", "\u200b"),
    "null byte": ("close>1\0", "forbidden", "\0"),
    "a second line of code": ("close\nimport os", "forbidden", "import"),
    "a megabyte": ("close+" * 170_000 + "1", "too_long", None),
    "a megabyte of spaces": (" " * 1_000_000 + "close", "too_long", None),
}


def answer(read: Callable[[str], object], text: str) -> FormulaError:
    """The error of a reader."""
    with promptly(), pytest.raises(FormulaError) as caught:
        read(text)
    error = caught.value
    assert error.code
    assert 0 <= error.position <= len(error.text)
    assert len(str(error)) < 2_000
    assert error.pointer()
    return error


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("reader", [check, lambda text: check_with(text, OWN)], ids=["formula", "with own factors"])
def test_the_error_points_at_the_place(attack: str, reader: Callable[[str], object]) -> None:
    text, code, at = HOSTILE[attack]
    if "mine" in text and reader is check:
        text, at = text.replace("mine", "rsi_14"), at and at.replace("mine", "rsi_14")
    error = answer(reader, text)
    assert error.code == code
    if at is not None:
        assert text[error.position : error.position + error.length] == at


@pytest.mark.parametrize("attack", HOSTILE)
def test_every_other_reader_refuses_it_too(attack: str, market_panel: Panel) -> None:
    text, code, _ = HOSTILE[attack]
    error = answer(lambda each: OWN.adding(Definition(id="bad", formula=each)), text)
    assert error.code == code
    answer(lambda each: translate(each, OWN), text)
    answer(lambda each: evaluate([Wanted(each, "condition")], market_panel), text)
    answer(lambda each: evaluate_series(each, {"close": np.ones(3)}), text)
    answer(lambda each: missing_inputs(each, market_panel), text)
