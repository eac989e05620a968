"""Live trading: traders with their decisions and days, guards, health of accounts; what an order is planned as."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, ExactDecimal, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and let orders say what they are part of."""
    _last_quotes()
    _account_health()
    _guards()
    _hands_off()
    _traders()
    _trading_days()
    _decisions()
    op.add_column("broker_accounts", sa.Column("keys_changed_at", UtcDateTime()))
    op.add_column("broker_accounts", sa.Column("limits", JSON_DOCUMENT))
    op.add_column("orders", sa.Column("plan_key", sa.String(length=120)))
    op.add_column("orders", sa.Column("replaces_id", sa.String(length=32)))
    op.add_column("orders", sa.Column("not_before", UtcDateTime()))
    op.add_column("orders", sa.Column("not_after", UtcDateTime()))
    op.add_column("orders", sa.Column("policy", JSON_DOCUMENT))
    op.create_index("ix_orders_account_id_plan_key", "orders", ["account_id", "plan_key"], unique=True)


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_orders_account_id_plan_key", "orders")
    for column in ("policy", "not_after", "not_before", "replaces_id", "plan_key"):
        op.drop_column("orders", column)
    op.drop_column("broker_accounts", "limits")
    op.drop_column("broker_accounts", "keys_changed_at")
    op.drop_table("decisions")
    op.drop_table("trading_days")
    op.drop_table("traders")
    op.drop_table("hands_off")
    op.drop_table("guards")
    op.drop_table("account_health")
    op.drop_table("last_quotes")


def _last_quotes() -> None:
    op.create_table(
        "last_quotes",
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("price_krw", ExactDecimal(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_last_quotes")),
    )


def _account_health() -> None:
    op.create_table(
        "account_health",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("looked_at", UtcDateTime()),
        sa.Column("well_at", UtcDateTime()),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_account_health_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_account_health_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_health")),
    )


def _guards() -> None:
    op.create_table(
        "guards",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("sleeve_id", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("level_krw", ExactDecimal()),
        sa.Column("fraction", ExactDecimal()),
        sa.Column("high_krw", ExactDecimal()),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("order_id", sa.String(length=32)),
        sa.Column("fired_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_guards_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_guards_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guards")),
    )
    op.create_index("ix_guards_account_id_state", "guards", ["account_id", "state"])
    op.create_index("ix_guards_owner_id", "guards", ["owner_id", "created_at", "id"])


def _hands_off() -> None:
    op.create_table(
        "hands_off",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("noticed_at", UtcDateTime(), nullable=False),
        sa.Column("acknowledged_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_hands_off_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_hands_off_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "symbol", name=op.f("pk_hands_off")),
    )


def _traders() -> None:
    op.create_table(
        "traders",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("strategy_id", sa.String(length=32)),
        sa.Column("strategy_version", sa.Integer()),
        sa.Column("run_id", sa.String(length=64)),
        sa.Column("origin_id", sa.String(length=32)),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("settings", JSON_DOCUMENT, nullable=False),
        sa.Column("capital_krw", ExactDecimal(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stop_way", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("book", JSON_DOCUMENT),
        sa.Column("book_session", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("stopped_at", UtcDateTime()),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_traders_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_traders_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traders")),
    )
    op.create_index("ix_traders_account_id_state", "traders", ["account_id", "state"])
    op.create_index("ix_traders_owner_id", "traders", ["owner_id", "created_at", "id"])


def _trading_days() -> None:
    op.create_table(
        "trading_days",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("sleeve_id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("equity_krw", ExactDecimal(), nullable=False),
        sa.Column("cash_krw", ExactDecimal(), nullable=False),
        sa.Column("flow_krw", ExactDecimal(), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_trading_days_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_trading_days_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "sleeve_id", "session", name=op.f("pk_trading_days")),
    )
    op.create_index("ix_trading_days_owner_id", "trading_days", ["owner_id", "session"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("trader_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("data_session", sa.Date()),
        sa.Column("snapshot", sa.String(length=80), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("approval", sa.String(length=12), nullable=False),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("placed_at", UtcDateTime()),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_decisions_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_decisions_owner_id_owners"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trader_id"], ["traders.id"], name=op.f("fk_decisions_trader_id_traders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("trader_id", "session", name="uq_decisions_trader_id"),
    )
    op.create_index("ix_decisions_owner_id", "decisions", ["owner_id", "session", "id"])
