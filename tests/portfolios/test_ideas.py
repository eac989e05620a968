"""Variants of an idea are counted once, by owner."""

from __future__ import annotations

from stocklab.db import LOCAL_OWNER_ID, Database
from stocklab.portfolios import Ideas
from stocklab.strategy import Strategy, parse_document


def strategy(formula: str = "rsi_14<30", **more: object) -> Strategy:
    return parse_document({"name": "x", "entry": {"rules": [{"id": "A", "formula": formula}]}, **more})


def test_distinct_variants_of_an_idea_are_counted(database: Database) -> None:
    ideas = Ideas(database)
    assert ideas.count(LOCAL_OWNER_ID, strategy()) == 0
    ideas.add(LOCAL_OWNER_ID, [])
    ideas.add(LOCAL_OWNER_ID, [strategy(), strategy("rsi_14<25"), strategy("rsi_14 < 30")])
    ideas.add(LOCAL_OWNER_ID, [strategy("rsi_14<25"), strategy(sizing={"max_holdings": 5}), strategy("rsi_14>30")])
    assert ideas.count(LOCAL_OWNER_ID, strategy("rsi_14<50", description="other words")) == 3
    assert ideas.count(LOCAL_OWNER_ID, strategy("rsi_14>70")) == 1
    assert ideas.count("someone else", strategy()) == 0
