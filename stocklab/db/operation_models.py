"""Tables of the running program: scheduled runs, intents, sources, and which processes are alive."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Private

__all__ = [
    "ComponentDayRow",
    "IntentRow",
    "IntentState",
    "RunState",
    "ScheduledRunRow",
    "SourceDayRow",
    "SourceKeyRow",
    "SourceStateRow",
    "WorkerRow",
]


class RunState(StrEnum):
    """States of a scheduled run. MISSED: its window closed before it began. SKIPPED: it had nothing to do."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    MISSED = "missed"
    SKIPPED = "skipped"


class IntentState(StrEnum):
    """States of an intent."""

    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def live(self) -> bool:
        """Whether it may still change."""
        return self in (IntentState.WAITING, IntentState.TAKEN)


class ScheduledRunRow(Base):
    """What became of one job for one key (a session, or a day): there is at most one row for the two."""

    __tablename__ = "scheduled_runs"
    __table_args__ = (
        CheckConstraint("state IN ('" + "', '".join(RunState) + "')", name="state"),
        Index(None, "state", "worker"),
    )

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(160))
    progress: Mapped[Document | None]
    message: Mapped[str] = mapped_column(Text, default="")
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]


class IntentRow(Private, Base):
    """What a person asked of the background process."""

    __tablename__ = "intents"
    __table_args__ = (
        CheckConstraint("state IN ('" + "', '".join(IntentState) + "')", name="state"),
        Index(None, "state", "created_at"),
        Index(None, "owner_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    document: Mapped[Document]
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(160))
    progress: Mapped[Document | None]
    message: Mapped[str] = mapped_column(Text, default="")
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    taken_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class SourceDayRow(Base):
    """Requests one source got on one day in Seoul."""

    __tablename__ = "source_days"

    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(default=0)


class SourceStateRow(Base):
    """How a source fares: until when it must be left alone, and how the last questions ended."""

    __tablename__ = "source_states"

    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    blocked_until: Mapped[datetime | None]
    blocked_reason: Mapped[str] = mapped_column(Text, default="")
    last_ok_at: Mapped[datetime | None]
    last_error_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")


class SourceKeyRow(Base):
    """A key of a source, encrypted; ``name`` is the setting it stands for."""

    __tablename__ = "source_keys"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class ComponentDayRow(Base):
    """How long a part of the program was seen alive on one day in Seoul."""

    __tablename__ = "component_days"

    component: Mapped[str] = mapped_column(String(20), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    milliseconds: Mapped[int] = mapped_column(default=0)
    starts: Mapped[int] = mapped_column(default=0)
    last_seen_at: Mapped[datetime]


class WorkerRow(Base):
    """A process of the program, as it last said of itself."""

    __tablename__ = "workers"
    __table_args__ = (Index(None, "component", "beat_at"),)

    worker: Mapped[str] = mapped_column(String(160), primary_key=True)
    component: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
