"""The screen document: read, written, refused with every fault named, turned into a strategy and back."""

from __future__ import annotations

import json

import pytest

from stocklab.errors import DocumentError
from stocklab.strategy import PRESETS, dump, fingerprint, parse_document
from stocklab.strategy.screen import (
    Screen,
    parse_screen,
    parse_screen_or_strategy,
    screen_of,
    strategy_of,
    values_of_conditions,
)

WHOLE = {
    "schema_version": 1,
    "name": "싼 우량주",
    "universe": {"markets": ["KOSPI"], "min_trading_value_krw": 1_000_000_000},
    "conditions": {
        "rules": [{"id": "A", "formula": "PER < 10"}, {"id": "B", "formula": "비율({ROE},{내림차순}) <= 20"}],
        "logic": "A and not B",
    },
    "columns": ["per", "시가총액", "이동평균({종가},{20일})"],
    "sort": {"by": "ROE", "direction": "asc"},
    "limit": 30,
}


def faults_of(document: dict) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse_screen(document)
    return {fault.path: fault.code for fault in caught.value.faults}


def test_a_document_is_read_in_korean_names_and_written_back_the_same():
    screen = parse_screen(json.dumps(WHOLE))
    assert [rule.formula for rule in screen.conditions.rules] == ["per<10", "100*(1-xpct(roe))<=20"]
    assert screen.columns == ("per", "market_cap", "sma(close,20)")
    assert screen.shown == ("per", "market_cap", "sma(close,20)", "roe"), "what is sorted by is shown"
    assert parse_screen(dump(screen)) == screen


def test_an_empty_document_is_the_whole_universe():
    assert parse_screen("{}") == Screen()
    assert Screen().conditions.rules == ()


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"univers": {}}, "univers", "unknown_key"),
        ({"columns": ["per", "prr"]}, "columns.1", "unknown_name"),
        ({"columns": ["per", "PER"]}, "", "value"),
        ({"columns": ["sector"]}, "columns.0", "kind"),
        ({"sort": {"by": "clsoe"}}, "sort.by", "unknown_name"),
        ({"sort": {"by": "name", "direction": "down"}}, "sort.direction", "choice"),
        ({"limit": 0}, "limit", "range"),
        ({"schema_version": 2}, "schema_version", "unknown_version"),
        ({"conditions": {"rules": [{"id": "A", "formula": "per"}]}}, "conditions.rules.0.formula", "not_condition"),
        ({"conditions": {"rules": [{"id": "A", "formula": "per<"}]}}, "conditions.rules.0.formula", "incomplete"),
        (
            {"conditions": {"rules": [{"id": "A", "formula": "per<1"}], "logic": "A and C"}},
            "conditions.logic",
            "logic_unknown_letter",
        ),
        (
            {"conditions": {"rules": [{"id": "A", "formula": "per<1"}, {"id": "A", "formula": "per<2"}]}},
            "conditions.rules.1.id",
            "repeated_letter",
        ),
    ],
)
def test_each_fault_is_named_at_its_place(change: dict, path: str, code: str):
    assert faults_of({**WHOLE, **change})[path] == code


def test_all_faults_are_told_at_once_in_the_order_of_the_document():
    found = faults_of({"limit": -1, "columns": ["nope"], "conditions": {"rules": [{"id": "a", "formula": "close"}]}})
    assert list(found) == ["conditions.rules.0.formula", "conditions.rules.0.id", "columns.0", "limit"]


def test_a_plain_column_sorts_without_being_a_formula():
    screen = parse_screen({"sort": {"by": "close_krw", "direction": "asc"}})
    assert screen.shown == ()


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({}, "Screen"),
        ({"conditions": {}}, "Screen"),
        ({"name": "x", "universe": {}}, "Screen"),
        ({"name": "x", "entry": {}}, "Strategy"),
        ({"name": "x", "sizing": {}}, "Strategy"),
    ],
)
def test_a_file_is_told_apart_by_its_keys(document: dict, kind: str):
    assert type(parse_screen_or_strategy(document)).__name__ == kind


def test_a_screen_becomes_a_strategy_that_buys_what_it_finds():
    screen = parse_screen(WHOLE)
    strategy = strategy_of(screen, "싼 우량주")
    assert parse_document(dump(strategy)) == strategy
    assert (strategy.entry, strategy.universe) == (screen.conditions, screen.universe)
    assert [(part.formula, part.direction) for part in strategy.ranking.factors] == [("roe", "low")]
    assert (strategy.rebalancing.mode, strategy.rebalancing.period) == ("target", "monthly")
    again = screen_of(strategy)
    assert (again.conditions, again.universe, again.columns) == (screen.conditions, screen.universe, ("roe",))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_screen(preset: str):
    strategy = PRESETS[preset].strategy
    screen = screen_of(strategy)
    assert parse_screen(dump(screen)) == screen
    assert [rule.id for rule in screen.conditions.rules] == [rule.id for rule in strategy.entry.rules]


def test_own_factors_give_way_to_what_they_mean():
    own = {"id": "gap", "formula": "close/sma(close,20)-1"}
    strategy = parse_document({"name": "x", "factors": [own], "entry": {"rules": [{"id": "A", "formula": "gap>0.1"}]}})
    screen = screen_of(strategy)
    assert screen.conditions.rules[0].formula == "close/sma(close,20)-1>0.1"
    assert fingerprint(strategy) == fingerprint(strategy.model_copy(update={"factors": (), "entry": screen.conditions}))


def test_values_of_conditions_are_what_rows_compare():
    rules = parse_screen(
        {
            "conditions": {
                "rules": [
                    {"id": "A", "formula": "(rsi_14>=30)&(rsi_14<=50)"},
                    {"id": "B", "formula": "close>1.05*sma(close,60)"},
                    {"id": "C", "formula": "close-open>0.5*tr"},
                ]
            }
        }
    ).conditions.rules
    assert values_of_conditions(rules) == ("rsi_14", "close", "sma(close,60)")
