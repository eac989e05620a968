"""The alarm that the scheduler cannot raise itself: somebody else sees that it is gone, and tells it once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from stocklab.alerts.emitting import Alerts
from stocklab.alerts.kinds import AlertKind
from stocklab.data.sources.calls import KST
from stocklab.db import AlertChannelRow, AlertRuleRow, Database
from stocklab.operations import Uptime, Worker

__all__ = ["GONE_AFTER", "gone_since", "tell_if_gone"]

GONE_AFTER: Final = timedelta(minutes=5)
"""Without a heartbeat for so long the scheduler counts as down: longer than a restart takes."""

_LOOK_BACK: Final = timedelta(days=3)


def gone_since(database: Database, now: datetime) -> datetime | None:
    """When the scheduler was last heard of, if that is too long ago; None while it works.

    One that never ran, or was away for three days, is not missed.
    """
    if any(worker.state == "working" and now - worker.beat_at <= GONE_AFTER for worker in _workers(database)):
        return None
    today = now.astimezone(KST).date()
    days = Uptime(database).days("scheduler", today - _LOOK_BACK, today)
    if not days or now - days[-1].last_seen_at <= GONE_AFTER:
        return None
    return days[-1].last_seen_at


def tell_if_gone(database: Database, now: datetime) -> int:
    """Tell everybody who has a channel or a rule that the scheduler is down; how many were told now.

    Each time it goes down is told once: the key is when it was last heard of.
    """
    last_seen = gone_since(database, now)
    if last_seen is None:
        return 0
    alerts = Alerts(database)
    told = [
        alerts.emit(
            owner_id,
            AlertKind.SCHEDULER_DOWN,
            dedupe_key=f"scheduler_down:{last_seen.isoformat()}",
            params={"last_seen": f"{last_seen.astimezone(KST):%Y-%m-%d %H:%M}"},
            link="system",
            now=now,
        )
        for owner_id in _owners(database)
    ]
    return sum(event is not None for event in told)


def _workers(database: Database) -> tuple[Worker, ...]:
    return Uptime(database).workers("scheduler")


def _owners(database: Database) -> list[str]:
    with database.read() as session:
        channels = session.scalars(select(AlertChannelRow.owner_id).where(AlertChannelRow.active).distinct())
        rules = session.scalars(select(AlertRuleRow.owner_id).where(AlertRuleRow.active).distinct())
        return sorted({*channels, *rules})
