"""Run many variants of a strategy: what they share once, the rest in threads that walk whole variants.

A variant's figures are bit for bit those of `stocklab.backtest.simulate` on its document.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stocklab.backtest import RunRequest
from stocklab.backtest.metrics import build_metrics
from stocklab.backtest.plan import (
    EMPTY_BYTES,
    KEEP_CODES,
    WHOLE_LOGIC,
    Candidates,
    Plan,
    logic_trees,
    require_inputs,
    written_at_most,
)
from stocklab.backtest.result import ShouldCancel
from stocklab.backtest.rule_coverage import Coverage
from stocklab.backtest.statement_facts import require_mode
from stocklab.backtest.walking import run_kernel
from stocklab.errors import Cancelled, InputError
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.research.packed import combine_packed, fill_entry, fill_exit_codes
from stocklab.research.pieces import ConditionKey, Keys, Pieces, keys_of
from stocklab.research.variants import Skipped, Variant
from stocklab.strategy.document import Strategy
from stocklab.strategy.own_factors import expanded
from stocklab.types import BoolArray

__all__ = ["Measured", "run_variants"]

_MASK_BYTES: Final = 320 << 20
"""Packed conditions kept at once; more are made in turns."""

_RUN_OF_VARIANTS: Final = 16
"""Variants a thread takes at a time: long enough to reuse its own pieces, short enough to end together."""

_SHARED_LISTING: Final = 120
"""Up to so many holdings one list of candidates serves variants that differ in them."""

_WAIT_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A variant with every figure of its run."""

    variant: Variant
    metrics: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    variant: Variant
    strategy: Strategy  # own factors expanded
    keys: Keys
    coverage: Coverage


