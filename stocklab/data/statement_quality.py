"""What looks wrong in company reports: units, balances, quarters against the year, and how reports are dated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from stocklab.data.merge_statements import own_reports
from stocklab.factors.vocabulary import ITEMS
from stocklab.market.fundamentals import PER_SHARE_ITEMS

__all__ = ["STATEMENT_CHECKS", "find_in_statements"]

UNIT_SHARE: Final = 0.5  # of a report's amounts that must be off at once: one amount alone moves 1,000-fold by itself
UNIT_DIGITS: Final = (3.0, 6.0)  # thousands or millions of won taken for won
UNIT_TOLERANCE: Final = 0.35  # of a digit: what a quarter's business changes besides
BALANCE_TOLERANCE: Final = 1e-3  # of total assets
SUM_TOLERANCE: Final = 1e-3  # of the year-to-date amount
SUM_ROUNDING: Final = 1e6  # KRW a quarter: many filers round to a million
LATE_DAYS: Final = 95

STATEMENT_CHECKS: Final = {
    "unit_errors": "reports whose amounts are about 1,000 or 1,000,000 times those of the reports before and after",
    "unbalanced": "reports whose assets differ from liabilities plus equity by more than 0.1 % of assets",
    "quarters_against_year": "reports whose year-to-date amounts differ from the sum of the quarters",
    "deadline_dated": "reports without a receipt date, dated by the statutory deadline (a guess)",
    "late_reports": f"reports received more than {LATE_DAYS} days after their period (late or amended)",
}

SERIES: Final = ["symbol", "statement_basis"]
REPORT: Final = ["symbol", "period_end", "statement_basis"]
LINE: Final = [*SERIES, "item", "months"]


def find_in_statements(statements: pl.LazyFrame) -> Mapping[str, pl.DataFrame]:
    """Findings by check, one row per report, the worst first.

    Parameters
    ----------
    statements : the dataset, columns as in `datasets.DATASETS`
    """
    rows = statements.with_columns(pl.col("symbol", "statement_basis", "item").cast(pl.Categorical)).collect()
    newest = _newest(rows)
    reports = (
        rows.filter(own_reports())
        .select(*REPORT, "filed_on", "filed_source")
        .unique([*REPORT, "filed_on"])
        .with_columns(days=(pl.col("filed_on") - pl.col("period_end")).dt.total_days())
    )
    late = reports.filter(pl.col("filed_source") == "receipt", pl.col("days") > LATE_DAYS)
    guessed = reports.filter(pl.col("filed_source") == "deadline")
    found = {
        "unit_errors": _unit_errors(newest),
        "unbalanced": _unbalanced(rows),
        "quarters_against_year": _quarters_against_year(newest),
        "deadline_dated": guessed.select(*REPORT, "filed_on").sort(REPORT),
        "late_reports": late.select(*REPORT, "filed_on", "days").sort(
            ["days", *REPORT], descending=[True, *[False] * 3]
        ),
    }
    return {check: frame.with_columns(pl.col(pl.Categorical).cast(pl.String)) for check, frame in found.items()}


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest version of every amount, by line (`LINE`) and period."""
    key = [*LINE, "period_end"]
    rows = rows.sort(*(pl.col(name).to_physical() for name in key), "filed_on")
    return rows.filter(~_same(key, 1).shift(-1).fill_null(value=False))


def _same(names: list[str], rows: int) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == pl.col(name).shift(rows) for name in names).fill_null(value=False)


