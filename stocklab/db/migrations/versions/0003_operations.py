"""Scheduled runs, intents, sources and processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "scheduled_runs",
        sa.Column("job", sa.String(40), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(160)),
        sa.Column("progress", JSON_DOCUMENT),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("heartbeat_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("retry_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("job", "key"),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'missed', 'skipped')", name="state"),
    )
    op.create_index("ix_scheduled_runs_state_worker", "scheduled_runs", ["state", "worker"])
    op.create_table(
        "intents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("owners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(160)),
        sa.Column("progress", JSON_DOCUMENT),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("taken_at", UtcDateTime()),
        sa.Column("heartbeat_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
        sa.CheckConstraint("state IN ('waiting', 'taken', 'done', 'failed', 'cancelled')", name="state"),
    )
    op.create_index("ix_intents_state_created_at", "intents", ["state", "created_at"])
    op.create_index("ix_intents_owner_id_created_at", "intents", ["owner_id", "created_at"])
    op.create_table(
        "source_days",
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day"),
    )
    op.create_table(
        "source_states",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("blocked_until", UtcDateTime()),
        sa.Column("blocked_reason", sa.Text(), nullable=False),
        sa.Column("last_ok_at", UtcDateTime()),
        sa.Column("last_error_at", UtcDateTime()),
        sa.Column("last_error", sa.Text(), nullable=False),
    )
    op.create_table(
        "source_keys",
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "component_days",
        sa.Column("component", sa.String(20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("component", "day"),
    )
    op.create_table(
        "workers",
        sa.Column("worker", sa.String(160), primary_key=True),
        sa.Column("component", sa.String(20), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("beat_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_workers_component_beat_at", "workers", ["component", "beat_at"])


def downgrade() -> None:
    """Remove the tables."""
    for table in (
        "workers",
        "component_days",
        "source_keys",
        "source_states",
        "source_days",
        "intents",
        "scheduled_runs",
    ):
        op.drop_table(table)
