"""Raw whole-market cross-sections with market cap and listed shares: ``marcap_*``."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols, normalize_bars
from stocklab.data.convert import refuse_where, to_dates, to_texts, to_whole
from stocklab.data.layouts.markets import to_markets
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile

__all__ = ["COLUMNS", "LAYOUTS", "raw_bars"]

PRICES: Final = ("open", "high", "low", "close", "volume")
COLUMNS: Final = ("date", "code", "name", "market", "dept", *PRICES, "change", "amount", "market_cap", "listed_shares")
NAMES: Final = {"session": "date", "symbol": "code", **{name: name for name in PRICES}, "mcap": "market_cap"}


def raw_bars(file: SourceFile, source: str) -> pl.DataFrame:
    """Check a cross-section in this layout and bring it to the columns of ``prices_raw``, one row per row of the file.

    ``change``, ``market_cap``, ``listed_shares`` and ``dept`` may be null.

    Raises
    ------
    BrokenInput
        A value is refused; the first row with one is named.
    """
    symbols = to_texts(file, "code")
    check_symbols(symbols, file, "code")
    bars = pl.DataFrame(
        [
            to_dates(file, "date").alias("session"),
            symbols.alias("symbol"),
            *(to_whole(file, name).alias(name) for name in PRICES),
            to_whole(file, "amount").alias("tv"),
            to_whole(file, "change", nullable=True).alias("change"),
            to_markets(file, "market").alias("market"),
            to_whole(file, "market_cap", nullable=True).alias("mcap"),
            to_whole(file, "listed_shares", nullable=True).alias("shares_listed"),
            to_texts(file, "dept", nullable=True).alias("dept"),
        ]
    )
    refuse_where(bars["tv"] < 0, file, "amount", "a traded value of 0 or more")
    refuse_where(bars["close"] <= bars["change"], file, "change", "a change below the close (base price above 0)")
    for ours, theirs in (("mcap", "market_cap"), ("shares_listed", "listed_shares")):
        refuse_where(bars[ours] <= 0, file, theirs, "a number above 0, or nothing")
    return normalize_bars(bars, file, NAMES).with_columns(pl.lit(source).alias("source"))


def _read(file: SourceFile) -> list[Piece]:
    to_whole(file, "change")  # a file must give it in every row
    bars = raw_bars(file, "marcap")
    last = bars.select("session", "symbol", "market").with_columns(to_texts(file, "name", nullable=True).alias("name"))
    last = last.sort("session").unique("symbol", keep="last", maintain_order=True).drop("session")
    return [
        Piece(dataset="prices_raw", file=file.name, frame=with_rows(bars), names=NAMES),
        Piece(dataset="instruments", file=file.name, frame=instrument_rows(last)),
    ]


LAYOUTS: Final = (Layout(name="marcap", pattern=r"marcap.*", columns=COLUMNS, read=_read),)
