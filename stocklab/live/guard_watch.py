"""The guards of one account as the background process has them: what is watched, and the one order each of them sends.

That a guard fired and the order it sends are one transaction: neither is ever there without the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from stocklab.data.sources.calls import KST
from stocklab.db import BookEntryRow, Database, GuardRow, OrderRow
from stocklab.live.guards import AT_WORK, OF_HOLDING, GuardState, guard_of
from stocklab.trading.book import OUTSIDE, Entry, EntryKind
from stocklab.trading.guarding import NEVER_THERE, Guard, plan_key
from stocklab.trading.journal import Draft, Journal, Kept
from stocklab.trading.order_states import OrderState
from stocklab.trading.ratios import ActionState, Rescaled

__all__ = ["GuardWatch"]

ZERO: Final = Decimal(0)
_REVIVED_AFTER: Final = timedelta(seconds=60)
_MOST_A_DAY: Final = 5
_LOOK_BACK: Final = timedelta(days=10)


class _Changed(Exception):
    """Somebody paused, removed or fired the guard meanwhile."""


class GuardWatch:
    """Guards of the account that a journal belongs to."""

    def __init__(self, database: Database, owner_id: str, journal: Journal) -> None:
        self._database = database
        self._owner = owner_id
        self._journal = journal

    def due(self) -> tuple[Guard, ...]:
        """What is watched now, oldest first."""
        with self._database.read() as session:
            wanted = self._rows().where(GuardRow.state == GuardState.ACTIVE.value)
            return tuple(guard_of(row) for row in session.scalars(wanted))

    def of_holdings(self) -> tuple[Guard, ...]:
        """All that ends with its holding, paused and removed ones too: what `let_go` is for."""
        with self._database.read() as session:
            return tuple(guard_of(row) for row in session.scalars(self._rows().where(GuardRow.state.in_(OF_HOLDING))))

    def symbols(self) -> frozenset[str]:
        """Symbols whose prices are needed."""
        return frozenset(guard.symbol for guard in self.due())

    def keep_highs(self, highs: Mapping[str, Decimal], now: datetime) -> None:
        """Keep the highest prices that trailing stops have seen, by guard; none falls."""
        if not highs:
            return
        with self._database.write() as session:
            for row in session.scalars(self._rows().where(GuardRow.id.in_(highs)).with_for_update()):
                if row.high_krw is None or row.high_krw < highs[row.id]:
                    row.high_krw, row.updated_at = highs[row.id], now

    def fire(self, guard: Guard, draft: Draft, now: datetime) -> Kept | None:
        """Write the order of a guard and that it fired, at once. None, and nothing is written, when it is not watched
        any more, or a kill switch is thrown: it goes on watching then.

        ``draft`` is that of `stocklab.trading.guarding.exit_draft`.
        """
        if self._journal.switch(draft.parts)[1]:
            return None

        def mark(session: Session, kept: tuple[Kept, ...]) -> None:
            if not kept:
                raise _Changed
            changed = session.execute(
                update(GuardRow)
                .where(GuardRow.id == guard.guard_id, GuardRow.state == GuardState.ACTIVE.value)
                .values(state=GuardState.FIRED.value, order_id=kept[0].order.order_id, fired_at=now, updated_at=now)
                .returning(GuardRow.id)
            )
            if changed.first() is None:
                raise _Changed

        try:
            return self._journal.intend([draft], now, alongside=mark)[0]
        except _Changed:
            return None

    def sent(self, now: datetime) -> Mapping[str, tuple[Kept, ...]]:
        """Orders of guards that fired in the last days, by guard, oldest first: for `send_again`."""
        fired = self._rows().where(GuardRow.state == GuardState.FIRED.value, GuardRow.fired_at >= now - _LOOK_BACK)
        with self._database.read() as session:
            ids = [row.id for row in session.scalars(fired)]
        return {guard_id: self._journal.of_plan(plan_key(guard_id)) for guard_id in ids}

    def exiting(self, sleeve_id: str, symbol: str, now: datetime) -> bool:
        """Whether a guard fired over a holding and its exit has not sold all that it was to sell: until then nothing
        new is watched over the rest by itself."""
        fired = self._rows().where(
            GuardRow.state == GuardState.FIRED.value,
            GuardRow.sleeve_id == sleeve_id,
            GuardRow.symbol == symbol,
            GuardRow.fired_at >= now - _LOOK_BACK,
        )
        with self._database.read() as session:
            ids = [row.id for row in session.scalars(fired)]
        plans = [self._journal.of_plan(plan_key(guard_id)) for guard_id in ids]
        return any(orders and orders[-1].order.state is not OrderState.FILLED for orders in plans)

    def send_again(self, draft: Draft, now: datetime) -> Kept | None:
        """Write what `stocklab.trading.guarding.send_again` gave, once; None when it is written already, or a kill
        switch is thrown."""
        if self._journal.switch(draft.parts)[1]:
            return None
        return next(iter(self._journal.intend([draft], now)), None)

    def revive(self, now: datetime) -> tuple[Guard, ...]:
        """Watch again, as new guards, where an order never stood at the broker (refused, rejected, withdrawn by a kill
        switch), unless a person gave it up: a minute later, and a few times a day."""
        unsent = select(GuardRow.id).join(OrderRow, OrderRow.id == GuardRow.order_id)
        unsent = unsent.where(
            GuardRow.account_id == self._journal.account_id,
            GuardRow.state == GuardState.FIRED.value,
            GuardRow.fired_at >= now - _LOOK_BACK,
            GuardRow.fired_at <= now - _REVIVED_AFTER,
            OrderRow.state.in_([state.value for state in NEVER_THERE]),
            OrderRow.cancel_wanted.is_(False),
        )
        with self._database.read() as session:
            ids = session.scalars(unsent.order_by(GuardRow.created_at, GuardRow.id)).all()
        found = []
        for guard_id in ids:
            orders = self._journal.of_plan(plan_key(guard_id))
            if any(one.order.state not in NEVER_THERE or one.cancel_wanted for one in orders):
                continue  # it was sent again, and that is not over or a person gave it up
            if self._journal.switch(orders[-1].parts)[1]:
                continue
            with self._database.write() as session:
                row = session.scalar(self._rows().where(GuardRow.id == guard_id).with_for_update())
                if row is not None and row.state == GuardState.FIRED.value and self._seldom(session, row, now):
                    found.append(self._again(session, row, now))
        return tuple(found)

    def let_go(self, guard_ids: Collection[str], now: datetime) -> None:
        """End guards over what is not held any more, so that none of them fires over a later purchase or holds back its
        own."""
        with self._database.write() as session:
            session.execute(
                update(GuardRow)
                .where(
                    GuardRow.account_id == self._journal.account_id,
                    GuardRow.id.in_(guard_ids),
                    GuardRow.state.in_(OF_HOLDING),
                )
                .values(state=GuardState.OVER.value, updated_at=now)
            )

    def apply(self, event: Rescaled, session_day: date, now: datetime) -> tuple[Entry, ...]:
        """Book what a corporate action does to sleeves and guards, once for each symbol and session; the entries that
        were booked, none when it was done before.

        An entry of nothing marks an event that changes no shares.
        """
        if event.state is not ActionState.RESCALED:
            return ()
        mark = Entry(kind=EntryKind.SHARE_RATIO, sleeve_id=OUTSIDE, symbol=event.symbol)
        entries = event.entries or (mark,)
        midnight = datetime.combine(session_day, time(0), tzinfo=KST)

        def once(session: Session) -> None:
            there = select(func.count()).where(
                BookEntryRow.account_id == self._journal.account_id,
                BookEntryRow.kind == EntryKind.SHARE_RATIO.value,
                BookEntryRow.symbol == event.symbol,
                BookEntryRow.at >= midnight,
            )
            if session.scalar(there):
                raise _Changed
            levels = {guard.guard_id: guard for guard in event.guards}
            for row in session.scalars(self._rows().where(GuardRow.id.in_(levels), GuardRow.state.in_(AT_WORK))):
                guard = levels[row.id]
                row.level_krw, row.high_krw, row.updated_at = guard.level_krw, guard.high_krw, now
            session.flush()

        try:
            self._journal.book(entries, now, alongside=once)
        except _Changed:
            return ()
        return event.entries

    def over(self, symbol: str) -> tuple[Guard, ...]:
        """Guards over a symbol that have not fired, paused ones too: what `rescale` changes."""
        with self._database.read() as session:
            wanted = self._rows().where(GuardRow.symbol == symbol, GuardRow.state.in_(AT_WORK))
            return tuple(guard_of(row) for row in session.scalars(wanted))

    def _rows(self) -> Select[GuardRow]:
        mine = select(GuardRow).where(GuardRow.account_id == self._journal.account_id)
        return mine.order_by(GuardRow.created_at, GuardRow.id)

    def _seldom(self, session: Session, row: GuardRow, now: datetime) -> bool:
        """Whether the like has not fired too often today."""
        midnight = datetime.combine(now.astimezone(KST).date(), time(0), tzinfo=KST)
        alike = select(func.count()).where(
            GuardRow.account_id == row.account_id,
            GuardRow.sleeve_id == row.sleeve_id,
            GuardRow.symbol == row.symbol,
            GuardRow.kind == row.kind,
            GuardRow.fired_at >= midnight,
        )
        return (session.scalar(alike) or 0) <= _MOST_A_DAY

    def _again(self, session: Session, row: GuardRow, now: datetime) -> Guard:
        fresh = GuardRow(
            id=uuid.uuid4().hex,
            owner_id=row.owner_id,
            account_id=row.account_id,
            sleeve_id=row.sleeve_id,
            symbol=row.symbol,
            kind=row.kind,
            source=row.source,
            level_krw=row.level_krw,
            fraction=row.fraction,
            high_krw=row.high_krw,
            state=GuardState.ACTIVE.value,
            created_at=now,
            updated_at=now,
        )
        row.state, row.updated_at = GuardState.OVER.value, now
        session.add(fresh)
        session.flush()
        return guard_of(fresh)
