"""Files in the store's own columns: statements and the daily market data beside prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols
from stocklab.data.convert import first_row, nearest, refuse_where, to_dates, to_reals, to_texts, to_whole
from stocklab.data.datasets import DATASETS
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.layouts.reports import fiscal_year, read_basis, read_quarter
from stocklab.data.raw_events import SHARE_EVENTS
from stocklab.data.reading import SourceFile
from stocklab.errors import BrokenInput
from stocklab.factors.vocabulary import ITEMS
from stocklab.market.fundamentals import SHARE_COUNT_ITEMS

__all__ = ["LAYOUTS"]

SOURCES: Final = ("receipt", "deadline")
EVENT_KINDS: Final = SHARE_EVENTS | {"rights", "spin_off"}
# dataset -> columns that count something, and columns of money or percent that may be negative
COUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "share_structure": ("shares_float", "shares_treasury"),
    "foreign_holdings": ("frgn_shares",),
    "short_sales": ("short_vol", "short_bal"),
}


def _read_statements(file: SourceFile) -> list[Piece]:
    items = _items(file)
    months = to_whole(file, "months")
    amounts = to_reals(file, "amount")
    flow = items.is_in([item.name for item in ITEMS.values() if item.flow])
    refuse_where(~months.is_between(0, 12), file, "months", "a number of months from 0 to 12")
    refuse_where(flow & (months == 0), file, "months", "the months a flow covers (3, 6, 9 or 12)")
    refuse_where(~flow & (months != 0), file, "months", "0 for a balance")
    counts = items.is_in([*SHARE_COUNT_ITEMS, "dps"])
    refuse_where(counts & (amounts < 0), file, "amount", "a number of 0 or more")
    symbols = to_texts(file, "symbol")
    check_symbols(symbols, file, "symbol")
    ends, filed = to_dates(file, "period_end"), to_dates(file, "filed_on")
    refuse_where(filed <= ends, file, "filed_on", "a day after the period's end")
    rows = pl.DataFrame(
        [
            symbols.alias("symbol"),
            ends.alias("period_end"),
            to_whole(file, "fiscal_year").alias("fiscal_year"),
            read_quarter(file, "fiscal_quarter").alias("fiscal_quarter"),
            read_basis(file, "statement_basis").alias("statement_basis"),
            filed.alias("filed_on"),
            _filed_source(file).alias("filed_source"),
            _texts_or_none(file, "filing_no").alias("filing_no"),
            months.alias("months").cast(pl.Int8),
            items.alias("item"),
            amounts.alias("amount"),
        ]
    )
    wrong = rows["fiscal_year"] != rows.select(fiscal_year()).to_series()
    refuse_where(wrong, file, "fiscal_year", "the year in which the fiscal year of that quarter ends")
    return [_piece("statements", rows, file)]


def _items(file: SourceFile) -> pl.Series:
    """Item names; an unknown one is refused with the nearest known."""
    items = to_texts(file, "item")
    row = first_row(~items.is_in(list(ITEMS)))
    if row is not None:
        raise BrokenInput(
            f"there is no statement item {items[row]!r}.{nearest(items[row], list(ITEMS))}",
            file=file.name,
            row=row + 1,
            column="item",
            hint="the items are listed in docs/factors.md, section 3.3.",
        )
    return items


def _filed_source(file: SourceFile) -> pl.Series:
    sources = _texts_or_none(file, "filed_source").fill_null(SOURCES[0])
    refuse_where(~sources.is_in(SOURCES), file, "filed_source", f"one of {', '.join(SOURCES)}")
    return sources


def _texts_or_none(file: SourceFile, column: str) -> pl.Series:
    """Text of a column that may be missing; a number is taken by its digits."""
    if column not in file.columns:
        return pl.Series(column, [None], dtype=pl.String).new_from_index(0, file.frame.height)
    if file.frame[column].dtype.is_integer():
        return file.frame[column].cast(pl.String)
    return to_texts(file, column, nullable=True)


def _read_shares(file: SourceFile) -> list[Piece]:
    rows = _symbol_days(file, "as_of").with_columns(to_dates(file, "filed_on").alias("filed_on"))
    refuse_where(rows["filed_on"] < rows["as_of"], file, "filed_on", "a day on or after as_of")
    return [_piece("share_structure", _with_numbers("share_structure", rows, file), file)]


def _read_flows(file: SourceFile) -> list[Piece]:
    return [_piece("investor_flows", _with_numbers("investor_flows", _symbol_days(file, "session"), file), file)]


def _read_holdings(file: SourceFile) -> list[Piece]:
    return [_piece("foreign_holdings", _with_numbers("foreign_holdings", _symbol_days(file, "session"), file), file)]


def _read_short_sales(file: SourceFile) -> list[Piece]:
    return [_piece("short_sales", _with_numbers("short_sales", _symbol_days(file, "session"), file), file)]


def _read_rates(file: SourceFile) -> list[Piece]:
    rows = pl.DataFrame([to_dates(file, "session"), to_texts(file, "name"), to_reals(file, "percent")])
    return [_piece("rates", rows, file)]


def _read_events(file: SourceFile) -> list[Piece]:
    rows = _symbol_days(file, "session").with_columns(
        to_texts(file, "kind").alias("kind"), to_reals(file, "ratio").alias("ratio")
    )
    kinds = sorted(EVENT_KINDS)
    refuse_where(~rows["kind"].is_in(kinds), file, "kind", f"one of {', '.join(kinds)}")
    refuse_where(rows["ratio"] <= 0, file, "ratio", "shares after the event for each share before, above 0")
    return [_piece("events", rows, file)]


def _read_dividends(file: SourceFile) -> list[Piece]:
    amounts = to_reals(file, "krw_per_share")
    refuse_where(amounts <= 0, file, "krw_per_share", "won per share above 0")
    rows = _symbol_days(file, "record_date").with_columns(
        _dates_or_none(file, "ex_date"), _dates_or_none(file, "pay_date"), amounts.alias("krw_per_share")
    )
    refuse_where(rows["ex_date"] >= rows["record_date"], file, "ex_date", "a day before the record date")
    refuse_where(rows["pay_date"] <= rows["record_date"], file, "pay_date", "a day after the record date")
    return [_piece("dividends", rows, file)]


def _dates_or_none(file: SourceFile, column: str) -> pl.Series:
    """Days of a column that may be missing."""
    if column not in file.columns:
        return pl.Series(column, [None], dtype=pl.Date).new_from_index(0, file.frame.height)
    return to_dates(file, column, nullable=True).alias(column)


def _symbol_days(file: SourceFile, day: str) -> pl.DataFrame:
    symbols = to_texts(file, "symbol")
    check_symbols(symbols, file, "symbol")
    return pl.DataFrame([symbols.alias("symbol"), to_dates(file, day).alias(day)])


def _with_numbers(dataset: str, rows: pl.DataFrame, file: SourceFile) -> pl.DataFrame:
    """The whole-number columns of a dataset; counts may not be negative."""
    spec = DATASETS[dataset]
    for column, dtype in spec.schema.items():
        if dtype == pl.Int64:
            numbers = to_whole(file, column, nullable=column in spec.nullable)
            if column in COUNTS.get(dataset, ()):
                refuse_where(numbers < 0, file, column, "a number of 0 or more")
            rows = rows.with_columns(numbers.alias(column))
    return rows


def _piece(dataset: str, rows: pl.DataFrame, file: SourceFile) -> Piece:
    columns = [pl.col(name).cast(dtype) for name, dtype in DATASETS[dataset].schema.items()]
    return Piece(dataset=dataset, file=file.name, frame=with_rows(rows.select(columns)))


_STATEMENT_OPTIONAL: Final = ("filing_no", "filed_source")
_READERS: Final = {
    "share_structure": _read_shares,
    "investor_flows": _read_flows,
    "foreign_holdings": _read_holdings,
    "short_sales": _read_short_sales,
    "rates": _read_rates,
    "events": _read_events,
}

LAYOUTS: Final = (
    Layout(
        name="statements",
        pattern=r"statements.*",
        columns=tuple(name for name in DATASETS["statements"].schema if name not in _STATEMENT_OPTIONAL),
        optional=_STATEMENT_OPTIONAL,
        read=_read_statements,
    ),
    Layout(
        name="dividends",
        pattern=r"dividends.*",
        columns=("symbol", "record_date", "krw_per_share"),
        optional=("ex_date", "pay_date"),
        read=_read_dividends,
    ),
    *(
        Layout(name=name, pattern=rf"{name}.*", columns=tuple(DATASETS[name].schema), read=read)
        for name, read in _READERS.items()
    ),
)
