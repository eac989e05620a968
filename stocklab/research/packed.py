"""Conditions as bits: 64 symbols in a word, a thirty-second of the memory a mask of bytes and a score take.

A packed matrix is (n_sessions, n_words) uint64; bit b of word w is symbol 64 w + b, bits past the last symbol are 0.
"""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stocklab.backtest.select import order_members
from stocklab.strategy.logic import LogicTree, combine
from stocklab.types import AnyArray, BoolArray, ByteArray, FloatArray, IntArray

__all__ = [
    "COMPARISONS",
    "Packed",
    "combine_packed",
    "empty_packed",
    "fill_entry",
    "fill_exit_codes",
    "pack_comparison",
    "pack_rows",
]

Packed = NDArray[np.uint64]
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
def _lowest(word: int) -> int:
    """Place of the lowest bit that is set."""
    place = 0
    if word & np.uint64(0xFFFFFFFF) == np.uint64(0):
        place += 32
        word >>= np.uint64(32)
    if word & np.uint64(0xFFFF) == np.uint64(0):
        place += 16
        word >>= np.uint64(16)
    if word & np.uint64(0xFF) == np.uint64(0):
        place += 8
        word >>= np.uint64(8)
    if word & np.uint64(0xF) == np.uint64(0):
        place += 4
        word >>= np.uint64(4)
    if word & np.uint64(0x3) == np.uint64(0):
        place += 2
        word >>= np.uint64(2)
    if word & np.uint64(0x1) == np.uint64(0):
        place += 1
    return place


@njit(nogil=True, cache=True)
def fill_entry(
    first: int,
    last: int,
    deciding: BoolArray,
    universe: Packed,
    holds: Packed,
    score: AnyArray,
    sign: float,
    keep: int,
    keep_count: int,
    want: int,
    entry: ByteArray,
    out_symbols: IntArray,
    out_written: IntArray,
    out_total: IntArray,
    values: FloatArray,
    symbols: IntArray,
) -> int:
    """Rows [first, last) of the entry mask as bytes, and the first candidates of the deciding sessions.

    Returns the candidates refused for a score that is NaN. ``values`` and ``symbols`` are room for every symbol.
    """
    n_symbols = entry.shape[1]
    refused = 0
    for t in range(first, last):
        i = t - first
        n_members = 0
        for w in range(holds.shape[1]):
            word = holds[t, w]
            base = 64 * w
            width = min(64, n_symbols - base)
            if word == np.uint64(0):
                for b in range(width):
                    entry[t, base + b] = 0
            else:
                for b in range(width):
                    entry[t, base + b] = (word >> np.uint64(b)) & np.uint64(1)
            if deciding[i]:
                word &= universe[t, w]
                while word != np.uint64(0):
                    symbols[n_members] = base + _lowest(word)
                    n_members += 1
                    word &= word - np.uint64(1)
        out_written[i] = 0
        out_total[i] = 0
        if deciding[i]:
            written, total, unknown = order_members(
                t, symbols, n_members, score, sign, keep, keep_count, want, values, symbols
            )
            for k in range(written):
                out_symbols[i, k] = symbols[k]
            out_written[i] = written
            out_total[i] = total
            refused += unknown
    return refused


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
