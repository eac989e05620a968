"""Size and value factors of the Korean market as daily returns: `smb` and `hml` (docs/factors.md, section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.factors.inputs import calendar_series
from stocklab.market.panel import MARKET_CODES
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray, IntArray

__all__ = ["Formation", "SizeValue", "StockMarket", "formations", "size_value"]

_BIG, _NEUTRAL, _HIGH = 3, 1, 2  # a portfolio is 3 x (0 small, 1 big) + (0 low, 1 neutral, 2 high book-to-market)
_LOW_PERCENT, _HIGH_PERCENT = 30, 70
_DECEMBER, _JUNE = 12, 6
_PORTFOLIOS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Formation:
    """The portfolios of one year from July on.

    ``june`` is the row of the last session of June, ``december`` that of the last session of the year before, ``end``
    the row after the last one for which the portfolios are held (the next June's last).
    """

    year: int
    june: int
    december: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMarket:
    """What the factors are made of.

    Attributes
    ----------
    sessions : (n_sessions,) datetime64[D], ascending
    close : (n_sessions, n_symbols), adjusted; NaN = unknown or not listed
    mcap : (n_sessions, n_symbols) KRW; NaN = unknown
    market : (n_sessions, n_symbols) MARKET_CODES, 0 where not listed
    stock : (n_symbols,) bool, common share of an issuer outside the financial sector
    linked : (n_sessions,) bool, False where sessions are missing before the row, so that it holds no daily return
    """

    sessions: DateArray
    close: AnyArray
    mcap: AnyArray
    market: AnyArray
    stock: BoolArray
    linked: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeValue:
    """Daily returns (n_sessions,) of both factors, fractions, NaN = unknown; and, one entry per formation, how many
    stocks KOSPI and KOSDAQ listed and how many of them are in a portfolio."""

    smb: FloatArray
    hml: FloatArray
    listed: IntArray
    sorted_in: IntArray


def formations(sessions: DateArray) -> tuple[Formation, ...]:
    """Every end of June in ``sessions`` with the end of the year before, both on the exchange's last session.

    >>> days = np.arange("2022-12-01", "2023-08-01", dtype="datetime64[D]")
    >>> [one.year for one in formations(days)]
    [2023]
    """
    known = calendar_series(sessions)
    closing = known["cal_tdleft"] == 0
    year = sessions.astype("datetime64[Y]").astype(np.int64) + 1970
    december = {int(year[row]): int(row) for row in np.flatnonzero(closing & (known["cal_month"] == _DECEMBER))}
    found = []
    for row in np.flatnonzero(closing & (known["cal_month"] == _JUNE)).tolist():
        this = int(year[row])
        if this - 1 in december:
            end = int(np.searchsorted(sessions, np.datetime64(f"{this + 1}-07-01", "D")))
            found.append(Formation(year=this, june=row, december=december[this - 1], end=end))
    return tuple(found)


def size_value(market: StockMarket, chosen: Sequence[Formation], book: FloatArray) -> SizeValue:
    """Small minus big and high minus low book-to-market, each day from the first of July on.

    At the end of June the stocks of KOSPI and KOSDAQ with positive book equity are split by market cap at the KOSPI
    median and by book-to-market (book over the market cap at the end of the year before) at the 30th and 70th KOSPI
    percentiles (linear interpolation); a stock on a breakpoint belongs below it. The six portfolios are held to the end
    of the next June, weighted by the market cap of the day before; a stock whose return or weight is unknown is left
    out that day, as is one that is gone.

    Parameters
    ----------
    market : StockMarket
    chosen : from `formations`
    book : (n_formations, n_symbols)
        Owners' equity, KRW, of the fiscal year ended in the calendar year before, as public on the day of the
        formation; NaN = unknown.

    Returns
    -------
    SizeValue
        A factor is NaN on days on which one of its portfolios is empty. Nothing at a row depends on later rows.

    Source: docs/factors.md, section 7; Fama and French (1993), "Common risk factors in the returns on stocks and
    bonds".
    """
    smb, hml = np.full(len(market.sessions), np.nan), np.full(len(market.sessions), np.nan)
    listed, sorted_in = np.zeros(len(chosen), dtype=np.int64), np.zeros(len(chosen), dtype=np.int64)
    for place, formation in enumerate(chosen):
        portfolio = _portfolios(market, formation, book[place])
        listed[place] = int(_eligible(market, formation).sum())
        sorted_in[place] = int((portfolio >= 0).sum())
        daily = _returns(market, formation, portfolio)
        rows = slice(formation.june + 1, formation.end)
        smb[rows] = daily[:, :_BIG].sum(axis=1) / 3 - daily[:, _BIG:].sum(axis=1) / 3
        high, low = _HIGH, 0
        hml[rows] = (daily[:, high] + daily[:, _BIG + high]) / 2 - (daily[:, low] + daily[:, _BIG + low]) / 2
    return SizeValue(smb=smb, hml=hml, listed=listed, sorted_in=sorted_in)


def _eligible(market: StockMarket, formation: Formation) -> BoolArray:
    on = market.market[formation.june]
    eligible: BoolArray = market.stock & ((on == MARKET_CODES["KOSPI"]) | (on == MARKET_CODES["KOSDAQ"]))
    return eligible


def _portfolios(market: StockMarket, formation: Formation, book: FloatArray) -> IntArray:
    """Portfolio of each symbol, (n_symbols,); -1 = none."""
    size = np.asarray(market.mcap[formation.june], dtype=np.float64)
    before = np.asarray(market.mcap[formation.december], dtype=np.float64)
    known = _eligible(market, formation) & (book > 0) & (size > 0) & (before > 0)
    portfolio = np.full(len(book), -1, dtype=np.int64)
    on_kospi = known & (market.market[formation.june] == MARKET_CODES["KOSPI"])
    if not on_kospi.any():
        return portfolio
    ratio = np.divide(book, before, out=np.full(len(book), np.nan), where=known)
    low, high = np.percentile(ratio[on_kospi], [_LOW_PERCENT, _HIGH_PERCENT])
    value = np.where(ratio > high, _HIGH, np.where(ratio > low, _NEUTRAL, 0))
    big = np.where(size > np.median(size[on_kospi]), _BIG, 0)
    portfolio[known] = (big + value)[known]
    return portfolio


def _returns(market: StockMarket, formation: Formation, portfolio: IntArray) -> FloatArray:
    """Weighted returns of the six portfolios while they are held, (n_rows, 6); NaN where one is empty."""
    rows = slice(formation.june, formation.end)
    linked = market.linked[formation.june + 1 : formation.end]
    out = np.full((len(linked), _PORTFOLIOS), np.nan)
    for number in range(_PORTFOLIOS):
        members = np.flatnonzero(portfolio == number)
        close = np.ascontiguousarray(market.close[rows][:, members], dtype=np.float64)
        growth = close[1:] / close[:-1] - 1
        weight = np.ascontiguousarray(market.mcap[rows][:-1, members], dtype=np.float64)
        known = ~np.isnan(growth) & (weight > 0) & linked[:, None]
        total = np.where(known, weight, 0.0).sum(axis=1)
        gained = np.where(known, weight * growth, 0.0).sum(axis=1)
        np.divide(gained, total, out=out[:, number], where=total > 0)
    return out
