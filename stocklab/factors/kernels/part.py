"""Windows over the non-null values among n bars, at least m of them. Same blocks as in full.py, with counts."""

# ruff: noqa: PLR0124, PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray

__all__ = ["part_window"]

_CHUNK = 256


@jit
def part_window(code: int, x: FloatArray, n: int, m: int, ddof: int, out: FloatArray, scratch: FloatArray) -> None:
    """``scratch`` holds 4n values and one line."""
    if code in (op.TSUM_PART, op.TMEAN_PART):
        _sums(x, n, m, code == op.TMEAN_PART, out, scratch)
    elif code in (op.TSTD_PART, op.TSKEW):
        _moments(code, x, n, m, ddof, out, scratch)
    elif code == op.TMEANDEV:
        means = scratch[4 * n : 4 * n + x.size]
        _moments(code, x, n, m, 0, means, scratch)
        _mean_deviation(x, n, means, out)
    elif code in (op.TMAX_PART, op.TARGMAX):
        _extreme(x, n, m, 1.0, code == op.TARGMAX, out, scratch)
    elif code in (op.TMIN_PART, op.TARGMIN):
        _extreme(x, n, m, -1.0, code == op.TARGMIN, out, scratch)
    elif code == op.TMDD:
        _drawdown(x, n, m, out, scratch)


@jit
def _sums(x: FloatArray, n: int, m: int, mean: bool, out: FloatArray, scratch: FloatArray) -> None:
    sums = scratch[:n]
    counts = scratch[n : 2 * n]
    for start in range(0, x.size, n):
        total = 0.0
        count = 0.0
        sums[n - 1] = 0.0
        counts[n - 1] = 0.0
        for i in range(n - 1, 0, -1):
            if start > 0 and x[start - n + i] == x[start - n + i]:
                total += x[start - n + i]
                count += 1.0
            sums[i - 1] = total
            counts[i - 1] = count
        total = 0.0
        count = 0.0
        for r in range(min(n, x.size - start)):
            if x[start + r] == x[start + r]:
                total += x[start + r]
                count += 1.0
            known = count + counts[r]
            value = total + sums[r]
            out[start + r] = np.nan if known < m else (value / known if mean else value)


@jit
def _push(state: tuple[float, float, float, float], value: float) -> tuple[float, float, float, float]:
    """Count, mean, sum of squares and of cubes around the mean, with one value more (Pebay 2008)."""
    count, mean, square, cube = state
    count += 1.0
    delta = value - mean
    step = delta / count
    term = delta * step * (count - 1.0)
    cube += term * step * (count - 2.0) - 3.0 * step * square
    return count, mean + step, square + term, cube


@jit
def _moments(code: int, x: FloatArray, n: int, m: int, ddof: int, out: FloatArray, scratch: FloatArray) -> None:
    counts, means, squares, cubes = scratch[:n], scratch[n : 2 * n], scratch[2 * n : 3 * n], scratch[3 * n : 4 * n]
    for start in range(0, x.size, n):
        state = (0.0, 0.0, 0.0, 0.0)
        counts[n - 1], means[n - 1], squares[n - 1], cubes[n - 1] = state
        for i in range(n - 1, 0, -1):
            if start > 0 and x[start - n + i] == x[start - n + i]:
                state = _push(state, x[start - n + i])
            counts[i - 1], means[i - 1], squares[i - 1], cubes[i - 1] = state
        state = (0.0, 0.0, 0.0, 0.0)
        for r in range(min(n, x.size - start)):
            if x[start + r] == x[start + r]:
                state = _push(state, x[start + r])
            older = (counts[r], means[r], squares[r], cubes[r])
            out[start + r] = _moment_value(code, _joined(state, older), m, ddof)


