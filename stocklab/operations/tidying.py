"""Records that nobody reads any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete

from stocklab.data.sources.calls import KST
from stocklab.db import ComponentDayRow, Database, IntentRow, IntentState, ScheduledRunRow, SourceDayRow

__all__ = ["forget_old"]

_RUNS: Final = timedelta(days=400)
_INTENTS: Final = timedelta(days=90)


def forget_old(database: Database, now: datetime) -> int:
    """Remove runs, requests and uptime of 400 days ago and ended intents of 90 days ago; returns how many rows."""
    day = (now - _RUNS).astimezone(KST).date()
    live = [state.value for state in IntentState if state.live]
    removed = 0
    with database.write() as session:
        for statement, key in (
            (delete(ScheduledRunRow).where(ScheduledRunRow.key < day.isoformat()), ScheduledRunRow.key),
            (delete(SourceDayRow).where(SourceDayRow.day < day), SourceDayRow.day),
            (delete(ComponentDayRow).where(ComponentDayRow.day < day), ComponentDayRow.day),
            (
                delete(IntentRow).where(IntentRow.created_at < now - _INTENTS, IntentRow.state.not_in(live)),
                IntentRow.id,
            ),
        ):
            removed += len(session.execute(statement.returning(key)).all())
    return removed
