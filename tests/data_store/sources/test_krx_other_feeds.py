"""Indices, funds and the issue master of the KRX Open API."""

from __future__ import annotations

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
from stocklab.data.sources.krx_feeds import EtfBars, IndexLevels, IssueMaster, StockBars, krx_feeds
from stocklab.data.sources.krx_openapi import KrxOpenApi
from stocklab.errors import SourceChanged

DAY = "2024-01-08"


@pytest.fixture
def indices(sessions: tuple[date, ...]) -> pl.DataFrame:
    levels = {"KOSPI": 2578.08, "KOSPI200": 345.67, "KOSDAQ": 878.33, "KOSDAQ150": 1301.5}
    rows = [
        {
            "date": day, "index": name, "open": level - 1, "high": level + 2.5, "low": level - 3, "close": level + place,
            "change": 1.0, "change_pct": 0.1, "volume": 520_480_370, "amount": 8_379_290_435_057, "market_cap": 10**15,
        }
        for place, day in enumerate(sessions)
        for name, level in levels.items()
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.fixture
def etfs(market: pl.DataFrame) -> pl.DataFrame:
    """Twelve funds; one without a trade has a close of its own."""
    funds = market.filter(pl.col("market") == "KOSDAQ").with_columns(
        code=pl.lit("1") + pl.col("code").str.slice(1), name=pl.lit("KODEX ") + pl.col("code")
    )
    return funds.drop("dept")


@pytest.fixture
def master(market: pl.DataFrame, sessions: tuple[date, ...]) -> pl.DataFrame:
    last = market.filter(pl.col("date") == sessions[-1])
    rows = last.select(
        "code",
        "name",
        "market",
        "dept",
        "listed_shares",
        full_name=pl.col("name") + "보통주",
        listing_date=pl.lit(date(2001, 2, 3)),
        group=pl.lit("주권"),
        share_kind=pl.when(pl.col("code").str.ends_with("0")).then(pl.lit("보통주")).otherwise(pl.lit("구형우선주")),
        isin=pl.lit("KR7") + pl.col("code") + "003",
    )
    old = rows.with_columns(name=pl.lit("옛") + pl.col("name"), date=pl.lit(date(2023, 9, 27)))
    return pl.concat([old, *(rows.with_columns(date=pl.lit(day)) for day in (sessions[0], sessions[-1]))])


@pytest.fixture
def fake(
    market: pl.DataFrame, indices: pl.DataFrame, etfs: pl.DataFrame, master: pl.DataFrame
) -> Iterator[FakeKrxOpenApi]:
    with FakeKrxOpenApi(market, indices=indices, etfs=etfs, master=master) as service:
        yield service


@pytest.fixture
def api(
    fake: FakeKrxOpenApi, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> Iterator[KrxOpenApi]:
    with KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=later) as one:
        yield one


def test_the_four_indices_by_their_names(api: KrxOpenApi) -> None:
    rows = IndexLevels(api).fetch(DAY).frames["indices"]
    assert rows.select("index", "close").rows() == [
        ("KOSDAQ", 882.33),
        ("KOSDAQ150", 1305.5),
        ("KOSPI", 2582.08),
        ("KOSPI200", 349.67),
    ]
    assert set(rows["session"]) == {date(2024, 1, 8)}


@pytest.mark.parametrize(
    ("feed", "fault"),
    [
        (feed, fault)
        for feed in (IndexLevels, EtfBars, IssueMaster)
        for fault in (Fault.HALF_ROWS, Fault.HTML, Fault.TRUNCATED, Fault.EMPTY_BODY, Fault.BROKEN_NUMBERS)
        if (feed, fault) != (IssueMaster, Fault.BROKEN_NUMBERS)  # it reads no number
    ],
)
def test_a_bad_answer_is_an_error(
    api: KrxOpenApi, fake: FakeKrxOpenApi, fault: Fault, feed: type[IndexLevels | EtfBars | IssueMaster]
) -> None:
    fake.fail(fault, when=lambda seen: seen.params["basDd"] == "20240108")
    with pytest.raises(SourceChanged):
        feed(api).fetch(DAY)
    assert feed(api).fetch(DAY).state is AnswerState.FINAL


def test_indices_of_one_market_only_are_not_yet(api: KrxOpenApi, fake: FakeKrxOpenApi) -> None:
    fake.withhold("idx/kosdaq_dd_trd", date(2024, 1, 8))
    assert IndexLevels(api).fetch(DAY).state is AnswerState.NOT_YET


def test_kosdaq150_is_not_expected_before_it_was_published(
    fake: FakeKrxOpenApi, indices: pl.DataFrame, calls: MemoryCalls, quick: Callable[..., Pace],
    later: Callable[[], datetime],
) -> None:  # fmt: skip
    without = indices.filter(pl.col("index") != "KOSDAQ150")
    old = without.filter(pl.col("date") == date(2024, 1, 8)).with_columns(date=pl.lit(date(2015, 7, 10)))
    with (
        FakeKrxOpenApi(indices=pl.concat([old, without])) as service,
        KrxOpenApi(service.url, KEY, calls, pace=quick(), clock=later) as api,
    ):
        assert IndexLevels(api).fetch("2015-07-10").frames["indices"].height == 3
        with pytest.raises(SourceChanged, match="KOSDAQ150"):
            IndexLevels(api).fetch(DAY)


def test_funds_come_with_their_kind(api: KrxOpenApi, etfs: pl.DataFrame) -> None:
    answer = EtfBars(api).fetch(DAY)
    bars, funds = answer.frames["prices_raw"], answer.frames["instruments"]
    assert sorted(bars["symbol"]) == sorted(etfs["code"].unique()) == sorted(funds["symbol"])
    assert set(bars["market"]) == set(funds["market"]) == {"KOSPI"}
    assert set(funds["kind"]) == {"etf"}
    assert bars.filter(pl.col("symbol") == "199520").select("open", "close", "volume").row(0) == (None, 1_703, 0)


def test_the_master_once_a_week_and_past_quarters_first(api: KrxOpenApi, fake: FakeKrxOpenApi) -> None:
    feed = IssueMaster(api, start=date(2023, 6, 1))
    days = ("2023-05-31", "2023-06-30", "2023-07-03", "2023-09-27", "2023-12-28", "2024-01-02", DAY)
    window = Window(sessions=np.array(days, dtype="datetime64[D]"), now=datetime(2024, 1, 9, 9, tzinfo=KST))
    wanted = feed.wanted({}, window)
    assert wanted == ["2023-06-30", "2023-09-27", "2023-12-28", DAY]
    answers = {key: feed.fetch(key) for key in wanted}
    assert answers["2023-06-30"].state is AnswerState.EMPTY
    old, new = (answers[key].frames["instruments"] for key in ("2023-09-27", DAY))
    assert (old.height, new.height) == (26, 26)
    assert old.filter(pl.col("symbol") == "000025").row(0)[:4] == ("000025", "옛이름000025", "KOSPI", "preferred")
    assert new.filter(pl.col("symbol") == "0088D0").row(0)[:4] == ("0088D0", "이름0088D0", "KOSDAQ", "spac")
    assert set(new["listed_on"]) == {date(2001, 2, 3)}
    known = dict.fromkeys(wanted, "checksum")
    assert feed.wanted(known, window) == []
    assert feed.wanted({**dict.fromkeys(wanted[:3], ""), "2024-01-02": ""}, window) == []
    assert feed.wanted({**dict.fromkeys(wanted[:3], ""), "2024-01-01": ""}, window) == [DAY]
    feed.history = False
    assert feed.wanted({}, window) == [DAY]


def test_a_master_of_two_markets_is_not_yet(api: KrxOpenApi, fake: FakeKrxOpenApi) -> None:
    fake.withhold("sto/knx_isu_base_info", date(2024, 1, 8))
    assert IssueMaster(api).fetch(DAY).state is AnswerState.NOT_YET


def test_all_feeds_share_the_service(api: KrxOpenApi) -> None:
    feeds = krx_feeds(api, start=date(2024, 1, 3))
    assert [feed.name for feed in feeds] == [
        "krx_openapi.stocks",
        "krx_openapi.indices",
        "krx_openapi.etfs",
        "krx_openapi.instruments",
    ]
    assert {feed.source for feed in feeds} == {"krx_openapi"}
    assert isinstance(feeds[0], StockBars)
    assert feeds[0].start == date(2024, 1, 3)


@pytest.mark.realdata
def test_real_indices_come_out_as_the_file_does(
    real_data: Path, store: Store, calls: MemoryCalls, quick: Callable[..., Pace], later: Callable[[], datetime]
) -> None:
    file = real_data / "krx_index_daily.parquet"
    served = pl.read_parquet(file).filter(pl.col("date").is_between(date(2014, 1, 2), date(2014, 3, 31)))
    import_paths(store, [file])
    snapshot = store.current()
    assert snapshot is not None
    kept = snapshot.scan("indices").filter(pl.col("session").dt.year() == 2014).collect()
    with (
        FakeKrxOpenApi(indices=served) as fake,
        KrxOpenApi(fake.url, KEY, calls, pace=quick(), clock=later) as api,
    ):
        feed = IndexLevels(api)
        got = pl.concat([feed.fetch(str(day)).frames["indices"] for day in served["date"].unique()])
    assert got.height == 3 * served["date"].n_unique() > 150
    assert_frame_equal(got, kept.join(got, on=["session", "index"], how="semi"), check_row_order=False)
