"""The survivorship comparison on stored data: both runs are ordinary results, found again by their ids."""

from __future__ import annotations

from stocklab.backtest import Result, RunRequest, ShouldCancel
from stocklab.data.engine import run_on_panel
from stocklab.data.results import ResultStore
from stocklab.data.store import Store
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.research.survivorship import Survivorship, compare_survivors, known_delistings

__all__ = ["run_survivorship"]


def run_survivorship(
    store: Store,
    results: ResultStore,
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    threads: int = 2,
    factor_cache_mb: int = 2048,
    should_cancel: ShouldCancel | None = None,
) -> Survivorship:
    """Run with and without the names that are gone, and keep both results.

    Raises
    ------
    InputError, DataError
        A run cannot be made on this panel, or the snapshot is gone.
    Cancelled
        ``should_cancel`` said so.
    """

    def run(asked: RunRequest) -> Result:
        return run_on_panel(
            panel,
            results,
            asked,
            home=store.home,
            threads=threads,
            factor_cache_mb=factor_cache_mb,
            should_cancel=should_cancel,
        ).result

    first, last = panel.sessions[0].item(), panel.sessions[-1].item()
    known = known_delistings(store.snapshot(panel.snapshot_id), first, last)
    return compare_survivors(panel, request, source, run, known=known)
