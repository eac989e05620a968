"""Jobs that are begun once more because the first market data came after they had run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from stocklab.data.store import Store
from stocklab.db import Database, IntentRow, IntentState, RunState, ScheduledRunRow
from stocklab.operations.run_ledger import LedgerRun
from stocklab.operations.schedule import Schedule, newest_key, quiet_until
from stocklab.operations.sync_state import SYNC_INTENT, SYNC_JOBS

__all__ = ["NO_MARKET", "FollowUp", "first_sync_at"]

NO_MARKET: Final = "The home holds no market data."
"""What a job says that is skipped for want of them."""

_BROUGHT: Final = "% rows added%"  # as the line of a sync says it


class FollowUp:
    """Asked about each job of one look at the timetable; what it must read of the home is read at most once."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database = database
        self._home = home
        self._synced_at: datetime | None = None
        self._asked = False

    def wanted(self, schedule: Schedule, runs: Mapping[str, LedgerRun], now: datetime) -> tuple[str, datetime] | None:
        """Key of a run to begin once more, and the moment it must have ended before; None when there is none.

        It is the newest that is due, of a job that follows the data, outside the quiet hours, when it found no market
        data and there are some now, or when it ended before the first sync that brought rows (until then the market
        was imported, or the demo's). What runs again ends later than that, so that it does so once. A run that a
        person cancelled stays so.
        """
        newest = newest_key(schedule, now) if schedule.follows_data else None
        run = None if newest is None else runs.get(newest.isoformat())
        if run is None or not run.ended or run.cancel_requested or run.finished_at is None:
            return None
        if quiet_until(now) is not None:
            return None
        if run.state is RunState.SKIPPED and run.message == NO_MARKET and Store(self._home).current_id() is not None:
            return run.key, now
        first = self._first_sync_at()
        return (run.key, first) if first is not None and run.finished_at < first else None

    def _first_sync_at(self) -> datetime | None:
        if not self._asked:
            self._synced_at, self._asked = first_sync_at(self._database), True
        return self._synced_at


def first_sync_at(database: Database) -> datetime | None:
    """When the first sync that brought rows ended, as far back as is remembered; None when there was none."""
    scheduled = select(func.min(ScheduledRunRow.finished_at)).where(
        ScheduledRunRow.job.in_(SYNC_JOBS),
        ScheduledRunRow.state == RunState.DONE.value,
        ScheduledRunRow.message.like(_BROUGHT),
    )
    asked_for = select(func.min(IntentRow.finished_at)).where(
        IntentRow.kind == SYNC_INTENT,
        IntentRow.state == IntentState.DONE.value,
        IntentRow.message.like(_BROUGHT),
    )
    with database.read() as session:
        ends = [session.scalar(scheduled), session.scalar(asked_for)]
    return min((end for end in ends if end is not None), default=None)