def run_variants(
    panel: Panel,
    variants: Sequence[Variant],
    source: FormulaSource,
    *,
    threads: int = 2,
    should_cancel: ShouldCancel | None = None,
) -> Iterator[Measured | Skipped]:
    """Run variants of one sweep, in an order that suits what they share; results come as they are ready.

    Parameters
    ----------
    variants : requests over the same range
    source : computes formulas over the panel; asked by several threads
    should_cancel : asked about ten times a second

    Raises
    ------
    InputError
        The range has no session.
    Cancelled
        ``should_cancel`` said so; what was given until then is whole.
    """
    if not variants:
        return
    request = variants[0].request
    span = panel.span(request.start, request.end)
    tasks: list[_Task] = []
    for variant in variants:
        try:
            tasks.append(_task(panel, variant))
        except InputError as error:
            yield Skipped(number=variant.number, values=variant.values, code="cannot_buy", reason=str(error))
    tasks.sort(key=lambda task: (*task.keys.order, task.variant.number))
    sharing = Counter[object](key for task in tasks for key in (task.keys.order_key, task.keys.parts))
    pieces = Pieces(panel, span, source, sharing, should_cancel)
    listed = _listing(panel, [task.strategy for task in tasks])

    def make_desk() -> _Desk:
        return _Desk(panel, pieces, listed)

    packed_bytes = 8 * panel.n_sessions * -(-panel.n_symbols // 64)
    for wave in _waves(tasks, max(_MASK_BYTES // packed_bytes, 8)):
        needed = frozenset[ConditionKey]().union(*(task.keys.conditions for task in wave))
        pieces.prepare(needed, {task.keys.universe: task.strategy for task in wave})
        yield from _run_wave(wave, make_desk, threads, should_cancel)


def _task(panel: Panel, variant: Variant) -> _Task:
    strategy = variant.request.strategy
    require_mode(panel, strategy)
    covered = require_inputs(panel, strategy)
    plain = expanded(strategy)
    return _Task(variant=variant, strategy=plain, keys=keys_of(plain), coverage=covered)


def _listing(panel: Panel, strategies: Sequence[Strategy]) -> int:
    """Candidates listed for each session, so that one list serves many variants."""
    shared = [strategy for strategy in strategies if strategy.sizing.max_holdings <= _SHARED_LISTING]
    return max((written_at_most(strategy, panel.n_symbols) for strategy in shared), default=0)


def _waves(tasks: Sequence[_Task], most: int) -> Iterator[list[_Task]]:
    """Runs of tasks that need at most so many different conditions (one task may need more)."""
    wave: list[_Task] = []
    needed: frozenset[ConditionKey] = frozenset()
    for task in tasks:
        together = needed | task.keys.conditions
        if wave and len(together) > most:
            yield wave
            wave, together = [], task.keys.conditions
        wave.append(task)
        needed = together
    if wave:
        yield wave


def _run_wave(
    wave: Sequence[_Task], make_desk: Callable[[], _Desk], threads: int, should_cancel: ShouldCancel | None
) -> Iterator[Measured | Skipped]:
    """Share the wave out to threads and give their results."""
    parts = _parts(wave, threads)
    lock = threading.Lock()
    stop = threading.Event()
    results: queue.SimpleQueue[Measured | Skipped | BaseException] = queue.SimpleQueue()

    def work() -> None:
        desk = make_desk()
        while not stop.is_set():
            with lock:
                part = next(parts, None)
            if part is None:
                return
            for task in part:
                if stop.is_set():
                    return
                results.put(_outcome(desk, task))

    workers = [threading.Thread(target=work, name=f"stocklab-sweep-{number}", daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(len(wave)):
            found = _next(results, should_cancel)
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def _next(
    results: queue.SimpleQueue[Measured | Skipped | BaseException], should_cancel: ShouldCancel | None
) -> Measured | Skipped | BaseException:
    while True:
        if should_cancel is not None and should_cancel():
            raise Cancelled("The sweep was stopped; the variants computed until then are stored.")
        with suppress(queue.Empty):
            return results.get(timeout=_WAIT_SECONDS)


def _parts(wave: Sequence[_Task], threads: int) -> Iterator[list[_Task]]:
    """Runs of neighbours, shorter where there would be too few for every thread."""
    size = max(1, min(_RUN_OF_VARIANTS, len(wave) // (4 * threads)))
    tasks = iter(wave)
    while part := list(itertools.islice(tasks, size)):
        yield part


def _outcome(desk: _Desk, task: _Task) -> Measured | Skipped | BaseException:
    variant = task.variant
    try:
        return Measured(variant=variant, metrics=desk.measure(task))
    except InputError as error:
        return Skipped(number=variant.number, values=variant.values, code="cannot_buy", reason=str(error))
    except BaseException as error:  # noqa: BLE001 (raised again by the thread that reads the results)
        return error


class _Desk:
    """One thread's own memory, and what it made last: the next variant often differs in a number only."""

    def __init__(self, panel: Panel, pieces: Pieces, listed: int) -> None:
        shape = (panel.n_sessions, panel.n_symbols)
        self._panel = panel
        self._pieces = pieces
        self._listed = listed
        self._entry = np.zeros(shape, dtype=np.uint8)
        self._exit = np.zeros(shape, dtype=np.uint8)
        self._values = np.empty(panel.n_symbols, dtype=np.float64)
        self._order = np.empty(panel.n_symbols, dtype=np.int64)
        self._entry_key: object = None
        self._exit_key: object = None
        self._candidates: Candidates | None = None

    def measure(self, task: _Task) -> Mapping[str, Any]:
        """Every figure of a variant."""
        request = task.variant.request
        plan = self._plan(task, request)
        state = run_kernel(self._panel, request, plan, ground=self._pieces.ground(request))
        return build_metrics(self._panel, request, plan, state)

    def _plan(self, task: _Task, request: RunRequest) -> Plan:
        strategy, keys, pieces = task.strategy, task.keys, self._pieces
        members = pieces.members(keys.universe, strategy)
        schedule, deciding = pieces.schedule(keys.schedule, strategy)
        score = pieces.score(keys, strategy)
        candidates = self._fill_entry(task, deciding)
        has_exits = bool(strategy.exit.rules)
        if has_exits:
            self._fill_exit(task)
        return Plan(
            first=pieces.first,
            last=pieces.last,
            universe=members.mask,
            entry=self._entry,
            score=score,
            candidates=candidates,
            weights=pieces.weights(keys, strategy),
            exit_code=self._exit if has_exits else EMPTY_BYTES,
            entry_ok=self._entry if strategy.exit.when_entry_fails else EMPTY_BYTES,
            ranks=pieces.ranks(keys, strategy),
            unsafe=pieces.unsafe(strategy),
            schedule=schedule,
            keep=KEEP_CODES[strategy.ranking.keep],
            keep_count=strategy.ranking.count,
            coverage=task.coverage,
            counts={},
        )

    def _fill_entry(self, task: _Task, deciding: BoolArray) -> Candidates:
        strategy, keys, pieces = task.strategy, task.keys, self._pieces
        wanted = written_at_most(strategy, self._panel.n_symbols)
        if strategy.sizing.max_holdings <= _SHARED_LISTING:
            wanted = self._listed
        ranking = strategy.ranking
        key = (keys.universe, keys.schedule, keys.score, keys.entry, keys.entry_logic, ranking.keep, ranking.count)
        if self._candidates is not None and self._entry_key == (key, wanted):
            return self._candidates
        order, score = pieces.order(keys, strategy), pieces.score(keys, strategy)
        tree, _ = logic_trees(strategy)
        holds = combine_packed(tree, {letter: pieces.condition(key) for letter, key in keys.entry}, order.known)
        old = self._candidates
        n = pieces.last - pieces.first
        if old is None or old.symbols.shape[1] != wanted:
            symbols = np.zeros((n, wanted), dtype=np.int64)
            written, totals = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        else:
            symbols, written, totals = old.symbols, old.written, old.totals
        fill_entry(
            pieces.first,
            pieces.last,
            deciding,
            order.known,
            holds,
            score.values,
            score.sign,
            order.rows,
            KEEP_CODES[ranking.keep],
            ranking.count,
            wanted,
            self._entry,
            symbols,
            written,
            totals,
            self._values,
            self._order,
        )
        self._entry_key = (key, wanted)
        self._candidates = Candidates(symbols=symbols, written=written, totals=totals, unknown_scores=0)
        return self._candidates

    def _fill_exit(self, task: _Task) -> None:
        keys, pieces = task.keys, self._pieces
        key = (keys.exit, keys.exit_logic, keys.exit_rules)
        if self._exit_key == key:
            return
        _, tree = logic_trees(task.strategy)
        rules = np.stack([pieces.condition(rule) for rule in keys.exit_rules])
        holds = combine_packed(tree, {letter: pieces.condition(key) for letter, key in keys.exit}, rules[0])
        fill_exit_codes(pieces.first, pieces.last, holds, rules, WHOLE_LOGIC, self._exit)
        self._exit_key = key
