"""Upbit's public quotation service: markets in won and their daily candles. No key; candles run over UTC days.

Feeds ask for ranges of whole days of all markets, each range once: a coin that leaves the exchange keeps its candles.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self

import httpx
import polars as pl

from stocklab.data.datasets import conform
from stocklab.data.layouts.upbit import coin_bars, coin_instruments
from stocklab.data.sources.calls import CallLedger, now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Window
from stocklab.data.sources.http import Pace, SourceClient, json_of
from stocklab.data.sources.upbit_rows import Market, candle_frame, krw_markets
from stocklab.data.sources.whole_market import possible_bars
from stocklab.errors import SourceBlocked, SourceChanged, SourceTemporary

__all__ = ["FIRST_DAY", "PACE", "SOURCE", "CoinCandles", "CoinMarkets", "Upbit", "range_of", "upbit_feeds"]

SOURCE: Final = "upbit"
FIRST_DAY: Final = date(2017, 9, 25)  # the first candle of KRW-BTC
PACE: Final = Pace(  # ten a second are allowed; after 429 the next second must be waited for
    least_gap_seconds=0.12, most_gap_seconds=0.16, budget=None, first_wait_seconds=2.0, timeout_seconds=10.0
)
_PAGE: Final = 200
_SETTLED_AFTER: Final = timedelta(minutes=10)  # a day's last trades may be counted a moment after it ended
_LOW: Final = 1  # requests left in this second, below which the next second is waited for
_USUAL_BAN: Final = 600.0
_BAN: Final = re.compile(r"(\d+)\s*(초|분|시간|s|m|h)", re.IGNORECASE)
_BAN_UNITS: Final = {"초": 1.0, "분": 60.0, "시간": 3600.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Upbit:
    """The service. Not for use by two threads at once."""

    url: str
    calls: CallLedger
    pace: Pace = PACE
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = now_kst
    _client: SourceClient = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Accept": "application/json"}
        self._client = SourceClient(SOURCE, self.url, self.pace, self.calls, headers=headers, stop=self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the connections."""
        self._client.close()

    def markets(self) -> tuple[Market, ...]:
        """Markets in won by code. Asked twice, since nothing else would show that half of them are missing.

        Raises
        ------
        SourceTemporary
            The two answers differ.
        SourceBlocked, SourceChanged, Cancelled
            See `SourceClient.send`.
        """
        first, second = (krw_markets(SOURCE, self._get("/v1/market/all", {"is_details": "false"})) for _ in range(2))
        if first != second:
            raise SourceTemporary(SOURCE, f"{len(first)} markets in won, then {len(second)}")
        return first

    def day_candles(self, market: str, *, before: date, count: int) -> pl.DataFrame:
        """The last ``count`` (at most 200) daily candles of a market that began before a UTC day, oldest first.

        Columns as in `upbit_rows.candle_frame`. Days without a trade have none.

        Raises
        ------
        SourceTemporary, SourceBlocked, SourceChanged, Cancelled
            See `SourceClient.send`.
        """
        params = {"market": market, "to": f"{before}T00:00:00Z", "count": str(count)}
        return candle_frame(SOURCE, market, before, count, self._get("/v1/candles/days", params))

    def _get(self, path: str, params: Mapping[str, str]) -> Any:
        response = self._client.send("GET", path, params=params, refused=self._refusal)
        left = re.search(r"\bsec=(\d+)", response.headers.get("Remaining-Req", ""))
        if left is not None and int(left[1]) <= _LOW:
            self._client.pause(1.0)
        return json_of(SOURCE, response)

    def _refusal(self, response: httpx.Response) -> SourceBlocked | None:
        """418: blocked for a time the body tells, longer each time."""
        if response.status_code != httpx.codes.IM_A_TEAPOT:
            return None
        said = _BAN.search(response.text)
        seconds = float(said[1]) * _BAN_UNITS[said[2].lower()] if said is not None else _USUAL_BAN
        until = self.clock() + timedelta(seconds=max(seconds, 1.0))
        reason = "blocked for too many requests"
        self.calls.block(SOURCE, until=until, reason=reason)
        return SourceBlocked(SOURCE, until=until, reason=reason)


def upbit_feeds(api: Upbit, *, start: date = FIRST_DAY) -> tuple[CoinMarkets, CoinCandles]:
    """Every feed of the service, the most useful first."""
    return CoinMarkets(api), CoinCandles(api, start=start)


