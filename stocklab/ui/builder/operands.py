"""Rows as the form edits them: what an operand becomes when one of its parts changes. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from stocklab.strategy.rows import Direction, Function, LengthUnit, Operand, Operator, Row
from stocklab.ui.text import N_

__all__ = [
    "DEFAULT_LENGTH",
    "DIRECTIONS",
    "NEW_RULES",
    "OPERATORS",
    "RANGES",
    "operand",
    "takes_direction",
    "takes_length",
    "with_operator",
    "with_right_factor",
    "with_value",
]

DEFAULT_LENGTH: Final = 20
NEW_RULES: Final = {
    "entry": "close>sma(close,60)",
    "exit": "close<sma(close,60)",
    "conditions": "close>sma(close,60)",
}
OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.GREATER: N_("is above (>)"),
    Operator.GREATER_EQUAL: N_("is at least (≥)"),
    Operator.LESS: N_("is below (<)"),
    Operator.LESS_EQUAL: N_("is at most (≤)"),
    Operator.EQUAL: N_("equals (=)"),
    Operator.NOT_EQUAL: N_("differs from (≠)"),
    Operator.BETWEEN: N_("is between"),
    Operator.NOT_BETWEEN: N_("is outside of"),
}
DIRECTIONS: Final[Mapping[Direction, str]] = {
    Direction.DESCENDING: N_("Largest first"),
    Direction.ASCENDING: N_("Smallest first"),
}
RANGES: Final = frozenset({Operator.BETWEEN, Operator.NOT_BETWEEN})
_DIRECTED: Final = frozenset({Function.PERCENTILE, Function.RANK})


def takes_direction(function: Function) -> bool:
    """Whether the argument is a direction."""
    return function in _DIRECTED


def takes_length(function: Function) -> bool:
    """Whether the argument is a number of sessions."""
    return function is not Function.VALUE and function not in _DIRECTED


def operand(
    factor: str, function: Function, argument: object = None, unit: LengthUnit = LengthUnit.SESSIONS
) -> Operand:
    """An operand that is always valid: an argument that does not fit the function gives way to its default.

    >>> operand("per", Function.AVERAGE, Direction.DESCENDING).argument
    20
    """
    if takes_direction(function):
        direction = argument if isinstance(argument, Direction) else Direction.DESCENDING
        return Operand(factor=factor, function=function, argument=direction)
    if takes_length(function):
        length = argument if isinstance(argument, int) and not isinstance(argument, bool) else DEFAULT_LENGTH
        kept = unit if function not in (Function.HIGHEST, Function.LOWEST) else LengthUnit.SESSIONS
        return Operand(factor=factor, function=function, argument=length, unit=kept)
    return Operand(factor=factor, function=function)


def with_operator(row: Row, operator: Operator) -> Row:
    """The row under another operator; a range opens around the value, and closes to its lower end."""
    if (operator in RANGES) is (row.operator in RANGES):
        return replace(row, operator=operator)
    if operator in RANGES:
        low = row.value if row.value is not None else 0.0
        return Row(left=row.left, operator=operator, low=low, high=max(low, low + 10))
    return Row(left=row.left, operator=operator, value=row.low)


def with_value(row: Row, value: float = 0.0) -> Row:
    """The row against a number."""
    return Row(left=row.left, operator=row.operator, value=value)


def with_right_factor(row: Row, right: Operand | None = None, times: float | None = None) -> Row:
    """The row against another factor; by default the left factor's own average."""
    chosen = right or operand(row.left.factor, Function.AVERAGE)
    operator = Operator.GREATER if row.operator in RANGES else row.operator
    return Row(left=row.left, operator=operator, right=chosen, times=None if times in (None, 1.0) else times)
