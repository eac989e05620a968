"""Runs the steps of the quarter axis: one line for every view of a company, the newest quarter taken to the days."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from stocklab.factors.graph import Graph
from stocklab.factors.inputs import Inputs
from stocklab.factors.kernels.machine import run_lines
from stocklab.factors.kernels.quarters import BALANCE, DISCRETE, TRAILING, quarter_lines, quarter_spans
from stocklab.factors.plan import QuarterStage
from stocklab.factors.program import NOT_FINANCIAL
from stocklab.market.fundamentals import PER_SHARE_ITEMS, SHARE_COUNT_ITEMS, Fundamentals
from stocklab.types import FloatArray, IntArray

__all__ = ["Spread", "compute_quarters", "item_lines"]

Spread = Callable[[list[tuple[int, int]], Callable[[], Callable[[int, int], None]]], None]
"""Shares parts out among threads: ``spread(parts, make)`` calls ``make()(first, last)``."""

_VIEWS_PER_TILE: Final = 256
_WHAT: Final = {"mrq": BALANCE, "qtr": DISCRETE, "ttm": TRAILING}


def compute_quarters(graph: Graph, stage: QuarterStage, inputs: Inputs, spread: Spread) -> dict[int, FloatArray]:
    """The newest quarter's value of every carried step.

    Returns
    -------
    step -> (n_views,) float64
        In the order of ``Fundamentals.view_day``; NaN = null.
    """
    known = inputs.fundamentals
    if known is None:
        return {}
    program = stage.program
    width = known.width if stage.quarters is None else min(known.width, stage.quarters)
    newest = np.full((len(program.values), known.n_views), np.nan)

    def make() -> Callable[[int, int], None]:
        work = np.empty((program.n_slots, width))
        for slot, value in program.constants:
            work[slot] = value
        scratch = np.empty(program.scratch_per_window + program.scratch_lines * width + 1)

        def tile(first: int, last: int) -> None:
            begin, stop = int(known.first_view[first]), int(known.first_view[last])
            lines = stop - begin
            loaded = np.empty((lines, len(program.sources), width))
            for place, index in enumerate(program.sources):
                if index == NOT_FINANCIAL:
                    views = np.diff(known.first_view[first : last + 1])
                    loaded[:, place] = np.repeat(inputs.not_financial[first:last], views)[:, None]
                else:
                    step = graph.steps[index]
                    name = str(graph.steps[step.args[0]].params[0])
                    _fill(known, _WHAT[step.op], name, (first, last), loaded[:, place])
            values = np.empty((lines, len(program.values), width))
            spans = np.empty((lines, 2), dtype=np.int64)
            reports = (known.first_report, known.report_day, known.report_slot)
            quarter_spans((first, last), reports, (known.first_view, known.view_day, known.view_slot), width, spans)
            mask = np.ones((lines, width), dtype=np.uint8)
            bits = np.empty((lines, 0, width), dtype=np.uint8)
            run_lines(program.code, program.numbers, program.lists, spans, mask, loaded, values, bits, work, scratch)
            newest[:, begin:stop] = values[:, :, width - 1].T

        return tile

    spread(_tiles(known.first_view), make)
    return dict(zip(stage.carried, newest, strict=True))


def item_lines(known: Fundamentals, function: str, item: str, symbol: int) -> FloatArray:
    """What each view of one symbol shows of an item.

    Parameters
    ----------
    function : "mrq", "qtr" or "ttm"
    item : a statement item that fits the function
    symbol : column of the symbol

    Returns
    -------
    (n_views of the symbol, width)
        The last column is the newest visible quarter, ``Fundamentals.view_slot``; NaN = null.
    """
    begin, stop = int(known.first_view[symbol]), int(known.first_view[symbol + 1])
    out = np.empty((stop - begin, 1, known.width))  # the layout of a tile: compiled once
    _fill(known, _WHAT[function], item, (symbol, symbol + 1), out[:, 0])
    return out[:, 0]


def _fill(known: Fundamentals, what: int, item: str, symbols: tuple[int, int], out: FloatArray) -> None:
    flow = what != BALANCE
    first = (known.quarter_amounts if flow else known.balances).get(item)
    if first is None:
        out[:] = np.nan
        return
    sense = 1 if item in SHARE_COUNT_ITEMS else -1 if item in PER_SHARE_ITEMS else 0
    quarter_lines(
        what,
        symbols,
        (
            known.first_report,
            known.report_day,
            known.report_slot,
            known.report_end,
            known.report_quarter,
            known.consolidated,
        ),
        (first, known.cumulative_amounts[item] if flow else first),
        (known.first_event, known.event_day, known.event_ratio, sense),
        (known.first_view, known.view_day, known.view_slot, known.view_consolidated, known.view_annual),
        out,
    )


def _tiles(first_view: IntArray) -> list[tuple[int, int]]:
    """Runs of symbols with about as many views each; symbols without any are passed over."""
    tiles = []
    start = 0
    for symbol in range(1, len(first_view)):
        if first_view[symbol] - first_view[start] >= _VIEWS_PER_TILE or symbol == len(first_view) - 1:
            if first_view[symbol] > first_view[start]:
                tiles.append((start, symbol))
            start = symbol
    return tiles
