"""The job runner: a queue and a few threads in this process, with every state kept as a row.

The kernels release the GIL, so pages stay fast while jobs run; at most ``max_concurrent`` run, the rest wait in order.
Jobs nobody waits for (`BACKGROUND`) begin when no other job waits, one at a time.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from stocklab.backtest.result import Progress, ShouldCancel
from stocklab.db import JobState
from stocklab.errors import Cancelled, JobError, JobNotFound, StockLabError
from stocklab.operations.worker_identity import worker_name
from stocklab.portfolios.job_rows import JobTable
from stocklab.portfolios.orders import BACKGROUND, Order
from stocklab.portfolios.progress import JobProgress, JobView

__all__ = ["JobOutcome", "Jobs", "Lookup", "OnJobProgress", "Work", "error_code"]

log = structlog.get_logger(__name__)

_SAVE_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """What work answers: the run to open, and whether it was already stored."""

    run_id: str
    cached: bool


OnJobProgress = Callable[[Progress | JobProgress], None]
Work = Callable[[str, Order, OnJobProgress, ShouldCancel], JobOutcome]
Lookup = Callable[[str, Order], str | None]


def error_code(error: StockLabError) -> str:
    """Stable name of an error for the user's language: its class in snake case.

    >>> error_code(JobError("busy"))
    'job_error'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


@dataclass(slots=True, kw_only=True, eq=False)
class _Task:
    """A job this process holds. ``progress`` is replaced, never changed, so readers need no lock."""

    id: str
    owner_id: str
    order: Order
    cancel: threading.Event = field(default_factory=threading.Event)
    progress: JobProgress = field(default_factory=JobProgress)
    saved_at: float = 0.0

    @property
    def background(self) -> bool:
        """Whether nobody waits for it."""
        return self.order.kind in BACKGROUND


