"""What users tell the people who run this, and their answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select

from stocklab.accounts.user import require_admin
from stocklab.db import Database, FeedbackRow, OwnerRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import behind
from stocklab.errors import AccountFault
from stocklab.operations.inserting import storable

__all__ = ["Feedback", "FeedbackKind", "FeedbackPage", "FeedbackState", "Message"]

_PAGE: Final = 20
_LONGEST: Final = 4000


class FeedbackKind(StrEnum):
    """What a message is about."""

    FAULT = "fault"
    WISH = "wish"
    QUESTION = "question"
    OTHER = "other"


class FeedbackState(StrEnum):
    """Whether somebody has seen to it."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message and what was answered. ``author`` is the nickname; one's own list leaves it out."""

    id: str
    author: str | None
    kind: FeedbackKind
    page: str
    body: str
    state: FeedbackState
    answer: str | None
    created_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackPage:
    """Messages, newest first, and the cursor of the next page (None on the last)."""

    messages: tuple[Message, ...]
    following: tuple[datetime, str] | None


class Feedback:
    """The inbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, owner_id: str, kind: FeedbackKind, body: str, *, page: str = "") -> str:
        """Keep a message of a user; returns its id.

        Raises
        ------
        AccountFault
            It is empty or longer than 4,000 characters.
        """
        text = storable(body).strip()
        if not 1 <= len(text) <= _LONGEST:
            raise AccountFault("feedback_length", f"A message has 1 to {_LONGEST:,} characters.", field="body")
        row = FeedbackRow(id=uuid.uuid4().hex, owner_id=owner_id, kind=kind.value, page=storable(page)[:40], body=text)
        with self._database.write(owner_id) as session:
            session.add(row)
        return row.id

    def mine(self, owner_id: str, *, limit: int = _PAGE) -> tuple[Message, ...]:
        """The user's own messages with their answers, newest first."""
        statement = select(FeedbackRow).order_by(FeedbackRow.created_at.desc(), FeedbackRow.id.desc()).limit(limit)
        with self._database.read(owner_id) as session:
            return tuple(_message(row, None) for row in session.scalars(statement))

    def inbox(
        self, admin_id: str, *, state: FeedbackState = FeedbackState.OPEN, after: tuple[datetime, str] | None = None
    ) -> FeedbackPage:
        """Everybody's messages in a state, newest first: for admins.

        Raises
        ------
        AccountFault
            The account is no admin's.
        """
        statement = (
            select(FeedbackRow, OwnerRow.name)
            .join(OwnerRow, OwnerRow.id == FeedbackRow.owner_id)
            .where(FeedbackRow.state == state.value)
            .order_by(FeedbackRow.created_at.desc(), FeedbackRow.id.desc())
            .limit(_PAGE + 1)
        )
        if after is not None:
            statement = statement.where(behind((FeedbackRow.created_at, FeedbackRow.id), after))
        with self._database.read() as session:
            require_admin(session, admin_id)
            found = [_message(row, name) for row, name in session.execute(statement)]
        shown = tuple(found[:_PAGE])
        more = len(found) > _PAGE
        return FeedbackPage(messages=shown, following=(shown[-1].created_at, shown[-1].id) if more else None)

    def answer(self, admin_id: str, message_id: str, text: str | None) -> None:
        """Answer a message; with None, close it without one.

        Raises
        ------
        AccountFault
            The account is no admin's, there is no such message, or the answer is too long.
        """
        words = None if text is None else storable(text).strip()
        if words is not None and not 1 <= len(words) <= _LONGEST:
            raise AccountFault("feedback_length", f"A message has 1 to {_LONGEST:,} characters.", field="answer")
        with self._database.write() as session:
            require_admin(session, admin_id)
            row = session.get(FeedbackRow, message_id)
            if row is None:
                raise AccountFault("unknown_message", "There is no such message.")
            row.state = (FeedbackState.CLOSED if words is None else FeedbackState.ANSWERED).value
            row.answer = row.answer if words is None else words
            row.answered_at = utc_now()


def _message(row: FeedbackRow, author: str | None) -> Message:
    return Message(
        id=row.id,
        author=author,
        kind=FeedbackKind(row.kind),
        page=row.page,
        body=row.body,
        state=FeedbackState(row.state),
        answer=row.answer,
        created_at=row.created_at,
        answered_at=row.answered_at,
    )
