"""Two threads that do the work: one follows the timetable, one carries out intents; what they share is held by one."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from stocklab.db import Database, IntentState, RunState
from stocklab.errors import Cancelled, StockLabError
from stocklab.operations import Intent, IntentKind, Intents, LedgerRun, RunLedger, Schedule
from stocklab.operations.follow_up import FollowUp
from stocklab.operations.run_ledger import UNFENCED, Fence
from stocklab.operations.schedule import STORE, plan, quiet_until
from stocklab.settings import Settings
from stocklab.sidecar.work import Job, JobContext, NothingToDo, Stop, Work

__all__ = ["IntentLane", "JobLane", "Lane", "Resources", "do"]

log = structlog.get_logger(__name__)

_TELL_EVERY_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 1.0
_BY_A_PERSON: Final = "Cancelled by a person."


class Resources:
    """Named locks: only one piece of work at a time holds one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[str] = set()

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        """Hold it for the block; False, and nothing is held, where somebody else does. "" is always free."""
        with self._lock:
            got = not name or name not in self._taken
            if got and name:
                self._taken.add(name)
        try:
            yield got
        finally:
            if got and name:
                with self._lock:
                    self._taken.discard(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How work ended: "done", "skipped", "failed", "cancelled" (by a person) or "stopped" (with the process)."""

    how: str
    message: str


def do(work: Work, context: JobContext) -> _End:
    """Run work and say how it ended. Nothing it raises gets further, save what ends the process."""
    try:
        return _End(how="done", message=work(context))
    except NothingToDo as error:
        return _End(how="skipped", message=str(error))
    except Cancelled as error:
        if context.stop.person.is_set():
            return _End(how="cancelled", message=_BY_A_PERSON)
        if context.stop.process.is_set():
            return _End(how="stopped", message=str(error))
        return _End(how="failed", message=str(error))
    except StockLabError as error:
        return _End(how="failed", message=str(error))
    except Exception:  # the loop must outlive whatever a job does
        reference = secrets.token_hex(4)
        log.exception("job_broke", key=context.key, reference=reference)
        return _End(how="failed", message=f"A fault of the program; the log has it as {reference}.")


@dataclass(kw_only=True, eq=False)
class Lane(ABC):
    """A thread that looks for work, does one piece at a time, and waits when there is none."""

    settings: Settings
    database: Database
    worker: str
    clock: Callable[[], datetime]
    resources: Resources
    stopping: threading.Event
    poll_seconds: float
    fence: Fence = UNFENCED
    wake: threading.Event = field(default_factory=threading.Event)
    current: Stop | None = None
    _thread: threading.Thread | None = None
    _pause: float = 0.0

    name = "lane"

    def start(self, *, after_seconds: float = 0.0) -> None:
        """Begin, in a thread that does not keep the process alive."""
        self._pause = after_seconds
        self._thread = threading.Thread(target=self._run, name=f"stocklab-{self.name}", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end; True when it came."""
        if self._thread is None:
            return True
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    @abstractmethod
    def work_once(self) -> bool:
        """Do the next piece of work, if any; True when there was one."""

    @abstractmethod
    def watch(self) -> None:
        """Pass a person's wish to cancel on to the work that runs."""

    def _run(self) -> None:
        self.stopping.wait(self._pause)
        while not self.stopping.is_set():
            worked = False
            try:
                worked = self.work_once()
            except StockLabError as error:  # the database is away for a moment
                log.warning("lane_waits", lane=self.name, error=type(error).__name__, message=str(error))
            except Exception:  # a process that looks alive and does nothing would be worse than one that repeats itself
                log.exception("lane_broke", lane=self.name)
            if not worked:
                self.wake.wait(self.poll_seconds)
                self.wake.clear()

    def _context(self, key: str, document: Mapping[str, Any], save: Callable[[Mapping[str, Any]], None]) -> JobContext:
        stop = Stop(process=self.stopping)
        self.current = stop
        told = 0.0

        def tell(done: float, text: str) -> None:
            nonlocal told
            if time.monotonic() - told >= _TELL_EVERY_SECONDS:
                told = time.monotonic()
                try:
                    save({"done": min(max(done, 0.0), 1.0), "text": text})
                except StockLabError as error:  # progress is worth less than the work
                    log.warning("progress_not_kept", lane=self.name, message=str(error))

        return JobContext(
            settings=self.settings,
            database=self.database,
            key=key,
            document=document,
            clock=self.clock,
            stop=stop,
            tell=tell,
        )

    def _record(self, write: Callable[[], object]) -> None:
        """Write how work ended, however long the database is away: else it would count as running for ever."""
        while True:
            try:
                write()
            except StockLabError as error:
                log.warning("end_not_recorded", lane=self.name, message=str(error))
                if self.stopping.wait(_AGAIN_SECONDS):
                    return  # the next process takes the work over, as after a kill
            else:
                return


@dataclass(kw_only=True, eq=False)
class JobLane(Lane):
    """Follows the timetable; one job at a time, in the order of the table."""

    jobs: Sequence[Job]
    running: tuple[str, str] | None = None

    name = "jobs"

    def work_once(self) -> bool:
        """See `Lane.work_once`."""
        ledger = RunLedger(self.database, fence=self.fence)
        follow_up = FollowUp(self.database, self.settings.home)
        for job in self.jobs:
            if self.stopping.is_set():
                return False
            schedule, now = job.schedule, self.clock()
            runs = {run.key: run for run in ledger.runs(schedule.name)}
            before = [
                (other.schedule, {run.key: run for run in ledger.runs(other.schedule.name)})
                for other in self.jobs
                if other.schedule.name in schedule.after
            ]
            found = plan(schedule, runs, now, self.worker, before=before)
            for closing in found.close:
                ledger.close_open(schedule.name, closing.key, closing.state, now=now, message=closing.message)
                level = logging.INFO if closing.state is RunState.SKIPPED else logging.WARNING
                log.log(level, "job_not_run", job=schedule.name, key=closing.key, state=closing.state.value)
            if found.start is None:
                key = self._again(ledger, follow_up, schedule, runs, now)
                if key is not None:
                    self.run(job, key)
                    return True
                continue
            with self.resources.hold(schedule.resource) as free:
                if free and ledger.claim(schedule.name, found.start, self.worker, now):
                    self.run(job, found.start)
                    return True
        return False

    def _again(
        self, ledger: RunLedger, follow_up: FollowUp, schedule: Schedule, runs: Mapping[str, LedgerRun], now: datetime
    ) -> str | None:
        """The key of a run that is begun once more because the market came after it; None when there is none."""
        wanted = follow_up.wanted(schedule, runs, now)
        if wanted is None:
            return None
        with self.resources.hold(STORE) as free:  # else a sync or an import is still at it
            if not free:
                return None
        key, ended_before = wanted
        if not ledger.repeat(schedule.name, key, self.worker, now, ended_before=ended_before):
            return None
        log.info("job_follows_data", job=schedule.name, key=key)
        return key

    def run(self, job: Job, key: str) -> RunState:
        """Do a claimed run and record how it ended."""
        ledger, name = RunLedger(self.database), job.schedule.name
        context = self._context(key, {}, lambda progress: ledger.save_progress(name, key, self.worker, progress))
        self.running = (name, key)
        log.info("job_started", job=name, key=key)
        started = time.monotonic()
        end = do(job.work, context)
        self.running, self.current = None, None
        now = self.clock()
        state, retry_at = RunState.DONE, None
        if end.how == "stopped":
            self._record(lambda: ledger.release(name, key, self.worker))
            state = RunState.RUNNING
        else:
            if end.how == "failed":
                run = ledger.get(name, key)
                state, retry_at = RunState.FAILED, _retry_at(job.schedule, 0 if run is None else run.failures, now)
            elif end.how in ("skipped", "cancelled"):
                state = RunState.SKIPPED
            self._record(
                lambda: ledger.finish(name, key, self.worker, state, now=now, message=end.message, retry_at=retry_at)
            )
        log.info(
            "job_ended",
            job=name,
            key=key,
            how=end.how,
            message=end.message,
            retry_at=retry_at,
            seconds=round(time.monotonic() - started, 2),
        )
        return state

    def watch(self) -> None:
        """See `Lane.watch`."""
        running, current = self.running, self.current
        if running is None or current is None:
            return
        run = RunLedger(self.database).get(*running)
        if run is not None and run.cancel_requested:
            current.person.set()


def _retry_at(schedule: Schedule, failures: int, now: datetime) -> datetime | None:
    """When to try again after one more failure; None when that was the last try."""
    wait: timedelta = schedule.retry_wait * 2**failures
    return now + wait if failures < schedule.retries else None


@dataclass(kw_only=True, eq=False)
class IntentLane(Lane):
    """Carries out intents, oldest first among those that may start now."""

    works: Mapping[str, Work]
    kinds: Mapping[str, IntentKind]
    running: Intent | None = None

    name = "intents"

    def work_once(self) -> bool:
        """See `Lane.work_once`."""
        intents, now = Intents(self.database, self.kinds, fence=self.fence), self.clock()
        quiet = quiet_until(now) is not None
        ready = [kind for name, kind in self.kinds.items() if name in self.works and not (quiet and kind.quiet)]
        for resource in dict.fromkeys(kind.resource for kind in ready):
            with self.resources.hold(resource) as free:
                if not free or self.stopping.is_set():
                    continue
                names = [kind.name for kind in ready if kind.resource == resource]
                intent = intents.take(self.worker, now, names)
                if intent is not None:
                    self._carry_out(intents, intent)
                    return True
        return False

    def _carry_out(self, intents: Intents, intent: Intent) -> None:
        context = self._context(
            intent.id, intent.document, lambda progress: intents.save_progress(intent.id, self.worker, progress)
        )
        self.running = intent
        log.info("intent_taken", kind=intent.kind, intent=intent.id, attempts=intent.attempts)
        end = do(self.works[intent.kind], context)
        self.running, self.current = None, None
        if end.how == "stopped":
            self._record(lambda: intents.release(intent.id, self.worker))
        else:
            states = {"failed": IntentState.FAILED, "cancelled": IntentState.CANCELLED}
            state = states.get(end.how, IntentState.DONE)
            now = self.clock()
            self._record(lambda: intents.finish(intent.id, self.worker, state, now=now, message=end.message))
        log.info("intent_ended", kind=intent.kind, intent=intent.id, how=end.how, message=end.message)

    def watch(self) -> None:
        """See `Lane.watch`."""
        running, current = self.running, self.current
        if running is None or current is None:
            return
        if Intents(self.database, self.kinds).get(running.owner_id, running.id).cancel_requested:
            current.person.set()
