"""Upbit's won market: sessions, ticks, smallest order and commission, as dated tables in exact units.

Money, prices and quantities of coins are whole numbers of 1/100,000,000 (``COIN_UNIT``): Upbit's quantities and its
smallest tick have eight decimals. A session is a UTC day, 09:00 to 09:00 in Korea, which is Upbit's own daily candle;
there is one every day of the year, and KRX's calendar has no say in it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, Literal

import numpy as np

from stocklab.errors import InputError
from stocklab.market.dated import in_force, rows_in_force
from stocklab.market.panel import COIN_UNIT, MARKET_CODES
from stocklab.types import DateArray, IntArray

__all__ = [
    "COIN_TICKS",
    "COMMISSION_RATE",
    "FIRST_COIN_SESSION",
    "MINIMUM_ORDER_KRW",
    "MOST_INITIAL_CASH_KRW",
    "coin_round_to_tick",
    "coin_sessions",
    "coin_tick_regimes",
    "coin_tick_size",
    "coin_tick_tables",
    "minimum_orders",
]

FIRST_COIN_SESSION: Final = date(2022, 1, 1)
"""First session whose rules are known; nothing is guessed before it."""

Bands = tuple[tuple[str, str], ...]

# Each step below a band is a tenth of the one above. A price on a boundary belongs to the upper band.
#
# since 2022-01-01: docs.upbit.com/v1.4.1/docs/market-info-trade-price-detail, a page without a date of effect. Checked
#   against every hourly bar of BTC, ETH, SOL, LINK, XRP and DOGE from 2022-01-01 to 2024-01-28 (10 won and above):
#   all lie on it. Below 10 won and the first date are LIKELY: no recorded bar reaches there.
# since 2024-01-29: docs.upbit.com/v1.4.5/docs/market-info-trade-price-detail, and the notice
#   docs.upbit.com/kr/changelog/tick_unit_change. The change came at midnight in Korea, inside the session of 01-28.
# since 2025-07-31: docs.upbit.com/kr/docs/krw-market-info (2026-05-04), and the notice
#   docs.upbit.com/kr/changelog/krw_tick_unit_change_250731. The two last steps are LIKELY. Orders that were resting
#   before filled at their old prices for some weeks.
# Not here: from 2024-10-14 to 2025-07-30 sixteen coins (ADA ALGO BLUR CELO ELF EOS GRS GRT ICX MANA MINA POL SAND SEI
#   STG TRX) had a tick of 1 between 100 and 1,000 won, and since 2025-03-21 USDT and USDC one of 0.5 between 1,000 and
#   10,000 won (docs.upbit.com/changelog/usdtkrw_tick_unit_change).
_SINCE_2022: Final[Bands] = (
    ("0", "0.0001"),
    ("0.1", "0.001"),
    ("1", "0.01"),
    ("10", "0.1"),
    ("100", "1"),
    ("1000", "5"),
    ("10000", "10"),
    ("100000", "50"),
    ("500000", "100"),
    ("1000000", "500"),
    ("2000000", "1000"),
)
_SINCE_2024: Final[Bands] = (
    ("0", "0.00000001"),
    ("0.0001", "0.0000001"),
    ("0.001", "0.000001"),
    ("0.01", "0.00001"),
    ("0.1", "0.0001"),
    ("1", "0.001"),
    ("10", "0.01"),
    ("100", "0.1"),
    ("1000", "1"),
    ("10000", "10"),
    ("100000", "50"),
    ("500000", "100"),
    ("1000000", "500"),
    ("2000000", "1000"),
)
_SINCE_2025: Final[Bands] = (
    ("0", "0.00000001"),
    ("0.00001", "0.0000001"),
    ("0.0001", "0.000001"),
    ("0.001", "0.00001"),
    ("0.01", "0.0001"),
    ("0.1", "0.001"),
    ("1", "0.01"),
    ("10", "0.1"),
    ("100", "1"),
    ("5000", "5"),
    ("10000", "10"),
    ("50000", "50"),
    ("100000", "100"),
    ("500000", "500"),
    ("1000000", "1000"),
)
COIN_TICKS: Final = (
    (FIRST_COIN_SESSION, _SINCE_2022),
    (date(2024, 1, 29), _SINCE_2024),
    (date(2025, 7, 31), _SINCE_2025),
)
"""Rows of (session from, bands of (price from, tick) in won)."""

MINIMUM_ORDER_KRW: Final = ((FIRST_COIN_SESSION, 5_000),)
"""Rows of (session from, smallest amount of an order in won).

