"""Windows in which all n values must be non-null: sum, mean, deviation, maximum, minimum.

The line is cut into blocks of n bars. A window is the end of one block and the beginning of the next, so each value
is the suffix of the finished block joined with the prefix of the running one. No value is ever taken out of a sum:
there is no drift, and a null or an outlier leaves no trace once it is outside. Source: van Herk 1992.
"""

# ruff: noqa: PLR0124, PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray

__all__ = ["full_window"]


@jit
def full_window(code: int, x: FloatArray, n: int, ddof: int, out: FloatArray, scratch: FloatArray) -> None:
    """Nulls spread through the sums by themselves; ``scratch`` holds 4n values."""
    if n > out.size:
        out[:] = np.nan
        return
    if code == op.TSUM:
        _sums(x, n, 1.0, out, scratch)
    elif code == op.TMEAN:
        _sums(x, n, float(n), out, scratch)
    elif code == op.TSTD:
        _deviations(x, n, float(n - ddof), out, scratch)
    elif code == op.TMAX:
        _largest(x, n, 1.0, out, scratch)
    elif code == op.TMIN:
        _largest(x, n, -1.0, out, scratch)


@jit
def _sums(x: FloatArray, n: int, divisor: float, out: FloatArray, suffix: FloatArray) -> None:
    for start in range(0, x.size, n):
        block = x[start : min(start + n, x.size)]  # slices from 0: the compiler sees no negative index
        result = out[start : start + block.size]
        total = 0.0
        for r in range(block.size):
            total += block[r]
            result[r] = total
        if start > 0:
            for r in range(block.size):  # a loop of its own: this one is vectorised
                result[r] = (result[r] + suffix[r]) / divisor
        suffix[n - 1] = 0.0
        total = 0.0
        for i in range(block.size - 1):
            total += block[block.size - 1 - i]
            suffix[block.size - 2 - i] = total
    out[n - 1] /= divisor
    out[: n - 1] = np.nan


@jit
def _deviations(x: FloatArray, n: int, divisor: float, out: FloatArray, scratch: FloatArray) -> None:
    """Sums of deviations from the first bar of the running block, which lies in every window that ends in the block.

    So the sums of a flat window are exactly 0, and the subtraction loses at most a factor n of precision.
    """
    sums, squares = scratch[:n], scratch[n : 2 * n]
    older_sums, older_squares = scratch[2 * n : 3 * n], scratch[3 * n : 4 * n]
    for start in range(0, x.size, n):
        block = x[start : min(start + n, x.size)]
        pivot = block[0]
        older_sums[:] = 0.0
        older_squares[:] = 0.0
        if start > 0:
            older = x[start - n : start]
            total, square = 0.0, 0.0
            for i in range(n - 1):
                gap = older[n - 1 - i] - pivot
                total += gap
                square += gap * gap
                older_sums[n - 2 - i] = total
                older_squares[n - 2 - i] = square
        total, square = 0.0, 0.0
        for r in range(block.size):
            gap = block[r] - pivot
            total += gap
            square += gap * gap
            sums[r] = total
            squares[r] = square
        result = out[start : start + block.size]
        for r in range(block.size):  # a loop of its own: this one is vectorised
            total = sums[r] + older_sums[r]
            rest = squares[r] + older_squares[r] - total * total / n
            result[r] = math.sqrt((0.0 if rest < 0.0 else rest) / divisor)
    out[: n - 1] = np.nan


@jit
def _largest(x: FloatArray, n: int, sign: float, out: FloatArray, suffix: FloatArray) -> None:
    for start in range(0, x.size, n):
        block = x[start : min(start + n, x.size)]
        result = out[start : start + block.size]
        best = -np.inf
        for r in range(block.size):
            value = sign * block[r]
            best = value if value > best or value != value else best
            result[r] = best
        if start > 0:
            for r in range(block.size):
                older = suffix[r]
                result[r] = older if older > result[r] or older != older else result[r]
        suffix[n - 1] = -np.inf
        best = -np.inf
        for i in range(block.size - 1):
            value = sign * block[block.size - 1 - i]
            best = value if value > best or value != value else best
            suffix[block.size - 2 - i] = best
    for t in range(out.size):
        out[t] = sign * out[t]
    out[: n - 1] = np.nan
