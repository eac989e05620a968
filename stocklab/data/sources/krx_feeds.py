"""What is asked of the KRX Open API: whole sessions, newest first, never a part of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import polars as pl

from stocklab.data.sources.calls import KST
from stocklab.data.sources.feed import Answer, AnswerState, Window, session_of
from stocklab.data.sources.krx_openapi import FIRST_SESSION, SOURCE, KrxOpenApi
from stocklab.data.sources.krx_rows import stock_cross_section
from stocklab.data.sources.whole_market import (
    MARKETS,
    RowCounts,
    bars_of_session,
    earlier_trading_days,
    markets_of,
    wanted_sessions,
    will_come,
)

__all__ = ["REASKED", "StockBars", "released"]

REASKED: Final = 3  # sessions asked again in every sync, for late corrections
_STOCK_SERVICES: Final = {"KOSPI": "sto/stk_bydd_trd", "KOSDAQ": "sto/ksq_bydd_trd", "KONEX": "sto/knx_bydd_trd"}
_RELEASE_HOUR: Final = time(8, 0)  # never on the day itself; the hour is not published, before it nobody saw data


def released(session: date) -> datetime:
    """The earliest moment at which a session's data may be out: 08:00 of the next day in Seoul."""
    return datetime.combine(session + timedelta(days=1), _RELEASE_HOUR, tzinfo=KST)


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
    _counts: RowCounts = field(init=False)
    _ahead: dict[tuple[str, date], list[Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.calls_per_key = len(self.markets)
        self._counts = RowCounts(SOURCE)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        self._ahead.clear()
        start = max(self.start, FIRST_SESSION)
        return wanted_sessions(known, window, start=start, reask=self.reask, released=released)

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. A market with fewer than 90 % of the rows of the session asked before is an error; for the
        first key of this object an earlier session is asked too, to compare with."""
        session = session_of(key)
        late = will_come(session, self.api.clock())
        found: dict[str, list[Any]] = {}
        for market in markets_of(session, self.markets):
            found[market] = self._rows(market, session)
            if late and not found[market]:
                return Answer(state=AnswerState.NOT_YET)
        missing = [market for market, rows in found.items() if not rows]
        if len(missing) == len(found):
            return Answer(state=AnswerState.EMPTY)
        if missing:
            return Answer(state=AnswerState.NOT_YET, note=f"no rows of {', '.join(missing)} yet")
        sections = {market: stock_cross_section(SOURCE, market, rows) for market, rows in found.items()}
        for market, section in sections.items():
            self._find_yardstick(session, market)
            self._counts.check(session, market, section.height)
        frame, note = bars_of_session(SOURCE, session, pl.concat(sections.values()))
        for market, section in sections.items():
            self._counts.remember(session, market, section.height)
        return Answer(state=AnswerState.FINAL, frames={"prices_raw": frame}, note=note)

    def _rows(self, market: str, session: date) -> list[Any]:
        ahead = self._ahead.pop((market, session), None)
        return ahead if ahead is not None else self.api.rows(_STOCK_SERVICES[market], session)

    def _find_yardstick(self, session: date, market: str) -> None:
        """Count an earlier session's rows where no near one was asked; its rows are kept for its own turn, the next."""
        if self._counts.near(session, market):
            return
        for day in earlier_trading_days(session, most=3):
            rows = self.api.rows(_STOCK_SERVICES[market], day) if day >= FIRST_SESSION else []
            if rows:
                self._ahead[(market, day)] = rows
                self._counts.remember(day, market, len(rows))
                return
