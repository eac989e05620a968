"""Compiling ahead reaches every kernel that a preset needs, on both price bases."""

from __future__ import annotations

from stocklab.backtest.kernel import walk
from stocklab.data.compile_ahead import compile_engine
from stocklab.factors.kernels.machine import run_lines
from stocklab.research.compile_ahead import compile_sweeps
from stocklab.research.packed import (
    fill_entry,
    fill_exit_codes,
    order_by_score,
    pack_comparison,
    pack_known,
    pack_rows,
)


def test_compiling_ahead_reaches_both_bases_so_that_later_runs_compile_nothing() -> None:
    # 29 presets on the raw bars, all but the one that reads dividends on the adjusted, and a strategy of coins
    assert compile_engine() == 58
    before = [len(kernel.signatures) for kernel in (walk, run_lines)]
    assert min(before) >= 1
    compile_engine()
    assert [len(kernel.signatures) for kernel in (walk, run_lines)] == before


def test_compiling_sweeps_ahead_reaches_their_kernels() -> None:
    assert compile_sweeps() == 112
    kernels = (fill_entry, fill_exit_codes, order_by_score, pack_comparison, pack_known, pack_rows)
    before = [len(kernel.signatures) for kernel in kernels]
    assert min(before) >= 1
    compile_sweeps()
    assert [len(kernel.signatures) for kernel in kernels] == before
