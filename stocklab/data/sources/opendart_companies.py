"""OpenDART's companies: the list of codes, which completes known instruments, and each day's periodic reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from xml.etree import ElementTree

import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.layouts.piece import ROW
from stocklab.data.sources.calls import now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Window, session_of
from stocklab.data.sources.opendart import SOURCE, DartClient, Row
from stocklab.data.sources.opendart_known import Arrival, Company, DartKnown, common_share
from stocklab.data.sources.opendart_reports import received_on, report_of_title
from stocklab.errors import SourceChanged, SourceTemporary

__all__ = ["CorpCodes", "Filings"]

_PAGE: Final = 100
_MOST_PAGES: Final = 200
_DAYS_BACK: Final = 120  # a report older than this is found by its business year
_WITHDRAWN: Final = "철"


@dataclass(slots=True)
class CorpCodes:
    """The list of company codes, asked for once a week; keys are ISO weeks ("2026-W48")."""

    dart: DartClient
    known: DartKnown
    clock: Callable[[], datetime] = now_kst
    name: str = "opendart.corp_codes"
    source: str = SOURCE
    datasets: tuple[str, ...] = ("instruments",)
    calls_per_key: int = 1

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """This week, unless it was asked for."""
        week = _week(window.today)
        return [] if week in known else [week]

    def fetch(self, key: str) -> Answer:
        """Codes of the instruments that are known; no instrument is added. See `Feed.fetch`."""
        content = self.dart.file("corpCode")
        if content is None:
            raise SourceChanged(SOURCE, "there is no list of companies")
        codes = _codes(content)
        instruments = self.known.instruments
        if instruments is None or instruments.is_empty():
            return Answer(state=AnswerState.NOT_YET, note="no instruments are known yet that codes could complete")
        rows = []
        for row in instruments.filter(pl.col("market") != "UPBIT").iter_rows(named=True):
            symbol = row["symbol"]
            code = codes.get(symbol) or codes.get(common_share(symbol)) or row["corp_code"]
            if code is None:
                continue
            rows.append({"symbol": symbol, "name": row["name"], "kind": row["kind"], "corp_code": code})
            if common_share(symbol) == symbol:
                self.known.learn_company(
                    Company(corp_code=code, symbol=symbol, settle_month=row["settle_month"], listed_on=row["listed_on"])
                )
        if not rows:
            return Answer(state=AnswerState.EMPTY, note="no known instrument is in the list")
        frame = pl.DataFrame(rows, schema=dict.fromkeys(("symbol", "name", "kind", "corp_code"), pl.String))
        frame = instrument_rows(frame.with_columns(market=pl.lit(""))).drop(ROW)
        return Answer(state=AnswerState.FINAL, frames={"instruments": frame})


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _codes(content: bytes) -> dict[str, str]:
    """Symbol -> company code. A symbol that was used again belongs to the entry that was changed last."""
    found: dict[str, tuple[str, str]] = {}
    try:
        for item in ElementTree.fromstring(content).iter("list"):  # noqa: S314 (expat resolves no outside entities)
            symbol = (item.findtext("stock_code") or "").strip()
            code = (item.findtext("corp_code") or "").strip()
            changed = (item.findtext("modify_date") or "").strip()
            if not symbol:
                continue
            if len(symbol) != 6 or len(code) != 8 or not code.isdigit():
                raise SourceChanged(SOURCE, "the list of companies", found=f"{symbol} {code}"[:40])
            found[symbol] = max(found.get(symbol, ("", "")), (changed, code))
    except ElementTree.ParseError as error:
        raise SourceTemporary(SOURCE, f"the list of companies is cut or damaged (line {error.position[0]})") from None
    if not found:
        raise SourceChanged(SOURCE, "the list of companies names no listed one")
    return {symbol: code for symbol, (_, code) in found.items()}


@dataclass(slots=True)
class Filings:
    """Periodic reports received on a day, every version; keys are days ("2026-11-13").

    Today's are learnt, so that their numbers can be asked for at once, but stored when the day is over.
    """

    dart: DartClient
    known: DartKnown
    clock: Callable[[], datetime] = now_kst
    name: str = "opendart.filings"
    source: str = SOURCE
    datasets: tuple[str, ...] = ("filings",)
    calls_per_key: int = 2

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """Days from the first known one (or 120 days ago) to today that are not known, the newest first."""
        first = window.today - timedelta(days=_DAYS_BACK)
        if known:
            first = min(first, session_of(min(known)))
        days = (window.today - first).days
        every = ((window.today - timedelta(days=back)).isoformat() for back in range(days + 1))
        return [day for day in every if day not in known]

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`."""
        day = session_of(key)
        found = [one for row in self._pages(day) if (one := self._arrival(row)) is not None]
        self.known.learn_arrivals(found)
        if day >= self.clock().date():
            return Answer(state=AnswerState.NOT_YET)
        if not found:
            return Answer(state=AnswerState.EMPTY)
        schema = dict(DATASETS["filings"].schema)
        frame = pl.DataFrame([{name: getattr(one, name) for name in schema} for one in found], schema=schema)
        return Answer(state=AnswerState.FINAL, frames={"filings": frame})

    def _pages(self, day: date) -> list[Row]:
        """Every row of the day. Oldest first, so that one that arrives meanwhile moves none to another page."""
        rows: dict[str, Row] = {}
        params = {
            "bgn_de": f"{day:%Y%m%d}",
            "end_de": f"{day:%Y%m%d}",
            "pblntf_ty": "A",
            "last_reprt_at": "N",
            "sort": "date",
            "sort_mth": "asc",
            "page_count": str(_PAGE),
        }
        for page in range(1, _MOST_PAGES + 1):
            body = self.dart.answer("list", {**params, "page_no": str(page)})
            if body is None:
                if page > 1:
                    raise SourceTemporary(SOURCE, f"page {page} of the filings of {day} is missing")
                return []
            rows.update((str(row["rcept_no"]), row) for row in _list(body))
            if page >= _whole(body, "total_page"):
                total = _whole(body, "total_count")
                if len(rows) < total:
                    raise SourceTemporary(SOURCE, f"{len(rows)} of {total} filings of {day} were given")
                return list(rows.values())
        raise SourceChanged(SOURCE, f"more than {_MOST_PAGES} pages of filings on {day}")

    def _arrival(self, row: Row) -> Arrival | None:
        """None for companies that are not listed, what was withdrawn, and what is no report of a period."""
        symbol, number = str(row.get("stock_code") or "").strip(), str(row["rcept_no"])
        corp_code, title = str(row.get("corp_code") or ""), " ".join(str(row.get("report_nm") or "").split())
        filed_on = received_on(number)
        if filed_on is None or len(corp_code) != 8:
            raise SourceChanged(SOURCE, "a filing without a receipt number or company code", found=number[:40])
        if len(symbol) != 6 or _WITHDRAWN in str(row.get("rm") or ""):
            return None
        self.known.learn_company(Company(corp_code=corp_code, symbol=symbol))
        company = self.known.company(corp_code)
        report = report_of_title(title, company.settle_month if company is not None else None)
        if report is None or report[1] >= filed_on:
            return None
        return Arrival(
            symbol=company.symbol if company is not None else symbol,
            corp_code=corp_code,
            filing_no=number,
            filed_on=filed_on,
            report_code=report[0],
            period_end=report[1],
            title=title,
        )


def _list(body: Row) -> list[Row]:
    rows = body.get("list")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("rcept_no") for row in rows):
        raise SourceChanged(SOURCE, "the list of filings has no receipts")
    return rows


def _whole(body: Row, name: str) -> int:
    try:
        return int(str(body[name]))
    except (KeyError, ValueError):
        raise SourceChanged(SOURCE, f"the list of filings lacks {name}") from None
