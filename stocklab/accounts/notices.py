"""What all users are told, within its days, until each puts it away."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, or_, select

from stocklab.accounts.user import require_admin
from stocklab.db import Database, NoticeReadRow, NoticeRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault
from stocklab.operations.inserting import insert_if_absent, storable

__all__ = ["Notice", "NoticeLevel", "Notices"]

_SHOWN: Final = 5
_LISTED: Final = 100
_LONGEST: Final = 4000


class NoticeLevel(StrEnum):
    """How a notice looks."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice. ``shown_until`` None: until it is removed."""

    id: str
    title: str
    body: str
    level: NoticeLevel
    shown_from: datetime
    shown_until: datetime | None


class Notices:
    """Writes, lists and shows notices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        admin_id: str,
        *,
        title: str,
        body: str,
        level: NoticeLevel = NoticeLevel.INFO,
        shown_from: datetime | None = None,
        shown_until: datetime | None = None,
        notice_id: str | None = None,
    ) -> str:
        """Write a notice, or change the one of that id; returns its id.

        Raises
        ------
        AccountFault
            The account is no admin's, a text is missing or too long, the days are the wrong way round, or there is no
            such notice.
        """
        heading, text = storable(title).strip(), storable(body).strip()
        if not 1 <= len(heading) <= 120 or len(text) > _LONGEST:
            raise AccountFault("notice_length", "A notice has a title of 1 to 120 characters.", field="title")
        begins = utc_now() if shown_from is None else shown_from
        if shown_until is not None and shown_until <= begins:
            raise AccountFault("notice_days", "A notice ends after it begins.", field="shown_until")
        with self._database.write() as session:
            require_admin(session, admin_id)
            row = NoticeRow(id=uuid.uuid4().hex) if notice_id is None else session.get(NoticeRow, notice_id)
            if row is None:
                raise _unknown()
            row.title, row.body, row.level = heading, text, level.value
            row.shown_from, row.shown_until = begins, shown_until
            session.add(row)
            return row.id

    def remove(self, admin_id: str, notice_id: str) -> None:
        """Remove a notice.

        Raises
        ------
        AccountFault
            The account is no admin's, or there is no such notice.
        """
        with self._database.write() as session:
            require_admin(session, admin_id)
            gone = session.execute(delete(NoticeRow).where(NoticeRow.id == notice_id).returning(NoticeRow.id)).first()
            if gone is None:
                raise _unknown()

    def all(self, admin_id: str) -> tuple[Notice, ...]:
        """The newest hundred, for admins."""
        statement = select(NoticeRow).order_by(NoticeRow.shown_from.desc(), NoticeRow.id).limit(_LISTED)
        with self._database.read() as session:
            require_admin(session, admin_id)
            return tuple(_notice(row) for row in session.scalars(statement))

    def current(self, owner_id: str, now: datetime | None = None) -> tuple[Notice, ...]:
        """What this user is to see now: the newest five that were not put away."""
        moment = utc_now() if now is None else now
        put_away = select(NoticeReadRow.notice_id).where(NoticeReadRow.owner_id == owner_id)
        statement = (
            select(NoticeRow)
            .where(NoticeRow.shown_from <= moment)
            .where(or_(NoticeRow.shown_until.is_(None), NoticeRow.shown_until > moment))
            .where(NoticeRow.id.not_in(put_away))
            .order_by(NoticeRow.shown_from.desc(), NoticeRow.id)
            .limit(_SHOWN)
        )
        with self._database.read(owner_id) as session:
            return tuple(_notice(row) for row in session.scalars(statement))

    def put_away(self, owner_id: str, notice_id: str) -> None:
        """Show a notice to this user no more.

        Raises
        ------
        AccountFault
            There is no such notice.
        """
        with self._database.write(owner_id) as session:
            if session.get(NoticeRow, notice_id) is None:
                raise _unknown()
            insert_if_absent(session, NoticeReadRow, owner_id=owner_id, notice_id=notice_id, read_at=utc_now())


def _unknown() -> AccountFault:
    return AccountFault("unknown_notice", "There is no such notice.")


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        id=row.id,
        title=row.title,
        body=row.body,
        level=NoticeLevel(row.level),
        shown_from=row.shown_from,
        shown_until=row.shown_until,
    )
