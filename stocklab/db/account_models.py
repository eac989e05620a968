"""Tables of accounts: who may come in, what is open for them, what was counted against them, and what was done."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Private

__all__ = [
    "ActiveDayRow",
    "ApiTokenRow",
    "AuditRow",
    "FeedbackRow",
    "NoticeReadRow",
    "NoticeRow",
    "PasswordResetRow",
    "RateWindowRow",
    "RecoveryCodeRow",
    "UserRow",
    "UserSessionRow",
]


class UserRow(Base):
    """An account. Deleted when a person leaves; the owner row of the same id keeps what others depend on.

    ``*_key`` columns hold the folded form (case, width, spaces) that must be unique. ``totp_secret`` is sealed;
    ``totp_last_step`` is the last 30-second step that was accepted, so that a code counts once.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('member', 'admin')", name="role"),
        UniqueConstraint("oidc_issuer", "oidc_subject"),
        Index(None, "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    nickname: Mapped[str] = mapped_column(String(40))
    nickname_key: Mapped[str] = mapped_column(String(80), unique=True)
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(100))
    password_changed_at: Mapped[datetime | None]
    oidc_issuer: Mapped[str | None] = mapped_column(String(255))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="member", server_default="member")
    plan: Mapped[str] = mapped_column(String(32), default="free", server_default="free")
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    language: Mapped[str | None] = mapped_column(String(8))
    ai_recommendation_block: Mapped[bool] = mapped_column(default=False, server_default=false())
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_enabled_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    banned_until: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class UserSessionRow(Base):
    """A log-in of one browser. Only the hash of its token is kept; it ends at log-out or at ``expires_at``.

    ``confirmed_at`` is when a second factor was last given in it.
    """

    __tablename__ = "user_sessions"
    __table_args__ = (Index(None, "user_id", "created_at"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(200))
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


class ActiveDayRow(Base):
    """A day, in Seoul, on which an account was used: admins see how many were."""

    __tablename__ = "active_days"
    __table_args__ = (Index(None, "user_id"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)


class RecoveryCodeRow(Base):
    """A one-time code that stands in for the second factor."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None]


class PasswordResetRow(Base):
    """A link that lets a person set a new password once; only the hash of its token is kept."""

    __tablename__ = "password_resets"
    __table_args__ = (Index(None, "user_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiTokenRow(Private, Base):
    """A key for programs of its owner, with what it may do; only its hash is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "owner_id", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class RateWindowRow(Base):
    """How often something was done within a window: ``subject`` is what is limited (``login:<hash of an address>``)."""

    __tablename__ = "rate_windows"
    __table_args__ = (Index(None, "ends_at"),)

    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]
    count: Mapped[int] = mapped_column(Integer, default=0)


class AuditRow(Base):
    """What was done, by whom. Rows are never changed (a trigger refuses); each holds the hash of the one before."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "actor_id", "number"), Index(None, "action", "number"))

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    actor_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(120))
    details: Mapped[Document]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class FeedbackRow(Private, Base):
    """What a user told the people who run this."""

    __tablename__ = "feedback"
    __table_args__ = (Index(None, "state", "created_at"), Index(None, "owner_id", "created_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    page: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    answered_at: Mapped[datetime | None]


class NoticeRow(Base):
    """Something all users are told, within its days."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "shown_from"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(String(16))
    shown_from: Mapped[datetime]
    shown_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class NoticeReadRow(Private, Base):
    """That an owner put a notice away."""

    __tablename__ = "notice_reads"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    notice_id: Mapped[str] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True)
    read_at: Mapped[datetime] = mapped_column(default=utc_now)
