"""Tables of shared strategies: what was published, which factors it uses, who likes it, and its place on the boards."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Authored, Private

__all__ = [
    "BoardBucketRow",
    "BoardEntryRow",
    "PublicationFactorRow",
    "PublicationLikeRow",
    "PublicationMarkRow",
    "PublicationRow",
    "PublicationTermRow",
    "QuestionnaireRow",
    "SealedRulesRow",
]


_LISTED = text("visibility = 'public' AND withdrawn_at IS NULL AND hidden_at IS NULL")
_ALIVE = text("NOT is_grave")
_ALIVE_SQLITE = text("is_grave = 0")  # as statements say it there; an index of part of a table must say the same


class PublicationRow(Authored, Base):
    """A strategy as it was published, with the figures of its backtest then; never changed afterwards, only withdrawn.

    One that hides its rules has no ``document``, ``fingerprint`` or ``run_id`` here but in ``SealedRulesRow``, and
    shows ``sealed_hash`` instead: a hash without a salt could be guessed. When the author opens it they come here,
    with the ``salt``. ``parent_id`` is the publication it was cloned from; ``trials`` the variants of the idea that
    were tried by then, those of the parent included; ``curve`` the equity of the backtest, thinned.
    """

    __tablename__ = "publications"
    __table_args__ = (
        CheckConstraint("visibility IN ('public', 'unlisted')", name="visibility"),
        Index("ix_publications_listed", "published_at", "id", sqlite_where=_LISTED, postgresql_where=_LISTED),
        Index("ix_publications_liked", "likes", "id", sqlite_where=_LISTED, postgresql_where=_LISTED),
        Index("ix_publications_cloned", "clones", "id", sqlite_where=_LISTED, postgresql_where=_LISTED),
        Index(None, "owner_id", "published_at"),
        Index(None, "strategy_id"),
        Index(None, "parent_id", "published_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    strategy_id: Mapped[str | None] = mapped_column(ForeignKey("strategies.id", ondelete="SET NULL"))
    version: Mapped[int]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("publications.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    document: Mapped[Document | None]
    fingerprint: Mapped[str | None] = mapped_column(String(64), index=True)
    visibility: Mapped[str] = mapped_column(String(16))
    is_anonymous: Mapped[bool] = mapped_column(default=False, server_default=false())
    hides_rules: Mapped[bool] = mapped_column(default=False, server_default=false())
    sealed_hash: Mapped[str | None] = mapped_column(String(64))
    salt: Mapped[str | None] = mapped_column(String(64))
    revealed_at: Mapped[datetime | None]
    run_id: Mapped[str | None] = mapped_column(String(64), index=True)
    run_start: Mapped[date | None]
    run_end: Mapped[date | None]
    synthetic: Mapped[bool] = mapped_column(default=False, server_default=false())
    trials: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    metrics: Mapped[Document]
    curve: Mapped[Document]
    likes: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    comments: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    clones: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    views: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    published_at: Mapped[datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]


class SealedRulesRow(Private, Base):
    """The rules of a publication that hides them, with the salt under which their hash was published."""

    __tablename__ = "sealed_rules"

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    document: Mapped[Document]
    salt: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str | None] = mapped_column(String(64))


class PublicationFactorRow(Base):
    """That a published strategy uses a factor; none for one that hides its rules."""

    __tablename__ = "publication_factors"
    __table_args__ = (Index(None, "factor", "publication_id"),)

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    factor: Mapped[str] = mapped_column(String(64), primary_key=True)


class PublicationTermRow(Base):
    """Two letters that stand side by side in the folded name of a publication: what a search looks for."""

    __tablename__ = "publication_terms"
    __table_args__ = (Index(None, "term", "publication_id"),)

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    term: Mapped[str] = mapped_column(String(8), primary_key=True)


class PublicationLikeRow(Authored, Base):
    """One like a user."""

    __tablename__ = "publication_likes"

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PublicationMarkRow(Base):
    """Equity of a publication at a session after it was published: what its clock measured, marked by the scheduler."""

    __tablename__ = "publication_marks"

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    session: Mapped[date] = mapped_column(primary_key=True)
    equity: Mapped[float] = mapped_column(Float)


class BoardEntryRow(Base):
    """A publication on one board, with what boards are filtered by. A grave keeps its value and loses its place."""

    __tablename__ = "board_entries"
    __table_args__ = (
        Index(  # with what boards are filtered by, so that entries a filter leaves out are not looked up
            "ix_board_entries_places",
            "board",
            "value",
            "publication_id",
            "cost_fraction",
            "capacity_krw",
            "max_drawdown",
            "sessions",
        ),
        Index(
            "ix_board_entries_buckets", "board", "bucket", "value", sqlite_where=_ALIVE_SQLITE, postgresql_where=_ALIVE
        ),
        Index(None, "publication_id"),
    )

    board: Mapped[str] = mapped_column(String(32), primary_key=True)
    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True)
    value: Mapped[float] = mapped_column(Float)
    bucket: Mapped[int] = mapped_column(Integer)
    is_grave: Mapped[bool] = mapped_column(default=False, server_default=false())
    cost_fraction: Mapped[float | None] = mapped_column(Float)
    capacity_krw: Mapped[float | None] = mapped_column(Float)
    max_drawdown: Mapped[float | None] = mapped_column(Float)
    sessions: Mapped[int] = mapped_column(Integer)
    trials: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class BoardBucketRow(Base):
    """How many entries a board has in each band of values: the place of one is a sum over these, not over entries."""

    __tablename__ = "board_buckets"

    board: Mapped[str] = mapped_column(String(32), primary_key=True)
    bucket: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    entries: Mapped[int] = mapped_column(Integer)


class QuestionnaireRow(Private, Base):
    """An owner's answers to the five questions, and what was suggested."""

    __tablename__ = "questionnaires"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    answers: Mapped[Document]
    suggested: Mapped[list[str]]
    answered_at: Mapped[datetime] = mapped_column(default=utc_now)