def _unit_errors(newest: pl.DataFrame) -> pl.DataFrame:
    """Reports most of whose amounts stand a unit apart from both neighbours, or from the only one if that is sound."""
    digits = pl.col("amount").abs().log10()
    same = _same(LINE, 1)
    steps = newest.filter(pl.col("amount") != 0, ~pl.col("item").is_in(sorted(PER_SHARE_ITEMS))).with_columns(
        up=pl.when(same).then(digits - digits.shift(1)),
        down=pl.when(same.shift(-1)).then(digits - digits.shift(-1)),
    )
    before, after = _near_unit("up"), _near_unit("down")
    both = before & after & (pl.col("up").sign() == pl.col("down").sign())
    reports = steps.group_by(REPORT).agg(
        amounts=pl.len(),
        off_both=both.mean(),
        off_before=before.mean(),
        off_after=after.mean(),
        is_last=pl.col("down").is_null().all(),
        is_first=pl.col("up").is_null().all(),
        times=pl.coalesce(pl.col("up").median(), pl.col("down").median()),
    )
    inside = pl.col("off_both") >= UNIT_SHARE
    reports = reports.sort(*SERIES, "period_end").with_columns(inside=inside)
    sound_before = ~pl.col("inside").shift(1).over(SERIES).fill_null(value=False)
    sound_after = ~pl.col("inside").shift(-1).over(SERIES).fill_null(value=False)
    at_end = pl.col("is_last") & (pl.col("off_before") >= UNIT_SHARE) & sound_before
    at_start = pl.col("is_first") & (pl.col("off_after") >= UNIT_SHARE) & sound_after
    return (
        reports.filter(pl.col("amounts") > 1, pl.col("inside") | at_end | at_start)
        .select(*REPORT, "amounts", times=(10.0 ** pl.col("times").round(0)))
        .sort(REPORT)
    )


def _near_unit(column: str) -> pl.Expr:
    size = pl.col(column).abs()
    return pl.any_horizontal((size - digits).abs() < UNIT_TOLERANCE for digits in UNIT_DIGITS).fill_null(value=False)


def _unbalanced(rows: pl.DataFrame) -> pl.DataFrame:
    parts = ("total_assets", "total_liabilities", "total_equity")
    return (
        rows.filter(pl.col("item").is_in(parts), pl.col("months") == 0)
        .group_by(*REPORT, "filed_on")
        .agg(pl.col("amount").filter(pl.col("item") == part).first().alias(part) for part in parts)
        .drop_nulls(parts)
        .with_columns(gap=pl.col("total_assets") - pl.col("total_liabilities") - pl.col("total_equity"))
        .filter(
            pl.col("gap").abs()
            > BALANCE_TOLERANCE
            * pl.max_horizontal(
                pl.col("total_assets").abs(), (pl.col("total_liabilities") + pl.col("total_equity")).abs()
            )
        )
        .sort(pl.col("gap").abs(), *REPORT, descending=[True, False, False, False])
    )


def _quarters_against_year(newest: pl.DataFrame) -> pl.DataFrame:
    """Year-to-date amounts beside the sum of all their quarters, where every quarter is there."""
    summable = [item.name for item in ITEMS.values() if item.flow and item.name not in PER_SHARE_ITEMS]
    flows = newest.filter(pl.col("item").is_in(summable)).with_columns(
        month=pl.col("period_end").dt.year() * 12 + pl.col("period_end").dt.month().cast(pl.Int32)
    )
    quarters = flows.filter(pl.col("months") == 3)
    quarters = quarters.select(*SERIES, "fiscal_year", "item", quarter_month="month", part="amount")
    to_date = flows.filter(pl.col("months") == 3 * pl.col("fiscal_quarter"), pl.col("fiscal_quarter") > 1)
    ago = pl.col("month") - pl.col("quarter_month")
    return (
        to_date.join(quarters, on=[*SERIES, "fiscal_year", "item"])
        .filter(ago >= 0, ago < pl.col("months"), ago % 3 == 0)
        .group_by(*REPORT, "item", "fiscal_quarter", "amount")
        .agg(count=pl.len(), sum=pl.col("part").sum())
        .filter(pl.col("count") == pl.col("fiscal_quarter"))
        .with_columns(gap=pl.col("sum") - pl.col("amount"))
        .filter(
            pl.col("gap").abs()
            > pl.max_horizontal(SUM_TOLERANCE * pl.col("amount").abs(), SUM_ROUNDING * pl.col("fiscal_quarter"))
        )
        .sort(pl.col("gap").abs(), *REPORT, "item", descending=[True, False, False, False, False])
        .group_by(REPORT, maintain_order=True)
        .agg(
            pl.col("item").first(),
            year_to_date=pl.col("amount").first(),
            quarters=pl.col("sum").first(),
            items=pl.len(),
        )
    )
