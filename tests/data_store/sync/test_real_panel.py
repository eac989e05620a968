"""The real panel behind the fake exchange: what is stored is what is served, session by session.

`STOCKLAB_SYNC_INCREMENTS` daily syncs follow the first fill (default 4, on 60 symbols and 80 sessions); from 60 on the whole
market of ten years is served.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fakes.krx_openapi import FakeKrxOpenApi

from stocklab.data import Store, open_panel
from stocklab.data.sync.report import SyncReport

from .conftest import morning_after

INCREMENTS = int(os.environ.get("STOCKLAB_SYNC_INCREMENTS", "4"))
WHOLE = INCREMENTS >= 60

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def panel_rows(real_data: Path) -> pl.DataFrame:
    """The adjusted panel in the exchange's columns, as if it were raw."""
    files = ["krx_daily_2013_2019", "krx_daily_2020_2026"] if WHOLE else ["sample_krx_daily_60"]
    rows = pl.concat([pl.read_parquet(real_data / f"{name}.parquet") for name in files]).filter(pl.col("close") > 0)
    if not WHOLE:
        rows = rows.filter(pl.col("date") >= date(2025, 10, 1))
    market = pl.read_parquet(real_data / "krx_sectors.parquet").select("code", pl.col("market"))
    rows = rows.drop("src").join(market, on="code", how="left").with_columns(pl.col("market").fill_null("KOSPI"))
    rows = rows.filter(pl.col("market") != "KONEX")  # the file has them to 2025-10 only
    traded = (pl.col("open") > 0) & (pl.col("volume") > 0)
    prices = [pl.when(traded).then(name).otherwise(0).alias(name) for name in ("open", "high", "low", "volume")]
    return rows.sort("code", "date").with_columns(prices)


@pytest.fixture
def krx(panel_rows: pl.DataFrame) -> Iterator[FakeKrxOpenApi]:
    with FakeKrxOpenApi(panel_rows, clock=lambda: date(2026, 3, 1), quota=10_000_000) as fake:
        yield fake


def test_first_fill_and_increments_store_what_is_served(
    run: Callable[..., SyncReport], krx: FakeKrxOpenApi, store: Store, panel_rows: pl.DataFrame
):
    days = panel_rows["date"].unique().sort().to_list()
    first = {"options": {"history_from": days[0]}, "markets": ("KOSPI", "KOSDAQ")}
    krx.publish(days[-1 - INCREMENTS])
    assert run(days[-1 - INCREMENTS], **first).complete
    for day in days[len(days) - INCREMENTS :]:
        krx.publish(day)
        report = run(day, **{**first, "options": {"history_from": days[0], "grace_hours": 0.0}})
        assert report.complete, report.describe()
        assert report.added == {"prices_raw": panel_rows.filter(date=day).height}
        assert not report.replaced
        assert not report.removed
    snapshot = store.current()
    assert snapshot is not None
    stored = snapshot.scan("prices_raw").sort("symbol", "session").collect()
    traded = pl.col("volume") > 0
    expected = panel_rows.select(
        session="date",
        symbol="code",
        open=pl.when(traded).then("open"),
        high=pl.when(traded).then("high"),
        low=pl.when(traded).then("low"),
        close="close",
        volume="volume",
        change=pl.col("close").diff().over("code").fill_null(0),
    )
    assert stored.select(expected.columns).equals(expected)
    panel = open_panel(store)
    assert panel.n_sessions == len(days)
    column = panel.symbols.index("005930")
    rows = expected.filter(symbol="005930")
    assert np.array_equal(panel.fields["close"][-len(rows) :, column], rows["close"].to_numpy())
    # the exchange corrects a close of the last session and splits 005930 two for one on the next one
    before = rows["close"][-1]
    base = before // 2
    split_day = morning_after(days[-1]).date()
    while split_day.weekday() > 4:
        split_day = morning_after(split_day).date()
    whole_day = panel_rows.filter(date=days[-1])
    fixed = whole_day.filter(code="000660").with_columns(close=pl.col("close") + 100, high=pl.col("high") + 100)
    next_day = whole_day.with_columns(date=pl.lit(split_day), change=pl.lit(0), listed_shares=pl.lit(1_000_000))
    this = pl.col("code") == "005930"
    scaled = [pl.when(this).then(base).otherwise(pl.col(name)).alias(name) for name in ("open", "high", "low", "close")]
    next_day = next_day.with_columns(
        *scaled, listed_shares=pl.when(this).then(2_000_000).otherwise(pl.col("listed_shares"))
    ).with_columns(amount=pl.col("close") * pl.col("volume"), name=pl.col("code"), dept=pl.lit(None, dtype=pl.String))
    krx.correct(fixed.with_columns(change=pl.col("close") - rows_close(panel_rows, "000660", days[-2])))
    krx.replace_day(split_day, next_day)
    krx.publish(split_day)
    report = run(split_day, **first)
    assert report.replaced == {"prices_raw": 1}
    panel = open_panel(store)
    corrected = panel.symbols.index("000660")
    assert panel.fields["close_raw"][len(days) - 1, corrected] == fixed["close"][0]
    assert panel.fields["split_ratio"][len(days), column] == 2
    history = panel.fields["close"][len(days) - len(rows) : len(days), column]
    assert np.allclose(history, rows["close"].to_numpy() * (base / before), rtol=1e-6)


def rows_close(rows: pl.DataFrame, code: str, day: date) -> int:
    return int(rows.filter(date=day, code=code)["close"][0])
