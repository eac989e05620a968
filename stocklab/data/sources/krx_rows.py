"""Rows of the KRX Open API as columns in our terms: pure, values in and values out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.data.datasets import conform
from stocklab.data.layouts.markets import MARKET_NAMES
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.sources.text_rows import reals, text_frame, wholes
from stocklab.errors import SourceChanged

__all__ = ["INDEX_NAMES", "etf_cross_section", "index_rows", "master_rows", "stock_cross_section"]

INDEX_NAMES: Final = {"코스피": "KOSPI", "코스피 200": "KOSPI200", "코스닥": "KOSDAQ", "코스닥 150": "KOSDAQ150"}
"""The service has no codes of indices: its exact names, and the store's."""

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
_LEVELS: Final = {"open": "OPNPRC_IDX", "high": "HGPRC_IDX", "low": "LWPRC_IDX", "close": "CLSPRC_IDX"}
_INDEX_COLUMNS: Final = ("BAS_DD", "IDX_NM", *_LEVELS.values(), "ACC_TRDVOL", "ACC_TRDVAL")
_MASTER_COLUMNS: Final = (
    "ISU_SRT_CD",
    "ISU_ABBRV",
    "LIST_DD",
    "MKT_TP_NM",
    "SECUGRP_NM",
    "SECT_TP_NM",
    "KIND_STKCERT_TP_NM",
)
_SHARES: Final = "주권"
_GROUP_KINDS: Final = {"부동산투자회사": "reit", "외국주권": "foreign", "주식예탁증권": "foreign"}
_SPAC_SECTION: Final = "SPAC"
_COMMON: Final = "보통주"


def stock_cross_section(source: str, market: str, rows: Any) -> pl.DataFrame:
    """Rows of a stock service (``*_bydd_trd``) as a cross-section in the layout of `layouts.marcap`.

    Raises
    ------
    SourceChanged
        A field is missing or not what it should be, or a row is of another market than ``market``.
    """
    text = text_frame(source, rows, ("BAS_DD", "ISU_CD", "ISU_NM", "MKT_NM", "SECT_TP_NM", *_BARS.values()))
    _require_market(source, market, text["MKT_NM"])
    return _cross_section(source, text).with_columns(text["MKT_NM"].alias("market"), text["SECT_TP_NM"].alias("dept"))


def etf_cross_section(source: str, rows: Any) -> pl.DataFrame:
    """Rows of the ETF service as a cross-section in the layout of `layouts.marcap`; every ETF trades on KOSPI.

    Raises
    ------
    SourceChanged
        A field is missing or not what it should be.
    """
    text = text_frame(source, rows, ("BAS_DD", "ISU_CD", "ISU_NM", *_BARS.values()))
    columns = {"market": pl.lit("KOSPI"), "dept": pl.lit(None, dtype=pl.String)}
    return _cross_section(source, text).with_columns(**columns)


def index_rows(source: str, session: date, rows: Any, expected: Mapping[str, bool]) -> pl.DataFrame:
    """Levels of the wanted indices as rows of ``indices``.

    Parameters
    ----------
    expected : name in the store -> whether it must be there

    Raises
    ------
    SourceChanged
        One that must be there is missing, comes twice, has no close or is of another day, or a number is none.
    """
    text = text_frame(source, rows, _INDEX_COLUMNS)
    named = text.with_columns(pl.col("IDX_NM").replace_strict(INDEX_NAMES, default=None).alias("index"))
    named = named.filter(pl.col("index").is_in(list(expected)))
    found = named["index"].to_list()
    for name, needed in expected.items():
        if found.count(name) > 1 or (needed and name not in found):
            what = "is there twice" if name in found else "is missing"
            names = ", ".join(text["IDX_NM"].drop_nulls().head(5))
            raise SourceChanged(source, f"{name} of {session} {what}", found=names)
    days = _days(source, named, "BAS_DD")
    if (days != session).any():
        raise SourceChanged(source, f"{session} was asked, rows of another day came", found=str(days[0]))
    levels = pl.DataFrame(
        [
            days.alias("session"),
            named["index"],
            *(reals(source, named, theirs).alias(ours) for ours, theirs in _LEVELS.items()),
            wholes(source, named, "ACC_TRDVOL").alias("volume"),
            wholes(source, named, "ACC_TRDVAL").alias("tv"),
        ]
    )
    wrong = levels.filter(
        pl.col("close").is_null() | (pl.col("close") <= 0) | pl.any_horizontal(pl.col(*_LEVELS, "volume", "tv") < 0)
    )
    if wrong.height:
        raise SourceChanged(source, f"{wrong['index'][0]} of {session} has no close above 0, or a number below it")
    return conform("indices", levels)


