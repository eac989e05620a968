"""Coins on the pages: chosen in the builder, run, and shown with their decimals."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.backtest.result import Result
from stocklab.db import JobState
from stocklab.portfolios import BacktestOrder, Lab
from stocklab.strategy import parse_document
from stocklab.ui import cached
from stocklab.ui.builder import draft
from stocklab.ui.result import frames
from stocklab.ui.result.card import card_facts, warnings
from stocklab.ui.result.sections import SECTIONS

CROSS = {
    "name": "Coins",
    "universe": {"markets": ["UPBIT"]},
    "entry": {"rules": [{"id": "A", "formula": "close>sma(close,20)"}]},
    "exit": {"rules": [{"id": "X", "formula": "close<sma(close,20)"}]},
    "sizing": {"max_holdings": 3},
}


def document(page: AppTest) -> dict:
    return page.session_state["builder"]["document"]


@pytest.fixture
def result(lab: Lab) -> Result:
    """A run of coins over the last two years of the demo market, as the page starts it."""
    first, last = cached.span(coins=True)
    order = BacktestOrder(
        document=parse_document(CROSS).model_dump(mode="json"),
        start=max(first, last.replace(year=last.year - 2)),
        end=last,
        initial_cash_krw=10_000_000,
    )
    job = lab.jobs.submit(lab.owner_id, order)
    deadline = time.monotonic() + 240
    while lab.jobs.get(lab.owner_id, job).live and time.monotonic() < deadline:
        time.sleep(0.05)
    view = lab.jobs.get(lab.owner_id, job)
    assert view.state is JobState.COMPLETED, view.error_message
    return lab.results.load(view.run_id)


def test_what_is_traded_changes_what_belongs_to_it() -> None:
    stocks = draft.put(draft.blank_document("x"), "universe.sectors", ["은행"])
    stocks = draft.put(
        stocks, "market_filter", {"index": "KOSPI", "formula": "close>1", "months": [1], "action": "no_new"}
    )
    stocks = draft.put(stocks, "allocation.initial_cash_krw", 5_000_000_000)
    coins = draft.with_traded(stocks, coins=True)
    checked, faults = draft.check(coins)
    assert faults == ()
    assert checked is not None
    assert checked.universe.of_coins
    assert (checked.universe.sectors, [kind.value for kind in checked.universe.exclude]) == ((), ["halted"])
    assert (checked.benchmark, checked.costs.commission_rate) == ("KRW-BTC", 0.0005)
    assert checked.market_filter is not None
    assert (checked.market_filter.index, checked.market_filter.months) == ("KRW-BTC", (1,))
    assert checked.allocation.initial_cash_krw == 1_000_000_000
    back, faults = draft.check(draft.with_traded(coins, coins=False))
    assert faults == ()
    assert back is not None
    assert ([market.value for market in back.universe.markets], back.benchmark) == (["KOSPI", "KOSDAQ"], "KOSPI")
    assert back.costs.commission_rate == 0.00015
    assert draft.trades_coins(coins)
    assert not draft.trades_coins(stocks)


def test_coins_are_chosen_in_the_builder(pages):
    page = pages("builder")
    page.button_group(key="builder_section").set_value("universe").run()
    page.button_group(key="field_traded").set_value("coins").run()
    assert document(page)["universe"]["markets"] == ["UPBIT"]
    assert any("8종목" in part.label for part in page.expander), "every coin of the demo matches no condition"
    offered = page.multiselect(key="field_universe_symbols").options
    assert any("KRW-BTC" in option for option in offered)
    for section in ("costs", "period", "market_filter"):
        page.button_group(key="builder_section").set_value(section).run()
        assert not page.exception
    page.button_group(key="builder_section").set_value("universe").run()
    page.button_group(key="field_traded").set_value("stocks").run()
    assert document(page)["universe"]["markets"] == ["KOSPI", "KOSDAQ"]
    assert not page.exception


def test_a_home_without_coins_says_so(empty_pages):
    page = empty_pages("builder")
    page.button_group(key="builder_section").set_value("universe").run()
    page.button_group(key="field_traded").set_value("coins").run()
    assert not page.exception


def test_a_result_of_coins_is_shown(pages, result: Result):
    assert result.tables["trades"].height > 10
    shown = frames.trades(result, cached.names())
    assert shown["shares"].to_list() == [float(number) for number in result.tables["trades"].sort(
        ["session", "order_id"], descending=True
    )["shares"]]  # fmt: skip
    assert all(name.startswith("데모코인") for name in shown["name"])
    assert "업비트" in card_facts(result.card)["가격 기준"]
    assert not any("배당" in line for line in warnings(result.card))
    for section in SECTIONS:
        page = pages("results", run=result.run_id, result_section=section)
        assert not page.exception, section
    last = result.tables["daily"].row(-1, named=True)
    assert frames.holdings(result, last["session"], {})["weight"].sum() <= 100.0