class Jobs:
    """Queue, run, watch and cancel jobs.

    Parameters
    ----------
    work
        Does a job: owner, order, ``on_progress`` to call, ``should_cancel`` to ask. It raises ``Cancelled`` to stop.
    admit
        Says before anything else whether the owner may order this; it raises what the owner is told.
    lookup
        Finds the run id of an identical finished run, so that such an order does not wait in the queue.
    """

    def __init__(
        self,
        table: JobTable,
        work: Work,
        *,
        lookup: Lookup | None = None,
        admit: Callable[[str, Order], None] | None = None,
        max_concurrent: int = 2,
        max_queued: int = 20,
        heartbeat_seconds: float = 5.0,
    ) -> None:
        self.worker = worker_name()
        self._table = table
        self._work = work
        self._lookup = lookup
        self._admit = admit
        self._max_concurrent = max_concurrent
        self._max_queued = max_queued
        self._heartbeat_seconds = heartbeat_seconds
        self._ready = threading.Condition()
        self._queue: deque[_Task] = deque()
        self._running: dict[str, _Task] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def submit(self, owner_id: str, order: Order) -> str:
        """Queue work and return its job id; an identical stored run completes a backtest at once.

        Raises
        ------
        InputError
            The order cannot run (document, range or cash).
        LimitReached
            The owner's orders of this minute or day are used up.
        JobError
            Too many jobs wait, or the program is closing.
        """
        order.check()
        if self._admit is not None:
            self._admit(owner_id, order)
        stored = None if self._lookup is None else self._lookup(owner_id, order)
        if stored is not None:
            return self._table.add(owner_id, order, self.worker, run_id=stored)
        with self._ready:
            self._refuse_if_full(order)
            job_id = self._table.add(owner_id, order, self.worker)
            self._queue.append(_Task(id=job_id, owner_id=owner_id, order=order))
            self._start_threads()
            self._ready.notify()
        return job_id

    def get(self, owner_id: str, job_id: str) -> JobView:
        """The job as it is now.

        Raises
        ------
        JobError
            This owner has no such job.
        """
        view, worker = self._read(owner_id, job_id)
        if not view.live:
            return view
        task = self._held(job_id)
        if task is not None and worker == self.worker:
            return replace(view, progress=task.progress, cancel_requested=task.cancel.is_set())
        # Held by nobody here: lost if its process is gone or silent. A job that ended since the read is fresh again.
        self._table.mark_lost([job_id])
        return self._read(owner_id, job_id)[0]

    def list(self, owner_id: str, *, limit: int = 50, states: Sequence[JobState] | None = None) -> list[JobView]:
        """The owner's jobs, newest first (``place`` is left out; ``get`` has it)."""
        return self._table.list(owner_id, limit=limit, states=states)

    def cancel(self, owner_id: str, job_id: str) -> JobView:
        """Stop a job: at once while it waits, within a fraction of a second while it runs; a finished one stays."""
        self._read(owner_id, job_id)
        with self._ready:
            task = self._held(job_id)
            waiting = task is not None and task in self._queue
            if task is not None:
                task.cancel.set()
            if task is not None and waiting:
                self._queue.remove(task)
        if waiting:
            self._table.finish(job_id, JobState.CANCELLED)
        elif task is None:
            self._table.request_cancel(job_id)
        return self.get(owner_id, job_id)

    def counts(self) -> Mapping[JobState, int]:
        """Jobs by state, of all owners."""
        return self._table.counts()

    def counts_by_kind(self) -> Mapping[tuple[str, JobState], int]:
        """Jobs by kind and state, of all owners."""
        return self._table.counts_by_kind()

    def cached_count(self) -> int:
        """Jobs that were answered from the stored results."""
        return self._table.cached_count()

    def mark_lost(self) -> int:
        """Mark jobs of processes that are gone as LOST; returns how many."""
        return self._table.mark_lost()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Take no more jobs, stop the running ones and mark whatever did not finish as LOST."""
        with self._ready:
            self._closing.set()
            held = [*(task.id for task in self._queue), *self._running]
            self._queue.clear()
            self._ready.notify_all()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if held:
            log.info("jobs_closed", held=len(held), lost=self._table.abandon(held))

    def _read(self, owner_id: str, job_id: str) -> tuple[JobView, str]:
        found = self._table.read(owner_id, job_id)
        if found is None:
            raise JobNotFound(job_id)
        return found

    def _held(self, job_id: str) -> _Task | None:
        with self._ready:
            return self._running.get(job_id) or next((task for task in self._queue if task.id == job_id), None)

    def _refuse_if_full(self, order: Order) -> None:
        if self._closing.is_set():
            raise JobError("The program is closing; no job was started. Hint: try again in a minute.")
        background = order.kind in BACKGROUND  # what nobody waits for takes no place from what somebody does
        held = [task for task in (*self._queue, *self._running.values()) if task.background is background]
        waiting = len(held) - (1 if background else self._max_concurrent)
        if waiting >= self._max_queued:
            raise JobError(
                f"{waiting} jobs wait already, which is the most allowed (STOCKLAB_MAX_QUEUED_JOBS). "
                "Hint: cancel one or try again when some have finished."
            )

    def _start_threads(self) -> None:
        if self._threads:
            return
        targets = [self._serve] * self._max_concurrent + [self._beat]
        self._threads = [
            threading.Thread(target=target, name=f"stocklab-job-{number}", daemon=True)
            for number, target in enumerate(targets)
        ]
        for thread in self._threads:
            thread.start()

    def _serve(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._next() is not None or self._closing.is_set())
                task = self._next()
                if self._closing.is_set() or task is None:
                    return
                self._queue.remove(task)
                self._running[task.id] = task
            try:
                self._run(task)
            except Exception:  # the runner's edge: this thread must outlive a database that is away
                log.exception("job_state_not_saved", job_id=task.id)
            finally:
                with self._ready:
                    del self._running[task.id]
                    self._ready.notify_all()  # one that waited for the background to be free

    def _next(self) -> _Task | None:
        """The job to begin; None where none waits, or only some for which the background is not free."""
        foreground = next((task for task in self._queue if not task.background), None)
        if foreground is not None or any(task.background for task in self._running.values()):
            return foreground
        return next(iter(self._queue), None)

    def _run(self, task: _Task) -> None:
        """Do one job and write how it ended."""
        started = time.perf_counter()
        if not self._table.start(task.id):
            self._table.finish(task.id, JobState.CANCELLED)
            return
        try:
            outcome = self._work(
                task.owner_id,
                task.order,
                lambda progress: self._advance(task, progress),
                lambda: task.cancel.is_set() or self._closing.is_set(),
            )
        except Cancelled:
            if task.cancel.is_set():  # else the program is closing, and close() marks the job
                self._table.finish(task.id, JobState.CANCELLED)
            log.info("job_cancelled", job_id=task.id)
        except StockLabError as error:
            self._table.finish(task.id, JobState.FAILED, error_code=error_code(error), error_message=str(error))
            log.info("job_failed", job_id=task.id, error_code=error_code(error), message=str(error))
        except Exception:  # the runner's edge: the person gets a reference, the log the details
            reference = secrets.token_hex(4)
            log.exception("job_failed", job_id=task.id, error_code="internal", reference=reference)
            message = f"Something in the program went wrong (reference {reference})."
            self._table.finish(task.id, JobState.FAILED, error_code="internal", error_message=message)
        else:
            self._table.finish(task.id, JobState.COMPLETED, run_id=outcome.run_id, cached=outcome.cached)
            seconds = round(time.perf_counter() - started, 3)
            log.info("job_done", job_id=task.id, run_id=outcome.run_id, cached=outcome.cached, seconds=seconds)

    def _advance(self, task: _Task, progress: Progress | JobProgress) -> None:
        task.progress = progress if isinstance(progress, JobProgress) else JobProgress.of(progress)
        now = time.monotonic()
        if now - task.saved_at >= _SAVE_EVERY_SECONDS:
            task.saved_at = now
            if self._table.save_progress(task.id, task.progress):
                task.cancel.set()

    def _beat(self) -> None:
        while not self._closing.wait(self._heartbeat_seconds):
            with self._ready:
                held = {task.id: task for task in (*self._queue, *self._running.values())}
            try:
                for job_id in self._table.beat(held.keys()):
                    held[job_id].cancel.set()
            except Exception:  # the runner's edge: the next beat tries again
                log.exception("heartbeat_not_saved", jobs=len(held))
