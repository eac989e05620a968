"""Decisions: what a strategy at work decided for a session, whether a person agrees, and what was sent of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from stocklab.backtest.decide import Decision
from stocklab.backtest.sleeve_book import SleeveBook
from stocklab.db import Database, DecisionRow, TraderRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.live.traders import Trader
from stocklab.operations.audit import AuditLog

__all__ = ["Approval", "Decided", "Decisions", "book_of"]


class Approval(StrEnum):
    """Whether a person has to say yes, and did. LAPSED: nobody answered in time."""

    NOT_NEEDED = "not_needed"
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    LAPSED = "lapsed"

    @property
    def lets(self) -> bool:
        """Whether its orders may be sent."""
        return self in (Approval.NOT_NEEDED, Approval.APPROVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision as it is now.

    ``decision`` is None where nothing could be decided, and ``why`` says why not. ``placed`` names the plan in the
    journal under which each of its orders was written, by the order's number.
    """

    id: str
    owner_id: str
    trader_id: str
    account_id: str
    session: date
    data_session: date | None
    snapshot: str
    decision: Decision | None
    why: str
    placed: Mapping[int, str]
    approval: Approval
    answered_at: datetime | None
    made_at: datetime


class Decisions:
    """Keeps decisions, one for each trader and session."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = AuditLog(database)

    def keep(
        self, trader: Trader, session_day: date, decision: Decision, *, snapshot: str, now: datetime
    ) -> Decided | None:
        """Keep a decision together with the book it leaves; None where there is one already, or the owner changed the
        trader meanwhile."""
        approval = Approval.WAITING if trader.settings.approval and _has_orders(decision) else Approval.NOT_NEEDED
        with self._database.write() as session:
            if not _is_new(session, trader, session_day):
                return None
            changed = session.execute(
                update(TraderRow)
                .where(TraderRow.id == trader.id, TraderRow.version == trader.version)
                .values(book=decision.book.to_document(), book_session=decision.session, reason="")
                .returning(TraderRow.id)
            )
            if changed.first() is None:
                return None
            row = _row(trader, session_day, approval, now)
            row.data_session, row.snapshot = decision.session, snapshot
            row.document = {"decision": decision.to_document(), "why": "", "placed": {}}
            session.add(row)
            session.flush()
            return _view(row)

    def keep_none(self, trader: Trader, session_day: date, why: str, now: datetime) -> None:
        """Keep that nothing could be decided for a session, and why."""
        with self._database.write() as session:
            if _is_new(session, trader, session_day):
                row = _row(trader, session_day, Approval.NOT_NEEDED, now)
                row.document = {"decision": None, "why": why, "placed": {}}
                session.add(row)

    def of_day(self, account_id: str, session_day: date) -> tuple[Decided, ...]:
        """All of an account for a session, oldest first."""
        wanted = select(DecisionRow).where(DecisionRow.account_id == account_id, DecisionRow.session == session_day)
        with self._database.read() as session:
            rows = session.scalars(wanted.order_by(DecisionRow.made_at, DecisionRow.id))
            return tuple(_view(row) for row in rows)

    def newest(self, trader_id: str, *, before: date | None = None) -> Decided | None:
        """The newest of a trader that decided something, None where it never did."""
        wanted = select(DecisionRow).where(DecisionRow.trader_id == trader_id, DecisionRow.data_session.is_not(None))
        if before is not None:
            wanted = wanted.where(DecisionRow.session < before)
        with self._database.read() as session:
            row = session.scalar(wanted.order_by(DecisionRow.session.desc()).limit(1))
            return None if row is None else _view(row)

    def slices(self, decision_id: str) -> tuple[Mapping[str, Any], ...]:
        """Plans of orders of a decision that go out in slices."""
        with self._database.read() as session:
            document = session.scalar(select(DecisionRow.document).where(DecisionRow.id == decision_id))
            return () if document is None else tuple(document.get("slices", ()))

    def lapse(self, decided: Decided, now: datetime) -> None:
        """Nobody answered in time."""
        self._answer_where(decided.id, Approval.LAPSED, now)

    @staticmethod
    def placed(session: Session, decision_id: str, keys: Mapping[int, str], now: datetime) -> None:
        """Note, in the transaction that writes them, under which plans orders of a decision went into the journal."""
        row = session.scalar(select(DecisionRow).where(DecisionRow.id == decision_id).with_for_update())
        if row is None:
            raise InputError("There is no such decision.")
        there = {**row.document.get("placed", {}), **{str(number): key for number, key in keys.items()}}
        row.document = {**row.document, "placed": there}
        row.placed_at = row.placed_at or now

    # --- for owners --------------------------------------------------------------------------------------------------

    def page(self, owner_id: str, *, trader_id: str | None = None, after: str | None = None) -> Page[Decided]:
        """Twenty decisions of an owner, newest session first."""
        conditions = beyond(after, DecisionRow.session, DecisionRow.id, date.fromisoformat)
        wanted = select(DecisionRow).where(DecisionRow.owner_id == owner_id, *conditions)
        if trader_id is not None:
            wanted = wanted.where(DecisionRow.trader_id == trader_id)
        wanted = wanted.order_by(DecisionRow.session.desc(), DecisionRow.id.desc())
        with self._database.read(owner_id) as session:
            rows = session.scalars(wanted.limit(PAGE_SIZE + 1)).all()
            return page_of(rows, _view, lambda row: (row.session.isoformat(), row.id))

    def answer(self, owner_id: str, decision_id: str, *, approved: bool) -> Decided:
        """Say yes or no to a decision that waits. Raises InputError where it does not wait any more."""
        with self._database.write(owner_id) as session:
            row = session.scalar(select(DecisionRow).where(DecisionRow.id == decision_id).with_for_update())
            if row is None or row.approval != Approval.WAITING.value:
                raise InputError("This decision does not wait for an answer any more.")
            row.approval = (Approval.APPROVED if approved else Approval.DECLINED).value
            row.answered_at = utc_now()
            self._audit.write("decision.answered", actor_id=owner_id, subject=row.id, session=session)
            return _view(row)

    def _answer_where(self, decision_id: str, approval: Approval, now: datetime) -> None:
        with self._database.write() as session:
            session.execute(
                update(DecisionRow)
                .where(DecisionRow.id == decision_id, DecisionRow.approval == Approval.WAITING.value)
                .values(approval=approval.value, answered_at=now)
            )


def _has_orders(decision: Decision) -> bool:
    return bool(decision.orders or decision.kept)


def _is_new(session: Session, trader: Trader, session_day: date) -> bool:
    there = select(DecisionRow.id).where(DecisionRow.trader_id == trader.id, DecisionRow.session == session_day)
    return session.scalar(there) is None


def _row(trader: Trader, session_day: date, approval: Approval, now: datetime) -> DecisionRow:
    return DecisionRow(
        id=secrets.token_hex(8),
        owner_id=trader.owner_id,
        trader_id=trader.id,
        account_id=trader.account_id,
        session=session_day,
        snapshot="",
        approval=approval.value,
        made_at=now,
    )


def _view(row: DecisionRow) -> Decided:
    document = row.document.get("decision")
    return Decided(
        id=row.id,
        owner_id=row.owner_id,
        trader_id=row.trader_id,
        account_id=row.account_id,
        session=row.session,
        data_session=row.data_session,
        snapshot=row.snapshot,
        decision=None if document is None else Decision.from_document(document),
        why=row.document.get("why", ""),
        placed={int(number): key for number, key in row.document.get("placed", {}).items()},
        approval=Approval(row.approval),
        answered_at=row.answered_at,
        made_at=row.made_at,
    )


def book_of(trader: Trader) -> SleeveBook | None:
    """What a trader carries; None before its first decision."""
    return None if trader.book is None else SleeveBook.from_document(trader.book)
