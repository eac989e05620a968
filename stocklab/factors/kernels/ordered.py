"""Windows kept sorted while they move: quantile, tail mean, top mean, percentile of today."""

# ruff: noqa: PLR0124, PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray

__all__ = ["ordered_window", "quantile_of"]


@jit
def ordered_window(code: int, x: FloatArray, n: int, m: int, p: float, out: FloatArray, scratch: FloatArray) -> None:
    """``scratch`` holds n values; ``p`` is the quantile, or the count of ttopmean."""
    count = 0
    for t in range(x.size):
        leaves = t >= n and x[t - n] == x[t - n]
        if x[t] == x[t]:
            if leaves:
                _replace(scratch, count, x[t - n], x[t])
            else:
                _insert(scratch, count, x[t])
                count += 1
        elif leaves:
            _remove(scratch, count, x[t - n])
            count -= 1
        out[t] = np.nan if count < m else _value(code, scratch, count, x[t], p)


@jit
def _value(code: int, ordered: FloatArray, count: int, today: float, p: float) -> float:
    if code == op.TQUANTILE:
        return quantile_of(ordered, count, p)
    if code == op.TTAILMEAN:
        limit = quantile_of(ordered, count, p)
        size = upper_bound(ordered, count, limit)
        total = 0.0
        for i in range(size):
            total += ordered[i]
        return float(total / size) if size > 0 else np.nan
    if code == op.TTOPMEAN:
        size = int(p)
        if count < size:
            return np.nan
        total = 0.0
        for i in range(count - 1, count - size - 1, -1):
            total += ordered[i]
        return float(total / size)
    if today != today or count < 2:
        return np.nan
    below = lower_bound(ordered, count, today)
    equal = upper_bound(ordered, count, today) - below - 1
    return float((below + 0.5 * equal) / (count - 1))


@jit
def quantile_of(ordered: FloatArray, count: int, p: float) -> float:
    """Linear interpolation between order statistics, position (count-1)*p."""
    position = (count - 1) * p
    below = int(position)
    part = position - below
    if part == 0.0:
        return float(ordered[below])
    return float(ordered[below] + part * (ordered[below + 1] - ordered[below]))


@jit
def lower_bound(ordered: FloatArray, count: int, value: float) -> int:
    """Number of values smaller than ``value``. Counting all is faster than searching: it is vectorised."""
    below = 0
    for i in range(count):
        below += 1 if ordered[i] < value else 0
    return below


@jit
def upper_bound(ordered: FloatArray, count: int, value: float) -> int:
    """Number of values not larger than ``value``."""
    below = 0
    for i in range(count):
        below += 1 if ordered[i] <= value else 0
    return below


@jit
def _insert(ordered: FloatArray, count: int, value: float) -> None:
    place = lower_bound(ordered, count, value)
    for i in range(count, place, -1):
        ordered[i] = ordered[i - 1]
    ordered[place] = value


@jit
def _remove(ordered: FloatArray, count: int, value: float) -> None:
    for i in range(lower_bound(ordered, count, value), count - 1):
        ordered[i] = ordered[i + 1]


@jit
def _replace(ordered: FloatArray, count: int, old: float, new: float) -> None:
    """Only what lies between the two moves."""
    place = lower_bound(ordered, count, old)
    goal = lower_bound(ordered, count, new)
    if goal > place:
        for i in range(place, goal - 1):
            ordered[i] = ordered[i + 1]
        ordered[goal - 1] = new
    else:
        for i in range(place, goal, -1):
            ordered[i] = ordered[i - 1]
        ordered[goal] = new
