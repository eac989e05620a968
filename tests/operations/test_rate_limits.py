"""Limits are exact under threads, say the wait, survive a restart and count by subject."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from stocklab.db import Database, RateWindowRow, open_database
from stocklab.operations import RateLimits

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 20, 3, 0, 20, tzinfo=UTC)


def test_one_too_many_is_refused_with_the_time_to_the_next_window(database: Database) -> None:
    limits = RateLimits(database)
    allowed = [limits.spend("a", most=3, per=MINUTE, now=NOW).allowed for _ in range(3)]
    refused = limits.spend("a", most=3, per=MINUTE, now=NOW)
    assert (allowed, refused.allowed, refused.wait) == ([True] * 3, False, timedelta(seconds=40))
    assert limits.spend("b", most=3, per=MINUTE, now=NOW).allowed  # somebody else
    assert not limits.spend("a", most=3, per=MINUTE, now=NOW + timedelta(seconds=39.9)).allowed
    assert limits.spend("a", most=3, per=MINUTE, now=NOW + refused.wait).allowed
    assert not limits.spend("c", most=0, per=MINUTE, now=NOW).allowed


def test_insisting_does_not_prolong_the_wait_and_one_can_be_given_back(database: Database) -> None:
    limits = RateLimits(database)
    for _ in range(5):
        limits.spend("a", most=1, per=MINUTE, now=NOW)
    limits.give_back("a", per=MINUTE, now=NOW)
    assert limits.spend("a", most=1, per=MINUTE, now=NOW).allowed
    assert not limits.spend("a", most=1, per=MINUTE, now=NOW).allowed
    limits.forget("a")
    limits.give_back("a", per=MINUTE, now=NOW)  # nothing to give back
    assert [limits.spend("a", most=1, per=MINUTE, now=NOW).allowed for _ in range(2)] == [True, False]


def test_counts_are_exact_under_threads_and_survive_a_restart(database: Database, empty_url: str) -> None:
    limits = RateLimits(database)
    answers: list[bool] = []

    def hammer() -> None:
        answers.extend(limits.spend("a", most=17, per=MINUTE, now=NOW).allowed for _ in range(10))

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), sum(answers)) == (40, 17)
    reopened = open_database(empty_url)
    try:
        assert not RateLimits(reopened).spend("a", most=17, per=MINUTE, now=NOW).allowed
    finally:
        reopened.close()


def test_windows_that_are_over_are_removed(database: Database) -> None:
    limits = RateLimits(database)
    limits.spend("short", most=3, per=MINUTE, now=NOW)
    limits.spend("long", most=3, per=timedelta(days=1), now=NOW)
    limits.tidy(NOW + MINUTE)
    with database.read() as session:
        assert session.scalars(select(RateWindowRow.subject)).all() == ["long"]
        assert session.scalar(select(func.sum(RateWindowRow.count))) == 1
