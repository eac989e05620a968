"""Daily candles of Upbit: every finished day of every market once, holes only where the exchange has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fakes.http_service import Fault
from fakes.upbit import FakeUpbit
from polars.testing import assert_frame_equal

from stocklab.data import Store, import_paths
from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.feed import AnswerState, Window
from stocklab.data.sources.http import Pace
from stocklab.data.sources.upbit import PACE, CoinCandles, CoinMarkets, Upbit, upbit_feeds
from stocklab.errors import SourceBlocked, SourceChanged, SourceError, SourceTemporary

TODAY = date(2024, 2, 15)  # 09:00 in Seoul of the fixture `later` is the first moment of this UTC day
RANGE = "2024-01-01..2024-02-13"


def candles(market: str, first: date, *, price: float, lacking: tuple[date, ...] = ()) -> pl.DataFrame:
    days = [first + timedelta(days=place) for place in range((TODAY - first).days + 1)]
    return pl.DataFrame(
        [
            {
                "date": day,
                "market": market,
                "open": round(price * (100 + place % 7) / 100, 8),
                "high": round(price * 1.2, 8),
                "low": round(price * 0.9, 8),
                "close": round(price * (100 + (place + 1) % 7) / 100, 8),
                "volume": 1234.5678 + place,
            }
            for place, day in enumerate(days)
            if day not in lacking
        ]
    )


@pytest.fixture
def coins() -> pl.DataFrame:
    """Bitcoin since 2023, a coin of 0.00009 won with a day without a trade, and one listed on 2024-02-01; all with the
    candle of the day that is not over."""
    return pl.concat(
        [
            candles("KRW-BTC", date(2023, 1, 1), price=58_000_000.0),
            candles("KRW-PEPE", date(2023, 1, 1), price=0.00009, lacking=(date(2024, 1, 20),)),
            candles("KRW-NEW", date(2024, 2, 1), price=713.0),
        ]
    )


@pytest.fixture
def fake(coins: pl.DataFrame) -> Iterator[FakeUpbit]:
    with FakeUpbit(coins) as service:
        yield service


@pytest.fixture
def api(
    fake: FakeUpbit, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> Iterator[Upbit]:
    with Upbit(fake.url, calls, pace=quick(), clock=later) as one:
        yield one


def whole(coins: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    rows = coins.filter(pl.col("date").is_between(first, last)).sort("market", "date")
    return rows.select(
        pl.col("date").alias("session"), pl.col("market").alias("symbol"), "open", "high", "low", "close", "volume"
    )


def test_a_range_holds_every_candle_and_no_other(api: Upbit, fake: FakeUpbit, coins: pl.DataFrame) -> None:
    answer = CoinCandles(api).fetch(RANGE)
    assert (answer.state, answer.note) == (AnswerState.FINAL, "")
    got = answer.frames["prices_coin"]
    expected = whole(coins, date(2024, 1, 1), date(2024, 2, 13))
    assert_frame_equal(got.select(expected.columns), expected)
    assert got.group_by("symbol").len().sort("symbol").rows() == [("KRW-BTC", 44), ("KRW-NEW", 13), ("KRW-PEPE", 43)]
    assert got["tv"].to_list() == (expected["close"] * expected["volume"]).to_list()
    assert set(got["source"]) == {"upbit"}
    # markets twice; BTC once; PEPE again for its hole; NEW again, and once before its first candle
    assert len(fake.seen) == 2 + 1 + 2 + 3


def test_the_day_that_is_not_over_is_never_asked_for(
    fake: FakeUpbit, calls: MemoryCalls, quick: Callable[..., Pace]
) -> None:
    for now, last in (
        (datetime(2024, 2, 15, 0, 9, tzinfo=UTC), "2024-02-13"),
        (datetime(2024, 2, 15, 0, 10, tzinfo=UTC), "2024-02-14"),
        (datetime(2024, 2, 15, 23, 59, tzinfo=UTC), "2024-02-14"),
    ):
        with Upbit(fake.url, calls, pace=quick(), clock=lambda now=now: now.astimezone(KST)) as api:
            feed = CoinCandles(api, start=date(2024, 2, 1))
            window = Window(sessions=np.array([], dtype="datetime64[D]"), now=now.astimezone(KST))
            assert feed.wanted({}, window) == [f"2024-02-01..{last}"]
            assert feed.fetch("2024-02-15..2024-02-15").state is AnswerState.NOT_YET
            got = feed.fetch(f"2024-02-01..{last}").frames["prices_coin"]
            assert str(got["session"].max()) == last


def test_days_that_no_key_covers_are_wanted_newest_first(api: Upbit) -> None:
    now = datetime(2024, 2, 15, 12, tzinfo=UTC).astimezone(KST)
    window = Window(sessions=np.array([], dtype="datetime64[D]"), now=now)
    feed = CoinCandles(api, start=date(2023, 1, 1))
    keys = feed.wanted({}, window)
    assert keys == ["2023-07-30..2024-02-14", "2023-01-11..2023-07-29", "2023-01-01..2023-01-10"]
    assert feed.wanted(dict.fromkeys(keys, ""), window) == []
    assert feed.wanted(dict.fromkeys([*keys[:1], keys[2]], ""), window) == keys[1:2]
    ten_later = Window(sessions=window.sessions, now=now + timedelta(days=10))
    assert feed.wanted(dict.fromkeys(keys, ""), ten_later) == ["2024-02-15..2024-02-24"]
    assert CoinCandles(api, start=date(2010, 1, 4)).wanted({}, window)[-1].startswith("2017-09-25..")


def test_ranges_put_together_are_the_whole_history(api: Upbit, coins: pl.DataFrame, fake: FakeUpbit) -> None:
    now = datetime(2024, 2, 15, 9, tzinfo=KST)
    feed = CoinCandles(api, start=date(2022, 6, 1))
    answers = [
        feed.fetch(key) for key in feed.wanted({}, Window(sessions=np.array([], dtype="datetime64[D]"), now=now))
    ]
    assert [answer.state for answer in answers] == [AnswerState.FINAL] * 3 + [AnswerState.EMPTY]
    got = pl.concat([one.frames["prices_coin"] for one in answers[:3]]).sort("symbol", "session")
    expected = whole(coins, date(2022, 6, 1), date(2024, 2, 13))
    assert_frame_equal(got.select(expected.columns), expected)
    assert sum(seen.params.get("market") == "KRW-NEW" for seen in fake.seen) == 3  # older ranges know where it began


@pytest.mark.parametrize("market", ["KRW-BTC", "KRW-NEW", "KRW-PEPE"])
def test_half_of_the_candles_is_an_error(api: Upbit, fake: FakeUpbit, market: str) -> None:
    fake.fail(Fault.HALF_ROWS, when=lambda seen: seen.params.get("market") == market)
    with pytest.raises((SourceTemporary, SourceChanged), match=market):
        CoinCandles(api).fetch(RANGE)


def test_a_page_that_is_always_too_short_is_an_error(api: Upbit, fake: FakeUpbit) -> None:
    fake.page = 20
    with pytest.raises(SourceChanged, match="44 candles were asked, 20 came, older ones exist"):
        CoinCandles(api).fetch(RANGE)


def test_half_of_the_markets_is_an_error(api: Upbit, fake: FakeUpbit) -> None:
    fake.fail(Fault.HALF_ROWS)
    with pytest.raises(SourceTemporary, match="2 markets in won, then 3"):
        CoinCandles(api).fetch(RANGE)


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.TRUNCATED, Fault.EMPTY_BODY, Fault.BROKEN_NUMBERS])
def test_a_bad_answer_is_an_error(api: Upbit, fake: FakeUpbit, fault: Fault) -> None:
    fake.fail(fault, when=lambda seen: seen.params.get("market") == "KRW-PEPE")
    with pytest.raises(SourceChanged):
        CoinCandles(api).fetch(RANGE)
    assert CoinCandles(api).fetch(RANGE).frames["prices_coin"].height == 100


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CUT, Fault.ERROR_500])
def test_a_passing_fault_is_tried_again(api: Upbit, fake: FakeUpbit, fault: Fault) -> None:
    fake.fail(fault, times=2, when=lambda seen: seen.path.endswith("days"))
    assert CoinCandles(api).fetch(RANGE).frames["prices_coin"].height == 100


def test_a_market_that_left_between_list_and_question_fails_the_key(api: Upbit, fake: FakeUpbit) -> None:
    feed = CoinCandles(api)
    feed.fetch(RANGE)
    del fake.names["KRW-PEPE"]
    with pytest.raises(SourceChanged, match="status 404"):
        feed.fetch("2023-12-01..2023-12-31")
    feed.wanted({}, Window(sessions=np.array([], dtype="datetime64[D]"), now=datetime(2024, 2, 15, 9, tzinfo=KST)))
    assert set(feed.fetch("2023-12-01..2023-12-31").frames["prices_coin"]["symbol"]) == {"KRW-BTC"}


def test_the_pace_of_the_product_stays_below_the_limit(
    coins: pl.DataFrame, calls: MemoryCalls, later: Callable[[], datetime]
) -> None:
    assert PACE.least_gap_seconds > 1 / 10
    with FakeUpbit(coins, per_second=10) as fake, Upbit(fake.url, calls, clock=later) as api:
        for _ in range(14):
            api.day_candles("KRW-BTC", before=date(2024, 2, 14), count=5)
    assert fake.refused == fake.banned == 0
    assert sum(fake.gaps()) > 13 * 0.1


def test_a_second_without_requests_left_is_waited_out(
    coins: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    with FakeUpbit(coins, per_second=2) as fake, Upbit(fake.url, calls, pace=quick(), clock=later) as api:
        for _ in range(2):
            api.day_candles("KRW-BTC", before=date(2024, 2, 14), count=5)
    assert fake.refused == 0
    assert fake.gaps()[0] > 0.9


def test_429_is_waited_out_and_418_opens_the_breaker(
    coins: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    pace = quick(first_wait_seconds=2.2, longest_wait_seconds=3.0)
    with FakeUpbit(coins) as fake, Upbit(fake.url, calls, pace=pace, clock=later) as api:
        fake.fail(Fault.TOO_MANY)
        api.day_candles("KRW-BTC", before=date(2024, 2, 14), count=5)
        assert fake.gaps()[0] > 1.0
    with FakeUpbit(coins, per_second=0) as fake, Upbit(fake.url, calls, pace=quick(attempts=9), clock=later) as api:
        with pytest.raises(SourceBlocked) as error:
            api.day_candles("KRW-BTC", before=date(2024, 2, 14), count=5)
        assert error.value.until == later() + timedelta(seconds=90)
        with pytest.raises(SourceBlocked):
            api.markets()
        assert (fake.refused, fake.banned, len(fake.seen)) == (3, 1, 4)


def test_names_of_the_coins(api: Upbit) -> None:
    markets, candle_feed = upbit_feeds(api, start=date(2023, 1, 1))
    assert isinstance(markets, CoinMarkets)
    assert candle_feed.start == date(2023, 1, 1)
    window = Window(sessions=np.array([], dtype="datetime64[D]"), now=datetime(2024, 2, 15, 8, tzinfo=KST))
    assert markets.wanted({}, window) == ["2024-02-14"]
    assert markets.wanted({"2024-02-14": ""}, window) == []
    rows = markets.fetch("2024-02-14").frames["instruments"]
    assert rows.select("symbol", "name", "market", "kind").rows() == [
        ("KRW-BTC", "BTC코인", "UPBIT", "coin"),
        ("KRW-NEW", "NEW코인", "UPBIT", "coin"),
        ("KRW-PEPE", "PEPE코인", "UPBIT", "coin"),
    ]


def test_a_lasting_fault_is_an_error(api: Upbit, fake: FakeUpbit) -> None:
    fake.fail(Fault.ERROR_500, times=99, when=lambda seen: seen.params.get("market") == "KRW-PEPE")
    with pytest.raises(SourceError):
        CoinCandles(api).fetch(RANGE)


@pytest.mark.realdata
def test_real_candles_come_out_as_the_file_does(
    real_data: Path, store: Store, calls: MemoryCalls, quick: Callable[..., Pace]
) -> None:
    file = real_data / "upbit_krw_daily_2022_2025.parquet"
    import_paths(store, [file])
    snapshot = store.current()
    assert snapshot is not None
    clock = datetime(2025, 9, 30, 12, tzinfo=KST)
    with FakeUpbit(pl.read_parquet(file)) as fake, Upbit(fake.url, calls, pace=quick(), clock=lambda: clock) as api:
        feed = CoinCandles(api, start=date(2022, 1, 1))
        keys = feed.wanted({}, Window(sessions=np.array([], dtype="datetime64[D]"), now=clock))
        got = pl.concat([feed.fetch(key).frames["prices_coin"] for key in keys])
    kept = snapshot.scan("prices_coin").collect()
    assert got.height == 8_208
    assert_frame_equal(got.drop("tv", "source"), kept.drop("tv", "source"), check_row_order=False)
