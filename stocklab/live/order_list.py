"""Orders of an owner, page by page: open, in doubt and ended ones, with whose they are and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from stocklab.brokers.values import PriceKind, Side
from stocklab.data.sources.calls import KST
from stocklab.db import BrokerAccountRow, Database, OrderEventRow, OrderPartRow, OrderRow, TraderRow
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.live.tickets import NoSuchOrder
from stocklab.trading.journal import Origin
from stocklab.trading.order_states import OrderEvent, OrderState

__all__ = ["OrderChange", "OrderFilter", "OrderGroup", "OrderLine", "OrderLists", "SleevePart"]

_MOST_CHANGES: Final = 200


class OrderGroup(StrEnum):
    """Which orders: those that go on, those of which it is not known whether the broker has them, those that ended."""

    OPEN = "open"
    DOUBT = "doubt"
    ENDED = "ended"

    @property
    def states(self) -> tuple[OrderState, ...]:
        """The states of its orders."""
        return tuple(state for state in OrderState if _group(state) is self)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """What is looked for; None for all. ``day`` is one in Seoul."""

    group: OrderGroup = OrderGroup.OPEN
    account_id: str | None = None
    symbol: str | None = None
    sleeve_id: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SleevePart:
    """Whose an order is: ``name`` is the strategy's, None for what belongs to none."""

    sleeve_id: str
    name: str | None
    quantity: Decimal
    booked: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """One thing that happened to an order."""

    at: datetime
    event: OrderEvent
    before: OrderState
    after: OrderState
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """An order as pages show it."""

    id: str
    account_id: str
    account: str
    broker: str
    origin: Origin
    reason: str
    symbol: str
    side: Side
    kind: PriceKind
    quantity: Decimal | None
    limit_price_krw: Decimal | None
    money_krw: Decimal | None
    state: OrderState
    cancel_wanted: bool
    number: str | None
    sent_at: datetime | None
    booked: Decimal
    booked_krw: Decimal
    costs_krw: Decimal
    policy: Mapping[str, Any]
    not_before: datetime | None
    not_after: datetime | None
    created_at: datetime
    parts: tuple[SleevePart, ...]

    @property
    def average_krw(self) -> Decimal | None:
        """What was paid or got for one, on average."""
        return self.booked_krw / self.booked if self.booked else None


