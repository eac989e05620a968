"""Daily notes: kept once for an owner and a session, told in the feed and through the channels."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stocklab.alerts.emitting import Alerts
from stocklab.alerts.kinds import AlertKind
from stocklab.alerts.note_document import NoteDocument
from stocklab.alerts.words import Language
from stocklab.db import DailyNoteRow, Database
from stocklab.db.columns import utc_now
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError

__all__ = ["DailyNotes", "StoredNote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNote:
    """A note as it was kept."""

    id: str
    session: date
    note: NoteDocument
    created_at: datetime


class DailyNotes:
    """Keeps, tells and lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self, owner_id: str, day_note: NoteDocument, *, language: Language = "ko", now: datetime | None = None
    ) -> bool:
        """Keep a note and tell its owner, together; False, and nothing changes, where the session has one already.

        ``language`` is that of the plain text kept beside the document, for reading without the program.
        """
        moment = utc_now() if now is None else now
        session_day = date.fromisoformat(day_note.session)
        with self._database.write(owner_id) as session:
            make: Any = postgresql_insert if self._database.backend == "postgresql" else sqlite_insert
            row = {
                "id": secrets.token_hex(16),
                "owner_id": owner_id,
                "session": session_day,
                "document": day_note.to_json(),
                "text": f"{day_note.headline_text(language)}\n\n{day_note.text(language)}",
                "created_at": moment,
            }
            once = make(DailyNoteRow).values(**row).on_conflict_do_nothing(index_elements=["owner_id", "session"])
            if session.execute(once.returning(DailyNoteRow.id)).first() is None:
                return False
            Alerts(self._database).emit(
                owner_id,
                AlertKind.DAILY_NOTE,
                dedupe_key=f"note:{day_note.session}",
                params={
                    "session": day_note.session,
                    **{f"headline_{one}": day_note.headline_text(one) for one in ("ko", "en")},
                    **{f"text_{one}": day_note.text(one) for one in ("ko", "en")},
                },
                link=f"alerts?section=notes&day={day_note.session}",
                session=session,
                now=moment,
            )
        return True

    def list(self, owner_id: str, *, after: str | None = None) -> Page[StoredNote]:
        """Notes, the newest session first. Raises InputError where ``after`` is no place in this list."""
        statement = select(DailyNoteRow).where(
            DailyNoteRow.owner_id == owner_id, *beyond(after, DailyNoteRow.session, DailyNoteRow.id, date.fromisoformat)
        )
        statement = statement.order_by(DailyNoteRow.session.desc(), DailyNoteRow.id.desc()).limit(PAGE_SIZE + 1)
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement).all()
        return page_of(rows, _view, lambda row: (row.session.isoformat(), row.id))

    def get(self, owner_id: str, day: date) -> StoredNote:
        """The note of a session. Raises InputError where there is none."""
        statement = select(DailyNoteRow).where(DailyNoteRow.owner_id == owner_id, DailyNoteRow.session == day)
        with self._database.read(owner_id) as session:
            row = session.scalar(statement)
        if row is None:
            raise InputError(f"There is no note of {day}.")
        return _view(row)


def _view(row: DailyNoteRow) -> StoredNote:
    return StoredNote(
        id=row.id, session=row.session, note=NoteDocument.of_json(row.document), created_at=row.created_at
    )
