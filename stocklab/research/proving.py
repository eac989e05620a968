"""The look-ahead check on stored data: the panel with its statements as filed, cached values for the run itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog

from stocklab.backtest import RunRequest, ShouldCancel, run_id
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.factors import DirectSource
from stocklab.market.fundamentals import Fundamentals, StatementMode
from stocklab.market.panel import Panel
from stocklab.research.look_ahead import SESSIONS, Engine, LookAhead, find_look_ahead
from stocklab.research.proof_store import ProofStore

__all__ = ["prove"]

log = structlog.get_logger(__name__)


def prove(
    store: Store,
    panel: Panel,
    request: RunRequest,
    *,
    sessions: int = SESSIONS,
    seed: int = 0,
    threads: int = 2,
    factor_cache_mb: int = 2048,
    on_progress: Callable[[float], None] | None = None,
    should_cancel: ShouldCancel | None = None,
) -> LookAhead:
    """Check a run for look-ahead and keep the answer under the run's id; the result is the same for any ``threads``.

    Raises
    ------
    InputError, DataError
        The run cannot be made on this panel, or the snapshot is gone.
    Cancelled
        ``should_cancel`` said so; nothing is kept.
    """
    started = time.perf_counter()
    home = Path(store.home)
    found = find_look_ahead(
        panel,
        request,
        CachedSource(panel, home, threads=threads, budget_mb=factor_cache_mb, should_cancel=should_cancel),
        sessions=sessions,
        seed=seed,
        as_filed=_as_filed(store, panel),
        engine=Engine(source_of=partial(DirectSource, threads=threads)),
        on_progress=on_progress,
        should_cancel=should_cancel,
    )
    identity = run_id(panel, request)
    log.info(
        "look_ahead_checked",
        run_id=identity,
        sessions=len(found.sessions),
        differences=found.n_differences,
        seconds=round(time.perf_counter() - started, 3),
    )
    return ProofStore(home).keep(identity, found)


def _as_filed(store: Store, panel: Panel) -> Fundamentals | None:
    """Statements in strict mode, where the panel's are restated."""
    if panel.fundamentals is None or panel.fundamentals.mode is not StatementMode.RESTATED:
        return None
    snapshot = store.snapshot(panel.snapshot_id)
    return open_panel(store, basis=panel.basis, snapshot=snapshot, statements=StatementMode.STRICT).fundamentals
