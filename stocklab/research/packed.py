"""Conditions as bits: 64 symbols in a word, a thirty-second of the memory a mask of bytes and a score take.

A packed matrix is (n_sessions, n_words) uint64; bit b of word w is symbol 64 w + b, bits past the last symbol are 0.
"""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stocklab.backtest.score import ascending
from stocklab.backtest.select import KEEP_ALL, KEEP_BOTTOM, KEEP_TOP, order_members
from stocklab.strategy.logic import LogicTree, combine
from stocklab.types import AnyArray, BoolArray, ByteArray, FloatArray, IntArray

__all__ = [
    "COMPARISONS",
    "Packed",
    "combine_packed",
    "empty_packed",
    "fill_entry",
    "fill_exit_codes",
    "order_by_score",
    "pack_comparison",
    "pack_known",
    "pack_rows",
]

Packed = NDArray[np.uint64]
_DE_BRUIJN: Final = np.uint64(0x03F79D71B4CB0A89)
"""Each six bits in a row of it are different: multiplying by a power of two brings the power's place to the top."""

_PLACES: Final = np.zeros(64, dtype=np.int64)
for _place in range(64):
    _PLACES[((0x03F79D71B4CB0A89 << _place) & (2**64 - 1)) >> 58] = _place

COMPARISONS: Final = {">": 0, "<": 1, ">=": 2, "<=": 3, "==": 4, "!=": 5}


