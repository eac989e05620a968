"""The list of reports that the demo issuers filed, made of their statements."""

from __future__ import annotations

import polars as pl

from stocklab.data.datasets import DATASETS, conform
from stocklab.data.statement_lines import QUARTER_OF_REPORT

__all__ = ["filings_frame"]


def filings_frame(statements: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """The dataset "filings": one row a receipt, a later one of the same period being a correction.

    Parameters
    ----------
    statements, instruments : the datasets
        Issuers without a company code are left out.
    """
    newest = pl.col("period_end").max().over("symbol", "filing_no")
    own = statements.filter(pl.col("period_end") == newest)
    rows = own.select("symbol", "filing_no", "filed_on", "period_end", "fiscal_quarter").unique()
    again = pl.col("filing_no") != pl.col("filing_no").min().over("symbol", "period_end")
    quarter = pl.col("fiscal_quarter")
    title = pl.when(quarter == 4).then(pl.lit("사업")).when(quarter == 2).then(pl.lit("반기")).otherwise(pl.lit("분기"))
    rows = rows.with_columns(
        report_code=quarter.replace_strict(
            {number: code for code, number in QUARTER_OF_REPORT.items()}, return_dtype=pl.String
        ),
        title=pl.format(
            "{}{}보고서 ({})",
            pl.when(again).then(pl.lit("[기재정정]")).otherwise(pl.lit("")),
            title,
            pl.col("period_end").dt.strftime("%Y.%m"),
        ),
    )
    codes = instruments.select("symbol", "corp_code").drop_nulls()
    return conform("filings", rows.join(codes, on="symbol", how="inner").select(DATASETS["filings"].schema.keys()))
