"""Windows over two series: correlation, beta, trend, coskewness. Pairs with a null are left out, at least m are needed.

Blocks and merging as in full.py; the moments of two halves join without subtraction, so a flat window has exactly no
variance and gives null.
"""

# ruff: noqa: PLR0124, PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.factors.kernels.part import part_window
from stocklab.types import FloatArray

__all__ = ["down_beta", "pair_window"]

# what is left below this part of the whole is rounding: an exact fit has no residual, equal days no variance
_EXACT_FIT = 1e-14
_CHUNK = 256
_STATE = 8  # count, mean x, mean y, xx, yy, xy, xxx, xxy


@jit
def pair_window(code: int, x: FloatArray, y: FloatArray, n: int, m: int, out: FloatArray, scratch: FloatArray) -> None:
    """``scratch`` holds 8n values. For tslope and tr2 x is the bar number."""
    timed = code in (op.TSLOPE, op.TR2)
    states = scratch[: _STATE * n].reshape((n, _STATE))
    cubic = code == op.TCOSKEW
    for start in range(0, y.size, n):
        state = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        _keep(states, n - 1, state)
        for i in range(n - 1, 0, -1):
            if start > 0:
                t = start - n + i
                left = float(t) if timed else x[t]
                if left == left and y[t] == y[t]:
                    state = _push(state, left, y[t], cubic)
            _keep(states, i - 1, state)
        state = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for r in range(min(n, y.size - start)):
            t = start + r
            left = float(t) if timed else x[t]
            if left == left and y[t] == y[t]:
                state = _push(state, left, y[t], cubic)
            joined = _joined(states, r, state, cubic)
            out[t] = np.nan if joined[0] < m else _pair_value(code, joined)


@jit
def _keep(states: FloatArray, row: int, state: tuple[float, float, float, float, float, float, float, float]) -> None:
    for i in range(_STATE):
        states[row, i] = state[i]


@jit
def _push(
    state: tuple[float, float, float, float, float, float, float, float], x: float, y: float, cubic: bool
) -> tuple[float, float, float, float, float, float, float, float]:
    count, mean_x, mean_y, xx, yy, xy, xxx, xxy = state
    new = count + 1.0
    gap_x = x - mean_x
    gap_y = y - mean_y
    step_x = gap_x / new
    step_y = gap_y / new
    if cubic:
        xxx += gap_x * step_x * step_x * count * (count - 1.0) - 3.0 * step_x * xx
        xxy += gap_x * step_x * step_y * count * (count - 1.0) - 2.0 * step_x * xy - step_y * xx
    rest_x = gap_x - step_x
    rest_y = gap_y - step_y
    return (
        new,
        mean_x + step_x,
        mean_y + step_y,
        xx + gap_x * rest_x,
        yy + gap_y * rest_y,
        xy + gap_x * rest_y,
        xxx,
        xxy,
    )


@jit
def _joined(
    states: FloatArray,
    row: int,
    a: tuple[float, float, float, float, float, float, float, float],
    cubic: bool,
) -> tuple[float, float, float, float, float, float, float, float]:
    b = states[row]
    if b[0] == 0:
        return a
    if a[0] == 0:
        return b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]
    count = a[0] + b[0]
    gap_x = b[1] - a[1]
    gap_y = b[2] - a[2]
    share_a = a[0] / count
    share_b = b[0] / count
    weight = a[0] * share_b
    xxx = 0.0
    xxy = 0.0
    if cubic:
        xxx = a[6] + b[6] + gap_x * gap_x * gap_x * weight * (share_a - share_b)
        xxx += 3.0 * gap_x * (share_a * b[3] - share_b * a[3])
        xxy = a[7] + b[7] + gap_x * gap_x * gap_y * weight * (share_a - share_b)
        xxy += 2.0 * gap_x * (share_a * b[5] - share_b * a[5]) + gap_y * (share_a * b[3] - share_b * a[3])
    return (
        count,
        a[1] + gap_x * share_b,
        a[2] + gap_y * share_b,
        a[3] + b[3] + gap_x * gap_x * weight,
        a[4] + b[4] + gap_y * gap_y * weight,
        a[5] + b[5] + gap_x * gap_y * weight,
        xxx,
        xxy,
    )


@jit
def _pair_value(code: int, state: tuple[float, float, float, float, float, float, float, float]) -> float:
    count, _mean_x, _mean_y, xx, yy, xy, xxx, xxy = state
    if xx <= 0:
        return np.nan
    if code in (op.TBETA, op.TSLOPE):
        return xy / xx
    if yy <= 0:
        return np.nan
    if code == op.TCORR:
        return max(-1.0, min(1.0, xy / (math.sqrt(xx) * math.sqrt(yy))))
    if code == op.TR2:
        return min(1.0, (xy / xx) * (xy / yy))
    slope = xy / xx
    rest = yy - slope * xy
    if rest <= _EXACT_FIT * yy:
        return np.nan
    return ((xxy - slope * xxx) / count) / (math.sqrt(rest / count) * (xx / count))


@jit
def down_beta(x: FloatArray, y: FloatArray, n: int, m: int, out: FloatArray, scratch: FloatArray) -> None:
    """Beta over the days with x below its mean in the window; ``scratch`` holds 4n values and three lines.

    Deviations are taken from the window's means, which keeps the sums small. ``out`` holds the mean of x meanwhile.
    """
    lines = scratch[4 * n : 4 * n + 3 * x.size].reshape((3, x.size))
    both_x, both_y, means = lines[0], lines[1], lines[2]
    for i in range(x.size):
        both_x[i] = x[i] if y[i] == y[i] else np.nan
        both_y[i] = y[i] if x[i] == x[i] else np.nan
    part_window(op.TMEAN_PART, both_x, n, m, 0, out, scratch)
    part_window(op.TMEAN_PART, both_y, n, m, 0, means, scratch)
    sums = np.zeros(5 * _CHUNK)  # one array: the compiler then knows that its five rows do not overlap
    for start in range(0, x.size, _CHUNK):
        stop = min(start + _CHUNK, x.size)
        sums[:] = 0.0
        for k in range(min(n, stop)):  # over lags outside, over bars inside: the inner loop is vectorised
            first = max(start, k)
            span = (both_x[first - k : stop - k], both_y[first - k : stop - k], out[first:stop], means[first:stop])
            _add_below(span, sums[first - start :])
        result = out[start:stop]
        for i in range(result.size):
            count, sum_x, sum_y = sums[i], sums[i + _CHUNK], sums[i + 2 * _CHUNK]
            square, product = sums[i + 3 * _CHUNK], sums[i + 4 * _CHUNK]
            rest = square - sum_x * sum_x / count
            known = count >= 2 and rest > _EXACT_FIT * square and result[i] == result[i]
            result[i] = (product - sum_x * sum_y / count) / rest if known else np.nan


@jit
def _add_below(span: tuple[FloatArray, FloatArray, FloatArray, FloatArray], sums: FloatArray) -> None:
    x, y, centre_x, centre_y = span
    for i in range(x.size):
        gap_x = x[i] - centre_x[i]
        gap_y = y[i] - centre_y[i]
        below = (gap_x < 0.0) & (gap_y == gap_y)  # & and not "and": a select, no branch
        gap_x = gap_x if below else 0.0
        gap_y = gap_y if below else 0.0
        sums[i] += 1.0 if below else 0.0
        sums[i + _CHUNK] += gap_x
        sums[i + 2 * _CHUNK] += gap_y
        sums[i + 3 * _CHUNK] += gap_x * gap_x
        sums[i + 4 * _CHUNK] += gap_x * gap_y
