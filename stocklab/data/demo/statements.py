"""Statements as filed: the quarter beside the year to date, in whole won; every total is the sum of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Bars, Events
from stocklab.data.demo.books import Books
from stocklab.data.demo.cast import FINANCIAL_SECTOR, Cast, Story
from stocklab.data.demo.filings import Filings
from stocklab.data.demo.lines import Lines, items_of, make_lines
from stocklab.data.demo.reports import Basis, Part, Reports, choose_basis, make_reports
from stocklab.factors.vocabulary import ITEMS
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = [
    "FINANCIAL_ITEMS",
    "YEAR_TO_DATE_ITEMS",
    "Accounts",
    "make_accounts",
    "outstanding_shares",
    "statements_frame",
    "with_rights",
]

# lines a bank, insurer or broker also reports; the others are absent in its statements
FINANCIAL_ITEMS: Final = frozenset(
    {
        "cash", "cff", "cfi", "cfo", "dividends_paid", "dps", "eps_reported", "equity_parent", "income_tax",
        "interest_expense", "issued_capital", "minority", "net_income", "net_income_parent", "operating_income",
        "pretax_income", "retained_earnings", "revenue", "share_issuance", "shares_issued", "total_assets",
        "total_equity", "total_liabilities",
    }
)  # fmt: skip
# of the cash-flow statement and the dividend table: never of three months alone
YEAR_TO_DATE_ITEMS: Final = frozenset(
    {"cfo", "cfi", "cff", "capex", "dep_amort", "dividends_paid", "dps", "share_issuance", "share_repurchase"}
)
_OWNERS: Final = frozenset({"net_income_parent", "equity_parent"})  # separate statements have no such lines
_OTHER_TABLES: Final = frozenset({"dps", "shares_issued"})  # without columns of the year before
_ANNUAL: Final = 4


def with_rights(books: Books, events: Events, bars: Bars, session_quarter: IntArray) -> Books:
    """The books after the proceeds of rights issues reached equity, in the quarter of the ex-day."""
    equity, issued = books.equity.copy(), books.issued.copy()
    for place in np.flatnonzero([kind == Story.RIGHTS.value for kind in events.kind]).tolist():
        session, symbol = int(events.session[place]), int(events.symbol[place])
        quarter = int(session_quarter[session]) + 1
        new_shares = float(bars.shares[session, symbol]) * (events.ratio[place] - 1)
        proceeds = new_shares * 0.75 * float(bars.close[session - 1, symbol])
        equity[quarter:, symbol] += proceeds
        issued[quarter : quarter + 1, symbol] += proceeds
    return replace(books, equity=equity, issued=issued)


def outstanding_shares(bars: Bars, events: Events) -> IntArray:
    """Shares in being, (n_sessions, n_symbols): those of a bonus issue exist from its ex-date on, weeks before they
    list."""
    shares = bars.shares.copy()
    for place in np.flatnonzero([kind == Story.BONUS.value for kind in events.kind]).tolist():
        session, symbol, wait = (int(part[place]) for part in (events.session, events.symbol, events.listed_after))
        listing = min(session + wait, len(shares) - 1)
        shares[session:listing, symbol] = round(int(shares[session, symbol]) * events.ratio[place])
    return shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Everything statements are made of."""

    cast: Cast
    books: Books
    filings: Filings
    basis: Basis
    reports: Reports
    lines: Lines


def make_accounts(cast: Cast, books: Books, filings: Filings, shares: IntArray, seed: int) -> Accounts:
    """Draw the lines of the statements and who files which; ``shares`` as of the quarter ends."""
    lines, consolidated = make_lines(cast, books, shares, seed)
    basis = choose_basis(cast, books, consolidated, seed)
    reports = make_reports(books, filings, basis)
    return Accounts(cast=cast, books=books, filings=filings, basis=basis, reports=reports, lines=lines)


