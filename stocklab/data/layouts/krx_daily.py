"""Adjusted daily bars: ``krx_daily_*`` and ``sample_krx_daily_*`` (date, code, open, high, low, close, volume, src)."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols, normalize_bars
from stocklab.data.convert import to_dates, to_texts, to_whole
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile

__all__ = ["LAYOUTS", "adjusted_bars"]

COLUMNS: Final = ("date", "code", "open", "high", "low", "close", "volume")
NAMES: Final = {"session": "date", "symbol": "code", **{name: name for name in COLUMNS[2:]}}


def adjusted_bars(file: SourceFile, source: pl.Expr) -> Piece:
    """Check the bars of a file; ``source`` is evaluated on the file's own columns.

    Raises
    ------
    BrokenInput
        A value is refused.
    """
    symbols = to_texts(file, "code")
    check_symbols(symbols, file, "code")
    bars = pl.DataFrame(
        [
            to_dates(file, "date").alias("session"),
            symbols.alias("symbol"),
            *(to_whole(file, name, nullable=name in {"open", "high", "low"}).alias(name) for name in COLUMNS[2:]),
        ]
    )
    bars = normalize_bars(bars, file, NAMES)
    bars = bars.with_columns(
        pl.lit(None, dtype=pl.Int64).alias("tv"), file.frame.with_columns(source.alias("source"))["source"]
    )
    return Piece(dataset="prices_adjusted", file=file.name, frame=with_rows(bars), names=NAMES)


def _read(file: SourceFile) -> list[Piece]:
    return [adjusted_bars(file, pl.format("krx_daily {}", pl.col("src")))]


LAYOUTS: Final = (
    Layout(
        name="krx_daily_tail",
        pattern=r"krx_daily_.*tail.*",
        columns=(*COLUMNS, "src"),
        read=_read,
        incremental=True,
    ),
    Layout(name="krx_daily", pattern=r"(sample_)?krx_daily_.*", columns=(*COLUMNS, "src"), read=_read),
)
