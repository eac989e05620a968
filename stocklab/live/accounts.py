"""Accounts at brokers: linked with sealed keys, shown masked, opened by the background process alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from stocklab.brokers.values import BrokerName
from stocklab.db import BrokerAccountRow, Database, OrderRow, TraderRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.live.credentials import masked, read_keys, sealed_text
from stocklab.live.limits_document import limits_from, limits_to_document
from stocklab.operations.audit import AuditLog
from stocklab.operations.sealing import Sealer
from stocklab.trading.order_states import OrderState
from stocklab.trading.risk_gate import RiskLimits

__all__ = ["AccountKind", "BrokerAccounts", "LinkedAccount", "NotLinked", "view_of_account"]

_LONGEST_NAME: Final = 80
_MOST_ACCOUNTS: Final = 20
_LIVE: Final = tuple(state.value for state in OrderState if not state.final)
_AT_WORK: Final = ("starting", "active", "paused", "stopping")


class NotLinked(InputError):
    """There is no such account, or it is somebody else's."""


class AccountKind(StrEnum):
    """Whose money it is: none, the broker's play money, one's own."""

    PAPER = "paper"
    MOCK = "mock"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """An account as it is now. ``masked`` is what may be shown of its number or key."""

    id: str
    owner_id: str
    broker: BrokerName
    mock: bool
    name: str
    masked: str
    active: bool
    linked: bool
    stopped_reason: str
    limits: RiskLimits
    keys_changed_at: datetime | None
    created_at: datetime

    @property
    def kind(self) -> AccountKind:
        """Whose money it is."""
        if self.broker is BrokerName.PAPER:
            return AccountKind.PAPER
        return AccountKind.MOCK if self.mock else AccountKind.LIVE

    @property
    def coins(self) -> bool:
        """Whether coins are traded there."""
        return self.broker is BrokerName.UPBIT or (self.broker is BrokerName.PAPER and self.masked == "UPBIT")


