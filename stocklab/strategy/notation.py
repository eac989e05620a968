"""The shape of a formula, for matching and for words.

Only the shape is looked at here; whether names and kinds are right is ``stocklab.factors.check``'s answer.
"""

from __future__ import annotations

import ast
from typing import Final

from stocklab.errors import FormulaError
from stocklab.factors.parser import parse
from stocklab.factors.syntax import canonical as canonical_of_tree
from stocklab.factors.syntax import number_text as text_of_float

__all__ = ["canonical", "number_text", "parse_formula", "unparse"]

_COULD_NOT_READ: Final = "Nested too deeply to read."


def canonical(text: str) -> str:
    """One spelling for formulas that differ only in blanks, needless parentheses and ``.0``.

    Raises
    ------
    FormulaError
        Not the notation of the formula language, with the character at fault.

    >>> canonical("( close  > 1.0 * sma(close, 60) )")
    'close>1*sma(close,60)'
    """
    return canonical_of_tree(parse(text))


def parse_formula(text: str) -> ast.expr:
    """Python syntax tree of the canonical spelling, so that patterns can be matched on it.

    Raises
    ------
    FormulaError
        As :func:`canonical`.
    """
    try:
        return ast.parse(canonical(text), mode="eval").body
    except (RecursionError, MemoryError) as error:
        raise FormulaError(_COULD_NOT_READ, text=text, position=0, code="too_deep") from error


def unparse(node: ast.expr) -> str:
    """Text of a part of such a tree; blanks can go because the language has no words or strings."""
    return ast.unparse(node).replace(" ", "")


def number_text(value: float) -> str:
    """A number as formulas spell it.

    >>> number_text(15), number_text(-0.5)
    ('15', '-0.5')
    """
    return text_of_float(float(value))
