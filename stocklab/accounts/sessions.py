"""Log-ins of browsers, kept on the server: a random token in the browser, its hash here."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.user import Role, Standing, standing
from stocklab.data.sources.calls import KST
from stocklab.db import ActiveDayRow, Database, UserRow, UserSessionRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault
from stocklab.operations.inserting import insert_if_absent, storable

__all__ = ["LIFETIME", "LiveSession", "SessionLine", "Sessions", "token_hash"]

LIFETIME: Final = timedelta(days=7)
_SEEN_EVERY: Final = timedelta(minutes=1)
_KEPT_SECONDS: Final = 3.0
_MOST_KEPT: Final = 5_000
_MOST_SESSIONS: Final = 50
"""Of one account; the oldest ends when there would be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that goes on, and the account behind it."""

    id: str
    user_id: str
    nickname: str
    role: Role
    standing: Standing
    banned_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """A session in its owner's list."""

    id: str
    address: str
    agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class Sessions:
    """Begins, finds and ends sessions. What was found is kept for three seconds; what this process ends, not at all."""

    def __init__(
        self, database: Database, record: Record = record_nothing, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._record = record
        self._clock = clock
        self._lock = threading.Lock()
        self._generation = 0
        self._kept: OrderedDict[tuple[str, str], tuple[float, LiveSession | None]] = OrderedDict()

    def begin(self, user_id: str, *, address: str, agent: str, confirmed: bool, now: datetime | None = None) -> str:
        """Begin a session and return its token, 256 random bits that are kept nowhere else."""
        moment = utc_now() if now is None else now
        token = secrets.token_urlsafe(32)
        row = UserSessionRow(
            id=uuid.uuid4().hex,
            user_id=user_id,
            token_hash=token_hash(token),
            address=storable(address)[:64],
            agent=storable(agent)[:200],
            confirmed_at=moment if confirmed else None,
            created_at=moment,
            last_seen_at=moment,
            expires_at=moment + LIFETIME,
        )
        with self._database.write() as session:
            session.add(row)
            session.flush()
            newest = select(UserSessionRow.id).where(UserSessionRow.user_id == user_id)
            newest = newest.order_by(UserSessionRow.created_at.desc(), UserSessionRow.id).limit(_MOST_SESSIONS)
            session.execute(
                delete(UserSessionRow).where(UserSessionRow.user_id == user_id, UserSessionRow.id.not_in(newest))
            )
            _see(session, row.user_id, moment)
            self._record(
                "session.begun", actor_id=user_id, subject=row.id, details={"address": row.address}, session=session
            )
        return token

    def by_token(self, token: str) -> LiveSession | None:
        """The session of a browser's token; None when it ended, ran out or never was."""
        return self._remembered("token", token_hash(token))

    def by_id(self, session_id: str) -> LiveSession | None:
        """The session of that id, while it goes on."""
        return self._remembered("id", session_id)

    def list(self, user_id: str) -> tuple[SessionLine, ...]:
        """The account's sessions that go on, newest first."""
        statement = select(UserSessionRow).where(
            UserSessionRow.user_id == user_id, UserSessionRow.expires_at > utc_now()
        )
        with self._database.read() as session:
            return tuple(
                SessionLine(
                    id=row.id,
                    address=row.address,
                    agent=row.agent,
                    created_at=row.created_at,
                    last_seen_at=row.last_seen_at,
                    expires_at=row.expires_at,
                )
                for row in session.scalars(
                    statement.order_by(UserSessionRow.created_at.desc(), UserSessionRow.id).limit(_MOST_SESSIONS)
                )
            )

    def end(self, user_id: str, session_id: str) -> None:
        """End one session of the account.

        Raises
        ------
        AccountFault
            The account has no such session.
        """
        with self._database.write() as session:
            gone = session.execute(
                delete(UserSessionRow)
                .where(UserSessionRow.id == session_id, UserSessionRow.user_id == user_id)
                .returning(UserSessionRow.id)
            ).first()
            if gone is None:
                raise AccountFault("unknown_session", "There is no such session.")
            self._record("session.ended", actor_id=user_id, subject=session_id, session=session)
        self.forget()

    def end_all(self, user_id: str, *, but: str | None = None) -> int:
        """End the account's sessions, save one; returns how many."""
        statement = delete(UserSessionRow).where(UserSessionRow.user_id == user_id)
        if but is not None:
            statement = statement.where(UserSessionRow.id != but)
        with self._database.write() as session:
            ended = len(session.execute(statement.returning(UserSessionRow.id)).all())
            self._record("session.all_ended", actor_id=user_id, subject=user_id, session=session)
        self.forget()
        return ended

    def confirmed(self, session_id: str, *, within: timedelta, now: datetime | None = None) -> bool:
        """Whether a second factor was given in that session lately: asked before real orders."""
        moment = utc_now() if now is None else now
        with self._database.read() as session:
            row = session.get(UserSessionRow, session_id)
            return row is not None and row.confirmed_at is not None and moment - row.confirmed_at <= within

    def confirm(self, user_id: str, session_id: str, now: datetime | None = None) -> None:
        """Note that a second factor was given in that session just now."""
        with self._database.write() as session:
            session.execute(
                update(UserSessionRow)
                .where(UserSessionRow.id == session_id, UserSessionRow.user_id == user_id)
                .values(confirmed_at=utc_now() if now is None else now)
            )

    def forget(self) -> None:
        """Look up anew what was found: something ended."""
        with self._lock:
            self._generation += 1
            self._kept.clear()

    def tidy(self, now: datetime | None = None) -> None:
        """Remove sessions that ran out."""
        with self._database.write() as session:
            session.execute(
                delete(UserSessionRow).where(UserSessionRow.expires_at <= (utc_now() if now is None else now))
            )

    def _remembered(self, kind: str, value: str) -> LiveSession | None:
        key = (kind, value)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and self._clock() - kept[0] < _KEPT_SECONDS:
                return kept[1]
            generation = self._generation
        looked_at = self._clock()
        found = self._find(kind, value)
        with self._lock:
            if generation != self._generation:  # something ended while this was looked up
                return found if found is None else self._find(kind, value)
            self._kept[key] = (looked_at, found)
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    def _find(self, kind: str, value: str) -> LiveSession | None:
        now = utc_now()
        column = UserSessionRow.token_hash if kind == "token" else UserSessionRow.id
        statement = (
            select(UserSessionRow, UserRow)
            .join(UserRow, UserRow.id == UserSessionRow.user_id)
            .where(column == value, UserSessionRow.expires_at > now)
        )
        with self._database.read() as session:
            found = session.execute(statement).first()
        if found is None:
            return None
        row, user = found
        if now - row.last_seen_at >= _SEEN_EVERY:
            with self._database.write() as session:
                session.execute(update(UserSessionRow).where(UserSessionRow.id == row.id).values(last_seen_at=now))
                _see(session, user.id, now)
        return LiveSession(
            id=row.id,
            user_id=user.id,
            nickname=user.nickname,
            role=Role(user.role),
            standing=standing(user.is_active, user.banned_until, now),
            banned_until=user.banned_until,
        )


def token_hash(token: str) -> str:
    """What is stored of a token; it has 256 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _see(session: Session, user_id: str, now: datetime) -> None:
    """Note that a person is here: the moment, and the day in Seoul."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(last_seen_at=now))
    insert_if_absent(session, ActiveDayRow, day=now.astimezone(KST).date(), user_id=user_id)
