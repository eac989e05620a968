"""The audit log: who did what. Rows are only added, numbered without gaps; each holds the hash of the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import IO, Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from stocklab.db import AuditRow, Database, as_system
from stocklab.db.columns import utc_now
from stocklab.operations.audit_chain import NO_HASH, AuditEntry, ChainReport, chain_hash, plain, verify_chain
from stocklab.operations.inserting import storable

__all__ = ["AuditLog"]

_ADVISORY_LOCK: Final = 0x5354_4F43_4B4C_4155  # "STOCKLAU": writers of the log take turns, until their commit
_BEFORE_ALL: Final = -(2**62)  # a row that somebody put before the first one shows as well
_BATCH: Final = 1000
_PAGE: Final = 20


class AuditLog:
    """Adds rows, shows them, and proves that none was changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(
        self,
        action: str,
        *,
        actor_id: str | None,
        subject: str = "",
        details: Mapping[str, Any] | None = None,
        session: Session | None = None,
        at: datetime | None = None,
    ) -> AuditEntry:
        """Add a row, in a transaction of its own, or in ``session`` (a ``write`` one), with which it stands or falls.

        Writers take turns until they commit: in a longer transaction, call this last. ``details`` never hold secrets;
        what is named like one is masked.
        """
        with self._database.write() if session is None else nullcontext(session) as writing, as_system(writing):
            if self._database.backend == "postgresql":  # SQLite's writers take turns anyway
                writing.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            newest = writing.execute(
                select(AuditRow.number, AuditRow.hash).order_by(AuditRow.number.desc()).limit(1)
            ).first()
            fields: dict[str, Any] = {
                "number": 1 if newest is None else newest.number + 1,
                "at": utc_now() if at is None else at,
                "actor_id": actor_id,
                "action": storable(action)[:64],
                "subject": storable(subject)[:120],
                "details": plain(details or {}),
                "previous_hash": NO_HASH if newest is None else newest.hash,
            }
            entry = AuditEntry(**fields, hash=chain_hash(**fields))
            writing.add(AuditRow(**fields, hash=entry.hash))
            writing.flush()
            return entry

    def page(
        self, *, actor_id: str | None = None, action: str | None = None, before: int | None = None, limit: int = _PAGE
    ) -> tuple[AuditEntry, ...]:
        """Rows of everybody, newest first, below the number ``before``: for admins alone."""
        statement = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit)
        if actor_id is not None:
            statement = statement.where(AuditRow.actor_id == actor_id)
        if action is not None:
            statement = statement.where(AuditRow.action == action)
        if before is not None:
            statement = statement.where(AuditRow.number < before)
        with self._database.read() as session:
            return tuple(_entry(row) for row in session.scalars(statement))

    def verify(self, *, expected: tuple[int, str] | None = None) -> ChainReport:
        """Follow the whole chain, as `verify_chain`."""
        return verify_chain(self._entries(), expected=expected)

    def export(self, stream: IO[str]) -> int:
        """Write every row as a line of JSON, oldest first; returns how many."""
        written = 0
        for entry in self._entries():
            stream.write(f"{entry.to_line()}\n")
            written += 1
        return written

    def _entries(self) -> Iterator[AuditEntry]:
        """All rows by number, a batch at a time: the log may be long, and nobody waits for its reader."""
        after = _BEFORE_ALL
        while True:
            statement = select(AuditRow).where(AuditRow.number > after).order_by(AuditRow.number).limit(_BATCH)
            with self._database.read() as session:
                rows = [_entry(row) for row in session.scalars(statement)]
            yield from rows
            if len(rows) < _BATCH:
                return
            after = rows[-1].number


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__slots__})
