"""Plans: what an account may use, as the settings say, and how much of it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from stocklab.accounts.log_in import Limit, spend_all
from stocklab.db import Database, UserRow
from stocklab.operations.rate_limits import RateLimits
from stocklab.settings import Settings

__all__ = ["Allowance", "Plan", "Plans"]

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an account of this plan may use. ``live_slots``: strategies that trade at once."""

    name: str
    backtests_a_day: int
    live_slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a user may use and has used; days begin at 09:00 in Seoul (midnight UTC)."""

    plan: Plan
    backtests_a_minute: int
    backtests_today: int


class Plans:
    """Quotas by plan."""

    def __init__(self, database: Database, limits: RateLimits, settings: Settings) -> None:
        self._database = database
        self._limits = limits
        self._a_minute = settings.backtests_a_minute
        self.known = {name: Plan(name=name, **values) for name, values in settings.plans.items()}

    def of(self, user_id: str) -> Plan:
        """The user's plan; one that the settings no longer name counts as the first they do."""
        with self._database.read() as session:
            name = session.scalar(select(UserRow.plan).where(UserRow.id == user_id))
        return self.known.get(name or "") or next(iter(self.known.values()))

    def allowance(self, user_id: str) -> Allowance:
        """What the account page shows."""
        plan = self.of(user_id)
        used = self._limits.used(f"backtests-day:{user_id}", per=_DAY)
        return Allowance(plan=plan, backtests_a_minute=self._a_minute, backtests_today=used)

    def spend_backtest(self, user_id: str) -> None:
        """Count a backtest that is about to run.

        Raises
        ------
        LimitReached
            The minute's or the day's are used up; it carries the time to wait.
        """
        day = Limit(subject=f"backtests-day:{user_id}", most=self.of(user_id).backtests_a_day, per=_DAY)
        spend_all(self._limits, (Limit(subject=f"backtests:{user_id}", most=self._a_minute, per=_MINUTE), day))
