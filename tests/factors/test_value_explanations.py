"""Why a value is what it is: the worked example of docs/factors.md 8, part by part, and agreement with `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.data import Store, open_panel
from stocklab.data.datasets import conform
from stocklab.data.fundamentals_build import fundamentals_of
from stocklab.errors import InputError
from stocklab.factors import CATALOGUE, FUNCTIONS, Wanted, check, evaluate
from stocklab.factors.explain_parts import How
from stocklab.factors.explain_quarters import Origin
from stocklab.factors.explain_value import Explanation, ValueNode, explain_value
from stocklab.factors.input_info import INPUTS, NEEDS
from stocklab.factors.latex import latex
from stocklab.factors.some_sessions import values_on
from stocklab.factors.status import State, catalogue_status, status_of
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS, PARAMETERS
from stocklab.market.panel import Panel

EOK = 1e8
ENDS = {"24Q1": "2024-03-31", "24Q2": "2024-06-30", "24Q3": "2024-09-30", "24Q4": "2024-12-31", "25Q1": "2025-03-31"}
FILED = {"24Q1": "2024-05-14", "24Q2": "2024-08-14", "24Q3": "2024-11-14", "24Q4": "2025-03-18", "25Q1": "2025-05-15"}


def amount(quarter: str, item: str, months: int, value: float, **given: Any) -> dict[str, Any]:
    return {
        "symbol": "000000",
        "period_end": date.fromisoformat(ENDS[quarter]),
        "fiscal_year": 2000 + int(quarter[:2]),
        "fiscal_quarter": int(quarter[3]),
        "statement_basis": "CFS",
        "filed_on": date.fromisoformat(FILED[quarter]),
        "filed_source": given.get("source", "receipt"),
        "filing_no": "",
        "months": months,
        "item": item,
        "amount": value,
    }


@pytest.fixture(scope="module")
def example(make_panel: Callable[..., Panel]) -> Panel:
    """예시전자 of section 8 on 2025-05-20, and a second stock without reports."""
    profit = {"24Q2": 22.6, "24Q3": 24.8, "24Q4": 27.2, "25Q1": 23.4}
    rows = [amount(quarter, "net_income_parent", 3, value * EOK) for quarter, value in profit.items()]
    # revenue: the year and nine months are told to date only, 24Q1 was 250
    rows += [amount("24Q1", "revenue", 3, 250 * EOK), amount("24Q2", "revenue", 3, 270 * EOK)]
    rows += [amount("24Q3", "revenue", 3, 290 * EOK), amount("24Q3", "revenue", 9, 810 * EOK)]
    rows += [amount("24Q4", "revenue", 12, 1120 * EOK), amount("25Q1", "revenue", 3, 280 * EOK, source="deadline")]
    rows += [amount(quarter, "shares_issued", 0, 4e6) for quarter in ("24Q1", "24Q2", "24Q3", "24Q4")]
    rows += [amount("25Q1", "shares_issued", 0, 2e7)]
    events = pl.DataFrame(
        {"session": [date(2025, 1, 20)], "symbol": ["000000"], "kind": ["split"], "ratio": [5.0]},
        schema_overrides={"session": pl.Date},
    )
    sessions = np.array(["2025-05-14", "2025-05-15", "2025-05-16", "2025-05-19", "2025-05-20"], dtype="datetime64[D]")
    shape = (len(sessions), 2)
    close = np.array([[8800.0, 100], [8900, 110], [9100, 120], [8950, 130], [9000, 140]])
    fields = {
        "close": close,
        "mcap": np.full(shape, 1800 * EOK),
        "mcap_pref": np.full(shape, 40 * EOK),
    }
    panel = make_panel(fields, sessions=sessions, sectors=("전기전자", "은행"))
    financial = np.array([False, True])
    known = fundamentals_of(conform("statements", pl.DataFrame(rows)), events, panel.symbols, sessions, None)
    return replace(panel, fundamentals=known, instruments=replace(panel.instruments, financial=financial))


def every(node: ValueNode) -> Iterator[ValueNode]:
    yield node
    for inner in node.below:
        yield from every(inner)


def explained(panel: Panel, formula: str, symbol: str = "000000") -> Explanation:
    return explain_value(formula, panel, symbol, panel.n_sessions - 1)


def test_per_is_market_cap_over_four_quarters(example: Panel) -> None:
    found = explained(example, "per")
    assert found.value == pytest.approx(18.7755, abs=5e-5)
    assert (found.session, found.listed) == (date(2025, 5, 20), True)
    market, profit = found.top.below
    assert (market.part.name, market.value) == ("mcap_all", 1840 * EOK)
    assert [(part.part.name, part.value) for part in market.below] == [("mcap", 1800 * EOK), ("mcap_pref", 40 * EOK)]
    assert profit.value == pytest.approx(98.0 * EOK)  # pos() changed nothing and is not shown
    assert profit.statement is not None
    assert [quarter.value for quarter in profit.statement.quarters] == [22.6e8, 24.8e8, 27.2e8, 23.4e8]
    assert [str(quarter.filed_on) for quarter in profit.statement.quarters] == [*FILED.values()][1:]
    assert {quarter.consolidated for quarter in profit.statement.quarters} == {True}


def test_a_fourth_quarter_shows_the_year_and_what_was_taken_away(example: Panel) -> None:
    (node,) = explained(example, "psr").top.below[1:]
    assert node.statement is not None
    assert node.value == pytest.approx(1150 * EOK)
    third, fourth, first = node.statement.quarters[1:]
    assert (third.origin, third.value) == (Origin.QUARTER, 290 * EOK)
    assert (fourth.origin, fourth.value, fourth.reported, fourth.before) == (
        *(Origin.DIFFERENCE, 310 * EOK),
        *(1120 * EOK, 810 * EOK),
    )
    assert [first.from_deadline, fourth.from_deadline] == [True, False]


def test_share_counts_before_a_split_say_by_what_they_were_multiplied(example: Panel) -> None:
    found = explained(example, "mrq(shares_issued,4)").top
    assert found.statement is not None
    (then,) = found.statement.quarters
    assert (found.value, then.reported, then.share_factor) == (2e7, 4e6, 5.0)
    now = explained(example, "mrq(shares_issued)").top
    assert now.statement is not None
    assert (now.value, now.statement.quarters[0].share_factor) == (2e7, 1.0)


def test_a_report_is_behind_a_value_from_its_day_on(example: Panel) -> None:
    before = explain_value("per", example, "000000", 0)
    assert np.isnan(before.value)  # 24Q1 to 24Q4: the profit of 24Q1 was not given
    assert before.view is not None
    assert str(before.view.since) == FILED["24Q4"]
    after = explain_value("per", example, "000000", 1)
    assert not np.isnan(after.value)
    assert after.view is not None
    assert str(after.view.since) == FILED["25Q1"]


def test_windows_tell_first_and_last_bar_and_count(example: Panel) -> None:
    node = explained(example, "sma(close,3)").top
    (window,) = node.windows
    assert (window.size, window.known) == (3, 3)
    assert [(str(point.on), point.value) for point in window.points] == [("2025-05-16", 9100), ("2025-05-20", 9000)]
    highest = explained(example, "tmax(close,4)").top.windows[0]
    assert [(str(point.on), point.value) for point in highest.points][1] == ("2025-05-16", 9100)
    early = explained(example, "sma(close,20)").top
    assert np.isnan(early.value)
    assert (early.windows[0].size, early.windows[0].known) == (20, 5)
    moved = explained(example, "lag(close,2)").top
    assert (moved.part.bars_back, moved.value) == (2, 9100)


def test_ranks_tell_place_and_number(example: Panel) -> None:
    node = explained(example, "xpct(close)").top
    assert node.rank is not None
    assert (node.value, node.rank.place, node.rank.count) == (1.0, 1.0, 2)


def test_what_makes_a_value_null_is_named(example: Panel) -> None:
    lacking = [node.missing for node in every(explained(example, "ev_ebitda").top) if node.missing]
    assert ("dep_amort",) in lacking
    assert explained(example, "operating_margin", "000001").top.financial
    assert explained(example, "per", "000001").view is None
    with pytest.raises(InputError, match="999999"):
        explained(example, "per", "999999")


@pytest.fixture(scope="module")
def demo(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home))


def test_explained_values_are_those_of_the_engine_for_every_factor(demo: Panel) -> None:
    row, column = demo.n_sessions - 40, 17
    for factor in CATALOGUE:
        expected = evaluate([Wanted(factor, "value")], demo)[0][row, column]
        found = explain_value(factor, demo, demo.symbols[column], row).value
        np.testing.assert_array_equal(found, expected, err_msg=factor)


@pytest.mark.parametrize("factor", ["f_score", "qmj_score", "magic_formula_rank", "rsi_14", "peg_ratio", "roic"])
def test_every_part_is_the_engine_s_value_of_its_formula(demo: Panel, factor: str) -> None:
    row, column = demo.n_sessions - 1, demo.column("D00010")
    nodes = list(every(explain_value(factor, demo, demo.symbols[column], row).top))
    texts = list(dict.fromkeys(node.part.formula for node in nodes))
    tables = dict(zip(texts, evaluate([Wanted(text, "value") for text in texts], demo), strict=True))
    for node in nodes:
        expected = tables[node.part.formula][row - node.part.bars_back, column]
        np.testing.assert_array_equal(node.value, expected, err_msg=node.part.formula)
    amounts = [node for node in nodes if node.statement is not None and node.part.function == "ttm"]
    for node in amounts:
        assert node.statement is not None
        total = sum(quarter.value for quarter in node.statement.quarters)
        assert total == pytest.approx(node.value, rel=1e-12, nan_ok=True)
    assert len(amounts) >= {"rsi_14": 0}.get(factor, 1)


def test_a_few_sessions_have_the_bits_of_all(demo: Panel) -> None:
    rows = np.array([400, 1500, demo.n_sessions - 1])
    ranked = [factor for factor in CATALOGUE if check(factor).cross_sectional]
    others = [
        "per",
        "days_since_filing",
        "turn_of_month",
        "up_streak",
        "obv",
        "xrank(close)+cal_tdleft",
        "roe>xpct(tv)",
    ]
    others = [formula for formula in others if formula in CATALOGUE or not formula.isidentifier()]
    for formula in [*ranked, *others, "sma(xpct(close),5)", "lag(xrank(tv),3)*2"]:
        expected = evaluate([Wanted(formula, "value")], demo)[0][rows]
        np.testing.assert_array_equal(values_on(demo, [formula], rows)[formula], expected, err_msg=formula)


def test_a_few_sessions_rank_among_the_universe_as_all_do(demo: Panel) -> None:
    rows = np.array([400, demo.n_sessions - 1])
    universe = np.random.default_rng(3).random((demo.n_sessions, demo.n_symbols)) < 0.3
    for formula in ("xrank(close)+1", "xpct(sma(tv,5))>0.5", "lag(xrank(tv),3)*2", "magic_formula_rank"):
        expected = evaluate([Wanted(formula, "value")], demo, universe=universe)[0][rows]
        found = values_on(demo, [formula], rows, universe=universe)[formula]
        np.testing.assert_array_equal(found, expected, err_msg=formula)
        assert np.isnan(found[~universe[rows]]).any(), "outside of the universe there is no rank"


def test_status_says_what_a_panel_lacks(example: Panel) -> None:
    found = catalogue_status(example)
    assert list(found) == list(CATALOGUE)
    assert found["per"].state is State.COMPUTED
    assert (found["pbr"].state, found["pbr"].missing) == (State.LACKING, ("equity_parent",))
    assert status_of("nz(ttm(cfo))+close", example).state is State.PARTIAL


def test_every_input_has_a_meaning_in_both_languages() -> None:
    assert set(INPUTS) == {*FIELDS, *ITEMS, *PARAMETERS, *DERIVED}
    for info in INPUTS.values():
        assert info.meaning_ko
        assert info.meaning_en
        assert all(NEEDS[info.need]) or info.need == "nothing"


def test_every_factor_can_be_set_as_a_formula() -> None:
    for factor in CATALOGUE.values():
        text = latex(factor.formula, lambda name: name, "en")
        assert text.count("{") == text.count("}")
        assert text.count(r"\left") == text.count(r"\right")
    assert latex("close>sma(close,20)", str.upper, "ko") == (
        r"\text{CLOSE} > \operatorname{sma}_{20}\left(\text{CLOSE}\right)"
    )
    assert latex("-(close-open)*2", str, "en") == r"-\left(\text{close} - \text{open}\right) \times 2"
    assert set(How) >= {How.CUT, How.REPEATED}
    assert "sma" in FUNCTIONS
