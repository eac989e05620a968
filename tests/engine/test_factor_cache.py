"""The factor cache returns what computing returns, survives damage and keeps its budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stocklab.data import Store, open_panel
from stocklab.data.factor_cache import CachedSource, flush
from stocklab.data.factor_warm import warm_factors
from stocklab.errors import Cancelled
from stocklab.factors import DirectSource, Wanted
from stocklab.market.panel import Panel

WANTED = [
    Wanted("close>sma(close,20)", "condition"),
    Wanted("rsi_14", "value"),
    Wanted("xpct(ret_1m)", "value"),
]


@pytest.fixture(scope="module")
def panel(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home))


def cached_files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "factors").glob("*/*.npy"))


def test_cold_and_warm_answers_equal_direct_computation_bit_for_bit(panel: Panel, tmp_path: Path) -> None:
    direct = DirectSource(panel).compute(WANTED)
    cold = CachedSource(panel, tmp_path)
    first = cold.compute(WANTED)
    flush()
    warm = CachedSource(panel, tmp_path)
    second = warm.compute(WANTED)
    assert (cold.hits, cold.misses, warm.hits, warm.misses) == (0, 3, 3, 0)
    for expected, one, two in zip(direct, first, second, strict=True):
        assert expected.dtype == one.dtype == two.dtype
        np.testing.assert_array_equal(expected, one)
        np.testing.assert_array_equal(expected, two)


def test_a_cross_section_is_remembered_per_universe_and_a_time_series_once(panel: Panel, tmp_path: Path) -> None:
    half = np.zeros((panel.n_sessions, panel.n_symbols), dtype=np.bool_)
    half[:, : panel.n_symbols // 2] = panel.fields["listed"][:, : panel.n_symbols // 2]
    source = CachedSource(panel, tmp_path)
    whole = source.compute(WANTED)
    flush()
    narrow = source.compute(WANTED, half)
    assert source.hits == 2  # the two time series; the percentile depends on who takes part
    assert not np.array_equal(whole[2], narrow[2], equal_nan=True)
    np.testing.assert_array_equal(narrow[2], DirectSource(panel).compute(WANTED, half)[2])


def test_a_damaged_file_is_computed_again(panel: Panel, tmp_path: Path) -> None:
    expected = CachedSource(panel, tmp_path).compute(WANTED)
    flush()
    for file in cached_files(tmp_path):
        file.write_bytes(b"\x93NUMPY cut")
    source = CachedSource(panel, tmp_path)
    again = source.compute(WANTED)
    assert source.misses == 3
    for one, two in zip(expected, again, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_budget_drops_what_was_used_longest_ago(panel: Panel, tmp_path: Path) -> None:
    cell = panel.n_sessions * panel.n_symbols
    budget_mb = max(1, round(2.5 * 8 * cell / 1_000_000))  # room for two float64 arrays, not for three
    source = CachedSource(panel, tmp_path, budget_mb=budget_mb)
    for formula in ("ret_1w", "ret_1m", "ret_3m"):
        source.compute([Wanted(formula, "value")])
        flush()
    assert sum(file.stat().st_size for file in cached_files(tmp_path)) <= budget_mb * 1_000_000
    later = CachedSource(panel, tmp_path, budget_mb=budget_mb)
    later.compute([Wanted("ret_3m", "value")])
    assert later.hits == 1


def test_no_budget_writes_nothing(panel: Panel, tmp_path: Path) -> None:
    CachedSource(panel, tmp_path, budget_mb=0).compute(WANTED[:1])
    flush()
    assert cached_files(tmp_path) == []


def test_warming_leaves_what_a_run_reads_and_names_what_is_missing(panel: Panel, tmp_path: Path) -> None:
    bare = replace(panel, fields={name: values for name, values in panel.fields.items() if name != "mcap"})
    report = warm_factors(bare, tmp_path, ["sma_20", "xrank(ret1)", "market_cap", "rsi_14"], threads=1)
    assert report.computed == ("sma_20", "xrank(ret1)", "rsi_14")
    assert report.missing == {"market_cap": ("mcap",)}
    source = CachedSource(bare, tmp_path)
    wanted = [Wanted(name, "value") for name in report.computed]
    for found, expected in zip(source.compute(wanted), DirectSource(bare).compute(wanted), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (source.hits, source.misses) == (3, 0)


def test_warming_stops_when_asked(panel: Panel, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        warm_factors(panel, tmp_path, ["sma_20"], should_cancel=lambda: True)
