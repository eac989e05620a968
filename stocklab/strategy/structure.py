"""Faults of a document's structure: unknown keys, wrong types, values out of range; every one, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import reduce
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stocklab.errors import FieldFault
from stocklab.strategy.json_text import MOST_FAULTS, join_path, show

__all__ = ["validate_structure"]

_EXPECTED: Final[dict[str, tuple[str, str]]] = {
    # pydantic's error type: our code, what was expected (with the fields of its context)
    "string_type": ("type", "text"),
    "int_type": ("type", "a whole number"),
    "int_from_float": ("type", "a whole number"),
    "float_type": ("type", "a number"),
    "bool_type": ("type", "true or false"),
    "tuple_type": ("type", "a list [...]"),
    "model_type": ("type", "an object {{...}}"),
    "model_attributes_type": ("type", "an object {{...}}"),
    "literal_error": ("choice", "{expected}"),
    "enum": ("choice", "{expected}"),
    "greater_than": ("range", "more than {gt}"),
    "greater_than_equal": ("range", "at least {ge}"),
    "less_than": ("range", "less than {lt}"),
    "less_than_equal": ("range", "at most {le}"),
    "finite_number": ("range", "a finite number"),
    "string_too_short": ("length", "at least {min_length} character(s)"),
    "string_too_long": ("length", "at most {max_length} characters"),
    "too_short": ("length", "at least {min_length} item(s)"),
    "too_long": ("length", "at most {max_length} items"),
    "string_pattern_mismatch": ("pattern", "text of the pattern {pattern}"),
}
_CHOICE: Final = re.compile(r"'([^']*)'")
_PATTERNS: Final = {
    "id": 'one or two capital letters, not "OR"',
    "symbols": 'a code such as "005930"',
    "exclude_symbols": 'a code such as "005930"',
}

_Place = tuple[str | int, ...]
_Document = TypeVar("_Document", bound=BaseModel)


def validate_structure(data: dict[str, Any], model: type[_Document]) -> tuple[_Document | None, list[FieldFault]]:
    """The document, or None and every fault of its structure. Types are strict: "5" is no number, 5.0 no whole one."""
    try:
        return model.model_validate_json(json.dumps(data), strict=True), []
    except ValidationError as error:
        return None, _faults(error.errors(include_url=False)[:MOST_FAULTS], data, model)


def _faults(errors: Sequence[ErrorDetails], data: dict[str, Any], model: type[BaseModel]) -> list[FieldFault]:
    by_place: dict[_Place, list[ErrorDetails]] = {}
    for error in errors:
        by_place.setdefault(_place(error, data), []).append(error)
    # a list whose only item is wrong also counts as too short: that is said once, at the item
    inside = {other[: len(place)] for place in by_place for other in by_place if len(other) > len(place)}
    return [
        _fault(place, group, model)
        for place, group in by_place.items()
        if group[0]["type"] != "too_short" or place not in inside
    ]


def _place(error: ErrorDetails, data: object) -> _Place:
    """Place in the document: what pydantic adds for the branches of a union is dropped."""
    place: _Place = ()
    node: Any = data
    for part in error["loc"]:
        if _holds(node, part):
            node = node[part]
        elif error["type"] != "missing":
            continue
        place = (*place, part)
    return place


def _holds(node: object, part: str | int) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, dict) and part in node


def _fault(place: _Place, group: Sequence[ErrorDetails], model: type[BaseModel]) -> FieldFault:
    error, path = group[0], reduce(join_path, place, "")
    match error["type"]:
        case "extra_forbidden":
            return FieldFault(path=path, code="unknown_key", message=_unknown_key(place, model))
        case "missing":
            return FieldFault(path=path, code="missing", message=f"The key {place[-1]!r} is required and not there.")
        case "value_error":
            return FieldFault(path=path, code="value", message=error["msg"].removeprefix("Value error, "))
    code, _ = _EXPECTED.get(error["type"], ("value", ""))
    message = f"Expected {' or '.join(_expected(part, place) for part in group)}, found {show(error['input'])}."
    near = _near_choice(group)
    return FieldFault(path=path, code=code, message=message + (f" Hint: did you mean {near!r}?" if near else ""))


def _expected(error: ErrorDetails, place: _Place) -> str:
    if error["type"] == "string_pattern_mismatch":
        if place[0] == "factors":
            return "small letters, digits and _, beginning with a letter, at most 40"
        named = next((part for part in reversed(place) if part in _PATTERNS), None)
        if named is not None:
            return _PATTERNS[str(named)]
    if error["type"] not in _EXPECTED:
        return error["msg"]
    return _EXPECTED[error["type"]][1].format(**error.get("ctx", {}))


def _near_choice(group: Sequence[ErrorDetails]) -> str | None:
    for error in group:
        if _EXPECTED.get(error["type"], ("", ""))[0] == "choice" and isinstance(error["input"], str):
            names: list[str] = _CHOICE.findall(str(error["ctx"]["expected"]))
            choices = {name.lower(): name for name in names}
            near = get_close_matches(error["input"].lower(), choices, n=1, cutoff=0.6)
            if near:
                return choices[near[0]]
    return None


def _unknown_key(place: _Place, model: type[BaseModel]) -> str:
    key = str(place[-1])
    known = list(_model_at(place[:-1], model).model_fields)
    near = get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else ""
    if not near:
        elsewhere = [path for path in _all_paths(model, "") if path.rpartition(".")[2] == key]
        hint = f"it belongs at {elsewhere[0]}." if elsewhere else f"known keys are {', '.join(known)}."
    return f"Unknown key {show(key)}. Hint: {hint}"


def _model_at(place: _Place, model: type[BaseModel]) -> type[BaseModel]:
    """Model whose keys live at a place of the document."""
    for part in place:
        if isinstance(part, str):
            model = next(_models_in(model.model_fields[part].annotation))
    return model


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _all_paths(model: type[BaseModel], path: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        here = join_path(path, name)
        yield here
        for inner in _models_in(field.annotation):
            yield from _all_paths(inner, here)
