"""What formulas read: a panel or one series as named arrays, with nothing taken from the future."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.market import calendar
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import MARKET_CODES, Panel, PriceBasis
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray, IntArray

__all__ = ["Inputs", "calendar_series", "every_day_series", "inputs_of", "inputs_of_series"]

FILING_AGE: Final = "days_since_filing"
CALENDAR_FIELDS: Final = ("cal_month", "cal_tdom", "cal_tdleft")
_INDEX_OF_MARKET: Final = {"KOSPI": "KOSPI", "KOSDAQ": "KOSDAQ", "KONEX": "KOSDAQ", "UPBIT": "KRW-BTC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Arrays by field name.

    Attributes
    ----------
    listed : (n_sessions, n_symbols) bool
    tables : (n_sessions, n_symbols), any number type
    turned : some of the tables as (n_symbols, n_sessions)
    shared : (n_sessions,) float64, the same for every symbol
    market, levels : market of each cell as a code, and the index closes by code (n_codes, n_sessions); both None
        where no index is known
    groups : (n_symbols,) int64, -1 = unknown
    fundamentals : statement figures, None where there are none
    not_financial : (n_symbols,) float64, 1 and null for issuers of the financial sector
    """

    listed: BoolArray
    tables: Mapping[str, AnyArray]
    turned: Mapping[str, AnyArray]
    shared: Mapping[str, FloatArray]
    market: AnyArray | None
    levels: FloatArray | None
    groups: IntArray
    fundamentals: Fundamentals | None
    not_financial: FloatArray

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return int(self.listed.shape[0])

    @property
    def n_symbols(self) -> int:
        """Number of symbols."""
        return int(self.listed.shape[1])


def frozen(array: AnyArray) -> AnyArray:
    """The same memory, C order and read-only: compiled code meets one kind of array only."""
    view = np.ascontiguousarray(np.asarray(array)).view()
    view.flags.writeable = False
    return view


def inputs_of(panel: Panel, names: frozenset[str]) -> Inputs:
    """The fields ``names`` of a panel; one it does not have is absent, which means null everywhere."""
    tables = {name: frozen(panel.fields[name]) for name in names if name in panel.fields}
    stored = {name: panel.turned(name) for name in tables}
    shared: dict[str, FloatArray] = {}
    if "rf" in names and "rf" not in tables:
        shared["rf"] = frozen(panel.rf.astype(np.float64, copy=False))
    shared |= {name: frozen(panel.series[name]) for name in names if name in panel.series and name not in tables}
    if names & set(CALENDAR_FIELDS):
        coins = panel.basis is PriceBasis.COIN
        known = every_day_series(panel.sessions) if coins else calendar_series(panel.sessions)
        shared |= {name: frozen(known[name]) for name in CALENDAR_FIELDS if name in names and name not in tables}
    if FILING_AGE in names and FILING_AGE not in tables and panel.fundamentals is not None:
        tables[FILING_AGE] = frozen(_filing_age(panel, panel.fundamentals))
    market = levels = None
    if "mkt_close" in names and "mkt_close" not in tables:
        market = frozen(panel.fields["market"])
        levels = frozen(_levels(panel))
    return Inputs(
        listed=frozen(panel.fields["listed"]),
        tables=tables,
        turned={name: frozen(values) for name, values in stored.items() if values is not None},
        shared=shared,
        market=market,
        levels=levels,
        groups=frozen(panel.sector_codes()[0]),
        fundamentals=panel.fundamentals,
        not_financial=frozen(np.where(panel.instruments.financial, np.nan, 1.0)),
    )


def inputs_of_series(columns: Mapping[str, FloatArray]) -> Inputs:
    """One series: each column becomes a table one symbol wide.

    Raises
    ------
    InputError
        The columns differ in length, or there are none.
    """
    sizes = {len(column) for column in columns.values()}
    if len(sizes) != 1:
        raise InputError(f"Expected columns of one length, found lengths {sorted(sizes)}.")
    size = sizes.pop()
    tables = {name: frozen(np.asarray(column, dtype=np.float64).reshape(size, 1)) for name, column in columns.items()}
    return Inputs(
        listed=frozen(np.ones((size, 1), dtype=np.bool_)),
        tables=tables,
        turned={},
        shared={},
        market=None,
        levels=None,
        groups=frozen(np.full(1, -1, dtype=np.int64)),
        fundamentals=None,
        not_financial=frozen(np.ones(1)),
    )


