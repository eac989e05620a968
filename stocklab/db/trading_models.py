"""The tables of trading: accounts at brokers, the journal of orders, the book. No user deletes anything here."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import ExactDecimal, utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Private

__all__ = [
    "BookEntryRow",
    "BrokerAccountRow",
    "BrokerTokenRow",
    "KillSwitchRow",
    "OrderEventRow",
    "OrderPartRow",
    "OrderRow",
]


class BrokerAccountRow(Private, Base):
    """An account at a broker. ``sealed`` holds its keys, encrypted; ``masked`` is what may be shown of its number.

    ``keys_changed_at`` is when they were entered. ``stopped_reason`` says why orders stopped until a person looks;
    empty while they may go.
    """

    __tablename__ = "broker_accounts"
    __table_args__ = (Index("ix_broker_accounts_owner_id", "owner_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    broker: Mapped[str] = mapped_column(String(16))
    mock: Mapped[bool]
    name: Mapped[str] = mapped_column(String(80))
    masked: Mapped[str] = mapped_column(String(40), default="")
    sealed: Mapped[str | None] = mapped_column(Text)
    keys_changed_at: Mapped[datetime | None]
    limits: Mapped[Document | None]
    active: Mapped[bool] = mapped_column(default=True)
    stopped_reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class BrokerTokenRow(Base):
    """The access token of a key, encrypted, and when one was last asked for."""

    __tablename__ = "broker_tokens"

    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[str | None] = mapped_column(Text)
    issued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]


class OrderRow(Private, Base):
    """An order: written before it is sent, and followed until it is over. ``version`` rises with every change, so that
    two writers cannot both change what they read.

    ``epoch`` is the kill switch's at the moment it was decided: a later one means that it must not be sent.
    ``plan_key`` names what it is part of, once in its account: who plans the same again after a kill finds it there. It
    goes out from ``not_before`` on, and not after ``not_after``. ``policy`` says how it is priced anew; ``replaces_id``
    is the order it took the place of.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("client_order_id", name="uq_orders_client_order_id"),
        Index("ix_orders_account_id_plan_key", "account_id", "plan_key", unique=True),
        UniqueConstraint("account_id", "broker_day", "broker_number", name="uq_orders_account_id"),
        Index("ix_orders_account_id_state", "account_id", "state"),
        Index("ix_orders_account_id_broker_day", "account_id", "broker_day"),
        Index("ix_orders_owner_id_created_at", "owner_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"))
    client_order_id: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text, default="")
    symbol: Mapped[str] = mapped_column(String(20))
    side: Mapped[str] = mapped_column(String(4))
    kind: Mapped[str] = mapped_column(String(8))
    validity: Mapped[str] = mapped_column(String(4))
    quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    limit_price_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    money_krw: Mapped[Decimal | None] = mapped_column(ExactDecimal())
    state: Mapped[str] = mapped_column(String(12))
    cancel_wanted: Mapped[bool] = mapped_column(default=False)
    broker_day: Mapped[date | None]
    broker_number: Mapped[str | None] = mapped_column(String(64))
    broker_branch: Mapped[str] = mapped_column(String(16), default="")
    sent_at: Mapped[datetime | None]
    known_numbers: Mapped[list[str] | None]
    misses: Mapped[int] = mapped_column(default=0)
    booked_quantity: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    booked_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    booked_costs_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    fills: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[int]
    plan_key: Mapped[str | None] = mapped_column(String(120))
    replaces_id: Mapped[str | None] = mapped_column(String(32))
    not_before: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    policy: Mapped[Document | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class OrderPartRow(Private, Base):
    """What a sleeve gets of an order, fixed before it is sent, and what it got."""

    __tablename__ = "order_parts"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    sleeve_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal())
    booked_quantity: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))


class OrderEventRow(Private, Base):
    """One thing that happened to an order; only added to."""

    __tablename__ = "order_events"
    __table_args__ = (Index("ix_order_events_order_id", "order_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    event: Mapped[str] = mapped_column(String(16))
    state_before: Mapped[str] = mapped_column(String(12))
    state_after: Mapped[str] = mapped_column(String(12))
    details: Mapped[Document | None]
    at: Mapped[datetime]


class BookEntryRow(Private, Base):
    """One change of one sleeve; only added to. The book of an account is the sum of its entries.

    A fill of an order is booked once for each sleeve: the key says so.
    """

    __tablename__ = "book_entries"
    __table_args__ = (
        UniqueConstraint("order_id", "fill_number", "sleeve_id", name="uq_book_entries_order_id"),
        Index("ix_book_entries_account_id", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("broker_accounts.id"))
    sleeve_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    symbol: Mapped[str | None] = mapped_column(String(20))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    cash_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    amount_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    costs_krw: Mapped[Decimal] = mapped_column(ExactDecimal(), default=Decimal(0))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"))
    fill_number: Mapped[int | None]
    at: Mapped[datetime]


class KillSwitchRow(Base):
    """A kill switch: over everything (scope ``all``), an account or a strategy. ``epoch`` rises each time it is thrown
    and never falls, so that what was decided before cannot be sent after."""

    __tablename__ = "kill_switches"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    epoch: Mapped[int]
    thrown: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    changed_by: Mapped[str | None] = mapped_column(String(32))
    changed_at: Mapped[datetime]
