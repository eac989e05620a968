"""The KRX calendar against counts of an independent package, recorded closures and the real index dates."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.errors import InputError
from stocklab.market import calendar
from stocklab.market.krx_holidays import CONFIRMED_CLOSURES, EXPECTED_CLOSURES

# exchange_calendars 4.13.2 (XKRX) for 2010..2025; 2026 from the list of holidays in force
SESSIONS_PER_YEAR = dict(
    zip(
        range(2010, 2027),
        (251, 248, 248, 247, 245, 248, 246, 243, 244, 246, 248, 248, 246, 245, 244, 242, 244),
        strict=True,
    )
)
known_days = st.dates(date(1996, 1, 1), date(2026, 12, 30))


@pytest.mark.parametrize(("year", "count"), SESSIONS_PER_YEAR.items())
def test_sessions_per_year(year: int, count: int) -> None:
    assert len(calendar.sessions_between(date(year, 1, 1), date(year, 12, 31))) == count


@pytest.mark.parametrize(
    "closed",
    [
        "2015-08-14", "2016-12-30", "2017-12-29", "2018-12-31", "2021-12-31", "2022-12-30", "2023-12-29", "2024-10-01",
        "2025-01-27", "2025-06-03", "2026-05-01", "2026-06-03", "2026-07-17", "2026-08-17", "2026-10-05", "2026-12-31",
    ],
)  # fmt: skip
def test_closures_that_weekday_rules_miss(closed: str) -> None:
    day = date.fromisoformat(closed)
    assert not calendar.is_session(day)
    assert calendar.next_session(day - timedelta(days=1)) > day if day.month < 12 else True
    assert calendar.previous_session(day) < day


def test_year_end_and_neighbours() -> None:
    assert calendar.previous_session(date(2026, 12, 31)) == date(2026, 12, 30)
    assert calendar.next_session(date(2025, 12, 30)) == date(2026, 1, 2)
    assert calendar.next_session(date(2026, 2, 13)) == date(2026, 2, 19)
    assert calendar.is_session(date(2020, 12, 30))


def test_saturdays_traded_until_december_1998() -> None:
    assert calendar.is_session(date(1998, 12, 5))
    assert not calendar.is_session(date(1998, 12, 12))


def test_expected_year_only_on_request() -> None:
    assert calendar.confirmed_until() == date(2026, 12, 31)
    for closed in (date(2027, 5, 3), date(2027, 7, 19)):
        with pytest.raises(InputError, match="confirmed from 1995-05-02 to 2026-12-31"):
            calendar.is_session(closed)
        assert not calendar.is_session(closed, expected=True)
    assert calendar.next_session(date(2026, 12, 30), expected=True) == date(2027, 1, 4)
    with pytest.raises(InputError, match="2027-01-04 was asked"):
        calendar.next_session(date(2026, 12, 30))


@pytest.mark.parametrize("ask", [calendar.is_session, calendar.previous_session, calendar.next_session])
@pytest.mark.parametrize("day", [date(1995, 5, 1), date(2028, 1, 3)])
def test_outside_the_table_is_an_error(ask, day: date) -> None:
    with pytest.raises(InputError, match="KRX calendar is expected from"):
        ask(day, expected=True)


def test_edges_of_the_table() -> None:
    with pytest.raises(InputError, match="No session before 1995-05-02"):
        calendar.previous_session(calendar.first_day())
    with pytest.raises(InputError, match="No session after"):
        calendar.next_session(calendar.expected_until(), expected=True)
    with pytest.raises(InputError, match="exchange them"):
        calendar.sessions_between(date(2020, 2, 1), date(2020, 1, 1))
    assert len(calendar.sessions_between(date(2020, 1, 4), date(2020, 1, 5))) == 0


def test_closures_fall_on_days_that_would_trade() -> None:
    for year, closed in {**CONFIRMED_CLOSURES, **EXPECTED_CLOSURES}.items():
        days = [date.fromisoformat(f"{year}-{day}") for day in closed.split()]
        assert days == sorted(set(days))
        assert all(day.weekday() < (6 if day < date(1998, 12, 6) else 5) for day in days)


@given(day=known_days)
@settings(max_examples=50, deadline=None)
def test_neighbours_agree_with_the_session_list(day: date) -> None:
    before, after = calendar.previous_session(day), calendar.next_session(day)
    between = calendar.sessions_between(before, after)
    assert list(between) == [before, *([day] if calendar.is_session(day) else []), after]
    assert not between.flags.writeable


@given(days=st.lists(known_days, max_size=30))
@settings(max_examples=30, deadline=None)
def test_vectorised_lookup_equals_single_lookups(days: list[date]) -> None:
    found = calendar.are_sessions(np.array(days, dtype="datetime64[D]"))
    assert found.tolist() == [calendar.is_session(day) for day in days]


def test_vectorised_lookup_refuses_missing_days() -> None:
    with pytest.raises(InputError, match="NaT"):
        calendar.are_sessions(np.array(["2020-01-02", "NaT"], dtype="datetime64[D]"))


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2016, 7, 29), time(9), time(15)),
        (date(2016, 8, 1), time(9), time(15, 30)),
        (date(2026, 1, 2), time(10), time(15, 30)),
        (date(2026, 1, 5), time(9), time(15, 30)),
        (date(2015, 1, 2), time(10), time(15)),
        (date(2017, 11, 16), time(9), time(15, 30)),  # exam put off after the Pohang earthquake
        (date(2017, 11, 23), time(10), time(16, 30)),
        (date(2025, 11, 13), time(10), time(16, 30)),
    ],
)
def test_session_hours(day: date, opens: time, closes: time) -> None:
    assert calendar.session_hours(day) == (opens, closes)


def test_no_hours_on_a_closed_day_or_before_the_table() -> None:
    with pytest.raises(InputError, match="closed on 2026-06-03"):
        calendar.session_hours(date(2026, 6, 3))
    with pytest.raises(InputError, match="before 1998-12-07"):
        calendar.session_hours(date(1998, 12, 4))


@pytest.mark.realdata
@pytest.mark.parametrize("index", ["KOSPI", "KOSDAQ", "KOSPI200"])
def test_sessions_equal_the_index_dates(real_data: Path, index: str) -> None:
    dates = pl.read_parquet(real_data / "krx_index_daily.parquet").filter(pl.col("index") == index)["date"].sort()
    dates = dates.filter(dates >= calendar.first_day())
    mine = calendar.sessions_between(dates[0], dates[-1])
    assert mine.tolist() == dates.to_list()
