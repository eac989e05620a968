"""Strategies at work: created, started, paused and stopped by their owners, carried out by the background process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from stocklab.brokers.values import BrokerName
from stocklab.db import BrokerAccountRow, Database, TraderRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.live.accounts import view_of_account
from stocklab.live.permission import Permission, require_permission
from stocklab.live.trader_settings import TraderSettings
from stocklab.operations.audit import AuditLog
from stocklab.strategy import parse_document
from stocklab.strategy.document import Strategy

__all__ = [
    "AT_WORK",
    "Gate",
    "NewTrader",
    "NoTrader",
    "NotReady",
    "StopWay",
    "Trader",
    "TraderState",
    "Traders",
    "ungated",
    "view_of_trader",
]

_LONGEST_NAME: Final = 120
_LEAST_CAPITAL: Final = 100_000
_MOST_CAPITAL: Final = 1_000_000_000_000


class NoTrader(InputError):
    """There is no such strategy at work, or it is somebody else's."""


class NotReady(InputError):
    """The way to this kind of account is not gone yet. ``lacks`` are stable words for what is missing."""

    def __init__(self, lacks: Sequence[str]) -> None:
        self.lacks = tuple(lacks)
        super().__init__(f"Not ready for this account: {', '.join(lacks)}. Hint: see what the gate asks for.")


Gate = Callable[[Session, TraderRow, BrokerAccountRow], Sequence[str]]
"""What is missing before a trader may begin on its account; see `stocklab.live.promotion`."""


def ungated(_session: Session, _row: TraderRow, account: BrokerAccountRow) -> Sequence[str]:
    """For those who only read and record: on paper anybody begins, elsewhere nobody."""
    return () if account.broker == BrokerName.PAPER.value else ("gate",)


class TraderState(StrEnum):
    """DRAFT: created. STARTING: its capital is to be set aside. ACTIVE: it decides and trades. PAUSED: it decides
    nothing; its stops are watched. STOPPING: no entries, until it holds nothing. STOPPED: over."""

    DRAFT = "draft"
    STARTING = "starting"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"


AT_WORK: Final = (TraderState.STARTING, TraderState.ACTIVE, TraderState.PAUSED, TraderState.STOPPING)
"""States in which it has a part of its account."""


