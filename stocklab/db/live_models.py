"""The tables of live trading: strategies at work on an account, what they decided and guard, what days came to."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import ExactDecimal, utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Private

__all__ = [
    "AccountHealthRow",
    "DecisionRow",
    "GuardRow",
    "HandsOffRow",
    "LastQuoteRow",
    "TraderRow",
    "TradingDayRow",
]


class TraderRow(Private, Base):
    """A strategy at work on an account. Its id is the id of its sleeve.

    ``document`` is the strategy as it was when it was started, ``run_id`` the backtest it came from; ``book`` what it
    carries from close to close beyond the account's book, as of the close of ``book_session``. ``version`` rises with
    every change.
    """

    __tablename__ = "traders"
    __table_args__ = (
        Index("ix_traders_owner_id", "owner_id", "created_at", "id"),
        Index("ix_traders_account_id_state", "account_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"))
    strategy_id: Mapped[str | None] = mapped_column(String(32))
    strategy_version: Mapped[int | None]
    run_id: Mapped[str | None] = mapped_column(String(64))
    origin_id: Mapped[str | None] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    document: Mapped[Document]
    settings: Mapped[Document]
    capital_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    state: Mapped[str] = mapped_column(String(12))
    stop_way: Mapped[str] = mapped_column(String(12), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    book: Mapped[Document | None]
    book_session: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class DecisionRow(Private, Base):
    """What a trader decided for a session, with its reasons. ``approval`` says whether a person has to, and did.

    ``placed_at``: its orders are in the journal.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("trader_id", "session", name="uq_decisions_trader_id"),
        Index("ix_decisions_owner_id", "owner_id", "session", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    trader_id: Mapped[str] = mapped_column(ForeignKey("traders.id"))
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"))
    session: Mapped[date]
    data_session: Mapped[date | None]
    snapshot: Mapped[str] = mapped_column(String(80), default="")
    document: Mapped[Document]
    approval: Mapped[str] = mapped_column(String(12))
    answered_at: Mapped[datetime | None]
    placed_at: Mapped[datetime | None]
    made_at: Mapped[datetime]


class TradingDayRow(Private, Base):
    """What a session came to for an account (``sleeve_id`` empty) or one sleeve of it.

    ``flow_krw`` is what came from or went elsewhere that day; it is no return. ``document`` holds positions, the gap
    to the backtest and the risk figures.
    """

    __tablename__ = "trading_days"
    __table_args__ = (Index("ix_trading_days_owner_id", "owner_id", "session"),)

    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"), primary_key=True)
    sleeve_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session: Mapped[date] = mapped_column(primary_key=True)
    equity_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    cash_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    flow_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    document: Mapped[Document]
    closed_at: Mapped[datetime]


class GuardRow(Private, Base):
    """A stop, a trailing stop or a target over what a sleeve holds of a symbol.

    The level is a price or a fraction of the average cost (``fraction``, positive); ``high_krw`` is the highest price
    since it began, for a trailing stop. ``order_id`` is the order it sent when it fired.
    """

    __tablename__ = "guards"
    __table_args__ = (
        Index("ix_guards_owner_id", "owner_id", "created_at", "id"),
        Index("ix_guards_account_id_state", "account_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"))
    sleeve_id: Mapped[str] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(12))
    level_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    fraction: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    high_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    state: Mapped[str] = mapped_column(String(12))
    order_id: Mapped[str | None] = mapped_column(String(32))
    fired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class HandsOffRow(Private, Base):
    """What a person sold in the broker's own app: no strategy buys it again until the person agrees."""

    __tablename__ = "hands_off"

    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(20), primary_key=True)
    noticed_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]


class AccountHealthRow(Private, Base):
    """How an account is doing, as its thread sees it: written by the background process alone."""

    __tablename__ = "account_health"

    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"), primary_key=True)
    looked_at: Mapped[datetime | None]
    well_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(Text, default="")
    document: Mapped[Document]
    updated_at: Mapped[datetime]


class LastQuoteRow(Base):
    """The last price of a symbol that the background process saw, for the pages."""

    __tablename__ = "last_quotes"

    symbol: Mapped[str] = mapped_column(String(20), primary_key=True)
    price_krw: Mapped[Decimal] = mapped_column(ExactDecimal())
    source: Mapped[str] = mapped_column(String(8))
    halted: Mapped[bool]
    at: Mapped[datetime]
