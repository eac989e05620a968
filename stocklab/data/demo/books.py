"""Fundamentals of each issuer by calendar quarter, before any price is drawn: sales, margins and book equity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from stocklab.data.demo.cast import FINANCIAL_SECTOR, Cast, Story, stream
from stocklab.types import BoolArray, DateArray, FloatArray, IntArray

__all__ = ["HISTORY_QUARTERS", "TAX_RATE", "Books", "make_books", "quarter_ends"]

HISTORY_QUARTERS: Final = 12  # before the first session, so that yearly growth exists from the start
TAX_RATE: Final = 0.22
_GONE_WRONG = (Story.FAILED, Story.ERODED, Story.DISQUALIFIED, Story.REDUCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Arrays (n_quarters, n_symbols) in KRW: flows of the quarter, equity at its end; ``fiscal_quarter`` 1..4.

    ``dividends_declared`` are those of the fiscal year, in its last quarter; ``issued`` fresh equity of the quarter.
    """

    ends: DateArray
    fiscal_quarter: IntArray
    revenue: FloatArray
    operating_income: FloatArray
    net_income: FloatArray
    dividends_declared: FloatArray
    dividends_paid: FloatArray
    issued: FloatArray
    equity: FloatArray


def quarter_ends(first: date, last: date) -> DateArray:
    """Calendar quarter ends from ``first`` to ``last``, both included.

    >>> quarter_ends(date(2020, 1, 1), date(2020, 6, 30))
    array(['2020-03-31', '2020-06-30'], dtype='datetime64[D]')
    """
    months = np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + 1)
    closing = months[(months.astype(np.int64) % 12 + 1) % 3 == 0]
    ends = (closing + 1).astype("datetime64[D]") - 1
    inside: DateArray = ends[(ends >= np.datetime64(first)) & (ends <= np.datetime64(last))]
    return inside


def make_books(cast: Cast, sessions: DateArray, seed: int) -> Books:
    """Draw sales, margins and dividends and let equity follow from them."""
    rng = stream(seed, "books")
    start = (sessions[0].astype("datetime64[M]") - 3 * HISTORY_QUARTERS).astype(object)
    ends = quarter_ends(start, sessions[-1].astype(object))
    shape = (len(ends), len(cast))
    month = ends.astype("datetime64[M]").astype(np.int64)[:, None] % 12 + 1
    fiscal_quarter = (month - cast.settle_month - 1) % 12 // 3 + 1
    financial = cast.sector == FINANCIAL_SECTOR
    equity0 = cast.price * cast.shares / np.where(financial, 0.5, 1.2) * np.exp(-0.55 * rng.standard_normal(shape[1]))
    revenue = equity0 * np.where(financial, 0.12, 0.28) * np.exp(0.45 * rng.standard_normal(shape[1]))
    trend = rng.normal(0.012, 0.010, size=shape[1])
    growth = trend + 0.02 * _persistent(rng, (shape[0], 1), 0.6) + 0.05 * _persistent(rng, shape, 0.3)
    season = 1 + rng.uniform(0, 0.22, size=shape[1]) * np.cos(
        (fiscal_quarter - rng.integers(1, 5, size=shape[1])) * np.pi / 2
    )
    sales = revenue * np.exp(np.cumsum(growth, axis=0)) * season
    margin = rng.normal(0.065, 0.045, size=shape[1])
    losing = rng.random(shape[1]) < 0.12
    margin[losing] = -rng.uniform(0.03, 0.25, size=int(losing.sum()))
    margins = margin + 0.025 * _persistent(rng, shape, 0.8) + _decline(cast, ends, sessions)
    operating = sales * np.clip(margins, -0.9, 0.6)
    return _accumulate(
        rng,
        cast,
        last_year=_last_year(cast, ends, sessions),
        ends=ends,
        fiscal_quarter=fiscal_quarter,
        sales=sales,
        operating=operating,
        equity0=equity0,
    )


def _persistent(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> FloatArray:
    """First-order autoregression of unit variance along the quarters."""
    noise = rng.standard_normal(shape)
    for quarter in range(1, shape[0]):
        noise[quarter] = memory * noise[quarter - 1] + np.sqrt(1 - memory**2) * noise[quarter]
    return noise


def _decline(cast: Cast, ends: DateArray, sessions: DateArray) -> FloatArray:
    """Margins of companies that go wrong fall for two years before it shows, (n_quarters, n_symbols)."""
    fall = np.zeros((len(ends), len(cast)))
    for index in cast.with_story(*_GONE_WRONG).tolist():
        last = sessions[min(int(cast.gone_at[index]), len(sessions)) - 1]
        years = (last - ends).astype(np.int64) / 365.25
        fall[:, index] = -0.3 * np.clip(2.5 - years, 0, 2.5) / 2.5
    return fall


def _last_year(cast: Cast, ends: DateArray, sessions: DateArray) -> BoolArray:
    """Quarters ending 45 to 500 days before a symbol's last bar: reported before it goes, (n_quarters, n_symbols)."""
    left = (sessions[np.minimum(cast.gone_at, len(sessions)) - 1] - ends[:, None]).astype(np.int64)
    inside: BoolArray = (left > 45) & (left <= 500)
    return inside


def _accumulate(
    rng: np.random.Generator,
    cast: Cast,
    *,
    last_year: BoolArray,
    ends: DateArray,
    fiscal_quarter: IntArray,
    sales: FloatArray,
    operating: FloatArray,
    equity0: FloatArray,
) -> Books:
    other = 0.01 * sales * rng.standard_normal(sales.shape)
    net = _after_tax(operating + other)
    payout = np.where(rng.random(len(cast)) < 0.6, rng.uniform(0.1, 0.45, size=len(cast)), 0.0)
    equity, issued = np.empty_like(net), np.zeros_like(net)
    declared, paid = np.zeros_like(net), np.zeros_like(net)
    eroded: BoolArray = cast.story == Story.ERODED.value
    level, year_income, due = equity0.copy(), np.zeros(len(cast)), np.zeros(len(cast))
    for quarter in range(len(ends)):
        # write-offs take the capital of an eroded company below zero within its last year
        net[quarter] -= np.where(eroded & last_year[quarter], 0.6 * np.maximum(level, 0) + 0.1 * equity0, 0.0)
        year_income += net[quarter]
        closes_year = fiscal_quarter[quarter] == 4
        paid[quarter] = np.where(fiscal_quarter[quarter] == 2, due, 0.0)
        declared[quarter] = np.where(closes_year, payout * np.maximum(year_income, 0), 0.0)
        due = np.where(closes_year, declared[quarter], np.where(fiscal_quarter[quarter] == 2, 0.0, due))
        level = level + net[quarter] - paid[quarter]
        issued[quarter] = np.where((level < 0.12 * equity0) & ~eroded, 0.4 * equity0 - level, 0.0)
        level = level + issued[quarter]
        equity[quarter] = level
        year_income = np.where(closes_year, 0.0, year_income)
    return Books(
        ends=ends,
        fiscal_quarter=fiscal_quarter,
        revenue=sales,
        operating_income=operating,
        net_income=net,
        dividends_declared=declared,
        dividends_paid=paid,
        issued=issued,
        equity=equity,
    )


def _after_tax(pretax: FloatArray) -> FloatArray:
    return np.where(pretax > 0, pretax * (1 - TAX_RATE), pretax)
