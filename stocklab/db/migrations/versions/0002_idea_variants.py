"""Variants of an idea that were tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "idea_variants",
        sa.Column("owner_id", sa.String(32), sa.ForeignKey("owners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("idea", sa.String(64), nullable=False),
        sa.Column("variant", sa.String(64), nullable=False),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "idea", "variant"),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("idea_variants")
