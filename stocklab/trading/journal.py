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
from stocklab.trading.book import OUTSIDE, Entry, EntryKind
from stocklab.trading.order import Order
from stocklab.trading.order_states import OrderEvent, OrderState, next_state

__all__ = ["EVERYTHING", "Draft", "Journal", "Kept", "Origin", "account_scope", "sleeve_scope"]

EVERYTHING: Final = "all"
"""Scope of the kill switch over every account."""


def account_scope(account_id: str) -> str:
    """Scope of the kill switch over one account."""
    return f"account:{account_id}"


def sleeve_scope(sleeve_id: str) -> str:
    """Scope of the kill switch over one strategy."""
    return f"sleeve:{sleeve_id}"


_PERSON: Final = "a person said so"
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
    one sleeve, with any positive number).

    ``plan_key`` names what it is part of, once in its account: planned again, it is not written again. It goes out from
    ``not_before`` on; past ``not_after`` it is withdrawn. ``policy`` says how it is priced anew
    (`stocklab.trading.pricing`), ``replaces_id`` whose place it takes. ``epoch`` is that of the kill switches when it
    was decided, where that was before it is written: a switch thrown since holds it back.
    """

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
    plan_key: str | None = None
    replaces_id: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    policy: Mapping[str, Any] | None = None
    epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An order as the journal has it. ``booked`` is what each sleeve got so far; the rest is as in `Draft`."""

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
    plan_key: str | None = None
    replaces_id: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    policy: Mapping[str, Any] | None = None

    def waits(self, now: datetime) -> bool:
        """Whether its time has not come."""
        return self.not_before is not None and now < self.not_before

    def too_late(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.not_after is not None and now > self.not_after


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

    def intend(
        self,
        drafts: Sequence[Draft],
        now: datetime,
        *,
        alongside: Callable[[Session, tuple[Kept, ...]], None] | None = None,
    ) -> tuple[Kept, ...]:
        """Write orders that are to be sent, all or none; one that was planned before is not written again.

        ``alongside`` writes what belongs to them in the same transaction; it is given those that are written now. What
        it raises leaves nothing written.

        Returns
        -------
        Those that were written.

        Raises
        ------
        InputError
            One is no order (see `OrderTicket`).
        """
        with self._database.write() as session:
            there = self._planned(session, [draft.plan_key for draft in drafts if draft.plan_key is not None])
            # A microsecond apart, as they are read and sent in the order of these moments: sales pay for purchases.
            kept = tuple(
                self._new(
                    draft,
                    _locked_epoch(session, self._scopes(draft.parts), now)[0],
                    now + timedelta(microseconds=place),
                )
                for place, draft in enumerate(drafts)
                if draft.plan_key not in there
            )
            for one in kept:
                self._insert(session, one, now)
            if alongside is not None:
                alongside(session, kept)
        return kept

    def planned(self, keys: Sequence[str]) -> frozenset[str]:
        """Which of these plans are written."""
        with self._database.read() as session:
            return self._planned(session, keys)

    def _planned(self, session: Session, keys: Sequence[str]) -> frozenset[str]:
        wanted = select(_ORDERS.c.plan_key).where(_ORDERS.c.account_id == self.account_id, _ORDERS.c.plan_key.in_(keys))
        return frozenset(key for key in session.scalars(wanted) if key is not None) if keys else frozenset()

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
            return _with_parts(session, session.execute(_FOLLOWED, found).all())

    def of_plan(self, key: str) -> tuple[Kept, ...]:
        """Every order of a plan, oldest first: the one of that key, its replacements (``KEY#2``), its slices
        (``KEY/1``) and those sent again on another day (``KEY@2026-11-23``)."""
        names = _ORDERS.c.plan_key
        parts = (names.startswith(f"{key}{mark}", autoescape=True) for mark in "#/@")
        wanted = select(_ORDERS).where(_ORDERS.c.account_id == self.account_id, or_(names == key, *parts))
        with self._database.read() as session:
            return _with_parts(session, session.execute(wanted.order_by(_ORDERS.c.created_at, _ORDERS.c.id)).all())

    def entries(self, *, after: datetime | None = None, until: datetime | None = None) -> tuple[Entry, ...]:
        """Entries of the book, oldest first: all, or those of a span of time."""
        statement = select(BookEntryRow).where(BookEntryRow.account_id == self.account_id).order_by(BookEntryRow.id)
        if after is not None:
            statement = statement.where(BookEntryRow.at > after)
        if until is not None:
            statement = statement.where(BookEntryRow.at <= until)
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
            epoch, thrown = _locked_epoch(session, self._scopes(kept.parts), now)
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

    def book(
        self, entries: Sequence[Entry], now: datetime, *, alongside: Callable[[Session], None] | None = None
    ) -> None:
        """Add entries that belong to no order; ``alongside`` writes what belongs to them in the same transaction, and
        what it raises leaves nothing written.

        Raises
        ------
        JournalConflict
            This process lost its lock.
        """
        with self._database.write() as session:
            self._check_lock(session, "")
            if alongside is not None:
                alongside(session)
            self._book(session, entries, now)

    def book_in(self, session: Session, entries: Sequence[Entry], now: datetime) -> None:
        """Add entries that belong to no order, in a transaction of the caller's."""
        self._book(session, entries, now)

    def want_cancel(self, order_id: str, *, to_replace: bool = False) -> bool:
        """Ask for an order to be cancelled; False when it is over. One that was not sent is withdrawn in its turn.

        It loses its policy, so that nothing takes its place, unless it is cancelled ``to_replace`` it. The version of
        its row stays: who follows the order writes other columns, and is not disturbed.
        """
        ends = {} if to_replace else {"policy": None}
        with self._database.write() as session:
            changed = session.execute(
                update(_ORDERS)
                .where(_ORDERS.c.id == order_id, _ORDERS.c.account_id == self.account_id, _ORDERS.c.state.in_(_LIVE))
                .values(cancel_wanted=True, **ends)
                .returning(_ORDERS.c.id)
            )
            return changed.first() is not None

    def settle_ambiguous(self, order_id: str, number: str | None, now: datetime) -> bool:
        """Keep what a person said of an ambiguous order: which of the broker's orders it is, or that it is not there
        (None). A number that a person said may be corrected until the first fill. False when it is neither.

        Raises
        ------
        JournalConflict
            The background process changed the order at this moment.
        """
        for kept in self._one(order_id):
            order, events = kept.order, [OrderEvent.NOT_FOUND if number is None else OrderEvent.FOUND]
            if order.state is OrderState.OPEN and number is not None and not order.fills and self._was_said(order_id):
                events = []
            elif order.state is not OrderState.AMBIGUOUS:
                return False
            day = (order.sent_at or kept.created_at).astimezone(KST).date()
            ref = None if number is None else OrderRef(day, number, self._branch())
            for event in events:
                order = replace(order, state=next_state(order.state, event, order_id))
            self.record(
                kept,
                replace(kept, order=replace(order, ref=ref)),
                events,
                details={"why": _PERSON, "number": number},
                now=now,
            )
            return True
        return False

    def _was_said(self, order_id: str) -> bool:
        """Whether a person, and not the broker's journal, said which order it is."""
        found = select(_EVENTS.c.details).where(
            _EVENTS.c.order_id == order_id, _EVENTS.c.event == OrderEvent.FOUND.value
        )
        with self._database.read() as session:
            return any((details or {}).get("why") == _PERSON for details in session.scalars(found))

    def _branch(self) -> str:
        """The broker's office that this account's orders go through, where it has one (see `OrderRef`)."""
        known = (
            select(_ORDERS.c.broker_branch)
            .where(_ORDERS.c.account_id == self.account_id, _ORDERS.c.broker_branch != "")
            .order_by(_ORDERS.c.created_at.desc())
            .limit(1)
        )
        with self._database.read() as session:
            return session.scalar(known) or ""

    def _one(self, order_id: str) -> tuple[Kept, ...]:
        wanted = select(_ORDERS).where(_ORDERS.c.account_id == self.account_id, _ORDERS.c.id == order_id)
        with self._database.read() as session:
            return _with_parts(session, session.execute(wanted).all())

    def pulse(self, now: datetime) -> tuple[int, ...]:
        """Changes when somebody else wants something: an order to be sent or cancelled, or a switch thrown."""
        due = or_(_ORDERS.c.not_before.is_(None), _ORDERS.c.not_before <= now)
        waiting = select(func.count()).where(
            _ORDERS.c.account_id == self.account_id, _ORDERS.c.state == OrderState.INTENT.value, due
        )
        unwanted = select(func.count()).where(
            _ORDERS.c.account_id == self.account_id, _ORDERS.c.state.in_(_LIVE), _ORDERS.c.cancel_wanted
        )
        switches = select(func.coalesce(func.sum(_KILLS.c.epoch), 0), func.count()).where(_KILLS.c.thrown)
        with self._database.read() as session:
            epochs, thrown = session.execute(switches).one()
            return session.scalar(waiting) or 0, session.scalar(unwanted) or 0, int(epochs), int(thrown)

    def switch(self, parts: Iterable[str] = ()) -> tuple[int, bool]:
        """The epoch of the kill switches over an order of these sleeves, and whether one is thrown."""
        with self._database.read() as session:
            return _epoch(session, self._scopes(parts))

    def _check_lock(self, session: Session, order_id: str) -> None:
        """Another process may follow this account by now, whose book knows nothing of what is written here."""
        if not self._fence(session):
            raise JournalConflict(order_id)

    def _scopes(self, parts: Iterable[str]) -> tuple[str, ...]:
        sleeves = sorted(sleeve_scope(name) for name in parts if name != OUTSIDE)
        return EVERYTHING, account_scope(self.account_id), *sleeves

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
            epoch=epoch if draft.epoch is None else draft.epoch,
            created_at=now,
            plan_key=draft.plan_key,
            replaces_id=draft.replaces_id,
            not_before=draft.not_before,
            not_after=draft.not_after,
            policy=draft.policy,
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
                plan_key=kept.plan_key,
                replaces_id=kept.replaces_id,
                not_before=kept.not_before,
                not_after=kept.not_after,
                policy=None if kept.policy is None else dict(kept.policy),
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


def _with_parts(session: Session, rows: Sequence[Row[Any]]) -> tuple[Kept, ...]:
    """Orders of their rows, with what each sleeve gets and got."""
    parts: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
    for part in session.execute(_PARTS, {"orders": [row.id for row in rows]}) if rows else ():
        parts.setdefault(part.order_id, {})[part.sleeve_id] = (part.quantity, part.booked_quantity)
    return tuple(_kept(row, parts.get(row.id, {})) for row in rows)


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
        plan_key=row.plan_key,
        replaces_id=row.replaces_id,
        not_before=row.not_before,
        not_after=row.not_after,
        policy=row.policy,
    )
