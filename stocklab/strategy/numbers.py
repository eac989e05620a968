"""Every number of a strategy document: where it stands, what it is, and the document with others in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from stocklab.errors import FieldFault
from stocklab.factors import CATALOGUE
from stocklab.factors.parser import parse
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, NumberNode, UnaryNode, number_text
from stocklab.strategy.document import Strategy
from stocklab.strategy.json_text import join_path

__all__ = ["Number", "formula_with", "formula_without_numbers", "numbers_of", "unknown_number", "with_numbers"]

_IN_A_NAME: Final = re.compile(r"_(\d+)(?=d?(?:_|$))")
_LEAST_WINDOW: Final = 3
_FORMULAS: Final = ("formula",)
_SKIPPED: Final = frozenset({"schema_version", "higher_is_better", "months", "tags", "allocation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a document.

    Attributes
    ----------
    path : such as ``sizing.max_holdings`` or ``entry.rules.A.formula#2``, the second number of that formula; rules and
        own factors go by their letter or id, ranking parts by their place
    value : as it is now; None where nothing is set
    whole : whether only whole numbers make sense
    formula : the formula it stands in, "" elsewhere
    position, length : its characters in that formula
    """

    path: str
    value: float | None
    whole: bool
    formula: str = ""
    position: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class _Spot:
    """A number of a formula: a literal, or the window in the name of a catalogue factor such as ``rsi_14``."""

    position: int
    length: int
    value: float
    name: str = ""


def numbers_of(strategy: Strategy) -> tuple[Number, ...]:
    """Every number that can be another one, in the order of the document.

    >>> rule = {"id": "A", "formula": "rsi_14<30"}
    >>> found = numbers_of(Strategy(name="x", entry={"rules": [rule]}))
    >>> [(number.path, number.value) for number in found if number.formula]
    [('entry.rules.A.formula#1', 14.0), ('entry.rules.A.formula#2', 30.0)]
    """
    return tuple(_walk(strategy, ""))


