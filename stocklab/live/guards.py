"""Stops, trailing stops and targets of an owner: added, changed, paused, removed, and kept once they fired."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from stocklab.db import BrokerAccountRow, Database, GuardRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.live.accounts import NotLinked
from stocklab.strategy.document import ExitRules
from stocklab.trading.guarding import Guard, GuardKind

__all__ = [
    "AT_WORK",
    "GuardNotFound",
    "GuardSource",
    "GuardState",
    "GuardView",
    "Guards",
    "default_fractions",
    "guard_of",
]

_MOST: Final = 1_000
_COLUMNS: Final = (
    "id",
    "account_id",
    "sleeve_id",
    "symbol",
    "kind",
    "source",
    "level_krw",
    "fraction",
    "high_krw",
    "state",
    "order_id",
    "fired_at",
    "created_at",
    "updated_at",
)


class GuardState(StrEnum):
    """OVER: what it watched is not held any more, or it was given up for another. REMOVED: a person does not want it;
    the row stays as long as the holding, so that the strategy's own exits do not bring it back."""

    ACTIVE = "active"
    PAUSED = "paused"
    FIRED = "fired"
    OVER = "over"
    REMOVED = "removed"


class GuardSource(StrEnum):
    """Whose wish it is: the strategy's own exits, or a person's."""

    STRATEGY = "strategy"
    PERSON = "person"


AT_WORK: Final = (GuardState.ACTIVE.value, GuardState.PAUSED.value)
OF_HOLDING: Final = (*AT_WORK, GuardState.REMOVED.value)
"""States that end with the holding."""


class GuardNotFound(InputError):
    """There is no such guard, it is somebody else's, or it fired already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    """A guard as it is now; ``order_id`` is the order it sent when it fired."""

    id: str
    account_id: str
    sleeve_id: str
    symbol: str
    kind: GuardKind
    source: GuardSource
    level_krw: Decimal | None
    fraction: Decimal | None
    high_krw: Decimal | None
    state: GuardState
    order_id: str | None
    fired_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Guards:
    """What an owner does with guards. None can be changed once it fired."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, owner_id: str, *, account_id: str | None = None, after: str | None = None) -> Page[GuardView]:
        """Guards, the newest first, fired ones too; of one account or of all. Raises InputError for a wrong place."""
        conditions = [GuardRow.owner_id == owner_id, GuardRow.state != GuardState.REMOVED.value]
        if account_id is not None:
            conditions.append(GuardRow.account_id == account_id)
        conditions += beyond(after, GuardRow.created_at, GuardRow.id, datetime.fromisoformat)
        statement = select(*(getattr(GuardRow, name) for name in _COLUMNS)).where(*conditions)
        order = (GuardRow.created_at.desc(), GuardRow.id.desc())
        with self._database.read(owner_id) as session:
            rows = session.execute(statement.order_by(*order).limit(PAGE_SIZE + 1)).mappings().all()
        return page_of(rows, _view, lambda row: (row["created_at"].isoformat(), row["id"]))

    def over(self, owner_id: str, account_id: str, symbol: str) -> tuple[GuardView, ...]:
        """Guards at work over a symbol of an account."""
        wanted = select(GuardRow).where(
            GuardRow.owner_id == owner_id,
            GuardRow.account_id == account_id,
            GuardRow.symbol == symbol,
            GuardRow.state.in_(AT_WORK),
        )
        with self._database.read(owner_id) as session:
            return tuple(_of_row(row) for row in session.scalars(wanted.order_by(GuardRow.created_at, GuardRow.id)))

    def get(self, owner_id: str, guard_id: str) -> GuardView:
        """One guard. Raises GuardNotFound."""
        with self._database.read(owner_id) as session:
            return _of_row(_mine(session, guard_id))

    def add(
        self,
        owner_id: str,
        account_id: str,
        *,
        sleeve_id: str,
        symbol: str,
        kind: GuardKind,
        level_krw: Decimal | None = None,
        fraction: Decimal | None = None,
    ) -> GuardView:
        """Watch what a sleeve holds of a symbol. It begins with the next price of now.

        Raises
        ------
        InputError
            It is no guard (see `stocklab.trading.guarding.Guard`), the like is at work already, or there are too many.
        NotLinked
            There is no such account.
        """
        guard_id = uuid.uuid4().hex
        made = Guard(
            guard_id=guard_id, sleeve_id=sleeve_id, symbol=symbol, kind=kind, level_krw=level_krw, fraction=fraction
        )
        with self._database.write(owner_id) as session:
            _require_account(session, account_id)
            working = select(func.count()).select_from(GuardRow).where(GuardRow.state.in_(AT_WORK))
            if (session.scalar(working) or 0) >= _MOST:
                raise InputError(f"{_MOST:,} guards are at work already. Hint: remove some.")
            if kind in _kinds(session, account_id, sleeve_id, symbol, AT_WORK):
                raise InputError(f"{symbol}: a guard of this kind ({kind}) is at work already. Hint: change that one.")
            return _of_row(_insert(session, owner_id, account_id, made, GuardSource.PERSON))

    def follow_strategy(
        self, owner_id: str, account_id: str, sleeve_id: str, symbol: str, exits: ExitRules
    ) -> tuple[GuardView, ...]:
        """Watch a new holding by the strategy's own exits; a kind that is at work over it already, or that a person
        removed, stays as it is, so that doing it again changes nothing. Not while an exit is under way
        (`stocklab.live.guard_watch.GuardWatch.exiting`).

        Raises
        ------
        NotLinked
            There is no such account.
        """
        with self._database.write(owner_id) as session:
            _require_account(session, account_id)
            there = _kinds(session, account_id, sleeve_id, symbol, OF_HOLDING)
            added = []
            for kind, fraction in default_fractions(exits).items():
                if kind not in there:
                    guard = Guard(
                        guard_id=uuid.uuid4().hex, sleeve_id=sleeve_id, symbol=symbol, kind=kind, fraction=fraction
                    )
                    added.append(_of_row(_insert(session, owner_id, account_id, guard, GuardSource.STRATEGY)))
            return tuple(added)

    def edit(
        self, owner_id: str, guard_id: str, *, level_krw: Decimal | None = None, fraction: Decimal | None = None
    ) -> GuardView:
        """Another level; from then on it is a person's. Raises GuardNotFound, or InputError where it is none."""
        with self._database.write(owner_id) as session:
            row = _mine(session, guard_id, at_work=True)
            Guard(
                guard_id=row.id,
                sleeve_id=row.sleeve_id,
                symbol=row.symbol,
                kind=GuardKind(row.kind),
                level_krw=level_krw,
                fraction=fraction,
            )
            row.level_krw, row.fraction, row.source = level_krw, fraction, GuardSource.PERSON.value
            row.updated_at = utc_now()
            return _of_row(row)

    def pause(self, owner_id: str, guard_id: str) -> GuardView:
        """Watch no more until `resume`. Raises GuardNotFound."""
        return self._switch(owner_id, guard_id, GuardState.PAUSED)

    def resume(self, owner_id: str, guard_id: str) -> GuardView:
        """Watch again; a trailing stop goes on from the high it knew. Raises GuardNotFound."""
        return self._switch(owner_id, guard_id, GuardState.ACTIVE)

    def delete(self, owner_id: str, guard_id: str) -> None:
        """Remove one that did not fire. Raises GuardNotFound."""
        self._switch(owner_id, guard_id, GuardState.REMOVED)

    def _switch(self, owner_id: str, guard_id: str, state: GuardState) -> GuardView:
        with self._database.write(owner_id) as session:
            row = _mine(session, guard_id, at_work=True)
            row.state, row.updated_at = state.value, utc_now()
            return _of_row(row)


