"""Tables as CSV for spreadsheets, in which no text of anybody becomes a formula."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["csv_of", "inert"]

_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_of(frame: pl.DataFrame) -> bytes:
    """CSV that Excel reads: UTF-8 with its mark, so that Korean names stay whole.

    A text, or the name of a column, that a spreadsheet would take for a formula has an apostrophe before it.
    """
    texts = [name for name, kind in frame.schema.items() if kind in (pl.String, pl.Categorical, pl.Enum)]
    safe = frame.with_columns(
        pl.col(name).cast(pl.String).map_elements(inert, return_dtype=pl.String).alias(name)
        for name in texts
        if _has_formula(frame.get_column(name))
    )
    return safe.rename({name: inert(name) for name in safe.columns}).write_csv().encode("utf-8-sig")


def inert(text: str, mark: str = "'") -> str:
    """A text with a mark before it where a spreadsheet would take it for a formula.

    >>> inert("=1+1"), inert(" -2"), inert("삼성전자"), inert("")
    ("'=1+1", "' -2", '삼성전자', '')
    """
    begins = text.lstrip(" \u00a0\u2060\ufeff\0")
    return f"{mark}{text}" if begins.startswith(_BEGINS_FORMULA) else text


def _has_formula(column: pl.Series) -> bool:
    """Whether any text of the column could be one: most columns hold none, and are left as they are."""
    return any(inert(one) != one for one in column.cast(pl.String).drop_nulls().unique().to_list())
