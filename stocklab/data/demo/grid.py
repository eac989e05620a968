"""Legal prices for whole arrays: KRX's dated ticks and daily limits, looked up per session and symbol."""

from __future__ import annotations

import numpy as np

from stocklab.market.limits import limit_table
from stocklab.market.panel import MARKET_CODES
from stocklab.market.ticks import tick_regimes, tick_tables
from stocklab.types import BoolArray, DateArray, FloatArray, IntArray

__all__ = ["Grid"]

_FUND_COLUMN = len(MARKET_CODES)  # of tick_regimes


class Grid:
    """Ticks and limits of (n_sessions, n_symbols); rows are addressed by session index.

    ``market`` (n_sessions, n_symbols) holds MARKET_CODES, ``fund`` (n_symbols,) marks ETFs.
    """

    def __init__(self, sessions: DateArray, market: IntArray, fund: BoolArray) -> None:
        row = np.arange(len(sessions))[:, None]
        starts, ticks = tick_tables()
        # every table over the same bands, so that one search serves all
        self._floors = np.unique(starts[starts < np.iinfo(np.int64).max])[1:]
        probes = np.concatenate([[0], self._floors])
        bands = np.array([np.searchsorted(table, probes, side="right") - 1 for table in starts])
        self._ticks = np.take_along_axis(ticks, bands, axis=1)
        self._table = tick_regimes(sessions)[row, np.where(fund, _FUND_COLUMN, market)]
        self._percent = limit_table(sessions)[row, market]

    def tick(self, session: int | slice, price: IntArray | FloatArray) -> IntArray:
        """Tick of each price on that session (or those sessions), won."""
        found: IntArray = self._ticks[self._table[session], np.searchsorted(self._floors, price, side="right")]
        return found

    def nearest(self, session: int | slice, price: FloatArray) -> IntArray:
        """Nearest legal price, at least one tick."""
        tick = self.tick(session, price)
        legal: IntArray = np.maximum(np.rint(price / tick).astype(np.int64) * tick, tick)
        return legal

    def limits(self, session: int, base: IntArray) -> tuple[IntArray, IntArray]:
        """Lowest and highest legal price of the session around the base price, won.

        A base off the session's grid (after a change of ticks or of market) has its lower limit raised to the grid.
        """
        tick = self.tick(session, base)
        width = base * self._percent[session] // 100 // tick * tick
        upper = base + width
        upper -= upper % self.tick(session, upper)
        lower = base - width
        lower += -lower % self.tick(session, lower)
        return lower, np.maximum(upper, lower)
