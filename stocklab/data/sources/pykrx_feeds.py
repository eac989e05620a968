"""What only the KRX Data Marketplace has: flows, foreign holdings, short sales, index members; one session a key.

The tables are read as KRX sent them. "-" and nothing are unknown, never zero; a table without rows, or without numbers,
on a day the exchange was open is a fault, never an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

import polars as pl

from stocklab.data.sources.calls import KST, now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Window, session_of
from stocklab.data.sources.pykrx import SOURCE
from stocklab.errors import SourceChanged, SourceTemporary
from stocklab.market.calendar import confirmed_until, is_session

__all__ = ["Flows", "Foreign", "Members", "Short", "TableSource", "whole_number"]

Row = Mapping[str, str | None]

_SESSIONS_BACK: Final = 60
_EVENING: Final = time(18, 0)  # when the tables of a day are taken to be final
_LATE: Final = timedelta(days=7)  # after this a day without rows was no session
_SHORT_LAG: Final = 2  # sessions until balances are published
_NUMBER: Final = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)")
_LEAST_KNOWN: Final = 0.5  # of the rows; fewer numbers than that are no table of an open day

# ``invstTpCd``: foreigners registered and others, institutions together, pension funds
_INVESTORS: Final = {"frgn": 9000, "other_frgn": 9001, "inst_net": 7050, "pension_net": 6000}
_MARKETS: Final = {"STK": 1, "KSQ": 2}  # ``mktId`` of the one table, ``mktTpCd`` of the other
# name -> (pykrx's number, least and most members: an index has a few more or less for some days after a split-off)
_INDICES: Final = {"KOSPI200": ("1028", 185, 215), "KOSDAQ150": ("2203", 140, 160)}


class TableSource(Protocol):
    """Who is asked: `PykrxSession`."""

    def table(self, name: str, **arguments: str | int) -> list[Row]:
        """See `PykrxSession.table`."""
        ...


@dataclass(slots=True)
class _Daily:
    """Keys and states of a feed of one question set a session."""

    session: TableSource
    clock: Callable[[], datetime] = now_kst
    source: str = SOURCE
    lag: int = 0  # sessions that must have ended since

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """The last 60 sessions that are final and not known, the newest first: KRX shuts out who asks for history."""
        days: list[date] = [day.astype(object) for day in window.sessions[-_SESSIONS_BACK - self.lag :]]
        if days and self.lag == 0 and days[-1] == window.today and window.now.astimezone(KST).time() < _EVENING:
            days.pop()
        if self.lag:
            days = days[: -self.lag]
        return [str(day) for day in reversed(days) if str(day) not in known]

    def without_rows(self, day: date, what: str) -> Answer:
        """An empty table: a fault on a session, a holiday otherwise, and not known yet beyond the calendar."""
        if day <= confirmed_until():
            if is_session(day):
                raise SourceTemporary(SOURCE, f"{what} of {day} has no numbers although the exchange was open")
            return Answer(state=AnswerState.EMPTY)
        recent = self.clock().date() - day <= _LATE
        return Answer(state=AnswerState.NOT_YET if recent else AnswerState.EMPTY, note=f"{what} has no numbers")


@dataclass(slots=True)
class Flows(_Daily):
    """Net purchases by foreigners, institutions and pension funds, KRW. Four questions."""

    name: str = "pykrx.flows"
    datasets: tuple[str, ...] = ("investor_flows",)
    calls_per_key: int = 4

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. Who is not in the table of a class has an unknown net purchase of it."""
        day = session_of(key)
        joined = pl.DataFrame(schema={"symbol": pl.String})
        for name, code in _INVESTORS.items():
            rows = self.session.table("net_purchases", day=f"{day:%Y%m%d}", investor=code)
            values = _values(rows, "ISU_SRT_CD", {"NETBID_TRDVAL": name})
            # other foreigners trade few shares, and some day perhaps none
            if name != "other_frgn" and not _has_numbers(values, name):
                return self.without_rows(day, f"the table of investor {code}")
            joined = joined.join(values, on="symbol", how="full", coalesce=True)
        frame = joined.select(
            pl.lit(day).alias("session"),
            "symbol",
            # the list holds who was traded: foreigners who are not in the second one bought and sold nothing
            frgn_net=pl.col("frgn") + pl.col("other_frgn").fill_null(0),
            inst_net="inst_net",
            pension_net="pension_net",
        )
        return Answer(state=AnswerState.FINAL, frames={"investor_flows": frame})