def range_of(key: str) -> tuple[date, date]:
    """First and last day of a key of `CoinCandles`.

    >>> range_of("2026-11-01..2026-11-26")
    (datetime.date(2026, 11, 1), datetime.date(2026, 11, 26))
    """
    first, last = key.split("..")
    return date.fromisoformat(first), date.fromisoformat(last)


@dataclass(slots=True)
class CoinMarkets:
    """Korean names of the coins: ``upbit.markets`` for ``instruments``; the key is the UTC day, one is wanted a day."""

    api: Upbit
    name: str = field(init=False, default=f"{SOURCE}.markets")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("instruments",))
    calls_per_key: int = field(init=False, default=2)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        today = str(window.now.astimezone(UTC).date())
        return [] if today in known else [today]

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. The list is that of now, whatever the key."""
        named = pl.DataFrame([{"symbol": one.code, "name": one.korean_name} for one in self.api.markets()])
        rows = conform("instruments", coin_instruments(named))
        return Answer(state=AnswerState.FINAL, frames={"instruments": rows})


@dataclass(slots=True)
class CoinCandles:
    """Daily candles of every market in won: ``upbit.candles`` for ``prices_coin``.

    A key is a range of UTC days ("2026-11-25..2026-11-26"): whatever days no known key covers, cut into ranges of at
    most 200 days, newest first. The day that is not over is never asked for. `wanted` asks nothing; the list of markets
    is asked with the first key.

    Parameters
    ----------
    start : date
        First day wanted; there are no candles before 2017-09-25.
    """

    api: Upbit
    start: date = FIRST_DAY
    name: str = field(init=False, default=f"{SOURCE}.candles")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("prices_coin",))
    calls_per_key: int = field(init=False, default=200)  # one a market
    _markets: tuple[Market, ...] = field(init=False, default=())
    _began: dict[str, date] = field(init=False, default_factory=dict)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        self._markets = ()
        covered: set[date] = set()
        for key in known:
            first, last = range_of(key)
            covered.update(first + place * _DAY for place in range((last - first).days + 1))
        day = _last_whole_day(window.now)
        keys: list[str] = []
        run: list[date] = []  # consecutive days, newest first
        while day >= max(self.start, FIRST_DAY):
            if day in covered or len(run) == _PAGE:
                keys += _key(run)
                run = []
            if day not in covered:
                run.append(day)
            day -= _DAY
        return [*keys, *_key(run)]

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. All markets answer, or the key fails."""
        first, last = range_of(key)
        if last > _last_whole_day(self.api.clock()):
            return Answer(state=AnswerState.NOT_YET)
        if not self._markets:
            self._markets = self.api.markets()
            self._began.clear()
        parts = [self._market(one.code, first, last) for one in self._markets]
        rows = pl.concat(parts)
        if rows.is_empty():
            recent = last == _last_whole_day(self.api.clock())
            return Answer(state=AnswerState.NOT_YET if recent else AnswerState.EMPTY)
        bars, note = possible_bars(SOURCE, key, rows, lambda file: coin_bars(file, SOURCE), symbol="market")
        return Answer(state=AnswerState.FINAL, frames={"prices_coin": conform("prices_coin", bars)}, note=note)

    def _market(self, market: str, first: date, last: date) -> pl.DataFrame:
        """Candles of a range. A full page is certain to hold every candle there is; any other is asked for twice, and
        nothing may come before its oldest."""
        count = (last - first).days + 1
        before = last + _DAY
        if self._began.get(market, first) > last:
            return candle_frame(SOURCE, market, before, count, [])
        page = self.api.day_candles(market, before=before, count=count)
        wanted = page.filter(pl.col("date") >= first)
        whole = page.height == count
        if wanted.height < count and not self.api.day_candles(market, before=before, count=count).equals(page):
            raise SourceTemporary(SOURCE, f"{market} had other candles when asked again")
        if not whole:
            oldest = page["date"][0] if page.height else before
            if page.height and self.api.day_candles(market, before=oldest, count=1).height:
                raise SourceChanged(
                    SOURCE, f"{market}: {count} candles were asked, {page.height} came, older ones exist"
                )
            self._began[market] = oldest
        return wanted


def _last_whole_day(now: datetime) -> date:
    """The last UTC day that is over and settled."""
    return (now - _SETTLED_AFTER).astimezone(UTC).date() - _DAY


def _key(run: Sequence[date]) -> list[str]:
    return [f"{run[-1]}..{run[0]}"] if run else []