class BrokerAccounts:
    """Links, shows and unlinks the accounts of owners."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._audit = AuditLog(database)

    def link(
        self,
        owner_id: str,
        broker: BrokerName,
        *,
        mock: bool,
        name: str,
        entered: Mapping[str, str],
        opened: Callable[[Session, str], None] | None = None,
    ) -> LinkedAccount:
        """Keep an account with its keys. It is tried by the background process, which then says how it is.

        ``opened`` does what else belongs to it in the same transaction (the cash of a paper account).

        Raises
        ------
        InputError
            Something entered cannot be right, there is no mock trading there, or there are too many accounts.
        """
        if broker is BrokerName.UPBIT and mock:
            raise InputError("Upbit has no mock trading. Hint: use a paper account first.")
        name = _name(name)
        text = sealed_text(broker, entered)
        now = utc_now()
        row = BrokerAccountRow(
            id=secrets.token_hex(8),
            owner_id=owner_id,
            broker=broker.value,
            mock=mock or broker is BrokerName.PAPER,
            name=name,
            masked=masked(broker, entered),
            sealed=self._sealer.seal(text),
            keys_changed_at=now,
            active=True,
            stopped_reason="",
            created_at=now,
            updated_at=now,
        )
        with self._database.write(owner_id) as session:
            mine = select(func.count()).select_from(BrokerAccountRow).where(BrokerAccountRow.sealed.is_not(None))
            if (session.scalar(mine) or 0) >= _MOST_ACCOUNTS:
                raise InputError(f"{_MOST_ACCOUNTS} accounts are linked already. Hint: unlink one.")
            session.add(row)
            session.flush()
            if opened is not None:
                opened(session, row.id)
            self._note(session, owner_id, "broker_account.linked", row)
            return view_of_account(row)

    def all(self, owner_id: str) -> tuple[LinkedAccount, ...]:
        """Every account of an owner, oldest first; unlinked ones too, for what was traded there."""
        with self._database.read(owner_id) as session:
            rows = session.scalars(select(BrokerAccountRow).order_by(BrokerAccountRow.created_at, BrokerAccountRow.id))
            return tuple(view_of_account(row) for row in rows)

    def get(self, owner_id: str, account_id: str) -> LinkedAccount:
        """One account. Raises NotLinked."""
        with self._database.read(owner_id) as session:
            return view_of_account(_mine(session, account_id))

    def rename(self, owner_id: str, account_id: str, name: str) -> LinkedAccount:
        """Give it another name. Raises NotLinked, InputError."""
        name = _name(name)
        with self._database.write(owner_id) as session:
            row = _mine(session, account_id)
            row.name, row.updated_at = name, utc_now()
            return view_of_account(row)

    def change_keys(self, owner_id: str, account_id: str, entered: Mapping[str, str]) -> LinkedAccount:
        """Other keys of the same account, which end an older stop for wrong ones. Raises NotLinked, InputError."""
        with self._database.write(owner_id) as session:
            row = _mine(session, account_id)
            broker = BrokerName(row.broker)
            row.sealed = self._sealer.seal(sealed_text(broker, entered))
            row.masked, row.active = masked(broker, entered), True
            row.updated_at = row.keys_changed_at = utc_now()
            self._note(session, owner_id, "broker_account.keys_changed", row)
            return view_of_account(row)

    def set_active(self, owner_id: str, account_id: str, *, active: bool) -> LinkedAccount:
        """Let the background process open it, or not: then nothing is read or sent there. Opening it says that a person
        has looked, which ends a stop. Raises NotLinked."""
        with self._database.write(owner_id) as session:
            row = _mine(session, account_id)
            if row.sealed is None:
                raise InputError("This account is unlinked. Hint: link it anew.")
            row.active, row.updated_at = active, utc_now()
            if active:
                row.stopped_reason = ""
            self._note(session, owner_id, "broker_account.switched", row)
            return view_of_account(row)

    def set_limits(self, owner_id: str, account_id: str, limits: RiskLimits) -> LinkedAccount:
        """What the account allows from now on. Raises NotLinked."""
        with self._database.write(owner_id) as session:
            row = _mine(session, account_id)
            row.limits, row.updated_at = limits_to_document(limits), utc_now()
            self._note(session, owner_id, "broker_account.limits", row)
            return view_of_account(row)

    def unlink(self, owner_id: str, account_id: str) -> None:
        """Forget its keys; what was traded stays.

        Raises
        ------
        InputError
            A strategy is at work there, or an order is not over.
        NotLinked
        """
        with self._database.write(owner_id) as session:
            row = _mine(session, account_id)
            open_orders = select(func.count()).where(OrderRow.account_id == account_id, OrderRow.state.in_(_LIVE))
            at_work = select(func.count()).where(TraderRow.account_id == account_id, TraderRow.state.in_(_AT_WORK))
            if session.scalar(open_orders) or session.scalar(at_work):
                raise InputError(
                    "Expected no open order and no strategy at work in this account. Hint: stop them first."
                )
            row.sealed, row.active, row.updated_at = None, False, utc_now()
            self._note(session, owner_id, "broker_account.unlinked", row)

    # --- for the background process ----------------------------------------------------------------------------------

    def to_open(self) -> tuple[LinkedAccount, ...]:
        """Accounts of everybody that are to be open."""
        wanted = select(BrokerAccountRow).where(BrokerAccountRow.active, BrokerAccountRow.sealed.is_not(None))
        with self._database.read() as session:
            return tuple(view_of_account(row) for row in session.scalars(wanted.order_by(BrokerAccountRow.id)))

    def keys(self, account_id: str) -> Mapping[str, str]:
        """The keys of an account.

        Raises
        ------
        NotLinked
            It was unlinked.
        SettingsError
            It was sealed under a secret that is gone.
        """
        with self._database.read() as session:
            row = session.get(BrokerAccountRow, account_id)
            if row is None or row.sealed is None:
                raise NotLinked("This account is not linked.")
            return read_keys(self._sealer.open(row.sealed))

    def stop(self, account_id: str, reason: str) -> None:
        """Keep why orders stopped until a person looks; empty: they go on."""
        with self._database.write() as session:
            row = session.get(BrokerAccountRow, account_id)
            if row is not None and row.stopped_reason != reason:
                row.stopped_reason = reason

    def _note(self, session: Session, owner_id: str, action: str, row: BrokerAccountRow) -> None:
        details = {"broker": row.broker, "mock": row.mock, "active": row.active}
        self._audit.write(action, actor_id=owner_id, subject=row.id, details=details, session=session)


def _mine(session: Session, account_id: str) -> BrokerAccountRow:
    row = session.scalar(select(BrokerAccountRow).where(BrokerAccountRow.id == account_id))
    if row is None:
        raise NotLinked("There is no such account.")
    return row


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InputError(f"name: expected 1 to {_LONGEST_NAME} printable characters.")
    return name


def view_of_account(row: BrokerAccountRow) -> LinkedAccount:
    """An account of its row."""
    return LinkedAccount(
        id=row.id,
        owner_id=row.owner_id,
        broker=BrokerName(row.broker),
        mock=row.mock,
        name=row.name,
        masked=row.masked,
        active=row.active,
        linked=row.sealed is not None,
        stopped_reason=row.stopped_reason,
        limits=limits_from(row.limits),
        keys_changed_at=row.keys_changed_at,
        created_at=row.created_at,
    )
