"""Accounts: opening, reading and changing them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, exists, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from stocklab.accounts.names import Name, email_name, folded, nickname_name, phone_name
from stocklab.accounts.passwords import check_policy, hash_password, matches
from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.user import Role, User, user_of
from stocklab.db import LOCAL_OWNER_ID, Database, OwnerRow, UserRow, UserSessionRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault

__all__ = ["NewAccount", "Users"]

_LANGUAGES: Final = ("ko", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a person enters to sign up."""

    email: str
    nickname: str
    password: str
    phone: str = ""
    language: str | None = None


class Users:
    """Accounts and what their owners may change of them."""

    def __init__(self, database: Database, record: Record = record_nothing) -> None:
        self._database = database
        self._record = record

    def sign_up(self, entered: NewAccount, *, role: Role = Role.MEMBER, by: str | None = None) -> User:
        """Open an account. The first of a home is an admin and takes over what the owner ``local`` has.

        A taken nickname is named, as nicknames are public. That an e-mail or phone is taken is said as one and without
        saying which, and after the same work as a success.

        Raises
        ------
        AccountFault
            Something entered is not valid or taken.
        """
        email, nickname, phone = email_name(entered.email), nickname_name(entered.nickname), phone_name(entered.phone)
        check_policy(entered.password, email=email.shown, nickname=nickname.shown)
        hashed = hash_password(entered.password)
        now = utc_now()
        with _taken_names(), self._database.write() as session:
            if self._database.backend == "postgresql":  # SQLite's writers take turns anyway
                session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
            is_first = not session.scalar(select(exists().where(UserRow.id.is_not(None))))
            row = UserRow(
                id=_owner(session, nickname.shown, is_first=is_first, now=now),
                email=email.shown,
                email_key=email.key,
                nickname=nickname.shown,
                nickname_key=nickname.key,
                phone=None if phone is None else phone.shown,
                phone_key=None if phone is None else phone.key,
                password_hash=hashed,
                password_changed_at=now,
                role=Role.ADMIN if is_first else role,
                language=_language(entered.language),
                created_at=now,
            )
            _refuse_taken(session, row.id, email=email, nickname=nickname, phone=phone)
            session.add(row)
            session.flush()
            self._record("account.opened", actor_id=by or row.id, subject=row.id, session=session)
            return user_of(row)

    def get(self, user_id: str) -> User:
        """The account.

        Raises
        ------
        AccountFault
            There is none.
        """
        with self._database.read() as session:
            return user_of(_row(session, user_id))

    def by_email(self, email: str) -> User | None:
        """The account with this e-mail, however it is written."""
        with self._database.read() as session:
            row = session.scalar(select(UserRow).where(UserRow.email_key == folded(email)[:254]))
            return None if row is None else user_of(row)

    def change_profile(
        self, user_id: str, *, email: str, nickname: str, phone: str, language: str | None, password: str = ""
    ) -> User:
        """Change what an account says about its person. The nickname others see changes with it.

        Another e-mail takes the password: reset links go there, so whoever found the page open could keep the account.

        Raises
        ------
        AccountFault
            Something entered is not valid or taken, or the password is missing or wrong.
        """
        address = email_name(email)
        names = {"email": address, "nickname": nickname_name(nickname), "phone": phone_name(phone)}
        before = self.get(user_id)
        if before.has_password and folded(before.email) != address.key:
            self.confirm_password(user_id, password)
        with _taken_names(), self._database.write() as session:
            row = _row(session, user_id)
            _refuse_taken(session, user_id, **names)  # type: ignore[arg-type]
            changed = [
                field for field, name in names.items() if getattr(row, field) != (None if name is None else name.shown)
            ]
            for field, name in names.items():
                setattr(row, field, None if name is None else name.shown)
                setattr(row, f"{field}_key", None if name is None else name.key)
            row.language = _language(language)
            session.get_one(OwnerRow, user_id).name = row.nickname
            session.flush()
            if changed:
                details: dict[str, Any] = {"fields": changed}
                self._record("account.changed", actor_id=user_id, subject=user_id, details=details, session=session)
            return user_of(row)

    def change_password(self, user_id: str, *, old: str, new: str, keep_session: str | None = None) -> None:
        """Set a new password by somebody who knows the old one; every other session of the account ends.

        Raises
        ------
        AccountFault
            The old password is wrong, or the new one is the same or not good enough.
        """
        with self._database.read() as session:
            row = _row(session, user_id)
            stored, email, nickname = row.password_hash, row.email, row.nickname
        if not matches(old, stored):
            raise AccountFault("password_wrong", "The password is not right.", field="old_password")
        if new == old:
            raise AccountFault("password_same", "The new password is the old one.", field="password")
        check_policy(new, email=email, nickname=nickname)
        hashed = hash_password(new)
        with self._database.write() as session:
            row = _row(session, user_id)
            if row.password_hash != stored:  # changed elsewhere in the meantime
                raise AccountFault("password_wrong", "The password is not right.", field="old_password")
            set_password(session, row, hashed, keep_session=keep_session)
            self._record("account.password_changed", actor_id=user_id, subject=user_id, session=session)

    def confirm_password(self, user_id: str, password: str) -> None:
        """Check the password once more, before something that cannot be undone.

        Raises
        ------
        AccountFault
            It is wrong.
        """
        with self._database.read() as session:
            stored = _row(session, user_id).password_hash
        if not matches(password, stored):
            raise AccountFault("password_wrong", "The password is not right.", field="password")

    def all(self) -> Iterator[User]:
        """Every account, oldest first, read a thousand at a time: for the command line."""
        statement = select(UserRow).order_by(UserRow.created_at, UserRow.id).execution_options(yield_per=1000)
        with self._database.read() as session:
            for row in session.scalars(statement):
                yield user_of(row)

    def set_role(self, user_id: str, role: Role) -> User:
        """Give a role, by whoever holds the machine: the way back in when no admin is left.

        Raises
        ------
        AccountFault
            There is no such account.
        """
        with self._database.write() as session:
            row = _row(session, user_id)
            row.role, row.is_active, row.banned_until = role.value, True, None
            self._record("account.role_by_operator", actor_id=None, subject=user_id, session=session)
            return user_of(row)

    def is_empty(self) -> bool:
        """Whether there is no account yet: the next one will be the admin."""
        with self._database.read() as session:
            return not session.scalar(select(exists().where(UserRow.id.is_not(None))))


