"""Between the panel's layout (sessions down, symbols across) and the lines of a tile."""

# ruff: noqa: PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import numpy as np

from stocklab.factors.kernels.jit import jit
from stocklab.types import AnyArray, BoolArray, ByteArray, FloatArray, IntArray

__all__ = [
    "load_columns",
    "load_lines",
    "load_market",
    "load_rows",
    "load_shared_columns",
    "load_shared_rows",
    "mask_columns",
    "spans_of",
    "store_bit_columns",
    "store_bit_rows",
    "store_columns",
    "store_rows",
]

_BLOCK = 16  # sessions copied together: keeps both sides of the transposition in the first-level cache


@jit
def mask_columns(listed: BoolArray, first: int, out: ByteArray) -> None:
    """``listed[:, first:]`` of a tile, turned to (n_lines, n_sessions)."""
    for start in range(0, listed.shape[0], _BLOCK):
        stop = min(start + _BLOCK, listed.shape[0])
        for line in range(out.shape[0]):
            for t in range(start, stop):
                out[line, t] = 1 if listed[t, first + line] else 0


@jit
def spans_of(mask: ByteArray, spans: IntArray) -> None:
    """First and one past the last listed bar of each line; (0, 0) when never listed."""
    for line in range(mask.shape[0]):
        start, stop = 0, mask.shape[1]
        while start < stop and mask[line, start] == 0:
            start += 1
        while stop > start and mask[line, stop - 1] == 0:
            stop -= 1
        spans[line, 0] = start if stop > start else 0
        spans[line, 1] = stop if stop > start else 0


@jit
def load_columns(field: AnyArray, first: int, mask: ByteArray, place: int, out: FloatArray) -> None:
    """A field's columns as lines, null where not listed; ``out`` is (n_lines, n_inputs, n_sessions)."""
    for start in range(0, field.shape[0], _BLOCK):
        stop = min(start + _BLOCK, field.shape[0])
        for line in range(out.shape[0]):
            for t in range(start, stop):
                out[line, place, t] = field[t, first + line] if mask[line, t] else np.nan


@jit
def load_lines(turned: AnyArray, first: int, mask: ByteArray, place: int, out: FloatArray) -> None:
    """As `load_columns`, from a copy of the field that is (n_symbols, n_sessions)."""
    for line in range(out.shape[0]):
        row = turned[first + line]
        for t in range(row.size):
            out[line, place, t] = row[t] if mask[line, t] else np.nan


@jit
def load_shared_columns(series: FloatArray, mask: ByteArray, place: int, out: FloatArray) -> None:
    """One series of sessions for every line."""
    for line in range(out.shape[0]):
        for t in range(series.size):
            out[line, place, t] = series[t] if mask[line, t] else np.nan


@jit
def load_market(market: AnyArray, levels: FloatArray, first: int, mask: ByteArray, place: int, out: FloatArray) -> None:
    """Each line's own market index; ``levels`` is (n_markets, n_sessions).

    When a symbol moves to another market the new index is scaled to continue the old one, so that returns across the
    move are those of the market it belongs to.
    """
    for line in range(out.shape[0]):
        scale = 1.0
        current = 0
        for t in range(market.shape[0]):
            code = market[t, first + line]
            if code != current and mask[line, t]:
                if t > 0 and current > 0:
                    joint = levels[current, t - 1] * scale / levels[code, t - 1]
                    scale = joint if joint > 0 and joint < np.inf else 1.0
                current = code
            out[line, place, t] = levels[code, t] * scale if mask[line, t] else np.nan


@jit
def store_columns(values: FloatArray, place: int, first: int, out: FloatArray) -> None:
    """Lines back to columns, four sessions of four lines at a time: half the time of one by one."""
    n_lines, n_sessions = values.shape[0], out.shape[0]
    whole = n_lines // 4 * 4
    for start in range(0, n_sessions, 4):
        stop = min(start + 4, n_sessions)
        for line in range(0, whole, 4):
            a, b, c, d = values[line, place], values[line + 1, place], values[line + 2, place], values[line + 3, place]
            for t in range(start, stop):
                cells = out[t, first + line : first + line + 4]
                cells[0], cells[1], cells[2], cells[3] = a[t], b[t], c[t], d[t]
        for line in range(whole, n_lines):
            for t in range(start, stop):
                out[t, first + line] = values[line, place, t]


@jit
def store_bit_columns(bits: ByteArray, first: int, out: ByteArray) -> None:
    """Bits back to columns of 0 and 1; ``out`` is (n_conditions, n_sessions, n_symbols).

    Turning a byte with eight conditions costs what turning one does.
    """
    n_lines = bits.shape[0]
    row = np.empty(n_lines, np.uint8)
    for t in range(out.shape[1]):
        for place in range(out.shape[0]):
            if place % 8 == 0:
                for line in range(n_lines):
                    row[line] = bits[line, place // 8, t]
            _unpack(row, place % 8, out[place, t, first : first + n_lines])


@jit
def _unpack(row: ByteArray, place: int, out: ByteArray) -> None:
    shift = np.uint8(place)
    for i in range(out.size):
        out[i] = (row[i] >> shift) & np.uint8(1)


@jit
def load_rows(field: AnyArray, listed: BoolArray, first: int, place: int, out: FloatArray) -> None:
    """Sessions as lines: ``out`` is (n_lines, n_inputs, n_symbols)."""
    for line in range(out.shape[0]):
        for j in range(out.shape[2]):
            out[line, place, j] = field[first + line, j] if listed[first + line, j] else np.nan


@jit
def load_shared_rows(series: FloatArray, listed: BoolArray, first: int, place: int, out: FloatArray) -> None:
    """One value for all symbols of a session."""
    for line in range(out.shape[0]):
        for j in range(out.shape[2]):
            out[line, place, j] = series[first + line] if listed[first + line, j] else np.nan


@jit
def store_rows(values: FloatArray, place: int, first: int, out: FloatArray) -> None:
    """Lines back to sessions."""
    for line in range(values.shape[0]):
        out[first + line] = values[line, place]


@jit
def store_bit_rows(bits: ByteArray, first: int, out: ByteArray) -> None:
    """Bits back to sessions of 0 and 1."""
    for line in range(bits.shape[0]):
        for place in range(out.shape[0]):
            _unpack(bits[line, place // 8], place % 8, out[place, first + line])
