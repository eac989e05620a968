"""Presets on company reports trade plenty on the demo market, whose statements are complete, and only what they say."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import RunRequest, coverage, simulate
from stocklab.backtest.result import Result
from stocklab.backtest.schedule import rebalancing_decisions
from stocklab.data import Store, open_panel
from stocklab.data.demo import build_demo
from stocklab.factors import DirectSource, Wanted, check, evaluate
from stocklab.market.panel import Panel
from stocklab.strategy import PRESETS, Strategy

FEWEST_TRADES = 50  # fewer would be an anecdote, not a result


def _reads_reports(strategy: Strategy) -> bool:
    formulas = [rule.formula for rule in strategy.entry.rules] + [part.formula for part in strategy.ranking.factors]
    return any(check(formula).items for formula in formulas)


REPORTED = sorted(key for key, preset in PRESETS.items() if _reads_reports(preset.strategy))


@pytest.fixture(scope="module")
def demo_panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """The demo market as `make run` makes it: some 400 symbols over ten years."""
    store = Store(tmp_path_factory.mktemp("presets"))
    build_demo(store, until=date(2026, 11, 21))
    return open_panel(store)


@pytest.fixture(scope="module")
def run(demo_panel: Panel) -> Any:
    """A preset over all of it, each once."""

    @cache
    def simulated(preset_id: str) -> Result:
        strategy = PRESETS[preset_id].strategy
        request = RunRequest(
            strategy=strategy,
            start=demo_panel.sessions[0].item(),
            end=demo_panel.sessions[-1].item(),
            initial_cash_krw=strategy.allocation.initial_cash_krw,
        )
        return simulate(demo_panel, request, DirectSource(demo_panel))

    return simulated


def test_there_are_seventeen() -> None:
    assert len(REPORTED) == 17


@pytest.mark.parametrize("preset_id", REPORTED)
def test_each_trades_plenty_and_keeps_its_books(preset_id: str, demo_panel: Panel, run: Any) -> None:
    assert coverage(PRESETS[preset_id].strategy, demo_panel).lacks == ()
    result = run(preset_id)
    assert result.metrics["n_trades"] >= FEWEST_TRADES
    assert result.card["warnings"] == []
    daily = result.tables["daily"]
    assert (daily["cash_krw"] + daily["holdings_krw"] == daily["equity_krw"]).all()


@pytest.mark.parametrize("preset_id", REPORTED)
def test_what_it_bought_met_its_rules_when_the_purchase_was_decided(
    preset_id: str, demo_panel: Panel, run: Any
) -> None:
    """Judged again from scratch, in one formula; rules that rank across stocks are left to other tests."""
    strategy = PRESETS[preset_id].strategy
    (held,) = evaluate([Wanted(_whole_condition(strategy), "condition")], demo_panel)
    rebalanced = rebalancing_decisions(demo_panel.sessions, strategy.rebalancing, 0, demo_panel.n_sessions)
    deciding = np.flatnonzero(rebalanced) if strategy.rebalancing.mode == "target" else np.arange(demo_panel.n_sessions)
    result = run(preset_id)
    bought = (
        result.tables["trades"]
        .filter(pl.col("side") == "buy")
        .join(result.tables["orders"].select("order_id", "decided"), on="order_id")
    )
    assert bought.height > 0
    for day, symbol in bought.select("decided", "symbol").iter_rows():
        row = int(np.searchsorted(demo_panel.sessions, np.datetime64(day, "D")))
        decision = deciding[np.searchsorted(deciding, row, side="right") - 1]  # what is left is bought the days after
        assert held[decision, demo_panel.column(symbol)] == 1, (day, symbol)


def _whole_condition(strategy: Strategy) -> str:
    """The logic line as one formula; a rule that is unknown does not hold."""
    rules = {rule.id: f"nz({rule.formula})" for rule in strategy.entry.rules}
    rules |= {rule.id: "1" for rule in strategy.entry.rules if check(rule.formula).cross_sectional}
    logic = strategy.entry.logic or " and ".join(rules) or "1"
    text = re.sub(r"\b[A-Z]\b", lambda letter: f"({rules[letter[0]]})", logic)
    return f"nz(close)*0+({text.replace(' and ', '&').replace(' or ', '|')})"
