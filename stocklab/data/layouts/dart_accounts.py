"""Main accounts of company reports, one report a row: ``dart_major_accounts_*`` and ``dart_kospi50_quarterly_*``.

Income of the first three quarters is that of the three months, as OpenDART gives it; the fourth is the fiscal year.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols
from stocklab.data.convert import refuse_where, to_dates, to_texts, to_whole
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.layouts.reports import long_rows, read_basis, read_quarter, statement_rows
from stocklab.data.reading import SourceFile
from stocklab.market.filing_deadlines import filing_deadline

__all__ = ["LAYOUTS"]

ITEM_OF: Final = {
    "current_assets": "current_assets",
    "noncurrent_assets": "noncurrent_assets",
    "total_assets": "total_assets",
    "current_liabilities": "current_liabilities",
    "noncurrent_liabilities": "noncurrent_liabilities",
    "total_liabilities": "total_liabilities",
    "capital_stock": "issued_capital",
    "retained_earnings": "retained_earnings",
    "total_equity": "total_equity",
    "revenue": "revenue",
    "operating_income": "operating_income",
    "pretax_income": "pretax_income",
    "net_income": "net_income",
}
QUARTERLY_ITEMS: Final = {theirs: ours for theirs, ours in ITEM_OF.items() if theirs != "current_assets"}
MAJOR_COLUMNS: Final = ("code", "rcept_date", "fs_div", "quarter", "bs_date", "is_start", "is_end", *ITEM_OF)
QUARTERLY_COLUMNS: Final = ("code", "bsns_year", "quarter", *QUARTERLY_ITEMS)
FOREIGN_CODES: Final = "9"
CONSOLIDATED_YEARS: Final = 2  # the first two fiscal years have the longer deadline (Capital Markets Act, article 160)
MESSAGE_NAMES: Final = {"symbol": "code", "months": "quarter", "statement_basis": "fs_div"}


def _read_major(file: SourceFile) -> list[Piece]:
    symbols = to_texts(file, "code")
    check_symbols(symbols, file, "code")
    quarter = read_quarter(file, "quarter")
    reports = with_rows(
        pl.DataFrame(
            [
                symbols.alias("symbol"),
                to_dates(file, "bs_date").alias("period_end"),
                quarter.alias("fiscal_quarter"),
                read_basis(file, "fs_div").alias("statement_basis"),
                to_dates(file, "rcept_date").alias("filed_on"),
                _income_months(file, quarter).alias("income_months"),
            ]
        ).with_columns(filed_source=pl.lit("receipt"))
    )
    refuse_where(reports["filed_on"] <= reports["period_end"], file, "rcept_date", "a day after the period's end")
    rows = long_rows(file, reports, ITEM_OF)
    foreign = pl.col("symbol").str.starts_with(FOREIGN_CODES)
    note = _foreign_note(reports.filter(foreign)["symbol"])
    rows = statement_rows(rows.filter(~foreign), pl.col("income_months"))
    names = {**MESSAGE_NAMES, "period_end": "bs_date", "filed_on": "rcept_date"}
    return [Piece(dataset="statements", file=file.name, frame=rows, names=names, note=note)]


def _income_months(file: SourceFile, quarter: pl.Series) -> pl.Series:
    """Months the income amounts cover: the fiscal year in an annual report, else three, or fewer in a first period."""
    start, end = to_dates(file, "is_start", nullable=True), to_dates(file, "is_end", nullable=True)
    refuse_where(end < start, file, "is_end", "a day after is_start")
    span = (end.dt.year() - start.dt.year()) * 12 + end.dt.month().cast(pl.Int32) - start.dt.month().cast(pl.Int32) + 1
    refuse_where(span > 12, file, "is_start", "a period of at most twelve months")
    whole = pl.select(pl.when(quarter == 4).then(12).otherwise(3)).to_series()
    return pl.select(pl.min_horizontal(span, whole)).to_series()


def _foreign_note(symbols: pl.Series) -> str:
    codes = symbols.unique().sort()
    if codes.is_empty():
        return ""
    shown = ", ".join(codes.head(3).to_list())
    return (
        f"{len(codes)} foreign issuers ({shown}{', ...' if len(codes) > 3 else ''}; {len(symbols)} reports) left out: "
        "they report in currencies of their own and no exchange rates are known"
    )


def _read_quarterly(file: SourceFile) -> list[Piece]:
    symbols = to_texts(file, "code")
    check_symbols(symbols, file, "code")
    years = to_whole(file, "bsns_year")
    refuse_where(~years.is_between(1956, 2200), file, "bsns_year", "a year")
    reports = with_rows(
        pl.DataFrame(
            [symbols.alias("symbol"), years.alias("year"), read_quarter(file, "quarter").alias("fiscal_quarter")]
        ).with_columns(
            period_end=pl.date(pl.col("year"), 3 * pl.col("fiscal_quarter").cast(pl.Int32), 1).dt.month_end(),
            statement_basis=pl.lit("OFS"),
            filed_source=pl.lit("deadline"),
        )
    )
    rows = long_rows(file, _with_deadlines(reports), QUARTERLY_ITEMS)
    earlier = (pl.col("fiscal_quarter") < 4).sum().over("symbol", "year", "item").alias("earlier")
    # the fourth quarter is the year less the quarters that are there: three months, the year, or neither
    months = pl.when(pl.col("fiscal_quarter") < 4).then(3).when(earlier == 3).then(3).when(earlier == 0).then(12)
    rows = statement_rows(rows, months)
    unclear = rows["months"].null_count()
    note = "no receipt dates: reports count from their statutory deadline"
    if unclear:
        note += f"; {unclear} fourth-quarter amounts left out, as the year's earlier quarters are not all there"
    names = {**MESSAGE_NAMES, "period_end": "quarter"}
    return [Piece(dataset="statements", file=file.name, frame=rows.drop_nulls("months"), names=names, note=note)]


def _with_deadlines(reports: pl.DataFrame) -> pl.DataFrame:
    """The statutory deadline of each report; issuers that begin later than the file are taken as newly listed."""
    first = pl.col("year").min()
    new = (first.over("symbol") > first) & (pl.col("year") < first.over("symbol") + CONSOLIDATED_YEARS)
    reports = reports.with_columns(new=new)
    cases = reports.select("period_end", "fiscal_quarter", "new").unique()
    days = [filing_deadline(end, quarter, first_consolidated=new) for end, quarter, new in cases.iter_rows()]
    dated = cases.with_columns(pl.Series("filed_on", days, dtype=pl.Date))
    return reports.join(dated, on=["period_end", "fiscal_quarter", "new"], how="left", maintain_order="left")


LAYOUTS: Final = (
    Layout(name="dart_major_accounts", pattern=r"dart_major_accounts.*", columns=MAJOR_COLUMNS, read=_read_major),
    Layout(
        name="dart_quarterly_accounts",
        pattern=r"dart_kospi50_quarterly.*",
        columns=QUARTERLY_COLUMNS,
        read=_read_quarterly,
    ),
)
