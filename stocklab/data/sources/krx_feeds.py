"""What is asked of the KRX Open API: whole sessions, newest first, never a part of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import polars as pl

from stocklab.data.datasets import conform
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.sources.calls import KST
from stocklab.data.sources.feed import Answer, AnswerState, Window, session_of
from stocklab.data.sources.krx_openapi import FIRST_SESSION, SOURCE, KrxOpenApi
from stocklab.data.sources.krx_rows import etf_cross_section, index_rows, master_rows, stock_cross_section
from stocklab.data.sources.whole_market import (
    MARKETS,
    RowCounts,
    bars_of_session,
    earlier_trading_days,
    markets_of,
    wanted_sessions,
    will_come,
)

__all__ = ["REASKED", "EtfBars", "IndexLevels", "IssueMaster", "StockBars", "krx_feeds", "released"]

REASKED: Final = 3  # sessions asked again in every sync, for late corrections
_STOCK_SERVICES: Final = {"KOSPI": "sto/stk_bydd_trd", "KOSDAQ": "sto/ksq_bydd_trd", "KONEX": "sto/knx_bydd_trd"}
_MASTER_SERVICES: Final = {
    "KOSPI": "sto/stk_isu_base_info",
    "KOSDAQ": "sto/ksq_isu_base_info",
    "KONEX": "sto/knx_isu_base_info",
}
_ETF_SERVICES: Final = {"ETF": "etp/etf_bydd_trd"}
_INDEX_SERVICES: Final = {"KOSPI": "idx/kospi_dd_trd", "KOSDAQ": "idx/kosdaq_dd_trd"}
_KOSDAQ150_BEGAN: Final = date(2015, 7, 13)  # KRX: 코스닥150 지수 산출 개시; earlier values were computed later
_RELEASE_HOUR: Final = time(8, 0)  # never on the day itself; the hour is not published, before it nobody saw data
_MASTER_AGE: Final = timedelta(days=7)
_MASTER_YARDSTICK_DAYS: Final = 100  # quarters lie further apart than sessions


def released(session: date) -> datetime:
    """The earliest moment at which a session's data may be out: 08:00 of the next day in Seoul."""
    return datetime.combine(session + timedelta(days=1), _RELEASE_HOUR, tzinfo=KST)


def krx_feeds(
    api: KrxOpenApi, *, start: date = FIRST_SESSION, markets: tuple[str, ...] = MARKETS
) -> tuple[StockBars, IndexLevels, EtfBars, IssueMaster]:
    """Every feed of the service, the most useful first."""
    return (
        StockBars(api, start=start, markets=markets),
        IndexLevels(api, start=start),
        EtfBars(api, start=start),
        IssueMaster(api, start=start, markets=markets),
    )


@dataclass(slots=True)
class _Sections:
    """The rows of several services of one session: all of them or a reason why not."""

    api: KrxOpenApi
    services: Mapping[str, str]
    counts: RowCounts = field(default_factory=lambda: RowCounts(SOURCE))
    _ahead: dict[tuple[str, date], list[Any]] = field(default_factory=dict)

    def forget(self) -> None:
        """Drop rows that were asked ahead of their turn."""
        self._ahead.clear()

    def ask(self, session: date, names: Iterable[str]) -> dict[str, list[Any]] | Answer:
        """Rows by section, none of them empty; else NOT_YET, or EMPTY when it is final that there are none."""
        late = will_come(session, self.api.clock())
        found: dict[str, list[Any]] = {}
        for name in names:
            ahead = self._ahead.pop((name, session), None)
            found[name] = ahead if ahead is not None else self.api.rows(self.services[name], session)
            if late and not found[name]:
                return Answer(state=AnswerState.NOT_YET)
        missing = [name for name, rows in found.items() if not rows]
        if len(missing) == len(found):
            return Answer(state=AnswerState.EMPTY)
        if missing:
            return Answer(state=AnswerState.NOT_YET, note=f"no rows of {', '.join(missing)} yet")
        return found

    def check(self, session: date, sections: Mapping[str, pl.DataFrame]) -> None:
        """Compare the sizes with the session asked before; where none was, ask for an earlier one, whose rows are kept
        for its own turn, which is the next.

        Raises
        ------
        SourceChanged
            A section has fewer than 90 % of the rows.
        """
        for name, section in sections.items():
            if self.counts.needs_earlier(session, name, section.height):
                self._ask_ahead(session, name)
            self.counts.check(session, name, section.height)

    def remember(self, session: date, sections: Mapping[str, pl.DataFrame]) -> None:
        """Take the sizes as the next yardstick."""
        for name, section in sections.items():
            self.counts.remember(session, name, section.height)

    def _ask_ahead(self, session: date, name: str) -> None:
        for day in earlier_trading_days(session, most=3):
            rows = self.api.rows(self.services[name], day) if day >= FIRST_SESSION else []
            if rows:
                self._ahead[(name, day)] = rows
                self.counts.remember(day, name, len(rows))
                return