def _filing_age(panel: Panel, known: Fundamentals) -> FloatArray:
    """(n_sessions, n_symbols) calendar days since the newest visible quarter became visible."""
    days = panel.sessions.astype("datetime64[D]").astype(np.int64)
    age = np.full((panel.n_sessions, panel.n_symbols), np.nan)
    for symbol in range(panel.n_symbols):
        begin, stop = known.first_view[symbol], known.first_view[symbol + 1]
        rows = np.minimum(np.append(known.view_row[begin:stop], panel.n_sessions), panel.n_sessions).astype(np.int64)
        since = np.repeat(known.view_since[begin:stop], np.diff(rows))
        age[rows[0] :, symbol] = days[rows[0] :] - since
    return age


def _levels(panel: Panel) -> FloatArray:
    levels = np.full((max(MARKET_CODES.values()) + 1, panel.n_sessions), np.nan)
    for market, index in _INDEX_OF_MARKET.items():
        if index in panel.indices:
            levels[MARKET_CODES[market]] = panel.indices[index]
    return levels


def calendar_series(sessions: DateArray) -> dict[str, FloatArray]:
    """Month, number of the session in its month, and sessions left in it, from the exchange calendar.

    Parameters
    ----------
    sessions : (n_sessions,) datetime64[D], ascending

    Returns
    -------
    dict of (n_sessions,) float64
        ``cal_month`` 1..12; ``cal_tdom`` 1 = first of the month; ``cal_tdleft`` 0 = last. In a month the calendar does
        not cover, the sessions given are counted, and what they cannot tell is NaN: the number in a first month that
        may have begun earlier, the rest of the last month. So a longer panel never changes an earlier value.
    """
    days = sessions.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    number, left = np.full(len(days), np.nan), np.full(len(days), np.nan)
    if len(days):
        own_number, own_left = _places(days, months, days)
        official, covered = _official(months)
        official_number, official_left = _places(days, months, official)
        number = np.where(covered, official_number, np.where(months != months[0], own_number, np.nan))
        left = np.where(covered, official_left, np.where(months != months[-1], own_left, np.nan))
    return {"cal_month": months.astype(np.int64) % 12 + 1.0, "cal_tdom": number, "cal_tdleft": left}


def every_day_series(sessions: DateArray) -> dict[str, FloatArray]:
    """`calendar_series` of coins, which trade every day: the day of the month, and the days left in it.

    >>> {name: values.tolist() for name, values in every_day_series(np.array(["2024-02-27"], "M8[D]")).items()}
    {'cal_month': [2.0], 'cal_tdom': [27.0], 'cal_tdleft': [2.0]}
    """
    days = sessions.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    number = (days - months.astype("datetime64[D]")).astype(np.float64) + 1.0
    left = ((months + 1).astype("datetime64[D]") - days).astype(np.float64) - 1.0
    return {"cal_month": months.astype(np.int64) % 12 + 1.0, "cal_tdom": number, "cal_tdleft": left}


def _places(days: DateArray, months: DateArray, among: DateArray) -> tuple[IntArray, IntArray]:
    """Number of each day among the sessions of its month, and how many follow it there."""
    first = np.searchsorted(among, months.astype("datetime64[D]"), side="left")
    after = np.searchsorted(among, (months + 1).astype("datetime64[D]"), side="left")
    here = np.searchsorted(among, days, side="right")
    return here - first, after - here


def _official(months: DateArray) -> tuple[DateArray, BoolArray]:
    """Sessions of the calendar over these months, and which months it covers whole."""
    start = _later_month(calendar.first_day())
    end = calendar.expected_until()
    first = max(months[0].astype("datetime64[D]").astype(date), start)
    last = min(((months[-1] + 1).astype("datetime64[D]") - 1).astype(date), end)
    if first > last:
        return np.array([], dtype="datetime64[D]"), np.zeros(len(months), dtype=np.bool_)
    official = calendar.sessions_between(first, last, expected=True)
    begins = months.astype("datetime64[D]")
    ends = (months + 1).astype("datetime64[D]") - 1
    return official, (begins >= np.datetime64(first, "D")) & (ends <= np.datetime64(last, "D"))


def _later_month(day: date) -> date:
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