def set_password(session: Session, row: UserRow, hashed: str, *, keep_session: str | None = None) -> None:
    """Store a new hash and end the account's sessions, but for the one that asked."""
    row.password_hash = hashed
    row.password_changed_at = utc_now()
    ended = delete(UserSessionRow).where(UserSessionRow.user_id == row.id)
    session.execute(ended if keep_session is None else ended.where(UserSessionRow.id != keep_session))


def _row(session: Session, user_id: str) -> UserRow:
    row = session.get(UserRow, user_id)
    if row is None:
        raise AccountFault("unknown_account", "There is no such account.")
    return row


def _owner(session: Session, name: str, *, is_first: bool, now: datetime) -> str:
    """The owner behind a new account: for the first one the home's own, unless that has left."""
    local = session.get(OwnerRow, LOCAL_OWNER_ID) if is_first else None
    if local is not None and local.left_at is None:
        local.name = name
        return local.id
    row = OwnerRow(id=uuid.uuid4().hex, name=name, created_at=now)
    session.add(row)
    session.flush()
    return row.id


def _refuse_taken(session: Session, user_id: str, *, email: Name, nickname: Name, phone: Name | None) -> None:
    others = select(UserRow.id).where(UserRow.id != user_id).limit(1)
    if session.scalar(others.where(UserRow.nickname_key == nickname.key)) is not None:
        raise AccountFault("nickname_taken", "This nickname is taken. Hint: choose another.", field="nickname")
    by_email = session.scalar(others.where(UserRow.email_key == email.key))
    by_phone = None if phone is None else session.scalar(others.where(UserRow.phone_key == phone.key))
    if by_email is not None or by_phone is not None:
        raise _contact_taken()


def _contact_taken() -> AccountFault:
    return AccountFault("contact_taken", "This e-mail or phone cannot be used. Hint: is there an account already?")


class _taken_names:  # noqa: N801 - reads as a statement
    """Two that enter the same at once: the database lets one through, the other hears the same as a moment later."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        """Turn a refusal of the database into the fault."""
        if isinstance(error, IntegrityError):
            if "nickname" in str(error.orig):
                raise AccountFault("nickname_taken", "This nickname is taken.", field="nickname") from error
            raise _contact_taken() from error


def _language(code: str | None) -> str | None:
    return code if code in _LANGUAGES else None
