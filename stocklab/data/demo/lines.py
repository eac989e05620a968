"""Lines of the demo statements: drawn by quarter and issuer, rounded to whole won, and added up to every item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stocklab.data.demo.books import TAX_RATE, Books
from stocklab.data.demo.cast import Cast, stream
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = ["Lines", "items_of", "make_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines of the group, (n_quarters, n_symbols) float64: flows of the quarter and balances at its end.

    ``drawn`` in KRW, not yet rounded; ``shares`` issued of all classes; ``dps`` declared in the quarter, KRW per share;
    ``minority`` the part of equity and income that is not the owners'.
    """

    drawn: Mapping[str, FloatArray]
    shares: FloatArray
    dps: FloatArray
    minority: FloatArray

    def at(
        self, place: tuple[IntArray, IntArray] | None, size: FloatArray, *, consolidated: BoolArray
    ) -> dict[str, FloatArray]:
        """Whole-won lines at (quarters, symbols), or everywhere, times ``size`` (an amended version, the parent alone);
        counts and amounts per share are the same in every version."""
        where = (slice(None), slice(None)) if place is None else place
        lines = {name: np.rint(values[where] * size) for name, values in self.drawn.items()}
        lines["shares"], lines["dps"] = self.shares[where], self.dps[where]
        lines["minority"] = np.where(consolidated, self.minority[where], 0.0)
        return lines


def make_lines(cast: Cast, books: Books, shares: IntArray, seed: int) -> tuple[Lines, BoolArray]:
    """Draw every line, and who consolidates, (n_symbols,).

    ``shares`` are the outstanding ones of each symbol at the quarter ends, (n_quarters, n_symbols).
    """
    rng = stream(seed, "statements")
    consolidated = rng.random(len(cast)) < 0.8
    draw = _Draw(rng, books.equity.shape)
    minority = np.where(consolidated, draw.share(0.0, 0.08).mean(axis=0), 0.0)
    drawn = _income(draw, books)
    balance, cash = _balance_sheet(draw, books)
    drawn |= balance | _cash_flow(draw, books, cash)
    issued = _issued_shares(cast, shares)
    lines = Lines(
        drawn=drawn,
        shares=issued,
        dps=np.rint(books.dividends_declared / issued),
        minority=np.broadcast_to(minority, issued.shape),
    )
    return lines, consolidated


class _Draw:
    """Ratios of (n_quarters, n_symbols)."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> None:
        self._rng, self._shape = rng, shape

    def share(self, low: float, high: float) -> FloatArray:
        """A ratio typical of each issuer that wobbles by quarter."""
        typical = self._rng.uniform(low, high, size=self._shape[1])
        return typical * np.exp(0.04 * self._rng.standard_normal(self._shape))


def _income(draw: _Draw, books: Books) -> dict[str, FloatArray]:
    sales, net = books.revenue, books.net_income
    return {
        "revenue": sales,
        "operating_income": books.operating_income,
        "net_income": net,
        "pretax_income": np.where(net > 0, net / (1 - TAX_RATE), net),
        "sga": sales * draw.share(0.08, 0.25),
        "interest_expense": sales * draw.share(0.002, 0.012),
        "finance_income": sales * draw.share(0.001, 0.01),
        "other_finance_costs": sales * draw.share(0.0, 0.005),
        "rnd_expense": sales * draw.share(0.0, 0.07),
        "dep_amort": sales * draw.share(0.02, 0.07),
    }


def _balance_sheet(draw: _Draw, books: Books) -> tuple[dict[str, FloatArray], FloatArray]:
    """Lines of the balance sheet, and cash by quarter for the cash-flow statement."""
    start = books.equity[0]
    leverage = draw.share(0.2, 1.6)
    owed = np.maximum(leverage * 0.5 * (start + np.maximum(books.equity, 0)), 0.3 * start - books.equity)
    assets = owed + books.equity
    current = assets * draw.share(0.35, 0.6)
    short = owed * draw.share(0.45, 0.7)
    cash = current * draw.share(0.10, 0.25)
    fixed = assets - current
    lines = {
        "total_equity": books.equity,
        "total_liabilities": owed,
        "current_liabilities": short,
        "current_assets": current,
        "cash": cash,
        "st_fin": current * draw.share(0.03, 0.13),
        "receivables": current * draw.share(0.12, 0.26),
        "inventories": current * draw.share(0.06, 0.20),
        "ppe": fixed * draw.share(0.35, 0.65),
        "intangibles": fixed * draw.share(0.02, 0.15),
        "payables": short * draw.share(0.2, 0.4),
        "st_debt": short * draw.share(0.1, 0.4),
        "lt_debt": (owed - short) * draw.share(0.2, 0.6),
        "lease_liab": (owed - short) * draw.share(0.02, 0.10),
        "issued_capital": np.broadcast_to(0.1 * start, owed.shape),
        "capital_surplus": 0.25 * start + np.cumsum(books.issued, axis=0),
    }
    return lines, cash


def _cash_flow(draw: _Draw, books: Books, cash: FloatArray) -> dict[str, FloatArray]:
    """Operating and investing flows are drawn; financing is what the change of cash leaves."""
    invested = books.revenue * draw.share(0.02, 0.09)
    operating = books.net_income + books.revenue * draw.share(0.01, 0.08)
    outflow = invested * draw.share(0.95, 1.3)
    buys_back = draw.share(0.0, 1.0) > 0.9
    return {
        "cash_change": np.diff(cash, axis=0, prepend=cash[:1]),
        "capex": invested,
        "cfo": operating,
        "cfi": -outflow,
        "dividends_paid": books.dividends_paid,
        "share_repurchase": np.where(buys_back, 0.004 * books.revenue, 0.0),
        "share_issuance": books.issued,
    }


def _issued_shares(cast: Cast, shares: IntArray) -> FloatArray:
    """Common and preferred shares at each quarter end, (n_quarters, n_symbols)."""
    issued = shares.astype(np.float64)
    preferred = np.flatnonzero(cast.parent >= 0)
    issued[:, cast.parent[preferred]] += issued[:, preferred]
    return issued


def items_of(lines: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Every statement item of whole-won lines (`Lines.at`); the totals are sums of the lines."""
    found = {name: values for name, values in lines.items() if name not in _WORK}
    revenue, operating, sga, net = (lines[name] for name in ("revenue", "operating_income", "sga", "net_income"))
    equity, owed, current = (lines[name] for name in ("total_equity", "total_liabilities", "current_assets"))
    outside = np.rint(equity * lines["minority"])
    owners = net - np.rint(net * lines["minority"])
    total = equity + owed
    return found | {
        "cogs": revenue - operating - sga,
        "gross_profit": operating + sga,
        "finance_costs": lines["interest_expense"] + lines["other_finance_costs"],
        "income_tax": lines["pretax_income"] - net,
        "net_income_parent": owners,
        "total_assets": total,
        "noncurrent_assets": total - current,
        "noncurrent_liabilities": owed - lines["current_liabilities"],
        "equity_parent": equity - outside,
        "minority": outside,
        "retained_earnings": equity - outside - lines["issued_capital"] - lines["capital_surplus"],
        "cff": lines["cash_change"] - lines["cfo"] - lines["cfi"],
        "shares_issued": lines["shares"],
        "eps_reported": np.rint(owners / lines["shares"]),
    }


_WORK = frozenset({"other_finance_costs", "cash_change", "shares", "minority"})
