"""Runs a program over lines: one instruction after the other on rows that stay in the processor's cache.

A program is an integer table with one instruction a row: operation, target row, three operands, n, m, k, first, last;
and two numbers a row. Operands name rows of ``work``; functions of any number of series read ``lists[first:last]``.
"""

# ruff: noqa: PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.elementwise import binary, compare, finite, mean_of_present, ternary, unary
from stocklab.factors.kernels.full import full_window
from stocklab.factors.kernels.jit import jit
from stocklab.factors.kernels.ordered import ordered_window
from stocklab.factors.kernels.pairs import down_beta, pair_window
from stocklab.factors.kernels.part import part_window
from stocklab.factors.kernels.quarters import quarter_window
from stocklab.factors.kernels.recursive import count_true, cs_spread, obv_line, psar, smooth
from stocklab.factors.kernels.regress import regression
from stocklab.factors.kernels.shifts import shift
from stocklab.types import ByteArray, FloatArray, IntArray

__all__ = ["run_lines"]


@jit
def run_lines(
    code: IntArray,
    numbers: FloatArray,
    lists: IntArray,
    spans: IntArray,
    mask: ByteArray,
    inputs: FloatArray,
    values: FloatArray,
    bits: ByteArray,
    work: FloatArray,
    scratch: FloatArray,
) -> None:
    """Run the program on each line of a tile.

    Parameters
    ----------
    code : (n_instructions, 10); numbers : (n_instructions, 2); lists : slots of variadic operands
    spans : (n_lines, 2) first and one past the last bar of each line; an empty span leaves the line null
    inputs : (n_lines, n_inputs, width), read by LOAD
    mask : (n_lines, width), 0 where the symbol is not listed: null there whatever the formula says
    values : (n_lines, n_values, width), written by STORE
    bits : (n_lines, n_conditions / 8, width), written by STORE_BIT: condition i is bit i % 8 of byte i // 8
    work : (n_slots, width); constants already stand in their rows
    scratch : as large as the plan says
    """
    for line in range(spans.shape[0]):
        start, stop = spans[line, 0], spans[line, 1]
        values[line, :, :start] = np.nan
        values[line, :, stop:] = np.nan
        bits[line] = 0
        for step in range(code.shape[0]):
            operation = code[step, 0]
            if operation == op.LOAD:
                work[code[step, 1], : stop - start] = inputs[line, code[step, 2], start:stop]
            elif operation == op.STORE:
                out = values[line, code[step, 1], start:stop]
                store(work[code[step, 2], : stop - start], mask[line, start:stop], out)
            elif operation == op.STORE_BIT:
                place = code[step, 1]
                out_bits = bits[line, place // 8, start:stop]
                store_bit(work[code[step, 2], : stop - start], mask[line, start:stop], place % 8, out_bits)
            elif stop > start:
                apply(code[step], numbers[step], lists, stop - start, work, scratch)


@jit
def store(x: FloatArray, mask: ByteArray, out: FloatArray) -> None:
    """Copy, infinities made null."""
    for i in range(out.size):
        out[i] = finite(x[i]) if mask[i] != 0 else np.nan


@jit
def store_bit(x: FloatArray, mask: ByteArray, place: int, out: ByteArray) -> None:
    """Set one bit where true; leave it 0 where false or null."""
    bit = np.uint8(1 << place)
    for i in range(out.size):
        out[i] |= bit if x[i] == x[i] and x[i] != 0 and mask[i] != 0 else np.uint8(0)


@jit
def apply(
    instruction: IntArray, numbers: FloatArray, lists: IntArray, length: int, work: FloatArray, scratch: FloatArray
) -> None:
    """One instruction on one line."""
    operation = instruction[0]
    n, m, k, first, last = instruction[5], instruction[6], instruction[7], instruction[8], instruction[9]
    out = work[instruction[1], :length]
    a = work[instruction[2], :length]
    b = work[instruction[3], :length]
    c = work[instruction[4], :length]
    if operation <= op.LAST_UNARY:
        unary(operation, a, out)
    elif operation <= op.LAST_BINARY:
        binary(operation, a, b, out)
    elif operation <= op.LAST_COMPARISON:
        compare(operation, a, b, out)
    elif operation <= op.LAST_TERNARY:
        ternary(operation, a, b, c, out)
    elif operation == op.NAVG:
        mean_of_present(lists[first:last], work, out)
    elif operation <= op.LAST_SHIFT:
        shift(operation, a, n, out)
    elif operation <= op.LAST_FULL:
        full_window(operation, a, n, k, out, scratch)
    elif operation <= op.LAST_PART:
        part_window(operation, a, n, m, k, out, scratch)
    elif operation <= op.LAST_ORDERED:
        ordered_window(operation, a, n, m, numbers[0], out, scratch)
    elif operation == op.TBETA_DOWN:
        down_beta(a, b, n, m, out, scratch)
    elif operation <= op.LAST_PAIR:
        pair_window(operation, a, b, n, m, out, scratch)
    elif operation <= op.LAST_REGRESSION:
        regression(operation, lists[first:last], work, (n, m, k, int(numbers[0])), out, scratch)
    elif operation <= op.WSUM:
        smooth(operation, a, n, k, out)
    elif operation <= op.BARS_SINCE:
        count_true(operation, a, out)
    elif op.QMEAN <= operation <= op.LAST_QUARTERS:
        quarter_window(operation, a, n, out)
    elif operation == op.OBV_LINE:
        obv_line(a, b, out)
    elif operation == op.CS_SPREAD1:
        cs_spread(a, b, c, out)
    elif operation == op.PSAR:
        psar(a, b, numbers[0], numbers[1], out)
