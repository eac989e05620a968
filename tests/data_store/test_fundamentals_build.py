"""Statements as filed to what each day shows: versions, bases, share events, restated mode, all worked by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.fundamentals_build import fundamentals_of, restate
from stocklab.factors.quarters import item_lines
from stocklab.market.fundamentals import Fundamentals, StatementMode, slot_of
from stocklab.market.panel import MARKET_CODES

SESSIONS = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")
SCHEMA = dict(DATASETS["statements"].schema)
NULL = float("nan")


def row(end: str, quarter: int, filed: str, item: str, months: int, amount: float, **given: Any) -> dict[str, Any]:
    return {
        "symbol": given.get("symbol", "000001"),
        "period_end": date.fromisoformat(end),
        "fiscal_year": int(end[:4]),
        "fiscal_quarter": quarter,
        "statement_basis": given.get("basis", "CFS"),
        "filed_on": date.fromisoformat(filed),
        "filed_source": given.get("source", "receipt"),
        "filing_no": None,
        "months": months,
        "item": item,
        "amount": amount,
    }


def known(rows: list[dict[str, Any]], **given: Any) -> Fundamentals:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    return fundamentals_of(frame, given.get("events"), ("000001", "000002"), SESSIONS, given.get("market"))


def shown(found: Fundamentals, function: str, item: str, day: str, quarters: int = 1) -> list[float]:
    """The newest quarters of the first symbol on a day, oldest first."""
    views = found.view_day[found.first_view[0] : found.first_view[1]]
    view = int(np.searchsorted(views, np.datetime64(day, "D").astype(np.int64), side="right")) - 1
    return item_lines(found, function, item, 0)[view, -quarters:].tolist()


def year(cumulative: list[float], item: str = "cfo") -> list[dict[str, Any]]:
    ends = ["2020-03-31", "2020-06-30", "2020-09-30", "2020-12-31"]
    days = ["2020-05-15", "2020-08-14", "2020-11-16", "2021-03-22"]
    return [
        row(ends[q], q + 1, days[q], item, 3 * (q + 1), amount)
        for q, amount in enumerate(cumulative)
        if amount == amount
    ]


def test_quarters_come_from_the_year_to_date() -> None:
    found = known(year([10.0, 25.0, 45.0, 70.0]))
    assert shown(found, "qtr", "cfo", "2021-03-22", 4) == [10.0, 15.0, 20.0, 25.0]
    assert shown(found, "ttm", "cfo", "2021-03-22") == [70.0]
    np.testing.assert_array_equal(shown(found, "ttm", "cfo", "2021-03-21"), [NULL])


def test_a_missing_report_makes_the_quarters_that_need_it_null() -> None:
    found = known(year([10.0, NULL, 45.0, 70.0]))
    np.testing.assert_array_equal(shown(found, "qtr", "cfo", "2021-03-22", 4), [10.0, NULL, NULL, 25.0])
    np.testing.assert_array_equal(shown(found, "ttm", "cfo", "2021-03-22"), [NULL])


def test_fourth_quarter_of_three_month_filers_is_the_year_less_the_others() -> None:
    rows = [
        row("2020-03-31", 1, "2020-05-15", "revenue", 3, 100.0),
        row("2020-06-30", 2, "2020-08-14", "revenue", 3, 110.0),
    ]
    rows += [
        row("2020-09-30", 3, "2020-11-16", "revenue", 3, 120.0),
        row("2020-12-31", 4, "2021-03-22", "revenue", 12, 500.0),
    ]
    assert shown(known(rows), "qtr", "revenue", "2021-04-01", 4) == [100.0, 110.0, 120.0, 170.0]
    del rows[1]
    np.testing.assert_array_equal(shown(known(rows), "qtr", "revenue", "2021-04-01"), [NULL])


def test_an_amended_report_changes_only_what_later_days_see() -> None:
    rows = [*year([10.0, 25.0, 45.0, 70.0]), row("2020-06-30", 2, "2021-06-01", "cfo", 6, 28.0)]
    found = known(rows)
    assert shown(found, "qtr", "cfo", "2021-05-31", 4) == [10.0, 15.0, 20.0, 25.0]
    assert shown(found, "qtr", "cfo", "2021-06-01", 4) == [10.0, 18.0, 17.0, 25.0]
    late = restate(found, SESSIONS, None)
    assert late.mode is StatementMode.RESTATED
    assert shown(late, "qtr", "cfo", "2020-08-14", 2) == [10.0, 18.0]
    assert [bool(flag) for flag in late.restated] == [False, True, False, False]
    assert late.view_day.tolist() == found.view_day[:4].tolist()  # dated by the first filings, none later


def test_bases_are_not_mixed_and_separate_statements_have_no_minority() -> None:
    rows = [row("2020-03-31", 1, "2020-05-15", "total_equity", 0, 80.0, basis="OFS")]
    rows += [
        row("2020-06-30", 2, "2020-08-14", "total_equity", 0, value, basis=basis)
        for basis, value in (("OFS", 85.0), ("CFS", 120.0))
    ]
    found = known(rows)
    assert shown(found, "mrq", "equity_parent", "2020-05-15") == [80.0]
    np.testing.assert_array_equal(shown(found, "mrq", "total_equity", "2020-08-14", 2), [NULL, 120.0])
    np.testing.assert_array_equal(shown(found, "mrq", "equity_parent", "2020-08-14", 2), [NULL, NULL])
    # the comparative column of a later consolidated filing fills the year before in the same basis
    rows.append(row("2020-03-31", 1, "2020-11-16", "total_equity", 0, 110.0))
    assert shown(known(rows), "mrq", "total_equity", "2020-11-16", 2) == [110.0, 120.0]


def test_counts_and_per_share_amounts_follow_the_share_basis_of_the_day() -> None:
    rows = [
        row("2020-03-31", 1, "2020-05-15", "shares_issued", 0, 4_000_000.0),
        row("2020-03-31", 1, "2020-05-15", "dps", 3, 500.0),
    ]
    rows += [
        row("2020-06-30", 2, "2020-08-14", "shares_issued", 0, 20_000_000.0),
        row("2020-06-30", 2, "2020-08-14", "dps", 6, 220.0),
    ]
    events = pl.DataFrame({"session": [date(2020, 6, 1)], "symbol": ["000001"], "kind": ["split"], "ratio": [5.0]})
    found = known(rows, events=events)
    assert shown(found, "mrq", "shares_issued", "2020-05-31") == [4_000_000.0]
    assert shown(found, "mrq", "shares_issued", "2020-06-01") == [20_000_000.0]
    assert shown(found, "qtr", "dps", "2020-06-01") == [100.0]
    assert shown(found, "qtr", "dps", "2020-08-14", 2) == [100.0, 120.0]
    assert shown(found, "mrq", "shares_issued", "2020-08-14", 2) == [20_000_000.0, 20_000_000.0]


def test_annual_filers_have_a_trailing_year_and_no_quarter() -> None:
    market = np.full((len(SESSIONS), 2), MARKET_CODES["KONEX"], dtype=np.uint8)
    found = known(year([NULL, NULL, NULL, 70.0]), market=market)
    assert shown(found, "ttm", "cfo", "2021-03-22") == [70.0]
    np.testing.assert_array_equal(shown(found, "qtr", "cfo", "2021-03-22"), [NULL])
    market[:500] = 0  # listed in May 2021: the report is older than the listing
    early = known(year([NULL, NULL, NULL, 70.0]), market=market)
    assert shown(early, "ttm", "cfo", "2021-03-22") == [70.0]
    other = known(year([NULL, NULL, NULL, 70.0]))  # elsewhere a year without interim reports is a gap
    np.testing.assert_array_equal(shown(other, "ttm", "cfo", "2021-03-22"), [NULL])


def test_a_stub_period_has_no_flows() -> None:
    rows = [
        row("2020-03-31", 1, "2020-05-15", "revenue", 3, 100.0),
        row("2020-06-30", 4, "2020-09-28", "revenue", 6, 210.0),
    ]
    np.testing.assert_array_equal(shown(known(rows), "qtr", "revenue", "2020-10-01", 2), [100.0, NULL])


def test_views_name_the_newest_quarter_its_first_day_and_guessed_days() -> None:
    rows = [row("2020-03-31", 1, "2020-05-15", "cfo", 3, 1.0, source="deadline")]
    rows += [row("2020-03-31", 1, "2020-07-01", "cfo", 3, 2.0), row("2019-12-31", 4, "2020-08-03", "cfo", 12, 9.0)]
    found = known(rows)
    assert found.from_deadline.tolist() == [True, False, False]
    newest = slot_of(np.array(["2020-03-31"], dtype="datetime64[D]"))[0]
    assert found.view_slot.tolist() == [newest] * 3
    assert {str(np.datetime64(int(day), "D")) for day in found.view_since} == {"2020-05-15"}
    assert found.items == ("cfo",)
    assert found.first_view.tolist() == [0, 3, 3]
