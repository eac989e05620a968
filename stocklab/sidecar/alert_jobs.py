"""The jobs that judge rules of alerts when data or filings came."""

from __future__ import annotations

from pathlib import Path

from stocklab.alerts import check_after_sync, check_filings
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.operations.follow_up import NO_MARKET
from stocklab.sidecar.work import JobContext, NothingToDo

__all__ = ["filing_rules_work", "rules_work"]


def rules_work(context: JobContext) -> str:
    """Judge the rules that live by the close.

    Raises
    ------
    NothingToDo
        The home holds no market data.
    Cancelled
        It was told to stop; what fired until then is told.
    """
    store = Store(Path(context.settings.home))
    if store.current() is None:
        raise NothingToDo(NO_MARKET)
    done = check_after_sync(context.database, store, context.settings, context.clock(), should_cancel=context.stop)
    return done.describe()


def filing_rules_work(context: JobContext) -> str:
    """Judge the rules about filings."""
    store = Store(Path(context.settings.home))
    panel = None if store.current() is None else open_panel(store)
    names = {} if panel is None else dict(zip(panel.symbols, panel.instruments.names, strict=True))
    return check_filings(context.database, names, context.clock()).describe()
