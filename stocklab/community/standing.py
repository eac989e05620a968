"""Who may do what in the community, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.db import LOCAL_OWNER_ID, Database, UserRow, as_system
from stocklab.db.columns import utc_now
from stocklab.operations.rate_limits import RateLimits
from stocklab.settings import Settings

__all__ = ["LIMITS", "Limit", "Limits", "community_limits", "is_admin", "pay", "require_admin", "require_welcome"]


class Limit(NamedTuple):
    """At most so often within a time."""

    most: int
    per: timedelta


Limits = Mapping[str, Limit]
LIMITS: Final[Limits] = MappingProxyType(
    {
        "post": Limit(10, timedelta(hours=1)),
        "comment": Limit(30, timedelta(minutes=10)),
        "like": Limit(120, timedelta(minutes=1)),
        "report": Limit(20, timedelta(hours=1)),
    }
)
"""How often one user may do each where no settings say otherwise."""


def community_limits(settings: Settings) -> Limits:
    """How often one user may do each, as the settings say."""
    return {
        "post": Limit(settings.posts_an_hour, timedelta(hours=1)),
        "comment": Limit(settings.comments_in_ten_minutes, timedelta(minutes=10)),
        "like": Limit(settings.likes_a_minute, timedelta(minutes=1)),
        "report": Limit(settings.reports_an_hour, timedelta(hours=1)),
    }


def is_admin(database: Database, owner_id: str) -> bool:
    """Whether a user looks after the community; in a home without accounts its owner does."""
    with database.read() as session:
        row = session.get(UserRow, owner_id)
        if row is None:
            return owner_id == LOCAL_OWNER_ID
        return row.role == "admin" and row.is_active and (row.banned_until is None or row.banned_until <= utc_now())


def require_admin(database: Database, owner_id: str) -> None:
    """Refuse whoever is no admin.

    Raises
    ------
    Refusal
        ADMINS_ONLY.
    """
    if not is_admin(database, owner_id):
        raise Refusal(RefusalCode.ADMINS_ONLY, "Only an admin may do this.")


def require_welcome(session: Session, owner_id: str, now: datetime) -> None:
    """Refuse a user who is banned.

    Raises
    ------
    Refusal
        BANNED, with the end of the ban.
    """
    with as_system(session):
        until = session.scalar(select(UserRow.banned_until).where(UserRow.id == owner_id))
    if until is not None and until > now:
        raise Refusal(RefusalCode.BANNED, f"This account may not write before {until:%Y-%m-%d %H:%M} UTC.", until=until)


def pay(database: Database, limit: Limit, action: str, owner_id: str, now: datetime) -> None:
    """Count one action of a user.

    Raises
    ------
    Refusal
        TOO_FAST, with the time to wait.
    """
    spent = RateLimits(database).spend(f"{action}:{owner_id}", most=limit.most, per=limit.per, now=now)
    if not spent.allowed:
        seconds = max(1, round(spent.wait.total_seconds()))
        raise Refusal(
            RefusalCode.TOO_FAST,
            f"More than {limit.most} within {limit.per}. Hint: wait {seconds} seconds.",
            most=limit.most,
            wait=spent.wait,
        )
