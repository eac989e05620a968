"""Quarterly statements as filed; every line is drawn in whole won and every total is the sum of its parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Bars, Events
from stocklab.data.demo.books import TAX_RATE, Books
from stocklab.data.demo.cast import FINANCIAL_SECTOR, Cast, Story, stream
from stocklab.data.demo.filings import Filings, make_filings
from stocklab.factors.vocabulary import ITEMS
from stocklab.market.panel import MARKET_CODES
from stocklab.types import BoolArray, DateArray, FloatArray, IntArray

__all__ = ["FINANCIAL_ITEMS", "statements_frame", "with_rights"]

# lines a bank, insurer or broker also reports; the others are absent in its statements
FINANCIAL_ITEMS: Final = frozenset(
    {
        "cash", "cff", "cfi", "cfo", "dividends_paid", "dps", "eps_reported", "equity_parent", "income_tax",
        "interest_expense", "issued_capital", "minority", "net_income", "net_income_parent", "operating_income",
        "pretax_income", "retained_earnings", "revenue", "share_issuance", "shares_issued", "total_assets",
        "total_equity", "total_liabilities",
    }
)  # fmt: skip


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


def statements_frame(cast: Cast, books: Books, bars: Bars, sessions: DateArray, seed: int) -> pl.DataFrame:
    """Every filing public by the last session, long format, sorted by symbol, period, filing day and item.

    Flows are discrete quarters (the fourth is the year less nine months), balances are at the quarter end, both in KRW;
    KONEX issuers file once a year, with the flows of the whole year. ``fiscal_year`` is the year in which it ends.
    """
    filings = make_filings(cast, books, sessions, seed)
    rng = stream(seed, "statements")
    consolidated = rng.random(len(cast)) < 0.8
    lines = _Lines(cast, books, filings, rng)
    items = _items(lines, books, consolidated, _issued_shares(cast, books, bars, sessions))
    names = sorted(items)
    amounts = np.column_stack([items[name] for name in names])
    financial = cast.sector[filings.symbol] == FINANCIAL_SECTOR
    reported = ~financial[:, None] | np.array([name in FINANCIAL_ITEMS for name in names])
    filing, item = np.nonzero(reported)
    flows = np.array([ITEMS[name].flow for name in names])
    annual_only = (cast.market == MARKET_CODES["KONEX"])[filings.symbol]
    basis = np.where(consolidated, "CFS", "OFS")
    fiscal_quarter = books.fiscal_quarter[filings.quarter, filings.symbol]
    months = books.ends[filings.quarter].astype("datetime64[M]").astype(np.int64) + 3 * (4 - fiscal_quarter)
    return pl.DataFrame(
        {
            "symbol": pl.Series(cast.symbols[filings.symbol]).gather(filing),
            "period_end": books.ends[filings.quarter][filing],
            "fiscal_year": (months // 12 + 1970)[filing].astype(np.int16),
            "fiscal_quarter": fiscal_quarter[filing].astype(np.int8),
            "statement_basis": pl.Series(basis[filings.symbol]).gather(filing),
            "filed_on": filings.filed_on[filing],
            "filed_source": "receipt",
            "filing_no": pl.Series([None] * len(filing), dtype=pl.String),
            "months": np.where(flows[item], np.where(annual_only[filing], 12, 3), 0).astype(np.int8),
            "item": pl.Series(names).gather(item),
            "amount": amounts[filing, item],
        }
    )


class _Lines:
    """Draws lines of the statements as whole won, one entry per filing."""

    def __init__(self, cast: Cast, books: Books, filings: Filings, rng: np.random.Generator) -> None:
        self._shape = books.equity.shape
        self._at = (filings.quarter, filings.symbol)
        self._factor = filings.factor
        self._annual_only = (cast.market == MARKET_CODES["KONEX"])[filings.symbol]
        self._rng = rng

    def flow(self, amounts: FloatArray) -> FloatArray:
        """A flow of the quarter; of the whole year where only annual reports are filed."""
        total = np.cumsum(amounts, axis=0)
        year = total.copy()
        year[4:] -= total[:-4]
        return np.rint(np.where(self._annual_only, year[self._at], amounts[self._at]) * self._factor)

    def balance(self, amounts: FloatArray) -> FloatArray:
        """A balance at the quarter end."""
        return np.rint(amounts[self._at] * self._factor)

    def plain(self, amounts: FloatArray) -> FloatArray:
        """A count or an issuer's constant, not touched by an amendment."""
        return np.broadcast_to(amounts, self._shape)[self._at]

    def share(self, low: float, high: float) -> FloatArray:
        """A ratio typical of each issuer that wobbles by quarter, (n_quarters, n_symbols)."""
        typical = self._rng.uniform(low, high, size=self._shape[1])
        return typical * np.exp(0.04 * self._rng.standard_normal(self._shape))


def _items(lines: _Lines, books: Books, consolidated: BoolArray, issued_shares: FloatArray) -> dict[str, FloatArray]:
    minority = np.where(consolidated, lines.share(0.0, 0.08).mean(axis=0), 0.0)
    items = _income(lines, books, minority)
    balance, cash = _balance_sheet(lines, books, minority)
    items |= balance | _cash_flow(lines, books, cash)
    shares = lines.plain(issued_shares)
    items["shares_issued"] = shares
    items["dps"] = np.rint(lines.flow(books.dividends_declared) / shares)
    items["eps_reported"] = np.rint(items["net_income_parent"] / shares)
    return items


