"""Lists page by page: where the next page begins is the sort value and id of the last row, so no page gets slower."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import ColumnElement, literal, tuple_

from stocklab.errors import InputError

__all__ = ["PAGE_SIZE", "Page", "behind", "beyond", "cursor", "page_of"]

PAGE_SIZE: Final = 20
_Item = TypeVar("_Item")
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_Item]):
    """Some items of a list; ``after`` asks for the next page, None on the last."""

    items: tuple[_Item, ...]
    after: str | None = None


def cursor(value: object, row_id: str) -> str:
    """Where the next page begins.

    >>> cursor(3, "ab")
    '3~ab'
    """
    return f"{value}~{row_id}"


def behind(columns: Sequence[Any], values: Sequence[object], *, descending: bool = True) -> ColumnElement[bool]:
    """The rows behind a place in a list that is sorted by these columns, all in one direction.

    Both databases go to that place in an index over the columns. Said with "or" they would walk there from the
    beginning of the list.
    """
    place = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
    return tuple_(*columns) < place if descending else tuple_(*columns) > place


def beyond(
    after: str | None,
    column: Any,
    id_column: Any,
    read: Callable[[str], object],
    *,
    descending: bool = True,
) -> tuple[ColumnElement[bool], ...]:
    """Conditions for the rows behind a cursor; none for the first page.

    Parameters
    ----------
    read : callable
        Makes the sort value of its text.

    Raises
    ------
    InputError
        The cursor is not one of this list.
    """
    if after is None:
        return ()
    text, mark, row_id = after.rpartition("~")
    try:
        if not mark:
            raise ValueError
        value = read(text)
    except ValueError as error:
        found = after[:60]
        raise InputError(f"Expected a place in this list, found {found!r}. Hint: begin at the first page.") from error
    return (behind((column, id_column), (value, row_id), descending=descending),)


def page_of(
    rows: Sequence[_Row],
    view: Callable[[_Row], _Item],
    place: Callable[[_Row], tuple[object, str]],
    size: int = PAGE_SIZE,
) -> Page[_Item]:
    """A page of the rows that were read, one more than it holds so that it is known whether another follows."""
    shown = rows[:size]
    more = len(rows) > size
    return Page(items=tuple(view(row) for row in shown), after=cursor(*place(shown[-1])) if more else None)
