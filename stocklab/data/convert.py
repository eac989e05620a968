"""Turn a file's columns into the store's types; the first value that does not fit is named with its row."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

import polars as pl

from stocklab.data.reading import SourceFile
from stocklab.errors import BrokenInput

__all__ = ["first_row", "nearest", "refuse_where", "require", "to_dates", "to_reals", "to_texts", "to_whole"]

_DATE_FORMATS: Final = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d")
_EARLIEST_YEAR: Final = 1956  # the exchange opened on 1956-03-03
_LATEST_YEAR: Final = 2200


def nearest(name: str, known: list[str]) -> str:
    """ " Did you mean 'x'?" for the nearest known name, "" when none is near."""
    lowered = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return f" Did you mean {lowered[close[0]]!r}?" if close else ""


def require(file_name: str, found: list[str], wanted: Sequence[str], *, layout: str) -> None:
    """Refuse a file that lacks a column.

    Raises
    ------
    BrokenInput
        Names the first missing column and the file's nearest one.
    """
    for column in wanted:
        if column not in found:
            raise BrokenInput(
                f"the column is missing; {layout} files have {', '.join(wanted)}.{nearest(column, found)}",
                file=file_name,
                column=column,
                hint=f"the file has {', '.join(found)}.",
            )


def first_row(mask: pl.Series) -> int | None:
    """0-based position of the first True."""
    position = mask.fill_null(value=False).arg_max()
    return position if position is not None and bool(mask[position]) else None


def refuse_where(mask: pl.Series, file: SourceFile, column: str, expected: str, *, found: str | None = None) -> None:
    """Refuse the file at the first row of ``mask``, quoting the value there.

    Raises
    ------
    BrokenInput
        A row is marked.
    """
    row = first_row(mask)
    if row is not None:
        value = _quote(file.frame[column], row) if found is None and column in file.columns else found
        raise BrokenInput(f"expected {expected}, found {value}.", file=file.name, row=row + 1, column=column)


def _quote(values: pl.Series, row: int) -> str:
    if values.dtype.is_temporal():  # a damaged file may hold days that Python cannot represent
        return str(values.slice(row, 1).cast(pl.String)[0])
    return repr(values[row])


def to_whole(file: SourceFile, column: str, *, nullable: bool = False, rounded: bool = False) -> pl.Series:
    """Whole numbers as Int64; ``rounded`` accepts fractions and rounds them half to even.

    Raises
    ------
    BrokenInput
        A value is text, not finite, not whole, too large, or missing although it must be known.
    """
    given = file.frame[column]
    if given.dtype.is_integer():
        values = given.cast(pl.Int64, strict=False)
        refuse_where(values.is_null() & given.is_not_null(), file, column, "a number that fits 64 bits")
    else:
        real = to_reals(file, column, nullable=nullable)
        if not rounded:
            refuse_where(real != real.round(0), file, column, "a whole number")
        refuse_where(real.abs() >= 2.0**53, file, column, "a number below 2^53")
        values = real.round(0).cast(pl.Int64)
    if not nullable:
        refuse_where(values.is_null(), file, column, "a number", found="nothing")
    return values


def to_reals(file: SourceFile, column: str, *, nullable: bool = False) -> pl.Series:
    """Numbers as Float64, null where nothing is given.

    Raises
    ------
    BrokenInput
        A value is text or infinite, or missing although it must be known.
    """
    given = file.frame[column]
    if given.dtype == pl.String:
        text = given.str.strip_chars()
        text = text.set(text == "", None)
        values = text.cast(pl.Float64, strict=False)
        refuse_where(values.is_null() & text.is_not_null(), file, column, "a number")
    elif given.dtype.is_numeric():
        values = given.cast(pl.Float64)
    else:
        raise BrokenInput(f"expected numbers, found the type {given.dtype}.", file=file.name, column=column)
    refuse_where(values.is_infinite(), file, column, "a finite number")
    values = values.fill_nan(None)
    if not nullable:
        refuse_where(values.is_null(), file, column, "a number", found="nothing")
    return values


def to_dates(file: SourceFile, column: str, *, nullable: bool = False) -> pl.Series:
    """Days, from dates, timestamps, or text such as 2024-01-31, 20240131, 2024/01/31, 2024.01.31.

    Raises
    ------
    BrokenInput
        A value is not a day, lies before the exchange opened, or is missing although it must be known.
    """
    given = file.frame[column]
    if given.dtype == pl.Date:
        days = given
    elif isinstance(given.dtype, pl.Datetime):
        days = given.dt.date()
    elif given.dtype == pl.String or given.dtype.is_integer():
        text = given.cast(pl.String).str.strip_chars()
        text = text.set(text == "", None)
        days = pl.Series(column, [None] * len(text), dtype=pl.Date)
        for form in _DATE_FORMATS:
            days = days.zip_with(days.is_not_null(), text.str.to_date(form, strict=False, exact=True))
        refuse_where(days.is_null() & text.is_not_null(), file, column, "a day such as 2024-01-31")
    else:
        raise BrokenInput(f"expected days, found the type {given.dtype}.", file=file.name, column=column)
    year = days.dt.year()
    refuse_where((year < _EARLIEST_YEAR) | (year > _LATEST_YEAR), file, column, f"a day since {_EARLIEST_YEAR}")
    if not nullable:
        refuse_where(days.is_null(), file, column, "a day", found="nothing")
    return days


def to_texts(file: SourceFile, column: str, *, nullable: bool = False) -> pl.Series:
    """Text with outer spaces removed; empty text is null.

    Raises
    ------
    BrokenInput
        The column is not text, or a value is missing although it must be known.
    """
    given = file.frame[column]
    if given.dtype == pl.Null:
        given = given.cast(pl.String)
    if given.dtype != pl.String and not isinstance(given.dtype, (pl.Categorical, pl.Enum)):
        raise BrokenInput(f"expected text, found the type {given.dtype}.", file=file.name, column=column)
    text = given.cast(pl.String)
    if text.str.contains(r"^\s|\s$|^$").any():
        text = text.str.strip_chars()
        text = text.set(text == "", None)
    if not nullable:
        refuse_where(text.is_null(), file, column, "text", found="nothing")
    return text
