"""Trading: accounts at brokers with their tokens, the journal of orders, the book of sleeves, kill switches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, ExactDecimal, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Users are confined to their rows by what follows every migration on PostgreSQL."""
    _broker_tokens()
    _kill_switches()
    _broker_accounts()
    _orders()
    _book_entries()
    _order_events()
    _order_parts()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("order_parts")
    op.drop_table("order_events")
    op.drop_table("book_entries")
    op.drop_table("orders")
    op.drop_table("broker_accounts")
    op.drop_table("kill_switches")
    op.drop_table("broker_tokens")


def _broker_tokens() -> None:
    op.create_table(
        "broker_tokens",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("issued_at", UtcDateTime()),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("asked_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_broker_tokens")),
    )


def _kill_switches() -> None:
    op.create_table(
        "kill_switches",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("thrown", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=32)),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_kill_switches")),
    )


def _broker_accounts() -> None:
    op.create_table(
        "broker_accounts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("broker", sa.String(length=16), nullable=False),
        sa.Column("mock", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("masked", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stopped_reason", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_broker_accounts_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broker_accounts")),
    )
    op.create_index("ix_broker_accounts_owner_id", "broker_accounts", ["owner_id"])


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("client_order_id", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("validity", sa.String(length=4), nullable=False),
        sa.Column("quantity", ExactDecimal()),
        sa.Column("limit_price_krw", ExactDecimal()),
        sa.Column("money_krw", ExactDecimal()),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("cancel_wanted", sa.Boolean(), nullable=False),
        sa.Column("broker_day", sa.Date()),
        sa.Column("broker_number", sa.String(length=64)),
        sa.Column("broker_branch", sa.String(length=16), nullable=False),
        sa.Column("sent_at", UtcDateTime()),
        sa.Column("known_numbers", JSON_DOCUMENT),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("booked_quantity", ExactDecimal(), nullable=False),
        sa.Column("booked_krw", ExactDecimal(), nullable=False),
        sa.Column("booked_costs_krw", ExactDecimal(), nullable=False),
        sa.Column("fills", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_orders_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_orders_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("account_id", "broker_day", "broker_number", name="uq_orders_account_id"),
        sa.UniqueConstraint("client_order_id", name="uq_orders_client_order_id"),
    )
    op.create_index("ix_orders_account_id_broker_day", "orders", ["account_id", "broker_day"])
    op.create_index("ix_orders_account_id_state", "orders", ["account_id", "state"])
    op.create_index("ix_orders_owner_id_created_at", "orders", ["owner_id", "created_at", "id"])


def _book_entries() -> None:
    op.create_table(
        "book_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("sleeve_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("symbol", sa.String(length=20)),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("cash_krw", ExactDecimal(), nullable=False),
        sa.Column("amount_krw", ExactDecimal(), nullable=False),
        sa.Column("costs_krw", ExactDecimal(), nullable=False),
        sa.Column("order_id", sa.String(length=32)),
        sa.Column("fill_number", sa.Integer()),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_book_entries_account_id_broker_accounts")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_book_entries_order_id_orders")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_book_entries_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book_entries")),
        sa.UniqueConstraint("order_id", "fill_number", "sleeve_id", name="uq_book_entries_order_id"),
    )
    op.create_index("ix_book_entries_account_id", "book_entries", ["account_id", "id"])


def _order_events() -> None:
    op.create_table(
        "order_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("state_before", sa.String(length=12), nullable=False),
        sa.Column("state_after", sa.String(length=12), nullable=False),
        sa.Column("details", JSON_DOCUMENT),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_events_order_id_orders")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_order_events_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
    )
    op.create_index("ix_order_events_order_id", "order_events", ["order_id", "id"])


def _order_parts() -> None:
    op.create_table(
        "order_parts",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("sleeve_id", sa.String(length=64), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("booked_quantity", ExactDecimal(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_parts_order_id_orders")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_order_parts_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "sleeve_id", name=op.f("pk_order_parts")),
    )
