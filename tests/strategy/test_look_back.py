"""How far a strategy looks back, by hand."""

from __future__ import annotations

import pytest

from stocklab.strategy import PRESETS, longest_look_back, preset_look_back
from stocklab.strategy.parsing import parse_document


@pytest.mark.parametrize(
    ("entry", "ranking", "formula", "sessions"),
    [
        ("close > sma(close,60)", "volume", "close>sma(close,60)", 60),
        ("close > 1000", "ret(close,20)", "ret(close,20)", 21),
        ("close > 1000", "mine", "mine", 120),
    ],
)
def test_the_furthest_formula_decides(entry: str, ranking: str, formula: str, sessions: int) -> None:
    document = {
        "name": "x",
        "factors": [{"id": "mine", "name": "mine", "formula": "sma(close,120)"}],
        "entry": {"rules": [{"id": "A", "formula": entry}]},
        "ranking": {"factors": [{"formula": ranking, "direction": "high"}], "keep": "top", "count": 5},
    }
    found = longest_look_back(parse_document(document))
    assert (found.formula.replace(" ", ""), found.sessions) == (formula, sessions)


def test_a_market_filter_and_sales_count_too() -> None:
    bare = {"name": "x", "entry": {"rules": [{"id": "A", "formula": "close>1000"}]}}
    assert longest_look_back(parse_document(bare)).sessions == 1
    market = bare | {"market_filter": {"index": "KOSPI", "formula": "close>sma(close,200)"}}
    assert longest_look_back(parse_document(market)).sessions == 200
    sale = bare | {"exit": {"rules": [{"id": "A", "formula": "close<sma(close,90)"}]}}
    assert longest_look_back(parse_document(sale)).sessions == 90


def test_twelve_months_of_momentum_need_a_year_and_every_preset_says_how_much() -> None:
    assert 240 <= preset_look_back("momentum_12_1").sessions <= 260
    assert all(1 <= preset_look_back(key).sessions < 2_000 for key in PRESETS)