class OrderLists:
    """What an owner sees of the journal. A page costs two statements, a history one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, owner_id: str, wanted: OrderFilter | None = None, *, after: str | None = None) -> Page[OrderLine]:
        """Orders, newest first. Raises InputError for a wrong place."""
        conditions = _conditions(owner_id, wanted or OrderFilter())
        conditions += beyond(after, OrderRow.created_at, OrderRow.id, datetime.fromisoformat)
        statement = (
            select(OrderRow, BrokerAccountRow.name, BrokerAccountRow.broker)
            .join(BrokerAccountRow, BrokerAccountRow.id == OrderRow.account_id)
            .where(*conditions)
            .order_by(OrderRow.created_at.desc(), OrderRow.id.desc())
            .limit(PAGE_SIZE + 1)
        )
        with self._database.read(owner_id) as session:
            rows = session.execute(statement).all()
            parts = _parts(session, [row[0].id for row in rows])
        return page_of(
            rows,
            lambda row: _view(row[0], row[1], row[2], parts.get(row[0].id, ())),
            lambda row: (row[0].created_at.isoformat(), row[0].id),
        )

    def one(self, owner_id: str, order_id: str) -> OrderLine:
        """One order. Raises NoSuchOrder."""
        statement = (
            select(OrderRow, BrokerAccountRow.name, BrokerAccountRow.broker)
            .join(BrokerAccountRow, BrokerAccountRow.id == OrderRow.account_id)
            .where(OrderRow.owner_id == owner_id, OrderRow.id == order_id)
        )
        with self._database.read(owner_id) as session:
            row = session.execute(statement).first()
            if row is None:
                raise NoSuchOrder("There is no such order.")
            return _view(row[0], row[1], row[2], _parts(session, [order_id]).get(order_id, ()))

    def history(self, owner_id: str, order_id: str) -> tuple[OrderChange, ...]:
        """What happened to an order, oldest first."""
        statement = (
            select(OrderEventRow)
            .where(OrderEventRow.owner_id == owner_id, OrderEventRow.order_id == order_id)
            .order_by(OrderEventRow.id)
            .limit(_MOST_CHANGES)
        )
        with self._database.read(owner_id) as session:
            return tuple(
                OrderChange(
                    at=row.at,
                    event=OrderEvent(row.event),
                    before=OrderState(row.state_before),
                    after=OrderState(row.state_after),
                    details=row.details or {},
                )
                for row in session.scalars(statement)
            )

    def counts(self, owner_id: str) -> Mapping[OrderGroup, int]:
        """How many orders go on, and how many are in doubt."""
        live = [state.value for state in OrderState if not state.final]
        statement = (
            select(OrderRow.state, func.count())
            .where(OrderRow.owner_id == owner_id, OrderRow.state.in_(live))
            .group_by(OrderRow.state)
        )
        found = {OrderGroup.OPEN: 0, OrderGroup.DOUBT: 0}
        with self._database.read(owner_id) as session:
            for state, number in session.execute(statement):
                found[_group(OrderState(state))] += number
        return found


def _group(state: OrderState) -> OrderGroup:
    if state.final:
        return OrderGroup.ENDED
    return OrderGroup.DOUBT if state.in_doubt else OrderGroup.OPEN


def _conditions(owner_id: str, wanted: OrderFilter) -> list[ColumnElement[bool]]:
    found = [OrderRow.owner_id == owner_id, OrderRow.state.in_([state.value for state in wanted.group.states])]
    if wanted.account_id is not None:
        found.append(OrderRow.account_id == wanted.account_id)
    if wanted.symbol is not None:
        found.append(OrderRow.symbol == wanted.symbol)
    if wanted.sleeve_id is not None:
        mine = select(OrderPartRow.order_id).where(
            OrderPartRow.owner_id == owner_id, OrderPartRow.sleeve_id == wanted.sleeve_id
        )
        found.append(OrderRow.id.in_(mine))
    if wanted.day is not None:
        begins = datetime.combine(wanted.day, time(0), tzinfo=KST)
        found += [OrderRow.created_at >= begins, OrderRow.created_at < begins + timedelta(days=1)]
    return found


def _parts(session: Session, orders: Sequence[str]) -> Mapping[str, tuple[SleevePart, ...]]:
    if not orders:
        return {}
    statement = (
        select(OrderPartRow, TraderRow.name)
        .outerjoin(TraderRow, TraderRow.id == OrderPartRow.sleeve_id)
        .where(OrderPartRow.order_id.in_(orders))
        .order_by(OrderPartRow.order_id, OrderPartRow.sleeve_id)
    )
    found: dict[str, tuple[SleevePart, ...]] = {}
    for row, name in session.execute(statement):
        part = SleevePart(sleeve_id=row.sleeve_id, name=name, quantity=row.quantity, booked=row.booked_quantity)
        found[row.order_id] = (*found.get(row.order_id, ()), part)
    return found


def _view(row: OrderRow, account: str, broker: str, parts: tuple[SleevePart, ...]) -> OrderLine:
    return OrderLine(
        id=row.id,
        account_id=row.account_id,
        account=account,
        broker=broker,
        origin=Origin(row.origin),
        reason=row.reason,
        symbol=row.symbol,
        side=Side(row.side),
        kind=PriceKind(row.kind),
        quantity=row.quantity,
        limit_price_krw=row.limit_price_krw,
        money_krw=row.money_krw,
        state=OrderState(row.state),
        cancel_wanted=row.cancel_wanted,
        number=row.broker_number,
        sent_at=row.sent_at,
        booked=row.booked_quantity,
        booked_krw=row.booked_krw,
        costs_krw=row.booked_costs_krw,
        policy=row.policy or {},
        not_before=row.not_before,
        not_after=row.not_after,
        created_at=row.created_at,
        parts=parts,
    )
