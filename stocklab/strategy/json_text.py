"""JSON text to plain values, refusing what JSON libraries silently let through, each with its place."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from stocklab.errors import DocumentError, FieldFault

__all__ = ["MAX_BYTES", "MOST_FAULTS", "join_path", "read_json", "show"]

MAX_BYTES: Final = 256 * 1024
"""A document larger than this is refused unread."""

MOST_FAULTS: Final = 100
"""So many faults are told: a file with more is not one that somebody corrects line by line."""

_MAX_DEPTH: Final = 40
_SHOWN: Final = 60


class _Object(dict[str, Any]):
    """A JSON object that remembers keys written twice."""

    repeated: tuple[str, ...] = ()


def read_json(source: str | bytes | Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldFault]]:
    """Plain values of a document and the faults of its text: repeated keys, NaN and infinity, broken characters.

    A value at fault is replaced by None, so that the rest can still be judged.

    Raises
    ------
    DocumentError
        It cannot be read at all: too large, no JSON, nested too deeply, or no object.
    """
    text = _text_of(source)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _unreadable("too_large", f"The document is larger than {MAX_BYTES // 1024} KB. Hint: shorten it.")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _unreadable("json", f"Not JSON at {where}: {error.msg}.") from error
    except (RecursionError, ValueError) as error:  # thousands of brackets, or of digits in one number
        raise _unreadable("json", "Not JSON that can be read: nested too deeply, or a number too long.") from error
    if not isinstance(value, dict):
        raise _unreadable("type", f"Expected an object {{...}}, found {show(value)}.")
    faults: list[FieldFault] = []
    return _plain(value, "", faults, 0), faults


def join_path(path: str, part: str | int) -> str:
    """Path of a part of a value; a key of any length is cut.

    >>> join_path("entry.rules", 1)
    'entry.rules.1'
    """
    shown = str(part) if isinstance(part, int) or len(part) <= _SHOWN else part[: _SHOWN - 2] + "..."
    return f"{path}.{shown}" if path else shown


def show(value: object) -> str:
    """A value as JSON, cut to a length fit for a message.

    >>> show("x" * 100)
    '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'
    """
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 2] + "..."


def _text_of(source: str | bytes | Mapping[str, Any]) -> str:
    if isinstance(source, bytes):
        try:
            return source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _unreadable("encoding", f"Expected UTF-8 text; byte {error.start + 1} is not.") from error
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return json.dumps(source, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _unreadable("json", f"Expected values JSON has: {error}.") from error


def _unreadable(code: str, message: str) -> DocumentError:
    return DocumentError((FieldFault(path="document", code=code, message=message),))


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    value = _Object(pairs)
    if len(value) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        value.repeated = tuple(key for key, count in counts.items() if count > 1)[:MOST_FAULTS]
    return value


def _plain(value: Any, path: str, faults: list[FieldFault], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        _tell(faults, path, "too_deep", f"More than {_MAX_DEPTH} levels deep.")
        return None
    match value:
        case _Object():
            for key in value.repeated:
                message = f"The key {show(key)} is written more than once. Hint: keep one."
                _tell(faults, join_path(path, key), "repeated_key", message)
            return {key: _plain(item, join_path(path, key), faults, depth + 1) for key, item in value.items()}
        case list():
            return [_plain(item, join_path(path, index), faults, depth + 1) for index, item in enumerate(value)]
        case float() if not math.isfinite(value):
            _tell(faults, path, "not_finite", f"Expected a finite number, found {value}.")
            return None
        case str() if not value.isascii() and not _encodable(value):
            _tell(faults, path, "text", "The text has half of a surrogate pair.")
            return None
    return value


def _tell(faults: list[FieldFault], path: str, code: str, message: str) -> None:
    if len(faults) < MOST_FAULTS:
        faults.append(FieldFault(path=path, code=code, message=message))


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)
