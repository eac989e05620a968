"""Alerts: channels, rules, the feed of events, the outbox, daily notes, and signs of life sent out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('waiting', 'failed')")
_UNREAD = sa.text("read_at IS NULL")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables. Users are confined to their rows by what follows every migration on PostgreSQL."""
    _channels()
    _rules()
    _events()
    _deliveries()
    _daily_notes()
    _signs_of_life()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("signs_of_life")
    op.drop_table("daily_notes")
    op.drop_table("alert_deliveries")
    op.drop_table("alert_events")
    op.drop_table("alert_rules")
    op.drop_table("alert_channels")


def _owner(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f(f"fk_{table}_owner_id_owners"), ondelete="CASCADE")


def _channels() -> None:
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("masked", sa.String(length=160), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("tested_at", UtcDateTime()),
        sa.Column("last_ok_at", UtcDateTime()),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        _owner("alert_channels"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_channels")),
    )
    op.create_index("ix_alert_channels_owner_id_id", "alert_channels", ["owner_id", "id"])


def _rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("strategy_id", sa.String(length=32), nullable=False),
        sa.Column("condition", JSON_DOCUMENT, nullable=False),
        sa.Column("channels", JSON_DOCUMENT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("armed", sa.Boolean(), nullable=False),
        sa.Column("cooldown_seconds", sa.Integer(), nullable=False),
        sa.Column("last_fired_at", UtcDateTime()),
        sa.Column("last_value", sa.Float()),
        sa.Column("checked_at", UtcDateTime()),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        _owner("alert_rules"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
    )
    op.create_index("ix_alert_rules_owner_id_id", "alert_rules", ["owner_id", "id"])
    op.create_index("ix_alert_rules_kind_active", "alert_rules", ["kind", "active"])


def _events() -> None:
    op.create_table(
        "alert_events",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("params", JSON_DOCUMENT, nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        _owner("alert_events"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_events")),
        sa.UniqueConstraint("owner_id", "dedupe_key", name="uq_alert_events_owner_id"),
    )
    op.create_index("ix_alert_events_owner_id_id", "alert_events", ["owner_id", "id"])
    op.create_index("ix_alert_events_owner_id_kind_id", "alert_events", ["owner_id", "kind", "id"])
    op.create_index("ix_alert_events_owner_id_rule_id_id", "alert_events", ["owner_id", "rule_id", "id"])
    op.create_index(
        "ix_alert_events_unread", "alert_events", ["owner_id", "id"], sqlite_where=_UNREAD, postgresql_where=_UNREAD
    )


def _deliveries() -> None:
    op.create_table(
        "alert_deliveries",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("within", sa.String(length=32)),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'failed', 'sent', 'given_up')", name=op.f("ck_alert_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["alert_events.id"], name=op.f("fk_alert_deliveries_event_id_alert_events"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["alert_channels.id"], name=op.f("fk_alert_deliveries_channel_id_alert_channels"), ondelete="CASCADE"
        ),
        _owner("alert_deliveries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint("event_id", "channel_id", name="uq_alert_deliveries_event_id"),
        sa.UniqueConstraint("delivery_id", name="uq_alert_deliveries_delivery_id"),
    )
    op.create_index(
        "ix_alert_deliveries_due", "alert_deliveries", ["next_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index(
        "ix_alert_deliveries_open", "alert_deliveries", ["channel_id", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_alert_deliveries_channel_id_sent_at", "alert_deliveries", ["channel_id", "sent_at"])
    op.create_index("ix_alert_deliveries_owner_id", "alert_deliveries", ["owner_id"])


def _daily_notes() -> None:
    op.create_table(
        "daily_notes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        _owner("daily_notes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_notes")),
        sa.UniqueConstraint("owner_id", "session", name="uq_daily_notes_owner_id"),
    )
    op.create_index("ix_daily_notes_owner_id_session_id", "daily_notes", ["owner_id", "session", "id"])


def _signs_of_life() -> None:
    op.create_table(
        "signs_of_life",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("masked", sa.String(length=160), nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("last_ok_at", UtcDateTime()),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _owner("signs_of_life"),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_signs_of_life")),
    )
    op.create_index("ix_signs_of_life_next_at", "signs_of_life", ["next_at"])
