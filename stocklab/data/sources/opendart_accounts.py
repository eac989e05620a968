"""Main accounts of every company: thirteen items of each report, a hundred companies a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from stocklab.data.layouts.piece import ROW, with_rows
from stocklab.data.layouts.reports import BASES, statement_rows
from stocklab.data.sources.calls import now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Window
from stocklab.data.sources.opendart import SOURCE, DartClient, Row
from stocklab.data.sources.opendart_known import Company, DartKnown
from stocklab.data.sources.opendart_reports import (
    FIRST_YEAR,
    amount_of,
    days_in,
    december_reports,
    received_on,
)
from stocklab.data.statement_lines import QUARTER_OF_REPORT, plain_label
from stocklab.errors import SourceChanged
from stocklab.factors.vocabulary import ITEMS

__all__ = ["MainAccounts", "main_account_rows"]

PARTS: Final = 48  # companies are dealt out by their code, so that a key means the same companies in every sync
MOST_COMPANIES: Final = 100
EARLY: Final = "early"
_WON: Final = "KRW"
_FOREIGN: Final = "9"

# account names without spaces -> item
_ITEM_OF_NAME: Final = {
    "유동자산": "current_assets",
    "비유동자산": "noncurrent_assets",
    "자산총계": "total_assets",
    "유동부채": "current_liabilities",
    "비유동부채": "noncurrent_liabilities",
    "부채총계": "total_liabilities",
    "자본금": "issued_capital",
    "이익잉여금": "retained_earnings",
    "이익잉여금(결손금)": "retained_earnings",
    "자본총계": "total_equity",
    "매출액": "revenue",
    "수익(매출액)": "revenue",
    "영업수익": "revenue",
    "영업이익": "operating_income",
    "영업이익(손실)": "operating_income",
    "법인세차감전순이익": "pretax_income",
    "법인세차감전순이익(손실)": "pretax_income",
    "법인세비용차감전순이익": "pretax_income",
    "법인세비용차감전순이익(손실)": "pretax_income",
    "당기순이익": "net_income",
    "당기순이익(손실)": "net_income",
}
_NEEDED: Final = ("rcept_no", "reprt_code", "fs_div", "sj_div", "account_nm", "thstrm_amount")


@dataclass(slots=True)
class MainAccounts:
    """Main accounts of all companies, a part of them a key.

    "2024/11011/part-007" is asked for when every deadline has passed, whatever month fiscal years end in;
    "2024/11011/part-007/early" as soon as that of December years has. What comes later in between is found by its
    arrival.
    """

    dart: DartClient
    known: DartKnown
    since: int = FIRST_YEAR
    clock: Callable[[], datetime] = now_kst
    name: str = "opendart.main_accounts"
    source: str = SOURCE
    datasets: tuple[str, ...] = ("statements",)
    calls_per_key: int = 1

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """Newest reports first."""
        if not self.known.companies():
            return []
        keys = []
        for year, code, settled in december_reports(window.today, since=max(self.since, FIRST_YEAR)):
            for part in range(PARTS):
                key = f"{year}/{code}/part-{part:03}"
                keys.append(key if settled else f"{key}/{EARLY}")
        return [key for key in keys if key not in known]

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`."""
        year, code, part, *_ = key.split("/")
        number = int(part.removeprefix("part-"))
        companies = [one for one in self.known.companies() if int(one.corp_code) % PARTS == number]
        rows: list[Row] = []
        for first in range(0, len(companies), MOST_COMPANIES):
            some = companies[first : first + MOST_COMPANIES]
            codes = ",".join(one.corp_code for one in some)
            rows += self.dart.rows("fnlttMultiAcnt", {"corp_code": codes, "bsns_year": year, "reprt_code": code}) or []
        frame, note = main_account_rows(rows, {one.corp_code: one for one in companies}, code)
        self.known.learn_statements(frame)
        if frame.is_empty():
            return Answer(state=self._nothing(int(year), code), note=note)
        return Answer(state=AnswerState.FINAL, frames={"statements": frame}, note=note)

    def _nothing(self, year: int, code: str) -> AnswerState:
        due = december_reports(self.clock().date(), since=year)
        return AnswerState.EMPTY if (year, code) in {(y, c) for y, c, _ in due} else AnswerState.NOT_YET


@dataclass(slots=True)
class _Report:
    """The accounts of one receipt on one basis."""

    symbol: str
    basis: str
    filing_no: str
    balance_day: date | None = None
    income_days: tuple[date, ...] = ()
    amounts: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)


