"""`Lab`: everything a page or a command needs, opened once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import structlog

from stocklab.accounts import Accounts
from stocklab.backtest import run_id
from stocklab.backtest.result import RunRequest, ShouldCancel
from stocklab.caches import tally
from stocklab.data.engine import BacktestOutcome, run_backtest
from stocklab.data.panel_open import basis_for, open_panel
from stocklab.data.results import ResultStore
from stocklab.data.sources.pykrx import Account
from stocklab.data.store import Store
from stocklab.db import LOCAL_OWNER_ID, Database, database_url, open_database, pool_of, upgrade
from stocklab.errors import Cancelled, ResultNotFound, ResultOutdated
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import Panel, PriceBasis
from stocklab.operations import DatabaseCalls, Intents, RateLimits, RunLedger, SourceKeys, open_sealer, with_source_keys
from stocklab.operations.audit import AuditLog
from stocklab.portfolios.access import Access, HeldKind
from stocklab.portfolios.ideas import Ideas
from stocklab.portfolios.job_rows import JobTable
from stocklab.portfolios.jobs import JobOutcome, Jobs, OnJobProgress
from stocklab.portfolios.onboarding import Onboarding
from stocklab.portfolios.orders import BacktestOrder, Order, ProofOrder, SweepOrder
from stocklab.portfolios.own_sweeps import OwnSweeps
from stocklab.portfolios.progress import JobProgress
from stocklab.portfolios.runs import Runs
from stocklab.portfolios.strategies import Strategies
from stocklab.portfolios.universes import Universes
from stocklab.research.proof_store import ProofStore
from stocklab.research.proving import prove
from stocklab.research.stored_run import basis_of_card, request_of
from stocklab.research.sweep_store import SweepStore, sweep_id
from stocklab.research.sweeping import SweepProgress, sweep_on_panel
from stocklab.research.variants import strategy_with
from stocklab.settings import Settings, load_settings
from stocklab.strategy.sweep import Sweep

__all__ = ["Lab", "RunBacktest", "close_shared_lab", "database_url", "shared_lab"]

log = structlog.get_logger(__name__)

_MAX_PANELS = 2
_OPENED = tally("panels")
_PanelKey = tuple[str, PriceBasis | None, date | None, date | None, StatementMode]

RunBacktest = Callable[..., BacktestOutcome]


class Lab:
    """Composition root of the UI and the command line.

    Attributes
    ----------
    settings, store, results, sweeps, proofs, database, strategies, universes, runs, access, own_sweeps, ideas, jobs,
    intents, ledger, limits, accounts, calls
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
        self.sweeps = SweepStore(home)
        self.proofs = ProofStore(home)
        self.strategies = Strategies(database)
        self.universes = Universes(database)
        self.runs = Runs(database)
        self.access = Access(database, everything=settings.is_single_user)
        self.own_sweeps = OwnSweeps(self.sweeps, self.access)
        self.ideas = Ideas(database)
        self.onboarding = Onboarding(database)
        self.intents = Intents(database)
        self.ledger = RunLedger(database)
        self.limits = RateLimits(database)
        self.accounts = Accounts(database, settings, self.limits, AuditLog(database).write)
        self.calls = DatabaseCalls(database)
        self._run = run
        self._lock = threading.Lock()
        self._panels: OrderedDict[tuple[str, int], Panel] = OrderedDict()
        self._resolved: dict[_PanelKey, tuple[str, int]] = {}
        self.jobs = Jobs(
            JobTable(database),
            self._work,
            lookup=self._stored,
            admit=self._admit,
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
        database = open_database(database_url(settings), pool_of(settings))
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
                _OPENED.count(hits=1)
                self._panels.move_to_end(known)
                return self._panels[known]
            _OPENED.count(misses=1)
            panel = open_panel(self.store, basis=basis, start=start, end=end, statements=statements)
            identity = (panel.key, panel.n_sessions)
            panel = self._panels.setdefault(identity, panel)
            self._panels.move_to_end(identity)
            while len(self._panels) > _MAX_PANELS:
                self._panels.popitem(last=False)
            self._resolved = {key: found for key, found in self._resolved.items() if found in self._panels}
            self._resolved[wanted] = identity
            return panel

    def _open_panel(self, basis: PriceBasis | None, start: date, end: date, statements: StatementMode) -> Panel | None:
        """The panel if it is open already: building one takes longer than a page should wait."""
        wanted = (self.store.current_id() or "", basis, start, end, statements)
        with self._lock:
            known = self._resolved.get(wanted)
            return None if known is None else self._panels[known]

    def save_source_keys(self, entered: Mapping[str, str], *, actor_id: str | None = None) -> None:
        """Keep keys that a person (``actor_id``) entered. A log-in that KRX refused may then be tried again.

        Raises
        ------
        InputError
            A value cannot be a key; none after it was kept.
        """
        keys = self.source_keys()
        for name, value in entered.items():
            keys.set(name, value, actor_id=actor_id)
        if entered.keys() & {"krx_id", "krx_password"}:
            settings = with_source_keys(self.settings, keys)
            if settings.krx_id is not None and settings.krx_password is not None:
                account = Account(
                    user=settings.krx_id.get_secret_value(), password=settings.krx_password.get_secret_value()
                )
                self.calls.unblock(account.name())

    def source_keys(self) -> SourceKeys:
        """Keys of sources kept in the app database.

        Raises
        ------
        SettingsError
            The secret they are encrypted under cannot be used.
        """
        return SourceKeys(self.database, open_sealer(self.settings))

    def tidy(self) -> None:
        """Housekeeping for a long-lived process: lost jobs, windows that are over, results beyond the disk budget."""
        self.jobs.mark_lost()
        self.limits.tidy()
        self.accounts.tidy()
        removed = self.results.shrink(self.settings.result_cache_mb * 1_000_000, self.runs.kept_ids())
        if removed:
            log.info("results_removed", results=removed)
        swept = self.sweeps.shrink(self.settings.sweep_cache_mb * 1_000_000)
        if swept:
            log.info("sweeps_removed", sweeps=swept)

    def close(self) -> None:
        """Stop the jobs, then let the database go."""
        self.jobs.close()
        self.database.close()

    def count_tried(self, owner_id: str, identity: str) -> int:
        """Note whose a stored sweep is and which of its variants have run; how many of its idea were tried in all.

        Raises
        ------
        ResultNotFound
            No sweep of that id is stored.
        """
        sweep = self.sweeps.load(identity).sweep
        self.access.hold(owner_id, identity, HeldKind.SWEEP)
        tried = [strategy_with(sweep, row.values) for row in self.sweeps.rows(identity) if row.figures is not None]
        self.ideas.add(owner_id, tried)
        return self.ideas.count(owner_id, sweep.strategy)

    def _work(self, owner_id: str, order: Order, on_progress: OnJobProgress, should_cancel: ShouldCancel) -> JobOutcome:
        if isinstance(order, SweepOrder):
            return self._sweep(owner_id, order, on_progress, should_cancel)
        if isinstance(order, ProofOrder):
            self.access.require(owner_id, order.run_id)
            return self._prove(order, on_progress, should_cancel)
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
        self.ideas.add(owner_id, [request.strategy])
        return JobOutcome(run_id=result.run_id, cached=outcome.cached)

    def _sweep(
        self, owner_id: str, order: SweepOrder, on_progress: OnJobProgress, should_cancel: ShouldCancel
    ) -> JobOutcome:
        sweep = order.sweep()
        basis = basis_for(sweep.strategy.universe, order.basis)
        panel = self.panel(basis, sweep.start, sweep.end, sweep.strategy.statements)
        self.access.hold(owner_id, sweep_id(panel, sweep), HeldKind.SWEEP)  # also of one that is stopped or killed

        def tell(progress: SweepProgress) -> None:
            on_progress(
                JobProgress(
                    stage="sweep",
                    done=progress.done / max(progress.total, 1),
                    variants_done=progress.done,
                    variants=progress.total,
                    best=progress.best,
                )
            )

        try:
            swept = sweep_on_panel(
                panel,
                self.sweeps,
                sweep,
                threads=self.settings.engine_threads,
                on_progress=tell,
                should_cancel=should_cancel,
            )
        except Cancelled:
            self.count_tried(owner_id, sweep_id(panel, sweep))  # what has run was tried
            raise
        self.count_tried(owner_id, swept.id)
        return JobOutcome(run_id=swept.id, cached=swept.computed == 0)

    def _prove(self, order: ProofOrder, on_progress: OnJobProgress, should_cancel: ShouldCancel) -> JobOutcome:
        """The look-ahead check of a stored run; what was found before is not looked for again."""
        known = self.proofs.load(order.run_id)
        if known is not None and len(known.sessions) >= order.sessions:
            return JobOutcome(run_id=order.run_id, cached=True)
        request, panel = self.run_today(order.run_id, self.results.read_json(order.run_id, "card"))
        prove(
            self.store,
            panel,
            request,
            sessions=order.sessions,
            threads=max(1, self.settings.engine_threads - 1),  # nobody waits for it: pages keep a core
            factor_cache_mb=self.settings.factor_cache_mb,
            on_progress=lambda done: on_progress(JobProgress(stage="proof", done=done)),
            should_cancel=should_cancel,
        )
        return JobOutcome(run_id=order.run_id, cached=False)

    def run_today(self, identity: str, card: Mapping[str, Any]) -> tuple[RunRequest, Panel]:
        """The request behind the card of a run, and the panel on which it has the same id.

        Raises
        ------
        ResultOutdated
            The market data or the program changed since.
        """
        request = request_of(card)
        panel = self.panel(basis_of_card(card), request.start, request.end, request.strategy.statements)
        if run_id(panel, request) != identity:
            raise ResultOutdated(identity)
        return request, panel

    def stored_sweep(self, sweep: Sweep, basis: PriceBasis | None) -> str | None:
        """Id of a sweep that is stored, whole or in part; None where it never began, or its panel is not open."""
        basis = basis_for(sweep.strategy.universe, basis)
        panel = self._open_panel(basis, sweep.start, sweep.end, sweep.strategy.statements)
        if panel is None:
            return None
        identity = sweep_id(panel, sweep)
        try:
            self.sweeps.load(identity)
        except ResultNotFound:
            return None
        return identity

    def _admit(self, owner_id: str, order: Order) -> None:
        """With accounts, a user's backtests and sweeps are counted, and checks are of runs that the user may open."""
        if isinstance(order, ProofOrder):
            self.access.require(owner_id, order.run_id)
        elif not self.settings.is_single_user:
            self.accounts.plans.spend_backtest(owner_id)

    def _stored(self, owner_id: str, order: Order) -> str | None:
        """Run id of an identical stored run, put on the owner's list; None when it must be computed."""
        if isinstance(order, SweepOrder):
            return None  # what of it is stored is found, and not computed again, when it runs
        if isinstance(order, ProofOrder):
            return None
        return self._stored_run(owner_id, order.request(), order)

    def _stored_run(self, owner_id: str, request: RunRequest, order: BacktestOrder) -> str | None:
        basis = basis_for(request.strategy.universe, order.basis)
        panel = self._open_panel(basis, order.start, order.end, request.strategy.statements)
        if panel is None:
            return None
        identity = run_id(panel, request)
        if not self.results.has(identity):
            return None
        card, metrics = (self.results.read_json(identity, part) for part in ("card", "metrics"))
        self.runs.record(owner_id, identity, request, card=card, metrics=metrics, strategy_id=order.strategy_id)
        self.ideas.add(owner_id, [request.strategy])
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
