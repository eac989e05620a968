"""Tick sizes by market and date."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

import numpy as np

from stocklab.errors import InputError
from stocklab.market.dated import in_force, rows_in_force
from stocklab.market.panel import MARKET_CODES
from stocklab.types import DateArray, IntArray

__all__ = ["TICKS", "TICK_BANDS", "round_to_tick", "tick_regimes", "tick_size", "tick_tables"]

Bands = tuple[tuple[int, int], ...]

# Sources: recorded KRX prices of 2020/21, KRX Open API samples of 2024, press of 2023-01-17 (docs/market-rules.md,
# section 4). A price on a boundary belongs to the upper band.
TICK_BANDS: Final[dict[str, Bands]] = {
    "kospi_2010": (
        (0, 1),
        (1_000, 5),
        (5_000, 10),
        (10_000, 50),
        (50_000, 100),
        (100_000, 500),
        (500_000, 1_000),
    ),
    "kosdaq_2010": ((0, 1), (1_000, 5), (5_000, 10), (10_000, 50), (50_000, 100)),
    "all_2023": (
        (0, 1),
        (2_000, 5),
        (5_000, 10),
        (20_000, 50),
        (50_000, 100),
        (200_000, 500),
        (500_000, 1_000),
    ),
    "etf": ((0, 5),),
    "etf_2023": ((0, 1), (2_000, 5)),
}
"""Name of a table -> rows of (price from, tick), KRW."""

TICKS: Final = {
    "KOSPI": ((date(2010, 10, 4), "kospi_2010"), (date(2023, 1, 25), "all_2023")),
    "KOSDAQ": ((date(2010, 10, 4), "kosdaq_2010"), (date(2023, 1, 25), "all_2023")),
    "KONEX": ((date(2010, 10, 4), "kosdaq_2010"), (date(2023, 1, 25), "all_2023")),
    "ETF": ((date(2010, 10, 4), "etf"), (date(2023, 12, 11), "etf_2023")),
}
"""Market, or "ETF" for every ETF and ETN -> rows of (trade date from, table)."""

_ETF_COLUMN: Final = len(MARKET_CODES)
_MOST_BANDS: Final = max(len(bands) for bands in TICK_BANDS.values())


def tick_size(price_krw: int, market: str, day: date) -> int:
    """Tick at a price.

    Raises
    ------
    InputError
        The market is unknown, or no table is known for the date.

    >>> tick_size(137_000, "KOSPI", date(2021, 1, 4)), tick_size(137_000, "KOSDAQ", date(2021, 1, 4))
    (500, 100)
    """
    if market not in TICKS:
        raise InputError(f"Unknown market {market!r}. Expected one of {', '.join(TICKS)}.")
    bands = TICK_BANDS[in_force(TICKS[market], day, "tick table")]
    return next(tick for start, tick in reversed(bands) if price_krw >= start)


def round_to_tick(price_krw: int, market: str, day: date, direction: Literal["up", "down"]) -> int:
    """Nearest legal price above or below; a legal price stays.

    >>> round_to_tick(1_996, "KOSPI", date(2024, 1, 4), "up"), round_to_tick(2_001, "KOSPI", date(2024, 1, 4), "up")
    (1996, 2005)
    """
    tick = tick_size(price_krw, market, day)
    return price_krw // tick * tick if direction == "down" else -(-price_krw // tick) * tick


def tick_tables() -> tuple[IntArray, IntArray]:
    """Tables for a kernel: price-from and tick, each (n_tables, most bands) int64, padded with an endless last band."""
    starts = np.full((len(TICK_BANDS), _MOST_BANDS), np.iinfo(np.int64).max, dtype=np.int64)
    ticks = np.ones((len(TICK_BANDS), _MOST_BANDS), dtype=np.int64)
    for row, bands in enumerate(TICK_BANDS.values()):
        for column, (start, tick) in enumerate(bands):
            starts[row, column], ticks[row, column] = start, tick
    return starts, ticks


def tick_regimes(sessions: DateArray) -> IntArray:
    """Row of :func:`tick_tables` in force: (n_sessions, n_markets + 1) int64, columns by ``MARKET_CODES``, last ETF.

    Raises
    ------
    InputError
        A session is before the first table.
    """
    names = list(TICK_BANDS)
    regimes = np.zeros((len(sessions), len(MARKET_CODES) + 1), dtype=np.int64)
    columns: dict[str, list[int]] = {market: [] for market in TICKS}
    columns["ETF"].append(_ETF_COLUMN)
    for market, code in MARKET_CODES.items():
        if market != "UPBIT":  # coins have tables of their own (market.upbit), never in one panel with KRX
            columns[market or "KOSPI"].append(code)
    for market, codes in columns.items():
        rows = TICKS[market]
        tables = np.array([names.index(name) for _, name in rows], dtype=np.int64)
        regimes[:, codes] = tables[rows_in_force(rows, sessions, "tick table")][:, None]
    return regimes
