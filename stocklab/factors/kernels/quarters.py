"""The quarter axis: what each view of a company shows, as lines that end with the newest visible quarter.

A line has one place for each calendar quarter up to the newest visible one. Nothing depends on where a line begins, so
a longer history never changes a bit of a value.
"""

# ruff: noqa: PLR0124, PLR0917 - a value that differs from itself is null; compiled loops take flat arguments

from __future__ import annotations

import math

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.jit import jit
from stocklab.types import AnyArray, BoolArray, ByteArray, FloatArray, IntArray

__all__ = ["BALANCE", "DISCRETE", "TRAILING", "carry_columns", "quarter_lines", "quarter_spans", "quarter_window"]

BALANCE, DISCRETE, TRAILING = 0, 1, 2
_FISCAL_YEAR = 4


@jit
def quarter_lines(
    what: int,
    symbols: tuple[int, int],
    reports: tuple[IntArray, AnyArray, AnyArray, AnyArray, AnyArray, BoolArray],
    amounts: tuple[FloatArray, FloatArray],
    events: tuple[IntArray, AnyArray, FloatArray, int],
    views: tuple[IntArray, AnyArray, AnyArray, BoolArray, BoolArray],
    out: FloatArray,
) -> None:
    """One item for every view of some symbols.

    Parameters
    ----------
    what : BALANCE at quarter end, DISCRETE amount of the quarter, TRAILING sum of four
    symbols : first and one past the last symbol
    reports : first report by symbol, day, slot, period end, fiscal quarter, consolidated
    amounts : of the quarter (or the balance), and of the fiscal year to date; per report, NaN = not reported
    events : first event by symbol, day, ratio; and 1 when the item counts shares, -1 when it is per share, else 0
    views : first view by symbol, day, newest slot, consolidated, annual reports only
    out : (n_views of these symbols, width)
    """
    first_report, days, slots, ends, quarters, consolidated = reports
    first_view, view_days, newest, view_basis, annual = views
    width = out.shape[1]
    row = 0
    for symbol in range(symbols[0], symbols[1]):
        begin, stop = first_report[symbol], first_report[symbol + 1]
        if begin == stop:
            for _ in range(first_view[symbol], first_view[symbol + 1]):
                out[row] = np.nan
                row += 1
            continue
        base = slots[begin:stop].min()
        count = slots[begin:stop].max() - base + 1
        known = np.full((2, 2, count), np.nan)  # basis, (quarter, to date), slot
        end = np.full((2, count), -1, np.int64)
        fiscal = np.zeros((2, count), np.int64)
        line = np.empty(count)
        report = begin
        for view in range(first_view[symbol], first_view[symbol + 1]):
            while report < stop and days[report] <= view_days[view]:
                basis = 1 if consolidated[report] else 0
                place = slots[report] - base
                if ends[report] > end[basis, place]:  # another period in the same slot: the later one counts
                    known[basis, :, place] = np.nan
                    end[basis, place] = ends[report]
                    fiscal[basis, place] = quarters[report]
                if ends[report] == end[basis, place]:
                    if amounts[0][report] == amounts[0][report]:
                        known[basis, 0, place] = amounts[0][report]
                    if amounts[1][report] == amounts[1][report]:
                        known[basis, 1, place] = amounts[1][report]
                report += 1
            basis = 1 if view_basis[view] else 0
            last = newest[view] - base
            _line(what, known[basis], end[basis], fiscal[basis], annual[view], line, last + 1)
            if events[3] != 0 and what == BALANCE:
                _to_basis(line, end[basis], events, symbol, view_days[view], last + 1)
            elif events[3] != 0:
                shifted = known[basis].copy()
                _to_basis(shifted[0], end[basis], events, symbol, view_days[view], last + 1)
                _to_basis(shifted[1], end[basis], events, symbol, view_days[view], last + 1)
                _line(what, shifted, end[basis], fiscal[basis], annual[view], line, last + 1)
            for c in range(width):
                place = last - (width - 1 - c)
                out[row, c] = line[place] if place >= 0 else np.nan
            row += 1


