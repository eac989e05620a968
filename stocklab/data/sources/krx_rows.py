"""Rows of the KRX Open API as columns in our terms: pure, values in and values out."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.data.layouts.markets import MARKET_NAMES
from stocklab.data.sources.text_rows import text_frame, wholes
from stocklab.errors import SourceChanged

__all__ = ["days_of", "stock_cross_section"]

_BARS: Final = {
    "open": "TDD_OPNPRC",
    "high": "TDD_HGPRC",
    "low": "TDD_LWPRC",
    "close": "TDD_CLSPRC",
    "volume": "ACC_TRDVOL",
    "change": "CMPPREVDD_PRC",
    "amount": "ACC_TRDVAL",
    "market_cap": "MKTCAP",
    "listed_shares": "LIST_SHRS",
}
_STOCK_COLUMNS: Final = ("BAS_DD", "ISU_CD", "ISU_NM", "MKT_NM", "SECT_TP_NM", *_BARS.values())


def stock_cross_section(source: str, market: str, rows: Any) -> pl.DataFrame:
    """Rows of a stock service (``*_bydd_trd``) as a cross-section in the layout of `layouts.marcap`.

    Raises
    ------
    SourceChanged
        A field is missing or not what it should be, or a row is of another market than ``market``.
    """
    text = text_frame(source, rows, _STOCK_COLUMNS)
    named = text["MKT_NM"].replace_strict(MARKET_NAMES, default=None, return_dtype=pl.String)
    other = text.filter(named.ne_missing(market))
    if other.height:
        raise SourceChanged(source, f"{market} was asked, rows of another market came", found=str(other["MKT_NM"][0]))
    return _cross_section(source, text).with_columns(text["MKT_NM"].alias("market"), text["SECT_TP_NM"].alias("dept"))


def _cross_section(source: str, text: pl.DataFrame) -> pl.DataFrame:
    if text["ISU_CD"].null_count():
        raise SourceChanged(source, "a row has no code")
    return pl.DataFrame(
        [
            days_of(source, text, "BAS_DD").alias("date"),
            text["ISU_CD"].alias("code"),
            text["ISU_NM"].alias("name"),
            *(wholes(source, text, theirs).alias(ours) for ours, theirs in _BARS.items()),
        ]
    )


def days_of(source: str, text: pl.DataFrame, column: str, *, nullable: bool = False) -> pl.Series:
    """A column of days such as 20240105.

    Raises
    ------
    SourceChanged
        A value is no day, or is missing although it must be known.
    """
    days = text[column].str.to_date("%Y%m%d", strict=False, exact=True)
    wrong = days.is_null()
    if nullable:
        wrong = wrong & text[column].is_not_null()
    if wrong.any():
        found = text[column].filter(wrong)[0]
        raise SourceChanged(source, f"expected a day such as {date(2024, 1, 5):%Y%m%d} in {column!r}", found=str(found))
    return days
