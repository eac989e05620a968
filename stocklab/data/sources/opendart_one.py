"""What feeds of one report of one company share: which reports to ask for, and of which version an answer is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from stocklab.data.sources.calls import now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Window
from stocklab.data.sources.opendart import SOURCE, DartClient, Row
from stocklab.data.sources.opendart_accounts import main_account_rows
from stocklab.data.sources.opendart_known import Company, DartKnown, Receipt
from stocklab.data.sources.opendart_reports import FIRST_YEAR, ReportKey, settled_reports
from stocklab.errors import SourceChanged

__all__ = ["OneReport", "receipt_of"]

_PATIENCE: Final = timedelta(days=14)  # for a report that was received but whose numbers are not served yet


@dataclass(slots=True)
class OneReport:
    """Keys and versions of a feed whose questions are about one report of one company."""

    dart: DartClient
    known: DartKnown
    since: int = FIRST_YEAR
    clock: Callable[[], datetime] = now_kst
    source: str = SOURCE
    _receipts: dict[tuple[str, str, str], Receipt | None] = field(default_factory=dict)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """Reports that arrived, the newest first; then settled ones, newest years and listed companies first."""
        arrived = [str(ReportKey.of_arrival(one)) for one in self.known.arrivals()]
        companies = self.known.companies()
        dated: dict[tuple[int, str], list[Company]] = {}
        for company in companies:
            for report in settled_reports(company, window.today, since=max(self.since, FIRST_YEAR)):
                dated.setdefault(report, []).append(company)
        settled = [
            f"{year}/{code}/{company.corp_code}"
            for year, code in sorted(dated, key=_newest)
            for company in dated[year, code]
        ]
        return [key for key in (*arrived, *settled) if key not in known]

    def ask(self, key: ReportKey, service: str, params: Mapping[str, str]) -> tuple[list[Row], str] | Answer:
        """Rows of the version the key means and the business year they were found under, or the answer that there
        are none."""
        newer = ""
        for year in key.business_years():
            rows = self._rows(service, {**_about(key, year), **params})
            if not rows:
                continue
            numbers = {str(row.get("rcept_no")) for row in rows}
            if len(numbers) != 1:
                raise SourceChanged(SOURCE, f"{service}: rows of several receipts in one answer")
            number = numbers.pop()
            if key.filing_no is None or number == key.filing_no:
                return rows, year
            newer = number if number > key.filing_no else newer
        return self.nothing(key, newer)

    def _rows(self, service: str, params: Mapping[str, str]) -> list[Row]:
        return self.dart.rows(service, params) or []

    def nothing(self, key: ReportKey, newer: str) -> Answer:
        """No data: for good, or not yet."""
        if newer:
            return Answer(state=AnswerState.EMPTY, note=f"replaced by {newer} before it was asked for")
        if key.filing_no is None:
            return Answer(state=AnswerState.EMPTY if self._is_due(key) else AnswerState.NOT_YET)
        received = date(int(key.filing_no[:4]), int(key.filing_no[4:6]), int(key.filing_no[6:8]))
        if self.clock().date() - received <= _PATIENCE:
            return Answer(state=AnswerState.NOT_YET)
        return Answer(state=AnswerState.EMPTY, note="received, but its numbers are not served")

    def _is_due(self, key: ReportKey) -> bool:
        company = self.known.company(key.corp_code) or Company(corp_code=key.corp_code, symbol="")
        wanted = int(key.period), key.report_code
        due = settled_reports(
            Company(corp_code=company.corp_code, symbol=company.symbol, settle_month=company.settle_month),
            self.clock().date(),
            since=int(key.period),
        )
        return wanted in set(due)

    def receipt(self, key: ReportKey, year: str, filing_no: str) -> Receipt | None:
        """Period and bases of the version an answer is of: known, or asked for; None where nobody knows."""
        known = self.known.receipt(filing_no)
        if known is not None:
            return known
        company = self.known.company(key.corp_code)
        asked = year, key.report_code, key.corp_code
        if company is not None and asked not in self._receipts:
            rows = self._rows("fnlttSinglAcnt", _about(key, year))
            self._receipts[asked] = receipt_of(rows, company, key.report_code)
        return self._receipts.get(asked)


def receipt_of(rows: Sequence[Row], company: Company, report_code: str) -> Receipt | None:
    """Period and bases of a company's main accounts."""
    given = [{**row, "corp_code": company.corp_code} for row in rows]
    frame, _ = main_account_rows(given, {company.corp_code: company}, report_code)
    if frame.is_empty():
        return None
    bases: list[str] = frame["statement_basis"].unique().to_list()
    end = frame["period_end"].max()
    return Receipt(period_end=end, bases=frozenset(bases)) if isinstance(end, date) else None


def _newest(report: tuple[int, str]) -> tuple[int, int]:
    order = {"11011": 0, "11014": 1, "11012": 2, "11013": 3}
    return -report[0], order[report[1]]


def _about(key: ReportKey, year: str) -> dict[str, str]:
    return {"corp_code": key.corp_code, "bsns_year": year, "reprt_code": key.report_code}
