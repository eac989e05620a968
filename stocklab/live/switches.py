"""The emergency stop: over everything, an account, or one strategy. It is a row, so it holds over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.accounts.user import require_admin
from stocklab.db import LOCAL_OWNER_ID, BrokerAccountRow, Database, KillSwitchRow, TraderRow, UserRow, as_system
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.operations.audit import AuditLog
from stocklab.operations.inserting import insert_if_absent
from stocklab.trading.journal import EVERYTHING, account_scope, sleeve_scope

__all__ = ["Switch", "Switches"]

_LONGEST_REASON: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A switch as it is now. ``scope`` is ``all``, ``account:ID`` or ``sleeve:ID``."""

    scope: str
    thrown: bool
    reason: str
    changed_at: datetime


class Switches:
    """Throws and lifts switches. Throwing is one transaction: after it nothing decided before is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = AuditLog(database)

    def stop_mine(self, owner_id: str, reason: str = "") -> int:
        """Throw the switch over every account of an owner; how many there are."""
        with self._database.read(owner_id) as session:
            scopes = [account_scope(one) for one in session.scalars(select(BrokerAccountRow.id))]
        self._change(owner_id, scopes, thrown=True, reason=reason)
        return len(scopes)

    def lift_mine(self, owner_id: str) -> int:
        """Lift the switches over all accounts of an owner; what was decided before stays withdrawn."""
        with self._database.read(owner_id) as session:
            scopes = [account_scope(one) for one in session.scalars(select(BrokerAccountRow.id))]
        self._change(owner_id, scopes, thrown=False, reason="")
        return len(scopes)

    def set_account(self, owner_id: str, account_id: str, *, thrown: bool, reason: str = "") -> None:
        """One account's. Raises InputError where it is not theirs."""
        with self._database.read(owner_id) as session:
            if session.scalar(select(BrokerAccountRow.id).where(BrokerAccountRow.id == account_id)) is None:
                raise InputError("There is no such account.")
        self._change(owner_id, [account_scope(account_id)], thrown=thrown, reason=reason)

    def set_trader(self, owner_id: str, trader_id: str, *, thrown: bool, reason: str = "") -> None:
        """One strategy's. Raises InputError where it is not theirs."""
        with self._database.read(owner_id) as session:
            if session.scalar(select(TraderRow.id).where(TraderRow.id == trader_id)) is None:
                raise InputError("There is no such strategy at work.")
        self._change(owner_id, [sleeve_scope(trader_id)], thrown=thrown, reason=reason)

    def stop_everything(self, admin_id: str, *, thrown: bool, reason: str = "") -> None:
        """The one over all accounts of everybody: for admins, and for the one owner of a home without accounts.

        Raises
        ------
        AccountFault
            The account is no admin's, or not let in.
        """
        with self._database.read() as session:
            if admin_id != LOCAL_OWNER_ID or session.scalar(select(UserRow.id).limit(1)) is not None:
                require_admin(session, admin_id)
        self._change(admin_id, [EVERYTHING], thrown=thrown, reason=reason)

    def of(self, owner_id: str) -> tuple[Switch, ...]:
        """Switches that hold back an owner's orders now: thrown ones over all, their accounts and strategies."""
        with self._database.read(owner_id) as session:
            scopes = [EVERYTHING]
            scopes += [account_scope(one) for one in session.scalars(select(BrokerAccountRow.id))]
            scopes += [sleeve_scope(one) for one in session.scalars(select(TraderRow.id))]
            with as_system(session):
                wanted = select(KillSwitchRow).where(KillSwitchRow.thrown, KillSwitchRow.scope.in_(scopes))
                rows = session.scalars(wanted.order_by(KillSwitchRow.scope)).all()
            return tuple(
                Switch(scope=row.scope, thrown=row.thrown, reason=row.reason, changed_at=row.changed_at) for row in rows
            )

    def _change(self, actor_id: str | None, scopes: Sequence[str], *, thrown: bool, reason: str) -> None:
        reason = " ".join(reason.split())[:_LONGEST_REASON]
        now = utc_now()
        with self._database.write() as session:
            for scope in sorted(scopes):
                if self._flip(session, scope, thrown=thrown, reason=reason, actor_id=actor_id, now=now):
                    action = "kill_switch.thrown" if thrown else "kill_switch.lifted"
                    self._audit.write(
                        action, actor_id=actor_id, subject=scope, details={"reason": reason}, session=session
                    )

    def _flip(
        self, session: Session, scope: str, *, thrown: bool, reason: str, actor_id: str | None, now: datetime
    ) -> bool:
        insert_if_absent(session, KillSwitchRow, scope=scope, epoch=0, thrown=False, reason="", changed_at=now)
        row = session.scalar(select(KillSwitchRow).where(KillSwitchRow.scope == scope).with_for_update())
        if row is None or row.thrown == thrown:
            return False
        if thrown:
            row.epoch += 1
        row.thrown, row.reason, row.changed_by, row.changed_at = thrown, reason, actor_id, now
        return True
