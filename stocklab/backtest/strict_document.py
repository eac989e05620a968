"""Frozen values as versioned JSON and back, strictly: nothing unknown, nothing missing, no other type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from stocklab.errors import InputError

__all__ = ["STRICT", "from_document", "to_document"]

STRICT: Final = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
"""Of every dataclass of a document, as ``__pydantic_config__``."""

Value = TypeVar("Value")


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def to_document(value: object, version: int) -> dict[str, Any]:
    """The fields of a dataclass as JSON, with the version of their meaning."""
    fields: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return {"version": version, **fields}


def from_document(kind: type[Value], document: Mapping[str, Any], version: int) -> Value:
    """The value of a document that `to_document` wrote.

    Raises
    ------
    InputError
        Another version, a key that is missing or unknown, or a value of another type.
    """
    found = document.get("version")
    if found != version or isinstance(found, bool):
        raise InputError(f"A {kind.__name__} document of version {version} is expected, found {found!r}.")
    fields = {name: part for name, part in document.items() if name != "version"}
    try:
        value: Value = _adapter(kind).validate_json(json.dumps(fields))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        raise InputError(f"The {kind.__name__} document is not whole: {path}: {first['msg']}.") from fault
    lost = _first_missing(fields, _adapter(kind).dump_python(value, mode="json"))
    if lost:
        raise InputError(f"The {kind.__name__} document is not whole: {lost} is missing.")
    return value


def _first_missing(document: object, whole: object, path: str = "") -> str:
    """Path of the first key that a document leaves to its default; "" where it has them all."""
    if isinstance(whole, dict) and isinstance(document, Mapping):
        for name, part in whole.items():
            here = f"{path}.{name}" if path else str(name)
            lost = _first_missing(document[name], part, here) if name in document else here
            if lost:
                return lost
    if isinstance(whole, list) and isinstance(document, Sequence):
        for place, (found, part) in enumerate(zip(document, whole, strict=True)):
            lost = _first_missing(found, part, f"{path}.{place}")
            if lost:
                return lost
    return ""
