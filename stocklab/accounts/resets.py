"""One-time links to set a new password: made by an admin, by the command line, or by mail for who asks."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update

from stocklab.accounts.passwords import check_policy, hash_password
from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.sessions import token_hash
from stocklab.accounts.user import User, user_of
from stocklab.accounts.users import set_password
from stocklab.db import Database, PasswordResetRow, UserRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault

__all__ = ["Resets"]

_BY_ADMIN: Final = timedelta(hours=24)
_BY_MAIL: Final = timedelta(hours=1)


class Resets:
    """Makes and takes reset tokens; only their hashes are kept, and a newer one ends those before."""

    def __init__(self, database: Database, record: Record = record_nothing) -> None:
        self._database = database
        self._record = record

    def begin(self, user_id: str, *, by: str | None, now: datetime | None = None) -> str:
        """A token for the link: for a day when an admin (or the command line, None) makes it, an hour by mail.

        Raises
        ------
        AccountFault
            There is no such account.
        """
        moment = utc_now() if now is None else now
        token = secrets.token_urlsafe(32)
        with self._database.write() as session:
            if session.get(UserRow, user_id) is None:
                raise AccountFault("unknown_account", "There is no such account.")
            session.execute(delete(PasswordResetRow).where(PasswordResetRow.user_id == user_id))
            session.add(
                PasswordResetRow(
                    token_hash=token_hash(token),
                    user_id=user_id,
                    created_at=moment,
                    expires_at=moment + (_BY_MAIL if by == user_id else _BY_ADMIN),
                )
            )
            self._record("password.reset_begun", actor_id=by, subject=user_id, session=session)
        return token

    def whose(self, token: str, now: datetime | None = None) -> User:
        """The account a token is for.

        Raises
        ------
        AccountFault
            The token is unknown, used or too old.
        """
        moment = utc_now() if now is None else now
        statement = (
            select(UserRow)
            .join(PasswordResetRow, PasswordResetRow.user_id == UserRow.id)
            .where(
                PasswordResetRow.token_hash == token_hash(token),
                PasswordResetRow.used_at.is_(None),
                PasswordResetRow.expires_at > moment,
            )
        )
        with self._database.read() as session:
            row = session.scalar(statement)
        if row is None:
            raise _spent()
        return user_of(row)

    def take(self, token: str, password: str, now: datetime | None = None) -> User:
        """Set a new password, once; every session of the account ends. A second factor stays.

        Raises
        ------
        AccountFault
            The token is unknown, used or too old, or the password not good enough (the token stays good then).
        """
        moment = utc_now() if now is None else now
        user = self.whose(token, moment)
        check_policy(password, email=user.email, nickname=user.nickname)
        hashed = hash_password(password)
        with self._database.write() as session:
            taken = session.execute(
                update(PasswordResetRow)
                .where(PasswordResetRow.token_hash == token_hash(token), PasswordResetRow.used_at.is_(None))
                .where(PasswordResetRow.expires_at > moment)
                .values(used_at=moment)
                .returning(PasswordResetRow.user_id)
            ).first()
            if taken is None:
                raise _spent()
            row = session.get_one(UserRow, user.id)
            set_password(session, row, hashed)
            self._record("password.reset", actor_id=user.id, subject=user.id, session=session)
        return user


def _spent() -> AccountFault:
    return AccountFault("reset_over", "This link was used or is too old. Hint: ask for a new one.")
