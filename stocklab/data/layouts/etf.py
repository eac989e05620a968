"""Adjusted daily bars of ETFs with their names: ``krx_etf_daily_*``."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.convert import to_texts
from stocklab.data.layouts.krx_daily import COLUMNS, adjusted_bars
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.layouts.piece import Layout, Piece
from stocklab.data.reading import SourceFile

__all__ = ["LAYOUTS"]


def _read(file: SourceFile) -> list[Piece]:
    bars = adjusted_bars(file, pl.lit("krx_etf_daily"))
    named = bars.frame.select("symbol").with_columns(to_texts(file, "name").alias("name"))
    # every ETF of the exchange trades on its KOSPI section
    named = named.unique("symbol", keep="last", maintain_order=True).with_columns(
        pl.lit("KOSPI").alias("market"), pl.lit("etf").alias("kind")
    )
    return [bars, Piece(dataset="instruments", file=file.name, frame=instrument_rows(named))]


LAYOUTS: Final = (
    Layout(
        name="krx_etf_daily",
        pattern=r"krx_etf_daily.*",
        columns=(*COLUMNS, "name"),
        read=_read,
        by_columns=False,  # any vendor's bars with a name column would look the same
    ),
)
