"""The tables of strategies, runs and jobs. Every row a user owns has an owner."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime, utc_now
from stocklab.db.scope import Private

__all__ = [
    "LOCAL_OWNER_ID",
    "Base",
    "HeldResultRow",
    "IdeaVariantRow",
    "JobRow",
    "JobState",
    "OwnerRow",
    "RunRow",
    "StrategyRow",
    "StrategyVersionRow",
    "UniverseRow",
]

LOCAL_OWNER_ID = "local"

# Explicit names: SQLite cannot drop an unnamed constraint, and both databases then agree in migrations.
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Document = dict[str, Any]


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it from the class)
        datetime: UtcDateTime(),
        Document: JSON_DOCUMENT,
        list[str]: JSON_DOCUMENT,
    }


class JobState(StrEnum):
    """States of a job. LOST: the process that held it is gone, so nobody will finish it."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"

    @property
    def live(self) -> bool:
        """Whether the job may still change."""
        return self in (JobState.PENDING, JobState.RUNNING)


class OwnerRow(Base):
    """Who owns rows. The name is what others see; it stays, without its account, when a person leaves.

    ``local`` is the owner of a home without accounts; the first account of a home takes it over.
    """

    __tablename__ = "owners"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    left_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class StrategyRow(Private, Base):
    """The current version of a saved strategy; ``origin_id`` is the publication it was cloned from."""

    __tablename__ = "strategies"
    __table_args__ = (Index(None, "owner_id", "updated_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    document: Mapped[Document]
    fingerprint: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(default=1)
    folder: Mapped[str | None] = mapped_column(String(120))
    tags: Mapped[list[str]] = mapped_column(default=list)
    notes: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    origin_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class StrategyVersionRow(Private, Base):
    """One version of a strategy as it was saved; never changed afterwards."""

    __tablename__ = "strategy_versions"

    strategy_id: Mapped[str] = mapped_column(ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(120))
    document: Mapped[Document]
    fingerprint: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class UniverseRow(Private, Base):
    """A universe an owner gave a name: the universe part of a strategy document."""

    __tablename__ = "universes"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    document: Mapped[Document]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class RunRow(Private, Base):
    """A finished run in an owner's list; the result itself is a file found by ``run_id`` (a content hash).

    ``fingerprint`` is that of the document that ran, which tells the version; runs of before had none.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("owner_id", "run_id"),
        Index(None, "owner_id", "created_at"),
        Index("ix_runs_owner_id_fingerprint", "owner_id", "fingerprint"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(64))
    strategy_id: Mapped[str | None] = mapped_column(ForeignKey("strategies.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    start_on: Mapped[date]
    end_on: Mapped[date]
    initial_cash_krw: Mapped[int] = mapped_column(BigInteger)
    price_basis: Mapped[str] = mapped_column(String(16))
    synthetic: Mapped[bool]
    snapshot_id: Mapped[str] = mapped_column(String(64))
    metrics: Mapped[Document]
    is_portfolio: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class HeldResultRow(Private, Base):
    """A stored result that an owner may open beside the runs of the list: a sweep, or a run made from another run.

    The results themselves are nobody's: files found by a content hash, which whoever asks the same comes to as well.
    """

    __tablename__ = "held_results"
    __table_args__ = (
        CheckConstraint("kind IN ('sweep', 'run')", name="kind"),
        Index(None, "owner_id", "kind", "created_at"),
        Index(None, "result_id"),
    )

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    result_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class IdeaVariantRow(Private, Base):
    """A variant of an idea that was tried: the idea is a strategy without its numbers, the variant its fingerprint."""

    __tablename__ = "idea_variants"
    __table_args__ = (Index(None, "variant", "owner_id"),)

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    idea: Mapped[str] = mapped_column(String(64), primary_key=True)
    variant: Mapped[str] = mapped_column(String(64), primary_key=True)
    tried_at: Mapped[datetime] = mapped_column(default=utc_now)


class JobRow(Private, Base):
    """A piece of work asked for: waiting, running or ended. ``worker`` names the process that holds it."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('" + "', '".join(JobState) + "')", name="state"),
        Index(None, "state", "worker"),
        Index(None, "owner_id", "created_at"),
        Index(None, "kind", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    order_document: Mapped[Document]
    progress: Mapped[Document | None]
    run_id: Mapped[str | None] = mapped_column(String(64))
    cached: Mapped[bool] = mapped_column(default=False, server_default=false())
    cancel_requested: Mapped[bool] = mapped_column(default=False, server_default=false())
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[str] = mapped_column(String(160))
    heartbeat_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
