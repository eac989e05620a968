"""Transaction tax on sales, by market and trade date. There is none on purchases."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.market.dated import in_force, rows_in_force
from stocklab.market.panel import MARKET_CODES
from stocklab.types import DateArray, IntArray

__all__ = ["BILLION", "TAX_PPB", "tax_krw", "tax_ppb", "tax_table"]

BILLION: Final = 1_000_000_000
"""Rates are whole parts per billion, so that amounts stay in integer arithmetic."""

# Trade dates: the law's dates count the settlement day (T+2; 31 December settles nothing), hence the December rows.
# Sources: press of 2019-05-21/30 and 2020-12-29, broker notices for 2024-12-27 and 2025-12-29 (docs/market-rules.md,
# section 7); the rates of 2022-12-28 and 2023-12-27 from the notices that state what they replaced.
_KOSPI: Final = (  # securities transaction tax + rural special tax
    (date(1996, 1, 1), 3_000_000),
    (date(2019, 5, 30), 2_500_000),
    (date(2020, 12, 29), 2_300_000),
    (date(2022, 12, 28), 2_000_000),
    (date(2023, 12, 27), 1_800_000),
    (date(2024, 12, 27), 1_500_000),
    (date(2025, 12, 29), 2_000_000),
)
_KONEX: Final = (
    (date(1996, 1, 1), 3_000_000),
    (date(2019, 5, 30), 1_000_000),
)
TAX_PPB: Final = {
    "KOSPI": _KOSPI,
    "KOSDAQ": _KOSPI,  # no rural special tax, but the same total on every date
    "KONEX": _KONEX,
    "UPBIT": ((date(1996, 1, 1), 0),),
}
"""Market -> rows of (trade date from, parts per billion of the sale). ETFs and ETNs pay none."""


def tax_ppb(market: str, day: date) -> int:
    """Rate in parts per billion of a sale on ``market`` with trade date ``day``.

    Raises
    ------
    InputError
        The market is unknown, or no rate is known for the date.

    >>> tax_ppb("KOSPI", date(2024, 12, 26)), tax_ppb("KOSPI", date(2024, 12, 27))
    (1800000, 1500000)
    """
    if market not in TAX_PPB:
        raise InputError(f"Unknown market {market!r}. Expected one of {', '.join(TAX_PPB)}.")
    return in_force(TAX_PPB[market], day, "transaction tax")


def tax_krw(market: str, day: date, amount_krw: int) -> int:
    """Tax on a sale, rounded down to the won.

    >>> tax_krw("KOSDAQ", date(2025, 12, 29), 10_000_000)
    20000
    """
    return amount_krw * tax_ppb(market, day) // BILLION


def tax_table(sessions: DateArray) -> IntArray:
    """Rates for a kernel: (n_sessions, n_markets) int64 parts per billion, columns by ``MARKET_CODES``.

    The unknown market "" has KOSPI's rate, which no market's exceeds.
    """
    table = np.zeros((len(sessions), len(MARKET_CODES)), dtype=np.int64)
    for market, code in MARKET_CODES.items():
        rows = TAX_PPB[market or "KOSPI"]
        rates = np.array([rate for _, rate in rows], dtype=np.int64)
        table[:, code] = rates[rows_in_force(rows, sessions, "transaction tax")]
    return table
