"""Delistings with reason and successor: ``krx_delisted``."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.convert import refuse_where, to_dates, to_texts
from stocklab.data.instruments import pays_last_close
from stocklab.data.layouts.markets import to_markets
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile

__all__ = ["LAYOUTS"]

COLUMNS: Final = ("code", "name", "market", "secu_group", "listing_date", "delisting_date", "reason", "to_code")
SYMBOL_LENGTH: Final = 6  # subscription rights and fund units have longer codes and no bars


def _read(file: SourceFile) -> list[Piece]:
    rows = pl.DataFrame(
        [
            to_texts(file, "code").alias("symbol"),
            to_texts(file, "name").alias("name"),
            to_markets(file, "market").alias("market"),
            to_dates(file, "listing_date", nullable=True).alias("listed_on"),
            to_dates(file, "delisting_date").alias("delisted_on"),
            to_texts(file, "reason", nullable=True).alias("reason"),
            to_texts(file, "to_code", nullable=True).alias("successor"),
        ]
    )
    refuse_where(rows["delisted_on"] < rows["listed_on"], file, "delisting_date", "a day after the listing")
    rows = rows.filter(pl.col("symbol").str.len_chars() == SYMBOL_LENGTH)
    # the exchange lists some old delistings once per reason: keep the day once, with all its reasons
    rows = rows.group_by("symbol", "delisted_on", maintain_order=True).agg(
        pl.col("name", "market", "listed_on", "successor").first(),
        pl.col("reason").drop_nulls().unique(maintain_order=True).str.join(" / "),
    )
    rows = rows.with_columns(reason=pl.when(pl.col("reason") != "").then(pl.col("reason")))
    pays = [pays_last_close(reason, name) for reason, name in rows.select("reason", "name").iter_rows()]
    rows = rows.with_columns(pl.Series("pays_last_close", pays, dtype=pl.Boolean))
    return [
        Piece(
            dataset="delistings",
            file=file.name,
            frame=with_rows(rows),
            names={"symbol": "code", "delisted_on": "delisting_date"},
        )
    ]


LAYOUTS: Final = (Layout(name="krx_delisted", pattern=r"krx_delisted.*", columns=COLUMNS, read=_read),)
