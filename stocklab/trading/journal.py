"""The journal: an order is a row before it is a request, and each change of it is one transaction.

Only the process that holds the sidecar's lock writes here; the fence says so in each transaction that begins to send,
and the version of a row keeps apart two writers that both believe it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session

from stocklab.brokers.values import BrokerOrder, OrderRef, OrderTicket, PriceKind, Side, Validity
from stocklab.data.sources.calls import KST
from stocklab.db import Base, BookEntryRow, Database, KillSwitchRow
from stocklab.errors import JournalConflict
from stocklab.operations.inserting import insert_if_absent
from stocklab.operations.run_ledger import UNFENCED, Fence
from stocklab.trading.book import Entry, EntryKind
from stocklab.trading.order import Order
from stocklab.trading.order_states import OrderEvent, OrderState, next_state

__all__ = ["EVERYTHING", "Draft", "Journal", "Kept", "Origin"]

EVERYTHING: Final = "all"
"""Scope of the kill switch over every account."""

_LIVE: Final = tuple(state.value for state in OrderState if not state.final)
ZERO: Final = Decimal(0)

# Asked in every turn of every account: rows of tables are read and written faster than objects.
_ORDERS, _ORDER_PARTS, _EVENTS, _ENTRIES, _KILLS = (
    Base.metadata.tables[name] for name in ("orders", "order_parts", "order_events", "book_entries", "kill_switches")
)
_FOLLOWED: Final = (
    select(_ORDERS)
    .where(
        _ORDERS.c.account_id == bindparam("account"),
        or_(
            _ORDERS.c.state.in_(_LIVE),
            _ORDERS.c.broker_day.in_(bindparam("days", expanding=True)),
            (_ORDERS.c.state == OrderState.ABSENT.value) & (_ORDERS.c.created_at >= bindparam("since")),
        ),
    )
    .order_by(_ORDERS.c.created_at, _ORDERS.c.id)
)
_PARTS: Final = select(_ORDER_PARTS).where(_ORDER_PARTS.c.order_id.in_(bindparam("orders", expanding=True)))

_SWITCHES: Final = (
    select(_KILLS.c.epoch, _KILLS.c.thrown)
    .where(_KILLS.c.scope.in_(bindparam("scopes", expanding=True)))
    .order_by(_KILLS.c.scope)
)
_SWITCHES_LOCKED: Final = _SWITCHES.with_for_update(read=True)


class Origin(StrEnum):
    """Who wanted an order. BY_HAND: placed in the broker's own app, seen in its journal."""

    STRATEGY = "strategy"
    PERSON = "person"
    STOP = "stop"
    KILL_SWITCH = "kill_switch"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that is to be written. ``parts`` say whose it is and add up to its quantity (for a purchase by money:
    one sleeve, with any positive number)."""

    symbol: str
    side: Side
    kind: PriceKind
    quantity: Decimal | None
    parts: Mapping[str, Decimal]
    limit_price_krw: Decimal | None = None
    money_krw: Decimal | None = None
    validity: Validity = Validity.DAY
    origin: Origin = Origin.STRATEGY
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An order as the journal has it. ``booked`` is what each sleeve got so far."""

    order: Order
    origin: Origin
    reason: str
    parts: Mapping[str, Decimal]
    booked: Mapping[str, Decimal] = field(default_factory=dict)
    cancel_wanted: bool = False
    misses: int = 0
    epoch: int = 0
    version: int = 1
    created_at: datetime


