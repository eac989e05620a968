"""Functions of the values of one bar: docs/factors.md, 2.2 and 2.3. Infinity becomes null at once."""

# ruff: noqa: PLR0124 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray, IntArray

__all__ = ["binary", "compare", "mean_of_present", "ternary", "unary"]

_LARGEST = np.finfo(np.float64).max


@jit
def finite(value: float) -> float:
    """The value, or null when it is infinite."""
    return value if abs(value) <= _LARGEST else np.nan


@jit
def unary(code: int, x: FloatArray, out: FloatArray) -> None:
    """One argument."""
    if code == op.NEG:
        for i in range(out.size):
            out[i] = -x[i]
    elif code == op.ABS:
        for i in range(out.size):
            out[i] = abs(x[i])
    elif code == op.NOT:
        for i in range(out.size):
            out[i] = np.nan if x[i] != x[i] else (1.0 if x[i] == 0 else 0.0)
    elif code == op.TRUTH:
        for i in range(out.size):
            out[i] = np.nan if x[i] != x[i] else (1.0 if x[i] != 0 else 0.0)
    elif code == op.SIGN:
        for i in range(out.size):
            out[i] = np.nan if x[i] != x[i] else (1.0 if x[i] > 0 else (-1.0 if x[i] < 0 else 0.0))
    elif code == op.SQUARE:
        for i in range(out.size):
            out[i] = finite(x[i] * x[i])
    elif code == op.SQRT:
        for i in range(out.size):
            out[i] = math.sqrt(x[i]) if x[i] >= 0 else np.nan
    elif code == op.LOG:
        for i in range(out.size):
            out[i] = math.log(x[i]) if x[i] > 0 else np.nan
    elif code == op.EXP:
        for i in range(out.size):
            out[i] = finite(math.exp(x[i]))
    elif code == op.POS:
        for i in range(out.size):
            out[i] = x[i] if x[i] > 0 else np.nan
    elif code == op.NZ:
        for i in range(out.size):
            out[i] = 0.0 if x[i] != x[i] else x[i]


@jit
def binary(code: int, a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Two arguments, arithmetic and logic."""
    if code == op.ADD:
        for i in range(out.size):
            out[i] = finite(a[i] + b[i])
    elif code == op.SUB:
        for i in range(out.size):
            out[i] = finite(a[i] - b[i])
    elif code == op.MUL:
        for i in range(out.size):
            out[i] = finite(a[i] * b[i])
    elif code == op.DIV:
        for i in range(out.size):
            out[i] = finite(a[i] / b[i])
    elif code == op.POW:
        for i in range(out.size):  # C gives 1 for nan**0 and 1**nan
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else finite(math.pow(a[i], b[i]))
    elif code == op.AND:
        for i in range(out.size):
            null = a[i] != a[i] or b[i] != b[i]
            out[i] = np.nan if null else (1.0 if a[i] != 0 and b[i] != 0 else 0.0)
    elif code == op.OR:
        for i in range(out.size):
            null = a[i] != a[i] or b[i] != b[i]
            out[i] = np.nan if null else (1.0 if a[i] != 0 or b[i] != 0 else 0.0)
    elif code == op.MAX:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (a[i] if a[i] > b[i] else b[i])
    elif code == op.MIN:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (a[i] if a[i] < b[i] else b[i])
    elif code == op.COALESCE:
        for i in range(out.size):
            out[i] = b[i] if a[i] != a[i] else a[i]
    elif code == op.GROWTH:
        for i in range(out.size):
            out[i] = finite(100.0 * (a[i] / b[i] - 1.0)) if b[i] > 0 else np.nan


@jit
def compare(code: int, a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    """Two arguments, 1 or 0."""
    if code == op.GT:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] > b[i] else 0.0)
    elif code == op.LT:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] < b[i] else 0.0)
    elif code == op.GE:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] >= b[i] else 0.0)
    elif code == op.LE:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] <= b[i] else 0.0)
    elif code == op.EQ:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] == b[i] else 0.0)
    elif code == op.NE:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] else (1.0 if a[i] != b[i] else 0.0)


@jit
def ternary(code: int, a: FloatArray, b: FloatArray, c: FloatArray, out: FloatArray) -> None:
    """Three arguments: clip(a,b,c), where(a,b,c), cagr(a,b,c)."""
    if code == op.CLIP:
        for i in range(out.size):
            value = a[i] if a[i] > b[i] else b[i]
            value = value if value < c[i] else c[i]
            out[i] = np.nan if a[i] != a[i] or b[i] != b[i] or c[i] != c[i] else value
    elif code == op.WHERE:
        for i in range(out.size):
            out[i] = np.nan if a[i] != a[i] else (b[i] if a[i] != 0 else c[i])
    elif code == op.CAGR:
        for i in range(out.size):
            known = a[i] > 0 and b[i] > 0 and c[i] == c[i]
            out[i] = finite(100.0 * (math.pow(a[i] / b[i], 1.0 / c[i]) - 1.0)) if known else np.nan


@jit
def mean_of_present(slots: IntArray, work: FloatArray, out: FloatArray) -> None:
    """navg: mean of the non-null among the arguments; null if fewer than half are non-null."""
    for i in range(out.size):
        total = 0.0
        count = 0
        for slot in slots:
            value = work[slot, i]
            if value == value:
                total += value
                count += 1
        out[i] = finite(total / count) if count > 0 and 2 * count >= slots.size else np.nan
