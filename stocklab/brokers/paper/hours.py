"""When a paper account takes orders, and which part of the session an order meets. Moments in Seoul for KRX, in UTC for
coins, whose session is a UTC day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from stocklab.brokers.paper.models import Phase
from stocklab.data.sources.calls import KST
from stocklab.errors import InputError
from stocklab.market.calendar import is_session, session_hours
from stocklab.market.dated import in_force

__all__ = [
    "CLOSING_AUCTION",
    "COIN_OPENING",
    "ORDERS_BEFORE_OPEN",
    "Hours",
    "close_of",
    "day_of",
    "hours_of",
    "hours_of_session",
    "phase_at",
]

# Sources: KRX, 2019-04-29 (the opening auction takes orders from 08:30 instead of 08:00) and the closing auction of the
# last ten minutes (since 2000-05-22, before 2016-08-01 from 14:50); both move with a late opening or close.
ORDERS_BEFORE_OPEN: Final = ((date(1998, 12, 7), 60), (date(2019, 4, 29), 30))
"""Rows of (session from, minutes before the open from which orders are taken)."""

CLOSING_AUCTION: Final = ((date(1998, 12, 7), 10),)
"""Rows of (session from, minutes of the auction before the close)."""

COIN_OPENING: Final = timedelta(minutes=10)
"""Coins know no auction: what is decided at the close of a UTC day is sent minutes later and meets the day's open."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Moments of one session: orders from, open, closing auction from, close."""

    orders_from: datetime
    opens: datetime
    auction_from: datetime
    closes: datetime


def day_of(now: datetime, *, coins: bool) -> date:
    """The day an order placed now belongs to."""
    return now.astimezone(UTC if coins else KST).date()


def hours_of(day: date, *, coins: bool) -> Hours | None:
    """The hours of a day; None where it has no session, or lies outside the calendar."""
    if coins:
        return _utc_day(day)
    try:
        if not is_session(day, expected=True):
            return None
        first, last = session_hours(day, expected=True)
    except InputError:
        return None
    opens, closes = (datetime.combine(day, at, tzinfo=KST) for at in (first, last))
    return Hours(
        orders_from=opens - timedelta(minutes=in_force(ORDERS_BEFORE_OPEN, day, "start of orders")),
        opens=opens,
        auction_from=closes - timedelta(minutes=in_force(CLOSING_AUCTION, day, "closing auction")),
        closes=closes,
    )


def close_of(day: date, *, coins: bool) -> datetime:
    """The close of a session, in UTC; where the calendar has none, the end of the UTC day."""
    hours = hours_of(day, coins=coins) or _utc_day(day)
    return hours.closes.astimezone(UTC)


def hours_of_session(day: date, *, coins: bool) -> Hours:
    """The hours of a day that took orders; those of the UTC day where the calendar has changed its mind since."""
    return hours_of(day, coins=coins) or _utc_day(day)


def _utc_day(day: date) -> Hours:
    start = datetime.combine(day, time(0), tzinfo=UTC)
    return Hours(orders_from=start, opens=start + COIN_OPENING, auction_from=start + _DAY, closes=start + _DAY)


def phase_at(now: datetime, *, coins: bool) -> Phase | None:
    """What an order placed now meets first; None while the market is closed.

    >>> phase_at(datetime(2026, 11, 20, 8, 30, tzinfo=KST), coins=False)
    <Phase.OPEN: 'open'>
    >>> phase_at(datetime(2026, 11, 20, 15, 30, tzinfo=KST), coins=False) is None
    True
    """
    hours = hours_of(day_of(now, coins=coins), coins=coins)
    if hours is None or not hours.orders_from <= now < hours.closes:
        return None
    if now < hours.opens:
        return Phase.OPEN
    return Phase.INSIDE if now < hours.auction_from else Phase.CLOSE
