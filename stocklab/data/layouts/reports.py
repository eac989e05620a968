"""What the layouts of company reports share: the fiscal year, the basis, one row per amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from stocklab.data.convert import refuse_where, to_reals, to_texts, to_whole
from stocklab.data.datasets import DATASETS
from stocklab.data.layouts.piece import ROW
from stocklab.data.reading import SourceFile
from stocklab.factors.vocabulary import ITEMS

__all__ = ["BASES", "fiscal_year", "long_rows", "read_basis", "read_quarter", "statement_rows"]

BASES: Final = ("CFS", "OFS")
SCHEMA: Final = DATASETS["statements"].schema


def fiscal_year(period_end: str = "period_end", quarter: str = "fiscal_quarter") -> pl.Expr:
    """Year in which the fiscal year of a quarter ends.

    >>> frame = pl.select(period_end=pl.date(2020, 6, 30), fiscal_quarter=1)
    >>> frame.select(fiscal_year()).item()
    2021
    """
    end_month = pl.col(period_end).dt.month().cast(pl.Int32) + 3 * (4 - pl.col(quarter).cast(pl.Int32))
    return (pl.col(period_end).dt.year() + (end_month - 1) // 12).cast(pl.Int16)


def read_quarter(file: SourceFile, column: str) -> pl.Series:
    """Fiscal quarters 1..4.

    Raises
    ------
    BrokenInput
        Another number, or none.
    """
    quarters = to_whole(file, column)
    refuse_where(~quarters.is_between(1, 4), file, column, "a fiscal quarter from 1 to 4")
    return quarters.cast(pl.Int8)


def read_basis(file: SourceFile, column: str) -> pl.Series:
    """CFS or OFS.

    Raises
    ------
    BrokenInput
        Another text, or none.
    """
    basis = to_texts(file, column)
    refuse_where(~basis.is_in(BASES), file, column, "CFS (consolidated) or OFS (separate)")
    return basis


def long_rows(file: SourceFile, reports: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """One row per report and item from a file with a column per item; empty cells give none.

    Parameters
    ----------
    reports : the report of each row of the file, with `ROW`
    columns : the file's column -> item
    """
    wide = reports.with_columns(to_reals(file, theirs, nullable=True).alias(ours) for theirs, ours in columns.items())
    return wide.unpivot(
        on=list(columns.values()), index=reports.columns, variable_name="item", value_name="amount"
    ).drop_nulls("amount")


def statement_rows(rows: pl.DataFrame, income_months: pl.Expr) -> pl.DataFrame:
    """The dataset's columns: balances cover 0 months, flows ``income_months``; no filing number unless it is there."""
    balances = [item.name for item in ITEMS.values() if not item.flow]
    months = pl.when(pl.col("item").is_in(balances)).then(0).otherwise(income_months)
    rows = rows.with_columns(months=months.cast(pl.Int8), fiscal_year=fiscal_year())
    if "filing_no" not in rows.columns:
        rows = rows.with_columns(filing_no=pl.lit(None, dtype=pl.String))
    return rows.select(ROW, *_cast(rows.columns))


def _cast(found: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(name).cast(dtype) for name, dtype in SCHEMA.items() if name in found]
