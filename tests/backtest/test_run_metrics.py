"""Figures against hand calculation and numpy's own definitions; first in, first out against a slow twin."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.backtest import METRICS, codes
from stocklab.backtest.fifo import closed_trades
from stocklab.backtest.layout import ACTION, TRADE, records
from stocklab.backtest.metrics import drawdown, return_figures

SESSIONS = np.array(["2023-01-02", "2023-07-03", "2023-12-29", "2024-01-02", "2025-01-02"], dtype="M8[D]")
EQUITY = np.array([100.0, 120.0, 90.0, 110.0, 121.0])
INDEX = np.array([200.0, 210.0, 190.0, 200.0, 220.0])


def figures(equity: Any = EQUITY, index: Any = INDEX, rf: Any = None) -> dict[str, Any]:
    return return_figures(
        SESSIONS, np.asarray(equity, float), 100.0, np.asarray(index, float), np.zeros(5) if rf is None else rf
    )


def test_return_figures_by_hand() -> None:
    found = figures()
    years = 731 / 365.25  # 2023-01-02 .. 2025-01-02, 2024 is a leap year
    returns = np.array([0.2, -0.25, 110 / 90 - 1, 0.1])
    per_year = 4 / years
    assert found["total_return"] == pytest.approx(0.21)
    assert found["cagr"] == pytest.approx(1.21 ** (1 / years) - 1)
    assert found["volatility"] == pytest.approx(np.std(returns, ddof=1) * math.sqrt(per_year))
    assert found["sharpe"] == pytest.approx(returns.mean() / np.std(returns, ddof=1) * math.sqrt(per_year))
    downside = math.sqrt((0.25**2) / 4)
    assert found["sortino"] == pytest.approx(returns.mean() / downside * math.sqrt(per_year))
    assert found["max_drawdown"] == pytest.approx(-0.25)
    assert found["calmar"] == pytest.approx(found["cagr"] / 0.25)
    assert found["benchmark_return"] == pytest.approx(0.1)
    assert found["excess_return"] == pytest.approx(0.11)
    assert found["sessions_per_year"] == pytest.approx(per_year)
    assert (found["best_day"], found["worst_day"]) == (pytest.approx(110 / 90 - 1), pytest.approx(-0.25))


def test_alpha_and_beta_are_the_regression_on_excess_returns() -> None:
    rf = np.array([0.0, 0.001, 0.002, 0.001, 0.003])
    own = EQUITY[1:] / EQUITY[:-1] - 1 - rf[1:]
    other = INDEX[1:] / INDEX[:-1] - 1 - rf[1:]
    slope, intercept = np.polyfit(other, own, 1)
    found = figures(rf=rf)
    assert found["beta"] == pytest.approx(slope)
    assert found["alpha"] == pytest.approx(intercept * found["sessions_per_year"])
    assert found["sharpe"] == pytest.approx(own.mean() / own.std(ddof=1) * math.sqrt(found["sessions_per_year"]))


def test_drawdown_dates() -> None:
    assert drawdown(SESSIONS, EQUITY, 100.0) == {
        "max_drawdown": -0.25,
        "max_drawdown_peak": "2023-07-03",
        "max_drawdown_trough": "2023-12-29",
        "max_drawdown_recovery": "2025-01-02",
    }
    never = drawdown(SESSIONS, np.array([100.0, 90.0, 80.0, 85.0, 99.0]), 100.0)
    assert (never["max_drawdown_peak"], never["max_drawdown_recovery"]) == ("2023-01-02", None)
    assert drawdown(SESSIONS, np.arange(100.0, 105.0), 100.0)["max_drawdown_trough"] is None


def test_a_fall_begins_at_the_last_close_at_the_peak_not_while_the_book_is_still_cash() -> None:
    waiting = drawdown(SESSIONS, np.array([100.0, 100.0, 100.0, 90.0, 80.0]), 100.0)
    assert waiting["max_drawdown_peak"] == str(SESSIONS[2])
    assert waiting["max_drawdown_trough"] == str(SESSIONS[4])


def test_undefined_figures_are_none() -> None:
    still = figures(equity=[100.0] * 5, index=[np.nan] * 5)
    for name in ("sharpe", "sortino", "calmar", "beta", "alpha", "benchmark_return", "excess_return"):
        assert still[name] is None, name
    assert still["volatility"] == 0.0
    single = return_figures(SESSIONS[:1], EQUITY[:1], 100.0, INDEX[:1], np.zeros(1))
    assert single["cagr"] is None
    assert single["total_return"] == 0.0


def test_everything_lost_is_minus_one_hundred_percent() -> None:
    lost = figures(equity=[100.0, 50.0, 0.0, 0.0, 0.0])
    assert lost["total_return"] == lost["max_drawdown"] == -1.0
    assert lost["cagr"] is None


def trade_rows(rows: list[tuple[int, int, int, int, int]]) -> Any:
    """(session, symbol, side, shares, price) with order numbers in sequence and costs of 1 won each kind."""
    trades = records(TRADE, len(rows))
    for place, (session, symbol, side, shares, price) in enumerate(rows):
        trades[place].session, trades[place].symbol, trades[place].side = session, symbol, side
        trades[place].shares, trades[place].price, trades[place].amount = shares, price, shares * price
        trades[place].commission, trades[place].order = 1, place
        trades[place].cause = codes.STOP if side == codes.SELL else codes.ENTRY
    return trades


def test_first_in_first_out_by_hand() -> None:
    # 10 at 100 (cost 1,001), 10 at 200 (2,001); 15 sold at 300 (4,499 net): 1,001 + 5/10 of 2,001 = 2,001 -> 2,498
    trades = trade_rows([(0, 0, 0, 10, 100), (2, 0, 0, 10, 200), (5, 0, 1, 15, 300), (9, 0, 1, 5, 100)])
    closed = closed_trades(trades, records(ACTION, 0), trades["session"].copy(), 1)
    # the rest had cost 2,001 - 1,000 = 1,001 and brings 499
    assert closed.profit_krw.tolist() == [4_499 - 2_001, 499 - 1_001]
    assert closed.holding_days.tolist() == [(10 * 5 + 5 * 3) / 15, 7.0]


def test_share_changes_scale_the_lots() -> None:
    trades = trade_rows([(0, 0, 0, 99, 100), (5, 0, 1, 16, 1_000)])
    actions = records(ACTION, 1)
    actions[0].symbol, actions[0].new, actions[0].old = 0, 1, 6
    actions[0].after, actions[0].cash, actions[0].after_trade = 16, 500, 1
    closed = closed_trades(trades, actions, trades["session"].copy(), 1)
    assert closed.profit_krw.tolist() == [16_000 - 1 - (9_901 - 500)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 500), st.booleans()), min_size=1, max_size=40
    )
)
def test_first_in_first_out_against_a_slow_twin(steps: list[tuple[int, int, int, bool]]) -> None:
    lots: dict[int, list[list[float]]] = {0: [], 1: [], 2: []}
    rows, profits = [], []
    for day, (symbol, shares, price, selling) in enumerate(steps):
        held = int(sum(lot[0] for lot in lots[symbol]))
        if selling and held:
            sold = min(shares, held)
            rows.append((day, symbol, 1, sold, price))
            left, paid = sold, 0
            while left:
                lot = lots[symbol][0]
                take = min(left, lot[0])
                part = lot[1] if take == lot[0] else int(lot[1] * (take / lot[0]))
                lot[0] -= take
                lot[1] -= part
                paid += part
                left -= take
                if lot[0] == 0:
                    lots[symbol].pop(0)
            profits.append(sold * price - 1 - paid)
        else:
            rows.append((day, symbol, 0, shares, price))
            lots[symbol].append([shares, shares * price + 1])
    trades = trade_rows(rows)
    closed = closed_trades(trades, records(ACTION, 0), trades["session"].copy(), 3)
    assert closed.profit_krw.tolist() == profits


def test_every_figure_explains_itself(case_of: Any) -> None:
    metrics = case_of(3).run().metrics
    tables = {"monthly", "yearly", "sales_by_reason"}
    assert set(metrics) - tables == set(METRICS)
    for key, info in METRICS.items():
        assert info.key == key
        assert all([info.name_ko, info.name_en, info.formula_ko, info.formula_en, info.inputs_ko, info.inputs_en])
        assert bool(info.pitfalls_ko) == bool(info.pitfalls_en)


def test_card_and_metrics_are_json_without_nan(case_of: Any) -> None:
    for seed in range(5):
        result = case_of(seed).run()
        told = {"card": result.card, "metrics": result.metrics}
        assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_realised_and_open_profit_add_up(case_of: Any) -> None:
    """Profit = what sales earned + what is still held, less what its shares cost; checked on runs that end flat."""
    checked = 0
    for seed in range(60):
        result = case_of(seed).run()
        if result.tables["daily"]["holdings_krw"][-1] == 0 and not result.card["share_changes"]:
            assert result.metrics["realized_profit_krw"] == result.metrics["profit_krw"]
            checked += 1
    assert checked >= 5


def test_monthly_and_yearly_tables(market_of: Any, run_market: Any) -> None:
    def flat(price: float) -> tuple[float, ...]:
        return (price, price, price, price, 1e6)

    # Fri 2024-03-29, Mon 04-01, Tue 04-02: bought on Monday at 10,000, worth 11,000 on Tuesday
    market = market_of(
        bars={"000010": [flat(10_000), flat(10_000), flat(11_000)]},
        start=date(2024, 3, 29),
        index=[100.0, 100.0, 105.0],
    )
    metrics = run_market(market, sizing={"max_holdings": 1}).metrics
    assert metrics["monthly"] == [
        {"period": "2024-03", "return": 0.0, "benchmark": 0.0},
        {"period": "2024-04", "return": pytest.approx(0.1), "benchmark": pytest.approx(0.05)},
    ]
    assert [row["period"] for row in metrics["yearly"]] == ["2024"]
    assert metrics["exposure"] == pytest.approx(2 / 3)
    assert metrics["turnover"] == 0.0
    assert metrics["win_rate"] is None
