"""Runs on recorded KRX prices: events followed by hand, and what must hold of every run."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import RunRequest, simulate
from stocklab.data import Store, import_paths
from stocklab.data.panel_open import open_panel
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel, PriceBasis

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def raw_panel(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """The whole market as traded, January and February of 2024 and 2026."""
    store = Store(tmp_path_factory.mktemp("raw-home"))
    import_paths(store, [real_data / "marcap_2024.parquet", real_data / "marcap_2026.parquet"])
    return open_panel(store, basis=PriceBasis.RAW)


@pytest.fixture(scope="module")
def sample_panel(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """Sixty symbols, adjusted, 2019 to 2026."""
    store = Store(tmp_path_factory.mktemp("sample-home"))
    files = ["sample_krx_daily_60.parquet", "krx_index_daily.parquet", "krx_sectors.parquet"]
    import_paths(store, [real_data / name for name in files])
    return open_panel(store, basis=PriceBasis.ADJUSTED)


def run(panel: Panel, make_document: Any, start: date, end: date, **parts: Any) -> Any:
    request = RunRequest(strategy=make_document(**parts), start=start, end=end, initial_cash_krw=10_000_000)
    return simulate(panel, request, DirectSource(panel))


def only(symbol: str) -> dict[str, Any]:
    return {"universe": {"symbols": [symbol], "min_listed_sessions": 0, "exclude": []}, "sizing": {"max_holdings": 1}}


def test_split_during_a_halt_scales_the_waiting_order(raw_panel: Panel, make_document: Any) -> None:
    # 060900: closed at 1,203 until the halt, split 1:2 on 2026-01-12, when it opened at 639. 10,000,000 / 1,203 =
    # 8,312 shares ordered on the 9th become 16,624; at 639 cash pays 15,649.
    found = run(
        raw_panel, make_document, date(2026, 1, 2), date(2026, 1, 20), **only("060900"), execution={"participation": 1}
    )
    close = raw_panel.fields["close_raw"][:, raw_panel.column("060900")]
    wanted = int(10_000_000 / close[np.searchsorted(raw_panel.sessions, np.datetime64("2026-01-09"))])
    orders = found.tables["orders"]
    assert set(orders["reason"][:-1]) == {"halted"}
    last = orders.row(-1, named=True)
    assert (last["session"], last["shares_ordered"]) == (date(2026, 1, 12), 2 * wanted)
    assert (last["shares_filled"], last["reason"]) == (15_649, "cash")


def test_halted_stock_is_never_traded(raw_panel: Panel, make_document: Any) -> None:
    # 003560: consolidation 3:1 on 2024-01-04 inside a halt that outlasts the range
    found = run(raw_panel, make_document, date(2024, 1, 2), date(2024, 1, 12), **only("003560"))
    assert found.tables["trades"].is_empty()
    ordered = found.tables["orders"]["shares_ordered"].to_list()
    assert ordered[1] == ordered[0] // 3  # decided before the consolidation, met the market after it


@pytest.mark.parametrize("mode", ["signal", "target"])
def test_sample_market_keeps_its_books(sample_panel: Panel, make_document: Any, mode: str) -> None:
    found = run(
        sample_panel,
        make_document,
        date(2020, 1, 2),
        date(2025, 12, 30),
        entry={"rules": [{"id": "A", "formula": "close>sma(close,60)"}]},
        ranking={"factors": [{"formula": "mom_12_1"}]},
        sizing={"max_holdings": 10},
        exit={"stop": {"level": 0.1}, "trailing": {"level": 0.15}},
        rebalancing={"mode": mode},
        costs={},
    )
    tables = found.tables
    assert found.metrics["n_trades"] > 100
    daily = tables["daily"]
    assert (daily["cash_krw"] >= 0).all()
    assert (daily["cash_krw"] + daily["holdings_krw"] == daily["equity_krw"]).all()
    assert tables["ledger"]["cash_delta_krw"].sum() + 10_000_000 == daily["cash_krw"][-1]
    days = {session.item(): t for t, session in enumerate(sample_panel.sessions)}
    fields = sample_panel.fields
    for trade in tables["trades"].iter_rows(named=True):
        t, s = days[trade["session"]], sample_panel.column(trade["symbol"])
        assert fields["traded"][t, s]
        assert fields["low"][t, s] <= trade["price_krw"] <= fields["high"][t, s]
    held = tables["positions"].group_by("session").len()
    assert held["len"].max() <= 10
    assert daily.filter(pl.col("benchmark").is_null()).is_empty()
