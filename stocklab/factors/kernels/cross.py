"""Cross-sectional operators: each session by itself, over the universe (docs/factors.md, section 6)."""

# ruff: noqa: PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.factors.kernels.ordered import quantile_of
from stocklab.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["run_cross"]

_SMALLEST_GROUP = 5
_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS
_DIGITS_OF_KEY = 6


@jit
def run_cross(
    code: int,
    x: FloatArray,
    weight: FloatArray,
    universe: BoolArray,
    groups: IntArray,
    bounds: tuple[float, float],
    span: tuple[int, int],
    out: FloatArray,
) -> None:
    """Fill ``out[span[0]:span[1]]``.

    Parameters
    ----------
    x, weight : (n_sessions, n_symbols), NaN = null; ``weight`` is read by xwmean_by only
    universe : (n_sessions, n_symbols)
    groups : (n_symbols,), -1 = unknown
    bounds : the numbers of the call: direction of xrank, quantiles of xwinsor
    """
    n = x.shape[1]
    members = np.empty(n, np.int64)
    keys = np.empty((2, n), np.uint64)
    order = np.empty((2, n), np.int64)
    counts = np.empty(_DIGITS, np.int64)
    ordered = np.empty(n, np.float64)
    groups_used = groups.max() + 1 if groups.size > 0 else 0
    sums = np.empty((3, max(groups_used, 1)), np.float64)
    for t in range(span[0], span[1]):
        size = 0
        weighted = code == op.XWMEAN_BY
        for j in range(n):
            out[t, j] = np.nan
            known = universe[t, j] and x[t, j] == x[t, j]
            if known and (not weighted or weight[t, j] == weight[t, j]):
                members[size] = j
                size += 1
        if code == op.XZ:
            _zscore(x[t], members, size, out[t])
        elif code == op.XWMEAN_BY:
            _group_mean(x[t], weight[t], members[:size], groups, sums, out[t])
        elif size >= 2 or code == op.XMEDIAN_BY:
            for i in range(size):
                keys[0, i] = _sortable(x[t, members[i]])
                order[0, i] = members[i]
            _sort(keys, order, size, counts)
            if code == op.XWINSOR:
                for i in range(size):
                    ordered[i] = x[t, order[0, i]]
                low, high = quantile_of(ordered, size, bounds[0]), quantile_of(ordered, size, bounds[1])
                for i in range(size):
                    out[t, members[i]] = min(max(x[t, members[i]], low), high)
            elif code == op.XMEDIAN_BY:
                _group_median(x[t], order[0], size, groups, ordered, (sums, out[t]))
            else:
                _rank(code, x[t], order[0], size, bounds[0], out[t])
                if code == op.XZR:
                    ordered[:] = out[t]
                    _zscore(ordered, members, size, out[t])


@jit
def _zscore(x: FloatArray, members: IntArray, size: int, out: FloatArray) -> None:
    """Deviations from the first value, so that equal values have exactly no spread."""
    if size < 2:
        return
    first = x[members[0]]
    total = 0.0
    for i in range(size):
        total += x[members[i]] - first
    mean = total / size
    square = 0.0
    for i in range(size):
        gap = (x[members[i]] - first) - mean
        square += gap * gap
    deviation = np.sqrt(square / size)
    for i in range(size):
        value = ((x[members[i]] - first) - mean) / deviation
        out[members[i]] = value if abs(value) < np.inf else np.nan


@jit
def _rank(code: int, x: FloatArray, order: IntArray, size: int, descending: float, out: FloatArray) -> None:
    """Average ranks 1..N; ties share the mean rank."""
    start = 0
    while start < size:
        stop = start + 1
        while stop < size and x[order[stop]] == x[order[start]]:
            stop += 1
        rank = 0.5 * (start + stop + 1)
        if code == op.XPCT:
            rank = (rank - 1.0) / (size - 1.0)
        elif code == op.XRANK and descending != 0:
            rank = size + 1.0 - rank
        for i in range(start, stop):
            out[order[i]] = rank
        start = stop


