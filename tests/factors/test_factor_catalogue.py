"""The catalogue: counts, names, kinds, lookbacks, and the reference in docs/factors.md."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from stocklab.errors import FormulaError
from stocklab.factors import CATALOGUE, FUNCTIONS, check
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS, PARAMETERS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "factors.md"
NAME = re.compile(r"[a-z][a-z_0-9]*")


def test_counts_of_section_10() -> None:
    assert len(CATALOGUE) == 306
    assert Counter(factor.category for factor in CATALOGUE.values()) == {
        "value": 36,
        "growth": 42,
        "quality": 55,
        "momentum": 49,
        "size": 23,
        "risk": 24,
        "technical": 37,
        "liquidity_flow": 17,
        "composite": 19,
        "seasonality": 4,
    }
    assert Counter(factor.type for factor in CATALOGUE.values()) == {
        "FUNDAMENTAL": 139,
        "COMPOSITE": 20,
        "TECHNICAL": 98,
        "MARKET": 49,
    }


def test_names_of_fields_items_and_factors_are_apart() -> None:
    names = [*FIELDS, *ITEMS, *PARAMETERS, *DERIVED, *CATALOGUE, *FUNCTIONS]
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("factor", CATALOGUE.values(), ids=list(CATALOGUE))
def test_factor_checks_and_agrees_with_its_row(factor) -> None:  # type: ignore[no-untyped-def]
    checked = check(factor.formula)
    assert (check(factor.id).fingerprint == checked.fingerprint) == ("nofin" not in factor.tokens)
    assert checked.kind in ("daily", "quarterly")
    written = list(NAME.findall(re.sub(r"\d+(\.\d+)?e\d+", "", factor.formula)))
    inputs = list(dict.fromkeys(name for name in written if name not in FUNCTIONS and name != "minobs"))
    assert tuple(inputs) == factor.inputs
    assert checked.cross_sectional == ("xs" in factor.tokens) or factor.type == "COMPOSITE"
    assert factor.higher_is_better in (-1, 0, 1)
    needed = {part[-1]: int(part[:-1]) for part in factor.lookback.split(";")}
    assert checked.lookback == needed.get("d", 1)
    assert checked.quarters == needed.get("q", 0)


def test_derived_inputs_check() -> None:
    for derived in DERIVED.values():
        assert check(derived.name).fingerprint == check(derived.formula).fingerprint


def test_every_name_is_in_the_reference() -> None:
    text = DOCS.read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z][a-z_0-9]*", text))
    missing = [name for name in (*FUNCTIONS, *FIELDS, *ITEMS, *PARAMETERS, *DERIVED) if name not in words]
    assert missing == []
    for derived in DERIVED.values():
        assert f"`{derived.formula}`" in text


def test_the_reference_formulas_are_the_package_formulas() -> None:
    with pytest.raises(FormulaError):
        check("not_a_factor")
    assert CATALOGUE["rsi_14"].tokens == ("warm",)
    assert CATALOGUE["dividend_yield"].tokens == ("raw",)