def with_numbers(document: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
    """The plain values of a document with other numbers at these paths of `numbers_of`; the original is left alone.

    Numbers of a formula are counted as they stand in ``document``.
    """
    changed: dict[str, Any] = _copy(document)
    formulas: dict[str, dict[int, float]] = {}
    for path, value in values.items():
        place, _, number = path.partition("#")
        if number:
            formulas.setdefault(place, {})[int(number)] = value
        else:
            holder, key = _holder(changed, place)
            holder[key] = int(value) if float(value).is_integer() and _is_whole(place) else value
    for place, numbers in formulas.items():
        holder, key = _holder(changed, place)
        holder[key] = formula_with(holder[key], numbers)
    return changed


def formula_with(formula: str, numbers: Mapping[int, float]) -> str:
    """The formula with other numbers; they are counted from 1, from left to right.

    A window in the name of a factor is changed in what the name means.

    >>> formula_with("close>sma(close,60)*1.02", {1: 20})
    'close>sma(close,20)*1.02'
    >>> formula_with("sma_20>sma_60", {2: 120})
    'sma_20>(sma(close,120))'
    """
    by_place: dict[tuple[int, int], list[tuple[_Spot, float]]] = {}
    for number, spot in enumerate(_spots(formula), start=1):
        if number in numbers and numbers[number] != spot.value:
            by_place.setdefault((spot.position, spot.length), []).append((spot, numbers[number]))
    text = formula
    for (position, length), changes in sorted(by_place.items(), reverse=True):
        name = changes[0][0].name
        if name:
            new = f"({_definition_with(name, {spot.value: value for spot, value in changes})})"
        else:
            new = number_text(float(changes[0][1]))
            new = f"({new})" if new.startswith("-") else new
        text = text[:position] + new + text[position + length :]
    return text


def formula_without_numbers(formula: str) -> str:
    """The formula with one and the same number everywhere: equal for formulas that differ in numbers only.

    >>> formula_without_numbers("sma_20>1.5*sma(close,60)")
    '(sma(close,7))>7*sma(close,7)'
    """
    text = formula
    named = {(spot.position, spot.length, spot.name) for spot in _spots(formula) if spot.name}
    for position, length, name in sorted(named, reverse=True):
        text = f"{text[:position]}({CATALOGUE[name].formula}){text[position + length :]}"
    numbers = sorted((leaf for leaf in _leaves(parse(text)) if isinstance(leaf, NumberNode)), key=_position)
    for leaf in reversed(numbers):
        text = f"{text[: leaf.position]}7{text[leaf.position + leaf.length :]}"
    return text


def unknown_number(path: str, known: Sequence[Number], at: str) -> FieldFault | None:
    """The fault of naming a number that is not there; None where it is."""
    paths = [number.path for number in known]
    if path in paths:
        return None
    near = get_close_matches(path, paths, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else "the numbers there are: `stocklab sweep FILE --numbers`."
    message = f"Expected the path of a number of the strategy, found {path!r}. Hint: {hint}"
    return FieldFault(path=at, code="unknown_number", message=message)


def _walk(node: BaseModel, path: str) -> Iterator[Number]:
    for key, field in type(node).model_fields.items():
        if key in _SKIPPED:
            continue
        value, here = getattr(node, key), join_path(path, key)
        if key in _FORMULAS:
            yield from _of_formula(value, here)
        elif isinstance(value, BaseModel):
            yield from _walk(value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from _walk(item, join_path(here, getattr(item, "id", index)))
        elif (kind := _number_type(field.annotation)) is not None and (
            value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        ):
            yield Number(path=here, value=None if value is None else float(value), whole=kind is int)


def _of_formula(formula: str | None, path: str) -> Iterator[Number]:
    for number, spot in enumerate(_spots(formula) if formula else (), start=1):
        yield Number(
            path=f"{path}#{number}",
            value=spot.value,
            whole=spot.value.is_integer(),
            formula=formula or "",
            position=spot.position,
            length=spot.length,
        )


def _number_type(annotation: object) -> type | None:
    """``int`` or ``float`` where the field takes such numbers, also beside null or a word."""
    if annotation in (int, float):
        return annotation if isinstance(annotation, type) else None
    kinds = [_number_type(part) for part in get_args(annotation) if not isinstance(part, str | int)]
    return next((kind for kind in kinds if kind is not None), None)


@lru_cache(maxsize=1024)
def _is_whole(path: str) -> bool:
    """Whether a path of the document outside of formulas takes whole numbers."""
    model: Any = Strategy
    for part in path.split("."):
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            return False
        if part not in model.model_fields:
            continue  # a letter, an id or a place in a list
        annotation = model.model_fields[part].annotation
        inner = next(_models(annotation), None)
        if inner is None:
            return _number_type(annotation) is int
        model = inner
    return False


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list | tuple) else value


def _holder(document: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object that holds the last key of a path."""
    parts = path.split(".")
    node: Any = document
    for part in parts[:-1]:
        if isinstance(node, list):
            node = next(
                item for index, item in enumerate(node) if str(item.get("id", index)) == part or str(index) == part
            )
        else:
            node = node[part]
    return node, parts[-1]


@lru_cache(maxsize=4096)
def _spots(formula: str) -> tuple[_Spot, ...]:
    """Numbers of a formula from left to right."""
    found: list[_Spot] = []
    for leaf in _leaves(parse(formula)):
        if isinstance(leaf, NumberNode):
            found.append(_Spot(leaf.position, leaf.length, leaf.value))
        elif isinstance(leaf, NameNode):
            found += [_Spot(leaf.position, leaf.length, value, leaf.name) for value in _windows(leaf.name)]
    return tuple(found)


@lru_cache(maxsize=1024)
def _windows(name: str) -> tuple[float, ...]:
    """Numbers in a factor's name that are windows of its definition: 14 in ``rsi_14``."""
    if name not in CATALOGUE:
        return ()
    inside = {leaf.value for leaf in _arguments(parse(CATALOGUE[name].formula))}
    named = [float(text) for text in _IN_A_NAME.findall(name)]
    return tuple(value for value in dict.fromkeys(named) if value >= _LEAST_WINDOW and value in inside)


def _definition_with(name: str, values: Mapping[float, float]) -> str:
    text = CATALOGUE[name].formula
    for leaf in sorted(_arguments(parse(text)), key=lambda node: node.position, reverse=True):
        if leaf.value in values:
            text = text[: leaf.position] + number_text(float(values[leaf.value])) + text[leaf.position + leaf.length :]
    return text


def _position(node: Node) -> int:
    return node.position


def _leaves(node: Node) -> Iterator[Node]:
    match node:
        case UnaryNode(operand=operand):
            yield from _leaves(operand)
        case BinaryNode(left=left, right=right):
            yield from _leaves(left)
            yield from _leaves(right)
        case CallNode(arguments=arguments, minobs=minobs):
            for argument in (*arguments, *(() if minobs is None else (minobs,))):
                yield from _leaves(argument)
        case _:
            yield node


def _arguments(node: Node) -> Iterator[NumberNode]:
    """Numbers that are arguments of functions themselves: windows, not factors or thresholds."""
    match node:
        case UnaryNode(operand=operand):
            yield from _arguments(operand)
        case BinaryNode(left=left, right=right):
            yield from _arguments(left)
            yield from _arguments(right)
        case CallNode(arguments=arguments, minobs=minobs):
            for argument in (*arguments, *(() if minobs is None else (minobs,))):
                if isinstance(argument, NumberNode):
                    yield argument
                else:
                    yield from _arguments(argument)
