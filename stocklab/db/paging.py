"""Keyset paging: a page goes on where the last one ended, at the cost of one page however far down it is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from stocklab.errors import InputError

__all__ = ["PAGE_SIZE", "Page", "read_page"]

PAGE_SIZE: Final = 20
_MOST: Final = 100
_LONGEST: Final = 500

Item = TypeVar("Item")
SortKey = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some of a list. ``cursor`` asks for what follows; None at the end."""

    items: tuple[Item, ...]
    cursor: str | None


def read_page(
    session: Session,
    statement: Select[Any],
    keys: Sequence[SortKey],
    *,
    view: Callable[[Any], Item],
    cursor: str | None = None,
    size: int = PAGE_SIZE,
    descending: bool = True,
) -> Page[Item]:
    """One page of ``statement``, sorted by ``keys`` (never NULL, the last one unique), after where ``cursor`` says.

    ``view`` makes an item of what a row holds: the entity of ``select(Entity)``, else the row. An index over the keys,
    with what the statement filters for before them, makes every page cost the same.

    Raises
    ------
    InputError
        The cursor is not one of this list.
    """
    size = max(1, min(size, _MOST))
    if cursor is not None:
        place = tuple_(*(literal(value, key.type) for key, value in zip(keys, _values(cursor, keys), strict=True)))
        found = tuple_(*keys)
        statement = statement.where(found < place if descending else found > place)
    statement = statement.order_by(None).order_by(*(key.desc() if descending else key.asc() for key in keys))
    width = len(statement.column_descriptions)
    rows = session.execute(statement.add_columns(*keys).limit(size + 1)).all()
    items = tuple(view(row[0] if width == 1 else row[:width]) for row in rows[:size])
    more = len(rows) > size
    return Page(items=items, cursor=_cursor(rows[size - 1][-len(keys) :]) if more else None)


def _cursor(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, date) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, ensure_ascii=False).encode()).decode("ascii").rstrip("=")


def _values(cursor: str, keys: Sequence[SortKey]) -> list[Any]:
    """Sort values of a cursor, which comes from a URL and may say anything."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        found = json.loads(base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True))
        if not isinstance(found, list) or len(found) != len(keys):
            raise ValueError("not as many values as the list is sorted by")
        return [_value(value, key.type.python_type) for value, key in zip(found, keys, strict=True)]
    except (ValueError, TypeError, binascii.Error, UnicodeError, RecursionError) as error:
        raise InputError("The page asked for is not one of this list. Hint: go back to its beginning.") from error


def _value(value: Any, wanted: type[Any]) -> Any:
    if wanted is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without zone")
        return moment
    if wanted is date and isinstance(value, str):
        return date.fromisoformat(value)
    if wanted is str and isinstance(value, str) and "\0" not in value:
        value.encode("utf-8")
        return value
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if wanted is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    raise ValueError(f"expected {wanted.__name__}")