def main_account_rows(
    rows: Iterable[Row], companies: Mapping[str, Company], report_code: str
) -> tuple[pl.DataFrame, str]:
    """Rows of the dataset "statements" from rows of fnlttSinglAcnt or fnlttMultiAcnt, and what was left out.

    Only the report's own period: three months of a quarter (the fiscal year in an annual report), the year to date,
    and balances. Comparatives are left to full statements.

    Raises
    ------
    SourceChanged
        A row lacks a field, or belongs to another report than the one asked for.
    """
    reports: dict[tuple[str, str, str], _Report] = {}
    left: Counter[str] = Counter()
    by_symbol = {one.symbol: one for one in companies.values()}
    for row in rows:
        if missing := [name for name in _NEEDED if name not in row]:
            raise SourceChanged(SOURCE, f"main accounts without {missing[0]}", found=", ".join(row)[:80])
        if row["reprt_code"] != report_code or row["fs_div"] not in BASES:
            raise SourceChanged(SOURCE, f"expected report {report_code}", found=f"{row['reprt_code']} {row['fs_div']}")
        company = companies.get(str(row.get("corp_code", ""))) or by_symbol.get(str(row.get("stock_code", "")))
        if company is None:
            left["rows of companies that were not asked for"] += 1
            continue
        if str(row.get("currency") or (_FOREIGN if company.symbol.startswith(_FOREIGN) else _WON)) != _WON:
            left["amounts in other currencies, as no exchange rates are known"] += 1
            continue
        number = str(row["rcept_no"])
        key = company.symbol, row["fs_div"], number
        report = reports.setdefault(key, _Report(symbol=company.symbol, basis=row["fs_div"], filing_no=number))
        _read(row, report, left)
    records = [record for report in reports.values() for record in _records(report, report_code, left)]
    frame = pl.DataFrame(records, schema=_SCHEMA, orient="row")
    frame = statement_rows(with_rows(frame), pl.col("months")).drop(ROW)
    return frame, "; ".join(f"{count} {what} left out" for what, count in sorted(left.items()))


_SCHEMA: Final = {
    "symbol": pl.String,
    "period_end": pl.Date,
    "fiscal_quarter": pl.Int8,
    "statement_basis": pl.String,
    "filed_on": pl.Date,
    "filed_source": pl.String,
    "filing_no": pl.String,
    "item": pl.String,
    "months": pl.Int8,
    "amount": pl.Float64,
}


def _read(row: Row, report: _Report, left: Counter[str]) -> None:
    item = _ITEM_OF_NAME.get(plain_label(str(row["account_nm"])))
    flow = row["sj_div"] != "BS"
    if item is None or ITEMS[item].flow != flow:
        return
    days = days_in(row.get("thstrm_dt"))
    if flow and len(days) == 2:
        report.income_days = tuple(days)
    elif not flow and days:
        report.balance_day = days[-1]
    try:
        amounts = amount_of(row["thstrm_amount"]), amount_of(row.get("thstrm_add_amount"))
    except ValueError:
        left["amounts that are no numbers"] += 1
        return
    before = report.amounts.get(item)
    if before is not None and before != amounts:
        left["amounts of an account that appears twice"] += 1
        return
    report.amounts[item] = amounts


def _records(report: _Report, report_code: str, left: Counter[str]) -> list[tuple[Any, ...]]:
    quarter = QUARTER_OF_REPORT[report_code]
    end = report.balance_day or (report.income_days[1] if report.income_days else None)
    filed_on = received_on(report.filing_no)
    if end is None or filed_on is None or filed_on <= end:
        left["reports without a period that ends before their receipt"] += 1
        return []
    span = 12
    if report.income_days:
        start, last = report.income_days
        span = (last.year - start.year) * 12 + last.month - start.month + 1
    if not 1 <= span <= 12:
        left["reports of a period that is no year or part of one"] += 1
        return []
    head = (report.symbol, end, quarter, report.basis, filed_on, "receipt", report.filing_no)
    records: dict[tuple[str, int], tuple[Any, ...]] = {}
    own, to_date = min(span, 12 if quarter == 4 else 3), min(span, 3 * quarter)
    for item, (current, cumulative) in report.amounts.items():
        if not ITEMS[item].flow:
            values = {0: current}
        elif quarter == 4:
            values = {own: current}
        else:
            values = {to_date: cumulative, own: current if current is not None or quarter > 1 else cumulative}
        for months, amount in values.items():
            if amount is not None:
                records[item, months] = (*head, item, months, amount)
    return list(records.values())