@dataclass(slots=True)
class Foreign(_Daily):
    """Shares that foreigners hold, of the whole market in one question; confirmed on the next session."""

    lag: int = 1
    name: str = "pykrx.foreign"
    datasets: tuple[str, ...] = ("foreign_holdings",)
    calls_per_key: int = 1

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. On a holiday every number of the table is "-"."""
        day = session_of(key)
        rows = self.session.table("foreign", day=f"{day:%Y%m%d}")
        values = _values(rows, "ISU_SRT_CD", {"FORN_HD_QTY": "frgn_shares"})
        if not _has_numbers(values, "frgn_shares"):
            return self.without_rows(day, "the table of foreign holdings")
        frame = values.drop_nulls().select(pl.lit(day).alias("session"), "symbol", "frgn_shares")
        return Answer(state=AnswerState.FINAL, frames={"foreign_holdings": frame}, note=_left_out(values, frame))


@dataclass(slots=True)
class Short(_Daily):
    """Shares sold short in a session and held short at its end; balances are published two sessions later."""

    lag: int = _SHORT_LAG
    name: str = "pykrx.short"
    datasets: tuple[str, ...] = ("short_sales",)
    calls_per_key: int = 4

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`."""
        day = session_of(key)
        asked = f"{day:%Y%m%d}"
        parts = []
        for market, number in _MARKETS.items():
            sold = self.session.table("short_trades", day=asked, market=market)
            held = self.session.table("short_balance", day=asked, market=number)
            volumes = _values(sold, "ISU_CD", {"CVSRTSELL_TRDVOL": "short_vol"})
            balances = _values(held, "ISU_CD", {"BAL_QTY": "short_bal"})
            for values, name in ((volumes, "short_vol"), (balances, "short_bal")):
                if not _has_numbers(values, name):
                    return self.without_rows(day, f"the table {name} of {market}")
            parts.append(volumes.join(balances, on="symbol", how="full", coalesce=True))
        both = pl.concat(parts)
        frame = both.filter(pl.col("short_vol").is_not_null() | pl.col("short_bal").is_not_null())
        frame = frame.select(pl.lit(day).alias("session"), "symbol", "short_vol", "short_bal")
        return Answer(state=AnswerState.FINAL, frames={"short_sales": frame}, note=_left_out(both, frame))


@dataclass(slots=True)
class Members(_Daily):
    """Members of KOSPI 200 and KOSDAQ 150 on a session."""

    name: str = "pykrx.members"
    datasets: tuple[str, ...] = ("members",)
    calls_per_key: int = 2

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. A list of another length than the index can have is refused."""
        day = session_of(key)
        parts = []
        for name, (number, least, most) in _INDICES.items():
            rows = self.session.table("members", day=f"{day:%Y%m%d}", index=number)
            symbols = sorted({_symbol(row, "ISU_SRT_CD") for row in rows})
            if not symbols:
                return self.without_rows(day, f"the list of {name}")
            if not least <= len(symbols) <= most:
                raise SourceChanged(SOURCE, f"{name} has {len(symbols)} members on {day}, expected {least} to {most}")
            parts.append(pl.DataFrame({"symbol": symbols}).with_columns(pl.lit(name).alias("name")))
        frame = pl.concat(parts).select(
            pl.lit(day).alias("session"),
            pl.lit("index").alias("kind"),
            "name",
            "symbol",
            pl.lit(SOURCE).alias("source"),
        )
        return Answer(state=AnswerState.FINAL, frames={"members": frame})


def whole_number(text: str | None) -> int | None:
    """A count as KRX prints it; None for "-" and nothing.

    Raises
    ------
    SourceChanged
        It is something else.

    >>> whole_number("3,314,966,371"), whole_number("-"), whole_number("0"), whole_number("-1,234")
    (3314966371, None, 0, -1234)
    """
    shown = (text or "").strip()
    if shown in {"", "-"}:
        return None
    if not _NUMBER.fullmatch(shown):
        raise SourceChanged(SOURCE, "expected a count", found=shown[:40])
    return int(shown.replace(",", ""))


def _symbol(row: Row, column: str) -> str:
    code = (row.get(column) or "").strip()
    code = code[3:9] if len(code) == 12 else code  # an ISIN such as KR7005930003
    if not re.fullmatch(r"[0-9A-Z]{6}", code):
        raise SourceChanged(SOURCE, f"expected a code of six characters in {column}", found=code[:20])
    return code


def _values(rows: Sequence[Row], code: str, columns: Mapping[str, str]) -> pl.DataFrame:
    """One row a symbol with the named columns as whole numbers, null where the table has none."""
    for row in rows[:1]:
        if missing := [name for name in columns if name not in row]:
            raise SourceChanged(SOURCE, f"a table without {missing[0]}", found=", ".join(row)[:80])
    records = [
        {"symbol": _symbol(row, code), **{ours: whole_number(row.get(theirs)) for theirs, ours in columns.items()}}
        for row in rows
    ]
    frame = pl.DataFrame(records, schema={"symbol": pl.String, **dict.fromkeys(columns.values(), pl.Int64)})
    if frame["symbol"].is_duplicated().any():
        raise SourceChanged(SOURCE, "a table names a symbol twice")
    return frame


def _has_numbers(values: pl.DataFrame, name: str) -> bool:
    return bool(values.height) and values[name].count() >= _LEAST_KNOWN * values.height


def _left_out(before: pl.DataFrame, after: pl.DataFrame) -> str:
    count = before.height - after.height
    return f"{count} symbols without a number left out" if count else ""
