"""Daily index levels: ``krx_index_daily``."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.convert import refuse_where, to_dates, to_reals, to_texts, to_whole
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile

__all__ = ["LAYOUTS"]

LEVELS: Final = ("open", "high", "low", "close")
COLUMNS: Final = ("date", "index", *LEVELS, "volume", "amount")


def _read(file: SourceFile) -> list[Piece]:
    rows = pl.DataFrame(
        [
            to_dates(file, "date").alias("session"),
            to_texts(file, "index").alias("index"),
            *(to_reals(file, name, nullable=name != "close").alias(name) for name in LEVELS),
            to_whole(file, "volume", nullable=True).alias("volume"),
            to_whole(file, "amount", nullable=True).alias("tv"),
        ]
    )
    for name in LEVELS:
        refuse_where(rows[name] < 0, file, name, "a level of 0 or more")
    refuse_where(rows["close"] == 0, file, "close", "a close above 0")
    for ours, theirs in (("volume", "volume"), ("tv", "amount")):
        refuse_where(rows[ours] < 0, file, theirs, "a number of 0 or more")
    return [Piece(dataset="indices", file=file.name, frame=with_rows(rows), names={"session": "date", "tv": "amount"})]


LAYOUTS: Final = (Layout(name="krx_index_daily", pattern=r"krx_index_daily.*", columns=COLUMNS, read=_read),)
