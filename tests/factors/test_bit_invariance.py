"""The same bits of every factor and function, whatever is asked beside it, in which order, and however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from reference.documents import FACTORS
from reference.formulas import EVERY_FUNCTION

from stocklab.factors import Wanted, evaluate
from stocklab.market.panel import Panel

FORMULAS = [*FACTORS, *EVERY_FUNCTION]


def bits(panel: Panel, formulas: list[str], **cut: int) -> dict[str, bytes]:
    values = evaluate([Wanted(formula, "value") for formula in formulas], panel, **cut)
    return {formula: found.tobytes() for formula, found in zip(formulas, values, strict=True)}


def others(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    return [formula for formula, each in found.items() if each != expected[formula]]


@pytest.fixture(scope="module")
def expected(year_panel: Panel) -> dict[str, bytes]:
    return bits(year_panel, FORMULAS)


def test_order_of_the_formulas(year_panel: Panel, expected: dict[str, bytes]) -> None:
    assert others(expected, bits(year_panel, FORMULAS[::-1])) == []
    shuffled = np.random.default_rng(1).permutation(FORMULAS).tolist()
    for first in range(0, len(shuffled), 40):
        assert others(expected, bits(year_panel, shuffled[first : first + 40])) == []


def test_alone(year_panel: Panel, expected: dict[str, bytes]) -> None:
    for formula in FORMULAS:
        assert others(expected, bits(year_panel, [formula])) == []


@pytest.mark.parametrize(
    ("threads", "tile_symbols", "tile_sessions"),
    [(1, 256, 16), (2, 256, 16), (3, 256, 16), (1, 1, 1), (2, 3, 7), (3, 1000, 1000), (2, 5, 290), (3, 2, 64)],
)
def test_threads_and_tiles(
    threads: int, tile_symbols: int, tile_sessions: int, year_panel: Panel, expected: dict[str, bytes]
) -> None:
    found = bits(year_panel, FORMULAS, threads=threads, tile_symbols=tile_symbols, tile_sessions=tile_sessions)
    assert others(expected, found) == []


def test_conditions_are_the_values(year_panel: Panel, expected: dict[str, bytes]) -> None:
    """A rule such as ``roe > 15`` holds exactly where the value says so; a null never does."""
    conditions = evaluate([Wanted(formula, "condition") for formula in FORMULAS], year_panel)
    shape = (year_panel.n_sessions, year_panel.n_symbols)
    for formula, condition in zip(FORMULAS, conditions, strict=True):
        value = np.frombuffer(expected[formula]).reshape(shape)
        np.testing.assert_array_equal(condition, ~np.isnan(value) & (value != 0), err_msg=formula)
