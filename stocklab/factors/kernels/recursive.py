"""Functions that carry a state from the first bar (docs/factors.md, section 5). Nulls are stepped over."""

# ruff: noqa: PLR0124 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray

__all__ = ["count_true", "cs_spread", "obv_line", "psar", "smooth"]

_SPREAD = 3.0 - 2.0 * math.sqrt(2.0)


@jit
def smooth(code: int, x: FloatArray, n: int, skip: int, out: FloatArray) -> None:
    """ema (after ``skip`` values), rma and wsum: seeded from the first n non-null values."""
    seed = n - 1 if code == op.WSUM else n
    seen = -skip
    first, total = 0.0, 0.0
    t = 0
    while t < x.size and seen < seed:
        out[t] = np.nan
        if x[t] == x[t]:
            seen += 1
            if seen == 1 and code != op.WSUM:
                first = x[t]
            total += x[t] - first if seen > 0 else 0.0
            if seen == seed and code != op.WSUM:
                total = first + total / n  # the mean of equal values is exactly that value
                out[t] = total
        t += 1
    if code == op.WSUM:
        for u in range(t, x.size):
            known = x[u] == x[u]
            total = total - total / n + x[u] if known else total
            out[u] = total if known else np.nan
        return
    weight = 2.0 / (n + 1.0) if code == op.EMA else 1.0 / n
    for u in range(t, x.size):  # in this form a flat line stays exactly where it is
        known = x[u] == x[u]
        total = total + weight * (x[u] - total) if known else total
        out[u] = total if known else np.nan


@jit
def count_true(code: int, c: FloatArray, out: FloatArray) -> None:
    """streak: consecutive true bars ending today; bars_since: bars since the last true one."""
    run = 0.0
    last = -1
    for t in range(c.size):
        null = c[t] != c[t]
        run = 0.0 if null or c[t] == 0 else run + 1.0
        if not null and c[t] != 0:
            last = t
        if code == op.STREAK:
            out[t] = np.nan if null else run
        else:
            out[t] = np.nan if last < 0 else float(t - last)


@jit
def obv_line(c: FloatArray, v: FloatArray, out: FloatArray) -> None:
    """Adds v with the sign of the change of c; the first bar adds v."""
    total = 0.0
    before = np.nan
    for t in range(c.size):
        if c[t] != c[t] or v[t] != v[t]:
            out[t] = np.nan
            continue
        if before != before or c[t] > before:
            total += v[t]
        elif c[t] < before:
            total -= v[t]
        before = c[t]
        out[t] = total


@jit
def cs_spread(high: FloatArray, low: FloatArray, close: FloatArray, out: FloatArray) -> None:
    """Corwin-Schultz for the pair (t-1, t)."""
    if out.size > 0:
        out[0] = np.nan
    for t in range(1, out.size):
        top, bottom, before = high[t], low[t], close[t - 1]
        if before < bottom:
            top, bottom = top - (bottom - before), before
        elif before > top:
            top, bottom = before, bottom + (before - top)
        known = high[t - 1] > low[t - 1] and low[t - 1] > 0 and high[t] > low[t] and bottom > 0 and before == before
        if not known:
            out[t] = np.nan
            continue
        b = math.log(top / bottom) ** 2 + math.log(high[t - 1] / low[t - 1]) ** 2
        g = math.log(max(top, high[t - 1]) / min(bottom, low[t - 1])) ** 2
        a = (math.sqrt(2.0 * b) - math.sqrt(b)) / _SPREAD - math.sqrt(g / _SPREAD)
        out[t] = max(2.0 * (math.exp(a) - 1.0) / (1.0 + math.exp(a)), 0.0)


@jit
def psar(high: FloatArray, low: FloatArray, step: float, most: float, out: FloatArray) -> None:
    """Parabolic stop and reverse; the first output is on the second bar that is not null."""
    first = -1
    last = -1
    long = True
    sar, extreme, factor = np.nan, np.nan, step
    for t in range(out.size):
        out[t] = np.nan
        if high[t] != high[t] or low[t] != low[t]:
            continue
        if first < 0:
            first = t
            continue
        if last < 0:  # second bar: its own extremes stand for the previous ones
            last = t
            long = not low[first] - low[t] > max(high[t] - high[first], 0.0)
            sar = low[first] if long else high[first]
            extreme = high[t] if long else low[t]
        top, bottom = max(high[last], high[t]), min(low[last], low[t])
        if long and low[t] <= sar:
            out[t] = max(extreme, top)
            long, factor, extreme = False, step, low[t]
            sar = max(out[t] + factor * (extreme - out[t]), top)
        elif not long and high[t] >= sar:
            out[t] = min(extreme, bottom)
            long, factor, extreme = True, step, high[t]
            sar = min(out[t] + factor * (extreme - out[t]), bottom)
        elif long:
            out[t] = sar
            if high[t] > extreme:
                extreme, factor = high[t], min(factor + step, most)
            sar = min(sar + factor * (extreme - sar), bottom)
        else:
            out[t] = sar
            if low[t] < extreme:
                extreme, factor = low[t], min(factor + step, most)
            sar = max(sar + factor * (extreme - sar), top)
        last = t
