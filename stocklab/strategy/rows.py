"""Rows of the condition builder, and their exact place in the formula language.

A row is ``operand operator right side``; an operand is a factor or field seen through one of the nine functions
Korean users know. ``row_of`` inverts ``formula_of``: what it cannot express losslessly it leaves as text (None).
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stocklab.errors import FormulaError, InputError
from stocklab.strategy.notation import canonical, number_text, parse_formula, unparse

__all__ = [
    "FUNCTION_NAMES",
    "LONGEST",
    "Direction",
    "Function",
    "LengthUnit",
    "Operand",
    "Operator",
    "Row",
    "formula_of",
    "operand_formula",
    "operand_of",
    "row_of",
]

LONGEST: Final = 2520
"""Longest argument a row takes, in sessions: ten years."""


class Function(StrEnum):
    """The nine functions of a condition row."""

    VALUE = "value"
    PAST = "past"
    AVERAGE = "average"
    PERCENTILE = "percentile"
    RANK = "rank"
    HIGHEST = "highest"
    LOWEST = "lowest"
    CHANGE = "change"
    CHANGE_RATE = "change_rate"


FUNCTION_NAMES: Final[Mapping[Function, tuple[str, str]]] = {
    Function.VALUE: ("기본값", "Value"),
    Function.PAST: ("과거값", "Past value"),
    Function.AVERAGE: ("이동평균", "Moving average"),
    Function.PERCENTILE: ("비율", "Percentile"),
    Function.RANK: ("순위", "Rank"),
    Function.HIGHEST: ("최고값", "Highest"),
    Function.LOWEST: ("최저값", "Lowest"),
    Function.CHANGE: ("변화량_기간", "Change"),
    Function.CHANGE_RATE: ("변화율_기간", "Rate of change"),
}
"""Korean and English name of each."""


class Direction(StrEnum):
    """Which end a rank or percentile counts from."""

    DESCENDING = "desc"  # 내림차순: rank 1 and percentile 0 are the largest
    ASCENDING = "asc"


class LengthUnit(StrEnum):
    """What the argument of a function counts; quarters only for statement factors."""

    SESSIONS = "sessions"
    QUARTERS = "quarters"


class Operator(StrEnum):
    """Comparisons of a row; both ends of a range belong to "between"."""

    GREATER = ">"
    GREATER_EQUAL = ">="
    LESS = "<"
    LESS_EQUAL = "<="
    EQUAL = "=="
    NOT_EQUAL = "!="
    BETWEEN = "between"
    NOT_BETWEEN = "not between"


_RANGES: Final = frozenset({Operator.BETWEEN, Operator.NOT_BETWEEN})
_DIRECTED: Final = frozenset({Function.PERCENTILE, Function.RANK})
_BY_QUARTERS: Final[Mapping[Function, str]] = {
    Function.PAST: "qlag",
    Function.AVERAGE: "qmean",
    Function.CHANGE: "qdelta",
    Function.CHANGE_RATE: "growth",
}
_BY_SESSIONS: Final[Mapping[Function, str]] = {
    Function.PAST: "lag",
    Function.AVERAGE: "sma",
    Function.HIGHEST: "tmax",
    Function.LOWEST: "tmin",
    Function.CHANGE: "delta",
    Function.CHANGE_RATE: "growth",
}
_CALLS: Final[Mapping[str, tuple[Function, LengthUnit]]] = {
    **{call: (function, LengthUnit.SESSIONS) for function, call in _BY_SESSIONS.items() if call != "growth"},
    **{call: (function, LengthUnit.QUARTERS) for function, call in _BY_QUARTERS.items() if call != "growth"},
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPARE: Final[Mapping[type[ast.cmpop], Operator]] = {
    ast.Gt: Operator.GREATER,
    ast.GtE: Operator.GREATER_EQUAL,
    ast.Lt: Operator.LESS,
    ast.LtE: Operator.LESS_EQUAL,
    ast.Eq: Operator.EQUAL,
    ast.NotEq: Operator.NOT_EQUAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A factor or field seen through a function.

    Attributes
    ----------
    factor : id of a catalogue factor, or a daily field such as ``close``
    argument : length >= 1 for 과거값, 이동평균, 최고값, 최저값, 변화량, 변화율; a direction for 비율 and 순위 (None is
        내림차순); None for 기본값
    unit : what a length counts

    Raises
    ------
    InputError
        The argument does not fit the function.
    """

    factor: str
    function: Function = Function.VALUE
    argument: int | Direction | None = None
    unit: LengthUnit = LengthUnit.SESSIONS

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.factor) or keyword.iskeyword(self.factor):
            raise InputError(f"Expected the id of a factor or field, found {self.factor!r}.")
        if self.function is Function.VALUE:
            if self.argument is not None:
                raise InputError(f"기본값 (value) takes no argument, found {self.argument!r}.")
        elif self.function in _DIRECTED:
            if self.argument is None:
                object.__setattr__(self, "argument", Direction.DESCENDING)
            elif not isinstance(self.argument, Direction):
                raise InputError(f"{self.function.value} takes a direction (asc or desc), found {self.argument!r}.")
        else:
            self._check_length()
        if self.unit is LengthUnit.QUARTERS and self.function not in _BY_QUARTERS:
            raise InputError(f"{self.function.value} does not count quarters. Hint: use sessions.")

    def _check_length(self) -> None:
        length = self.argument
        if not isinstance(length, int) or isinstance(length, bool) or not 1 <= length <= LONGEST:
            raise InputError(f"{self.function.value} takes a whole number 1..{LONGEST}, found {length!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One condition of the builder.

    The right side is exactly one of: ``value``; ``low`` and ``high`` (between, not between); ``right``, another
    operand, optionally ``times`` a number. Numbers are in the factor's unit: 15 is 15 % for a factor in %.

    Raises
    ------
    InputError
        None or several right sides, a number that is not finite, or low > high.
    """

    left: Operand
    operator: Operator
    value: float | None = None
    low: float | None = None
    high: float | None = None
    right: Operand | None = None
    times: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high", "times"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise InputError(f"{name} must be a finite number, found {number!r}.")
        if self.operator in _RANGES:
            if self.low is None or self.high is None or self.value is not None or self.right is not None:
                raise InputError(f"{self.operator.value!r} takes low and high, nothing else.")
            if self.low > self.high:
                raise InputError(f"low {self.low} is above high {self.high}. Hint: exchange them.")
        elif self.low is not None or self.high is not None or (self.value is None) is (self.right is None):
            raise InputError(f"{self.operator.value!r} takes either a value or another factor on the right.")
        if self.times is not None and self.right is None:
            raise InputError("times multiplies another factor on the right; there is none.")


def operand_formula(operand: Operand) -> str:
    """Formula of one operand.

    >>> operand_formula(Operand(factor="mom_12_1", function=Function.PERCENTILE))
    '100*(1-xpct(mom_12_1))'
    """
    name, argument = operand.factor, operand.argument
    match operand.function:
        case Function.VALUE:
            return name
        case Function.PERCENTILE:
            return f"100*(1-xpct({name}))" if argument is Direction.DESCENDING else f"100*xpct({name})"
        case Function.RANK:
            return f"xrank({name},1)" if argument is Direction.DESCENDING else f"xrank({name})"
        case Function.CHANGE_RATE:
            back = "qlag" if operand.unit is LengthUnit.QUARTERS else "lag"
            return f"growth({name},{back}({name},{argument}))"
        case _:
            calls = _BY_QUARTERS if operand.unit is LengthUnit.QUARTERS else _BY_SESSIONS
            return f"{calls[operand.function]}({name},{argument})"


def formula_of(row: Row) -> str:
    """The row in the notation that strategy documents store.

    >>> formula_of(Row(left=Operand(factor="rsi_14"), operator=Operator.BETWEEN, low=50, high=70))
    '(rsi_14>=50)&(rsi_14<=70)'
    """
    left = operand_formula(row.left)
    if row.low is not None and row.high is not None:
        low, high = number_text(row.low), number_text(row.high)
        if row.operator is Operator.BETWEEN:
            return f"({left}>={low})&({left}<={high})"
        return f"({left}<{low})|({left}>{high})"
    if row.right is None:
        return f"{left}{row.operator.value}{number_text(row.value or 0.0)}"
    right = operand_formula(row.right)
    if row.times is not None:
        right = f"({right})" if row.right.function is Function.PERCENTILE else right
        right = f"{number_text(row.times)}*{right}"
    return f"{left}{row.operator.value}{right}"


def row_of(formula: str) -> Row | None:
    """The row a formula is, or None when rows cannot say exactly that.

    ``formula_of(row_of(f)) == canonical(f)`` wherever the answer is a row.

    >>> row_of("close > 1.05*sma(close, 60)").times
    1.05
    >>> row_of("close > open + 1") is None
    True
    """
    try:
        node = parse_formula(formula)
    except FormulaError:
        return None
    row = _row(node)
    return row if row is not None and formula_of(row) == canonical(formula) else None


def operand_of(formula: str) -> Operand | None:
    """The operand a formula is, or None.

    >>> operand_of("xrank(per)").argument
    <Direction.ASCENDING: 'asc'>
    """
    try:
        return _operand(parse_formula(formula))
    except InputError:
        return None


def _row(node: ast.expr) -> Row | None:
    try:
        match node:
            case ast.BinOp(left=ast.Compare() as first, op=ast.BitAnd(), right=ast.Compare() as second):
                return _range_row(first, second, (Operator.GREATER_EQUAL, Operator.LESS_EQUAL), Operator.BETWEEN)
            case ast.BinOp(left=ast.Compare() as first, op=ast.BitOr(), right=ast.Compare() as second):
                return _range_row(first, second, (Operator.LESS, Operator.GREATER), Operator.NOT_BETWEEN)
            case ast.Compare():
                return _compare_row(node)
    except InputError:  # a length out of range, low > high: text, not a row
        return None
    return None


def _compare_row(node: ast.Compare) -> Row | None:
    left, operator, right = _operand(node.left), _COMPARE[type(node.ops[0])], node.comparators[0]
    if left is None:
        return None
    value = _number(right)
    if value is not None:
        return Row(left=left, operator=operator, value=value)
    operand = _operand(right)
    if operand is not None:
        return Row(left=left, operator=operator, right=operand)
    if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Mult):
        times, operand = _number(right.left), _operand(right.right)
        if times is not None and operand is not None:
            return Row(left=left, operator=operator, right=operand, times=times)
    return None


def _range_row(
    first: ast.Compare, second: ast.Compare, wanted: tuple[Operator, Operator], operator: Operator
) -> Row | None:
    low, high = _compare_row(first), _compare_row(second)
    if low is None or high is None or (low.operator, high.operator) != wanted or low.left != high.left:
        return None
    if low.value is None or high.value is None:
        return None
    return Row(left=low.left, operator=operator, low=low.value, high=high.value)


def _number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -float(value)
    return None


def _operand(node: ast.expr) -> Operand | None:
    match node:
        case ast.Name(id=name):
            return Operand(factor=name)
        case ast.BinOp(left=ast.Constant(value=100), op=ast.Mult(), right=right):
            return _percentile(right)
        case ast.Call(func=ast.Name(id="xrank"), args=[ast.Name(id=name)], keywords=[]):
            return Operand(factor=name, function=Function.RANK, argument=Direction.ASCENDING)
        case ast.Call(func=ast.Name(id="xrank"), args=[ast.Name(id=name), ast.Constant(value=1)], keywords=[]):
            return Operand(factor=name, function=Function.RANK, argument=Direction.DESCENDING)
        case ast.Call(func=ast.Name(id="growth"), args=[ast.Name(id=name), ast.Call() as back], keywords=[]):
            past = _operand(back)
            if past is not None and past.function is Function.PAST and past.factor == name:
                return Operand(factor=name, function=Function.CHANGE_RATE, argument=past.argument, unit=past.unit)
        case ast.Call(func=ast.Name(id=call), args=[ast.Name(id=name), ast.Constant(value=int(length))], keywords=[]):
            if call in _CALLS:
                function, unit = _CALLS[call]
                return Operand(factor=name, function=function, argument=length, unit=unit)
    return None


def _percentile(node: ast.expr) -> Operand | None:
    text = unparse(node)
    for direction, pattern in (
        (Direction.ASCENDING, r"xpct\((\w+)\)"),
        (Direction.DESCENDING, r"1-xpct\((\w+)\)"),
    ):
        found = re.fullmatch(pattern, text)
        if found:
            return Operand(factor=found.group(1), function=Function.PERCENTILE, argument=direction)
    return None
