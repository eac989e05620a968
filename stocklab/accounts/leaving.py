"""Deleting an account: what goes, and what stays because others depend on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.sessions import Sessions
from stocklab.accounts.user import Role
from stocklab.accounts.users import Users
from stocklab.db import (
    Base,
    Database,
    JobRow,
    JobState,
    OwnerRow,
    Private,
    SealedRulesRow,
    UserRow,
)
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault

__all__ = ["LEFT_NAME", "Leaving"]

LEFT_NAME: Final = "left user"
"""The name of the owner row that stays: it no longer tells who it was."""


class Leaving:
    """Removes accounts, at their owners' wish."""

    def __init__(self, database: Database, users: Users, sessions: Sessions, record: Record = record_nothing) -> None:
        self._database = database
        self._users = users
        self._sessions = sessions
        self._record = record

    def leave(self, user_id: str, password: str, *, take_back: Callable[[str], object] | None = None) -> None:
        """Delete the account and everything of it that only its owner saw.

        What was public stays under the name "left user"; ``take_back`` is called with the owner's id to withdraw it
        first, by the services that know what hangs from it (boards, search). It must bear being called again: a kill
        after it leaves the account, which can then leave once more. The audit log keeps the account's id, without its
        name.

        Raises
        ------
        AccountFault
            The password is wrong, or it is the only admin while there are other accounts.
        """
        self._users.confirm_password(user_id, password)
        with self._database.read() as session:
            _require_free(session, user_id)
        if take_back is not None:
            take_back(user_id)
        with self._database.write() as session:
            _require_free(session, user_id)
            now = utc_now()
            session.execute(
                update(JobRow)
                .where(JobRow.owner_id == user_id, JobRow.state.in_([s.value for s in JobState if s.live]))
                .values(cancel_requested=True)
            )
            _remove_private(session, user_id, keep_sealed=take_back is None)
            session.execute(delete(UserRow).where(UserRow.id == user_id))
            owner = session.get_one(OwnerRow, user_id)
            owner.name, owner.left_at = LEFT_NAME, now
            session.flush()
            details = {"withdraw": take_back is not None}
            self._record("account.left", actor_id=user_id, subject=user_id, details=details, session=session)
        self._sessions.forget()


def _require_free(session: Session, user_id: str) -> None:
    """The account exists, and others would still have an admin without it."""
    row = session.get(UserRow, user_id)
    if row is None:
        raise AccountFault("unknown_account", "There is no such account.")
    if row.role != Role.ADMIN:
        return
    admins = select(func.count()).where(UserRow.role == Role.ADMIN, UserRow.is_active, UserRow.id != row.id)
    others = select(func.count()).where(UserRow.id != row.id)
    if not session.scalar(admins) and session.scalar(others):
        raise AccountFault("last_admin", "The only admin cannot leave. Hint: make somebody else an admin first.")


def _remove_private(session: Session, user_id: str, *, keep_sealed: bool) -> None:
    """Every table of rows that only their owner sees, found by what the tables say they are."""
    tables = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Private)]
    for table in sorted(tables, key=lambda one: one.__name__):
        if not (keep_sealed and table is SealedRulesRow):  # hidden rules of what stays published
            session.execute(delete(table).where(table.owner_id == user_id))
