"""Statutory deadlines: days as they were, roll-overs, and what real receipts say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stocklab.errors import InputError
from stocklab.market.filing_deadlines import filing_deadline


@pytest.mark.parametrize(
    ("period_end", "quarter", "deadline"),
    [
        # the days the supervisor announced, in each year the last on which reports came in
        (date(2015, 12, 31), 4, date(2016, 3, 30)),  # a leap year: 90 days end on the 30th
        (date(2016, 6, 30), 2, date(2016, 8, 16)),  # Sunday the 14th, Liberation Day
        (date(2017, 12, 31), 4, date(2018, 4, 2)),  # Saturday 31 March
        (date(2018, 12, 31), 4, date(2019, 4, 1)),  # Sunday 31 March
        (date(2019, 3, 31), 1, date(2019, 5, 15)),
        (date(2021, 3, 31), 1, date(2021, 5, 17)),
        (date(2021, 6, 30), 2, date(2021, 8, 17)),  # the 16th stood in for Liberation Day
        (date(2023, 12, 31), 4, date(2024, 4, 1)),
        (date(2024, 3, 31), 1, date(2024, 5, 16)),  # Buddha's birthday on the 15th
        (date(2019, 3, 31), 4, date(2019, 7, 1)),  # a March year end: Saturday 29 June
    ],
)
def test_deadlines_of_the_past(period_end: date, quarter: int, deadline: date) -> None:
    assert filing_deadline(period_end, quarter) == deadline


def test_consolidated_reports_had_sixty_days_at_first() -> None:
    assert filing_deadline(date(2014, 9, 30), 3) == date(2014, 12, 1)  # 60 days: Saturday 29 November
    assert filing_deadline(date(2015, 3, 31), 1) == date(2015, 5, 15)  # 45 days
    assert filing_deadline(date(2022, 3, 31), 1, first_consolidated=True) == date(2022, 5, 30)
    assert filing_deadline(date(2021, 12, 31), 4, first_consolidated=True) == date(2022, 3, 31)


def test_questions_without_an_answer() -> None:
    with pytest.raises(InputError, match="fiscal quarter from 1 to 4, found 0"):
        filing_deadline(date(2020, 3, 31), 0)
    with pytest.raises(InputError, match="No filing deadline is known for 2008-12-31"):
        filing_deadline(date(2008, 12, 31), 4)
    with pytest.raises(InputError, match="KRX calendar"):
        filing_deadline(date(2035, 3, 31), 1)


@pytest.mark.realdata
def test_most_real_reports_come_in_on_the_very_day(real_data: Path) -> None:
    reports = pl.read_parquet(
        real_data / "dart_major_accounts_2016_2021.parquet", columns=["code", "rcept_date", "bs_date", "quarter"]
    ).unique()
    reports = reports.filter(pl.col("quarter") < 4, pl.len().over("bs_date", "quarter") > 100)
    usual = reports.group_by("bs_date", "quarter").agg(pl.col("rcept_date").mode().first()).sort("bs_date")
    assert usual.height == 18
    for period_end, quarter, received in usual.iter_rows():
        assert filing_deadline(period_end, quarter) == received
    cases = usual.select("bs_date", "quarter", deadline="rcept_date")
    # the rest is late or, as the file keeps the last version of a report, amended
    in_time = reports.join(cases, on=["bs_date", "quarter"]).select(pl.col("rcept_date") <= pl.col("deadline"))
    assert in_time.to_series().mean() > 0.9
