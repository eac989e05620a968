"""Which feeds are on, and why the others are not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from fakes.krx_openapi import KEY, FakeKrxOpenApi
from pydantic import SecretStr

from stocklab.data.sources.calls import MemoryCalls
from stocklab.data.sources.catalogue import SOURCES, OffReason, open_feeds
from stocklab.data.sources.known import KNOWN_SOURCES, PRICE_ORDER
from stocklab.data.sources.krx_feeds import StockBars
from stocklab.errors import Cancelled
from stocklab.settings import Settings


def test_without_keys_only_what_needs_none_is_on(tmp_path: Path, calls: MemoryCalls) -> None:
    with open_feeds(Settings(home=tmp_path), calls) as feeds:
        assert feeds.on == (), "coins are asked for by those who want them"
        assert {off.reason for off in feeds.off if off.source == "upbit"} == {OffReason.SWITCHED_OFF}
    with open_feeds(Settings(home=tmp_path, sync_coins=True), calls) as feeds:
        assert [feed.name for feed in feeds.on] == ["upbit.markets", "upbit.candles"]
        assert {(off.name, off.source, off.reason, off.settings) for off in feeds.off} >= {
            ("krx_openapi.stocks", "krx_openapi", OffReason.NO_KEY, ("krx_openapi_key",)),
            ("datagokr.stocks", "datagokr", OffReason.NO_KEY, ("datagokr_key",)),
        }
    assert calls.taken("upbit") == 0


def test_every_row_opens_the_feeds_it_names(tmp_path: Path, calls: MemoryCalls) -> None:
    keys = {name: "key" for spec in SOURCES for name in spec.keys}
    with open_feeds(Settings(home=tmp_path, history_from=date(2021, 1, 4), sync_coins=True), calls, keys=keys) as feeds:
        assert feeds.off == ()
        assert [feed.name for feed in feeds.on] == [name for spec in SOURCES for name in spec.feeds]
        names = {spec.source: set(spec.feeds) for spec in SOURCES}
        assert all(feed.name in names[feed.source] and feed.datasets for feed in feeds.on)
        assert {feed.start for feed in feeds.on if isinstance(feed, StockBars)} == {date(2021, 1, 4)}


@pytest.mark.parametrize(
    ("key", "reason"),
    [("", OffReason.NO_KEY), ("  ", OffReason.NO_KEY), ("인증키", OffReason.BAD_KEY), ("a b", OffReason.BAD_KEY)],
)
def test_a_stored_key_wins_over_the_setting(tmp_path: Path, calls: MemoryCalls, key: str, reason: OffReason) -> None:
    settings = Settings(home=tmp_path, krx_openapi_key=SecretStr("setting"))
    with open_feeds(settings, calls) as feeds:
        assert any(feed.source == "krx_openapi" for feed in feeds.on)
    with open_feeds(settings, calls, keys={"krx_openapi_key": key}) as feeds:
        assert {off.reason for off in feeds.off if off.source == "krx_openapi"} == {reason}


def test_addresses_keys_and_the_stop_reach_the_source(
    tmp_path: Path, calls: MemoryCalls, market: pl.DataFrame, later: Callable[[], datetime]
) -> None:
    stop = threading.Event()
    with FakeKrxOpenApi(market) as fake:
        settings = Settings(home=tmp_path, krx_openapi_url=fake.url)
        with open_feeds(settings, calls, keys={"krx_openapi_key": f" {KEY}\n"}, stop=stop, clock=later) as feeds:
            stocks = next(feed for feed in feeds.on if feed.name == "krx_openapi.stocks")
            assert stocks.fetch("2024-01-08").frames["prices_raw"].height == 22, "KOSPI and KOSDAQ"
            asked = len(fake.seen)
            stop.set()
            with pytest.raises(Cancelled):
                stocks.fetch("2024-01-04")
            assert KEY not in repr(feeds)
        assert len(fake.seen) == asked
        assert min(fake.gaps()) > 0.2  # the product's own pace


def test_what_pages_know_of_sources_is_what_the_catalogue_opens() -> None:
    known = {one.name: one for one in KNOWN_SOURCES}
    for spec in SOURCES:
        one = known[spec.source]
        assert (one.keys, set(one.feeds), one.switch) == (spec.keys, set(spec.feeds), spec.switch)
    feeds = [name for spec in SOURCES for name in spec.feeds]
    assert [name for name in feeds if name in PRICE_ORDER] == list(PRICE_ORDER)
