"""Who may share, clone and like, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from sqlalchemy import select

from stocklab.accounts import Limit, Standing, spend_all
from stocklab.accounts.user import standing
from stocklab.db import Database, UserRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault
from stocklab.operations import RateLimits
from stocklab.settings import Settings

__all__ = ["SHARING_LIMITS", "Action", "SharingLimits", "admit", "sharing_limits"]

Action = Literal["publish", "clone", "publication-like"]
SharingLimits = Mapping[Action, tuple[int, timedelta]]
SHARING_LIMITS: Final[SharingLimits] = MappingProxyType(
    {
        "publish": (120, timedelta(hours=1)),
        "clone": (120, timedelta(hours=1)),
        "publication-like": (120, timedelta(minutes=1)),
    }
)
"""How often one owner may do each where no settings say otherwise: at most so often within a time."""


def sharing_limits(settings: Settings) -> SharingLimits:
    """How often one owner may do each, as the settings say."""
    return {
        "publish": (settings.publications_an_hour, timedelta(hours=1)),
        "clone": (settings.clones_an_hour, timedelta(hours=1)),
        "publication-like": (settings.likes_a_minute, timedelta(minutes=1)),
    }


def admit(
    database: Database,
    action: Action,
    owner_id: str,
    limits: SharingLimits = SHARING_LIMITS,
    *,
    now: datetime | None = None,
) -> None:
    """Count one action of an owner who may write.

    Raises
    ------
    AccountFault
        The account is switched off or banned: its pages are closed already, this is for whatever else calls.
    LimitReached
        It was done as often as it may be for now; it carries the time to wait.
    """
    with database.read() as session:
        row = session.scalar(select(UserRow).where(UserRow.id == owner_id))
        found = None if row is None else standing(row.is_active, row.banned_until, now or utc_now())
    if found not in (None, Standing.GOOD):
        raise AccountFault("account_off", "This account may not share, clone or like for now.")
    most, per = limits[action]
    spend_all(RateLimits(database), (Limit(subject=f"{action}:{owner_id}", most=most, per=per),))
