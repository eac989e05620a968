"""Answer a sweep on stored data: compute what is missing, keep it in small steps, go on after any interruption."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from stocklab.backtest import run_id
from stocklab.backtest.result import ShouldCancel
from stocklab.data.panel_open import basis_for, open_panel
from stocklab.data.store import Store
from stocklab.errors import DataError
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel, PriceBasis
from stocklab.research.sweep_run import Measured, run_variants
from stocklab.research.sweep_store import Figures, SweepStore, sweep_id
from stocklab.research.variants import Skipped, Variant, variants_of
from stocklab.strategy.sweep import Sweep

__all__ = ["SweepProgress", "Swept", "figures_of", "run_sweep", "sweep_on_panel"]

log = structlog.get_logger(__name__)

_SAVE_EVERY_SECONDS: Final = 0.5
_TABLES: Final = frozenset({"monthly", "yearly", "sales_by_reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProgress:
    """Where a sweep is: variants with figures, of all that can be run; ``best`` is the best objective so far."""

    done: int
    total: int
    best: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A finished sweep. ``computed`` now and ``known`` from before make up the variants; ``skipped`` were not run."""

    id: str
    computed: int
    known: int
    skipped: int
    seconds: float
    variants: tuple[Variant, ...]


OnSweepProgress = Callable[[SweepProgress], None]


def figures_of(metrics: Mapping[str, Any]) -> Figures:
    """The single figures of a run, without its tables by month, year and reason."""
    return {name: value for name, value in metrics.items() if name not in _TABLES}


def run_sweep(
    store: Store,
    sweep: Sweep,
    *,
    basis: PriceBasis | None = None,
    threads: int = 2,
    on_progress: OnSweepProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> Swept:
    """Run what of a sweep is not stored yet.

    Raises
    ------
    DataError
        The home holds no data.
    InputError
        The range has no session, or another process runs this sweep.
    Cancelled
        ``should_cancel`` said so; what was computed until then stays and is not computed again.
    """
    if store.current() is None:
        raise DataError("This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.")
    chosen = basis_for(sweep.strategy.universe, basis)
    panel = open_panel(store, basis=chosen, start=sweep.start, end=sweep.end, statements=sweep.strategy.statements)
    return sweep_on_panel(
        panel,
        SweepStore(store.home),
        sweep,
        threads=threads,
        on_progress=on_progress,
        should_cancel=should_cancel,
    )


def sweep_on_panel(
    panel: Panel,
    stored: SweepStore,
    sweep: Sweep,
    *,
    threads: int = 2,
    on_progress: OnSweepProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> Swept:
    """`run_sweep` on a panel that is already open."""
    started = time.perf_counter()
    panel.span(sweep.start, sweep.end)
    identity = sweep_id(panel, sweep)
    with stored.turn(identity):
        found = list(variants_of(sweep, partial(run_id, panel)))
        variants = tuple(item for item in found if isinstance(item, Variant))
        stored.begin(identity, sweep, panel, found)
        known = stored.known([variant.run_id for variant in variants])
        missing = [variant for variant in variants if variant.run_id not in known]
        keeper = _Keeper(stored, identity, sweep, total=len(variants), known=len(known), on_progress=on_progress)
        source = DirectSource(panel, threads=threads, should_cancel=should_cancel)
        try:
            for outcome in run_variants(panel, missing, source, threads=threads, should_cancel=should_cancel):
                keeper.take(outcome)
        finally:
            keeper.save()
    seconds = time.perf_counter() - started
    log.info("sweep_done", sweep_id=identity, computed=keeper.computed, known=len(known), seconds=round(seconds, 3))
    return Swept(
        id=identity,
        computed=keeper.computed,
        known=len(known),
        skipped=len(found) - len(variants) + keeper.refused,
        seconds=seconds,
        variants=variants,
    )


class _Keeper:
    """Takes results and writes them a few at a time."""

    def __init__(
        self,
        stored: SweepStore,
        identity: str,
        sweep: Sweep,
        *,
        total: int,
        known: int,
        on_progress: OnSweepProgress | None,
    ) -> None:
        self.computed = 0
        self.refused = 0
        self._stored = stored
        self._identity = identity
        self._sweep = sweep
        self._total = total
        self._known = known
        self._report = on_progress
        self._figures: dict[str, Figures] = {}
        self._skipped: list[Skipped] = []
        self._saved_at = time.monotonic()
        self._best: float | None = None
        self._tell()

    def take(self, outcome: Measured | Skipped) -> None:
        """Note a result; written when half a second has passed since the last time."""
        if isinstance(outcome, Skipped):
            self._skipped.append(outcome)
            self.refused += 1
        else:
            figures = figures_of(outcome.metrics)
            self._figures[outcome.variant.run_id] = figures
            self.computed += 1
            enough = figures["n_trades"] >= self._sweep.least_trades
            objective = figures.get(self._sweep.objective) if enough else None
            self._best = _better(self._best, objective, lower=self._sweep.lower_is_better)
        if time.monotonic() - self._saved_at >= _SAVE_EVERY_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what is not written yet."""
        if self._figures or self._skipped:
            self._stored.add(self._identity, self._figures, self._skipped)
            self._figures, self._skipped = {}, []
        self._saved_at = time.monotonic()
        self._tell()

    def _tell(self) -> None:
        if self._report is not None:
            done = self._known + self.computed + self.refused
            self._report(SweepProgress(done=done, total=self._total, best=self._best))


def _better(old: float | None, new: float | None, *, lower: bool) -> float | None:
    if old is None or new is None:
        return new if old is None else old
    return min(old, new) if lower else max(old, new)