class Journal:
    """The orders and the book of one account. ``new_id`` names orders: 32 letters and digits, never twice."""

    def __init__(
        self,
        database: Database,
        owner_id: str,
        account_id: str,
        *,
        fence: Fence = UNFENCED,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._database = database
        self._owner = owner_id
        self.account_id = account_id
        self._fence = fence
        self._new_id = new_id

    def intend(self, drafts: Sequence[Draft], now: datetime) -> tuple[Kept, ...]:
        """Write orders that are to be sent, all or none.

        Raises
        ------
        InputError
            One is no order (see `OrderTicket`).
        """
        with self._database.write() as session:
            epoch = _locked_epoch(session, self._scopes(), now)[0]
            # A microsecond apart, as they are read and sent in the order of these moments: sales pay for purchases.
            moments = (now + timedelta(microseconds=place) for place in range(len(drafts)))
            kept = tuple(self._new(draft, epoch, at) for draft, at in zip(drafts, moments, strict=True))
            for one in kept:
                self._insert(session, one, now)
        return kept

    def adopt(self, row: BrokerOrder, parts: Mapping[str, Decimal], now: datetime) -> Kept:
        """Write down an order that was placed in the broker's own app, so that its fills are booked like any other.

        Raises
        ------
        JournalConflict
            This process lost its lock.
        """
        order_id = self._new_id()
        ticket = OrderTicket(
            client_order_id=f"hand-{order_id}",
            symbol=row.symbol,
            side=row.side,
            kind=row.kind,
            quantity=row.quantity,
            limit_price_krw=row.limit_price_krw if row.kind is PriceKind.LIMIT else None,
            money_krw=None if row.quantity is not None else max(row.filled_krw, Decimal(1)),
        )
        order = Order(
            order_id=order_id,
            account_id=self.account_id,
            ticket=ticket,
            state=OrderState.OPEN,
            ref=row.ref,
            sent_at=now,
        )
        kept = Kept(order=order, origin=Origin.BY_HAND, reason="", parts=parts, created_at=now)
        with self._database.write() as session:
            self._check_lock(session, order_id)
            self._insert(session, kept, now)
        return kept

    def orders(self, *days: date) -> tuple[Kept, ...]:
        """What must be followed: every order that is not over, and all of these days that the broker named or that may
        turn up there still (also over midnight)."""
        found = {"account": self.account_id, "days": days, "since": _midnight(min(days)) - timedelta(days=1)}
        with self._database.read() as session:
            rows = session.execute(_FOLLOWED, found).all()
            parts: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
            for part in session.execute(_PARTS, {"orders": [row.id for row in rows]}) if rows else ():
                parts.setdefault(part.order_id, {})[part.sleeve_id] = (part.quantity, part.booked_quantity)
        return tuple(_kept(row, parts.get(row.id, {})) for row in rows)

    def entries(self) -> tuple[Entry, ...]:
        """Every entry of the book, oldest first."""
        statement = select(BookEntryRow).where(BookEntryRow.account_id == self.account_id).order_by(BookEntryRow.id)
        with self._database.read() as session:
            return tuple(
                Entry(
                    kind=EntryKind(row.kind),
                    sleeve_id=row.sleeve_id,
                    symbol=row.symbol,
                    quantity=row.quantity,
                    cash_krw=row.cash_krw,
                    amount_krw=row.amount_krw,
                    costs_krw=row.costs_krw,
                    order_id=row.order_id,
                    fill_number=row.fill_number,
                )
                for row in session.scalars(statement)
            )

    def begin(self, kept: Kept, known_numbers: Iterable[str], now: datetime) -> Kept | None:
        """Mark an order SENDING, in the transaction that asks whether it may still be sent. None when it may not: this
        process lost its lock, or a kill switch was thrown since the order was decided.

        Raises
        ------
        JournalConflict
            Somebody else changed the order.
        OrderStateError
            It was sent before.
        """
        state = next_state(kept.order.state, OrderEvent.SENDING, kept.order.order_id)
        order = replace(kept.order, state=state, sent_at=now, known_numbers=frozenset(known_numbers))
        with self._database.write() as session:
            epoch, thrown = _locked_epoch(session, self._scopes(), now)
            if thrown or epoch != kept.epoch or not self._fence(session):
                return None
            return self._save(session, kept, replace(kept, order=order), (OrderEvent.SENDING,), now=now)

    def record(
        self,
        before: Kept,
        after: Kept,
        events: Sequence[OrderEvent],
        *,
        entries: Sequence[Entry] = (),
        details: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> Kept:
        """Keep what happened to an order together with what it did to the book, in one transaction.

        Raises
        ------
        JournalConflict
            Somebody else changed the order, or booked the fill, or there are entries and this process lost its lock;
            nothing is kept.
        """
        with self._database.write() as session:
            if entries:
                self._check_lock(session, before.order.order_id)
            saved = self._save(session, before, after, events, details=details, now=now)
            self._book(session, entries, now)
            return saved

    def book(self, entries: Sequence[Entry], now: datetime) -> None:
        """Add entries that belong to no order.

        Raises
        ------
        JournalConflict
            This process lost its lock.
        """
        with self._database.write() as session:
            self._check_lock(session, "")
            self._book(session, entries, now)

    def want_cancel(self, order_id: str) -> bool:
        """Ask for an order to be cancelled; False when it is over. One that was not sent is withdrawn in its turn."""
        with self._database.write() as session:
            changed = session.execute(
                update(_ORDERS)
                .where(_ORDERS.c.id == order_id, _ORDERS.c.account_id == self.account_id, _ORDERS.c.state.in_(_LIVE))
                .values(cancel_wanted=True, version=_ORDERS.c.version + 1)
                .returning(_ORDERS.c.id)
            )
            return changed.first() is not None

    def switch(self) -> tuple[int, bool]:
        """The epoch of the kill switches over this account, and whether one is thrown."""
        with self._database.read() as session:
            return _epoch(session, self._scopes())

    def _check_lock(self, session: Session, order_id: str) -> None:
        """Another process may follow this account by now, whose book knows nothing of what is written here."""
        if not self._fence(session):
            raise JournalConflict(order_id)

    def _scopes(self) -> tuple[str, str]:
        return EVERYTHING, f"account:{self.account_id}"

    def _new(self, draft: Draft, epoch: int, now: datetime) -> Kept:
        order_id = self._new_id()
        ticket = OrderTicket(
            client_order_id=f"sl-{order_id}",
            symbol=draft.symbol,
            side=draft.side,
            kind=draft.kind,
            quantity=draft.quantity,
            limit_price_krw=draft.limit_price_krw,
            money_krw=draft.money_krw,
            validity=draft.validity,
        )
        return Kept(
            order=Order(order_id=order_id, account_id=self.account_id, ticket=ticket),
            origin=draft.origin,
            reason=draft.reason,
            parts=dict(draft.parts),
            epoch=epoch,
            created_at=now,
        )

    def _insert(self, session: Session, kept: Kept, now: datetime) -> None:
        order, ticket = kept.order, kept.order.ticket
        session.execute(
            insert(_ORDERS).values(
                id=order.order_id,
                owner_id=self._owner,
                account_id=self.account_id,
                client_order_id=ticket.client_order_id,
                origin=kept.origin.value,
                reason=kept.reason,
                symbol=ticket.symbol,
                side=ticket.side.value,
                kind=ticket.kind.value,
                validity=ticket.validity.value,
                quantity=ticket.quantity,
                limit_price_krw=ticket.limit_price_krw,
                money_krw=ticket.money_krw,
                epoch=kept.epoch,
                created_at=kept.created_at,
                version=kept.version,
                **_changing(kept, now),
            )
        )
        session.execute(
            insert(_ORDER_PARTS),
            [
                {"order_id": order.order_id, "sleeve_id": name, "owner_id": self._owner, "quantity": quantity}
                for name, quantity in sorted(kept.parts.items())
            ],
        )

    def _save(
        self,
        session: Session,
        before: Kept,
        after: Kept,
        events: Sequence[OrderEvent],
        *,
        details: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> Kept:
        order_id, saved = before.order.order_id, replace(after, version=before.version + 1)
        changed = session.execute(
            update(_ORDERS)
            .where(_ORDERS.c.id == order_id, _ORDERS.c.version == before.version)
            .values(**_changing(saved, now), version=saved.version)
            .returning(_ORDERS.c.id)
        )
        if changed.first() is None:
            raise JournalConflict(order_id)
        state = before.order.state
        for event in events:
            following = next_state(state, event, order_id)
            session.execute(
                insert(_EVENTS).values(
                    owner_id=self._owner,
                    order_id=order_id,
                    event=event.value,
                    state_before=state.value,
                    state_after=following.value,
                    details=dict(details) if details else None,
                    at=now,
                )
            )
            state = following
        for name in sorted(after.booked):
            if after.booked[name] != before.booked.get(name, ZERO):
                session.execute(
                    update(_ORDER_PARTS)
                    .where(_ORDER_PARTS.c.order_id == order_id, _ORDER_PARTS.c.sleeve_id == name)
                    .values(booked_quantity=after.booked[name])
                )
        return saved

    def _book(self, session: Session, entries: Sequence[Entry], now: datetime) -> None:
        if not entries:
            return
        booked = {(one.order_id, one.fill_number) for one in entries if one.order_id is not None}
        for order_id, number in booked:
            there = select(func.count()).where(BookEntryRow.order_id == order_id, BookEntryRow.fill_number == number)
            if session.scalar(there):
                raise JournalConflict(str(order_id))
        session.execute(
            insert(_ENTRIES),
            [
                {
                    "owner_id": self._owner,
                    "account_id": self.account_id,
                    "sleeve_id": one.sleeve_id,
                    "kind": one.kind.value,
                    "symbol": one.symbol,
                    "quantity": one.quantity,
                    "cash_krw": one.cash_krw,
                    "amount_krw": one.amount_krw,
                    "costs_krw": one.costs_krw,
                    "order_id": one.order_id,
                    "fill_number": one.fill_number,
                    "at": now,
                }
                for one in entries
            ],
        )


def _epoch(session: Session, scopes: Sequence[str], *, locked: bool = False) -> tuple[int, bool]:
    """The sum of the epochs of these kill switches, and whether one is thrown."""
    rows = session.execute(_SWITCHES_LOCKED if locked else _SWITCHES, {"scopes": scopes}).all()
    return sum(row.epoch for row in rows), any(row.thrown for row in rows)


def _locked_epoch(session: Session, scopes: Sequence[str], now: datetime) -> tuple[int, bool]:
    """As `_epoch`, under a lock: who throws a switch waits until an order is marked, or it is not marked any more. A
    switch that was never thrown is a row too, so that there is something to lock."""
    there = set(session.scalars(select(KillSwitchRow.scope).where(KillSwitchRow.scope.in_(scopes))))
    for scope in scopes:
        if scope not in there:
            insert_if_absent(session, KillSwitchRow, scope=scope, epoch=0, thrown=False, reason="", changed_at=now)
    return _epoch(session, scopes, locked=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=KST)


def _changing(kept: Kept, now: datetime) -> dict[str, Any]:
    """The columns that an order's life changes."""
    order = kept.order
    return {
        "state": order.state.value,
        "cancel_wanted": kept.cancel_wanted,
        "broker_day": None if order.ref is None else order.ref.day,
        "broker_number": None if order.ref is None else order.ref.number,
        "broker_branch": "" if order.ref is None else order.ref.branch,
        "sent_at": order.sent_at,
        "known_numbers": sorted(order.known_numbers),
        "misses": kept.misses,
        "booked_quantity": order.booked_quantity,
        "booked_krw": order.booked_krw,
        "booked_costs_krw": order.booked_costs_krw,
        "fills": order.fills,
        "updated_at": now,
    }


def _kept(row: Row[Any], parts: Mapping[str, tuple[Decimal, Decimal]]) -> Kept:
    ref = None
    if row.broker_day is not None and row.broker_number is not None:
        ref = OrderRef(row.broker_day, row.broker_number, row.broker_branch)
    ticket = OrderTicket(
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=Side(row.side),
        kind=PriceKind(row.kind),
        quantity=row.quantity,
        limit_price_krw=row.limit_price_krw,
        money_krw=row.money_krw,
        validity=Validity(row.validity),
    )
    order = Order(
        order_id=row.id,
        account_id=row.account_id,
        ticket=ticket,
        state=OrderState(row.state),
        ref=ref,
        sent_at=row.sent_at,
        known_numbers=frozenset(row.known_numbers or ()),
        booked_quantity=row.booked_quantity,
        booked_krw=row.booked_krw,
        booked_costs_krw=row.booked_costs_krw,
        fills=row.fills,
    )
    return Kept(
        order=order,
        origin=Origin(row.origin),
        reason=row.reason,
        parts={name: quantity for name, (quantity, _) in parts.items()},
        booked={name: booked for name, (_, booked) in parts.items()},
        cancel_wanted=row.cancel_wanted,
        misses=row.misses,
        epoch=row.epoch,
        version=row.version,
        created_at=row.created_at,
    )