def default_fractions(exits: ExitRules) -> dict[GuardKind, Decimal]:
    """Guards by a strategy's exits within the session; those it compares with the close are decided there, and a stop
    that only fires at nothing is none."""
    found = {}
    rules = {GuardKind.STOP: exits.stop, GuardKind.TRAILING: exits.trailing, GuardKind.TARGET: exits.target}
    for kind, rule in rules.items():
        if rule is not None and rule.basis == "intraday" and (rule.level < 1 or kind is GuardKind.TARGET):
            found[kind] = Decimal(repr(rule.level))
    return found


def guard_of(row: GuardRow) -> Guard:
    """What a row watches for."""
    return Guard(
        guard_id=row.id,
        sleeve_id=row.sleeve_id,
        symbol=row.symbol,
        kind=GuardKind(row.kind),
        level_krw=row.level_krw,
        fraction=row.fraction,
        high_krw=row.high_krw,
    )


def _insert(session: Session, owner_id: str, account_id: str, guard: Guard, source: GuardSource) -> GuardRow:
    now = utc_now()
    row = GuardRow(
        id=guard.guard_id,
        owner_id=owner_id,
        account_id=account_id,
        sleeve_id=guard.sleeve_id,
        symbol=guard.symbol,
        kind=guard.kind.value,
        source=source.value,
        level_krw=guard.level_krw,
        fraction=guard.fraction,
        state=GuardState.ACTIVE.value,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _kinds(session: Session, account_id: str, sleeve_id: str, symbol: str, states: tuple[str, ...]) -> set[GuardKind]:
    wanted = select(GuardRow.kind).where(
        GuardRow.account_id == account_id,
        GuardRow.sleeve_id == sleeve_id,
        GuardRow.symbol == symbol,
        GuardRow.state.in_(states),
    )
    return {GuardKind(kind) for kind in session.scalars(wanted)}


def _require_account(session: Session, account_id: str) -> None:
    """Refuse an account of somebody else; who changes its guards takes turns."""
    mine = select(BrokerAccountRow.id).where(BrokerAccountRow.id == account_id).with_for_update(key_share=True)
    if session.scalar(mine) is None:
        raise NotLinked("There is no such account.")


def _mine(session: Session, guard_id: str, *, at_work: bool = False) -> GuardRow:
    wanted = select(GuardRow).where(GuardRow.id == guard_id, GuardRow.state != GuardState.REMOVED.value)
    if at_work:  # under a lock, so that it cannot fire meanwhile
        wanted = wanted.where(GuardRow.state.in_(AT_WORK)).with_for_update()
    row = session.scalar(wanted)
    if row is None:
        raise GuardNotFound("There is no such guard at work." if at_work else "There is no such guard.")
    return row


def _of_row(row: GuardRow) -> GuardView:
    return _view({name: getattr(row, name) for name in _COLUMNS})


def _view(row: Mapping[Any, Any]) -> GuardView:
    known = {name: row[name] for name in _COLUMNS}
    return GuardView(
        **{
            **known,
            "kind": GuardKind(known["kind"]),
            "source": GuardSource(known["source"]),
            "state": GuardState(known["state"]),
        }
    )
