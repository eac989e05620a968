"""A screen's answer as lines of text."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import polars as pl

from stocklab.data.screening import ScreenResult

__all__ = ["describe_screen"]

MOST_LINES: Final = 50
_CELL: Final = 24
_HEADING: Final = 22


def describe_screen(result: ScreenResult, *, synthetic: bool, most: int = MOST_LINES) -> str:
    """The counts, each condition, and the table as aligned text; at most ``most`` rows of it."""
    label = "  demo data (synthetic)" if synthetic else ""
    lines = [f"{result.matched:,} of {result.universe:,} stocks match at the close of {result.session}{label}"]
    if len(result.conditions) > 1:
        lines.append(f"  logic: {result.logic}")
    lines += [
        f"  {one.id}  {one.formula}: true {one.true:,}, false {one.false:,}, unknown {one.unknown:,}"
        for one in result.conditions
    ]
    if result.rows.height:
        letters = [one.id for one in result.conditions]
        lines += ["", *_table(result.rows.drop(letters).head(most))]
    if result.rows.height > most:
        lines.append(f"... and {result.rows.height - most:,} more; --csv or --json writes all of them.")
    return "\n".join(lines)


def _table(frame: pl.DataFrame) -> list[str]:
    cells = [[_cut(name, _HEADING) for name in frame.columns]]
    cells += [[_cut(_shown(value), _CELL) for value in row] for row in frame.iter_rows()]
    numeric = [kind.is_numeric() for kind in frame.dtypes]
    widths = [max(_width(row[place]) for row in cells) for place in range(len(frame.columns))]
    return [
        "  ".join(
            _padded(cell, width, right=right) for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    ]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 or value.is_integer() else f"{value:,.2f}"
    return str(value)


def _width(text: str) -> int:
    """Columns of a terminal: Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, *, right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept = text
    while _width(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…"
