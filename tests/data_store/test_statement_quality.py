"""Each finding in company reports is seen where it is, and only there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.data import Store, import_paths
from stocklab.data.datasets import DATASETS
from stocklab.data.quality import assess
from stocklab.data.statement_quality import STATEMENT_CHECKS, find_in_statements

ENDS = pl.date_range(date(2016, 3, 1), date(2018, 12, 1), "3mo", eager=True).dt.month_end().to_list()
BALANCE = {"total_assets": 1_000, "total_liabilities": 400, "total_equity": 600, "current_assets": 500}


def report(
    number: int, items: Mapping[tuple[str, int], float], *, symbol: str = "005930", **changes: object
) -> list[dict[str, object]]:
    """Rows of the report of a quarter, counted from 2016Q1; items are (name, months) -> amount."""
    end = ENDS[number]
    row = {
        "symbol": symbol,
        "period_end": end,
        "fiscal_year": end.year,
        "fiscal_quarter": end.month // 3,
        "statement_basis": "CFS",
        "filed_on": end + timedelta(days=45),
        "filed_source": "receipt",
        "filing_no": None,
    }
    return [row | changes | {"item": name, "months": months, "amount": one} for (name, months), one in items.items()]


def balances(scale: float = 1.0, **changes: float) -> dict[tuple[str, int], float]:
    return {(name, 0): amount * scale for name, amount in (BALANCE | changes).items()}


def found(rows: list[dict[str, object]]) -> dict[str, list[dict[str, Any]]]:
    frame = pl.DataFrame(rows, schema=dict(DATASETS["statements"].schema)).sort(DATASETS["statements"].key)
    return {check: one.to_dicts() for check, one in find_in_statements(frame.lazy()).items()}


def periods(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["symbol"], str(one["period_end"])) for one in rows]


def test_sound_reports_have_no_finding() -> None:
    rows = [row for number in range(12) for row in report(number, balances(1.3**number) | {("revenue", 3): 7})]
    assert all(found_rows == [] for found_rows in found(rows).values())
    assert set(found(rows)) == set(STATEMENT_CHECKS)


@pytest.mark.parametrize("wrong", [0, 1, 5, 6, 11])
@pytest.mark.parametrize("times", [1_000, 1_000_000, 0.001, 0.000_001])
def test_a_report_in_another_unit(wrong: int, times: float) -> None:
    rows = [
        row
        for number in range(12)
        for row in report(number, balances(1.05**number * (times if number == wrong else 1)))
    ]
    (one,) = found(rows)["unit_errors"]
    assert (one["period_end"], one["times"]) == (rows[wrong * len(BALANCE)]["period_end"], pytest.approx(times))


def test_amounts_that_move_by_themselves_are_no_unit_error() -> None:
    lively = [1, 1_000, 1, 2_000_000, 3, 1_000, 7, 1]  # a small profit may grow 1,000-fold
    rows = [
        row
        for number, income in enumerate(lively)
        for row in report(number, balances() | {("net_income", 3): income, ("eps_reported", 3): income})
    ]
    shrunk = [
        row for number in range(8) for row in report(number, balances(1 if number < 4 else 0.001), symbol="000020")
    ]
    assert found([*rows, *shrunk])["unit_errors"] == []  # a step that stays: a business sold, or who can tell


def test_two_companies_and_bases_do_not_mix() -> None:
    rows = [row for number in range(3) for row in report(number, balances(), symbol="000020")]
    rows += [row for number in range(3) for row in report(number, balances(1_000), symbol="000030")]
    rows += [row for number in range(3) for row in report(number, balances(0.001), statement_basis="OFS")]
    assert found(rows)["unit_errors"] == []


def test_assets_are_liabilities_plus_equity() -> None:
    rows = [
        *report(0, balances(total_equity=601)),  # 0.1 % exactly: rounding
        *report(1, balances(total_equity=610)),
        *report(2, balances(total_assets=0)),
        *report(3, {("total_assets", 0): 5}),
    ]
    one, other = found(rows)["unbalanced"]
    assert (str(one["period_end"]), one["gap"]) == ("2016-09-30", -1_000)
    assert (str(other["period_end"]), other["gap"]) == ("2016-06-30", -10)


def test_quarters_against_the_year_to_date() -> None:
    million = 1e6
    first = report(0, {("revenue", 3): 100 * million, ("cogs", 3): 100 * million})
    second = report(
        1,
        {
            ("revenue", 3): 100 * million,
            ("revenue", 6): 201 * million,  # rounding
            ("cogs", 3): 210 * million,  # the year to date where the quarter belongs
            ("cogs", 6): 210 * million,
        },
    )
    third = report(2, {("revenue", 9): 500 * million})  # its quarter is missing: nothing to compare
    annual = report(3, {("revenue", 3): 1, ("revenue", 12): 9})
    (one,) = found([*first, *second, *third, *annual])["quarters_against_year"]
    assert (periods([one]), one["item"], one["year_to_date"], one["quarters"], one["items"]) == (
        [("005930", "2016-06-30")],
        "cogs",
        210 * million,
        310 * million,
        1,
    )


def test_the_newest_version_of_a_report_counts() -> None:
    wrong = [row for number in range(3) for row in report(number, balances(1_000 if number == 1 else 1))]
    amended = report(1, balances(), filed_on=date(2017, 3, 2))
    assert found([*wrong, *amended])["unit_errors"] == []
    assert periods(found([*wrong, *amended])["late_reports"]) == [("005930", "2016-06-30")]


def test_how_reports_are_dated() -> None:
    end = date(2016, 3, 31)
    rows = [
        *report(0, balances(), filed_source="deadline", filed_on=date(2017, 3, 31)),  # a guess is not late
        *report(0, balances(), symbol="000020", filed_on=end + timedelta(days=95)),
        *report(0, balances(), symbol="000030", filed_on=end + timedelta(days=96)),
        # a comparative in a filing of a year later is not a late report
        *report(0, balances(), symbol="000040", filed_on=date(2017, 5, 15), filing_no="20170515000001"),
        *report(4, balances(), symbol="000040", filed_on=date(2017, 5, 15), filing_no="20170515000001"),
    ]
    result = found(rows)
    assert periods(result["deadline_dated"]) == [("005930", "2016-03-31")]
    assert [(one["symbol"], one["days"]) for one in result["late_reports"]] == [("000030", 96)]


def test_findings_stand_in_the_report_of_the_snapshot() -> None:
    rows = report(1, balances(total_equity=610))
    frame = pl.DataFrame(rows, schema=dict(DATASETS["statements"].schema))
    result = assess({"statements": frame.lazy()})
    assert result["counts"]["statements.unbalanced"] == 1
    (one,) = (check for check in result["checks"] if check["check"] == "unbalanced")
    assert (one["dataset"], one["examples"][0]["period_end"]) == ("statements", "2016-06-30")


@pytest.mark.realdata
def test_unit_errors_of_the_real_reports(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    import_paths(store, [real_data / "dart_major_accounts_2016_2021.parquet"])
    snapshot = store.current()
    assert snapshot is not None
    checks = {one["check"]: one for one in snapshot.quality()["checks"]}
    errors = {(one["symbol"], one["period_end"], one["times"]) for one in checks["unit_errors"]["examples"]}
    assert errors == {
        ("032080", "2019-09-30", 1e6),
        ("069330", "2020-03-31", 1e6),
        ("001740", "2017-09-30", 1e-6),  # 7.8 million won between 7.8 and 7.2 trillion
    }
