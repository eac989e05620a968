"""How often something may be done: counts by subject and window in the app database, so they outlive the process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stocklab.db import Database, RateWindowRow
from stocklab.db.columns import utc_now

__all__ = ["RateLimits", "Spent"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Whether it was allowed; if not, ``wait`` is the time until it is again (else nothing)."""

    allowed: bool
    wait: timedelta


class RateLimits:
    """Counts in fixed windows: ``per`` an hour means from the full hour on, for everybody alike.

    A subject names what is limited and for whom, such as ``comments:<owner id>``. What strangers type goes in as a
    hash: a subject is stored as it is, and holds at most 120 characters.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._clock = clock

    def spend(self, subject: str, *, most: int, per: timedelta, now: datetime | None = None) -> Spent:
        """Count one, unless ``most`` were counted in this window already. Exact with any number of processes.

        A refused one is not counted, so that insisting does not prolong the wait.
        """
        moment = self._clock() if now is None else now
        begins, ends = _window(moment, per)
        if most < 1:
            return Spent(allowed=False, wait=ends - moment)
        is_postgres = self._database.backend == "postgresql"
        insert: Any = postgresql_insert if is_postgres else sqlite_insert
        statement = insert(RateWindowRow).values(subject=subject, begins_at=begins, ends_at=ends, count=1)
        statement = statement.on_conflict_do_update(
            index_elements=[RateWindowRow.subject, RateWindowRow.begins_at],
            set_={"count": RateWindowRow.count + 1},
            where=RateWindowRow.count < most,
        )
        with self._database.write() as session:
            counted = session.scalar(statement.returning(RateWindowRow.count))
        if counted is None:
            return Spent(allowed=False, wait=ends - moment)
        return Spent(allowed=True, wait=timedelta(0))

    def used(self, subject: str, *, per: timedelta, now: datetime | None = None) -> int:
        """How many were counted in this window."""
        begins, _ends = _window(self._clock() if now is None else now, per)
        with self._database.read() as session:
            row = session.get(RateWindowRow, (subject, begins))
            return 0 if row is None else row.count

    def give_back(self, subject: str, *, per: timedelta, now: datetime | None = None) -> None:
        """Take one back: what it was counted for went well (a log-in that succeeded)."""
        begins, _ends = _window(self._clock() if now is None else now, per)
        count = RateWindowRow.count
        with self._database.write() as session:
            session.execute(
                update(RateWindowRow)
                .where(RateWindowRow.subject == subject, RateWindowRow.begins_at == begins)
                .values(count=case((count > 0, count - 1), else_=0))
            )

    def forget(self, subject: str) -> None:
        """Begin anew for a subject."""
        with self._database.write() as session:
            session.execute(delete(RateWindowRow).where(RateWindowRow.subject == subject))

    def tidy(self, now: datetime | None = None) -> None:
        """Remove windows that are over."""
        with self._database.write() as session:
            session.execute(
                delete(RateWindowRow).where(RateWindowRow.ends_at <= (self._clock() if now is None else now))
            )


def _window(now: datetime, per: timedelta) -> tuple[datetime, datetime]:
    begins = _EPOCH + (now - _EPOCH) // per * per
    return begins, begins + per
