"""Requests of each source by day, breakers and health, kept in the app database: they outlive the process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update

from stocklab.data.sources.calls import KST, now_kst
from stocklab.db import Database, SourceDayRow, SourceStateRow
from stocklab.errors import SourceBlocked, SourceExhausted
from stocklab.operations.inserting import insert_if_absent, storable

__all__ = ["DatabaseCalls", "SourceHealth", "source_health", "still_failing"]

_NOTE_EVERY: Final = timedelta(seconds=10)
_LONGEST_MESSAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How a source fares. ``calls_today`` counts from midnight in Seoul; a moment is None until it happens."""

    source: str
    calls_today: int
    blocked_until: datetime | None
    blocked_reason: str
    last_ok_at: datetime | None
    last_error_at: datetime | None
    last_error: str

    @property
    def well(self) -> bool:
        """True unless the last question failed or the source must be left alone."""
        return self.well_since(None)

    def well_since(self, keys_since: datetime | None) -> bool:
        """`well`, when what failed before the keys were entered does not count."""
        return not still_failing(self.last_ok_at, self.last_error_at, keys_since) and self.blocked_until is None


class DatabaseCalls:
    """A `stocklab.data.sources.calls.CallLedger` shared by all processes."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now_kst) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def take(self, source: str, *, budget: int | None) -> None:
        """See `CallLedger.take`. The count is committed before the request goes out.

        Raises
        ------
        SourceExhausted
            The day's budget is spent; nothing was counted.
        SourceBlocked
            The breaker is open.
        """
        now = self._clock()
        today = now.astimezone(KST).date()
        with self._database.write() as session:
            state = session.get(SourceStateRow, source)
            if state is not None and state.blocked_until is not None and now < state.blocked_until:
                until = state.blocked_until.astimezone(KST)
                raise SourceBlocked(source, until=until, reason=state.blocked_reason)
            insert_if_absent(session, SourceDayRow, source=source, day=today, calls=0)
            counted = update(SourceDayRow).where(SourceDayRow.source == source, SourceDayRow.day == today)
            if budget is not None:
                counted = counted.where(SourceDayRow.calls < budget)
            taken = session.execute(counted.values(calls=SourceDayRow.calls + 1).returning(SourceDayRow.calls)).first()
            if taken is None:
                raise SourceExhausted(source, budget=budget)

    def block(self, source: str, *, until: datetime, reason: str) -> None:
        """See `CallLedger.block`."""
        self._change(source, blocked_until=until, blocked_reason=storable(reason[:_LONGEST_MESSAGE]))

    def unblock(self, source: str) -> None:
        """Close the breaker, because a person says so."""
        self._change(source, blocked_until=None, blocked_reason="")

    def note(self, source: str, *, ok: bool, message: str = "") -> None:
        """See `CallLedger.note`. Successes in a row are written every ten seconds."""
        now = self._clock()
        with self._lock:
            noted = self._noted.get(source)
            if ok and noted is not None and timedelta(0) <= now - noted < _NOTE_EVERY:
                return
            if ok:
                self._noted[source] = now
            else:
                self._noted.pop(source, None)
        if ok:
            self._change(source, last_ok_at=now)
        else:
            self._change(source, last_error_at=now, last_error=storable(message[:_LONGEST_MESSAGE]))

    def taken(self, source: str) -> int:
        """See `CallLedger.taken`."""
        today = self._clock().astimezone(KST).date()
        with self._database.read() as session:
            row = session.get(SourceDayRow, (source, today))
            return 0 if row is None else row.calls

    def _change(self, source: str, **values: object) -> None:
        with self._database.write() as session:
            insert_if_absent(session, SourceStateRow, source=source, blocked_reason="", last_error="")
            session.execute(update(SourceStateRow).where(SourceStateRow.source == source).values(**values))


def still_failing(ok_at: datetime | None, error_at: datetime | None, keys_since: datetime | None) -> bool:
    """Whether the newest thing known of a source is its error: nothing was answered and no key entered since."""
    if error_at is None:
        return False
    return all(moment is None or moment < error_at for moment in (ok_at, keys_since))


def source_health(database: Database, now: datetime) -> tuple[SourceHealth, ...]:
    """Every source that was ever asked, by name; a breaker whose time is over counts as closed."""
    today = now.astimezone(KST).date()
    with database.read() as session:
        states = {row.source: row for row in session.scalars(select(SourceStateRow))}
        days = session.execute(select(SourceDayRow.source, SourceDayRow.day, SourceDayRow.calls)).all()
    names = sorted({*states, *(source for source, _day, _calls in days)})
    names = [name for name in names if "." not in name]  # "pykrx.faults": a source's own notes
    calls = {source: counted for source, day, counted in days if day == today}
    found = []
    for name in names:
        state = states.get(name, SourceStateRow(source=name, blocked_reason="", last_error=""))
        blocked = state.blocked_until is not None and now < state.blocked_until
        found.append(
            SourceHealth(
                source=name,
                calls_today=calls.get(name, 0),
                blocked_until=state.blocked_until if blocked else None,
                blocked_reason=state.blocked_reason if blocked else "",
                last_ok_at=state.last_ok_at,
                last_error_at=state.last_error_at,
                last_error=state.last_error,
            )
        )
    return tuple(found)