Source: docs.upbit.com/kr/docs/krw-market-info (2026); that it held on the first date is LIKELY. The exchange says the
value of the day in ``GET /v1/orders/chance``.
"""

COMMISSION_RATE: Final = 0.0005
"""Of every trade on the won market, each side, VAT included (LIKELY; ``bid_fee`` and ``ask_fee`` of orders/chance)."""

MOST_INITIAL_CASH_KRW: Final = 1_000_000_000
"""A run of coins starts with this much at most: 64 bits count to 92,233,720,368 won in units."""


def coin_sessions(start: date, end: date) -> DateArray:
    """Every UTC day of [start, end], (n,) datetime64[D].

    >>> coin_sessions(date(2024, 12, 31), date(2025, 1, 1))
    array(['2024-12-31', '2025-01-01'], dtype='datetime64[D]')
    """
    return np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + 1)


def coin_tick_size(price_krw: Decimal, day: date) -> Decimal:
    """Tick at a price.

    Raises
    ------
    InputError
        No table is known for the date.

    >>> coin_tick_size(Decimal(150), date(2024, 1, 28)), coin_tick_size(Decimal(150), date(2024, 1, 29))
    (Decimal('1'), Decimal('0.1'))
    """
    bands = in_force(COIN_TICKS, day, "Upbit tick table")
    return next(Decimal(tick) for start, tick in reversed(bands) if price_krw >= Decimal(start))


def coin_round_to_tick(price_krw: Decimal, day: date, direction: Literal["up", "down"]) -> Decimal:
    """Nearest legal price above or below; a legal price stays.

    >>> coin_round_to_tick(Decimal("4999.5"), date(2025, 8, 1), "up")
    Decimal('5000')
    """
    tick = coin_tick_size(price_krw, day)
    steps = price_krw // tick
    if direction == "up" and steps * tick != price_krw:
        steps += 1
    return steps * tick


def coin_tick_tables() -> tuple[IntArray, IntArray]:
    """Tables for a kernel, in units: price-from and tick, each (n_tables, most bands) int64, padded at the end."""
    most = max(len(bands) for _, bands in COIN_TICKS)
    starts = np.full((len(COIN_TICKS), most), np.iinfo(np.int64).max, dtype=np.int64)
    ticks = np.ones((len(COIN_TICKS), most), dtype=np.int64)
    for row, (_, bands) in enumerate(COIN_TICKS):
        for column, (start, tick) in enumerate(bands):
            starts[row, column], ticks[row, column] = int(Decimal(start) * COIN_UNIT), int(Decimal(tick) * COIN_UNIT)
    return starts, ticks


def coin_tick_regimes(sessions: DateArray) -> IntArray:
    """Row of :func:`coin_tick_tables` in force: (n_sessions, n_markets + 1) int64, the same in every column.

    Raises
    ------
    InputError
        A session is before the first table.
    """
    _require_known(sessions)
    rows = rows_in_force(COIN_TICKS, sessions, "Upbit tick table")
    return np.repeat(rows[:, None], len(MARKET_CODES) + 1, axis=1)


def minimum_orders(sessions: DateArray) -> IntArray:
    """Smallest amount of an order, (n_sessions,) int64 units.

    Raises
    ------
    InputError
        A session is before the first row.
    """
    _require_known(sessions)
    amounts = np.array([amount * COIN_UNIT for _, amount in MINIMUM_ORDER_KRW], dtype=np.int64)
    return amounts[rows_in_force(MINIMUM_ORDER_KRW, sessions, "Upbit minimum order")]


def _require_known(sessions: DateArray) -> None:
    if len(sessions) and sessions[0] < np.datetime64(FIRST_COIN_SESSION, "D"):
        raise InputError(
            f"Upbit's ticks and smallest order are known from {FIRST_COIN_SESSION} on, "
            f"found the session {sessions[0]}. Hint: start later."
        )
