"""Which processes are alive, and for how long each part of the program was, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from stocklab.data.sources.calls import KST
from stocklab.db import ComponentDayRow, Database, WorkerRow
from stocklab.operations.inserting import insert_if_absent
from stocklab.operations.worker_identity import is_gone

__all__ = ["ALIVE_SECONDS", "ComponentDay", "Uptime", "Worker"]

ALIVE_SECONDS: Final = 90.0
"""Without a heartbeat for so long, a process counts as gone and the time between as down."""

_FORGET_AFTER = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDay:
    """One part on one day in Seoul: seconds it was alive, and how often it began."""

    component: str
    day: date
    seconds: float
    starts: int
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process as it last said of itself: ``state`` is "working" or, waiting to take over, "standby"."""

    worker: str
    component: str
    state: str
    started_at: datetime
    beat_at: datetime

    def alive(self, now: datetime) -> bool:
        """Whether it was heard of lately and, where that can be told from here, its process is still there."""
        return (now - self.beat_at).total_seconds() <= ALIVE_SECONDS and not is_gone(self.worker)


class Uptime:
    """Heartbeats, folded into seconds by day. Several processes of one component count once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, component: str, worker: str, now: datetime, *, state: str = "working") -> None:
        """Say that a process of this component is alive. Standbys are seen, but are not uptime."""
        with self._database.write() as session:
            insert_if_absent(
                session,
                WorkerRow,
                worker=worker,
                component=component,
                state=state,
                started_at=now,
                beat_at=now,
            )
            row = session.get_one(WorkerRow, worker, with_for_update=True)
            row.state, row.beat_at = state, now
            if state == "working":
                _fold(session, component, now)
            session.execute(delete(WorkerRow).where(WorkerRow.beat_at < now - _FORGET_AFTER))

    def leave(self, worker: str) -> None:
        """Forget a process that ends in order."""
        with self._database.write() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.worker == worker))

    def workers(self, component: str | None = None) -> tuple[Worker, ...]:
        """Processes, the one heard of last first."""
        statement = select(WorkerRow)
        if component is not None:
            statement = statement.where(WorkerRow.component == component)
        with self._database.read() as session:
            rows = session.scalars(statement.order_by(WorkerRow.beat_at.desc(), WorkerRow.worker))
            return tuple(Worker(**{name: getattr(row, name) for name in Worker.__slots__}) for row in rows)

    def days(self, component: str, first: date, last: date) -> tuple[ComponentDay, ...]:
        """Days on which it was seen, oldest first."""
        statement = select(ComponentDayRow).where(
            ComponentDayRow.component == component, ComponentDayRow.day.between(first, last)
        )
        with self._database.read() as session:
            return tuple(
                ComponentDay(
                    component=row.component,
                    day=row.day,
                    seconds=row.milliseconds / 1000,
                    starts=row.starts,
                    last_seen_at=row.last_seen_at,
                )
                for row in session.scalars(statement.order_by(ComponentDayRow.day))
            )


def _fold(session: Session, component: str, now: datetime) -> None:
    """Add the time since the last heartbeat, unless it is so long that the component was down in between."""
    newest = select(ComponentDayRow).where(ComponentDayRow.component == component)
    last = session.scalar(newest.order_by(ComponentDayRow.day.desc()).limit(1).with_for_update())
    went_on = last is not None and timedelta(0) <= now - last.last_seen_at <= timedelta(seconds=ALIVE_SECONDS)
    since = last.last_seen_at if last is not None and went_on else now
    if last is not None and now < last.last_seen_at:
        return  # another process said it first, or the clock was set back
    for day, milliseconds, until in _by_day(since, now):
        insert_if_absent(
            session, ComponentDayRow, component=component, day=day, milliseconds=0, starts=0, last_seen_at=until
        )
        row = session.get_one(ComponentDayRow, (component, day), with_for_update=True)
        row.milliseconds += milliseconds
        row.last_seen_at = until
        row.starts += not went_on


def _by_day(since: datetime, until: datetime) -> Iterator[tuple[date, int, datetime]]:
    """Pieces of a span by day in Seoul: day, milliseconds, end of the piece."""
    since, until = since.astimezone(KST), until.astimezone(KST)
    while since.date() < until.date():
        midnight = datetime.combine(since.date() + timedelta(days=1), time(), KST)
        yield since.date(), round((midnight - since) / timedelta(milliseconds=1)), midnight
        since = midnight
    yield until.date(), round((until - since) / timedelta(milliseconds=1)), until
