"""Each preset trades plenty on the real market, 2014 to 2026."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from stocklab.backtest import RunRequest, simulate
from stocklab.data import Store, import_paths, open_panel
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy.presets import PRESETS

FILES = ("krx_daily_2013_2019", "krx_daily_2020_2026", "krx_index_daily", "krx_sectors", "krx_delisted")
FEWEST_TRADES = 50  # fewer would be an anecdote, not a result


@pytest.fixture(scope="module")
def real_panel(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    store = Store(tmp_path_factory.mktemp("presets"))
    import_paths(store, [real_data / f"{name}.parquet" for name in FILES])
    return open_panel(store, basis=PriceBasis.ADJUSTED)


@pytest.mark.realdata
@pytest.mark.parametrize("preset_id", PRESETS)
def test_a_preset_trades_plenty(real_panel: Panel, preset_id: str) -> None:
    strategy = PRESETS[preset_id].strategy
    request = RunRequest(
        strategy=strategy,
        start=date(2014, 1, 2),
        end=date(2026, 2, 20),
        initial_cash_krw=strategy.allocation.initial_cash_krw,
    )
    result = simulate(real_panel, request, DirectSource(real_panel))
    assert result.metrics["n_trades"] >= FEWEST_TRADES
    daily = result.tables["daily"]
    assert (daily["cash_krw"] + daily["holdings_krw"] == daily["equity_krw"]).all()
