"""Runs a plan over arrays: tiles of symbols or sessions on a few threads, the same bits however it is cut."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from stocklab.errors import Cancelled
from stocklab.factors.graph import Graph
from stocklab.factors.inputs import Inputs, frozen
from stocklab.factors.kernels import opcodes, tiles
from stocklab.factors.kernels.cross import run_cross
from stocklab.factors.kernels.machine import run_lines
from stocklab.factors.kernels.quarters import carry_columns
from stocklab.factors.listing import Listing
from stocklab.factors.plan import LineStage, Plan
from stocklab.factors.program import NOT_FINANCIAL, Program, Target
from stocklab.factors.quarters import compute_quarters
from stocklab.types import AnyArray, BoolArray, ByteArray, FloatArray

__all__ = ["Execution"]

_CROSS_SESSIONS = 64
_LINES_PER_CALL = 16
_WORKER_BYTES = 48 << 20


@dataclass(slots=True)
class Execution:
    """One call of evaluate: tables of steps come and go, outputs stay."""

    graph: Graph
    inputs: Inputs
    listing: Listing
    universe: BoolArray
    threads: int
    tile_symbols: int
    tile_sessions: int
    should_cancel: Callable[[], bool] | None
    tables: dict[int, FloatArray] = field(default_factory=dict)
    carried: dict[int, FloatArray] = field(default_factory=dict)
    conditions: dict[int, ByteArray] = field(default_factory=dict)
    stage_conditions: ByteArray = field(default_factory=lambda: np.empty((0, 0, 0), dtype=np.uint8))
    caller: int = field(default_factory=threading.get_ident)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, plan: Plan, wanted: Sequence[Target]) -> tuple[AnyArray, ...]:
        """Arrays in the order wanted; equal formulas get arrays of their own."""
        if plan.quarters is not None and self.inputs.fundamentals is not None:
            self.carried = compute_quarters(self.graph, plan.quarters, self.inputs, self.spread)
        for level, (crosses, stage) in enumerate(zip(plan.crosses, plan.stages, strict=True)):
            for index in crosses:
                self.cross(index)
            if stage is not None:
                self.lines(stage)
            self.tables = {index: table for index, table in self.tables.items() if plan.last_use[index] > level}
        outputs: list[AnyArray] = []
        given: set[tuple[int, str]] = set()
        for target in wanted:
            array: AnyArray = (self.tables if target.kind == "value" else self.conditions)[target.step]
            outputs.append(array.copy() if (target.step, target.kind) in given else array)
            given.add((target.step, target.kind))
        return tuple(outputs)

    def lines(self, stage: LineStage) -> None:
        """Every line of a stage, tile by tile."""
        shape = (self.inputs.n_sessions, self.inputs.n_symbols)
        program = stage.program
        for index in program.values:
            self.tables[index] = np.empty(shape)
        self.stage_conditions = np.empty((len(program.conditions), *shape), dtype=np.uint8)
        self.conditions |= dict(zip(program.conditions, self.stage_conditions, strict=True))
        columns = stage.orientation == "columns"
        count, size = (shape[1], self.tile_symbols) if columns else (shape[0], self.tile_sessions)
        width = shape[0] if columns else shape[1]
        line_bytes = 8 * max(width, 1) * (len(program.sources) + len(program.values) + 1)
        size = min(size, max(1, _WORKER_BYTES // line_bytes))
        worker = _ColumnWorker if columns else _RowWorker
        tiles_left = [(first, min(first + size, count)) for first in range(0, count, size)]
        self.spread(tiles_left, lambda: worker(self, program, min(size, count), width).tile)

    def cross(self, index: int) -> None:
        """One cross-sectional step over all sessions."""
        step = self.graph.steps[index]
        tables = [self.tables[arg] for arg in step.args if arg in self.tables]
        x = frozen(tables[0])
        weight = frozen(tables[1]) if len(tables) > 1 else x
        out = np.empty(x.shape)
        marks = [float(mark) for mark in step.params]
        bounds = (marks[0] if marks else 0.0, marks[1] if len(marks) > 1 else 0.0)
        code, groups, universe = opcodes.BY_NAME[step.op], self.inputs.groups, self.universe

        def part(first: int, last: int) -> None:
            run_cross(code, x, weight, universe, groups, bounds, (first, last), out)

        sessions = range(0, x.shape[0], _CROSS_SESSIONS)
        self.spread([(first, min(first + _CROSS_SESSIONS, x.shape[0])) for first in sessions], lambda: part)
        self.tables[index] = out

    def spread(self, parts: list[tuple[int, int]], make: Callable[[], Callable[[int, int], None]]) -> None:
        """Share the parts out; the calling thread works too and is the one that asks whether to stop."""
        queue = iter(parts)
        lock = threading.Lock()

        def work() -> None:
            run = make()
            while not self.stopped():
                with lock:
                    part = next(queue, None)
                if part is None:
                    return
                run(*part)

        helpers = min(self.threads, len(parts)) - 1
        if helpers > 0:
            with ThreadPoolExecutor(max_workers=helpers) as pool:
                futures = [pool.submit(work) for _ in range(helpers)]
                finished = False
                try:
                    work()
                    finished = True
                finally:
                    if not finished:  # the helpers need not go on for a caller that failed
                        self.stop.set()
            for future in futures:
                future.result()
        else:
            work()
        if self.stop.is_set():
            raise Cancelled("The evaluation was stopped on request.")

    def stopped(self) -> bool:
        """Whether to stop; only the calling thread asks, because the question may belong to its page."""
        ask = self.should_cancel
        if ask is not None and threading.get_ident() == self.caller and ask():
            self.stop.set()
        return self.stop.is_set()


@dataclass(frozen=True, slots=True)
class _Source:
    """Values and what they are spread over: a whole table (and perhaps its turned copy), the sessions, ..."""

    over: Literal["table", "sessions", "symbols", "market", "views"]
    values: AnyArray
    turned: AnyArray | None = None


class _Worker(ABC):
    """Memory of one thread and the copying in and out of it."""

    def __init__(self, execution: Execution, program: Program, lines: int, width: int) -> None:
        self.execution = execution
        self.inputs = execution.inputs
        self.program = program
        self.sources = [self.source(index) for index in program.sources]
        self.loaded = np.empty((lines, len(program.sources), width))
        self.values = np.empty((lines, len(program.values), width))
        self.bits = np.empty((lines, -(-len(program.conditions) // 8), width), dtype=np.uint8)
        self.mask = np.empty((lines, width), dtype=np.uint8)
        self.spans = np.empty((lines, 2), dtype=np.int64)
        self.work = np.empty((program.n_slots, width))
        self.scratch = np.empty(program.scratch_per_window + program.scratch_lines * width + 1)
        for slot, value in program.constants:
            self.work[slot] = value

    def source(self, index: int) -> _Source:
        """Where the values of a step are read."""
        if index == NOT_FINANCIAL:
            return _Source("symbols", self.inputs.not_financial)
        step = self.execution.graph.steps[index]
        if step.op not in ("field", "carry"):
            return _Source("table", frozen(self.execution.tables[index]))
        if step.op == "carry" and index in self.execution.carried:
            return _Source("views", self.execution.carried[index])
        name = str(step.params[0]) if step.op == "field" else ""
        if name in self.inputs.tables:
            return _Source("table", self.inputs.tables[name], self.inputs.turned.get(name))
        if name in self.inputs.shared:
            return _Source("sessions", self.inputs.shared[name])
        if name == "mkt_close" and self.inputs.levels is not None:
            return _Source("market", self.inputs.levels)
        return _Source("sessions", frozen(np.full(self.inputs.n_sessions, np.nan)))

    def tile(self, first: int, last: int) -> None:
        """Load, compute a few lines at a time, store."""
        lines = last - first
        self.load(first, lines)
        program = self.program
        for begin in range(0, lines, _LINES_PER_CALL):
            if self.execution.stopped():
                return
            part = slice(begin, min(begin + _LINES_PER_CALL, lines))
            run_lines(
                program.code,
                program.numbers,
                program.lists,
                self.spans[part],
                self.mask[part],
                self.loaded[part],
                self.values[part],
                self.bits[part],
                self.work,
                self.scratch,
            )
        self.store(first, lines)

    @abstractmethod
    def load(self, first: int, lines: int) -> None:
        """Fill mask, spans and loaded from the sources."""

    @abstractmethod
    def store(self, first: int, lines: int) -> None:
        """Copy values and bits to the tables."""


class _ColumnWorker(_Worker):
    """Lines are symbols."""

    def load(self, first: int, lines: int) -> None:
        """Turn a tile of each source."""
        listing, loaded = self.execution.listing, self.loaded[:lines]
        mask = self.mask = listing.mask[first : first + lines]
        self.spans = listing.spans[first : first + lines]
        for place, source in enumerate(self.sources):
            match source.over:
                case "table" if source.turned is not None:
                    tiles.load_lines(source.turned, first, mask, place, loaded)
                case "table":
                    tiles.load_columns(source.values, first, mask, place, loaded)
                case "sessions":
                    tiles.load_shared_columns(source.values, mask, place, loaded)
                case "symbols":
                    loaded[:, place] = source.values[first : first + lines, None]
                case "market":
                    market = self.inputs.market
                    if market is None:
                        raise AssertionError("mkt_close without market codes")
                    tiles.load_market(market, source.values, first, mask, place, loaded)
                case "views":
                    known = self.inputs.fundamentals
                    if known is None:
                        raise AssertionError("values of views without fundamentals")
                    carry_columns(source.values, known.first_view, known.view_row, first, mask, place, loaded)

    def store(self, first: int, lines: int) -> None:
        """Turn the results back."""
        for place, index in enumerate(self.program.values):
            tiles.store_columns(self.values[:lines], place, first, self.execution.tables[index])
        if self.program.conditions:
            tiles.store_bit_columns(self.bits[:lines], first, self.execution.stage_conditions)


class _RowWorker(_Worker):
    """Lines are sessions: only for programs that look at one bar at a time."""

    def load(self, first: int, lines: int) -> None:
        """Copy rows of each source."""
        listed = self.inputs.listed
        self.spans[:lines, 0] = 0
        self.spans[:lines, 1] = self.inputs.n_symbols
        self.mask[:lines] = listed[first : first + lines]
        for place, source in enumerate(self.sources):
            match source.over:
                case "table":
                    tiles.load_rows(source.values, listed, first, place, self.loaded[:lines])
                case "sessions":
                    tiles.load_shared_rows(source.values, listed, first, place, self.loaded[:lines])
                case "symbols":
                    self.loaded[:lines, place] = source.values
                case _:
                    raise AssertionError(f"{source.over} are read along the sessions only")

    def store(self, first: int, lines: int) -> None:
        """Copy the results back."""
        for place, index in enumerate(self.program.values):
            tiles.store_rows(self.values[:lines], place, first, self.execution.tables[index])
        if self.program.conditions:
            tiles.store_bit_rows(self.bits[:lines], first, self.execution.stage_conditions)
