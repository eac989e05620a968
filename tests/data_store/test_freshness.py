"""How many sessions the data are behind, and which of them a source can have by now."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from stocklab.data.freshness import freshness
from stocklab.data.sources.calls import KST
from stocklab.data.sync.progress_words import progress_words, read_progress
from stocklab.data.sync.report import SyncProgress

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("now", "last", "behind", "due"),
    [
        (datetime(2026, 11, 20, 12), date(2026, 11, 19), 0, 0),  # today is still open
        (datetime(2026, 11, 20, 18), date(2026, 11, 19), 1, 0),  # ended, out tomorrow
        (datetime(2026, 11, 21, 7, 59), date(2026, 11, 19), 1, 0),
        (datetime(2026, 11, 21, 8), date(2026, 11, 19), 1, 1),
        (datetime(2026, 11, 23, 12), FRIDAY, 0, 0),  # a weekend is no age
        (datetime(2026, 11, 27, 9), FRIDAY, 4, 4),
        (datetime(2026, 10, 6, 9), date(2026, 10, 2), 0, 0),  # Monday, 5 October: substitute holiday
    ],
)
def test_age_is_counted_in_sessions(now: datetime, last: date, behind: int, due: int) -> None:
    found = freshness(last, now.replace(tzinfo=KST))
    assert (found.behind, found.due, found.stale) == (behind, due, due > 0)


def test_the_next_release_is_the_morning_after_the_first_session_that_waits() -> None:
    found = freshness(FRIDAY, datetime(2026, 11, 23, 18, tzinfo=KST))
    assert found.next_release == datetime(2026, 11, 24, 8, tzinfo=KST)
    assert found.newest == date(2026, 11, 23)


def test_days_of_coins_end_at_nine() -> None:
    before, after = (datetime(2026, 11, 21, hour, 30, tzinfo=KST) for hour in (8, 9))
    assert freshness(date(2026, 11, 19), before, coins=True).behind == 0
    assert freshness(date(2026, 11, 19), after, coins=True).behind == 1


def test_progress_goes_through_its_words() -> None:
    for storing, left in ((False, 12.0), (True, None)):
        said = SyncProgress(
            feed="" if storing else "krx_openapi.stocks",
            asked=1_200,
            wanted=4_900,
            rows=3_000_000,
            seconds=61.0,
            seconds_left=left,
            storing=storing,
        )
        assert read_progress(progress_words(said)) == said
    assert read_progress("Ask the sources") is None
