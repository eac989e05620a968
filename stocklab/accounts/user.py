"""What an account is, as its owner and admins see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from stocklab.db import UserRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault

__all__ = ["Role", "Standing", "User", "require_admin", "standing", "user_of"]


class Role(StrEnum):
    """What an account may do beyond its own rows."""

    MEMBER = "member"
    ADMIN = "admin"


class Standing(StrEnum):
    """Whether an account is let in."""

    GOOD = "good"
    OFF = "off"
    BANNED = "banned"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account, without its secrets."""

    id: str
    email: str
    nickname: str
    phone: str | None
    role: Role
    plan: str
    language: str | None
    is_active: bool
    banned_until: datetime | None
    has_password: bool
    has_second_factor: bool
    created_at: datetime
    last_seen_at: datetime | None

    def standing(self, now: datetime) -> Standing:
        """Whether it is let in now."""
        return standing(self.is_active, self.banned_until, now)


def standing(is_active: bool, banned_until: datetime | None, now: datetime) -> Standing:
    """Whether an account is let in: switched off comes before banned for a time."""
    if not is_active:
        return Standing.OFF
    return Standing.BANNED if banned_until is not None and now < banned_until else Standing.GOOD


def user_of(row: UserRow) -> User:
    """The account of a row."""
    return User(
        id=row.id,
        email=row.email,
        nickname=row.nickname,
        phone=row.phone,
        role=Role(row.role),
        plan=row.plan,
        language=row.language,
        is_active=row.is_active,
        banned_until=row.banned_until,
        has_password=row.password_hash is not None,
        has_second_factor=row.totp_enabled_at is not None,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
    )


def require_admin(session: Session, user_id: str) -> None:
    """Let only admins go on.

    Raises
    ------
    AccountFault
        The account is no admin's, or not let in.
    """
    row = session.get(UserRow, user_id)
    good = row is not None and standing(row.is_active, row.banned_until, utc_now()) is Standing.GOOD
    if row is None or row.role != Role.ADMIN or not good:
        raise AccountFault("not_admin", "Only admins may do this.")
