"""The size and value factors of a snapshot: book equity as public at each formation, then `size_value`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from stocklab.data.field_place import FieldPlace
from stocklab.data.observed import observe_snapshot
from stocklab.data.raw_events import broken_links
from stocklab.factors.size_value import Formation, StockMarket, formations, size_value
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import KIND_CODES, Instruments
from stocklab.types import AnyArray, DateArray, FloatArray

__all__ = ["book_equity", "save_size_value"]

_STOCKS: Final = (KIND_CODES["common"], KIND_CODES["foreign"])
_ENOUGH: Final = 0.5  # of the listed stocks; below it a note says how many the factors rest on


def save_size_value(
    place: FieldPlace, known: Fundamentals, instruments: Instruments, market: AnyArray, saved: Callable[[str], AnyArray]
) -> list[str]:
    """Save the series `smb` and `hml` beside the fields; the names saved, none where they are unknown on every session.

    Parameters
    ----------
    market : (n_sessions, n_symbols) MARKET_CODES
    saved : reads the fields `close` and `mcap`
    """
    chosen = formations(place.sessions)
    stocks = StockMarket(
        sessions=place.sessions,
        close=saved("close"),
        mcap=saved("mcap"),
        market=market,
        stock=np.isin(instruments.kinds, _STOCKS) & ~instruments.financial,
        linked=~broken_links(place.sessions, observe_snapshot(place.snapshot).closed),
    )
    factors = size_value(stocks, chosen, book_equity(known, chosen, place.sessions))
    series = {"hml": factors.hml, "smb": factors.smb}
    names = [name for name, values in series.items() if not np.isnan(values).all()]
    for name in names:
        place.write_aside(f"series-{name}", series[name])
    share = factors.sorted_in / np.maximum(factors.listed, 1)
    if names and share.min() < _ENOUGH:
        worst = int(np.argmin(share))
        place.notes.append(
            f"The size and value factors of the year from July {chosen[worst].year} rest on {factors.sorted_in[worst]} "
            f"of {factors.listed[worst]} stocks: market cap or owners' equity of the others is unknown."
        )
    return names


def book_equity(known: Fundamentals, chosen: Sequence[Formation], sessions: DateArray) -> FloatArray:
    """Owners' equity of the fiscal year ended in the year before each formation, as public on its day.

    Consolidated before separate; of several versions the newest that states it.

    Returns
    -------
    (n_formations, n_symbols) float64 KRW, NaN = no such report is public
    """
    n_symbols = len(known.first_report) - 1
    book = np.full((len(chosen), n_symbols), np.nan)
    equity = known.balances.get("equity_parent")
    if equity is None:
        return book
    symbol = np.repeat(np.arange(n_symbols), np.diff(known.first_report))
    year = known.report_end.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    annual = (known.report_quarter == 4) & ~np.isnan(equity)
    for place, formation in enumerate(chosen):
        day = sessions[formation.june].astype("datetime64[D]").astype(np.int64)
        rows = np.flatnonzero(annual & (year == formation.year - 1) & (known.report_day <= day))
        # the last assignment stays: the latest fiscal year end, consolidated, newest
        rows = rows[np.lexsort((known.report_day[rows], known.consolidated[rows], known.report_end[rows]))]
        book[place, symbol[rows]] = equity[rows]
    return book