class StopWay(StrEnum):
    """KEEP: over at once, its holdings stay in the account, nobody's. NO_ENTRIES: its rules still sell. LIQUIDATE:
    everything is sold as soon as it can be."""

    KEEP = "keep"
    NO_ENTRIES = "no_entries"
    LIQUIDATE = "liquidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrader:
    """What is to be created. ``run_id`` is the backtest it comes from."""

    account_id: str
    name: str
    document: Mapping[str, Any]
    capital_krw: int
    settings: TraderSettings
    strategy_id: str | None = None
    strategy_version: int | None = None
    run_id: str | None = None
    origin_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A strategy at work as it is now. Its id names its sleeve; ``book`` and ``book_session`` as in its row."""

    id: str
    owner_id: str
    account_id: str
    name: str
    strategy: Strategy
    settings: TraderSettings
    capital_krw: Decimal
    state: TraderState
    stop_way: StopWay | None
    reason: str
    strategy_id: str | None
    strategy_version: int | None
    run_id: str | None
    origin_id: str | None
    book: Mapping[str, Any] | None
    book_session: date | None
    version: int
    created_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None

    @property
    def at_work(self) -> bool:
        """Whether it has a part of its account."""
        return self.state in AT_WORK


class Traders:
    """What owners do with their strategies at work, and what the background process reads and keeps of them."""

    def __init__(self, database: Database, gate: Gate = ungated) -> None:
        self._database = database
        self._gate = gate
        self._audit = AuditLog(database)

    def create(self, owner_id: str, new: NewTrader) -> Trader:
        """Keep a draft. Raises InputError where something cannot be right."""
        name = " ".join(new.name.split())
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise InputError(f"name: expected 1 to {_LONGEST_NAME} characters.")
        if not _LEAST_CAPITAL <= new.capital_krw <= _MOST_CAPITAL:
            raise InputError(
                f"Capital: expected {_LEAST_CAPITAL:,} to {_MOST_CAPITAL:,} won, found {new.capital_krw:,}."
            )
        strategy = parse_document(new.document)
        now = utc_now()
        with self._database.write(owner_id) as session:
            account = _account(session, new.account_id)
            _require_market(strategy, account)
            row = TraderRow(
                id=secrets.token_hex(8),
                owner_id=owner_id,
                account_id=account.id,
                strategy_id=new.strategy_id,
                strategy_version=new.strategy_version,
                run_id=new.run_id,
                origin_id=new.origin_id,
                name=name,
                document=dict(new.document),
                settings=new.settings.document(),
                capital_krw=Decimal(new.capital_krw),
                state=TraderState.DRAFT.value,
                stop_way="",
                reason="",
                version=1,
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            session.flush()
            return view_of_trader(row)

    def all(self, owner_id: str) -> tuple[Trader, ...]:
        """Every one of an owner, newest first."""
        with self._database.read(owner_id) as session:
            rows = session.scalars(select(TraderRow).order_by(TraderRow.created_at.desc(), TraderRow.id))
            return tuple(view_of_trader(row) for row in rows)

    def get(self, owner_id: str, trader_id: str) -> Trader:
        """One. Raises NoTrader."""
        with self._database.read(owner_id) as session:
            return view_of_trader(_mine(session, trader_id))

    def start(
        self,
        owner_id: str,
        trader_id: str,
        *,
        permission: Permission | None = None,
        most: int | None = None,
        now: datetime | None = None,
    ) -> Trader:
        """Let it begin. ``most`` is how many may be at work on live accounts at once (the owner's plan).

        Raises
        ------
        InputError
            It is no draft, the account is not open, or it is a live one and there is no permission of now.
        NoTrader
        """
        moment = utc_now() if now is None else now
        with self._database.write(owner_id) as session:
            row = _mine(session, trader_id)
            account = _account(session, row.account_id)
            if row.state != TraderState.DRAFT.value:
                raise InputError(f"Expected a draft, found one that is {row.state}.")
            if account.sealed is None or not account.active:
                raise InputError("Its account is not open. Hint: open it first.")
            if not account.mock and account.broker != BrokerName.PAPER.value:
                require_permission(view_of_account(account), permission, moment)
                self._require_slot(session, most)
            lacks = self._gate(session, row, account)
            if lacks:
                raise NotReady(lacks)
            row.state, row.started_at = TraderState.STARTING.value, moment
            self._changed(session, owner_id, "trader.started", row)
            return view_of_trader(row)

    def pause(self, owner_id: str, trader_id: str) -> Trader:
        """Decide nothing more for now; orders that were not sent are withdrawn at their time. Raises NoTrader."""
        return self._move(owner_id, trader_id, (TraderState.ACTIVE,), TraderState.PAUSED, "trader.paused")

    def resume(self, owner_id: str, trader_id: str) -> Trader:
        """Go on. Raises NoTrader."""
        return self._move(owner_id, trader_id, (TraderState.PAUSED,), TraderState.ACTIVE, "trader.resumed")

    def stop(self, owner_id: str, trader_id: str, way: StopWay) -> Trader:
        """Stop in one of three ways; the background process carries it out. Raises NoTrader, InputError."""
        with self._database.write(owner_id) as session:
            row = _mine(session, trader_id)
            if TraderState(row.state) not in AT_WORK:
                raise InputError(f"Expected one at work, found one that is {row.state}.")
            row.state, row.stop_way = TraderState.STOPPING.value, way.value
            self._changed(session, owner_id, "trader.stopped", row)
            return view_of_trader(row)

    def change_settings(self, owner_id: str, trader_id: str, settings: TraderSettings) -> Trader:
        """How its orders are sent from the next decision on. Raises NoTrader."""
        with self._database.write(owner_id) as session:
            row = _mine(session, trader_id)
            row.settings = settings.document()
            self._changed(session, owner_id, "trader.settings", row)
            return view_of_trader(row)

    def delete_draft(self, owner_id: str, trader_id: str) -> None:
        """Forget one that never began. Raises NoTrader, InputError."""
        with self._database.write(owner_id) as session:
            row = _mine(session, trader_id)
            if row.state != TraderState.DRAFT.value:
                raise InputError("What has traded stays in the books. Hint: stop it.")
            session.execute(delete(TraderRow).where(TraderRow.id == trader_id))

    # --- for the background process ----------------------------------------------------------------------------------

    def of_account(self, account_id: str, states: Sequence[TraderState] = AT_WORK) -> tuple[Trader, ...]:
        """Those of an account, oldest first."""
        wanted = select(TraderRow).where(
            TraderRow.account_id == account_id, TraderRow.state.in_([state.value for state in states])
        )
        with self._database.read() as session:
            return tuple(
                view_of_trader(row) for row in session.scalars(wanted.order_by(TraderRow.created_at, TraderRow.id))
            )

    def came_to(self, trader: Trader, state: TraderState, *, reason: str = "") -> bool:
        """Keep what the background process brought about; False where the owner did something else meanwhile."""
        with self._database.write() as session:
            row = session.scalar(select(TraderRow).where(TraderRow.id == trader.id).with_for_update())
            if row is None or row.version != trader.version:
                return False
            row.state, row.reason, row.updated_at = state.value, reason, utc_now()
            if state is TraderState.STOPPED:
                row.stopped_at = row.updated_at
            row.version += 1
            return True

    def note(self, trader: Trader, reason: str) -> None:
        """Why it does not get on, for its page."""
        if trader.reason != reason:
            with self._database.write() as session:
                row = session.get(TraderRow, trader.id)
                if row is not None:
                    row.reason = reason

    def _move(
        self, owner_id: str, trader_id: str, before: Sequence[TraderState], after: TraderState, action: str
    ) -> Trader:
        with self._database.write(owner_id) as session:
            row = _mine(session, trader_id)
            if TraderState(row.state) not in before:
                raise InputError(f"Expected one that is {' or '.join(before)}, found one that is {row.state}.")
            row.state = after.value
            self._changed(session, owner_id, action, row)
            return view_of_trader(row)

    def _require_slot(self, session: Session, most: int | None) -> None:
        if most is None:
            return
        live = (
            select(func.count())
            .select_from(TraderRow)
            .join(BrokerAccountRow, BrokerAccountRow.id == TraderRow.account_id)
            .where(TraderRow.state.in_([state.value for state in AT_WORK]), BrokerAccountRow.mock.is_(False))
        )
        if (session.scalar(live) or 0) >= most:
            raise InputError(f"Your plan lets {most} strategies trade real money at once. Hint: stop one.")

    def _changed(self, session: Session, owner_id: str, action: str, row: TraderRow) -> None:
        row.updated_at = utc_now()
        row.version += 1
        session.flush()
        details = {"account": row.account_id, "state": row.state, "way": row.stop_way, "capital": str(row.capital_krw)}
        self._audit.write(action, actor_id=owner_id, subject=row.id, details=details, session=session)


def _mine(session: Session, trader_id: str) -> TraderRow:
    row = session.scalar(select(TraderRow).where(TraderRow.id == trader_id).with_for_update())
    if row is None:
        raise NoTrader("There is no such strategy at work.")
    return row


def _account(session: Session, account_id: str) -> BrokerAccountRow:
    row = session.scalar(select(BrokerAccountRow).where(BrokerAccountRow.id == account_id))
    if row is None:
        raise InputError("There is no such account.")
    return row


def _require_market(strategy: Strategy, account: BrokerAccountRow) -> None:
    """A strategy of coins trades where coins are traded, one of stocks anywhere else."""
    if view_of_account(account).coins != strategy.universe.of_coins:
        raise InputError("This strategy trades what its account does not. Hint: choose an account of its market.")


def view_of_trader(row: TraderRow) -> Trader:
    """A strategy at work of its row."""
    return Trader(
        id=row.id,
        owner_id=row.owner_id,
        account_id=row.account_id,
        name=row.name,
        strategy=parse_document(row.document),
        settings=TraderSettings.of(row.settings),
        capital_krw=row.capital_krw,
        state=TraderState(row.state),
        stop_way=StopWay(row.stop_way) if row.stop_way else None,
        reason=row.reason,
        strategy_id=row.strategy_id,
        strategy_version=row.strategy_version,
        run_id=row.run_id,
        origin_id=row.origin_id,
        book=row.book,
        book_session=row.book_session,
        version=row.version,
        created_at=row.created_at,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
    )
