"""The steps of a session: regular and late days, restarts, holidays, coins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.data.sources.calls import KST
from stocklab.errors import InputError
from stocklab.trading.day_steps import CoinTimes, DayTimes, Step, days_at, steps_due, steps_missed, windows

TIMES = DayTimes()
FRIDAY = date(2026, 11, 20)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=KST)


def begins(day: date) -> list[str]:
    return [f"{one.opens.astimezone(KST):%H:%M}" for one in windows(day, TIMES)]


def test_a_regular_day_and_late_ones() -> None:
    assert begins(FRIDAY) == ["08:50", "08:50", "09:05", "14:50", "15:20", "15:35", "15:40", "15:45"]
    # the college entrance exam: 10:00 to 16:30
    assert begins(date(2025, 11, 13)) == ["09:50", "09:50", "10:05", "15:50", "16:20", "16:35", "16:40", "16:45"]
    # the first session of a year: 10:00 to 15:30
    assert begins(date(2026, 1, 2)) == ["09:50", "09:50", "10:05", "14:50", "15:20", "15:35", "15:40", "15:45"]


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2026, 9, 24), date(2025, 12, 31), date(2026, 6, 3)])
def test_nothing_on_days_without_a_session(day: date) -> None:
    for hour in range(24):
        now = at(day, f"{hour:02}:00")
        assert steps_due(day, (), now, TIMES) == steps_missed(day, (), now, TIMES) == ()


def test_each_step_once_in_order_and_not_after_its_time() -> None:
    assert steps_due(FRIDAY, (), at(FRIDAY, "08:49"), TIMES) == ()
    assert steps_due(FRIDAY, (), at(FRIDAY, "08:50"), TIMES) == (Step.PREPARE, Step.OPEN_ORDERS)
    assert steps_due(FRIDAY, {Step.PREPARE}, at(FRIDAY, "08:59"), TIMES) == (Step.OPEN_ORDERS,)
    # started at 09:30: it decides, checks purchases late, and the opening is missed
    assert steps_due(FRIDAY, (), at(FRIDAY, "09:30"), TIMES) == (Step.PREPARE, Step.BUY_CHECK)
    assert steps_missed(FRIDAY, (), at(FRIDAY, "09:30"), TIMES) == (Step.OPEN_ORDERS,)
    assert steps_missed(FRIDAY, (), at(FRIDAY, "10:01"), TIMES) == (Step.OPEN_ORDERS, Step.BUY_CHECK)
    # started on Saturday morning: Friday is still valued and reported
    saturday = at(date(2026, 11, 21), "06:00")
    assert days_at(saturday, TIMES) == (FRIDAY, date(2026, 11, 21))
    assert steps_due(FRIDAY, (), saturday, TIMES) == (Step.DAY_OVER, Step.VALUE, Step.REPORT)
    assert steps_due(FRIDAY, (), saturday + timedelta(hours=2), TIMES) == ()
    assert len(steps_missed(FRIDAY, (), saturday + timedelta(hours=2), TIMES)) == 8


@given(st.lists(st.integers(1, 300), max_size=60), st.booleans())
def test_however_often_it_is_asked_a_step_is_made_once_and_in_order(pauses: list[int], coins: bool) -> None:
    times: DayTimes | CoinTimes = CoinTimes() if coins else TIMES
    now, made = at(FRIDAY, "08:00"), []
    for minutes in pauses:
        now += timedelta(minutes=minutes)
        due = steps_due(FRIDAY, made, now, times)
        assert not set(due) & set(made)
        assert list(due) == sorted(due, key=list(Step).index)
        made += due
    assert len(made) == len(set(made))
    late = now + timedelta(days=3)
    assert {*made, *steps_missed(FRIDAY, made, late, times)} == set(Step)


def test_coins_have_a_day_from_midnight_to_midnight_in_utc_every_day() -> None:
    times = CoinTimes()
    saturday = date(2026, 11, 21)
    assert days_at(at(saturday, "08:59"), times)[1] == FRIDAY
    assert steps_due(saturday, (), at(saturday, "09:05"), times) == (Step.PREPARE, Step.OPEN_ORDERS, Step.BUY_CHECK)
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    traded = set(list(Step)[:5])
    assert steps_due(saturday, traded, midnight - timedelta(minutes=1), times) == ()
    assert steps_due(saturday, traded, midnight, times) == (Step.DAY_OVER, Step.VALUE, Step.REPORT)


@pytest.mark.parametrize(
    "broken",
    [
        {"prepare": time(9, 1)},
        {"open_orders": time(8, 40)},
        {"buy_check": time(8, 59)},
        {"buy_check_until": time(9, 4)},
        {"sell_check_until": time(15, 31)},
        {"close_orders": time(15, 30)},
        {"report": time(15, 36)},
        {"evening_until": time(9, 0)},
    ],
)
def test_times_that_cannot_be(broken: dict[str, time]) -> None:
    with pytest.raises(InputError):
        replace(TIMES, **broken)
