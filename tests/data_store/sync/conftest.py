"""A market behind a fake KRX Open API, and a sync of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.krx_openapi import KEY, FakeKrxOpenApi

from stocklab.data import Store
from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.http import Pace
from stocklab.data.sources.krx_feeds import StockBars
from stocklab.data.sources.krx_openapi import KrxOpenApi
from stocklab.data.sources.whole_market import MARKETS
from stocklab.data.sync.report import SyncReport
from stocklab.data.sync.run import SyncOptions, sync
from stocklab.market.calendar import sessions_between

QUICK = Pace(
    least_gap_seconds=0.0,
    most_gap_seconds=0.0,
    budget=100_000,
    attempts=3,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.05,
)
FIRST, LAST = date(2024, 1, 2), date(2024, 3, 29)


@pytest.fixture(scope="session")
def market() -> pl.DataFrame:
    """Rows as marcap_* has them: 12 KOSPI, 12 KOSDAQ and 4 KONEX shares on every session of a quarter."""
    rows: list[dict[str, Any]] = []
    shares = [*(("KOSPI", n) for n in range(1, 13)), *(("KOSDAQ", n) for n in range(301, 313))]
    shares += [("KONEX", n) for n in range(240, 244)]
    for place, (market_name, number) in enumerate(shares):
        close = 1_000 + 100 * place
        for row, day in enumerate(sessions_between(FIRST, LAST).astype(object)):
            change = (row * 7 + place * 3) % 21 - 10
            close += change
            halted = place == 5 and 10 <= row < 14
            close -= change if halted else 0
            rows.append(
                {
                    "date": day,
                    "code": f"{number:05}0",
                    "name": f"종목{number}",
                    "market": market_name,
                    "dept": None if market_name == "KOSPI" else "중견기업부",
                    "open": 0 if halted else close,
                    "high": 0 if halted else close + 3,
                    "low": 0 if halted else close - 3,
                    "close": close,
                    "change": 0 if halted else change,
                    "volume": 0 if halted else 500 + place,
                    "amount": 0 if halted else close * (500 + place),
                    "listed_shares": 100_000 + place,
                    "market_cap": close * (100_000 + place),
                }
            )
    return pl.DataFrame(rows, schema_overrides={"dept": pl.String})


@pytest.fixture
def krx(market: pl.DataFrame) -> Iterator[FakeKrxOpenApi]:
    with FakeKrxOpenApi(market, clock=lambda: date(2024, 4, 1), quota=1_000_000) as fake:
        yield fake


def morning_after(day: date) -> datetime:
    """When a session's rows are out."""
    return datetime.combine(day + timedelta(days=1), time(9), tzinfo=KST)


@pytest.fixture
def run(krx: FakeKrxOpenApi, store: Store) -> Callable[..., SyncReport]:
    """Sync the store on the morning after a session."""

    def run(until: date, **more: Any) -> SyncReport:
        clock = lambda: morning_after(until)  # noqa: E731
        options = SyncOptions(**{"history_from": FIRST, **more.pop("options", {})})
        with KrxOpenApi(krx.url, KEY, MemoryCalls(clock=clock), pace=QUICK, clock=clock) as api:
            feeds = [StockBars(api, markets=more.pop("markets", MARKETS)), *more.pop("more_feeds", [])]
            return sync(more.pop("into", store), feeds, options, clock=clock, **more)

    return run


def stored_rows(store: Store) -> pl.DataFrame:
    """Every raw bar of the current snapshot, in the columns of the market above."""
    snapshot = store.current()
    assert snapshot is not None
    return snapshot.scan("prices_raw").collect().sort("symbol", "session")


def served_rows(market: pl.DataFrame, until: date = LAST) -> pl.DataFrame:
    """What the store must hold of the market: no open, high and low without a trade."""
    traded = pl.col("volume") > 0
    return (
        market.filter(pl.col("date") <= until)
        .select(
            session="date",
            symbol="code",
            open=pl.when(traded).then("open"),
            high=pl.when(traded).then("high"),
            low=pl.when(traded).then("low"),
            close="close",
            volume="volume",
            tv="amount",
            change="change",
            market="market",
            mcap="market_cap",
            shares_listed="listed_shares",
            dept="dept",
        )
        .sort("symbol", "session")
    )


def snapshots_on_disk(home: Path) -> list[Path]:
    return sorted(path for path in (home / "market" / "snapshots").glob("*"))