def empty_packed(n_sessions: int, n_symbols: int) -> Packed:
    """Room for a packed matrix; its content is not to be read before it is written."""
    return np.empty((n_sessions, -(-n_symbols // 64)), dtype=np.uint64)


def combine_packed(tree: LogicTree, masks: Mapping[str, Packed], like: Packed) -> Packed:
    """`combine` on packed matrices; every letter the line negates has its "~" mask. ``like`` has the shape wanted."""
    if tree.root is None:
        return np.full_like(like, np.iinfo(np.uint64).max if tree.empty else 0)
    found = combine(tree, {key: mask.view(np.uint8) for key, mask in masks.items()})
    return found.view(np.uint64)


@njit(nogil=True, cache=True)
def pack_rows(first: int, last: int, mask: AnyArray, out: Packed) -> None:
    """Pack rows [first, last) of a mask, (n_sessions, n_symbols) uint8 or bool."""
    n_symbols = mask.shape[1]
    for t in range(first, last):
        for w in range(out.shape[1]):
            word = np.uint64(0)
            for b in range(min(64, n_symbols - 64 * w)):
                word |= np.uint64(mask[t, 64 * w + b] != 0) << np.uint64(b)
            out[t, w] = word


@njit(nogil=True, cache=True)
def pack_known(first: int, last: int, values: AnyArray, out: Packed) -> None:
    """Pack where values are known, rows [first, last)."""
    n_symbols = values.shape[1]
    for t in range(first, last):
        for w in range(out.shape[1]):
            word = np.uint64(0)
            for b in range(min(64, n_symbols - 64 * w)):
                word |= np.uint64(not np.isnan(values[t, 64 * w + b])) << np.uint64(b)
            out[t, w] = word


@njit(nogil=True)
def _meets(value: float, comparison: int, threshold: float) -> bool:
    if comparison == 0:
        return value > threshold
    if comparison == 1:
        return value < threshold
    if comparison == 2:
        return value >= threshold
    if comparison == 3:
        return value <= threshold
    if comparison == 4:
        return value == threshold
    return not np.isnan(value) and value != threshold  # what is unknown is not unequal


@njit(nogil=True, cache=True)
def pack_comparison(first: int, last: int, values: AnyArray, comparison: int, threshold: float, out: Packed) -> None:
    """Pack where values meet a threshold, rows [first, last); a value that is NaN does not."""
    n_symbols = values.shape[1]
    for t in range(first, last):
        for w in range(out.shape[1]):
            word = np.uint64(0)
            for b in range(min(64, n_symbols - 64 * w)):
                word |= np.uint64(_meets(values[t, 64 * w + b], comparison, threshold)) << np.uint64(b)
            out[t, w] = word


@njit(nogil=True)
def _lowest(word: Any) -> int:
    """Place of the lowest bit that is set."""
    alone = word & (~word + np.uint64(1))
    return _PLACES[(alone * _DE_BRUIJN) >> np.uint64(58)]  # type: ignore[no-any-return]


@njit(nogil=True)
def _count(word: Any) -> int:
    """Bits that are set."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(nogil=True)
def _spread_row(row: Packed, entry: ByteArray) -> None:
    """A row of bits as bytes."""
    n_symbols = entry.shape[0]
    for w in range(row.shape[0]):
        word = row[w]
        base = 64 * w
        if base + 64 <= n_symbols:
            for b in range(64):
                entry[base + b] = (word >> np.uint64(b)) & np.uint64(1)
        else:
            for b in range(n_symbols - base):
                entry[base + b] = (word >> np.uint64(b)) & np.uint64(1)


@njit(nogil=True)
def _members(universe: Packed, holds: Packed, symbols: IntArray) -> int:
    """Write the symbols whose bit is set in both rows, ascending; how many."""
    n = 0
    for w in range(holds.shape[0]):
        word = holds[w] & universe[w]
        while word != np.uint64(0):
            symbols[n] = 64 * w + _lowest(word)
            n += 1
            word &= word - np.uint64(1)
    return n


@njit(nogil=True, cache=True)
def order_by_score(
    first: int, last: int, deciding: BoolArray, universe: BoolArray, score: AnyArray, sign: float, out: AnyArray
) -> None:
    """Rows [first, last) of the order of purchase of a whole universe.

    ``out`` is (2, n_sessions, n_symbols + 1) int16: ``out[0, t, k]`` is the k-th symbol, ``out[1, t, s]`` the place of
    a symbol, ``out[0, t, -1]`` how many there are. Rows of sessions that do not decide are left alone. A score that is
    NaN is no candidate.
    """
    n_symbols = universe.shape[1]
    x, where = np.empty(n_symbols), np.empty(n_symbols, dtype=np.int64)
    keys, spare = np.empty(n_symbols, dtype=np.uint64), np.empty(n_symbols, dtype=np.uint64)
    order, other = np.empty(n_symbols, dtype=np.int64), np.empty(n_symbols, dtype=np.int64)
    for t in range(first, last):
        if not deciding[t - first]:
            continue
        n = 0
        for s in range(n_symbols):
            if universe[t, s] and not np.isnan(score[t, s]):
                x[n], where[n] = -sign * score[t, s] + 0.0, s
                n += 1
        ascending(x, n, keys, order, spare, other)
        for place in range(n):
            out[0, t, place] = where[order[place]]
            out[1, t, where[order[place]]] = place
        out[0, t, n_symbols] = n


@njit(nogil=True)
def _walk_order(order: AnyArray, n: int, entry: ByteArray, wanted: int, out: IntArray) -> None:
    """The first symbols in order that are candidates: the way where many are."""
    written = 0
    for k in range(n):
        if written == wanted:
            return
        out[written] = order[k]  # kept where the next line counts it; a branch would be mispredicted
        written += entry[order[k]]


@njit(nogil=True)
def _sort_members(order: AnyArray, universe: Packed, holds: Packed, wanted: int, places: Packed, out: IntArray) -> None:
    """The first candidates in order: each marks the bit of its place; the way where few are. ``places`` is all 0."""
    for w in range(holds.shape[0]):
        word = holds[w] & universe[w]
        while word != np.uint64(0):
            place = order[1, 64 * w + _lowest(word)]
            places[place >> 6] |= np.uint64(1) << np.uint64(place & 63)
            word &= word - np.uint64(1)
    written = 0
    for w in range(places.shape[0]):
        word = places[w]
        places[w] = 0
        while word != np.uint64(0) and written < wanted:
            out[written] = order[0, 64 * w + _lowest(word)]
            written += 1
            word &= word - np.uint64(1)


@njit(nogil=True, cache=True)
def fill_entry(
    first: int,
    last: int,
    deciding: BoolArray,
    universe: Packed,
    holds: Packed,
    score: AnyArray,
    sign: float,
    order: AnyArray,
    keep: int,
    keep_count: int,
    want: int,
    entry: ByteArray,
    out_symbols: IntArray,
    out_written: IntArray,
    out_total: IntArray,
    values: FloatArray,
    symbols: IntArray,
) -> None:
    """Rows [first, last) of the entry mask as bytes, and the first candidates of the deciding sessions.

    ``universe`` holds the members whose score is known where ``order`` (of `order_by_score`) is given; (2, 0, 0)
    orders every session anew. ``values`` and ``symbols`` are room for every symbol.
    """
    n_symbols = entry.shape[1]
    ordered = order.shape[1] > 0 and keep != KEEP_BOTTOM
    places = np.zeros(holds.shape[1], dtype=np.uint64)
    for t in range(first, last):
        i = t - first
        _spread_row(holds[t], entry[t])
        out_written[i] = 0
        out_total[i] = 0
        if not deciding[i]:
            continue
        total = 0
        if ordered:
            for w in range(holds.shape[1]):
                total += _count(holds[t, w] & universe[t, w])
        if ordered:
            n = order[0, t, n_symbols]
            if keep == KEEP_TOP:
                total = min(total, keep_count)
            written = min(total, want)
            if written * n < 2 * total * total and keep == KEEP_ALL:
                _walk_order(order[0, t], n, entry[t], written, out_symbols[i])
            else:
                _sort_members(order[:, t], universe[t], holds[t], written, places, out_symbols[i])
        else:
            n_members = _members(universe[t], holds[t], symbols)
            written, total, _ = order_members(
                t, symbols, n_members, score, sign, keep, keep_count, want, values, symbols
            )
            for k in range(written):
                out_symbols[i, k] = symbols[k]
        out_written[i] = written
        out_total[i] = total


@njit(nogil=True, cache=True)
def fill_exit_codes(first: int, last: int, holds: Packed, rules: AnyArray, whole: int, out: ByteArray) -> None:
    """Rows [first, last): 0 where the line does not hold, else 1 + the first rule that does, else ``whole``.

    ``rules`` is (n_rules, n_sessions, n_words) uint64.
    """
    n_symbols = out.shape[1]
    for t in range(first, last):
        for s in range(n_symbols):
            out[t, s] = 0
        for w in range(holds.shape[1]):
            word = holds[t, w]
            while word != np.uint64(0):
                b = _lowest(word)
                if 64 * w + b >= n_symbols:
                    break
                code = whole
                for place in range(rules.shape[0]):
                    if (rules[place, t, w] >> np.uint64(b)) & np.uint64(1) != np.uint64(0):
                        code = place + 1
                        break
                out[t, 64 * w + b] = code
                word &= word - np.uint64(1)
