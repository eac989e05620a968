"""The file layouts the importer knows, one module per family, and how a file is recognised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from stocklab.data.convert import nearest
from stocklab.data.layouts import (
    corp_codes,
    dart_accounts,
    dart_statements,
    delistings,
    etf,
    index,
    krx_daily,
    lists,
    marcap,
    master,
    plain,
    upbit,
)
from stocklab.data.layouts.mapped import check_mapping, read_mapped
from stocklab.data.layouts.piece import ROW, Layout, Piece
from stocklab.errors import BrokenInput

__all__ = ["LAYOUTS", "ROW", "Layout", "Piece", "check_mapping", "read_mapped", "recognize"]

_LATER: Final = tuple(
    Layout(name=name, pattern=pattern, columns=columns, read=None)
    for name, pattern, columns in (
        ("upbit_intraday", r"upbit_krw_(1h|[0-9]+m)(_.*)?", ()),
        ("krx_adj_factors", r"krx_adj_factors.*", ("code", "ref", "ref_start", "ref_end", "price_factor_start")),
    )
)

LAYOUTS: Final[tuple[Layout, ...]] = (
    *krx_daily.LAYOUTS,
    *etf.LAYOUTS,
    *marcap.LAYOUTS,
    *index.LAYOUTS,
    *master.LAYOUTS,
    *delistings.LAYOUTS,
    *corp_codes.LAYOUTS,
    *dart_accounts.LAYOUTS,
    *dart_statements.LAYOUTS,
    *plain.LAYOUTS,
    *lists.LAYOUTS,
    *upbit.LAYOUTS,
    *_LATER,
)


def recognize(path: Path, columns: list[str]) -> Layout:
    """The layout of a file: by its name, else by its columns.

    Raises
    ------
    BrokenInput
        Neither fits; the nearest layout and what the file lacks for it are named.
    """
    for layout in LAYOUTS:
        if re.fullmatch(layout.pattern, path.stem, flags=re.IGNORECASE):
            return layout
    readable = [
        layout for layout in LAYOUTS if layout.read is not None and layout.by_columns and not layout.incremental
    ]
    complete = [layout for layout in readable if set(layout.columns) <= set(columns)]
    if complete:
        return max(complete, key=lambda layout: len(layout.columns))
    near = max(readable, key=lambda layout: len(set(layout.columns) & set(columns)) / len(layout.columns))
    missing = next(name for name in near.columns if name not in columns)
    raise BrokenInput(
        f"the layout is not known; for the nearest, {near.name}, this column is missing.{nearest(missing, columns)}",
        file=path.name,
        column=missing,
        hint="for other files of daily bars name the columns: --map date=...,code=...,close=... --basis adjusted|raw. "
        f"The file has {', '.join(columns)}.",
    )
