"""How long an attempt waits for the next one, and when it is the last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stocklab.alerts.outcome import Outcome

__all__ = ["LAST_AGE", "LEASE", "PAUSES", "next_try"]

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400))
"""Pauses after each failure; the attempt after the last one is the last."""

LAST_AGE: Final = timedelta(hours=24)
"""An alert older than this is not sent any more: it is in the feed."""

LEASE: Final = timedelta(seconds=60)
"""How long a delivery belongs to the process that took it; after that, whoever looks takes it again."""


def next_try(outcome: Outcome, attempts: int, created_at: datetime, now: datetime) -> datetime | None:
    """When to try again after a failure; None to give up.

    Parameters
    ----------
    attempts : int
        How many there were, with this one.
    """
    if outcome.for_good or attempts > len(PAUSES):
        return None
    moment = now + max(PAUSES[attempts - 1], outcome.wait or timedelta(0))
    return moment if moment <= created_at + LAST_AGE else None
