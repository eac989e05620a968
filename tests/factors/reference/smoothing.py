"""Section 5: recursive averages, OBV, parabolic SAR and the Corwin-Schultz spread, one bar after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = ["SMOOTHING"]

Array = np.ndarray[Any, np.dtype[np.float64]]
NULL = float("nan")


def _recursive(x: Array, skip: int, seed: int, start: Callable[[list[float]], float], step: Any, printed: int) -> Array:
    """A state seeded from the ``seed`` known values after ``skip``; shown from known value ``printed`` on."""
    out, values, state = np.full(len(x), NULL), [], NULL
    for t, value in enumerate(x):
        if np.isnan(value):
            continue
        values.append(float(value))
        count = len(values) - skip
        if count == seed:
            state = start(values[-seed:]) if seed else start([])
        elif count > seed:
            state = step(state, float(value))
        if count >= printed:
            out[t] = state
    return out


def ema(x: Array, n: int, k: int = 0) -> Array:
    weight = 2 / (n + 1)
    return _recursive(x, k, n, lambda first: math.fsum(first) / n, lambda y, v: y + weight * (v - y), n)


def rma(x: Array, n: int) -> Array:
    return _recursive(x, 0, n, lambda first: math.fsum(first) / n, lambda y, v: (y * (n - 1) + v) / n, n)


def wsum(x: Array, n: int) -> Array:
    if n == 1:
        return _recursive(np.concatenate([[0.0], x]), 0, 1, lambda _: 0.0, lambda s, v: s - s + v, 2)[1:]
    return _recursive(x, 0, n - 1, math.fsum, lambda s, v: s - s / n + v, n)


def obv_line(c: Array, v: Array) -> Array:
    out, total, before = np.full(len(c), NULL), None, NULL
    for t in np.flatnonzero(~np.isnan(c) & ~np.isnan(v)):
        total = float(v[t]) if total is None else total + float(np.sign(c[t] - before)) * float(v[t])
        out[t], before = total, c[t]
    return out


def psar(high: Array, low: Array, step: float, most: float) -> Array:
    """The short side is the long side of the mirrored prices."""
    out = np.full(len(high), NULL)
    bars = np.flatnonzero(~np.isnan(high) & ~np.isnan(low))
    if len(bars) < 2:
        return out
    h, l = high[bars], low[bars]  # noqa: E741 - the names of the definition
    long = not l[0] - l[1] > max(h[1] - h[0], 0)
    sar, extreme, factor = (l[0], h[1], step) if long else (h[0], l[1], step)
    for t in range(1, len(bars)):
        mirror = 1.0 if long else -1.0
        up, down = (h, l) if long else (-l, -h)  # in mirrored prices the position is always long
        before = t - 1 if t > 1 else t  # previous extremes of bar 1 are its own
        sar, extreme = mirror * sar, mirror * extreme
        if down[t] <= sar:
            shown = max(extreme, up[before], up[t])
            factor, extreme = step, down[t]
            following = max(shown + factor * (extreme - shown), up[before], up[t])
            long = not long
        else:
            shown = sar
            if up[t] > extreme:
                extreme, factor = up[t], min(factor + step, most)
            following = min(sar + factor * (extreme - sar), down[before], down[t])
        out[bars[t]] = mirror * shown
        sar, extreme = mirror * following, mirror * extreme
    return out


def cs_spread1(high: Array, low: Array, close: Array) -> Array:
    out = np.full(len(high), NULL)
    for t in range(1, len(high)):
        h, l, before = high[t], low[t], close[t - 1]  # noqa: E741
        h1, l1 = high[t - 1], low[t - 1]
        if np.isnan([h, l, before, h1, l1, close[t]]).any() or h == l or h1 == l1 or min(l, l1) <= 0:
            continue
        if before < l:
            h, l = h - (l - before), before  # noqa: E741
        elif before > h:
            h, l = before, l + (before - h)  # noqa: E741
        b = math.log(h / l) ** 2 + math.log(h1 / l1) ** 2
        g = math.log(max(h, h1) / min(l, l1)) ** 2
        k = 3 - 2 * math.sqrt(2)
        a = (math.sqrt(2 * b) - math.sqrt(b)) / k - math.sqrt(g / k)
        out[t] = max(2 * (math.exp(a) - 1) / (1 + math.exp(a)), 0.0)
    return out


SMOOTHING: Final[dict[str, Callable[..., Array]]] = {
    "ema": ema,
    "rma": rma,
    "wsum": wsum,
    "obv_line": obv_line,
    "psar": psar,
    "cs_spread1": cs_spread1,
}
