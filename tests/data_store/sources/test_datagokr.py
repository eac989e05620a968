"""Whole sessions from the public-data portal: paged, refused in XML, encoded keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
from fakes.datagokr import ENCODED_KEY, EXPIRED, KEY, NOT_REGISTERED, QUOTA, TIMEOUT, FakeDataGoKr
from fakes.http_service import Fault
from polars.testing import assert_frame_equal

from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.datagokr import DataGoKr, PortalBars
from stocklab.data.sources.feed import AnswerState, Window
from stocklab.data.sources.http import Pace
from stocklab.errors import SourceBlocked, SourceChanged, SourceDenied, SourceError, SourceExhausted, SourceTemporary

DAY = "2024-01-08"


@pytest.fixture
def fake(market: pl.DataFrame) -> Iterator[FakeDataGoKr]:
    with FakeDataGoKr(market) as service:
        yield service


@pytest.fixture
def api(
    fake: FakeDataGoKr, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> Iterator[DataGoKr]:
    with DataGoKr(fake.url, KEY, calls, pace=quick(), clock=later) as one:
        yield one


def test_a_session_holds_what_was_served(api: DataGoKr, market: pl.DataFrame) -> None:
    answer = PortalBars(api).fetch(DAY)
    served = market.filter(pl.col("date") == date(2024, 1, 8)).sort("code")
    got = answer.frames["prices_raw"]
    assert got["symbol"].to_list() == served["code"].to_list()
    for ours, theirs in (
        ("close", "close"),
        ("volume", "volume"),
        ("tv", "amount"),
        ("change", "change"),
        ("mcap", "market_cap"),
        ("shares_listed", "listed_shares"),
    ):
        assert got[ours].to_list() == served[theirs].to_list()
    traded = served["volume"] > 0
    assert got["open"].to_list() == [value if on else None for value, on in zip(served["open"], traded, strict=True)]
    assert got["market"].value_counts(sort=True).rows() == [("KOSDAQ", 12), ("KOSPI", 10), ("KONEX", 4)]
    assert got["dept"].null_count() == 26
    assert set(got["source"]) == {"datagokr"}


@pytest.mark.parametrize("most_rows", [1, 5, 13, 26, 100])
def test_pages_are_put_together(
    market: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime], most_rows: int
) -> None:
    with FakeDataGoKr(market, most_rows=most_rows) as fake:
        with DataGoKr(fake.url, KEY, calls, pace=quick(), clock=later) as api:
            if most_rows == 1:
                with pytest.raises(SourceChanged, match="page 21"):
                    api.rows(date(2024, 1, 8))
                return
            rows = api.rows(date(2024, 1, 8))
        assert len({row["srtnCd"] for row in rows}) == len(rows) == 26
        assert len(fake.seen) == -(-26 // most_rows)


def test_rows_that_change_between_pages_are_asked_again_later(
    market: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    with FakeDataGoKr(market, most_rows=10) as fake, DataGoKr(fake.url, KEY, calls, pace=quick(), clock=later) as api:
        fake.grows_by = 1
        with pytest.raises(SourceTemporary, match="changed while"):
            api.rows(date(2024, 1, 8))


@pytest.mark.parametrize("key", [KEY, ENCODED_KEY], ids=["decoded", "encoded"])
def test_either_form_of_the_key_arrives_as_the_same(
    fake: FakeDataGoKr, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime], key: str
) -> None:
    with DataGoKr(fake.url, key, calls, pace=quick(), clock=later) as api:
        assert len(api.rows(date(2024, 1, 8))) == 26
        assert key not in repr(api)


@pytest.mark.parametrize(
    ("refusal", "error", "said"),
    [
        (NOT_REGISTERED, SourceDenied, "SERVICE_KEY_IS_NOT_REGISTERED_ERROR"),
        (EXPIRED, SourceDenied, "DEADLINE_HAS_EXPIRED"),
        (QUOTA, SourceExhausted, "LIMITED_NUMBER"),
        (TIMEOUT, SourceTemporary, "SERVICETIME_OUT"),
        ((10, "INVALID_REQUEST_PARAMETER_ERROR"), SourceChanged, "INVALID_REQUEST"),
    ],
)
def test_the_gateway_refuses_in_xml_with_status_200(
    api: DataGoKr, fake: FakeDataGoKr, refusal: tuple[int, str], error: type[SourceError], said: str
) -> None:
    fake.refusal = refusal
    with pytest.raises(error, match=said):
        PortalBars(api).fetch(DAY)
    again = {SourceDenied: SourceDenied, SourceExhausted: SourceBlocked}.get(error, error)
    with pytest.raises(again):
        PortalBars(api).fetch(DAY)
    assert len(fake.seen) == (1 if error in {SourceDenied, SourceExhausted} else 2)


def test_the_same_refusals_in_a_json_header(api: DataGoKr, fake: FakeDataGoKr) -> None:
    fake.header = ("30", "SERVICE KEY IS NOT REGISTERED ERROR.")
    with pytest.raises(SourceDenied):
        api.rows(date(2024, 1, 8))


def test_the_quota_is_spent_until_midnight(
    market: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    with FakeDataGoKr(market, quota=3) as fake, DataGoKr(fake.url, KEY, calls, pace=quick(), clock=later) as api:
        feed = PortalBars(api)
        for day in (DAY, "2024-01-05", "2024-01-04"):
            feed.fetch(day)
        with pytest.raises(SourceExhausted):
            feed.fetch("2024-01-03")
        with pytest.raises(SourceBlocked, match="2024-02-16 00:00"):
            feed.fetch("2024-01-03")
        assert len(fake.seen) == 4


@pytest.mark.parametrize(
    ("now", "state"), [("2024-01-09 13:30", AnswerState.NOT_YET), ("2024-01-10 00:01", AnswerState.EMPTY)]
)
def test_a_day_without_rows(
    fake: FakeDataGoKr, calls: MemoryCalls, quick: Callable[..., Pace], now: str, state: AnswerState
) -> None:
    fake.published_until = date(2024, 1, 5)
    clock = datetime.fromisoformat(now).replace(tzinfo=KST)
    with DataGoKr(fake.url, KEY, calls, pace=quick(), clock=lambda: clock) as api:
        assert PortalBars(api).fetch(DAY).state is state


def test_a_day_without_a_market_is_not_yet(api: DataGoKr, fake: FakeDataGoKr, market: pl.DataFrame) -> None:
    day = date(2024, 1, 8)
    fake.replace_day(day, market.filter((pl.col("date") == day) & (pl.col("market") != "KONEX")))
    answer = PortalBars(api).fetch(DAY)
    assert (answer.state, dict(answer.frames)) == (AnswerState.NOT_YET, {})


@pytest.mark.parametrize(
    "fault", [Fault.HTML, Fault.TRUNCATED, Fault.EMPTY_BODY, Fault.HALF_ROWS, Fault.BROKEN_NUMBERS]
)
def test_a_bad_answer_is_an_error(api: DataGoKr, fake: FakeDataGoKr, fault: Fault) -> None:
    fake.fail(fault)
    with pytest.raises(SourceChanged):
        PortalBars(api).fetch(DAY)
    assert PortalBars(api).fetch(DAY).frames["prices_raw"].height == 26


def test_half_a_market_with_a_total_to_match_is_an_error(
    api: DataGoKr, fake: FakeDataGoKr, market: pl.DataFrame
) -> None:
    day = market.filter(pl.col("date") == date(2024, 1, 8))
    fake.replace_day(date(2024, 1, 8), day.filter((pl.col("market") != "KOSPI") | (pl.int_range(pl.len()) % 2 == 0)))
    with pytest.raises(SourceChanged, match="KOSPI has 5 rows"):
        PortalBars(api).fetch(DAY)


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CUT, Fault.ERROR_500, Fault.TOO_MANY])
def test_a_passing_fault_is_tried_again(api: DataGoKr, fake: FakeDataGoKr, fault: Fault) -> None:
    fake.fail(fault, times=2)
    assert PortalBars(api).fetch(DAY).frames["prices_raw"].height == 26
    fake.fail(fault, times=9)
    with pytest.raises(SourceTemporary):
        PortalBars(api).fetch("2024-01-04")


def test_commas_are_read(api: DataGoKr, fake: FakeDataGoKr) -> None:
    plain = PortalBars(api).fetch(DAY).frames["prices_raw"]
    fake.fail(Fault.COMMAS)
    assert_frame_equal(PortalBars(api).fetch(DAY).frames["prices_raw"], plain)


def test_what_is_wanted(api: DataGoKr) -> None:
    # 2026-08-14 was a Friday and 17 August a holiday: its data came after 13:00 on the 18th
    days = np.array(["2019-12-30", "2026-08-12", "2026-08-13", "2026-08-14", "2026-08-18"], dtype="datetime64[D]")
    feed = PortalBars(api, reask=1)
    for now, keys in (
        (datetime(2026, 8, 18, 12, 59, tzinfo=KST), ["2026-08-13", "2026-08-12"]),
        (datetime(2026, 8, 18, 13, 0, tzinfo=KST), ["2026-08-14", "2026-08-13", "2026-08-12"]),
    ):
        assert feed.wanted({}, Window(sessions=days, now=now)) == keys
        assert feed.wanted(dict.fromkeys(keys, ""), Window(sessions=days, now=now)) == keys[:1]
