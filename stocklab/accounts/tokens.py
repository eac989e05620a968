"""Keys for programs: made once, shown once, kept as hashes; each may do what its scopes say until it ends."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select, update

from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.sessions import token_hash
from stocklab.accounts.user import Standing, User, user_of
from stocklab.db import ApiTokenRow, Database, UserRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault

__all__ = ["Scope", "TokenHolder", "TokenLine", "Tokens"]

_PREFIX: Final = "slk_"
_MOST: Final = 20
_LONGEST_DAYS: Final = 366
_USED_EVERY: Final = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may do."""

    ACCOUNT_READ = "account:read"
    RUNS_READ = "runs:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """A token in its owner's list; the token itself is not kept."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHolder:
    """Whose token it is, and what it may do."""

    user: User
    scopes: frozenset[Scope]


class Tokens:
    """The tokens of each owner."""

    def __init__(self, database: Database, record: Record = record_nothing) -> None:
        self._database = database
        self._record = record

    def create(self, owner_id: str, name: str, scopes: Sequence[Scope], *, days: int) -> tuple[TokenLine, str]:
        """A new token, good for so many days; the text is returned once.

        Raises
        ------
        AccountFault
            There is no name or scope, the time is not 1 to 366 days, or there are 20 tokens already.
        """
        shown = " ".join(name.split())
        if not 1 <= len(shown) <= 80 or not shown.isprintable():
            raise AccountFault("token_name", "A token needs a name of 1 to 80 characters.", field="name")
        if not scopes:
            raise AccountFault("token_scope", "A token needs something it may do.", field="scopes")
        if not 1 <= days <= _LONGEST_DAYS:
            raise AccountFault("token_days", f"A token is good for 1 to {_LONGEST_DAYS} days.", field="days")
        token = _PREFIX + secrets.token_urlsafe(32)
        now = utc_now()
        row = ApiTokenRow(
            id=uuid.uuid4().hex,
            owner_id=owner_id,
            name=shown,
            token_hash=token_hash(token),
            scopes=sorted({scope.value for scope in scopes}),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        with self._database.write(owner_id) as session:
            live = select(func.count()).select_from(ApiTokenRow).where(ApiTokenRow.revoked_at.is_(None))
            if (session.scalar(live) or 0) >= _MOST:
                raise AccountFault("too_many_tokens", f"There are {_MOST} tokens. Hint: revoke one first.")
            session.add(row)
            session.flush()
            self._record("token.created", actor_id=owner_id, subject=row.id, session=session)
            return _line(row), token

    def list(self, owner_id: str) -> tuple[TokenLine, ...]:
        """The owner's tokens that were not revoked, newest first."""
        statement = select(ApiTokenRow).where(ApiTokenRow.revoked_at.is_(None))
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(ApiTokenRow.created_at.desc(), ApiTokenRow.id).limit(_MOST))
            return tuple(_line(row) for row in rows)

    def revoke(self, owner_id: str, token_id: str) -> None:
        """End a token now.

        Raises
        ------
        AccountFault
            The owner has no such token.
        """
        with self._database.write(owner_id) as session:
            row = session.scalar(select(ApiTokenRow).where(ApiTokenRow.id == token_id))
            if row is None or row.revoked_at is not None:
                raise AccountFault("unknown_token", "There is no such token.")
            row.revoked_at = utc_now()
            session.flush()
            self._record("token.revoked", actor_id=owner_id, subject=token_id, session=session)

    def holder(self, token: str, now: datetime | None = None) -> TokenHolder | None:
        """Who a token stands for; None when it is unknown, revoked, too old, or its account is not let in."""
        moment = utc_now() if now is None else now
        statement = (
            select(ApiTokenRow, UserRow)
            .join(UserRow, UserRow.id == ApiTokenRow.owner_id)
            .where(ApiTokenRow.token_hash == token_hash(token), ApiTokenRow.revoked_at.is_(None))
        )
        with self._database.read() as session:
            found = session.execute(statement).first()
        if found is None:
            return None
        row, user_row = found
        user = user_of(user_row)
        if (row.expires_at is not None and row.expires_at <= moment) or user.standing(moment) is not Standing.GOOD:
            return None
        if row.last_used_at is None or moment - row.last_used_at >= _USED_EVERY:
            with self._database.write() as session:
                session.execute(update(ApiTokenRow).where(ApiTokenRow.id == row.id).values(last_used_at=moment))
        return TokenHolder(user=user, scopes=_scopes(row.scopes))


def _scopes(names: Sequence[str]) -> frozenset[Scope]:
    return frozenset(Scope(name) for name in names if name in list(Scope))


def _line(row: ApiTokenRow) -> TokenLine:
    return TokenLine(
        id=row.id,
        name=row.name,
        scopes=tuple(sorted(_scopes(row.scopes))),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
