"""OpenDART's company codes by symbol: ``dart_corp_codes``."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols
from stocklab.data.convert import refuse_where, to_texts
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.layouts.piece import Layout, Piece
from stocklab.data.reading import SourceFile

__all__ = ["LAYOUTS"]

COLUMNS: Final = ("code", "corp_code", "corp_name")


def _read(file: SourceFile) -> list[Piece]:
    symbols = to_texts(file, "code")
    check_symbols(symbols, file, "code")
    refuse_where(symbols.is_duplicated() & ~symbols.is_first_distinct(), file, "code", "each code once")
    codes = to_texts(file, "corp_code")
    refuse_where(~codes.str.contains(r"^\d{8}$"), file, "corp_code", "eight digits")
    rows = pl.DataFrame([symbols.alias("symbol"), to_texts(file, "corp_name").alias("name"), codes.alias("corp_code")])
    # the list goes back to companies that left long ago: it completes the instruments that are known, and adds none
    return [
        Piece(
            dataset="instruments",
            file=file.name,
            frame=instrument_rows(rows.with_columns(market=pl.lit(""))),
            note="company codes complete the instruments that are known; no instrument is added",
            fills_only=True,
        )
    ]


LAYOUTS: Final = (Layout(name="dart_corp_codes", pattern=r"dart_corp_codes.*", columns=COLUMNS, read=_read),)
