"""All bars of one session: from a service's rows to the store's, and whether the answer is whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.datasets import conform
from stocklab.data.layouts.marcap import raw_bars
from stocklab.data.reading import SourceFile
from stocklab.data.sources.calls import KST
from stocklab.data.sources.feed import Window
from stocklab.errors import BrokenInput, SourceChanged
from stocklab.market.calendar import expected_until, first_day, sessions_between

__all__ = [
    "KONEX_OPENED",
    "MARKETS",
    "RowCounts",
    "bars_of_session",
    "earlier_trading_days",
    "markets_of",
    "next_trading_day",
    "possible_bars",
    "wanted_sessions",
    "will_come",
]

MARKETS: Final = ("KOSPI", "KOSDAQ", "KONEX")
KONEX_OPENED: Final = date(2013, 7, 1)  # KRX: 코넥스시장 개장일
_MOST_LEFT_OUT: Final = 3
_LEAST_SHARE: Final = 0.9
_LEAST_GROWN: Final = 0.7  # less than this of the session after it is a part, whatever the session before says


def markets_of(session: date, wanted: tuple[str, ...] = MARKETS) -> tuple[str, ...]:
    """The wanted markets that were open on a session."""
    return tuple(market for market in wanted if market != "KONEX" or session >= KONEX_OPENED)


def bars_of_session(source: str, session: date, rows: pl.DataFrame) -> tuple[pl.DataFrame, str, tuple[str, ...]]:
    """Rows of ``prices_raw`` from a cross-section in the layout of `layouts.marcap`.

    Returns
    -------
    The rows, sorted by symbol, a note naming rows that were left out because no bar can be like them (a close of
    nothing, a high below the low): "" when there are none, and their symbols.

    Raises
    ------
    SourceChanged
        A row is of another day, a code comes twice, or more than three rows are impossible.
    """
    other_days = rows.filter(pl.col("date") != session)
    if other_days.height:
        raise SourceChanged(source, f"{session} was asked, rows of another day came", found=str(other_days["date"][0]))
    twice = rows.filter(pl.col("code").is_duplicated())
    if twice.height:
        raise SourceChanged(source, f"a code comes twice on {session}", found=str(twice["code"][0]))
    bars, note = possible_bars(source, str(session), rows, lambda file: raw_bars(file, source), symbol="code")
    left_out = tuple(sorted(set(rows["code"].to_list()) - set(bars["symbol"].to_list())))
    return conform("prices_raw", bars), note, left_out


def possible_bars(
    source: str, what: str, rows: pl.DataFrame, read: Callable[[SourceFile], pl.DataFrame], *, symbol: str
) -> tuple[pl.DataFrame, str]:
    """Rows as a layout reads them, without the few it refuses, and a note naming those ("" when there are none).

    Raises
    ------
    SourceChanged
        More than three rows are refused, or not because of one row.
    """
    left_out: list[str] = []
    while True:
        try:
            bars = read(SourceFile(Path(f"{source} {what}"), rows))
        except BrokenInput as error:
            if error.row is None or len(left_out) == _MOST_LEFT_OUT:
                raise SourceChanged(source, f"rows of {what} cannot be ({error})") from error
            left_out.append(f"{rows[symbol][error.row - 1]} ({error.column})")
            rows = rows.filter(pl.int_range(pl.len()) != error.row - 1)
            continue
        return bars, f"left out, no possible bar: {', '.join(left_out)}" if left_out else ""


def wanted_sessions(
    known: Mapping[str, str], window: Window, *, start: date, reask: int, released: Callable[[date], datetime]
) -> list[str]:
    """Keys of a daily feed, newest first: sessions not known yet, and the last ``reask`` released ones again.

    Parameters
    ----------
    released : session -> moment in Seoul
        When its data are out; earlier they are not asked for.
    """
    days = [one for one in window.sessions.astype("datetime64[D]").tolist() if one >= start]
    days = sorted((one for one in days if released(one) <= window.now), reverse=True)
    return [str(one) for place, one in enumerate(days) if place < reask or str(one) not in known]


def next_trading_day(session: date) -> date:
    """The next session by the calendar; beyond its last year the next weekday."""
    day = session + timedelta(days=1)
    while not _may_trade(day):
        day += timedelta(days=1)
    return day


def earlier_trading_days(session: date, *, most: int) -> list[date]:
    """The ``most`` days before a session on which trading was possible, newest first."""
    days: list[date] = []
    day = session
    while len(days) < most:
        day -= timedelta(days=1)
        if _may_trade(day):
            days.append(day)
    return days


def will_come(session: date, now: datetime) -> bool:
    """Whether rows that a service does not have at ``now`` may still appear: two trading days are given to it.

    Counted in sessions, since on the third day of a long holiday a Friday's data may not be out yet.
    """
    second = next_trading_day(next_trading_day(session))
    return now < datetime.combine(max(second, session + timedelta(days=2)), time(0), tzinfo=KST)


def _may_trade(day: date) -> bool:
    if first_day() <= day <= expected_until():
        return len(sessions_between(day, day, expected=True)) == 1
    return bool(np.is_busday(np.datetime64(day, "D")))


@dataclass(slots=True)
class RowCounts:
    """Rows per market of sessions answered lately, to notice an answer that is only a part.

    A count of a session more than ``stale_days`` away is no yardstick.
    """

    source: str
    stale_days: int = 40
    _counts: dict[str, tuple[date, int]] = field(default_factory=dict)

    def needs_earlier(self, session: date, market: str, count: int) -> bool:
        """Whether an earlier session should be counted before `check`.

        So it is when no near session is known, and when a later one has somewhat more rows: on some days many are
        listed at once, most of all on a small market.
        """
        known = self._near(session, market)
        if known is None:
            return True
        day, other = known
        return day > session and _LEAST_GROWN * other <= count < _LEAST_SHARE * other

    def check(self, session: date, market: str, count: int) -> None:
        """Compare with the session remembered last, if it is near; remember nothing.

        Raises
        ------
        SourceChanged
            Fewer than 90 % of its rows.
        """
        known = self._near(session, market)
        if known is not None and count < _LEAST_SHARE * known[1]:
            raise SourceChanged(
                self.source,
                f"{market} has {count:,} rows on {session} and {known[1]:,} on {known[0]}: not a whole market",
            )

    def remember(self, session: date, market: str, count: int) -> None:
        """Take a count as the yardstick of its neighbours."""
        self._counts[market] = (session, count)

    def _near(self, session: date, market: str) -> tuple[date, int] | None:
        known = self._counts.get(market)
        return known if known is not None and abs((known[0] - session).days) <= self.stale_days else None