def _income(lines: _Lines, books: Books, minority: FloatArray) -> dict[str, FloatArray]:
    sales = books.revenue
    revenue, operating, net = (lines.flow(part) for part in (sales, books.operating_income, books.net_income))
    pretax = lines.flow(np.where(books.net_income > 0, books.net_income / (1 - TAX_RATE), books.net_income))
    sga = lines.flow(sales * lines.share(0.08, 0.25))
    interest = lines.flow(sales * lines.share(0.002, 0.012))
    return {
        "revenue": revenue,
        "cogs": revenue - operating - sga,
        "gross_profit": operating + sga,
        "sga": sga,
        "operating_income": operating,
        "finance_income": lines.flow(sales * lines.share(0.001, 0.01)),
        "finance_costs": interest + lines.flow(sales * lines.share(0.0, 0.005)),
        "interest_expense": interest,
        "pretax_income": pretax,
        "income_tax": pretax - net,
        "net_income": net,
        "net_income_parent": net - np.rint(net * lines.plain(minority)),
        "rnd_expense": lines.flow(sales * lines.share(0.0, 0.07)),
        "dep_amort": lines.flow(sales * lines.share(0.02, 0.07)),
    }


def _balance_sheet(lines: _Lines, books: Books, minority: FloatArray) -> tuple[dict[str, FloatArray], FloatArray]:
    """Lines of the balance sheet, and cash by quarter for the cash-flow statement."""
    start = books.equity[0]
    leverage = lines.share(0.2, 1.6)
    owed = np.maximum(leverage * 0.5 * (start + np.maximum(books.equity, 0)), 0.3 * start - books.equity)
    assets = owed + books.equity
    current = assets * lines.share(0.35, 0.6)
    short = owed * lines.share(0.45, 0.7)
    cash = current * lines.share(0.10, 0.25)
    fixed = assets - current
    equity, debts, due_soon = lines.balance(books.equity), lines.balance(owed), lines.balance(short)
    total, liquid = equity + debts, lines.balance(current)
    outside = np.rint(equity * lines.plain(minority))
    capital = lines.balance(np.broadcast_to(0.1 * start, owed.shape))
    surplus = lines.balance(0.25 * start + np.cumsum(books.issued, axis=0))
    items = {
        "total_assets": total,
        "current_assets": liquid,
        "cash": lines.balance(cash),
        "st_fin": lines.balance(current * lines.share(0.03, 0.13)),
        "receivables": lines.balance(current * lines.share(0.12, 0.26)),
        "inventories": lines.balance(current * lines.share(0.06, 0.20)),
        "noncurrent_assets": total - liquid,
        "ppe": lines.balance(fixed * lines.share(0.35, 0.65)),
        "intangibles": lines.balance(fixed * lines.share(0.02, 0.15)),
        "total_liabilities": debts,
        "current_liabilities": due_soon,
        "noncurrent_liabilities": debts - due_soon,
        "payables": lines.balance(short * lines.share(0.2, 0.4)),
        "st_debt": lines.balance(short * lines.share(0.1, 0.4)),
        "lt_debt": lines.balance((owed - short) * lines.share(0.2, 0.6)),
        "lease_liab": lines.balance((owed - short) * lines.share(0.02, 0.10)),
        "total_equity": equity,
        "equity_parent": equity - outside,
        "minority": outside,
        "issued_capital": capital,
        "capital_surplus": surplus,
        "retained_earnings": equity - outside - capital - surplus,
    }
    return items, cash


def _cash_flow(lines: _Lines, books: Books, cash: FloatArray) -> dict[str, FloatArray]:
    """Operating and investing flows are drawn; financing is what the change of cash leaves."""
    change = lines.flow(np.diff(cash, axis=0, prepend=cash[:1]))
    invested = books.revenue * lines.share(0.02, 0.09)
    operating = lines.flow(books.net_income + books.revenue * lines.share(0.01, 0.08))
    investing = -lines.flow(invested * lines.share(0.95, 1.3))
    buys_back = lines.share(0.0, 1.0) > 0.9
    return {
        "cfo": operating,
        "cfi": investing,
        "cff": change - operating - investing,
        "capex": lines.flow(invested),
        "dividends_paid": lines.flow(books.dividends_paid),
        "share_repurchase": lines.flow(np.where(buys_back, 0.004 * books.revenue, 0.0)),
        "share_issuance": lines.flow(books.issued),
    }


def _issued_shares(cast: Cast, books: Books, bars: Bars, sessions: DateArray) -> FloatArray:
    """Common and preferred shares at each quarter end, (n_quarters, n_symbols); the first count before the sessions."""
    session = np.maximum(np.searchsorted(sessions, books.ends, side="right") - 1, 0)
    shares = bars.shares[session].astype(np.float64)
    preferred = np.flatnonzero(cast.parent >= 0)
    shares[:, cast.parent[preferred]] += shares[:, preferred]
    return shares
