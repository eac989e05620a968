"""Owners, strategies with their versions, runs and jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = "'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'LOST'"


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "owners",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "strategies",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("owners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(120)),
        sa.Column("tags", JSON_DOCUMENT, nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hide_strategy_details", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_strategies_owner_id_updated_at", "strategies", ["owner_id", "updated_at"])
    op.create_table(
        "strategy_versions",
        sa.Column("strategy_id", sa.String(32), sa.ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("owners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("strategy_id", sa.String(32), sa.ForeignKey("strategies.id", ondelete="SET NULL")),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("initial_cash_krw", sa.BigInteger(), nullable=False),
        sa.Column("price_basis", sa.String(16), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("snapshot_id", sa.String(64), nullable=False),
        sa.Column("metrics", JSON_DOCUMENT, nullable=False),
        sa.Column("is_portfolio", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("owner_id", "run_id"),
    )
    op.create_index("ix_runs_owner_id_created_at", "runs", ["owner_id", "created_at"])
    op.create_index("ix_runs_strategy_id", "runs", ["strategy_id"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("owners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("order_document", JSON_DOCUMENT, nullable=False),
        sa.Column("progress", JSON_DOCUMENT),
        sa.Column("run_id", sa.String(64)),
        sa.Column("cached", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_message", sa.Text()),
        sa.Column("worker", sa.String(160), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
        sa.CheckConstraint(f"state IN ({_STATES})", name="state"),
    )
    op.create_index("ix_jobs_state_worker", "jobs", ["state", "worker"])
    op.create_index("ix_jobs_owner_id_created_at", "jobs", ["owner_id", "created_at"])


def downgrade() -> None:
    """Remove the first tables."""
    for table in ("jobs", "runs", "strategy_versions", "strategies", "owners"):
        op.drop_table(table)
