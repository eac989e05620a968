"""The symbol master: ``krx_sectors``, and what other files say of instruments on the way."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols
from stocklab.data.convert import refuse_where, to_dates, to_texts
from stocklab.data.datasets import DATASETS
from stocklab.data.instruments import derive_kind
from stocklab.data.layouts.markets import to_markets
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile
from stocklab.market.panel import KIND_CODES

__all__ = ["LAYOUTS", "instrument_rows"]

COLUMNS: Final = ("code", "name", "market", "kind", "industry", "listing_date", "settle_month", "corp_code")


def instrument_rows(known: pl.DataFrame) -> pl.DataFrame:
    """Rows of the dataset from the columns that are known; the kind is derived where it is not."""
    given = known["kind"].to_list() if "kind" in known.columns else [""] * known.height
    names = known["name"].fill_null("").to_list()
    kinds = [derive_kind(*one) for one in zip(known["symbol"].to_list(), names, given, strict=True)]
    rows = known.with_columns(pl.Series("kind", kinds, dtype=pl.String), pl.Series("name", names, dtype=pl.String))
    missing = [name for name in DATASETS["instruments"].schema if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, dtype=DATASETS["instruments"].schema[name]).alias(name) for name in missing)
    return with_rows(rows.select(DATASETS["instruments"].schema.keys()))


def _read(file: SourceFile) -> list[Piece]:
    symbols = to_texts(file, "code")
    check_symbols(symbols, file, "code")
    refuse_where(symbols.is_duplicated() & ~symbols.is_first_distinct(), file, "code", "each code once")
    kinds = to_texts(file, "kind")
    refuse_where(~kinds.is_in([name for name in KIND_CODES if name]), file, "kind", f"one of {', '.join(KIND_CODES)}")
    month_text = to_texts(file, "settle_month", nullable=True)
    months = month_text.str.extract(r"^(\d{1,2})월?$").cast(pl.Int8)
    wrong = (months.is_null() & month_text.is_not_null()) | (months < 1) | (months > 12)
    refuse_where(wrong, file, "settle_month", "a month such as 12월")
    sectors = to_texts(file, "industry", nullable=True)
    rows = pl.DataFrame(
        [
            symbols.alias("symbol"),
            to_texts(file, "name").alias("name"),
            to_markets(file, "market").alias("market"),
            kinds.alias("kind"),
            _with_common_sector(symbols, sectors).alias("sector"),
            to_dates(file, "listing_date", nullable=True).alias("listed_on"),
            months.alias("settle_month"),
            to_texts(file, "corp_code", nullable=True).alias("corp_code"),
        ]
    )
    return [Piece(dataset="instruments", file=file.name, frame=instrument_rows(rows))]


def _with_common_sector(symbols: pl.Series, sectors: pl.Series) -> pl.Series:
    """Preferred shares, whose industry the exchange leaves empty, take that of the common share."""
    own = pl.DataFrame({"symbol": symbols, "sector": sectors})
    common = own.select(pl.col("symbol").alias("common"), pl.col("sector").alias("common_sector"))
    joined = own.with_columns(common=pl.col("symbol").str.slice(0, 5) + "0").join(
        common, on="common", how="left", maintain_order="left"
    )
    return joined.select(pl.coalesce("sector", "common_sector")).to_series()


LAYOUTS: Final = (Layout(name="krx_sectors", pattern=r"krx_sectors.*", columns=COLUMNS, read=_read),)
