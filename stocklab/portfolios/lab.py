"""`Lab`: everything a page or a command needs, opened once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import structlog

from stocklab.backtest import run_id
from stocklab.backtest.result import OnProgress, ShouldCancel
from stocklab.data.engine import BacktestOutcome, run_backtest
from stocklab.data.panel_open import open_panel
from stocklab.data.results import ResultStore
from stocklab.data.store import Store
from stocklab.db import LOCAL_OWNER_ID, Database, open_database, upgrade
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import Panel, PriceBasis
from stocklab.portfolios.job_rows import JobTable
from stocklab.portfolios.jobs import JobOutcome, Jobs
from stocklab.portfolios.orders import BacktestOrder
from stocklab.portfolios.runs import Runs
from stocklab.portfolios.strategies import Strategies
from stocklab.settings import Settings, load_settings

__all__ = ["Lab", "RunBacktest", "close_shared_lab", "database_url", "shared_lab"]

log = structlog.get_logger(__name__)

_MAX_PANELS = 2
_PanelKey = tuple[str, PriceBasis | None, date | None, date | None, StatementMode]

RunBacktest = Callable[..., BacktestOutcome]


def database_url(settings: Settings) -> str:
    """URL of the app database: as set, else an SQLite file in the home."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{Path(settings.home).resolve() / 'stocklab.db'}"


class Lab:
    """Composition root of the UI and the command line.

    Attributes
    ----------
    settings, store, results, database, strategies, runs, jobs
        The parts; all may be used from several threads.
    owner_id : str
        The local owner, until accounts exist.
    """

    def __init__(self, settings: Settings, database: Database, run: RunBacktest) -> None:
        home = Path(settings.home)
        self.settings = settings
        self.owner_id = LOCAL_OWNER_ID
        self.database = database
        self.store = Store(home)
        self.results = ResultStore(home)
        self.strategies = Strategies(database)
        self.runs = Runs(database)
        self._run = run
        self._lock = threading.Lock()
        self._panels: OrderedDict[tuple[str, int], Panel] = OrderedDict()
        self._resolved: dict[_PanelKey, tuple[str, int]] = {}
        self.jobs = Jobs(
            JobTable(database),
            self._work,
            lookup=self._stored_run,
            max_concurrent=settings.max_concurrent_jobs,
            max_queued=settings.max_queued_jobs,
        )

    @classmethod
    def open(cls, settings: Settings, *, run: RunBacktest = run_backtest) -> Lab:
        """Create the home if needed, migrate the database, and mark jobs of processes that are gone as LOST.

        Raises
        ------
        SettingsError
            The database URL is not usable, or its schema is newer than this program.
        StockLabError
            The database does not answer.
        """
        Path(settings.home).mkdir(parents=True, exist_ok=True)
        database = open_database(database_url(settings))
        try:
            upgrade(database)
            lab = cls(settings, database, run)
            lost = lab.jobs.mark_lost()
        except BaseException:
            database.close()
            raise
        if lost:
            log.warning("jobs_lost", jobs=lost)
        return lab

    def panel(
        self,
        basis: PriceBasis | None = None,
        start: date | None = None,
        end: date | None = None,
        statements: StatementMode = StatementMode.STRICT,
    ) -> Panel:
        """The current snapshot's panel; the two used last stay open.

        Raises
        ------
        DataError
            The home holds no data, or none on this basis.
        """
        wanted = (self.store.current_id() or "", basis, start, end, statements)
        with self._lock:
            known = self._resolved.get(wanted)
            if known is not None:
                self._panels.move_to_end(known)
                return self._panels[known]
            panel = open_panel(self.store, basis=basis, start=start, end=end, statements=statements)
            identity = (panel.key, panel.n_sessions)
            panel = self._panels.setdefault(identity, panel)
            self._panels.move_to_end(identity)
            while len(self._panels) > _MAX_PANELS:
                self._panels.popitem(last=False)
            self._resolved = {key: found for key, found in self._resolved.items() if found in self._panels}
            self._resolved[wanted] = identity
            return panel

    def _open_panel(self, order: BacktestOrder, statements: StatementMode) -> Panel | None:
        """The panel if it is open already: building one takes longer than a page should wait."""
        wanted = (self.store.current_id() or "", order.basis, order.start, order.end, statements)
        with self._lock:
            known = self._resolved.get(wanted)
            return None if known is None else self._panels[known]

    def tidy(self) -> None:
        """Housekeeping for a long-lived process: lost jobs, and results nobody kept beyond the disk budget."""
        self.jobs.mark_lost()
        removed = self.results.shrink(self.settings.result_cache_mb * 1_000_000, self.runs.kept_ids())
        if removed:
            log.info("results_removed", results=removed)

    def close(self) -> None:
        """Stop the jobs, then let the database go."""
        self.jobs.close()
        self.database.close()

    def _work(
        self, owner_id: str, order: BacktestOrder, on_progress: OnProgress, should_cancel: ShouldCancel
    ) -> JobOutcome:
        request = order.request()
        outcome = self._run(
            self.store,
            self.results,
            request,
            basis=order.basis,
            threads=self.settings.engine_threads,
            on_progress=on_progress,
            should_cancel=should_cancel,
            factor_cache_mb=self.settings.factor_cache_mb,
        )
        result = outcome.result
        self.runs.record(
            owner_id, result.run_id, request, card=result.card, metrics=result.metrics, strategy_id=order.strategy_id
        )
        return JobOutcome(run_id=result.run_id, cached=outcome.cached)

    def _stored_run(self, owner_id: str, order: BacktestOrder) -> str | None:
        """Run id of an identical stored run, put on the owner's list; None when it must be computed."""
        request = order.request()
        panel = self._open_panel(order, request.strategy.statements)
        if panel is None:
            return None
        identity = run_id(panel, request)
        if not self.results.has(identity):
            return None
        card, metrics = (self.results.read_json(identity, part) for part in ("card", "metrics"))
        self.runs.record(owner_id, identity, request, card=card, metrics=metrics, strategy_id=order.strategy_id)
        return identity


_shared_lock = threading.Lock()
_shared: list[Lab] = []


def shared_lab(settings: Settings | None = None) -> Lab:
    """The one Lab of this process, opened on first use: routes, the job runner and page scripts share it."""
    with _shared_lock:
        if not _shared:
            _shared.append(Lab.open(load_settings() if settings is None else settings))
        return _shared[0]


def close_shared_lab() -> None:
    """Close the shared Lab, if one is open; the next use opens a new one."""
    with _shared_lock:
        if _shared:
            _shared.pop().close()
