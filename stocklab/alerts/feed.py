"""The feed: what an owner was told, newest first, read or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update

from stocklab.alerts.kinds import AlertKind, Severity
from stocklab.alerts.words import Language, Said, say
from stocklab.db import AlertEventRow, Database
from stocklab.db.columns import utc_now
from stocklab.db.keyset import PAGE_SIZE, Page
from stocklab.errors import InputError

__all__ = ["MOST_COUNTED", "Event", "Feed"]

MOST_COUNTED: Final = 99
"""Unread ones are counted up to one more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An alert in the feed."""

    id: str
    kind: AlertKind
    severity: Severity
    params: Mapping[str, Any]
    link: str
    rule_id: str
    created_at: datetime
    read_at: datetime | None

    def said(self, language: Language) -> Said:
        """Its words."""
        return say(self.kind, self.params, language)


class Feed:
    """Lists, counts, and marks as read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        owner_id: str,
        *,
        kind: AlertKind | None = None,
        unread: bool = False,
        rule_id: str | None = None,
        after: str | None = None,
    ) -> Page[Event]:
        """Newest first: all, of a kind, unread ones, or what one rule fired.

        Raises
        ------
        InputError
            ``after`` is no place in this list.
        """
        row = AlertEventRow
        statement = select(row).where(row.owner_id == owner_id)
        if kind is not None:
            statement = statement.where(row.kind == kind.value)
        if unread:
            statement = statement.where(row.read_at.is_(None))
        if rule_id is not None:
            statement = statement.where(row.rule_id == rule_id)
        if after is not None:
            if len(after) != 32 or not after.isalnum():
                raise InputError("Expected a place in this list. Hint: begin at the first page.")
            statement = statement.where(row.id < after)
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(row.id.desc()).limit(PAGE_SIZE + 1)).all()
        shown = rows[:PAGE_SIZE]
        return Page(items=tuple(_view(one) for one in shown), after=shown[-1].id if len(rows) > PAGE_SIZE else None)

    def unread(self, owner_id: str) -> int:
        """How many are unread, at most `MOST_COUNTED` and one."""
        row = AlertEventRow
        some = select(row.id).where(row.owner_id == owner_id, row.read_at.is_(None)).limit(MOST_COUNTED + 1)
        with self._database.read(owner_id) as session:
            return session.scalar(select(func.count()).select_from(some.subquery())) or 0

    def mark_read(self, owner_id: str, event_id: str | None = None, *, now: datetime | None = None) -> None:
        """Mark one as read, or all."""
        row = AlertEventRow
        statement = update(row).where(row.owner_id == owner_id, row.read_at.is_(None))
        if event_id is not None:
            statement = statement.where(row.id == event_id)
        with self._database.write(owner_id) as session:
            session.execute(statement.values(read_at=utc_now() if now is None else now))


def _view(row: AlertEventRow) -> Event:
    return Event(
        id=row.id,
        kind=AlertKind(row.kind),
        severity=Severity(row.severity),
        params=row.params,
        link=row.link,
        rule_id=row.rule_id,
        created_at=row.created_at,
        read_at=row.read_at,
    )
