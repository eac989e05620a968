"""A formula as a plain sentence, Korean or English."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Final

from stocklab.factors.words import call_words
from stocklab.strategy.document import OwnFactor
from stocklab.strategy.korean import with_particle
from stocklab.strategy.labels import Language, quantity
from stocklab.strategy.notation import number_text, parse_formula, unparse
from stocklab.strategy.rows import Direction, Function, LengthUnit, Operand, Operator, Row, operand_of, row_of
from stocklab.strategy.voice import Voice

__all__ = ["describe_row", "describe_rule", "describe_value"]

_MANY_UNITS: Final = frozenset({"shares", "days", "count"})
_MANY_FACTORS: Final = ("tv", "trading_value", "volume", "avg_volume", "mcap", "market_cap", "total_market_cap")
_BIG_FUNCTIONS: Final = frozenset({Function.PERCENTILE, Function.RANK, Function.CHANGE, Function.CHANGE_RATE})
_ENGLISH_VERBS: Final[Mapping[Operator, str]] = {
    Operator.GREATER: "is above",
    Operator.GREATER_EQUAL: "is at least",
    Operator.LESS: "is below",
    Operator.LESS_EQUAL: "is at most",
    Operator.EQUAL: "equals",
    Operator.NOT_EQUAL: "differs from",
}
_COMPARE: Final[Mapping[type[ast.cmpop], Operator]] = {
    ast.Gt: Operator.GREATER,
    ast.GtE: Operator.GREATER_EQUAL,
    ast.Lt: Operator.LESS,
    ast.LtE: Operator.LESS_EQUAL,
    ast.Eq: Operator.EQUAL,
    ast.NotEq: Operator.NOT_EQUAL,
}
_SIGNS: Final[Mapping[type[ast.operator], tuple[str, int]]] = {
    ast.Add: ("+", 1),
    ast.Sub: ("-", 1),
    ast.Mult: ("×", 2),
    ast.Div: ("÷", 2),
    ast.Pow: ("^", 3),
}
_OF_SEVERAL: Final[Mapping[str, tuple[str, str]]] = {
    "max": ("큰 값", "larger"),
    "min": ("작은 값", "smaller"),
    "coalesce": ("첫 유효값", "first known"),
    "navg": ("유효값의 평균", "mean of the known"),
}
_ATOM: Final = 9


def describe_rule(formula: str, language: Language, own: Sequence[OwnFactor] = ()) -> str:
    """A condition as one sentence without its full stop; ``own`` factors are called by their names.

    Raises
    ------
    FormulaError
        Not a formula.

    >>> describe_rule("close>sma(close,60)", "ko")
    '종가가 60일 이동평균보다 높다'
    >>> describe_rule("close>sma(close,60)", "en")
    'Close is above its 60-session average'
    >>> describe_rule("close>sma_60", "en")
    'Close is above moving average 60'
    >>> describe_rule("close-open>0.5*tr", "ko")
    '종가 - 시가가 0.5 × 실질 변동폭(TR)보다 높다'
    """
    voice = Voice.of(language, own)
    row = row_of(formula)
    return _sentence(_row_clause(row, voice) if row is not None else _clause(parse_formula(formula), voice), voice)


def describe_value(formula: str, language: Language, own: Sequence[OwnFactor] = ()) -> str:
    """What a value formula is called, as a noun phrase: for ranking factors.

    >>> describe_value("ret(close,20)/tstd(close,20,1)", "ko")
    '종가의 20일 수익률 ÷ 종가의 20일 표준편차'
    """
    operand = operand_of(formula)
    voice = Voice.of(language, own)
    if operand is not None:
        return _operand(operand, voice)
    return _phrase(parse_formula(formula), voice)[0]


def describe_row(row: Row, language: Language) -> str:
    """A builder row as one sentence without its full stop.

    >>> describe_row(row_of("rsi_14<30"), "ko")
    'RSI(14)가 30보다 낮다'
    """
    voice = Voice.of(language, ())
    return _sentence(_row_clause(row, voice), voice)


def _row_clause(row: Row, voice: Voice) -> str:
    special = _truth(row, voice) or _standing(row, voice)
    if special is not None:
        return special
    left, unit = _operand(row.left, voice), _unit(row.left, voice)
    if row.low is not None and row.high is not None:
        return _range(left, row, unit, voice)
    if row.right is not None:
        right = _operand(row.right, voice, known=row.left.factor)
        right = _times(right, row.times, voice) if row.times is not None else right
    else:
        right = quantity(row.value or 0.0, unit, voice.language)
    return _comparison(left, row.operator, right, _measure(row.left, voice), voice)


def _truth(row: Row, voice: Voice) -> str | None:
    """A yes/no factor compared with 1 or 0."""
    yes = {(Operator.EQUAL, 1.0): True, (Operator.EQUAL, 0.0): False, (Operator.NOT_EQUAL, 0.0): True}
    plain = row.left.function is Function.VALUE and voice.unit(row.left.factor) == "bool" and row.value is not None
    answer = yes.get((row.operator, row.value or 0.0)) if plain else None
    if answer is None:
        return None
    name = voice.noun(row.left.factor)
    if voice.korean:
        return f"{name} 조건이 {'참이다' if answer else '거짓이다'}"
    return f"{name} {'holds' if answer else 'does not hold'}"


def _standing(row: Row, voice: Voice) -> str | None:
    """Rank or percentile against a number: how people say it."""
    left, value = row.left, row.value
    if value is None or left.function not in {Function.PERCENTILE, Function.RANK}:
        return None
    name, top = voice.noun(left.factor), left.argument is Direction.DESCENDING
    inside = row.operator is Operator.LESS_EQUAL
    if not inside and row.operator is not Operator.GREATER:
        return None
    number = number_text(value)
    if voice.korean:
        verb = "안에 든다" if inside else "밖이다"
        if left.function is Function.PERCENTILE:
            return f"{with_particle(name, '이/가')} {'상위' if top else '하위'} {number}% {verb}"
        return f"{name} 순위가 {'높은' if top else '낮은'} 순으로 {number}위 {verb}"
    if left.function is Function.PERCENTILE:
        return f"{name} is {'in' if inside else 'outside'} the {'top' if top else 'bottom'} {number}%"
    return f"{name} ranks {'among' if inside else 'outside'} the {number} {'highest' if top else 'lowest'}"


def _range(left: str, row: Row, unit: str, voice: Voice) -> str:
    low, high = quantity(row.low or 0.0, unit, voice.language), quantity(row.high or 0.0, unit, voice.language)
    inside = row.operator is Operator.BETWEEN
    if voice.korean:
        subject = with_particle(left, "이/가")
        return f"{subject} {low} 이상 {high} 이하이다" if inside else f"{subject} {low} 미만이거나 {high} 초과이다"
    return f"{left} is between {low} and {high}" if inside else f"{left} is below {low} or above {high}"


def _comparison(left: str, operator: Operator, right: str, measure: tuple[str, str], voice: Voice) -> str:
    if not voice.korean:
        return f"{left} {_ENGLISH_VERBS[operator]} {right}"
    subject = with_particle(left, "이/가")
    match operator:
        case Operator.GREATER:
            return f"{subject} {right}보다 {measure[0]}"
        case Operator.LESS:
            return f"{subject} {right}보다 {measure[1]}"
        case Operator.GREATER_EQUAL:
            return f"{subject} {right} 이상이다"
        case Operator.LESS_EQUAL:
            return f"{subject} {right} 이하이다"
        case Operator.EQUAL:
            return f"{subject} {with_particle(right, '과/와')} 같다"
        case _:
            return f"{subject} {with_particle(right, '과/와')} 다르다"


def _measure(operand: Operand, voice: Voice) -> tuple[str, str]:
    """Korean words for more and less of this quantity."""
    if operand.function in _BIG_FUNCTIONS:
        return "크다", "작다"
    many = voice.unit(operand.factor) in _MANY_UNITS or operand.factor in _MANY_FACTORS
    return ("많다", "적다") if many or operand.factor.startswith("trading_value") else ("높다", "낮다")


def _unit(operand: Operand, voice: Voice) -> str:
    match operand.function:
        case Function.PERCENTILE | Function.CHANGE_RATE:
            return "%"
        case Function.RANK:
            return "rank"
        case Function.CHANGE if voice.unit(operand.factor) == "%":
            return "%p"
    return voice.unit(operand.factor)


def _times(right: str, times: float, voice: Voice) -> str:
    return f"{right}의 {number_text(times)}배" if voice.korean else f"{number_text(times)} times {right}"


def _operand(operand: Operand, voice: Voice, known: str = "") -> str:
    """Noun phrase; ``known`` is the factor already named on the left, so that it need not be named again."""
    name, argument = voice.noun(operand.factor), operand.argument
    quarters = operand.unit is LengthUnit.QUARTERS
    descending = argument is Direction.DESCENDING
    again = operand.factor == known
    if voice.korean:
        span = f"{argument}{'분기' if quarters else '일'}"
        of = "" if again else f"{name}의 "
        return {
            Function.VALUE: name,
            Function.PAST: f"{span} 전 {'값' if again else name}",
            Function.AVERAGE: f"{of}{span} {'평균' if quarters else '이동평균'}",
            Function.PERCENTILE: f"{of}{'상위' if descending else '하위'} 백분위",
            Function.RANK: f"{of}순위({'높은' if descending else '낮은'} 순)",
            Function.HIGHEST: f"{of}{span} 최고값",
            Function.LOWEST: f"{of}{span} 최저값",
            Function.CHANGE: f"{of}{span} 변화량",
            Function.CHANGE_RATE: f"{of}{span} 변화율",
        }[operand.function]
    unit = "quarter" if quarters else "session"
    whose, of = ("its", "") if again else ("the", f" of {name}")
    return {
        Function.VALUE: name,
        Function.PAST: f"{'its value' if again else name} of {argument} {unit}{'' if argument == 1 else 's'} ago",
        Function.AVERAGE: f"{whose} {argument}-{unit} average{of}",
        Function.PERCENTILE: f"{whose} {'top' if descending else 'bottom'} percentile{of}",
        Function.RANK: f"{whose} rank{of} ({'highest' if descending else 'lowest'} first)",
        Function.HIGHEST: f"{whose} {argument}-{unit} highest{of}",
        Function.LOWEST: f"{whose} {argument}-{unit} lowest{of}",
        Function.CHANGE: f"{whose} {argument}-{unit} change{of}",
        Function.CHANGE_RATE: f"{whose} {argument}-{unit} rate of change{of}",
    }[operand.function]


def _clause(node: ast.expr, voice: Voice) -> str:
    """A condition that is no row."""
    row = row_of(unparse(node))
    if row is not None:
        return _row_clause(row, voice)
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
            word = (", 그리고 ", " 또는 ") if voice.korean else (", and ", " or ")
            parts = [_bracketed(part, op, voice) for part in (left, right)]
            return word[isinstance(op, ast.BitOr)].join(parts)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            inner = _clause(operand, voice)
            return f"[{inner}]에 해당하지 않는다" if voice.korean else f"not [{inner}]"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            sides = (_phrase(left, voice)[0], _phrase(right, voice)[0])
            return _comparison(sides[0], _COMPARE[type(op)], sides[1], ("높다", "낮다"), voice)
        case _:
            name = _phrase(node, voice)[0]
            return f"{name} 조건이 참이다" if voice.korean else f"{name} holds"


def _bracketed(node: ast.expr, outer: ast.operator, voice: Voice) -> str:
    mixed = isinstance(node, ast.BinOp) and type(node.op) is not type(outer) and row_of(unparse(node)) is None
    text = _clause(node, voice)
    return f"[{text}]" if mixed else text


def _phrase(node: ast.expr, voice: Voice) -> tuple[str, int]:
    """Noun phrase of a value and how tightly it holds together."""
    operand = operand_of(unparse(node))
    if operand is not None and operand.function is not Function.VALUE:
        return _operand(operand, voice), _ATOM
    match node:
        case ast.Name(id=name):
            return voice.noun(name), _ATOM
        case ast.Constant(value=int() | float() as value):
            return number_text(value), _ATOM
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return f"-{_held(inner, _ATOM, voice)}", 2
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
            sign, tightness = _SIGNS[type(op)]
            strict = tightness + isinstance(op, ast.Sub | ast.Div | ast.Pow)
            return f"{_held(left, tightness, voice)} {sign} {_held(right, strict, voice)}", tightness
        case ast.Call(func=ast.Name(id=call), args=args):
            return _call(call, [_argument(arg, voice) for arg in args], voice), _ATOM
    return f"[{_clause(node, voice)}]", _ATOM


def _held(node: ast.expr, tightness: int, voice: Voice) -> str:
    text, own = _phrase(node, voice)
    return text if own >= tightness else f"({text})"


def _argument(node: ast.expr, voice: Voice) -> str:
    if isinstance(node, ast.Compare) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr)):
        return _clause(node, voice)
    text, tightness = _phrase(node, voice)
    return text if tightness == _ATOM else f"({text})"


def _call(call: str, arguments: list[str], voice: Voice) -> str:
    if call in _OF_SEVERAL:
        korean, english = _OF_SEVERAL[call]
        listed = ", ".join(arguments)
        return f"{listed} 중 {korean}" if voice.korean else f"the {english} of {listed}"
    return call_words(call, arguments, voice.language) or f"{call}({', '.join(arguments)})"


def _sentence(clause: str, voice: Voice) -> str:
    return clause[:1].upper() + clause[1:] if not voice.korean else clause
