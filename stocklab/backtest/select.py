"""Candidates of a session in order of purchase: score descending, ties by symbol."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

import numpy as np
from numba import njit

from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["KEEP_ALL", "KEEP_BOTTOM", "KEEP_TOP", "order_members", "order_row", "order_rows"]

KEEP_ALL = 0
KEEP_TOP = 1
KEEP_BOTTOM = 2


@njit(nogil=True)
def _worse(a_value: float, a_symbol: int, b_value: float, b_symbol: int) -> bool:
    return a_value < b_value or (a_value == b_value and a_symbol > b_symbol)


@njit(nogil=True)
def _sift(values: FloatArray, symbols: IntArray, root: int, size: int) -> None:
    """Restore the heap whose top is the worst, from ``root`` down."""
    value, symbol = values[root], symbols[root]
    while True:
        child = 2 * root + 1
        if child >= size:
            break
        if child + 1 < size and _worse(values[child + 1], symbols[child + 1], values[child], symbols[child]):
            child += 1
        if not _worse(values[child], symbols[child], value, symbol):
            break
        values[root], symbols[root] = values[child], symbols[child]
        root = child
    values[root], symbols[root] = value, symbol


@njit(nogil=True)
def _sort_heap(values: FloatArray, symbols: IntArray, size: int) -> None:
    """Turn the heap into best-first order: the worst moves to the end, again and again."""
    for end in range(size - 1, 0, -1):
        values[0], values[end] = values[end], values[0]
        symbols[0], symbols[end] = symbols[end], symbols[0]
        _sift(values, symbols, 0, end)


@njit(nogil=True)
def order_row(
    t: int,
    universe: AnyArray,
    entry: AnyArray,
    score: AnyArray,
    sign: float,
    keep: int,
    keep_count: int,
    want: int,
    values: FloatArray,
    symbols: IntArray,
) -> tuple[int, int, int]:
    """Order the candidates of session ``t``.

    Parameters
    ----------
    universe, entry : (n_sessions, n_symbols) bool and uint8; a candidate is in both
    score, sign : (n_sessions, n_symbols), higher ``sign * score`` first; (0, 0) orders by symbol; NaN is no candidate
    keep, keep_count : only the best or worst so many of the candidates
    want : at most this many are written
    values, symbols : at least ``n_symbols`` long; the result is written to ``symbols``

    Returns
    -------
    (written, candidates in all after keeping, rows refused for a NaN score)
    """
    n_members = 0
    for s in range(universe.shape[1]):
        if universe[t, s] and entry[t, s]:
            symbols[n_members] = s
            n_members += 1
    return order_members(t, symbols, n_members, score, sign, keep, keep_count, want, values, symbols)


@njit(nogil=True)
def order_members(
    t: int,
    members: IntArray,
    n_members: int,
    score: AnyArray,
    sign: float,
    keep: int,
    keep_count: int,
    want: int,
    values: FloatArray,
    symbols: IntArray,
) -> tuple[int, int, int]:
    """`order_row` where the candidates are known: the first ``n_members`` of ``members``, ascending.

    ``members`` and ``symbols`` may be the same array: what is written never overtakes what is read.
    """
    scored = score.shape[0] > 0
    size = n_members if keep == KEEP_BOTTOM else min(want, keep_count) if keep == KEEP_TOP else want
    filled, found, unknown = 0, 0, 0
    for i in range(n_members):
        s = members[i]
        value = sign * float(score[t, s]) if scored else 0.0
        if np.isnan(value):
            unknown += 1
            continue
        found += 1
        if filled < size:
            values[filled], symbols[filled] = value, s
            filled += 1
            if filled == size:
                for root in range(size // 2 - 1, -1, -1):
                    _sift(values, symbols, root, size)
        elif size > 0 and value > values[0]:
            values[0], symbols[0] = value, s
            _sift(values, symbols, 0, size)
    if filled < size:
        for root in range(filled // 2 - 1, -1, -1):
            _sift(values, symbols, root, filled)
    _sort_heap(values, symbols, filled)
    if keep == KEEP_TOP:
        return filled, min(found, keep_count), unknown
    if keep == KEEP_BOTTOM:
        total = min(found, keep_count)
        for i in range(total):
            symbols[i] = symbols[found - total + i]
        return min(total, want), total, unknown
    return filled, found, unknown


@njit(nogil=True, cache=True)
def order_rows(
    first: int,
    last: int,
    wanted_rows: AnyArray,
    universe: AnyArray,
    entry: AnyArray,
    score: AnyArray,
    sign: float,
    keep: int,
    keep_count: int,
    want: int,
    out_symbols: IntArray,
    out_written: IntArray,
    out_total: IntArray,
    out_unknown: IntArray,
) -> None:
    """`order_row` for those sessions of [first, last) that ``wanted_rows`` marks; output row i is session first + i."""
    n_symbols = universe.shape[1]
    values = np.empty(n_symbols, dtype=np.float64)
    symbols = np.empty(n_symbols, dtype=np.int64)
    for i in range(last - first):
        if not wanted_rows[i]:
            continue
        written, total, unknown = order_row(
            first + i, universe, entry, score, sign, keep, keep_count, want, values, symbols
        )
        out_symbols[i, :written] = symbols[:written]
        out_written[i] = written
        out_total[i] = total
        out_unknown[i] = unknown
