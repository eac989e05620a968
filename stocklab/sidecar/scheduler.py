"""`stocklab scheduler`: the one background process. A second one waits and takes over when the first is gone."""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from stocklab.data.sources.calls import KST, now_kst
from stocklab.db import Database, DatabaseUnreachable
from stocklab.db.columns import utc_now
from stocklab.errors import InputError, StockLabError
from stocklab.operations import INTENT_KINDS, IntentKind, Intents, LedgerRun, RunLedger, Uptime
from stocklab.operations.leadership import Leadership, leadership_for
from stocklab.operations.schedule import newest_key
from stocklab.settings import Settings
from stocklab.sidecar.alert_lane import AlertLane
from stocklab.sidecar.lanes import IntentLane, JobLane, Lane, Resources
from stocklab.sidecar.trading_lane import Shared, TradingLane
from stocklab.sidecar.work import Job, Work

__all__ = ["EXIT_LOST", "Pulse", "run_once", "run_scheduler"]

log = structlog.get_logger(__name__)

EXIT_LOST: Final = 4
"""The lock was lost: the process ends at once and its supervisor starts it again, as a standby."""

_LOST_GRACE_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How often the process looks around, in seconds.

    ``grace`` is how long work may take to end after SIGTERM; less than what the supervisor allows. ``settle`` is how
    old a process must be before it begins with the timetable: an app that starts with it gets the processor first. A
    standby that takes over is older.
    """

    poll: float = 1.0
    standby: float = 1.0
    beat: float = 15.0
    lock: float = 2.0
    grace: float = 12.0
    settle: float = 20.0


@dataclass(frozen=True, kw_only=True)
class _Sidecar:
    """What `run_scheduler` was given, and what it opened for it."""

    settings: Settings
    database: Database
    worker: str
    jobs: Sequence[Job]
    intents: Mapping[str, Work]
    kinds: Mapping[str, IntentKind]
    trading: Shared | None
    clock: Callable[[], datetime]
    pulse: Pulse
    leadership: Leadership
    uptime: Uptime
    stopped: Callable[[float], bool]
    started: float

    def wait_for_lock(self) -> bool:
        """Stand by until the lock is ours; False when the process is told to stop first."""
        beaten: float | None = None
        while True:
            try:
                if self.leadership.try_take():
                    return True
                now = time.monotonic()
                if beaten is None:
                    log.info("scheduler_stands_by", worker=self.worker)
                if beaten is None or now - beaten >= self.pulse.beat:
                    self.uptime.beat("scheduler", self.worker, utc_now(), state="standby")
                    beaten = now
            except DatabaseUnreachable as error:
                log.warning("scheduler_waits_for_database", message=str(error))
            if self.stopped(self.pulse.standby):
                return False

    def lead(self) -> int:
        """Work as the one that holds the lock, until a signal or the loss of the lock."""
        stopping = Event()
        lanes = self._lanes(stopping)
        recovered = self._recover()
        log.info("scheduler_leads", worker=self.worker, intents_recovered=recovered)
        timer = self._timer(lanes)
        lanes[0].start(after_seconds=max(0.0, self.pulse.settle - (time.monotonic() - self.started)))
        for lane in lanes[1:]:
            lane.start()
        timer.start()
        lost = False
        while not lost and not self.stopped(self.pulse.lock):
            lost = not self.leadership.held()
        stopping.set()
        for lane in lanes:
            lane.wake.set()
        deadline = time.monotonic() + (_LOST_GRACE_SECONDS if lost else self.pulse.grace)
        ended = [lane.join(deadline - time.monotonic()) for lane in lanes]
        timer.shutdown(wait=False)
        self.leave()
        if all(ended):
            self.leadership.release()  # else the lock is kept until the process is gone, with the work it still does
        log.info("scheduler_stopped", led=True, lost=lost, in_order=all(ended))
        return EXIT_LOST if lost else 0

    def leave(self) -> None:
        """Say that this process ends."""
        try:
            self.uptime.leave(self.worker)
        except StockLabError as error:
            log.warning("leave_failed", message=str(error))

    def _lanes(self, stopping: Event) -> tuple[Lane, ...]:
        """One for the timetable, one for the intents of each resource (news do not wait for a sync of hours), one that
        sends alerts.
        """
        common: dict[str, Any] = {
            "settings": self.settings,
            "database": self.database,
            "worker": self.worker,
            "clock": self.clock,
            "resources": Resources(),
            "stopping": stopping,
            "poll_seconds": self.pulse.poll,
            "fence": self.leadership.confirms,
        }
        by_resource: dict[str, dict[str, Work]] = {}
        for name, work in self.intents.items():
            kind = self.kinds.get(name)
            by_resource.setdefault("" if kind is None else kind.resource, {})[name] = work
        intents = (IntentLane(works=works, kinds=self.kinds, **common) for works in by_resource.values())
        trading = () if self.trading is None else (TradingLane(shared=self.trading, **common),)
        return JobLane(jobs=self.jobs, **common), *intents, AlertLane(**common), *trading

    def _recover(self) -> int:
        """Settle what dead workers held, as soon as the database answers."""
        while True:
            try:
                return Intents(self.database, self.kinds).recover(self.worker, self.clock())
            except DatabaseUnreachable as error:
                log.warning("scheduler_waits_for_database", message=str(error))
                if self.stopped(self.pulse.standby):
                    return 0

    def _timer(self, lanes: Sequence[Lane]) -> BackgroundScheduler:
        """Wakes the lanes when a job becomes due, and beats. It keeps nothing: the run ledger knows what was done."""
        timer = BackgroundScheduler(
            timezone=KST,
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        timer.add_job(self._beat, IntervalTrigger(seconds=self.pulse.beat), next_run_time=datetime.now(KST))
        timer.add_job(_watch, IntervalTrigger(seconds=max(self.pulse.poll, 0.5)), args=(lanes,))
        for job in self.jobs:
            at = job.schedule.at
            timer.add_job(lanes[0].wake.set, CronTrigger(hour=at.hour, minute=at.minute, timezone=KST))
        return timer

    def _beat(self) -> None:
        try:
            self.uptime.beat("scheduler", self.worker, utc_now())
            RunLedger(self.database).beat(self.worker, utc_now())
            Intents(self.database).beat(self.worker, utc_now())
        except StockLabError as error:
            log.warning("heartbeat_failed", message=str(error))


def _watch(lanes: Sequence[Lane]) -> None:
    """Pass wishes to cancel on to the work that runs."""
    try:
        for lane in lanes:
            lane.watch()
    except StockLabError as error:
        log.warning("watch_failed", message=str(error))


def run_scheduler(
    settings: Settings,
    database: Database,
    *,
    worker: str,
    jobs: Sequence[Job],
    intents: Mapping[str, Work],
    kinds: Mapping[str, IntentKind] = INTENT_KINDS,
    trading: Shared | None = None,
    clock: Callable[[], datetime] = now_kst,
    pulse: Pulse | None = None,
) -> int:
    """Wait for the lock, then work until SIGTERM or SIGINT, or until the lock is lost. Main thread only.

    Parameters
    ----------
    worker : str
        Name of this process (`stocklab.operations.worker_identity.worker_name`).
    jobs, intents
        The timetable with its work, and the work of each kind of intent.
    trading : callable, optional
        Opens the accounts of brokers (`stocklab.sidecar.trading_work`); None: no account is opened.
    clock : callable
        The time, timezone-aware; heartbeats use the machine's own.

    Returns
    -------
    0 after a signal, 4 after the lock was lost.
    """
    with _signals() as stopped:
        sidecar = _Sidecar(
            settings=settings,
            database=database,
            worker=worker,
            jobs=jobs,
            intents=intents,
            kinds=kinds,
            trading=trading,
            clock=clock,
            pulse=Pulse() if pulse is None else pulse,
            leadership=leadership_for(database, Path(settings.home)),
            uptime=Uptime(database),
            stopped=stopped,
            started=time.monotonic(),
        )
        log.info("scheduler_started", worker=worker, backend=database.backend)
        if sidecar.wait_for_lock():
            return sidecar.lead()
        sidecar.leadership.release()
        sidecar.leave()
        log.info("scheduler_stopped", led=False)
        return 0


def run_once(
    settings: Settings,
    database: Database,
    job: Job,
    *,
    worker: str,
    key: date | None = None,
    clock: Callable[[], datetime] = now_kst,
) -> LedgerRun:
    """Do one job for one key now, unless it was done: for cron, and by hand.

    Parameters
    ----------
    key : date, optional
        Session or day; default: the newest that is due.

    Returns
    -------
    The run for this key, made now or before.

    Raises
    ------
    InputError
        A scheduler runs and does this itself, or nothing is due.
    """
    chosen = key if key is not None else newest_key(job.schedule, clock())
    if chosen is None:
        raise InputError(f"{job.schedule.name} is not due. Hint: give --key.")
    text = chosen.isoformat()
    leadership = leadership_for(database, Path(settings.home))
    if not leadership.try_take():
        raise InputError("A scheduler is running and does this itself. Hint: `stocklab scheduler status`.")
    try:
        ledger = RunLedger(database, fence=leadership.confirms)
        lane = JobLane(
            settings=settings,
            database=database,
            worker=worker,
            clock=clock,
            resources=Resources(),
            stopping=Event(),
            poll_seconds=1.0,
            jobs=(job,),
        )
        name = job.schedule.name
        if ledger.claim(name, text, worker, clock()) or ledger.retry_now(name, text, worker, clock()):
            lane.run(job, text)
        return ledger.require(name, text)
    finally:
        leadership.release()


@contextmanager
def _signals() -> Iterator[Callable[[float], bool]]:
    """A function that waits some seconds and says whether SIGTERM or SIGINT came; it wakes at once when one does.

    The handler only counts: setting a `threading.Event` in it could wait for the very lock its thread holds.
    """
    came: list[int] = []
    read_end, write_end = socket.socketpair()
    write_end.setblocking(False)

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    def stopped(seconds: float) -> bool:
        if not came and select.select([read_end], [], [], max(0.0, seconds))[0]:
            read_end.recv(4096)
        return bool(came)

    old_wakeup = signal.set_wakeup_fd(write_end.fileno(), warn_on_full_buffer=False)
    old = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_wakeup)
        read_end.close()
        write_end.close()
