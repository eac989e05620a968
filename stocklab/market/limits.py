"""Daily price limits, by market and date, with KRX's own integer rounding."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.market.dated import in_force, rows_in_force
from stocklab.market.panel import MARKET_CODES
from stocklab.market.ticks import tick_size
from stocklab.types import DateArray, IntArray

__all__ = ["LIMIT_PERCENT", "limit_percent", "limit_table", "price_limits"]

# Sources: docs/market-rules.md, section 5 (15 % until 2015-06-12; KONEX stays at 15 %). KOSDAQ's first row is the date
# from which it had 15 %.
_WIDE: Final = ((date(2005, 3, 28), 15), (date(2015, 6, 15), 30))
LIMIT_PERCENT: Final = {
    "KOSPI": _WIDE,
    "KOSDAQ": _WIDE,
    "KONEX": ((date(2005, 3, 28), 15),),
    "ETF": _WIDE,  # leveraged ones have 30 % times their multiple (LIKELY), which the broker's own quote names
    "UPBIT": ((date(2005, 3, 28), 0),),
}
"""Market -> rows of (trade date from, percent of the base price each way); 0 = no limit."""


def limit_percent(market: str, day: date) -> int:
    """Width of the limit in percent; 0 where there is none.

    Raises
    ------
    InputError
        The market is unknown, or no limit is known for the date.
    """
    if market not in LIMIT_PERCENT:
        raise InputError(f"Unknown market {market!r}. Expected one of {', '.join(LIMIT_PERCENT)}.")
    return in_force(LIMIT_PERCENT[market], day, "price limit")


def price_limits(base_krw: int, market: str, day: date, *, ticks: str = "") -> tuple[int, int]:
    """Lower and upper limit around a base price (the previous close, or KRX's price after a corporate action).

    One width serves both sides: base x percent, floored to the tick of the base; the upper limit is floored once more
    to the tick it lands on. No rounding of the lower: it is legal already (24,250 gives 17,000, not 16,980). ``ticks``
    is "ETF" for ETFs and ETNs, whose ticks are not their market's.

    Raises
    ------
    InputError
        The base is not positive, the market has no limit, or the market or date is unknown.

    >>> price_limits(24_250, "KOSPI", date(2024, 1, 4))
    (17000, 31500)
    """
    percent = limit_percent(market, day)
    if base_krw <= 0 or percent == 0:
        raise InputError(f"A positive base price on a market with limits is expected, found {base_krw} on {market}.")
    base_tick = tick_size(base_krw, ticks or market, day)
    width = base_krw * percent // 100 // base_tick * base_tick
    upper_tick = tick_size(base_krw + width, ticks or market, day)
    return base_krw - width, (base_krw + width) // upper_tick * upper_tick


def limit_table(sessions: DateArray) -> IntArray:
    """Widths for a kernel: (n_sessions, n_markets) int64 percent, columns by ``MARKET_CODES``; "" as KOSPI.

    Raises
    ------
    InputError
        A session is before the first row.
    """
    table = np.zeros((len(sessions), len(MARKET_CODES)), dtype=np.int64)
    for market, code in MARKET_CODES.items():
        rows = LIMIT_PERCENT[market or "KOSPI"]
        table[:, code] = np.array([percent for _, percent in rows])[rows_in_force(rows, sessions, "price limit")]
    return table