def master_rows(source: str, market: str, rows: Any) -> pl.DataFrame:
    """Rows of the issue master (``*_isu_base_info``) as rows of ``instruments``: short names, kinds and listing days.

    The kind is preferred, reit, spac, foreign or common, as the importers derive it; funds other than real estate count
    as common, as in `layouts.master`.

    Raises
    ------
    SourceChanged
        A field is missing or not what it should be, a code comes twice, or a row is of another market.
    """
    text = text_frame(source, rows, _MASTER_COLUMNS)
    _require_market(source, market, text["MKT_TP_NM"])
    for column in ("ISU_SRT_CD", "ISU_ABBRV", "SECUGRP_NM"):
        if text[column].null_count():
            raise SourceChanged(source, f"a row has no {column!r}")
    if text["ISU_SRT_CD"].is_duplicated().any():
        raise SourceChanged(
            source, "a code comes twice", found=text["ISU_SRT_CD"].filter(text["ISU_SRT_CD"].is_duplicated())[0]
        )
    spac = pl.col("SECT_TP_NM").str.starts_with(_SPAC_SECTION).fill_null(value=False)
    common = (pl.col("KIND_STKCERT_TP_NM") == _COMMON).fill_null(value=True)
    known = text.select(
        symbol="ISU_SRT_CD",
        name="ISU_ABBRV",
        market=pl.lit(market),
        kind=pl.when(pl.col("SECUGRP_NM").is_in(list(_GROUP_KINDS)))
        .then(pl.col("SECUGRP_NM").replace(_GROUP_KINDS))
        .when(spac)
        .then(pl.lit("spac"))
        .when((pl.col("SECUGRP_NM") == _SHARES) & ~common)
        .then(pl.lit("preferred"))
        .otherwise(pl.lit("common")),
        listed_on=_days(source, text, "LIST_DD", nullable=True),
    )
    return conform("instruments", instrument_rows(known))


def _require_market(source: str, market: str, given: pl.Series) -> None:
    named = given.replace_strict(MARKET_NAMES, default=None, return_dtype=pl.String)
    other = given.filter(named.ne_missing(pl.Series([market])))
    if len(other):
        raise SourceChanged(source, f"{market} was asked, rows of another market came", found=str(other[0]))


def _cross_section(source: str, text: pl.DataFrame) -> pl.DataFrame:
    if text["ISU_CD"].null_count():
        raise SourceChanged(source, "a row has no code")
    return pl.DataFrame(
        [
            _days(source, text, "BAS_DD").alias("date"),
            text["ISU_CD"].alias("code"),
            text["ISU_NM"].alias("name"),
            *(wholes(source, text, theirs).alias(ours) for ours, theirs in _BARS.items()),
        ]
    )


def _days(source: str, text: pl.DataFrame, column: str, *, nullable: bool = False) -> pl.Series:
    """A column of days such as 20240105."""
    days = text[column].str.to_date("%Y%m%d", strict=False, exact=True)
    wrong = days.is_null() & text[column].is_not_null() if nullable else days.is_null()
    if wrong.any():
        found = text[column].filter(wrong)[0]
        raise SourceChanged(source, f"expected a day such as 20240105 in {column!r}", found=str(found))
    return days