@jit
def _group_mean(
    x: FloatArray, weight: FloatArray, members: IntArray, groups: IntArray, sums: FloatArray, out: FloatArray
) -> None:
    sums[:, :] = 0.0
    for j in members:
        if groups[j] >= 0:
            sums[0, groups[j]] += 1.0
            sums[1, groups[j]] += weight[j]
            sums[2, groups[j]] += weight[j] * x[j]
    for j in members:
        if groups[j] >= 0 and sums[0, groups[j]] >= _SMALLEST_GROUP and sums[1, groups[j]] != 0:
            out[j] = sums[2, groups[j]] / sums[1, groups[j]]


@jit
def _group_median(
    x: FloatArray,
    order: IntArray,
    size: int,
    groups: IntArray,
    ordered: FloatArray,
    into: tuple[FloatArray, FloatArray],
) -> None:
    """Counts per group, then each group's values in order side by side (the sort is stable)."""
    sums, out = into
    sums[:, :] = 0.0
    for i in range(size):
        if groups[order[i]] >= 0:
            sums[0, groups[order[i]]] += 1.0
    place = 0.0
    for g in range(sums.shape[1]):
        sums[1, g] = place
        sums[2, g] = place
        place += sums[0, g]
    for i in range(size):
        g = groups[order[i]]
        if g >= 0:
            ordered[int(sums[2, g])] = x[order[i]]
            sums[2, g] += 1.0
    for i in range(size):
        g = groups[order[i]]
        if g >= 0 and sums[0, g] >= _SMALLEST_GROUP:
            first, count = int(sums[1, g]), int(sums[0, g])
            low, high = ordered[first + (count - 1) // 2], ordered[first + count // 2]
            out[order[i]] = low if low == high else 0.5 * (low + high)


@jit
def _sortable(value: float) -> np.uint64:
    """The bits of a float as an unsigned number of the same order; both zeros are one."""
    bits = np.float64(value + 0.0).view(np.uint64)
    sign = np.uint64(0x8000000000000000)
    return ~bits if bits & sign else bits | sign


@jit
def _sort(keys: AnyArray, order: IntArray, size: int, counts: IntArray) -> None:
    """Sort row 0: by the upper 31 bits first, which nearly always settles it, then by all 64."""
    _radix(keys, order, size, counts, 3)
    if not _finish(keys[0], order[0], size):
        _radix(keys, order, size, counts, 0)


@jit
def _radix(keys: AnyArray, order: IntArray, size: int, counts: IntArray, first: int) -> None:
    """Eleven bits at a time; digits on which all keys agree are skipped."""
    source = 0
    for digit in range(first, _DIGITS_OF_KEY):
        shift = np.uint64(digit * _DIGIT_BITS)
        counts[:] = 0
        for i in range(size):
            counts[np.int64((keys[source, i] >> shift) & np.uint64(_DIGITS - 1))] += 1
        if counts[np.int64((keys[source, 0] >> shift) & np.uint64(_DIGITS - 1))] == size:
            continue
        total = 0
        for i in range(_DIGITS):
            here = counts[i]
            counts[i] = total
            total += here
        target = 1 - source
        for i in range(size):
            place = np.int64((keys[source, i] >> shift) & np.uint64(_DIGITS - 1))
            keys[target, counts[place]] = keys[source, i]
            order[target, counts[place]] = order[source, i]
            counts[place] += 1
        source = target
    if source == 1:
        keys[0, :size] = keys[1, :size]
        order[0, :size] = order[1, :size]


@jit
def _finish(keys: AnyArray, order: IntArray, size: int) -> bool:
    """Insertion sort of what is almost in order; False when it turns out not to be."""
    moves = 0
    for i in range(1, size):
        key, member = keys[i], order[i]
        j = i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            order[j] = order[j - 1]
            j -= 1
        keys[j] = key
        order[j] = member
        moves += i - j
        if moves > 4 * size:
            return False
    return True
