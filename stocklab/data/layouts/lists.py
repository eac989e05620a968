"""Lists with dates: members of indices, themes and sectors, flags of issues, and for which days these are complete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols
from stocklab.data.convert import refuse_where, to_dates, to_texts
from stocklab.data.datasets import DATASETS
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile
from stocklab.market.issue_flags import ISSUE_FLAGS, KOREAN_FLAGS
from stocklab.market.memberships import INDEX, MEMBER_KINDS, SECTOR, THEME

__all__ = ["LAYOUTS"]

LONGEST_NAME: Final = 100  # what a strategy document can name
MARKETS: Final = ("KOSPI", "KOSDAQ", "KONEX")
_KINDS: Final[Mapping[str, str]] = {"지수": INDEX, "테마": THEME, "업종": SECTOR, "섹터": SECTOR}
_FLAGS: Final[Mapping[str, str]] = {
    **{korean: flag for flag, korean in KOREAN_FLAGS.items()},
    "투자주의환기": "attention",
    "투자주의": "caution",
    "투자경고": "warning",
    "투자위험": "risk",
    "단기과열": "overheated",
    "불성실공시": "unfaithful",
    "거래정지": "halted",
}
_MARKET_NAMES: Final[Mapping[str, str]] = {
    "유가증권": "KOSPI",
    "코스피": "KOSPI",
    "코스닥": "KOSDAQ",
    "코넥스": "KONEX",
}


def _read_members(file: SourceFile) -> list[Piece]:
    kinds = to_texts(file, "kind").str.strip_chars().replace(_KINDS)
    refuse_where(~kinds.is_in(MEMBER_KINDS), file, "kind", f"one of {', '.join(MEMBER_KINDS)}")
    names = to_texts(file, "name").str.strip_chars()
    refuse_where(~names.str.len_chars().is_between(1, LONGEST_NAME), file, "name", f"1 to {LONGEST_NAME} characters")
    spelled = {name: _index_name(name) for name in names.filter(kinds == INDEX).unique()}
    rows = pl.DataFrame(
        [
            to_dates(file, "session").alias("session"),
            kinds.alias("kind"),
            names.alias("name"),
            _symbols(file),
            _source(file),
        ]
    ).with_columns(
        name=pl.when(pl.col("kind") == INDEX).then(pl.col("name").replace(spelled)).otherwise(pl.col("name"))
    )
    return [_piece("members", rows, file)]


def _index_name(name: str) -> str:
    """One spelling of an index.

    >>> _index_name("코스피 200"), _index_name("Kosdaq150")
    ('KOSPI200', 'KOSDAQ150')
    """
    plain = re.sub(r"\s", "", name).upper()
    return plain.replace("코스피", "KOSPI").replace("코스닥", "KOSDAQ")


def _read_flags(file: SourceFile) -> list[Piece]:
    starts = to_dates(file, "start").alias("start")
    ends = to_dates(file, "end", nullable=True).alias("end")
    refuse_where(ends <= starts, file, "end", "the day of release, after the start")
    rows = pl.DataFrame([_symbols(file), _flag(file), starts, ends, _source(file)])
    return [_piece("flags", rows, file)]


def _read_coverage(file: SourceFile) -> list[Piece]:
    first, last = to_dates(file, "first").alias("first"), to_dates(file, "last").alias("last")
    refuse_where(last < first, file, "last", "a day on or after the first")
    markets = to_texts(file, "market").str.strip_chars().replace(_MARKET_NAMES)
    refuse_where(~markets.is_in(MARKETS), file, "market", f"one of {', '.join(MARKETS)}")
    rows = pl.DataFrame([_flag(file), markets.alias("market"), first, last, _source(file)])
    return [_piece("flag_coverage", rows, file)]


def _flag(file: SourceFile) -> pl.Series:
    flags = to_texts(file, "flag").str.strip_chars().replace(_FLAGS)
    refuse_where(~flags.is_in(ISSUE_FLAGS), file, "flag", f"one of {', '.join(ISSUE_FLAGS)}")
    return flags.alias("flag")


def _symbols(file: SourceFile) -> pl.Series:
    symbols = to_texts(file, "symbol")
    check_symbols(symbols, file, "symbol")
    return symbols.alias("symbol")


def _source(file: SourceFile) -> pl.Series:
    if "source" not in file.columns:
        return pl.Series("source", [file.name]).new_from_index(0, file.frame.height)
    return to_texts(file, "source", nullable=True).fill_null(file.name).alias("source")


def _piece(dataset: str, rows: pl.DataFrame, file: SourceFile) -> Piece:
    return Piece(dataset=dataset, file=file.name, frame=with_rows(rows.select(DATASETS[dataset].schema.keys())))


LAYOUTS: Final = (
    Layout(
        name="members",
        pattern=r"(members|index_members|themes|theme_members|sector_members).*",
        columns=("session", "kind", "name", "symbol"),
        optional=("source",),
        read=_read_members,
    ),
    Layout(
        name="flag_coverage",
        pattern=r"flag_coverage.*",
        columns=("flag", "market", "first", "last"),
        optional=("source",),
        read=_read_coverage,
    ),
    Layout(
        name="flags",
        pattern=r"(issue_)?flags.*",
        columns=("symbol", "flag", "start", "end"),
        optional=("source",),
        read=_read_flags,
    ),
)
