"""Run a backtest on stored data: open the panel, use cached factor values, keep the result."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from stocklab.backtest import OnProgress, Result, RunRequest, ShouldCancel, run_id, simulate
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import basis_for, open_panel
from stocklab.data.results import ResultStore
from stocklab.data.store import Store
from stocklab.errors import DataError
from stocklab.market.panel import Panel, PriceBasis

__all__ = ["BacktestOutcome", "run_backtest", "run_on_panel"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOutcome:
    """A result, whether it was already stored, and how long getting it took."""

    result: Result
    cached: bool
    seconds: float


def run_backtest(
    store: Store,
    results: ResultStore,
    request: RunRequest,
    *,
    basis: PriceBasis | None = None,
    threads: int = 2,
    on_progress: OnProgress | None = None,
    should_cancel: ShouldCancel | None = None,
    factor_cache_mb: int = 2048,
) -> BacktestOutcome:
    """Answer a request from the stored results, or run it and store the result.

    Raises
    ------
    DataError
        The home holds no data, or the result stored under this id is damaged.
    InputError
        The range has no session, or the document cannot run on this data.
    Cancelled
        ``should_cancel`` said so; nothing is stored.
    """
    if store.current() is None:
        raise DataError("This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.")
    mode = request.strategy.statements
    chosen = basis_for(request.strategy.universe, basis)
    panel = open_panel(store, basis=chosen, start=request.start, end=request.end, statements=mode)
    return run_on_panel(
        panel,
        results,
        request,
        home=store.home,
        threads=threads,
        on_progress=on_progress,
        should_cancel=should_cancel,
        factor_cache_mb=factor_cache_mb,
    )


def run_on_panel(
    panel: Panel,
    results: ResultStore,
    request: RunRequest,
    *,
    home: Path,
    threads: int = 2,
    on_progress: OnProgress | None = None,
    should_cancel: ShouldCancel | None = None,
    factor_cache_mb: int = 2048,
) -> BacktestOutcome:
    """`run_backtest` on a panel that is already open."""
    started = time.perf_counter()
    identity = run_id(panel, request)
    if results.has(identity):
        stored = results.load(identity)
        return BacktestOutcome(result=stored, cached=True, seconds=time.perf_counter() - started)
    source = CachedSource(panel, home, threads=threads, budget_mb=factor_cache_mb, should_cancel=should_cancel)
    result = simulate(panel, request, source, on_progress=on_progress, should_cancel=should_cancel)
    results.save(result)
    seconds = time.perf_counter() - started
    log.info(
        "backtest_done",
        run_id=result.run_id,
        sessions=result.tables["daily"].height,
        symbols=panel.n_symbols,
        fills=result.tables["trades"].height,
        seconds=round(seconds, 3),
        factor_hits=source.hits,
        factor_misses=source.misses,
    )
    return BacktestOutcome(result=result, cached=False, seconds=seconds)
