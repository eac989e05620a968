"""The tables of alerts: channels, rules, the feed of events, the outbox, daily notes, and signs of life sent out."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Private

__all__ = [
    "AlertChannelRow",
    "AlertDeliveryRow",
    "AlertEventRow",
    "AlertRuleRow",
    "DailyNoteRow",
    "SignOfLifeRow",
]

_OPEN = text("state IN ('waiting', 'failed')")
_UNREAD = text("read_at IS NULL")


class AlertChannelRow(Private, Base):
    """Where an owner's alerts go. ``sealed`` holds addresses and keys, encrypted; ``masked`` is what may be shown."""

    __tablename__ = "alert_channels"
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(2), default="ko")
    masked: Mapped[str] = mapped_column(String(160), default="")
    sealed: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    tested_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class AlertRuleRow(Private, Base):
    """What an owner wants to be told. ``armed`` is false from when it fired until its condition was false again.

    ``channels`` has ``ids``, the channels it uses, or nothing for all of them. What it fired stays in the feed.
    """

    __tablename__ = "alert_rules"
    __table_args__ = (Index(None, "owner_id", "id"), Index(None, "kind", "active"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str] = mapped_column(String(20), default="")
    account_id: Mapped[str] = mapped_column(String(32), default="")
    strategy_id: Mapped[str] = mapped_column(String(32), default="")
    condition: Mapped[Document]
    channels: Mapped[Document]
    active: Mapped[bool] = mapped_column(default=True)
    armed: Mapped[bool] = mapped_column(default=True)
    cooldown_seconds: Mapped[int] = mapped_column(Integer, default=3600)
    last_fired_at: Mapped[datetime | None]
    last_value: Mapped[float | None] = mapped_column(Float)
    checked_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class AlertEventRow(Private, Base):
    """Something that happened, as the feed shows it: words are made of ``kind`` and ``params`` in each language.

    ``dedupe_key`` names the fact: an owner is told it once. Ids begin with the moment, so that their order is the order
    in time. ``rule_id`` names the rule that fired, which may be gone.
    """

    __tablename__ = "alert_events"
    __table_args__ = (
        UniqueConstraint("owner_id", "dedupe_key", name="uq_alert_events_owner_id"),
        Index(None, "owner_id", "id"),
        Index(None, "owner_id", "kind", "id"),
        Index(None, "owner_id", "rule_id", "id"),
        Index("ix_alert_events_unread", "owner_id", "id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(8))
    params: Mapped[Document]
    link: Mapped[str] = mapped_column(String(300), default="")
    dedupe_key: Mapped[str] = mapped_column(String(200))
    rule_id: Mapped[str] = mapped_column(String(32), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    read_at: Mapped[datetime | None]


class AlertDeliveryRow(Private, Base):
    """An event on its way to a channel. ``delivery_id`` is what the receiver sees, the same on every attempt.

    ``within`` is the delivery whose message told this one too, as a summary of a burst; ``held`` while waiting for it.
    """

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'failed', 'sent', 'given_up')", name="state"),
        UniqueConstraint("event_id", "channel_id", name="uq_alert_deliveries_event_id"),
        UniqueConstraint("delivery_id", name="uq_alert_deliveries_delivery_id"),
        Index("ix_alert_deliveries_due", "next_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_alert_deliveries_open", "channel_id", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "channel_id", "sent_at"),
        Index(None, "owner_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    delivery_id: Mapped[str] = mapped_column(String(32))
    event_id: Mapped[str] = mapped_column(ForeignKey("alert_events.id", ondelete="CASCADE"))
    channel_id: Mapped[str] = mapped_column(ForeignKey("alert_channels.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_at: Mapped[datetime]
    held: Mapped[bool] = mapped_column(default=False)
    within: Mapped[str | None] = mapped_column(String(32))
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]


class DailyNoteRow(Private, Base):
    """What was done and not done on a session, and why: one of an owner for a session."""

    __tablename__ = "daily_notes"
    __table_args__ = (
        UniqueConstraint("owner_id", "session", name="uq_daily_notes_owner_id"),
        Index(None, "owner_id", "session", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session: Mapped[date]
    document: Mapped[Document]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SignOfLifeRow(Private, Base):
    """An address that the scheduler calls every few minutes, so that somebody outside notices when it stops."""

    __tablename__ = "signs_of_life"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[str | None] = mapped_column(Text)
    masked: Mapped[str] = mapped_column(String(160), default="")
    every_minutes: Mapped[int] = mapped_column(Integer, default=5)
    active: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
