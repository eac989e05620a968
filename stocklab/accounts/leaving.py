"""Deleting an account: what goes, and what stays because others depend on it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.sessions import Sessions
from stocklab.accounts.user import Role
from stocklab.accounts.users import Users
from stocklab.db import (
    Base,
    CommentRow,
    Database,
    JobRow,
    JobState,
    OwnerRow,
    PostRow,
    Private,
    PublicationRow,
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

    def leave(self, user_id: str, password: str, *, withdraw: bool) -> None:
        """Delete the account and everything of it that only its owner saw.

        What was public stays under the name "left user", or with ``withdraw`` is taken back: published strategies are
        withdrawn, posts and comments deleted, so that only their places in threads and family trees remain. The audit
        log keeps the account's id, without its name.

        Raises
        ------
        AccountFault
            The password is wrong, or it is the only admin while there are other accounts.
        """
        self._users.confirm_password(user_id, password)
        with self._database.write() as session:
            row = session.get(UserRow, user_id)
            if row is None:
                raise AccountFault("unknown_account", "There is no such account.")
            _refuse_last_admin(session, row)
            now = utc_now()
            session.execute(
                update(JobRow)
                .where(JobRow.owner_id == user_id, JobRow.state.in_([s.value for s in JobState if s.live]))
                .values(cancel_requested=True)
            )
            if withdraw:
                _take_back(session, user_id, now)
            _remove_private(session, user_id, keep_sealed=not withdraw)
            session.execute(delete(UserRow).where(UserRow.id == user_id))
            owner = session.get_one(OwnerRow, user_id)
            owner.name, owner.left_at = LEFT_NAME, now
            session.flush()
            self._record(
                "account.left", actor_id=user_id, subject=user_id, details={"withdraw": withdraw}, session=session
            )
        self._sessions.forget()


def _refuse_last_admin(session: Session, row: UserRow) -> None:
    if row.role != Role.ADMIN:
        return
    admins = select(func.count()).where(UserRow.role == Role.ADMIN, UserRow.is_active, UserRow.id != row.id)
    others = select(func.count()).where(UserRow.id != row.id)
    if not session.scalar(admins) and session.scalar(others):
        raise AccountFault("last_admin", "The only admin cannot leave. Hint: make somebody else an admin first.")


def _take_back(session: Session, user_id: str, now: datetime) -> None:
    for table, moment in (
        (PublicationRow, PublicationRow.withdrawn_at),
        (PostRow, PostRow.deleted_at),
        (CommentRow, CommentRow.deleted_at),
    ):
        session.execute(update(table).where(table.owner_id == user_id, moment.is_(None)).values({moment.key: now}))
    session.execute(update(CommentRow).where(CommentRow.owner_id == user_id).values(body=""))
    session.execute(update(PostRow).where(PostRow.owner_id == user_id).values(title="", body=""))


def _remove_private(session: Session, user_id: str, *, keep_sealed: bool) -> None:
    """Every table of rows that only their owner sees, found by what the tables say they are."""
    tables = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, Private)]
    for table in sorted(tables, key=lambda one: one.__name__):
        if not (keep_sealed and table is SealedRulesRow):  # hidden rules of what stays published
            session.execute(delete(table).where(table.owner_id == user_id))
