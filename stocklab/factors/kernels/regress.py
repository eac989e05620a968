"""Least squares of y on a constant and up to six series inside a moving window."""

# ruff: noqa: PLR0124, PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray, IntArray

__all__ = ["regression"]

# a column whose variance left by the others is below this part of its own is a combination of them
_DEPENDENT = 1e-12
# residuals below this part of the variance are rounding: the fit is exact
_EXACT_FIT = 1e-14


@jit
def regression(
    code: int,
    slots: IntArray,
    work: FloatArray,
    windows: tuple[int, int, int, int],
    out: FloatArray,
    scratch: FloatArray,
) -> None:
    """tolsstd and tolsres_ir; ``slots`` names y, x1, ... in ``work``; ``windows`` is n, m and ddof, or far and near.

    Rows with a null are left out; at least m are needed. Dependent regressors give null.
    ``scratch`` holds n + 2 states and the factor of p x p (see ``lower_regression`` in program.py).
    """
    n, m, second, third = windows
    p = slots.size
    size = 1 + p + p * (p + 1) // 2
    states = scratch[: (n + 2) * size].reshape((n + 2, size))
    rest = scratch[(n + 2) * size :]
    prefix, joined = states[n], states[n + 1]
    for start in range(0, out.size, n):
        prefix[:] = 0.0
        states[n - 1, :] = 0.0
        for i in range(n - 1, 0, -1):
            if start > 0:
                _push(prefix, slots, work, start - n + i, rest)
            states[i - 1, :] = prefix
        prefix[:] = 0.0
        for r in range(min(n, out.size - start)):
            t = start + r
            _push(prefix, slots, work, t, rest)
            _join(prefix, states[r], joined, p)
            out[t] = np.nan
            if joined[0] >= m:
                left = _solve(joined, p, rest)
                if code == op.TOLSSTD:
                    if left >= 0 and joined[0] > second:
                        out[t] = math.sqrt(left / (joined[0] - second))
                elif left > 0:
                    out[t] = _residual_ratio(slots, work, (max(0, t - second + 1), t - third), joined, rest, left)


@jit
def _push(state: FloatArray, slots: IntArray, work: FloatArray, t: int, gaps: FloatArray) -> None:
    p = slots.size
    for j in range(p):
        if work[slots[j], t] != work[slots[j], t]:
            return
    state[0] += 1.0
    count = state[0]
    for j in range(p):
        gaps[j] = work[slots[j], t] - state[1 + j]
    place = 1 + p
    for j in range(p):
        for k in range(j + 1):
            state[place] += gaps[j] * (gaps[k] - gaps[k] / count)
            place += 1
    for j in range(p):
        state[1 + j] += gaps[j] / count


@jit
def _join(a: FloatArray, b: FloatArray, out: FloatArray, p: int) -> None:
    out[:] = b if a[0] == 0 else a
    if a[0] == 0 or b[0] == 0:
        return
    count = a[0] + b[0]
    weight = a[0] * b[0] / count
    out[0] = count
    place = 1 + p
    for j in range(p):
        gap = b[1 + j] - a[1 + j]
        out[1 + j] = a[1 + j] + gap * b[0] / count
        for k in range(j + 1):
            out[place] = a[place] + b[place] + gap * (b[1 + k] - a[1 + k]) * weight
            place += 1


@jit
def _solve(state: FloatArray, p: int, rest: FloatArray) -> float:
    """Sum of squared residuals, -1 when the regressors are dependent; leaves the coefficients in ``rest[:p-1]``.

    Cholesky of the regressors' co-moments: row j of the factor stands from ``rest[p + j*p]``.
    """
    k = p - 1
    for j in range(k):
        row = 1 + p + (j + 1) * (j + 2) // 2
        for i in range(j + 1):
            total = state[row + i + 1]
            for q in range(i):
                total -= rest[p + j * p + q] * rest[p + i * p + q]
            if i < j:
                rest[p + j * p + i] = total / rest[p + i * p + i]
            else:
                if not total > _DEPENDENT * state[row + j + 1]:
                    return -1.0
                rest[p + j * p + j] = math.sqrt(total)
    left = state[1 + p]
    for j in range(k):  # forward: L z = cov(x, y)
        total = state[1 + p + (j + 1) * (j + 2) // 2]
        for q in range(j):
            total -= rest[p + j * p + q] * rest[q]
        rest[j] = total / rest[p + j * p + j]
        left -= rest[j] * rest[j]
    for j in range(k - 1, -1, -1):  # backward: L' b = z
        total = rest[j]
        for q in range(j + 1, k):
            total -= rest[p + q * p + j] * rest[q]
        rest[j] = total / rest[p + j * p + j]
    return float(left) if left > _EXACT_FIT * state[1 + p] else 0.0


@jit
def _residual_ratio(
    slots: IntArray, work: FloatArray, span: tuple[int, int], state: FloatArray, betas: FloatArray, whole: float
) -> float:
    count = 0.0
    mean = 0.0
    square = 0.0
    for t in range(span[0], span[1] + 1):
        residual = work[slots[0], t] - state[1]
        for j in range(1, slots.size):
            residual -= betas[j - 1] * (work[slots[j], t] - state[1 + j])
        if residual == residual:
            count += 1.0
            gap = residual - mean
            mean += gap / count
            square += gap * (residual - mean)
    if count < 2 or square <= _EXACT_FIT * whole:
        return np.nan
    return float(mean / math.sqrt(square / (count - 1.0)))