def statements_frame(accounts: Accounts) -> pl.DataFrame:
    """Every report public by the last session, long format, sorted by the key of the dataset.

    Flows of the income statement are those of three months (first to third quarter) and of the fiscal year to date; the
    annual report has twelve months only. Cash flows and dividends per share are those of the year to date. Balances are
    at the quarter end. ``fiscal_year`` is the year in which it ends.
    """
    cast, books, filings, reports = accounts.cast, accounts.books, accounts.filings, accounts.reports
    columns = _columns()
    report, column = np.nonzero(_shown(cast, books, reports, columns))
    fiscal_quarter = books.fiscal_quarter[reports.quarter, reports.symbol]
    closing = books.ends[reports.quarter].astype("datetime64[M]").astype(np.int64) + 3 * (_ANNUAL - fiscal_quarter)
    filing = reports.filing[report]
    return pl.DataFrame(
        {
            "symbol": pl.Series(cast.symbols).gather(reports.symbol[report]),
            "period_end": books.ends[reports.quarter][report],
            "fiscal_year": (closing // 12 + 1970)[report].astype(np.int16),
            "fiscal_quarter": fiscal_quarter[report].astype(np.int8),
            "statement_basis": pl.Series(["OFS", "CFS"]).gather(reports.consolidated[report].astype(np.int64)),
            "filed_on": filings.filed_on[filing],
            "filed_source": "receipt",
            "filing_no": pl.Series(filings.number).gather(filing),
            "months": columns.months[column].astype(np.int8),
            "item": pl.Series(columns.item).gather(column),
            "amount": _amounts(accounts, columns)[report, column],
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Items with the months they may cover, sorted by item, then months (0 = a balance)."""

    item: tuple[str, ...]
    months: IntArray


def _columns() -> _Columns:
    pairs = [(name, months) for name in sorted(ITEMS) for months in ((3, 6, 9, 12) if ITEMS[name].flow else (0,))]
    return _Columns(item=tuple(name for name, _ in pairs), months=np.array([months for _, months in pairs]))


def _shown(cast: Cast, books: Books, reports: Reports, columns: _Columns) -> BoolArray:
    """Which columns each report has, (n_reports, n_columns)."""

    def has(names: frozenset[str]) -> BoolArray:
        return np.array([name in names for name in columns.item])

    quarter = books.fiscal_quarter[reports.quarter, reports.symbol][:, None]
    months = columns.months
    three = (months == 3) & (quarter != _ANNUAL) & ~has(YEAR_TO_DATE_ITEMS)
    shown = (months == 0) | (months == 3 * quarter) | three
    financial = (cast.sector[reports.symbol] == FINANCIAL_SECTOR)[:, None]
    shown &= ~financial | has(FINANCIAL_ITEMS)
    shown &= reports.consolidated[:, None] | ~has(_OWNERS)
    part = reports.part[:, None]
    shown &= (part != Part.FLOWS) | (months > 0)
    shown &= (part != Part.BALANCES) | (months == 0)
    return np.asarray(shown & (~reports.repeated[:, None] | ~has(_OTHER_TABLES)))


def _amounts(accounts: Accounts, columns: _Columns) -> FloatArray:
    """Amounts of every column, (n_reports, n_columns)."""
    reports, alone = accounts.reports, accounts.basis.separate_size
    size = np.where(reports.consolidated, 1.0, alone[reports.symbol]) * reports.factor
    place = (reports.quarter, reports.symbol)
    own = items_of(accounts.lines.at(place, size, consolidated=reports.consolidated))
    to_date = {name: own[name] + before for name, before in _filed_before(accounts).items()}
    to_date["eps_reported"] = np.rint(to_date["net_income_parent"] / own["shares_issued"])
    pairs = zip(columns.item, columns.months.tolist(), strict=True)
    return np.column_stack(
        [
            own[name] if months == 0 or (months == 3 and name not in YEAR_TO_DATE_ITEMS) else to_date[name]
            for name, months in pairs
        ]
    )


def _filed_before(accounts: Accounts) -> dict[str, FloatArray]:
    """Flows of the fiscal year before the quarter of each report, as last filed, by item, (n_reports,)."""
    reports, quarters = accounts.reports, accounts.books.fiscal_quarter
    flows = [name for name, item in ITEMS.items() if item.flow]
    before = {name: np.zeros(len(reports.quarter)) for name in flows}
    last = np.ones(quarters.shape)  # a quarter is amended at most once, and then before the next report
    last[accounts.filings.quarter, accounts.filings.symbol] = accounts.filings.factor
    for consolidated in (True, False):
        size = last * (1.0 if consolidated else accounts.basis.separate_size)
        filed = items_of(accounts.lines.at(None, size, consolidated=np.full(quarters.shape, consolidated)))
        rows = np.flatnonzero(reports.consolidated == consolidated)
        for name, sums in before.items():
            sums[rows] = _earlier(filed[name], quarters)[reports.quarter[rows], reports.symbol[rows]]
    return before


def _earlier(amounts: FloatArray, fiscal_quarter: IntArray) -> FloatArray:
    """Sums from the first quarter of the fiscal year to the quarter before, (n_quarters, n_symbols)."""
    total = np.zeros_like(amounts)
    for back in range(1, _ANNUAL):
        total[back:] += np.where(fiscal_quarter[back:] > back, amounts[:-back], 0.0)
    return total
