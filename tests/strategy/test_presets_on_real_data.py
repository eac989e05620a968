"""On the real market each preset trades plenty, or names the inputs it lacks."""

from __future__ import annotations

from datetime import date

import pytest

from stocklab.backtest import RunRequest, coverage, preset_coverage, simulate
from stocklab.data import Store, open_panel
from stocklab.errors import InputError
from stocklab.factors import DirectSource, check
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy import Strategy
from stocklab.strategy.presets import PRESETS, Preset

# market caps, cash flows, debt, dividends and share counts are in none of the files
RUN_ON_ACCOUNTS = {"growth_sales_profit", "steady_profit_growth"}
FEWEST_TRADES = 50  # fewer would be an anecdote, not a result


@pytest.fixture(scope="module")
def real_panel(real_store: Store) -> Panel:
    return open_panel(real_store, basis=PriceBasis.ADJUSTED)


@pytest.mark.realdata
def test_those_that_cannot_run_name_what_they_lack(real_panel: Panel) -> None:
    covered = preset_coverage(real_panel)
    priced = {key for key, preset in PRESETS.items() if not _reads_reports(preset)}
    assert len(priced) == 12
    assert {key for key, found in covered.items() if found.can_buy} == priced | RUN_ON_ACCOUNTS
    assert covered["value_composite"].missing == ("mcap", "mcap_pref")
    assert covered["quality_gross_profit"].missing == ("gross_profit",)
    strategy = PRESETS["piotroski_f_score"].strategy
    with pytest.raises(InputError, match=r"Rule B \(f_score>=8\) can never hold: this data lacks cfo, gross_profit"):
        simulate(real_panel, _request(strategy, date(2017, 1, 1), date(2021, 12, 31)), DirectSource(real_panel))


@pytest.mark.realdata
@pytest.mark.parametrize("preset_id", PRESETS)
def test_a_preset_trades_plenty_or_is_refused_with_the_inputs(real_panel: Panel, preset_id: str) -> None:
    strategy = PRESETS[preset_id].strategy
    priced = not _reads_reports(PRESETS[preset_id])
    span = (date(2014, 1, 2), date(2026, 2, 20)) if priced else (date(2017, 1, 1), date(2021, 12, 31))
    if not priced and preset_id not in RUN_ON_ACCOUNTS:
        missing = coverage(strategy, real_panel).blocking[0].missing
        with pytest.raises(InputError, match=f"can never buy on this data.*lacks {', '.join(missing)}"):
            simulate(real_panel, _request(strategy, *span), DirectSource(real_panel))
        return
    result = simulate(real_panel, _request(strategy, *span), DirectSource(real_panel))
    assert result.metrics["n_trades"] >= FEWEST_TRADES
    daily = result.tables["daily"]
    assert (daily["cash_krw"] + daily["holdings_krw"] == daily["equity_krw"]).all()


def _request(strategy: Strategy, start: date, end: date) -> RunRequest:
    return RunRequest(strategy=strategy, start=start, end=end, initial_cash_krw=strategy.allocation.initial_cash_krw)


def _reads_reports(preset: Preset) -> bool:
    strategy = preset.strategy
    formulas = [rule.formula for rule in strategy.entry.rules] + [part.formula for part in strategy.ranking.factors]
    return any(check(formula).items for formula in formulas)