@dataclass(slots=True)
class StockBars:
    """Bars of every listed share of a session: ``krx_openapi.stocks`` for the dataset ``prices_raw``.

    Parameters
    ----------
    api : KrxOpenApi
    start : date
        First session wanted; the service has none before 2010-01-04.
    markets : tuple of str
        Of KOSPI, KOSDAQ, KONEX. A session in which one of them is missing is not answered yet.
    reask : int
        The newest sessions to ask again although they are known.
    """

    api: KrxOpenApi
    start: date = FIRST_SESSION
    markets: tuple[str, ...] = MARKETS
    reask: int = REASKED
    name: str = field(init=False, default=f"{SOURCE}.stocks")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("prices_raw",))
    calls_per_key: int = field(init=False)
    _sections: _Sections = field(init=False)

    def __post_init__(self) -> None:
        self.calls_per_key = len(self.markets)
        self._sections = _Sections(self.api, _STOCK_SERVICES)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        self._sections.forget()
        return _wanted(known, window, self.start, self.reask)

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. A market with fewer than 90 % of the rows of the session asked before is an error; for the
        first key of this object an earlier session is asked too, to compare with."""
        session = session_of(key)
        found = self._sections.ask(session, markets_of(session, self.markets))
        if isinstance(found, Answer):
            return found
        parts = {market: stock_cross_section(SOURCE, market, rows) for market, rows in found.items()}
        self._sections.check(session, parts)
        frame, note, left_out = bars_of_session(SOURCE, session, pl.concat(parts.values()))
        self._sections.remember(session, parts)
        return Answer(state=AnswerState.FINAL, frames={"prices_raw": frame}, note=note, left_out=left_out)


@dataclass(slots=True)
class EtfBars:
    """Bars of every ETF of a session: ``krx_openapi.etfs`` for ``prices_raw``.

    Each also gets a row of kind etf in ``instruments``, without which it would be taken for a share. Parameters as for
    `StockBars`.
    """

    api: KrxOpenApi
    start: date = FIRST_SESSION
    reask: int = REASKED
    name: str = field(init=False, default=f"{SOURCE}.etfs")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("prices_raw", "instruments"))
    calls_per_key: int = field(init=False, default=1)
    _sections: _Sections = field(init=False)

    def __post_init__(self) -> None:
        self._sections = _Sections(self.api, _ETF_SERVICES)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        self._sections.forget()
        return _wanted(known, window, self.start, self.reask)

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`; `StockBars.fetch` tells when an answer is an error."""
        session = session_of(key)
        found = self._sections.ask(session, _ETF_SERVICES)
        if isinstance(found, Answer):
            return found
        parts = {"ETF": etf_cross_section(SOURCE, found["ETF"])}
        self._sections.check(session, parts)
        frame, note, left_out = bars_of_session(SOURCE, session, parts["ETF"])
        self._sections.remember(session, parts)
        named = parts["ETF"].select("market", symbol="code", name="name", kind=pl.lit("etf"))
        named = named.join(frame, on="symbol", how="semi")
        funds = conform("instruments", instrument_rows(named))
        frames = {"prices_raw": frame, "instruments": funds}
        return Answer(state=AnswerState.FINAL, frames=frames, note=note, left_out=left_out)


