"""Whole sessions from the KRX Open API: exactly what was served, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fakes.http_service import Fault
from fakes.krx_openapi import KEY, FakeKrxOpenApi
from polars.testing import assert_frame_equal

from stocklab.data import Store, import_paths
from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.feed import AnswerState, Window
from stocklab.data.sources.http import Pace
from stocklab.data.sources.krx_feeds import StockBars
from stocklab.data.sources.krx_openapi import KrxOpenApi
from stocklab.errors import (
    SourceBlocked,
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceExhausted,
    SourceTemporary,
)

DAY = "2024-01-08"
BEFORE = "2024-01-05"


@pytest.fixture
def fake(market: pl.DataFrame) -> Iterator[FakeKrxOpenApi]:
    with FakeKrxOpenApi(market) as service:
        yield service


@pytest.fixture
def api(
    fake: FakeKrxOpenApi, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> Iterator[KrxOpenApi]:
    with KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=later) as one:
        yield one


@pytest.fixture
def feed(api: KrxOpenApi) -> StockBars:
    return StockBars(api)


@pytest.fixture
def stored(store: Store, put: Callable[[str, pl.DataFrame], Path]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """What the importer of marcap files makes of rows."""

    def make(rows: pl.DataFrame) -> pl.DataFrame:
        import_paths(store, [put("marcap_test.parquet", rows)])
        snapshot = store.current()
        assert snapshot is not None
        return snapshot.scan("prices_raw").collect()

    return make


def window(*days: str, now: datetime) -> Window:
    return Window(sessions=np.array(days, dtype="datetime64[D]"), now=now)


def test_a_session_is_what_the_importer_would_store(
    feed: StockBars, market: pl.DataFrame, stored: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    answers = [feed.fetch(str(day)) for day in market["date"].unique().sort(descending=True)]
    assert {answer.state for answer in answers} == {AnswerState.FINAL}
    assert {answer.note for answer in answers} == {""}
    got = pl.concat([answer.frames["prices_raw"] for answer in answers]).sort("symbol", "session")
    assert set(got["source"]) == {"krx_openapi"}
    assert_frame_equal(got.drop("source"), stored(market).sort("symbol", "session").drop("source"))
    halted = got.filter(pl.col("symbol") == "099520")
    assert halted["open"].null_count() == halted["high"].null_count() == halted["low"].null_count() == 5
    assert halted["volume"].sum() == halted["tv"].sum() == 0
    assert got.filter(pl.col("symbol") == "035900")["market"].unique().to_list() == ["KOSDAQ"]


@pytest.mark.parametrize("service", ["sto/stk_bydd_trd", "sto/ksq_bydd_trd", "sto/knx_bydd_trd"])
def test_a_market_that_is_missing_makes_the_session_not_yet(
    feed: StockBars, fake: FakeKrxOpenApi, service: str
) -> None:
    fake.withhold(service, date(2024, 1, 8))
    answer = feed.fetch(DAY)
    assert (answer.state, dict(answer.frames)) == (AnswerState.NOT_YET, {})
    fake.release()
    assert feed.fetch(DAY).frames["prices_raw"].height == 26


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2024-01-09 07:00", AnswerState.NOT_YET),
        ("2024-01-09 23:59", AnswerState.NOT_YET),
        ("2024-01-10 00:01", AnswerState.EMPTY),
    ],
)
def test_an_empty_answer_is_final_after_two_trading_days(
    fake: FakeKrxOpenApi, calls: MemoryCalls, quick: Callable[..., Pace], now: str, state: AnswerState
) -> None:
    fake.publish(date(2024, 1, 5))
    clock = datetime.fromisoformat(now).replace(tzinfo=KST)
    with KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=lambda: clock) as api:
        assert StockBars(api).fetch(DAY).state is state


def test_before_a_long_holiday_two_days_are_not_enough(
    fake: FakeKrxOpenApi, calls: MemoryCalls, quick: Callable[..., Pace]
) -> None:
    # 2025-10-02 (Thursday) was the last session before Chuseok; the next were 10-10 and 10-13
    for now, state in (("2025-10-09 12:00", AnswerState.NOT_YET), ("2025-10-13 00:01", AnswerState.EMPTY)):
        clock = datetime.fromisoformat(now).replace(tzinfo=KST)
        with KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=lambda now=clock: now) as api:
            assert StockBars(api).fetch("2025-10-02").state is state


@pytest.mark.parametrize(
    "fault", [Fault.RESET, Fault.CUT, Fault.ERROR_500, Fault.TOO_MANY, Fault.SLOW], ids=lambda fault: fault.value
)
def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_an_error(
    fake: FakeKrxOpenApi,
    calls: MemoryCalls,
    quick: Callable[..., Pace],
    later: Callable[[], datetime],
    fault: Fault,
) -> None:
    with KrxOpenApi(fake.url, KEY, calls, pace=quick(timeout_seconds=0.3), clock=later) as api:
        feed = StockBars(api)
        fake.fail(fault, times=2, seconds=2.0 if fault is Fault.SLOW else 0.0)
        assert feed.fetch(DAY).frames["prices_raw"].height == 26
        asked = len(fake.seen)
        fake.fail(fault, times=100, seconds=2.0 if fault is Fault.SLOW else 0.0)
        with pytest.raises(SourceTemporary, match="after 3 tries"):
            feed.fetch("2024-01-04")
        assert len(fake.seen) - asked <= 3


@pytest.mark.parametrize(
    "fault", [Fault.HTML, Fault.TRUNCATED, Fault.EMPTY_BODY, Fault.BROKEN_NUMBERS], ids=lambda fault: fault.value
)
@pytest.mark.parametrize("service", ["sto/stk_bydd_trd", "sto/ksq_bydd_trd", "sto/knx_bydd_trd"])
def test_what_is_not_the_protocol_is_an_error_not_a_value(
    feed: StockBars, fake: FakeKrxOpenApi, fault: Fault, service: str
) -> None:
    fake.fail(fault, when=lambda seen: seen.path.endswith(service))
    with pytest.raises(SourceChanged):
        feed.fetch(DAY)
    assert feed.fetch(DAY).frames["prices_raw"].height == 26


def test_thousands_commas_in_their_places_are_read(feed: StockBars, fake: FakeKrxOpenApi) -> None:
    plain = feed.fetch(DAY).frames["prices_raw"]
    fake.fail(Fault.COMMAS, times=3)
    assert_frame_equal(feed.fetch(DAY).frames["prices_raw"], plain)


@pytest.mark.parametrize("service", ["sto/stk_bydd_trd", "sto/ksq_bydd_trd", "sto/knx_bydd_trd"])
@pytest.mark.parametrize("first", [True, False], ids=["first key", "later key"])
def test_half_of_a_market_is_an_error(feed: StockBars, fake: FakeKrxOpenApi, service: str, first: bool) -> None:
    if not first:
        feed.fetch(DAY)
        feed.fetch(BEFORE)
    asked = DAY if first else "2024-01-04"
    fake.fail(Fault.HALF_ROWS, when=lambda seen: seen.path.endswith(service))
    with pytest.raises(SourceChanged, match="not a whole market"):
        feed.fetch(asked)
    assert feed.fetch(asked).frames["prices_raw"].height == 26


def test_a_day_of_many_listings_is_not_taken_for_a_part(
    feed: StockBars, fake: FakeKrxOpenApi, market: pl.DataFrame
) -> None:
    # three shares of KONEX on the sessions before, four on the last: 75 %
    fewer = market.filter(pl.col("code") != "240010")
    for day in (date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5)):
        fake.replace_day(day, fewer.filter(pl.col("date") == day))
    assert [feed.fetch(day).frames["prices_raw"].height for day in (DAY, BEFORE, "2024-01-04")] == [26, 25, 25]
    # two of three are never believed, also where the session before agrees
    half = market.filter(~pl.col("code").is_in(["240010", "240020"]))
    for day in (date(2024, 1, 3), date(2024, 1, 4)):
        fake.replace_day(day, half.filter(pl.col("date") == day))
    feed = StockBars(feed.api)
    feed.fetch(DAY)
    fake.replace_day(date(2024, 1, 5), half.filter(pl.col("date") == date(2024, 1, 5)))
    feed.wanted({}, window(now=datetime(2024, 1, 9, tzinfo=KST)))  # forgets what was asked ahead
    with pytest.raises(SourceChanged, match="KONEX has 2 rows on 2024-01-05 and 4 on 2024-01-08"):
        feed.fetch(BEFORE)


def test_the_yardstick_of_the_first_key_costs_nothing_in_the_end(feed: StockBars, fake: FakeKrxOpenApi) -> None:
    for day in (DAY, BEFORE, "2024-01-04", "2024-01-03", "2024-01-02"):
        feed.fetch(day)
    assert len(fake.seen) == 5 * 3


def test_rows_that_no_bar_can_be_are_left_out_and_told(
    feed: StockBars, fake: FakeKrxOpenApi, market: pl.DataFrame
) -> None:
    day = market.filter(pl.col("date") == date(2024, 1, 8))
    fake.correct(day.head(1).with_columns(high=pl.col("low") - 1))
    answer = feed.fetch(DAY)
    assert answer.note == "left out, no possible bar: 000010 (high)"
    assert answer.frames["prices_raw"].height == 25
    fake.correct(day.head(4).with_columns(close=0, change=-5))
    with pytest.raises(SourceChanged, match="cannot be"):
        feed.fetch(DAY)


def test_a_code_twice_or_another_day_is_an_error(feed: StockBars, fake: FakeKrxOpenApi, market: pl.DataFrame) -> None:
    day = market.filter(pl.col("date") == date(2024, 1, 8))
    fake.replace_day(date(2024, 1, 8), pl.concat([day, day.tail(1)]))
    with pytest.raises(SourceChanged, match="twice"):
        feed.fetch(DAY)


def test_corrected_rows_come_with_the_next_question(
    feed: StockBars, fake: FakeKrxOpenApi, market: pl.DataFrame
) -> None:
    before = feed.fetch(DAY).frames["prices_raw"]
    row = market.filter((pl.col("date") == date(2024, 1, 8)) & (pl.col("code") == "000020"))
    fake.correct(row.with_columns(volume=pl.col("volume") + 77))
    after = feed.fetch(DAY).frames["prices_raw"]
    changed = after.join(before, on=["symbol", "volume"], how="anti")
    assert changed["symbol"].to_list() == ["000020"]
    assert changed["volume"].to_list() == [row["volume"][0] + 77]


def test_a_service_without_approval_is_asked_once_and_named(
    market: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    with FakeKrxOpenApi(market, approvals={KEY: {"sto/stk_bydd_trd", "sto/knx_bydd_trd"}}) as fake:
        with KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=later) as api:
            feed = StockBars(api)
            for key in (DAY, BEFORE):
                with pytest.raises(SourceDenied, match=r"코스닥 일별매매정보.*sto/ksq_bydd_trd"):
                    feed.fetch(key)
        assert fake.requests_of("sto/ksq_bydd_trd") == 1
        with (
            KrxOpenApi(fake.url, "WRONG", calls, pace=quick(), clock=later) as api,
            pytest.raises(SourceDenied, match="유가증권"),
        ):
            StockBars(api).fetch(DAY)
        assert fake.requests_of("sto/ksq_bydd_trd") == 1
        assert sum(seen.headers["auth_key"] == "WRONG" for seen in fake.seen) == 1


def test_our_budget_is_never_exceeded(
    fake: FakeKrxOpenApi, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    fake.fail(Fault.ERROR_500, times=3, when=lambda seen: seen.params["basDd"] == "20240104")
    with KrxOpenApi(fake.url, KEY, calls, pace=quick(budget=10, attempts=5), clock=later) as api:
        feed = StockBars(api)
        states = []
        for day in (DAY, BEFORE, "2024-01-04", "2024-01-03"):
            try:
                states.append(feed.fetch(day).state)
            except SourceError as error:
                states.append(type(error))
    assert states == [AnswerState.FINAL, AnswerState.FINAL, SourceExhausted, SourceExhausted]
    assert len(fake.seen) == calls.taken("krx_openapi") == 10


def test_the_quota_of_the_service_ends_the_day(
    market: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    with FakeKrxOpenApi(market, quota=7) as fake, KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=later) as api:
        feed = StockBars(api)
        feed.fetch(DAY)
        feed.fetch(BEFORE)
        with pytest.raises(SourceExhausted, match="limit exceeded"):
            feed.fetch("2024-01-04")
        with pytest.raises(SourceBlocked, match="2024-02-16 00:00"):
            feed.fetch("2024-01-04")
        assert len(fake.seen) == 8


def test_the_pace_is_kept_even_through_retries(
    fake: FakeKrxOpenApi, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    fake.fail(Fault.RESET, times=2)
    pace = quick(least_gap_seconds=0.04, most_gap_seconds=0.06, first_wait_seconds=0.001)
    with KrxOpenApi(fake.url, KEY, calls, pace=pace, clock=later) as api:
        StockBars(api).fetch(DAY)
    assert len(fake.seen) == 8
    assert min(fake.gaps()) >= 0.015  # the first of two may arrive late
    assert sum(fake.gaps()) >= 7 * 0.04 - 0.02


def test_what_is_wanted(feed: StockBars) -> None:
    now = datetime(2024, 1, 9, 7, 59, tzinfo=KST)
    days = ("2009-12-30", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08")
    assert feed.wanted({}, window(*days, now=now)) == ["2024-01-05", "2024-01-04", "2024-01-03", "2024-01-02"]
    now = now.replace(hour=8, minute=0)
    known = dict.fromkeys(["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"], "checksum")
    assert feed.wanted(known, window(*days, now=now)) == ["2024-01-08", "2024-01-05", "2024-01-04", "2024-01-02"]
    feed.reask = 0
    feed.start = date(2024, 1, 3)
    assert feed.wanted(known, window(*days, now=now)) == []


def test_konex_is_not_asked_before_it_opened(feed: StockBars, fake: FakeKrxOpenApi, market: pl.DataFrame) -> None:
    day = market.filter((pl.col("date") == date(2024, 1, 8)) & (pl.col("market") != "KONEX"))
    for session in (date(2013, 6, 27), date(2013, 6, 28)):
        fake.replace_day(session, day.with_columns(date=pl.lit(session)))
    assert feed.fetch("2013-06-28").frames["prices_raw"].height == 22
    assert fake.requests_of("sto/knx_bydd_trd") == 0


@pytest.mark.realdata
def test_the_real_market_of_2024_comes_out_as_the_file_does(
    real_data: Path, store: Store, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    file = real_data / "marcap_2024.parquet"
    served = pl.read_parquet(file)
    import_paths(store, [file])
    snapshot = store.current()
    assert snapshot is not None
    with FakeKrxOpenApi(served) as fake, KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=later) as api:
        started = time.perf_counter()
        for service in ("stk", "ksq", "knx"):
            api.rows(f"sto/{service}_bydd_trd", date(2024, 1, 5))
        assert time.perf_counter() - started < 0.5
        feed = StockBars(api)
        answers = [feed.fetch(str(day)) for day in served["date"].unique().sort(descending=True)]
    assert {(answer.state, answer.note) for answer in answers} == {(AnswerState.FINAL, "")}
    got = pl.concat([answer.frames["prices_raw"] for answer in answers]).drop("source").sort("symbol", "session")
    assert got.height == 80_828
    assert_frame_equal(got, snapshot.scan("prices_raw").collect().drop("source").sort("symbol", "session"))
