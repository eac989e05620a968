"""No factor and no function knows anything later than its own row: the future changed, or taken away, moves no bit.

Adjusted prices are given as such, so the rows after t are changed and never the adjustment of earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import Filings, Market
from reference.documents import FACTORS
from reference.formulas import EVERY_FUNCTION, random_formulas
from reference.markets import Shape, random_market

from stocklab.factors import Wanted, evaluate
from stocklab.market.panel import Panel

FORMULAS = [*FACTORS, *EVERY_FUNCTION]
PanelOf = Callable[[Market], Panel]


def another_future(market: Market, cut: int, rng: Any) -> Market:
    """Everything after session ``cut`` different: every field, listings, markets, indices, rates, filings, events."""
    later = np.arange(len(market.sessions))[:, None] > cut
    fields = {
        name: np.where(later, np.where(rng.random(values.shape) < 0.1, np.nan, values * rng.uniform(0.2, 3)), values)
        for name, values in market.fields.items()
    }
    names = np.array(["KOSPI", "KOSDAQ", "KONEX", ""], dtype=object)
    drawn = names[rng.integers(0, 4, market.market.shape)]
    return replace(
        market,
        fields=fields,
        listed=np.where(later, rng.random(market.listed.shape) < 0.7, market.listed),
        market=np.where(later, drawn, market.market),
        indices={name: np.where(later[:, 0], values * 1.7, values) for name, values in market.indices.items()},
        rf=np.where(later[:, 0], 0.5, market.rf),
        filings=other_filings(market, cut, rng),
    )


def other_filings(market: Market, cut: int, rng: Any) -> Filings:
    """Reports received later are gone, or of other amounts; every known quarter is corrected; other share events."""
    day = market.sessions[cut]
    rows = [row for row in market.filings.statements if row["filed_on"] <= day]
    corrected = [
        {**row, "filed_on": day + timedelta(days=1), "amount": 3 * row["amount"] + 1}
        for row in rows
        if rng.random() < 0.3
    ]
    future = [
        {**row, "amount": -2 * row["amount"] + 5}
        for row in market.filings.statements
        if row["filed_on"] > day + timedelta(days=1) and rng.random() < 0.6
    ]
    events = [event for event in market.filings.events if event["session"] <= day]
    events += [
        {"session": day + timedelta(days=int(rng.integers(1, 40))), "symbol": symbol, "kind": "split", "ratio": 7.0}
        for symbol in market.symbols
    ]
    return Filings(rows + one_each(corrected) + future, events)


def one_each(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One version a day of every number, as the dataset demands."""
    key = ("symbol", "period_end", "statement_basis", "item", "months")
    return list({tuple(row[name] for name in key): row for row in rows}.values())


def no_future(market: Market, cut: int) -> Market:
    """The market as it ends with session ``cut``."""
    end = cut + 1
    day = market.sessions[cut]
    return replace(
        market,
        sessions=market.sessions[:end],
        fields={name: values[:end] for name, values in market.fields.items()},
        listed=market.listed[:end],
        market=market.market[:end],
        indices={name: values[:end] for name, values in market.indices.items()},
        rf=market.rf[:end],
        filings=Filings(
            [row for row in market.filings.statements if row["filed_on"] <= day],
            [event for event in market.filings.events if event["session"] <= day],
        ),
    )


def values_of(panel: Panel, formulas: Sequence[str]) -> tuple[np.ndarray, ...]:
    return evaluate([Wanted(formula, "value") for formula in formulas], panel)


def moved(before: Sequence[np.ndarray], after: Sequence[np.ndarray], cut: int, formulas: Sequence[str]) -> list[str]:
    """Formulas with other bits up to the cut."""
    pairs = zip(formulas, before, after, strict=True)
    return [name for name, old, new in pairs if old[: cut + 1].tobytes() != new[: cut + 1].tobytes()]


@pytest.fixture(scope="module")
def year_values(year_panel: Panel) -> tuple[np.ndarray, ...]:
    return values_of(year_panel, FORMULAS)


@pytest.mark.parametrize("cut", [120, 262, 288])
def test_the_future_moves_no_factor(
    cut: int, year_market: Market, year_values: tuple[np.ndarray, ...], panel_of: PanelOf
) -> None:
    other = another_future(year_market, cut, np.random.default_rng(cut))
    changed = values_of(panel_of(other), FORMULAS)
    assert moved(year_values, changed, cut, FORMULAS) == []
    assert moved(year_values, values_of(panel_of(no_future(year_market, cut)), FORMULAS), cut, FORMULAS) == []
    later = [name for name, old, new in zip(FORMULAS, year_values, changed, strict=True) if not same(old, new)]
    known = [name for name, values in zip(FORMULAS, year_values, strict=True) if not np.isnan(values[cut + 1 :]).all()]
    assert set(known) - set(later) <= {"halloween_season", "turn_of_month", "100*(1-0.5)/3"}  # the future did change


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.tobytes() == b.tobytes()


def test_the_future_moves_no_factor_of_long_windows(panel_of: PanelOf) -> None:
    names = [name for name, factor in FACTORS.items() if factor.daily > 290]
    market = random_market(6, Shape(sessions=1400, symbols=3, quarters=60, trouble=0.3))
    before = values_of(panel_of(market), names)
    assert not any(np.isnan(values[:1390]).all() for values in before)
    for cut in (1300, 1390):
        other = another_future(market, cut, np.random.default_rng(cut))
        assert moved(before, values_of(panel_of(other), names), cut, names) == []
        assert moved(before, values_of(panel_of(no_future(market, cut)), names), cut, names) == []


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    cut=st.integers(5, 43),
    formulas=st.lists(random_formulas, min_size=25, max_size=25),
)
def test_the_future_moves_no_formula(seed: int, cut: int, formulas: list[str], panel_of: PanelOf) -> None:
    market = random_market(seed, Shape(sessions=45, symbols=6, quarters=14, trouble=2.0))
    before = values_of(panel_of(market), formulas)
    other = another_future(market, cut, np.random.default_rng(seed))
    assert moved(before, values_of(panel_of(other), formulas), cut, formulas) == []
    assert moved(before, values_of(panel_of(no_future(market, cut)), formulas), cut, formulas) == []
