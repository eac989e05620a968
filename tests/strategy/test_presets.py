"""The twelve ready-made strategies."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from stocklab.errors import InputError
from stocklab.factors import check
from stocklab.strategy.parsing import dump, fingerprint, json_schema, parse_document
from stocklab.strategy.presets import PRESETS, Preset, find_preset
from stocklab.strategy.words import describe_strategy

ALL = pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
# fields of docs/factors.md, 3.1 and 3.2, that prices and volumes alone can fill
PRICE_FIELDS = {"open", "high", "low", "close", "volume", "tv", "mkt_close"}


def test_there_are_twelve_and_the_issue_s_eight_are_among_them() -> None:
    assert len(PRESETS) == 12
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
    assert len(set(names)) == 24
    assert len({fingerprint(preset.strategy) for preset in PRESETS.values()}) == 12


@ALL
def test_each_file_is_a_valid_document_and_as_written(preset: Preset) -> None:
    text = files("stocklab.strategy").joinpath("presets", f"{preset.id}.json").read_text(encoding="utf-8")
    data = json.loads(text)
    assert data == preset.as_json()
    assert parse_document(data["strategy"]) == preset.strategy == parse_document(dump(preset.strategy))
    jsonschema.Draft202012Validator(json_schema()).validate(data["strategy"])


@ALL
def test_each_needs_only_prices_and_volumes(preset: Preset) -> None:
    strategy = preset.strategy
    formulas = [rule.formula for rule in (*strategy.entry.rules, *strategy.exit.rules)]
    formulas += [factor.formula for factor in strategy.ranking.factors]
    if strategy.market_filter is not None and strategy.market_filter.formula is not None:
        formulas.append(strategy.market_filter.formula)
    assert formulas
    for formula in formulas:
        assert check(formula).inputs <= PRICE_FIELDS
    assert strategy.universe.top is None or strategy.universe.top.by == "trading_value"
    assert strategy.sizing.method != "market_cap"
    assert all(factor.neutralize != "sector_size" for factor in strategy.ranking.factors)


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
    assert 1960 <= citation.year <= 2025
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
