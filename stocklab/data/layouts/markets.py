"""Market names as the exchange writes them, and as the store keeps them."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.convert import refuse_where, to_texts
from stocklab.data.reading import SourceFile

__all__ = ["MARKET_NAMES", "to_markets"]

MARKET_NAMES: Final = {
    "KOSPI": "KOSPI",
    "KOSDAQ": "KOSDAQ",
    "KOSDAQ GLOBAL": "KOSDAQ",  # a segment of KOSDAQ since 2022-11-21, same rules and taxes
    "KONEX": "KONEX",
    "유가증권": "KOSPI",
    "코스닥": "KOSDAQ",
    "코넥스": "KONEX",
}


def to_markets(file: SourceFile, column: str) -> pl.Series:
    """Markets of a column under the store's names.

    Raises
    ------
    BrokenInput
        A market is unknown or missing.
    """
    text = to_texts(file, column)
    markets = text.replace_strict(MARKET_NAMES, default=None, return_dtype=pl.String)
    refuse_where(markets.is_null(), file, column, f"one of {', '.join(MARKET_NAMES)}")
    return markets
