"""Golden numbers of docs/factors.md section 9, read from its table: all factors computed from prices, as printed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from reference import Filings, Market, Reference
from reference.documents import FACTORS, GOLDEN

from stocklab.factors import Wanted, evaluate, evaluate_series
from stocklab.market.panel import Panel

BARS = [270, 299]
DIGITS = 10  # significant digits of the table, trailing zeros left out


def printed(values: np.ndarray) -> tuple[str, ...]:
    """As the table writes numbers."""
    return tuple(f"{value:.{DIGITS}g}" for value in values)


def test_series_has_the_published_check_sums(golden_columns: dict[str, np.ndarray]) -> None:
    sums = [golden_columns[name].sum() for name in ("close", "open", "high", "low", "volume")]
    assert sums == [6_601_030, 6_596_470, 6_688_540, 6_509_130, 45_469_736]
    assert (golden_columns["close"][1], golden_columns["close"][299]) == (20130, 24550)


def test_the_table_is_read_whole() -> None:
    assert len(GOLDEN) == 90
    assert set(GOLDEN) <= set(FACTORS)


@pytest.mark.parametrize("factor", GOLDEN)
def test_golden_value(factor: str, golden_columns: dict[str, np.ndarray]) -> None:
    assert printed(evaluate_series(factor, golden_columns)[BARS]) == GOLDEN[factor]


def test_golden_values_together_on_a_panel(
    golden_columns: dict[str, np.ndarray], make_panel: Callable[..., Panel]
) -> None:
    fields = {name: values.reshape(-1, 1) for name, values in golden_columns.items() if name not in ("mkt_close", "rf")}
    panel = make_panel(fields, indices={"KOSPI": golden_columns["mkt_close"]}, rf=golden_columns["rf"])
    results = evaluate([Wanted(factor, "value") for factor in GOLDEN], panel)
    assert {factor: printed(table[BARS, 0]) for factor, table in zip(GOLDEN, results, strict=True)} == GOLDEN


def test_the_reference_evaluator_gives_them_too(golden_columns: dict[str, np.ndarray]) -> None:
    """Whoever checks the engine is checked first."""
    bars = len(golden_columns["close"])
    market = Market(
        sessions=[date(2020, 1, 1) + timedelta(days=n) for n in range(bars)],
        symbols=["000000"],
        fields={name: values.reshape(-1, 1) for name, values in golden_columns.items()},
        listed=np.ones((bars, 1), dtype=np.bool_),
        market=np.full((bars, 1), "KOSPI", dtype=object),
        indices={},
        rf=golden_columns["rf"],
        sectors=("",),
        financial=(False,),
        calendar=[],
        filings=Filings([], []),
    )
    reference = Reference(market)
    assert {factor: printed(reference.values(factor)[BARS, 0]) for factor in GOLDEN} == GOLDEN
