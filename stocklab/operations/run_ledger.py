"""The run ledger: what became of each job for each session or day. It runs once, however often a process dies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from stocklab.db import Database, RunState, ScheduledRunRow
from stocklab.operations.inserting import insert_if_absent, storable

__all__ = ["UNFENCED", "Fence", "LedgerRun", "RunLedger"]

Fence = Callable[[Session], bool]
"""Whether the asking process may still begin work, as the transaction of the given session sees it."""


def _anybody(_session: Session) -> bool:
    return True


UNFENCED: Final[Fence] = _anybody
"""For callers that only read and record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRun:
    """One job for one key. ``attempts`` counts starts, ``failures`` those that ended in an error.

    ``retry_at`` is set while a failed run will be tried again.
    """

    job: str
    key: str
    state: RunState
    attempts: int
    failures: int
    worker: str | None
    progress: Mapping[str, Any] | None
    message: str
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None
    retry_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen for this key."""
        return self.state is not RunState.RUNNING and self.retry_at is None


class RunLedger:
    """Reads and writes scheduled runs.

    Starting is the privilege of the one process that holds the sidecar's lock (`stocklab.operations.leadership`). That
    lock is also how death is known: a running row of another worker belongs to a process that no longer holds it, so
    the holder may take it over at once. A worker that lost the lock without noticing changes nothing more: each of its
    writes names the worker, and the row now has another.
    """

    def __init__(self, database: Database, *, fence: Fence = UNFENCED) -> None:
        self._database = database
        self._fence = fence

    def claim(self, job: str, key: str, worker: str, now: datetime) -> bool:
        """Begin a run, in one transaction: True for exactly one caller until it ends or its worker is replaced.

        A first run, one whose worker is gone, and a failed one whose time to retry has come can be claimed. Nothing can
        while the fence says no: a process that lost its lock and has not noticed begins nothing more.
        """
        with self._database.write() as session:
            if not self._fence(session):
                return False
            if insert_if_absent(
                session,
                ScheduledRunRow,
                job=job,
                key=key,
                state=RunState.RUNNING.value,
                attempts=1,
                failures=0,
                worker=worker,
                message="",
                created_at=now,
                started_at=now,
                heartbeat_at=now,
            ):
                return True
            row = session.get_one(ScheduledRunRow, (job, key), with_for_update=True)
            dead = row.state == RunState.RUNNING and row.worker != worker
            due = row.state == RunState.FAILED and row.retry_at is not None and row.retry_at <= now
            if not dead and not due:
                return False
            _begin(row, worker, now)
            return True

    def retry_now(self, job: str, key: str, worker: str, now: datetime) -> bool:
        """Begin a run that failed, was missed or skipped once more, because a person says so; False for any other."""
        again = (RunState.FAILED.value, RunState.MISSED.value, RunState.SKIPPED.value)
        with self._database.write() as session:
            row = session.get(ScheduledRunRow, (job, key), with_for_update=True)
            if row is None or row.state not in again or not self._fence(session):
                return False
            _begin(row, worker, now)
            return True

    def repeat(self, job: str, key: str, worker: str, now: datetime, *, ended_before: datetime) -> bool:
        """Begin an ended run once more, whatever became of it; False when it did not end before that moment."""
        with self._database.write() as session:
            row = session.get(ScheduledRunRow, (job, key), with_for_update=True)
            if row is None or not _view(row).ended or not self._fence(session):
                return False
            if row.finished_at is None or row.finished_at >= ended_before:
                return False
            _begin(row, worker, now)
            return True

    def beat(self, worker: str, now: datetime) -> frozenset[tuple[str, str]]:
        """Say that the worker's runs go on; returns (job, key) of those whose cancellation was asked for."""
        mine = (ScheduledRunRow.worker == worker, ScheduledRunRow.state == RunState.RUNNING.value)
        with self._database.write() as session:
            session.execute(update(ScheduledRunRow).where(*mine).values(heartbeat_at=now))
            wished = session.execute(
                select(ScheduledRunRow.job, ScheduledRunRow.key).where(*mine, ScheduledRunRow.cancel_requested)
            )
            return frozenset((job, key) for job, key in wished)

    def save_progress(self, job: str, key: str, worker: str, progress: Mapping[str, Any]) -> None:
        """Keep how far a running run is (``done`` a fraction, ``text`` for a person)."""
        with self._database.write() as session:
            row = _held(session, job, key, worker)
            if row is not None:
                row.progress = dict(progress)

    def finish(
        self,
        job: str,
        key: str,
        worker: str,
        state: RunState,
        *,
        now: datetime,
        message: str = "",
        retry_at: datetime | None = None,
    ) -> bool:
        """End a run; False, and nothing changes, when the worker does not hold it any more."""
        with self._database.write() as session:
            row = _held(session, job, key, worker)
            if row is None:
                return False
            row.state = state.value
            row.message = storable(message)
            row.finished_at = now
            row.retry_at = retry_at
            row.failures += state is RunState.FAILED
            return True

    def release(self, job: str, key: str, worker: str) -> None:
        """Give a run back because the worker stops: the next one takes it over."""
        with self._database.write() as session:
            row = _held(session, job, key, worker)
            if row is not None:
                row.worker = None

    def close_open(self, job: str, key: str, state: RunState, *, now: datetime, message: str) -> None:
        """Record the end of a run that nobody will begin (again). One that has ended stays as it is."""
        with self._database.write() as session:
            if insert_if_absent(
                session,
                ScheduledRunRow,
                job=job,
                key=key,
                state=state.value,
                attempts=0,
                failures=0,
                message=message,
                created_at=now,
                finished_at=now,
            ):
                return
            row = session.get_one(ScheduledRunRow, (job, key), with_for_update=True)
            if _view(row).ended:
                return
            row.state, row.message = state.value, message
            row.finished_at, row.retry_at = now, None

    def request_cancel(self, job: str, key: str) -> bool:
        """Ask for the end of a running run; False when it does not run."""
        with self._database.write() as session:
            row = session.get(ScheduledRunRow, (job, key), with_for_update=True)
            if row is None or row.state != RunState.RUNNING:
                return False
            row.cancel_requested = True
            return True

    def get(self, job: str, key: str) -> LedgerRun | None:
        """One run; None when nothing is known of it."""
        with self._database.read() as session:
            row = session.get(ScheduledRunRow, (job, key))
            return None if row is None else _view(row)

    def require(self, job: str, key: str) -> LedgerRun:
        """One run that is known to be there."""
        with self._database.read() as session:
            return _view(session.get_one(ScheduledRunRow, (job, key)))

    def runs(self, job: str, *, limit: int = 60) -> tuple[LedgerRun, ...]:
        """Runs of a job, newest key first."""
        statement = select(ScheduledRunRow).where(ScheduledRunRow.job == job)
        with self._database.read() as session:
            rows = session.scalars(statement.order_by(ScheduledRunRow.key.desc()).limit(limit))
            return tuple(_view(row) for row in rows)

    def recent(self, *, limit: int = 100) -> tuple[LedgerRun, ...]:
        """Runs of all jobs, the ones that began or were reported last first."""
        statement = select(ScheduledRunRow).order_by(ScheduledRunRow.created_at.desc(), ScheduledRunRow.job)
        with self._database.read() as session:
            return tuple(_view(row) for row in session.scalars(statement.limit(limit)))


def _begin(row: ScheduledRunRow, worker: str, now: datetime) -> None:
    row.state = RunState.RUNNING.value
    row.attempts += 1
    row.worker = worker
    row.progress = None
    row.cancel_requested = False
    row.started_at = row.heartbeat_at = now
    row.finished_at = row.retry_at = None


def _held(session: Session, job: str, key: str, worker: str) -> ScheduledRunRow | None:
    row = session.get(ScheduledRunRow, (job, key), with_for_update=True)
    return row if row is not None and row.state == RunState.RUNNING and row.worker == worker else None


def _view(row: ScheduledRunRow) -> LedgerRun:
    values = {name: getattr(row, name) for name in LedgerRun.__slots__}
    return LedgerRun(**{**values, "state": RunState(row.state)})
