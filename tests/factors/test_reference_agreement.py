"""All 306 factors, every function and random formulas: the engine against the slow evaluator of `reference`.

Tolerance: 1e-9, relative to the larger of the value and the median size of the formula's values on that panel (a value
near zero is a difference of such sizes; section 5 measures TA-Lib the same way). No factor needs more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import Filings, Market, Reference
from reference.documents import DERIVED, FACTORS, ITEMS, PARAMETERS
from reference.formulas import EVERY_FUNCTION, random_formulas
from reference.markets import Shape, random_market

from stocklab.data.fundamentals_build import restate
from stocklab.factors import CATALOGUE, FUNCTIONS, Wanted, evaluate
from stocklab.factors import vocabulary as product
from stocklab.market.panel import Panel

TOLERANCE = 1e-9
LONG = [name for name, factor in FACTORS.items() if factor.daily > 290]  # windows of three and five years
SEEDS = st.integers(0, 2**32 - 1)


def differences(market: Market, panel: Panel, formulas: Sequence[str]) -> tuple[list[str], set[str]]:
    """What disagrees, in words; and which formulas have a value anywhere."""
    reference = Reference(market)
    wrong, seen = [], set()
    for formula, found in zip(formulas, evaluate([Wanted(each, "value") for each in formulas], panel), strict=True):
        expected = reference.values(formula)
        known = ~np.isnan(expected)
        if known.any():
            seen.add(formula)
        size = np.maximum(np.abs(expected), np.median(np.abs(expected[known])) if known.any() else 0.0)
        bad = np.isnan(found) == known
        bad |= np.abs(found - expected) > TOLERANCE * size
        if bad.any():
            t, column = np.argwhere(bad)[0]
            cell = f"{market.sessions[t]} {market.symbols[column]}"
            wrong.append(f"{formula} in {bad.sum()} cells, first {cell}: {found[t, column]} != {expected[t, column]}")
    return wrong, seen


def test_the_reference_reads_what_the_product_reads() -> None:
    assert {name: row.formula for name, row in FACTORS.items()} == {f.id: f.formula for f in CATALOGUE.values()}
    assert {row.name: row.formula for row in product.DERIVED.values()} == DERIVED
    assert {row.name: row.default for row in product.PARAMETERS.values()} == PARAMETERS
    assert {item: kind == "flow" for item, kind in ITEMS.items()} == {
        row.name: row.flow for row in product.ITEMS.values()
    }
    called = {name for name in FUNCTIONS for formula in EVERY_FUNCTION if f"{name}(" in formula}
    assert called == set(FUNCTIONS)


def test_every_factor_has_values_and_agrees(
    year_market: Market, year_panel: Panel, panel_of: Callable[[Market], Panel]
) -> None:
    """A year of eight companies for all, 1,400 sessions of three for the windows of three and five years."""
    wrong, seen = differences(year_market, year_panel, [*FACTORS, *EVERY_FUNCTION])
    assert wrong == []
    long_market = random_market(6, Shape(sessions=1400, symbols=3, quarters=60, trouble=0.3))
    wrong, seen_long = differences(long_market, panel_of(long_market), LONG)
    assert wrong == []
    assert sorted({*FACTORS, *EVERY_FUNCTION} - seen - seen_long) == []


@pytest.mark.no_cover  # what the slow evaluator does here it does above
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=SEEDS,
    sessions=st.integers(40, 90),
    symbols=st.integers(5, 8),
    quarters=st.sampled_from([3, 9, 26]),
    trouble=st.sampled_from([0.0, 1.0, 4.0]),
)
def test_random_markets(
    seed: int, sessions: int, symbols: int, quarters: int, trouble: float, panel_of: Callable[[Market], Panel]
) -> None:
    market = random_market(seed, Shape(sessions=sessions, symbols=symbols, quarters=quarters, trouble=trouble))
    wrong, _ = differences(market, panel_of(market), [*FACTORS, *EVERY_FUNCTION])
    assert wrong == []


@pytest.mark.no_cover  # what the slow evaluator does here it does above
# the same formulas each time: once in thousands one takes the difference of two equal means, which is all rounding
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=SEEDS, formulas=st.lists(random_formulas, min_size=10, max_size=10))
def test_random_formulas(seed: int, formulas: list[str], panel_of: Callable[[Market], Panel]) -> None:
    market = random_market(seed, Shape(sessions=45, symbols=6, quarters=14))
    wrong, _ = differences(market, panel_of(market), formulas)
    assert wrong == []


def test_universes_rank_apart(year_market: Market, year_panel: Panel) -> None:
    """Cross-sections over a part of the market."""
    rng = np.random.default_rng(3)
    universe = rng.random(year_market.listed.shape) < 0.7
    reference = Reference(year_market, universe=universe)
    for formula in ("xrank(per,1)", "xzr(xpct(roe))", "xmedian_by(ret1,sector)", "magic_formula_rank"):
        (found,) = evaluate([Wanted(formula, "value")], year_panel, universe=universe)
        np.testing.assert_allclose(found, reference.values(formula), rtol=1e-9, atol=1e-12, err_msg=formula)


def test_restated_mode_is_the_latest_numbers_from_the_first_filing(panel_of: Callable[[Market], Panel]) -> None:
    market = random_market(14, Shape(sessions=60, symbols=8, quarters=14, trouble=3.0))
    panel = panel_of(market)
    assert panel.fundamentals is not None
    hindsight = restate(panel.fundamentals, panel.sessions, panel.fields["market"])
    assert hindsight.restated.any()
    first: dict[tuple[object, ...], date] = {}
    latest: dict[tuple[object, ...], dict[str, object]] = {}
    for row in sorted(market.filings.statements, key=lambda row: row["filed_on"]):
        report = (row["symbol"], row["period_end"], row["statement_basis"])
        first.setdefault(report, row["filed_on"])
        latest[*report, row["item"], row["months"]] = {**row, "filed_on": first[report]}
    known_at_once = Filings(list(latest.values()), market.filings.events)
    changed = replace(panel, fundamentals=hindsight)
    of_statements = [name for name, factor in FACTORS.items() if factor.quarters]
    wrong, seen = differences(replace(market, filings=known_at_once), changed, of_statements)
    assert wrong == []
    assert {"per", "roe", "f_score"} <= seen


def test_quarters_nobody_reported_are_null(panel_of: Callable[[Market], Panel]) -> None:
    """The quarter axis begins with the oldest visible report; ``nz`` fills gaps inside it, not the time before.

    Before, a value depended on how long the histories of other companies, and of later filings, were.
    """
    market = random_market(2, Shape(sessions=60, symbols=3, quarters=3, trouble=0.0))
    end = date(2016, 9, 30)
    row = {"symbol": market.symbols[0], "period_end": end, "fiscal_year": 2016, "fiscal_quarter": 3}
    row |= {"statement_basis": "CFS", "filed_on": end + timedelta(days=45), "item": "cfo", "months": 3, "amount": 7.0}
    other = {**row, "symbol": market.symbols[1]}
    older = {**other, "period_end": date(1999, 12, 31), "filed_on": market.sessions[-1]}
    market = replace(market, filings=Filings([row, other, older], []))
    formulas = ["nz(qtr(cfo))", "qlag(nz(qtr(cfo)),2)", "qstreak(nz(qtr(cfo))>=0)", "qlag(nz(qtr(cfo)),60)"]
    wrong, _ = differences(market, panel_of(market), formulas)
    assert wrong == []
    values = evaluate([Wanted(formula, "value") for formula in formulas], panel_of(market))
    np.testing.assert_array_equal([table[5, 0] for table in values], [7.0, np.nan, 1.0, np.nan])


def test_filings_before_the_first_listing_and_in_a_hole(panel_of: Callable[[Market], Panel]) -> None:
    """KONEX issuers are known by the market of the first session that shows the report."""
    market = random_market(2, Shape(sessions=60, symbols=5, quarters=12, trouble=0.0))
    listed = market.listed.copy()
    listed[:20, 4] = False
    codes = market.market.copy()
    codes[:20, 4] = ""
    market = replace(market, listed=listed, market=codes)
    assert market.market[30, 4] == "KONEX"
    wrong, seen = differences(market, panel_of(market), ["per", "ttm(cfo)", "qtr(cfo)", "days_since_filing"])
    assert wrong == []
    (found,) = evaluate([Wanted("ttm(cfo)", "value")], panel_of(market))
    assert not np.isnan(found[20:, 4]).any()
    assert "qtr(cfo)" in seen


@pytest.mark.parametrize("month", [12, 3, 2])
def test_fiscal_years_that_end_in_any_month(month: int, panel_of: Callable[[Market], Panel]) -> None:
    """Quarter ends of February share no day with those of December, and are four apart all the same."""
    market = random_market(9, Shape(sessions=50, symbols=7, quarters=14, trouble=0.0))
    column = {12: 0, 3: 2, 2: 6}[month]
    own = market.filings.of(market.symbols[column])
    assert {row["period_end"].month for row in own.statements if row["fiscal_quarter"] == 4} == {month}
    (found,) = evaluate([Wanted("growth(ttm(revenue),ttm(revenue,4))", "value")], panel_of(market))
    expected = Reference(market).values("growth(ttm(revenue),ttm(revenue,4))")
    np.testing.assert_allclose(found[:, column], expected[:, column], rtol=1e-9)
    assert not np.isnan(expected[:, column]).any()