@jit
def _joined(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    if b[0] == 0:
        return a
    if a[0] == 0:
        return b
    count = a[0] + b[0]
    gap = b[1] - a[1]
    mean = a[1] + gap * b[0] / count
    square = a[2] + b[2] + gap * gap * a[0] * b[0] / count
    cube = a[3] + b[3] + gap * gap * gap * a[0] * b[0] * (a[0] - b[0]) / (count * count)
    cube += 3.0 * gap * (a[0] * b[2] - b[0] * a[2]) / count
    return count, mean, square, cube


@jit
def _moment_value(code: int, state: tuple[float, float, float, float], m: int, ddof: int) -> float:
    count, mean, square, cube = state
    if count < m:
        return np.nan
    if code == op.TMEANDEV:
        return mean
    if code == op.TSTD_PART:
        return math.sqrt(square / (count - ddof)) if count > ddof else np.nan
    if square <= 0:
        return np.nan
    variance = square / count
    return (cube / count) / (variance * math.sqrt(variance))


@jit
def _mean_deviation(x: FloatArray, n: int, means: FloatArray, out: FloatArray) -> None:
    sums = np.zeros(_CHUNK)
    counts = np.zeros(_CHUNK)
    for start in range(0, x.size, _CHUNK):
        stop = min(start + _CHUNK, x.size)
        sums[:] = 0.0
        counts[:] = 0.0
        for k in range(min(n, stop)):  # over lags outside, over bars inside: the inner loop is vectorised
            first = max(start, k)
            values, centres = x[first - k : stop - k], means[first:stop]
            total, count = sums[first - start :], counts[first - start :]
            for i in range(values.size):
                gap = abs(values[i] - centres[i])
                total[i] += gap if gap == gap else 0.0
                count[i] += 1.0 if gap == gap else 0.0
        result = out[start:stop]
        for i in range(result.size):
            result[i] = sums[i] / counts[i] if counts[i] > 0 else np.nan


@jit
def _extreme(x: FloatArray, n: int, m: int, sign: float, position: bool, out: FloatArray, scratch: FloatArray) -> None:
    bests, places, counts = scratch[:n], scratch[n : 2 * n], scratch[2 * n : 3 * n]
    for start in range(0, x.size, n):
        best = -np.inf
        place = -1.0
        count = 0.0
        bests[n - 1] = best
        places[n - 1] = place
        counts[n - 1] = count
        for i in range(n - 1, 0, -1):
            if start > 0 and x[start - n + i] == x[start - n + i]:
                count += 1.0
                if sign * x[start - n + i] > best:
                    best = sign * x[start - n + i]
                    place = float(start - n + i)
            bests[i - 1] = best
            places[i - 1] = place
            counts[i - 1] = count
        best = -np.inf
        count = 0.0
        for r in range(min(n, x.size - start)):
            if x[start + r] == x[start + r]:
                count += 1.0
                if sign * x[start + r] >= best:  # ties: the most recent
                    best = sign * x[start + r]
                    place = float(start + r)
            older = bests[r] > best
            value = (float(start + r) - (places[r] if older else place)) if position else sign * max(best, bests[r])
            out[start + r] = np.nan if count + counts[r] < m else value


@jit
def _drawdown(x: FloatArray, n: int, m: int, out: FloatArray, scratch: FloatArray) -> None:
    highs, lows, falls, counts = scratch[:n], scratch[n : 2 * n], scratch[2 * n : 3 * n], scratch[3 * n : 4 * n]
    last_odd = -n  # a value <= 0 makes the largest ratio of a pair meaningless: such windows are walked literally
    for start in range(0, x.size, n):
        high, low, fall, count = -np.inf, np.inf, 0.0, 0.0
        highs[n - 1], lows[n - 1], falls[n - 1], counts[n - 1] = high, low, fall, count
        for i in range(n - 1, 0, -1):
            if start > 0 and x[start - n + i] == x[start - n + i]:
                value = x[start - n + i]
                count += 1.0
                low = min(low, value)
                high = max(high, value)
                fall = max(fall, 1.0 - low / value)
            highs[i - 1], lows[i - 1], falls[i - 1], counts[i - 1] = high, low, fall, count
        high, low, fall, count = -np.inf, np.inf, 0.0, 0.0
        for r in range(min(n, x.size - start)):
            value = x[start + r]
            if value == value:
                count += 1.0
                low = min(low, value)
                high = max(high, value)
                fall = max(fall, 1.0 - value / high)
                last_odd = start + r if value <= 0 else last_odd
            if count + counts[r] < m:
                out[start + r] = np.nan
            elif start + r - last_odd < n:
                out[start + r] = _walked_drawdown(x, max(0, start + r - n + 1), start + r)
            else:
                across = 1.0 - low / highs[r] if count > 0 and counts[r] > 0 else 0.0
                out[start + r] = max(fall, falls[r], across)


@jit
def _walked_drawdown(x: FloatArray, first: int, last: int) -> float:
    high = -np.inf
    worst = -np.inf
    for t in range(first, last + 1):
        if x[t] == x[t]:
            high = max(high, x[t])
            if high == 0:
                return np.nan
            worst = max(worst, 1.0 - x[t] / high)
    return worst