@dataclass(slots=True)
class IndexLevels:
    """Levels of KOSPI, KOSPI200, KOSDAQ and KOSDAQ150: ``krx_openapi.indices``. Parameters as for `StockBars`."""

    api: KrxOpenApi
    start: date = FIRST_SESSION
    reask: int = REASKED
    name: str = field(init=False, default=f"{SOURCE}.indices")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("indices",))
    calls_per_key: int = field(init=False, default=len(_INDEX_SERVICES))
    _sections: _Sections = field(init=False)

    def __post_init__(self) -> None:
        self._sections = _Sections(self.api, _INDEX_SERVICES)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        return _wanted(known, window, self.start, self.reask)

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. An answer without one of the indices is an error (KOSDAQ150: since it began in 2015)."""
        session = session_of(key)
        found = self._sections.ask(session, _INDEX_SERVICES)
        if isinstance(found, Answer):
            return found
        expected = {
            "KOSPI": {"KOSPI": True, "KOSPI200": True},
            "KOSDAQ": {"KOSDAQ": True, "KOSDAQ150": session >= _KOSDAQ150_BEGAN},
        }
        frames = [index_rows(SOURCE, session, rows, expected[market]) for market, rows in found.items()]
        return Answer(state=AnswerState.FINAL, frames={"indices": conform("indices", pl.concat(frames))})


@dataclass(slots=True)
class IssueMaster:
    """Names, markets, kinds and listing days of all shares: ``krx_openapi.instruments``.

    Wanted is the list of the newest session once a week, and before it those of the ends of past quarters, which name
    the shares that were delisted since. They come oldest first, because a later list knows better.

    Parameters
    ----------
    history : bool
        Whether past quarters are wanted.
    """

    api: KrxOpenApi
    start: date = FIRST_SESSION
    markets: tuple[str, ...] = MARKETS
    history: bool = True
    name: str = field(init=False, default=f"{SOURCE}.instruments")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("instruments",))
    calls_per_key: int = field(init=False)
    _sections: _Sections = field(init=False)

    def __post_init__(self) -> None:
        self.calls_per_key = len(self.markets)
        self._sections = _Sections(
            self.api, _MASTER_SERVICES, counts=RowCounts(SOURCE, stale_days=_MASTER_YARDSTICK_DAYS)
        )

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`; oldest first."""
        self._sections.forget()
        days = sorted(session_of(key) for key in _wanted({}, window, self.start, 0))
        if not days:
            return []
        last_of = {(day.year, (day.month - 1) // 3): day for day in days}
        newest = days[-1]
        del last_of[(newest.year, (newest.month - 1) // 3)]
        keys = [str(day) for day in last_of.values() if self.history and str(day) not in known]
        if all(session_of(key) <= newest - _MASTER_AGE for key in known):
            keys.append(str(newest))
        return keys

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`; `StockBars.fetch` tells when an answer is an error."""
        day = session_of(key)
        found = self._sections.ask(day, markets_of(day, self.markets))
        if isinstance(found, Answer):
            return found
        parts = {market: master_rows(SOURCE, market, rows) for market, rows in found.items()}
        self._sections.check(day, parts)
        self._sections.remember(day, parts)
        rows = pl.concat(parts.values()).unique("symbol", keep="first", maintain_order=True)
        return Answer(state=AnswerState.FINAL, frames={"instruments": conform("instruments", rows)})


def _wanted(known: Mapping[str, str], window: Window, start: date, reask: int) -> list[str]:
    return wanted_sessions(known, window, start=max(start, FIRST_SESSION), reask=reask, released=released)
