"""The jobs table: every statement on it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, and_, func, or_, select, update

from stocklab.db import Database, JobRow, JobState
from stocklab.db.columns import utc_now
from stocklab.operations.worker_identity import is_gone
from stocklab.portfolios.orders import BACKGROUND, KINDS, Order, order_of
from stocklab.portfolios.progress import JobProgress, JobView

__all__ = ["JobTable"]

_LIVE = (JobState.PENDING.value, JobState.RUNNING.value)
_LOST_MESSAGE = "The program ended before this job did. Start it again."


class JobTable:
    """Reads and writes job rows. ``lost_after_seconds`` without a heartbeat, a live job counts as lost."""

    def __init__(self, database: Database, *, lost_after_seconds: float = 30.0) -> None:
        self._database = database
        self._lost_after = timedelta(seconds=lost_after_seconds)

    def add(self, owner_id: str, order: Order, worker: str, *, run_id: str | None = None) -> str:
        """Insert a waiting job, or, with ``run_id``, one that was answered at once from the stored results."""
        now = utc_now()
        row = JobRow(
            id=secrets.token_hex(8),
            owner_id=owner_id,
            kind=order.kind,
            state=(JobState.PENDING if run_id is None else JobState.COMPLETED).value,
            order_document=order.to_json(),
            run_id=run_id,
            cached=run_id is not None,
            worker=worker,
            heartbeat_at=now,
            created_at=now,
            started_at=None if run_id is None else now,
            finished_at=None if run_id is None else now,
        )
        with self._database.write(owner_id) as session:
            session.add(row)
        return row.id

    def start(self, job_id: str) -> bool:
        """Mark as running; False when someone asked for cancellation while it waited."""
        with self._database.write() as session:
            row = session.get_one(JobRow, job_id)
            if row.cancel_requested:
                return False
            row.state = JobState.RUNNING.value
            row.started_at = row.heartbeat_at = utc_now()
            return True

    def save_progress(self, job_id: str, progress: JobProgress) -> bool:
        """Keep the progress of a running job; True when its cancellation was asked for."""
        with self._database.write() as session:
            row = session.get_one(JobRow, job_id)
            row.progress = progress.to_json()
            row.heartbeat_at = utc_now()
            return row.cancel_requested

    def finish(self, job_id: str, state: JobState, **values: Any) -> None:
        """End a job. A job that was taken for lost and then finished after all counts as what it became."""
        with self._database.write() as session:
            row = session.get_one(JobRow, job_id)
            row.state = state.value
            row.finished_at = utc_now()
            row.error_code = values.get("error_code")
            row.error_message = values.get("error_message")
            row.run_id = values.get("run_id")
            row.cached = bool(values.get("cached", False))

    def request_cancel(self, job_id: str) -> None:
        """Note the wish; the process that holds the job sees it."""
        with self._database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job_id).values(cancel_requested=True))

    def beat(self, job_ids: Collection[str]) -> frozenset[str]:
        """Say that these jobs are held by a living process; returns those whose cancellation was asked for."""
        if not job_ids:
            return frozenset()
        with self._database.write() as session:
            session.execute(update(JobRow).where(JobRow.id.in_(job_ids)).values(heartbeat_at=utc_now()))
            wished = session.scalars(select(JobRow.id).where(JobRow.id.in_(job_ids), JobRow.cancel_requested))
            return frozenset(wished)

    def mark_lost(self, job_ids: Collection[str] | None = None) -> int:
        """Mark live jobs as LOST whose process is gone or silent for too long; all of them or the given ones."""
        with self._database.read() as session:
            live = select(JobRow.worker).where(JobRow.state.in_(_LIVE)).distinct()
            gone = [worker for worker in session.scalars(live) if is_gone(worker)]
        now = utc_now()
        statement = update(JobRow).where(
            JobRow.state.in_(_LIVE),
            or_(JobRow.worker.in_(gone), JobRow.heartbeat_at < now - self._lost_after),
        )
        if job_ids is not None:
            statement = statement.where(JobRow.id.in_(job_ids))
        return self._end_as_lost(statement, now)

    def abandon(self, job_ids: Collection[str]) -> int:
        """Mark these live jobs as LOST because the process that holds them is closing."""
        return self._end_as_lost(update(JobRow).where(JobRow.state.in_(_LIVE), JobRow.id.in_(job_ids)), utc_now())

    def _end_as_lost(self, statement: Update, now: datetime) -> int:
        ended = statement.values(
            state=JobState.LOST.value, finished_at=now, error_code="process_ended", error_message=_LOST_MESSAGE
        ).returning(JobRow.id)
        with self._database.write() as session:
            return len(session.scalars(ended).all())

    def read(self, owner_id: str, job_id: str) -> tuple[JobView, str] | None:
        """A job of this owner and the process that holds it; None when there is none of that id."""
        with self._database.read(owner_id) as session:
            row = session.get(JobRow, job_id)
            if row is None or row.owner_id != owner_id:
                return None
            place = None
            if row.state == JobState.PENDING:
                ahead = select(func.count()).where(
                    JobRow.worker == row.worker,
                    JobRow.state == JobState.PENDING.value,
                    JobRow.kind.in_(BACKGROUND) if row.kind in BACKGROUND else JobRow.kind.not_in(BACKGROUND),
                    or_(
                        JobRow.created_at < row.created_at,
                        and_(JobRow.created_at == row.created_at, JobRow.id < row.id),
                    ),
                )
                place = int(session.scalar(ahead) or 0) + 1
            return _view(row, place), row.worker

    def list(self, owner_id: str, *, limit: int, states: Sequence[JobState] | None = None) -> list[JobView]:
        """Newest first."""
        statement = select(JobRow).where(JobRow.owner_id == owner_id)
        if states is not None:
            statement = statement.where(JobRow.state.in_([state.value for state in states]))
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(JobRow.created_at.desc(), JobRow.id).limit(limit))
            return [_view(row, None) for row in rows]

    def counts(self) -> Mapping[JobState, int]:
        """Jobs by state, of all owners; every state is named."""
        with self._database.read() as session:
            found = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state)).all()
        by_state = {JobState(state): int(count) for state, count in found}
        return {state: by_state.get(state, 0) for state in JobState}

    def counts_by_kind(self) -> Mapping[tuple[str, JobState], int]:
        """Jobs by kind and state, of all owners; every kind with every state is named."""
        statement = select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state)
        with self._database.read() as session:
            found = {(kind, JobState(state)): int(count) for kind, state, count in session.execute(statement)}
        return {(kind, state): found.get((kind, state), 0) for kind in KINDS for state in JobState}

    def cached_count(self) -> int:
        """Jobs answered from the stored results."""
        with self._database.read() as session:
            return int(session.scalar(select(func.count()).where(JobRow.cached)) or 0)


def _view(row: JobRow, place: int | None) -> JobView:
    return JobView(
        id=row.id,
        owner_id=row.owner_id,
        kind=row.kind,
        state=JobState(row.state),
        order=order_of(row.kind, row.order_document),
        place=place,
        progress=JobProgress.from_json(row.progress),
        run_id=row.run_id,
        cached=row.cached,
        cancel_requested=row.cancel_requested,
        error_code=row.error_code,
        error_message=row.error_message,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
