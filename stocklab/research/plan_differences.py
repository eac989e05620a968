"""How the plan of a run differs from that of its replay: universe, rules, scores, ranks, candidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from stocklab.backtest.plan import Plan, deciding_sessions
from stocklab.market.panel import Panel
from stocklab.research.difference_marks import KEPT, Mark, number_words
from stocklab.strategy.document import Strategy
from stocklab.types import AnyArray, BoolArray

__all__ = ["plan_differences"]

_CLOSE_ENOUGH: Final = 1e-9
"""Scores may differ by their last bits where adjusted prices have another scale; their order may not."""
_YES_OR_NO: Final = frozenset({"entry", "market_filter", "schedule"})


def plan_differences(panel: Panel, strategy: Strategy, run: Plan, replay: Plan, cut: int) -> Iterator[Mark]:
    """What was compiled for the sessions of the run up to the cut; ``panel`` names the symbols."""
    rows = slice(run.first, cut + 1)
    days = slice(0, cut + 1 - run.first)
    ranked = strategy.exit.rank_below is not None
    deciding = deciding_sessions(strategy, run.schedule)[days] | ranked
    tables: Mapping[str, tuple[AnyArray, AnyArray, BoolArray | None]] = {
        "universe": (run.universe, replay.universe, None),
        "entry": (run.entry, replay.entry, None),
        "exit": (run.exit_code, replay.exit_code, None),
        "score": (run.score.values, replay.score.values, deciding),
        "rank": (run.ranks, replay.ranks, None),
        "weight": (run.weights, replay.weights, None),
    }
    for part, (one, other, read) in tables.items():
        if one.size or other.size:
            yield from _cells(part, one[rows], other[rows], read, run.first)
    for part, one, other in (
        ("market_filter", run.unsafe[days], replay.unsafe[days]),
        ("schedule", run.schedule[days], replay.schedule[days]),
    ):
        yield from _cells(part, one[:, None], other[:, None], None, run.first, alone=True)
    yield from _candidates(run, replay, days, panel)


def _cells(
    part: str, run: AnyArray, replay: AnyArray, read: BoolArray | None, first: int, *, alone: bool = False
) -> Iterator[Mark]:
    """Cells of two tables that differ; ``read`` (n_rows,) marks the rows that are read, None: all."""
    rows = np.arange(len(run)) if read is None or read.all() else np.flatnonzero(read)
    if len(rows) < len(run):
        run, replay = run[rows], replay[rows]
    if _same_bits(run, replay):
        return
    same = run == replay
    if run.dtype.kind == "f":
        same |= (np.isnan(run) & np.isnan(replay)) | np.isclose(run, replay, rtol=_CLOSE_ENOUGH, atol=0.0)
    differs = ~same
    count = int(np.count_nonzero(differs))
    if not count:
        return
    # the latest row first: what was decided at the cut itself is what a peek moves
    places = np.argwhere(differs)[::-1][:KEPT]
    for number, (row, column) in enumerate(places.tolist()):
        yield Mark(
            part,
            count if number == 0 else 0,
            first + int(rows[row]),
            -1 if alone else column,
            *(
                number_words(bool(table[row, column]) if part in _YES_OR_NO else table[row, column])
                for table in (run, replay)
            ),
        )


def _same_bits(run: AnyArray, replay: AnyArray) -> bool:
    """Whether two tables are the same to the bit: far quicker than asking which cells are unknown in both."""
    if run.dtype != replay.dtype or run.shape != replay.shape:
        return False
    bits = np.dtype(f"u{run.dtype.itemsize}")
    return np.array_equal(np.ascontiguousarray(run).view(bits), np.ascontiguousarray(replay).view(bits))


def _candidates(run: Plan, replay: Plan, days: slice, panel: Panel) -> Iterator[Mark]:
    """Sessions whose list of candidates, in order of purchase, is another."""
    one, other = run.candidates, replay.candidates
    place = np.arange(one.symbols.shape[1])
    lists = [
        np.where(place < found.written[days, None], found.symbols[days, : len(place)], -1) for found in (one, other)
    ]
    differs = (lists[0] != lists[1]).any(axis=1) | (one.totals[days] != other.totals[days])
    count = int(np.count_nonzero(differs))
    for number, row in enumerate(np.flatnonzero(differs)[::-1][:KEPT].tolist()):
        at = int(np.argmax(lists[0][row] != lists[1][row]))
        symbols = [int(found[row, at]) for found in lists]
        if symbols[0] == symbols[1]:
            words = [f"{int(found.totals[row])} candidates" for found in (one, other)]
            symbol = -1
        else:
            words = [f"{at + 1}: {panel.symbols[found] if found >= 0 else '-'}" for found in symbols]
            symbol = max(symbols[0], symbols[1]) if symbols[0] < 0 else symbols[0]
        yield Mark("candidates", count if number == 0 else 0, run.first + row, symbol, words[0], words[1])