@jit
def quarter_spans(
    symbols: tuple[int, int],
    reports: tuple[IntArray, AnyArray, AnyArray],
    views: tuple[IntArray, AnyArray, AnyArray],
    width: int,
    spans: IntArray,
) -> None:
    """First place and end of each view's quarter axis, from the oldest visible quarter to the newest.

    Quarters outside it are null whatever the formula says, so that a past nobody has reported is not filled by ``nz``.

    Parameters
    ----------
    symbols : first and one past the last symbol
    reports : first report by symbol, day, slot
    views : first view by symbol, day, newest slot
    spans : (n_views of these symbols, 2)
    """
    first_report, days, slots = reports
    first_view, view_days, newest = views
    row = 0
    for symbol in range(symbols[0], symbols[1]):
        report = first_report[symbol]
        oldest = newest[first_view[symbol]] if first_view[symbol] < first_view[symbol + 1] else 0
        for view in range(first_view[symbol], first_view[symbol + 1]):
            while report < first_report[symbol + 1] and days[report] <= view_days[view]:
                oldest = min(oldest, slots[report])
                report += 1
            spans[row, 0] = max(width - 1 - (newest[view] - oldest), 0)
            spans[row, 1] = width
            row += 1


@jit
def _to_basis(
    line: FloatArray,
    end: IntArray,
    events: tuple[IntArray, AnyArray, FloatArray, int],
    symbol: int,
    day: int,
    length: int,
) -> None:
    """Put share counts or per-share amounts of earlier quarter ends on the share basis of a day."""
    first_event, event_days, ratios, sense = events
    for place in range(length):
        factor = 1.0
        for event in range(first_event[symbol], first_event[symbol + 1]):
            if end[place] >= 0 and end[place] < event_days[event] <= day:
                factor *= ratios[event]
        line[place] = line[place] * factor if sense > 0 else line[place] / factor


@jit
def _line(
    what: int, known: FloatArray, end: IntArray, fiscal: IntArray, annual: bool, line: FloatArray, length: int
) -> None:
    for place in range(length):
        line[place] = np.nan
        if what == BALANCE:
            line[place] = known[0, place]
        elif annual:
            if what == TRAILING and fiscal[place] == _FISCAL_YEAR:
                line[place] = known[1, place]
        else:
            line[place] = _discrete(known, fiscal, line, place)
    if what == TRAILING and not annual:
        for back in range(length):
            place = length - 1 - back
            total = np.nan
            if place >= 3:
                total = line[place - 3] + line[place - 2] + line[place - 1] + line[place]
            line[place] = total


@jit
def _discrete(known: FloatArray, fiscal: IntArray, line: FloatArray, place: int) -> float:
    """Amount of one quarter; ``line`` holds those of the quarters before."""
    if known[0, place] == known[0, place]:
        return float(known[0, place])
    quarter = fiscal[place]
    to_date = known[1, place]
    if quarter <= 1 or to_date != to_date:
        return float(to_date)
    if place == 0 or fiscal[place - 1] != quarter - 1:
        return np.nan
    if known[1, place - 1] == known[1, place - 1]:
        return float(to_date - known[1, place - 1])
    if place < quarter - 1 or fiscal[place - quarter + 1] != 1:
        return np.nan
    earlier = 0.0
    for back in range(quarter - 1, 0, -1):
        earlier += line[place - back]
    return float(to_date - earlier)


@jit
def quarter_window(code: int, x: FloatArray, n: int, out: FloatArray) -> None:
    """qmean and qstd (ddof 1) over n quarters, every one known; each window by itself, oldest first."""
    for t in range(x.size):
        out[t] = np.nan
        if t < n - 1:
            continue
        total = 0.0
        for i in range(t - n + 1, t + 1):
            total += x[i]
        mean = total / n
        if code == op.QMEAN:
            out[t] = mean
        elif n > 1:
            squares = 0.0
            for i in range(t - n + 1, t + 1):
                squares += (x[i] - mean) * (x[i] - mean)
            out[t] = math.sqrt(squares / (n - 1))


@jit
def carry_columns(
    values: FloatArray, first_view: IntArray, rows: AnyArray, first: int, mask: ByteArray, place: int, out: FloatArray
) -> None:
    """Values of views to days, each from its row until the next; ``out`` is (n_lines, n_inputs, n_sessions)."""
    for line in range(out.shape[0]):
        out[line, place] = np.nan
        begin, stop = first_view[first + line], first_view[first + line + 1]
        for view in range(begin, stop):
            until = rows[view + 1] if view + 1 < stop else out.shape[2]
            for t in range(rows[view], until):
                out[line, place, t] = values[view] if mask[line, t] else np.nan
