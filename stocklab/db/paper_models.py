"""The tables of paper accounts: what a broker would hold of an account, kept by the program itself."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import ExactDecimal, utc_now
from stocklab.db.models import Base
from stocklab.db.scope import Private

__all__ = ["PaperAccountRow", "PaperCashMoveRow", "PaperClaimRow", "PaperHoldingRow", "PaperOrderRow"]

ZERO = Decimal(0)


class PaperAccountRow(Private, Base):
    """The money of a paper account and its terms, rates in parts per billion. ``opened_through`` is the last session
    whose corporate actions are booked, ``settled_through`` the last that is over, in bar mode with its fills."""

    __tablename__ = "paper_accounts"

    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id", ondelete="CASCADE"), primary_key=True)
    cash_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    next_number: Mapped[int] = mapped_column(default=1)
    commission_ppb: Mapped[int] = mapped_column(BigInteger)
    slippage_ppb: Mapped[int] = mapped_column(BigInteger)
    participation_ppb: Mapped[int] = mapped_column(BigInteger)
    cash_check: Mapped[str] = mapped_column(String(12))
    opened_through: Mapped[date]
    settled_through: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)


class PaperOrderRow(Private, Base):
    """An order that the paper broker took. ``phase`` says which part of its day it meets first; ``seen`` that it met
    the market once; ``cancel_at`` when its cancel was asked for."""

    __tablename__ = "paper_orders"
    __table_args__ = (
        UniqueConstraint("account_id", "client_order_id", name="uq_paper_orders_account_id"),
        Index("ix_paper_orders_account_id_day", "account_id", "day"),
        Index("ix_paper_orders_account_id_state", "account_id", "state"),
    )

    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_order_id: Mapped[str] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(4))
    kind: Mapped[str] = mapped_column(String(8))
    quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    limit_price_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    money_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    bound_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    day: Mapped[date]
    phase: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(10))
    seen: Mapped[bool] = mapped_column(default=False)
    filled_quantity: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    filled_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    costs_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    reason: Mapped[str] = mapped_column(Text, default="")
    placed_at: Mapped[datetime]
    cancel_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class PaperHoldingRow(Private, Base):
    """What a paper account holds. ``at_open`` is what it held when its session began, which corporate actions change;
    ``unlisted`` are bonus shares that cannot be sold yet."""

    __tablename__ = "paper_holdings"

    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id", ondelete="CASCADE"), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(20), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal())
    at_open: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    unlisted: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    cost_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    last_close_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    entry_session: Mapped[date]


class PaperClaimRow(Private, Base):
    """What is due to a holding later: a dividend (``krw_a_share`` on ``quantity``), or bonus shares until they list."""

    __tablename__ = "paper_claims"
    __table_args__ = (Index("ix_paper_claims_account_id", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(12))
    symbol: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal())
    krw_a_share: Mapped[Decimal] = mapped_column(ExactDecimal(), default=ZERO)
    ex_session: Mapped[date]
    since: Mapped[date]


class PaperCashMoveRow(Private, Base):
    """One change of a paper account's cash; only added to. Fills name their order, quantity and price."""

    __tablename__ = "paper_cash_moves"
    __table_args__ = (Index("ix_paper_cash_moves_account_id", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    session_day: Mapped[date]
    cash_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    symbol: Mapped[str | None] = mapped_column(String(20))
    order_number: Mapped[int | None]
    quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    price_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    at: Mapped[datetime]
