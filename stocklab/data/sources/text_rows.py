"""Rows of text, as the exchange's services answer them, made columns: nothing that is not a number becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from stocklab.errors import SourceChanged

__all__ = ["reals", "text_frame", "wholes"]

_WHOLE: Final = r"^[+-]?(\d+|\d{1,3}(,\d{3})+)$"
_REAL: Final = r"^[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d+)?$"
_LONGEST: Final = 40


def text_frame(source: str, rows: Any, columns: Sequence[str]) -> pl.DataFrame:
    """The wanted columns of JSON rows as text, outer blanks removed; "-" and nothing are null.

    Raises
    ------
    SourceChanged
        ``rows`` is not a list of objects, or a row lacks a column or holds something other than text in it.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceChanged(source, "expected a list of rows", found=repr(rows)[:_LONGEST])
    values: dict[str, list[str]] = {}
    for column in columns:
        try:
            found = [row[column] for row in rows]
        except KeyError:
            lacking = next(row for row in rows if column not in row)
            raise SourceChanged(source, f"a row has no {column!r}", found=", ".join(lacking)[:_LONGEST]) from None
        odd = next((value for value in found if not isinstance(value, str)), "")
        if odd != "":
            raise SourceChanged(source, f"expected text in {column!r}", found=repr(odd)[:_LONGEST])
        values[column] = found
    frame = pl.DataFrame(values, schema=dict.fromkeys(columns, pl.String))
    stripped = pl.all().str.strip_chars()
    return frame.select(pl.when(~stripped.is_in(["", "-"])).then(stripped).name.keep())


def wholes(source: str, frame: pl.DataFrame, column: str) -> pl.Series:
    """A column of whole numbers as Int64; thousands commas in their places are read, null stays null.

    Raises
    ------
    SourceChanged
        A value is not a whole number of at most 64 bits.
    """
    return _numbers(source, frame[column], _WHOLE, pl.Int64, "a whole number")


def reals(source: str, frame: pl.DataFrame, column: str) -> pl.Series:
    """A column of decimal numbers as Float64; thousands commas in their places are read, null stays null.

    Raises
    ------
    SourceChanged
        A value is not a decimal number.
    """
    return _numbers(source, frame[column], _REAL, pl.Float64, "a number")


def _numbers(source: str, text: pl.Series, pattern: str, dtype: type[pl.DataType], expected: str) -> pl.Series:
    plain = text.str.replace_all(",", "", literal=True).str.strip_prefix("+")
    values = plain.cast(dtype, strict=False)
    if dtype.is_float():
        values = values.replace(float("inf"), None).replace(float("-inf"), None)  # more digits than a number holds
    wrong = text.is_not_null() & (values.is_null() | ~text.str.contains(pattern))
    if wrong.any():
        found = text.filter(wrong)[0]
        raise SourceChanged(source, f"expected {expected} in {text.name!r}", found=str(found)[:_LONGEST])
    return values
