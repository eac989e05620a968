"""Days, weeks and months in Seoul, and how often a post was liked within each."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from stocklab.data.sources.calls import KST
from stocklab.db import Database, PopularPostRow, PostViewRow

__all__ = ["Period", "begins_on", "count_like", "forget_old_windows"]


class Period(StrEnum):
    """Windows of the boards."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def begins_on(period: Period, moment: datetime) -> date:
    """First day of the window a moment falls in: that day, the week's Monday, the first of the month.

    >>> from datetime import UTC
    >>> begins_on(Period.WEEK, datetime(2026, 11, 29, 14, 59, tzinfo=UTC))  # a Sunday, one minute before midnight
    datetime.date(2026, 11, 23)
    """
    day = moment.astimezone(KST).date()
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def count_like(session: Session, post_id: str, category: str, liked_at: datetime, change: int) -> None:
    """Add a like to the windows it was given in, or take it off them."""
    for period in Period:
        key = {"period": period.value, "begins_on": begins_on(period, liked_at), "post_id": post_id}
        if change < 0:
            session.execute(update(PopularPostRow).filter_by(**key).values(likes=PopularPostRow.likes + change))
            continue
        insert: Any = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
        session.execute(
            insert(PopularPostRow)
            .values(**key, category=category, likes=change)
            .on_conflict_do_update(
                index_elements=["period", "begins_on", "post_id"], set_={"likes": PopularPostRow.likes + change}
            )
        )


def forget_old_windows(database: Database, now: datetime) -> int:
    """Remove windows no board shows any more, and views of days that are over; returns how many rows."""
    day = now.astimezone(KST).date()
    removed = 0
    with database.write() as session:
        for period, kept in ((Period.DAY, 8), (Period.WEEK, 22), (Period.MONTH, 70)):
            old = delete(PopularPostRow).where(
                PopularPostRow.period == period.value, PopularPostRow.begins_on < day - timedelta(days=kept)
            )
            removed += len(session.execute(old.returning(PopularPostRow.post_id)).all())
        gone = delete(PostViewRow).where(PostViewRow.day < day).returning(PostViewRow.post_id)
        removed += len(session.execute(gone).all())
    return removed
