"""News and disclosures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "news_items",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", "symbol"),
    )
    op.create_index("ix_news_items_symbol_published_at", "news_items", ["symbol", "published_at"])
    op.create_table(
        "disclosures",
        sa.Column("filing_no", sa.String(14), nullable=False),
        sa.Column("symbol", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("filing_no"),
    )
    op.create_index("ix_disclosures_symbol_published_on", "disclosures", ["symbol", "published_on"])
    op.create_index("ix_disclosures_published_on", "disclosures", ["published_on"])


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("disclosures")
    op.drop_table("news_items")
