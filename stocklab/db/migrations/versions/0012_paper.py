"""Paper accounts: money and terms, orders, holdings, what is due to them, and every change of cash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import ExactDecimal, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Users are confined to their rows by what follows every migration on PostgreSQL."""
    _paper_accounts()
    _paper_orders()
    _paper_holdings()
    _paper_claims()
    _paper_cash_moves()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("paper_cash_moves")
    op.drop_table("paper_claims")
    op.drop_table("paper_holdings")
    op.drop_table("paper_orders")
    op.drop_table("paper_accounts")


def _paper_accounts() -> None:
    op.create_table(
        "paper_accounts",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("cash_krw", ExactDecimal(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("commission_ppb", sa.BigInteger(), nullable=False),
        sa.Column("slippage_ppb", sa.BigInteger(), nullable=False),
        sa.Column("participation_ppb", sa.BigInteger(), nullable=False),
        sa.Column("cash_check", sa.String(length=12), nullable=False),
        sa.Column("opened_through", sa.Date(), nullable=False),
        sa.Column("settled_through", sa.Date(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_paper_accounts_account_id_broker_accounts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_paper_accounts_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_paper_accounts")),
    )


def _paper_orders() -> None:
    op.create_table(
        "paper_orders",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("client_order_id", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("quantity", ExactDecimal()),
        sa.Column("limit_price_krw", ExactDecimal()),
        sa.Column("money_krw", ExactDecimal()),
        sa.Column("bound_krw", ExactDecimal(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("seen", sa.Boolean(), nullable=False),
        sa.Column("filled_quantity", ExactDecimal(), nullable=False),
        sa.Column("filled_krw", ExactDecimal(), nullable=False),
        sa.Column("costs_krw", ExactDecimal(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("cancel_at", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_paper_orders_account_id_broker_accounts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_paper_orders_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_paper_orders")),
        sa.UniqueConstraint("account_id", "client_order_id", name="uq_paper_orders_account_id"),
    )
    op.create_index("ix_paper_orders_account_id_day", "paper_orders", ["account_id", "day"])
    op.create_index("ix_paper_orders_account_id_state", "paper_orders", ["account_id", "state"])


def _paper_holdings() -> None:
    op.create_table(
        "paper_holdings",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("at_open", ExactDecimal(), nullable=False),
        sa.Column("unlisted", ExactDecimal(), nullable=False),
        sa.Column("cost_krw", ExactDecimal(), nullable=False),
        sa.Column("last_close_krw", ExactDecimal(), nullable=False),
        sa.Column("entry_session", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_paper_holdings_account_id_broker_accounts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_paper_holdings_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "symbol", name=op.f("pk_paper_holdings")),
    )


def _paper_claims() -> None:
    op.create_table(
        "paper_claims",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("krw_a_share", ExactDecimal(), nullable=False),
        sa.Column("ex_session", sa.Date(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_paper_claims_account_id_broker_accounts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_paper_claims_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_claims")),
    )
    op.create_index("ix_paper_claims_account_id", "paper_claims", ["account_id", "id"])


def _paper_cash_moves() -> None:
    op.create_table(
        "paper_cash_moves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("session_day", sa.Date(), nullable=False),
        sa.Column("cash_krw", ExactDecimal(), nullable=False),
        sa.Column("symbol", sa.String(length=20)),
        sa.Column("order_number", sa.Integer()),
        sa.Column("quantity", ExactDecimal()),
        sa.Column("price_krw", ExactDecimal()),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["broker_accounts.id"], name=op.f("fk_paper_cash_moves_account_id_broker_accounts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_paper_cash_moves_owner_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_cash_moves")),
    )
    op.create_index("ix_paper_cash_moves_account_id", "paper_cash_moves", ["account_id", "id"])
