"""When each report of the demo issuers was received: deadlines, late filers and amended filings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from stocklab.data.demo.books import Books
from stocklab.data.demo.cast import Cast, stream
from stocklab.market.calendar import sessions_between
from stocklab.market.panel import MARKET_CODES
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray, IntArray

__all__ = ["Filings", "make_filings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filings:
    """One entry per filing, sorted by symbol, quarter and day.

    Quarter and symbol index, day received, receipt number (the day and a number within it), and the factor by which an
    amended version differs from the first (1 for the first itself).
    """

    quarter: IntArray
    symbol: IntArray
    filed_on: DateArray
    number: AnyArray
    factor: FloatArray


def make_filings(cast: Cast, books: Books, sessions: DateArray, seed: int) -> Filings:
    """Filings public by the last session, and by the last bar of an issuer that left.

    Interim reports come within 45 days of the quarter end, annual ones within 90, rolled forward to a session; 2 % are
    late, about 1.5 % are filed again, an interim one before the next. Issuers on KONEX file annual reports only. A new
    issuer files from its listing on.
    """
    rng = stream(seed, "filings")
    shape = books.equity.shape
    annual = books.fiscal_quarter == 4
    delay = np.where(annual, 90 - rng.integers(0, 18, size=shape), 46 - np.minimum(rng.geometric(0.25, size=shape), 16))
    delay += np.where(rng.random(shape) < 0.02, rng.integers(5, 45, size=shape), 0)
    first: date = books.ends[0].astype(object)
    days = sessions_between(first, sessions[-1].astype(object), expected=True)
    due = books.ends[:, None] + delay
    filed = _rolled(days, due)
    files = cast.of_kind("common", "foreign") & (annual | ~_on_konex(cast, filed, sessions))
    files &= np.arange(shape[0])[:, None] >= books.fiscal_quarter - 1  # the fiscal year is known from its start
    files &= (cast.listed_at < 0) | (filed >= cast.listed_on)
    last_day = sessions[cast.gone_at - 1]
    quarter, symbol = np.nonzero(files & (due <= last_day))
    filed_on = filed[quarter, symbol]
    interim = ~annual[quarter, symbol]
    again = filed_on + np.where(
        interim, rng.integers(15, 60, size=len(quarter)), rng.integers(20, 300, size=len(quarter))
    )
    # the next report of the year holds the amended amounts, so it comes later
    following = filed[np.minimum(quarter + 1, shape[0] - 1), symbol]
    in_time = ~interim | (again < following - 7)
    amended = np.flatnonzero((rng.random(len(quarter)) < 0.015) & (again <= last_day[symbol]) & in_time)
    factor = np.concatenate([np.ones(len(quarter)), rng.uniform(0.94, 1.02, size=len(amended))])
    quarter, symbol = (np.concatenate([part, part[amended]]) for part in (quarter, symbol))
    filed_on = np.concatenate([filed_on, _rolled(days, again[amended])])
    order = np.lexsort((filed_on, quarter, symbol))
    return Filings(
        quarter=quarter[order],
        symbol=symbol[order],
        filed_on=filed_on[order],
        number=_numbers(filed_on[order]),
        factor=factor[order],
    )


def _on_konex(cast: Cast, filed: DateArray, sessions: DateArray) -> BoolArray:
    """Whether an issuer is on KONEX on the day of its report, (n_quarters, n_symbols)."""
    moved_on = sessions[np.minimum(cast.moves_at, len(sessions) - 1)]
    moved = (cast.moves_at < len(sessions)) & (filed >= moved_on)
    on_konex: BoolArray = np.where(moved, cast.moves_to, cast.market) == MARKET_CODES["KONEX"]
    return on_konex


def _numbers(filed_on: DateArray) -> AnyArray:
    """Fourteen digits: the day, and six that count the filings of that day."""
    order = np.argsort(filed_on, kind="stable")
    first = np.searchsorted(filed_on[order], filed_on[order])
    count = np.empty(len(order), dtype=np.int64)
    count[order] = np.arange(len(order)) - first + 1
    days = np.char.replace(filed_on.astype(str), "-", "")
    return np.char.add(days, np.char.zfill(count.astype(str), 6))


def _rolled(days: DateArray, due: DateArray) -> DateArray:
    """First session on or after each day; the last session for a day beyond it."""
    return days[np.minimum(np.searchsorted(days, due), len(days) - 1)]
