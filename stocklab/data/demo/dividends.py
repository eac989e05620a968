"""Cash dividends of the demo issuers: the year's, as their annual reports state it; the price falls on the ex-date."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Scene
from stocklab.data.demo.books import Books
from stocklab.data.demo.cast import Cast, stream
from stocklab.data.demo.plot import Plot
from stocklab.data.demo.returns import Latent
from stocklab.market.calendar import sessions_between
from stocklab.market.dividends import ex_date
from stocklab.types import BoolArray, DateArray, FloatArray

__all__ = ["affordable", "dividends_frame", "fall_ex_dividend"]

_MOST: Final = 0.06  # of the market value, in one year
_MOST_FALL: Final = 0.25  # of the price on one ex-date
_PAID_AFTER: Final = 2  # quarters, as in the books


def affordable(cast: Cast, plot: Plot, books: Books, latent: Latent, sessions: DateArray) -> Books:
    """The books with no dividend above six percent of what the company is worth then; the rest stays in equity."""
    value = cast.price * cast.shares * np.exp(_level(plot, latent))
    row = np.searchsorted(sessions, books.ends, side="right") - 1
    most = _MOST * np.where((row >= 0)[:, None], value[np.maximum(row, 0)], cast.price * cast.shares)
    declared = np.minimum(books.dividends_declared, most)
    kept = np.zeros_like(declared)
    kept[_PAID_AFTER:] = (books.dividends_declared - declared)[:-_PAID_AFTER]
    return replace(
        books,
        dividends_declared=declared,
        dividends_paid=books.dividends_paid - kept,
        equity=books.equity + np.cumsum(kept, axis=0),
    )


def _level(plot: Plot, latent: Latent) -> FloatArray:
    """Log growth of each symbol since its first bar, (n_sessions, n_symbols)."""
    level: FloatArray = np.cumsum(np.where(plot.listed, latent.growth, 0.0), axis=0)
    return level


def fall_ex_dividend(cast: Cast, plot: Plot, books: Books, latent: Latent, sessions: DateArray) -> None:
    """Take the dividend off the price overnight, in place: the exchange does not move the base price for it."""
    level = _level(plot, latent)
    shares = _with_preferred(cast, cast.shares.astype(np.float64))
    for quarter, row in _ex_rows(books, sessions):
        a_share = np.where(_pays(cast), books.dividends_declared[quarter] / shares, 0.0)  # before any share change
        price = cast.price * np.exp(level[row - 1])
        fall = np.log1p(-np.minimum(a_share / price, _MOST_FALL))
        fall[~plot.listed[row] | (fall == 0.0)] = 0.0
        latent.growth[row] += fall
        latent.night[row] += fall


def dividends_frame(scene: Scene, books: Books, dps: FloatArray) -> pl.DataFrame:
    """`dividends`: record date is the end of the fiscal year, paid some 15 weeks later.

    ``dps`` in whole won by quarter and symbol, (n_quarters, n_symbols).
    """
    cast, plot, sessions = scene.cast, scene.plot, scene.sessions
    rng = stream(scene.seed, "dividends")
    rows: dict[str, list[object]] = {
        "symbol": [],
        "record_date": [],
        "ex_date": [],
        "pay_date": [],
        "krw_per_share": [],
    }
    for quarter, row in _ex_rows(books, sessions):
        record = books.ends[quarter]
        wait = rng.integers(100, 118, size=len(cast))
        for index in np.flatnonzero(
            (dps[quarter] > 0) & _pays(cast) & plot.listed[row] & plot.listed[row - 1]
        ).tolist():
            rows["symbol"].append(str(cast.symbols[index]))
            rows["record_date"].append(record.astype(object))
            rows["ex_date"].append(sessions[row].astype(object))
            rows["pay_date"].append((record + wait[index]).astype(object))
            rows["krw_per_share"].append(float(dps[quarter, index]))
    schema = {"symbol": pl.String, "record_date": pl.Date, "ex_date": pl.Date, "pay_date": pl.Date}
    frame = pl.DataFrame(rows, schema={**schema, "krw_per_share": pl.Float64})
    return frame.sort("symbol", "record_date")


def _pays(cast: Cast) -> BoolArray:
    """Common shares pay; preferred ones, whose price is drawn apart from their issuer's profits, and funds do not."""
    return cast.of_kind("common", "foreign")


def _with_preferred(cast: Cast, shares: FloatArray) -> FloatArray:
    """Shares of all classes that share a dividend, by common share."""
    preferred = np.flatnonzero(cast.parent >= 0)
    total = shares.copy()
    total[cast.parent[preferred]] += shares[preferred]
    return total


def _ex_rows(books: Books, sessions: DateArray) -> list[tuple[int, int]]:
    """(quarter, row of its ex-date) of every quarter end whose ex-date lies inside, after the first session."""
    calendar = sessions_between(
        (sessions[0] - np.timedelta64(31, "D")).astype(object), sessions[-1].astype(object), expected=True
    )
    found = []
    for quarter, end in enumerate(books.ends):
        if not calendar[2] <= end or end > sessions[-1]:
            continue
        row = int(np.searchsorted(sessions, np.datetime64(ex_date(end.astype(object), calendar), "D")))
        if 0 < row < len(sessions):
            found.append((quarter, row))
    return found
