"""What the OpenDART feeds know before they ask: companies, reports that arrived, periods of receipts.

Filled from the store when a sync begins, and by the feeds as answers come, so that a report that arrives today is asked
for today.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.data.snapshot import Snapshot

__all__ = ["Arrival", "Company", "DartKnown", "Receipt", "common_share"]

_PREFERRED_ENDS: Final = frozenset("579KLM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company with a listed share, now or before. Days and the month of the fiscal year's end are None if unknown."""

    corp_code: str
    symbol: str
    settle_month: int | None = None
    listed_on: date | None = None
    delisted_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A periodic report that was received: a row of the dataset "filings"."""

    symbol: str
    corp_code: str
    filing_no: str
    filed_on: date
    report_code: str
    period_end: date
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is known of one receipt's statements: last day of its own period, and the bases it holds."""

    period_end: date
    bases: frozenset[str]


def common_share(symbol: str) -> str:
    """Symbol of the common share of the same issuer.

    >>> common_share("005935"), common_share("00680K"), common_share("005930")
    ('005930', '006800', '005930')
    """
    return symbol[:5] + "0" if symbol[-1:] in _PREFERRED_ENDS else symbol


@dataclass(slots=True)
class DartKnown:
    """Companies by code, arrivals and receipts by number. Every method is safe from several threads.

    ``instruments`` are the store's rows (symbol, name, market, kind, listed_on, settle_month, corp_code).
    """

    instruments: pl.DataFrame | None = None
    _companies: dict[str, Company] = field(default_factory=dict)
    _arrivals: dict[str, Arrival] = field(default_factory=dict)
    _receipts: dict[str, Receipt] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot | None) -> DartKnown:
        """What a snapshot tells; datasets that it lacks tell nothing."""

        def rows(name: str) -> pl.DataFrame | None:
            return snapshot.scan(name).collect() if snapshot is not None and snapshot.has(name) else None

        known = cls(instruments=rows("instruments"))
        delistings, filings = rows("delistings"), rows("filings")
        gone: dict[str, date] = {}
        if delistings is not None:
            gone = dict(delistings.sort("delisted_on").select("symbol", "delisted_on").iter_rows())
        if known.instruments is not None:
            coded = known.instruments.filter(pl.col("corp_code").is_not_null()).sort("symbol")
            for row in coded.iter_rows(named=True):
                if common_share(row["symbol"]) == row["symbol"]:
                    known.learn_company(_company(row, gone.get(row["symbol"])))
        if snapshot is not None and snapshot.has("statements"):
            known.learn_statements(snapshot.scan("statements"))
        if filings is not None:
            known.learn_arrivals(Arrival(**row) for row in filings.iter_rows(named=True))
        return known

    def learn_company(self, company: Company) -> None:
        """Add a company; what is already known of it stays, gaps are filled."""
        with self._lock:
            before = self._companies.get(company.corp_code)
            if before is None or before.symbol != company.symbol:
                # several shares of one issuer: the common one speaks for it
                if before is None or common_share(before.symbol) != before.symbol:
                    self._companies[company.corp_code] = company
                return
            self._companies[company.corp_code] = Company(
                corp_code=company.corp_code,
                symbol=company.symbol,
                settle_month=before.settle_month or company.settle_month,
                listed_on=before.listed_on or company.listed_on,
                delisted_on=before.delisted_on or company.delisted_on,
            )

    def learn_arrivals(self, arrivals: Iterable[Arrival]) -> None:
        """Add reports that were received."""
        with self._lock:
            self._arrivals.update((one.filing_no, one) for one in arrivals)

    def learn_statements(self, rows: pl.DataFrame | pl.LazyFrame) -> None:
        """Add receipts from rows of the dataset "statements"."""
        reports = rows.lazy().select("filing_no", "period_end", "statement_basis").drop_nulls().unique()
        own = reports.filter(pl.col("period_end") == pl.col("period_end").max().over("filing_no"))
        groups = own.group_by("filing_no").agg(pl.col("period_end").first(), pl.col("statement_basis")).collect()
        with self._lock:
            for number, end, bases in groups.iter_rows():
                before = self._receipts.get(number)
                held = frozenset(bases) | (before.bases if before is not None else frozenset())
                self._receipts[number] = Receipt(period_end=end, bases=held)

    def companies(self) -> list[Company]:
        """Every company, listed ones first, then by symbol."""
        with self._lock:
            return sorted(self._companies.values(), key=lambda one: (one.delisted_on is not None, one.symbol))

    def company(self, corp_code: str) -> Company | None:
        """The company of a code."""
        with self._lock:
            return self._companies.get(corp_code)

    def arrivals(self) -> list[Arrival]:
        """Every arrival, the newest first."""
        with self._lock:
            return sorted(self._arrivals.values(), key=lambda one: (one.filed_on, one.filing_no), reverse=True)

    def receipt(self, filing_no: str) -> Receipt | None:
        """What is known of a receipt."""
        with self._lock:
            return self._receipts.get(filing_no)


def _company(row: dict[str, Any], delisted_on: date | None) -> Company:
    return Company(
        corp_code=row["corp_code"],
        symbol=row["symbol"],
        settle_month=row["settle_month"],
        listed_on=row["listed_on"],
        delisted_on=delisted_on,
    )
