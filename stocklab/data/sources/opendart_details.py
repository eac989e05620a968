"""Tables of periodic reports beside the statements: dividends a share, and share counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.layouts.piece import ROW, with_rows
from stocklab.data.layouts.reports import statement_rows
from stocklab.data.sources.feed import Answer, AnswerState
from stocklab.data.sources.opendart import SOURCE, Row
from stocklab.data.sources.opendart_known import Company, Receipt
from stocklab.data.sources.opendart_one import OneReport
from stocklab.data.sources.opendart_reports import ReportKey, amount_of, days_in, received_on
from stocklab.errors import SourceChanged

__all__ = ["Dividends", "Shares"]

_PER_SHARE: Final = re.compile(r"주당현금배당금")
_TOTAL: Final = re.compile(r"현금배당금총액")


@dataclass(slots=True)
class Dividends(OneReport):
    """Cash dividend of a common share since the fiscal year began, as the item ``dps``; see `ReportKey` for keys.

    The day that decides who is paid is not in this table, so that nothing is booked from it.
    """

    name: str = "opendart.dividends"
    datasets: tuple[str, ...] = ("statements",)
    calls_per_key: int = 1

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`."""
        report = ReportKey.parse(key)
        found = _found(self, report, "alotMatter", ("se", "thstrm"))
        if isinstance(found, Answer):
            return found
        rows, receipt, company, number = found
        amount = _dividend(rows)
        if isinstance(amount, str):
            return Answer(state=AnswerState.EMPTY, note=f"{number}: {amount}")
        frame = _item_rows(
            company, report.quarter, receipt, number, item="dps", amount=amount, months=3 * report.quarter
        )
        return Answer(state=AnswerState.FINAL, frames={"statements": frame})


@dataclass(slots=True)
class Shares(OneReport):
    """Issued shares of all classes, and common shares the company holds itself; see `ReportKey` for keys.

    DART's 유통주식수 is issued less treasury shares, not the free float, which stays unknown here.
    """

    name: str = "opendart.shares"
    datasets: tuple[str, ...] = ("statements", "share_structure")
    calls_per_key: int = 1

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`."""
        report = ReportKey.parse(key)
        found = _found(self, report, "stockTotqySttus", ("se", "istc_totqy", "tesstk_co"))
        if isinstance(found, Answer):
            return found
        rows, receipt, company, number = found
        by_class = {re.sub(r"\s", "", str(row["se"])): row for row in rows}
        common = next((row for name, row in by_class.items() if name.startswith("보통주")), None)
        total = by_class.get("합계", common)
        try:
            issued = amount_of(total["istc_totqy"]) if total is not None else None
            treasury = _treasury(common) if common is not None else None
        except ValueError as error:
            return Answer(state=AnswerState.EMPTY, note=f"{number}: {error}")
        frames: dict[str, pl.DataFrame] = {}
        if issued:
            frames["statements"] = _item_rows(
                company, report.quarter, receipt, number, item="shares_issued", amount=issued, months=0
            )
        if treasury is not None:
            days = days_in(common.get("stlm_dt")) if common is not None else []
            frames["share_structure"] = pl.DataFrame(
                [
                    {
                        "symbol": company.symbol,
                        "as_of": days[-1] if days else receipt.period_end,
                        "filed_on": received_on(number),
                        "shares_float": None,
                        "shares_treasury": int(treasury),
                    }
                ],
                schema=dict(DATASETS["share_structure"].schema),
            )
        if not frames:
            return Answer(state=AnswerState.EMPTY, note=f"{number}: no share counts in the table")
        return Answer(state=AnswerState.FINAL, frames=frames)


def _found(
    feed: OneReport, key: ReportKey, service: str, needed: tuple[str, ...]
) -> tuple[list[Row], Receipt, Company, str] | Answer:
    """The table, and which version of which report it is of; or the answer that there is none."""
    company = feed.known.company(key.corp_code)
    if company is None:
        return Answer(state=AnswerState.NOT_YET, note="the company is not known")
    asked = feed.ask(key, service, {})
    if isinstance(asked, Answer):
        return asked
    rows, year = asked
    for row in rows:
        if missing := [name for name in needed if name not in row]:
            raise SourceChanged(SOURCE, f"{service} without {missing[0]}", found=", ".join(row)[:80])
    number = str(rows[0]["rcept_no"])
    receipt = feed.receipt(key, year, number)
    filed_on = received_on(number)
    if receipt is None or filed_on is None or filed_on <= receipt.period_end:
        return Answer(state=AnswerState.EMPTY, note=f"{number}: its period is not known")
    return rows, receipt, company, number


def _dividend(rows: list[Row]) -> float | str:
    """KRW a common share, 0 where the report says that nothing was paid; else why it cannot be told."""
    mine = [row for row in rows if _PER_SHARE.search(_plain(row["se"]))]
    common = [row for row in mine if "우선" not in _plain(row.get("stock_knd"))]
    if not common:
        return "no row of dividends a common share"
    try:
        amounts = {amount for row in common if (amount := amount_of(row["thstrm"])) is not None}
        totals = [amount_of(row["thstrm"]) for row in rows if _TOTAL.search(_plain(row["se"]))]
    except ValueError as error:
        return str(error)
    if len(amounts) > 1:
        return "several classes of common shares"
    if amounts:
        return amounts.pop()
    if totals and not any(totals):
        return 0.0
    return "a total was paid, but not how much a share"


def _treasury(row: Row) -> float | None:
    """Own shares; 0 where none are stated and all issued ones circulate; None where it cannot be told."""
    own = amount_of(row["tesstk_co"])
    if own is not None:
        return own
    issued = amount_of(row["istc_totqy"])
    return 0.0 if issued is not None and amount_of(row.get("distb_stock_co")) == issued else None


def _item_rows(
    company: Company, quarter: int, receipt: Receipt, number: str, *, item: str, amount: float, months: int
) -> pl.DataFrame:
    """One item on every basis of the report: on a basis of its own it would look like a report."""
    filed_on: date | None = received_on(number)
    records: list[Mapping[str, Any]] = [
        {
            "symbol": company.symbol,
            "period_end": receipt.period_end,
            "fiscal_quarter": quarter,
            "statement_basis": basis,
            "filed_on": filed_on,
            "filed_source": "receipt",
            "filing_no": number,
            "item": item,
            "months": months,
            "amount": amount,
        }
        for basis in sorted(receipt.bases)
    ]
    return statement_rows(with_rows(pl.DataFrame(records)), pl.col("months")).drop(ROW)


def _plain(value: object) -> str:
    return re.sub(r"\s", "", str(value or ""))
