"""The ready-made strategies: twelve on prices alone, seventeen on company reports."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from stocklab.errors import InputError
from stocklab.factors import CATALOGUE, check
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS
from stocklab.strategy.parsing import dump, fingerprint, json_schema, parse_document
from stocklab.strategy.preset_page import presets_page
from stocklab.strategy.presets import PRESETS, Preset, find_preset
from stocklab.strategy.words import Language, describe_rule, describe_strategy, describe_value

ALL = pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
# fields of docs/factors.md, 3.1 and 3.2, that prices and volumes alone can fill
PRICE_FIELDS = {"open", "high", "low", "close", "volume", "tv", "mkt_close"}
FUNDAMENTAL = {
    "ackman_quality_cash_flow",
    "buffett_buffettology",
    "dividend_large_yield",
    "graham_defensive",
    "graham_net_net",
    "greenberg_cash_return",
    "greenblatt_magic_formula",
    "growth_sales_profit",
    "lynch_garp",
    "munger_wonderful_company",
    "oneil_can_slim",
    "piotroski_f_score",
    "quality_gross_profit",
    "steady_profit_growth",
    "value_composite",
    "welling_engaged_value",
    "wood_disruptive_growth",
}
PRICED = [preset for key, preset in PRESETS.items() if key not in FUNDAMENTAL]
REPORTED = pytest.mark.parametrize("preset", [PRESETS[key] for key in sorted(FUNDAMENTAL)], ids=sorted(FUNDAMENTAL))
# published as principles, never as rules in numbers: the card must say so
IN_WORDS = {
    "ackman_quality_cash_flow": ("숫자 규칙을 공개하지 않았다", "not rules in numbers"),
    "buffett_buffettology": ("규칙을 숫자로 공개하지 않았고", "never published rules in numbers"),
    "greenberg_cash_return": ("숫자 규칙은 공개하지 않았다", "published no rules in numbers"),
    "munger_wonderful_company": ("선별 규칙을 공개하지 않았다", "published no rules of selection"),
    "welling_engaged_value": ("공개한 적이 없다", "never published rules of selection"),
    "wood_disruptive_growth": ("점수의 규칙은 공개하지 않았다", "the rules of the score are not published"),
}


def test_there_are_twenty_nine_and_the_issues_presets_are_among_them() -> None:
    assert len(PRESETS) == 29
    assert set(PRESETS) > FUNDAMENTAL
    assert {
        "moving_average_cross",
        "rsi_reversal",
        "bollinger_reversion",
        "composite_technical",
        "momentum_12_1",
        "low_volatility",
        "high_52_week",
        "short_term_reversal",
    } <= set(PRESETS)
    names = [name for preset in PRESETS.values() for name in (preset.name_ko, preset.name_en)]
    assert len(set(names)) == 58
    assert len({fingerprint(preset.strategy) for preset in PRESETS.values()}) == 29


@ALL
def test_each_file_is_a_valid_document_and_as_written(preset: Preset) -> None:
    text = files("stocklab.strategy").joinpath("presets", f"{preset.id}.json").read_text(encoding="utf-8")
    data = json.loads(text)
    assert data == preset.as_json()
    assert parse_document(data["strategy"]) == preset.strategy == parse_document(dump(preset.strategy))
    jsonschema.Draft202012Validator(json_schema()).validate(data["strategy"])


def _formulas(preset: Preset) -> list[str]:
    strategy = preset.strategy
    found = [rule.formula for rule in (*strategy.entry.rules, *strategy.exit.rules)]
    found += [factor.formula for factor in strategy.ranking.factors]
    if strategy.market_filter is not None and strategy.market_filter.formula is not None:
        found.append(strategy.market_filter.formula)
    return found


@pytest.mark.parametrize("preset", PRICED, ids=[preset.id for preset in PRICED])
def test_the_first_twelve_need_only_prices_and_volumes(preset: Preset) -> None:
    strategy = preset.strategy
    assert _formulas(preset)
    for formula in _formulas(preset):
        assert check(formula).inputs <= PRICE_FIELDS
    assert strategy.universe.top is None or strategy.universe.top.by == "trading_value"
    assert strategy.sizing.method != "market_cap"
    assert all(factor.neutralize != "sector_size" for factor in strategy.ranking.factors)


@REPORTED
def test_the_others_read_reports_by_factors_of_the_catalogue(preset: Preset) -> None:
    strategy = preset.strategy
    assert any(check(formula).items for formula in _formulas(preset))
    known = {*CATALOGUE, *FIELDS, *ITEMS, *DERIVED}
    words = {word for formula in _formulas(preset) for word in re.findall(r"[a-z]\w*(?!\w*\()", formula)}
    assert words <= known
    assert words & set(CATALOGUE)
    assert set(strategy.universe.markets) == {"KOSPI", "KOSDAQ"}
    assert strategy.ranking.factors
    assert 10 <= strategy.sizing.max_holdings <= 30
    if strategy.rebalancing.mode == "target":
        assert strategy.rebalancing.period in ("monthly", "quarterly")


@pytest.mark.parametrize("preset_id", IN_WORDS)
def test_principles_are_not_sold_as_published_rules(preset_id: str) -> None:
    korean, english = IN_WORDS[preset_id]
    assert korean in PRESETS[preset_id].words_ko.differs
    assert english in PRESETS[preset_id].words_en.differs


SCALES = {"천억": 1e11, "억": 1e8, "조": 1e12, "billion": 1e9}
NUMBER = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)\s*(천억|억|조|billion)?")
# names of things and of lengths that are not settings: "52-week high", "last 4 quarters", "GP/A"
NAMED = {
    "graham_net_net": {4.0},  # the trailing twelve months are four quarters
    "oneil_can_slim": {3.0, 20.0, 52.0},  # the windows of eps_growth_3y, volume_spike_20 and high_52w_ratio
    "welling_engaged_value": {12.0},  # rs_12m
    "growth_sales_profit": {1.0},  # growth in one year
    "wood_disruptive_growth": {1.0},
    "lynch_garp": {3.0},
    "buffett_buffettology": {3.0},
    "greenberg_cash_return": {3.0},
}


def _said(text: str) -> set[float]:
    return {float(number.replace(",", "")) * SCALES.get(scale, 1.0) for number, scale in NUMBER.findall(text)}


def _set(preset: Preset) -> set[float]:
    """Every number that the document sets: in formulas, and sizes and levels as people write them."""
    strategy = preset.strategy
    numbers = {float(text) for formula in _formulas(preset) for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", formula)}
    numbers |= {100 * number for number in numbers if 0 < number < 1}  # 95% of the 52-week high
    numbers.add(float(strategy.sizing.max_holdings))
    numbers |= {float(strategy.universe.top.count)} if strategy.universe.top else set()
    triggers = (strategy.exit.target, strategy.exit.stop, strategy.exit.trailing)
    return numbers | {round(100 * trigger.level, 6) for trigger in triggers if trigger is not None}


@REPORTED
@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_it_says_has_the_numbers_that_run(preset: Preset, language: Language) -> None:
    said, runs = _said(preset.words(language).what), _set(preset)
    assert said <= runs | NAMED.get(preset.id, set())
    shown = {number for number in runs if number not in (0.0, 100.0)}
    small = {1.0, 20.0} if preset.id == "piotroski_f_score" else {8.0} if preset.id == "steady_profit_growth" else set()
    missing = {number for number in shown if number >= 1} - said - small
    assert not missing, f"{preset.id}: {missing} run, but are not said"


@REPORTED
def test_the_document_in_words_shows_the_rules_that_run(preset: Preset) -> None:
    for language in ("ko", "en"):
        text = "\n".join(describe_strategy(preset.strategy, language))
        for rule in preset.strategy.entry.rules:
            assert describe_rule(rule.formula, language)[1:] in text
        for factor in preset.strategy.ranking.factors:
            assert describe_value(factor.formula, language) in text
        # an item or field without a name of its own would be shown by its id
        assert not re.search(r"[a-z]+_[a-z]+", text)


@ALL
def test_each_can_be_traded_in_size(preset: Preset) -> None:
    universe = preset.strategy.universe
    assert universe.min_trading_value_krw >= 1_000_000_000
    assert universe.min_price_krw >= 1000
    assert universe.min_listed_sessions >= 252


@ALL
def test_each_names_its_source_and_explains_itself(preset: Preset) -> None:
    citation = preset.citation
    assert citation.authors
    assert 1930 <= citation.year <= 2025
    assert citation.title in preset.source
    assert f"({citation.year})" in preset.source
    assert citation.publication in preset.source
    for language in ("ko", "en"):
        words = preset.words(language)
        for part in (words.what, words.why, words.fails, words.differs):
            assert len(part) > 30
            assert part.endswith(".")
        korean = any("가" <= char <= "힣" for char in words.text)
        assert korean is (language == "ko")
        assert describe_strategy(preset.strategy, language)
    assert preset.explanation_ko.count("\n\n") == preset.explanation_en.count("\n\n") == 3
    assert preset.name("ko") == preset.name_ko == preset.strategy.name
    assert preset.name("en") == preset.name_en
    assert preset.tags.style
    assert preset.tags.horizon
    assert preset.tags.risk


def test_an_unknown_preset_names_the_nearest() -> None:
    assert find_preset("low_volatility").id == "low_volatility"
    with pytest.raises(InputError, match="did you mean 'momentum_12_1'"):
        find_preset("momentum")
    with pytest.raises(InputError, match=r"there are high_52_week, "):
        find_preset("zzz")


def test_the_document_page_is_made_from_the_presets() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "presets.md"
    assert page.read_text(encoding="utf-8") == presets_page()
