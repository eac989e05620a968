"""A rule whose inputs are missing is named: a warning where the strategy can still buy, an error where it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.result import Result
from stocklab.backtest.rule_coverage import coverage
from stocklab.errors import InputError
from stocklab.factors import DirectSource

FLAT = (1_000.0, 1_000.0, 1_000.0, 1_000.0, 1e6)
RISING = [(1_000.0 + i, 1_000.0 + i, 1_000.0 + i, 1_000.0 + i, 1e6) for i in range(6)]


def rules(*formulas: str) -> list[dict[str, str]]:
    return [{"id": "ABCDEF"[place], "formula": formula} for place, formula in enumerate(formulas)]


@pytest.fixture
def market(market_of: Any) -> Any:
    """Prices and nothing else: no market caps, no statements, no sectors."""
    return market_of(bars={"000010": RISING, "000020": [FLAT] * 6})


@pytest.fixture
def run(market: Any, make_document: Any) -> Any:
    """Run a document on that market, with the formulas computed."""

    def simulated(**parts: Any) -> Result:
        panel = market.panel()
        request = RunRequest(
            strategy=make_document(**parts),
            start=panel.sessions[0].item(),
            end=panel.sessions[-1].item(),
            initial_cash_krw=1_000_000,
        )
        return simulate(panel, request, DirectSource(panel))

    return simulated


@pytest.mark.parametrize(
    ("logic", "can_buy"),
    [
        (None, False),
        ("A", True),
        ("B", False),
        ("not B", False),  # null passes neither plain nor negated
        ("A or B", True),
        ("A and not B", False),
        ("A and (B or not A)", True),
        ("not (A and B)", True),
        ("not (A or B)", False),
    ],
)
def test_logic_decides_whether_it_can_buy(market: Any, make_document: Any, logic: str | None, can_buy: bool) -> None:
    found = coverage(make_document(entry={"rules": rules("close>1", "per<10"), "logic": logic}), market.panel())
    assert found.can_buy is can_buy
    assert found.missing == ("mcap", "mcap_pref", "net_income_parent")
    assert [(lack.part, lack.rule, lack.never) for lack in found.lacks] == [("entry", "B", True)]


@pytest.mark.parametrize(
    ("parts", "part", "can_buy"),
    [
        ({"ranking": {"factors": [{"formula": "roe"}]}}, "ranking", False),
        ({"ranking": {"factors": [{"formula": "nz(roe)"}]}}, "ranking", True),
        ({"ranking": {"factors": [{"formula": "close", "neutralize": "sector"}]}}, "ranking", False),
        ({"universe": {"top": {"by": "market_cap", "count": 5}}}, "universe", False),
        ({"sizing": {"method": "market_cap"}}, "sizing", False),
        ({"exit": {"rules": rules("pbr>3")}}, "exit", True),
        ({"market_filter": {"index": "KOSDAQ", "formula": "close>1"}}, "market_filter", False),
        ({"entry": {"rules": rules("close>1")}}, "", True),
    ],
)
def test_every_part_of_the_document_is_looked_at(
    market: Any, make_document: Any, parts: dict[str, Any], part: str, can_buy: bool
) -> None:
    found = coverage(make_document(**parts), market.panel())
    assert found.can_buy is can_buy
    assert [lack.part for lack in found.lacks] == ([part] if part else [])


def test_a_run_that_can_still_buy_goes_on_and_says_what_is_missing(run: Any) -> None:
    result = run(
        entry={"rules": rules("close>0", "per<10"), "logic": "A or B"},
        ranking={"factors": [{"formula": "coalesce(roe,close)"}]},
        exit={"rules": rules("pbr>3")},
    )
    assert result.tables["trades"].height > 0
    assert [(lack["part"], lack["rule"], lack["never"]) for lack in result.card["lacking"]] == [
        ("entry", "B", True),
        ("ranking", "", False),
        ("exit", "A", True),
    ]
    assert "Rule B (per<10) can never hold: this data lacks mcap, mcap_pref, net_income_parent." in result.card["notes"]


def test_a_run_that_can_never_buy_is_refused_with_the_inputs(run: Any) -> None:
    entry = {"rules": rules("close>0", "f_score>=8")}
    with pytest.raises(InputError, match=r"can never buy on this data. Rule B \(f_score>=8\) can never hold.*cfo"):
        run(entry=entry)


def test_an_empty_result_names_the_rules_that_never_held(run: Any) -> None:
    never = run(entry={"rules": rules("close>0", "close>5000", "close<900"), "logic": "A and (B or C)"})
    assert never.card["counts"]["rules_never_held"] == ["B", "C"]
    assert any("for B, C no stock of the universe passed" in note for note in never.card["notes"])
    nobody = run(universe={"min_listed_sessions": 400})
    assert any("no stock was in the universe" in note for note in nobody.card["notes"])
    bought = run(entry={"rules": rules("close>0", "close>5000"), "logic": "A or B"})
    assert bought.card["counts"]["rules_never_held"] == []
