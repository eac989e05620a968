"""Compiling ahead reaches every kernel that a preset needs, on both price bases."""

from __future__ import annotations

from stocklab.backtest.kernel import walk
from stocklab.data.compile_ahead import compile_engine
from stocklab.factors.kernels.machine import run_lines


def test_compiling_ahead_reaches_both_bases_so_that_later_runs_compile_nothing() -> None:
    assert (
        compile_engine() == 57
    )  # 29 presets on the raw bars, and all but the one that reads dividends on the adjusted
    before = [len(kernel.signatures) for kernel in (walk, run_lines)]
    assert min(before) >= 1
    compile_engine()
    assert [len(kernel.signatures) for kernel in (walk, run_lines)] == before
