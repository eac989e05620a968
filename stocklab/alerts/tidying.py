"""What alerts leave behind and nobody needs any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete

from stocklab.db import AlertDeliveryRow, AlertEventRow, Database

__all__ = ["forget_old_alerts"]

_DELIVERIES_STAY: Final = timedelta(days=30)
_EVENTS_STAY: Final = timedelta(days=400)
_ENDED: Final = ("sent", "given_up")


def forget_old_alerts(database: Database, now: datetime) -> int:
    """Remove deliveries that ended a month ago, and events of more than a year ago; how many rows."""
    with database.write() as session:
        deliveries = session.execute(
            delete(AlertDeliveryRow)
            .where(AlertDeliveryRow.state.in_(_ENDED), AlertDeliveryRow.created_at < now - _DELIVERIES_STAY)
            .returning(AlertDeliveryRow.id)
        ).all()
        events = session.execute(
            delete(AlertEventRow).where(AlertEventRow.created_at < now - _EVENTS_STAY).returning(AlertEventRow.id)
        ).all()
    return len(deliveries) + len(events)
