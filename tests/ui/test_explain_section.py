"""The Explain section of a result: from a trade to its candles and its reason, by link, button and callback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from stocklab.backtest import RunRequest
from stocklab.backtest.result import Result
from stocklab.data.engine import run_backtest
from stocklab.portfolios import Lab
from stocklab.strategy import PRESETS
from stocklab.ui import text, theme
from stocklab.ui.result import candles, lookups
from stocklab.ui.result.open_explain import DAY, SECTION, SYMBOL

STRATEGY = PRESETS["donchian_breakout"].strategy


@pytest.fixture
def result(lab: Lab) -> Result:
    request = RunRequest(strategy=STRATEGY, start=date(2019, 1, 1), end=date(2020, 12, 30), initial_cash_krw=10**8)
    return run_backtest(lab.store, lab.results, request).result


def words(page) -> str:
    return "\n".join(part.value for part in page.markdown)


def test_a_trade_leads_to_its_chart_and_its_reason(pages, result: Result) -> None:
    page = pages("results", run=result.run_id, result_section="trades")
    trade = page.dataframe[0].value.iloc[5]
    row = (
        result.tables["trades"]
        .filter((pl.col("symbol") == trade["symbol"]) & (pl.col("session") == trade["session"]))
        .row(-1, named=True)
    )
    page.session_state[SECTION] = "explain"  # what choosing the row does: tests/e2e clicks it
    page.session_state[SYMBOL], page.session_state[DAY] = row["symbol"], row["session"]
    page.run()
    assert not page.exception
    done = "매수했습니다" if row["side"] == "buy" else "매도했습니다"
    assert f"{row['shares']:,}주를 {row['price_krw']:,}원에 {done}" in words(page)
    assert len(page.get("plotly_chart")) == 1
    assert page.query_params["symbol"] in (row["symbol"], [row["symbol"]])
    assert page.query_params["date"] in (str(row["session"]), [str(row["session"])])
    assert len(page.tabs) == 2, "the decision behind the order, and that of this close"


def test_the_buttons_step_to_sessions_and_fills(pages, result: Result) -> None:
    trades = result.tables["trades"]
    symbol = trades["symbol"][0]
    fills = sorted(set(trades.filter(pl.col("symbol") == symbol)["session"].to_list()))
    sessions = result.tables["daily"]["session"].to_list()
    page = pages("results", run=result.run_id, result_section="explain", symbol=symbol, date=str(fills[0]))
    page.button(key="explain_step_1").click().run()
    assert page.session_state[DAY] == sessions[sessions.index(fills[0]) + 1]
    page.button(key="explain_step_3").click().run()
    assert page.session_state[DAY] == fills[1]
    page.button(key="explain_step_2").click().run()
    assert page.session_state[DAY] == fills[0]
    assert not page.exception


@pytest.mark.parametrize("language", ["ko", "en"])
def test_any_stock_and_day_has_an_answer(pages, result: Result, language: str) -> None:
    held = set(result.tables["orders"]["symbol"].to_list())
    stranger = next(symbol for symbol in lookups.symbols(result.run_id) if symbol not in held)
    page = pages(
        "results", run=result.run_id, result_section="explain", symbol=stranger, date="2019-07-06", lang=language
    )
    assert not page.exception
    assert page.session_state[DAY] == date(2019, 7, 6), "a Saturday: the Friday before is told"
    assert "2019-07-05" in words(page)
    assert ("매수하지 않음" if language == "ko" else "Not bought") in words(page)


def test_a_link_to_nothing_known_opens_the_last_trade(pages, result: Result) -> None:
    page = pages("results", run=result.run_id, result_section="explain", symbol="NOPE", date="tomorrow")
    assert not page.exception
    last = result.tables["trades"].row(-1, named=True)
    assert page.session_state[SYMBOL] == last["symbol"]


def test_a_run_of_other_data_says_that_it_must_be_run_again(pages, lab: Lab, result: Result) -> None:
    other = Result(run_id="ab" * 20, card=result.card, metrics=result.metrics, tables=result.tables)
    lab.results.save(other)
    page = pages("results", run=other.run_id, result_section="explain", lang="en")
    assert not page.exception
    assert "can no longer be explained" in words(page)


def test_the_chart_has_candles_volume_fills_and_levels(pages, result: Result) -> None:
    trades = result.tables["trades"]
    buy = trades.filter(pl.col("side") == "buy").row(0, named=True)
    found = lookups.explained(result.run_id, buy["symbol"], buy["session"])
    with text.speaking("en"):
        marks = candles.fills(result, buy["symbol"])
    assert (marks[0].session, marks[0].shares, marks[0].price_krw, marks[0].buy) == (
        buy["session"],
        buy["shares"],
        buy["price_krw"],
        True,
    )
    level = next(line for line in candles.levels(found) if line.kind == "stop")
    assert STRATEGY.exit.stop is not None
    assert level.price_krw == int(buy["price_krw"] * (1 - STRATEGY.exit.stop.level) + 1e-6)
    bars = {name: np.array([100.0, 110.0]) for name in ("open", "high", "low", "volume")}
    bars["close"] = np.array([90.0, 120.0])
    days = np.array([buy["session"], buy["session"] + timedelta(days=1)], dtype="datetime64[D]")
    with text.speaking("en"):
        figure = candles.candles(days, bars, marks, buy["session"], candles.levels(found))
    assert [trace.type for trace in figure.data] == ["candlestick", "bar", "scatter", "scatter", "scatter"]
    assert figure.data[0].increasing.line.color == theme.UP
    assert list(figure.data[1].marker.color) == [theme.DOWN, theme.UP]
    assert list(figure.data[2].text) == [f"Buy {buy['shares']:,} at {buy['price_krw']:,}: Conditions to buy A and B"]
    assert list(figure.data[3].x) == [], "sold outside of these days"
    assert figure.data[4].name == "Stop loss"


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Answers are kept by home and run; the homes of tests come and go."""
    yield
    lookups._views.clear()
    for kept in (lookups._explained, lookups._symbols, lookups._candle_figure):
        kept.cache_clear()
