"""How old the data are, in sessions: which have ended, which a source can have by now, and which are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from stocklab.data.datasets import PRICES_ADJUSTED, PRICES_COIN, PRICES_RAW
from stocklab.data.snapshot import Snapshot
from stocklab.data.sources.calls import KST
from stocklab.data.sources.krx_feeds import released
from stocklab.data.sync.window import window_at

__all__ = ["Freshness", "freshness", "freshness_of"]

_COIN_DAY_ENDS: Final = time(9, 10)  # a UTC day, with the ten minutes its candle is given to settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Age of the newest stored bar.

    Attributes
    ----------
    last : date
        Newest stored session.
    behind : int
        Sessions that have ended since.
    due : int
        Those of them whose data the earliest source can have by now (KRX: 08:00 of the next day).
    newest : date or None
        The newest session that has ended; None before the calendar begins.
    next_release : datetime or None
        When the first of the sessions behind that are not due comes out.
    coins : bool
        True for days of coins, where there are no stocks.
    """

    last: date
    behind: int
    due: int
    newest: date | None
    next_release: datetime | None
    coins: bool = False

    @property
    def stale(self) -> bool:
        """Whether something is missing that could be there."""
        return self.due > 0


def freshness(last: date, now: datetime, *, coins: bool = False) -> Freshness:
    """Age of data whose newest bar is of the session ``last``, at the timezone-aware moment ``now``."""
    here = now.astimezone(KST)
    if coins:
        ended = here.date() - timedelta(days=1 if here.time() >= _COIN_DAY_ENDS else 2)
        behind = max(0, (ended - last).days)
        return Freshness(last=last, behind=behind, due=behind, newest=ended, next_release=None, coins=True)
    days: list[date] = window_at(here, last).sessions.astype("datetime64[D]").tolist()
    later = [day for day in days if day > last]
    waiting = [released(day) for day in later if released(day) > here]
    return Freshness(
        last=last,
        behind=len(later),
        due=len(later) - len(waiting),
        newest=days[-1] if days else None,
        next_release=min(waiting, default=None),
    )


def freshness_of(snapshot: Snapshot, now: datetime) -> Freshness | None:
    """Age of a snapshot: of its newest bar of stocks, of coins where it has only coins; None without bars."""
    ends = [span[1] for name in (PRICES_RAW, PRICES_ADJUSTED) if (span := snapshot.span(name)) is not None]
    if ends:
        return freshness(max(ends), now)
    coins = snapshot.span(PRICES_COIN)
    return None if coins is None else freshness(coins[1], now, coins=True)
