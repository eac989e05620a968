"""What the exchange says, once more: ticks, daily limits and taxes as dated rows (docs/market-rules.md)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from functools import cache
from typing import TypeVar

Bands = tuple[tuple[int, int], ...]
"""Rows of (price from, tick), in won."""

KOSPI_BEFORE_2023: Bands = (
    (0, 1), (1_000, 5), (5_000, 10), (10_000, 50), (50_000, 100), (100_000, 500), (500_000, 1_000),
)  # fmt: skip
KOSDAQ_BEFORE_2023: Bands = ((0, 1), (1_000, 5), (5_000, 10), (10_000, 50), (50_000, 100))
ALL_SINCE_2023: Bands = (
    (0, 1), (2_000, 5), (5_000, 10), (20_000, 50), (50_000, 100), (200_000, 500), (500_000, 1_000),
)  # fmt: skip

TICKS: dict[str, Sequence[tuple[date, Bands]]] = {
    "KOSPI": ((date(2010, 10, 4), KOSPI_BEFORE_2023), (date(2023, 1, 25), ALL_SINCE_2023)),
    "KOSDAQ": ((date(2010, 10, 4), KOSDAQ_BEFORE_2023), (date(2023, 1, 25), ALL_SINCE_2023)),
    "KONEX": ((date(2010, 10, 4), KOSDAQ_BEFORE_2023), (date(2023, 1, 25), ALL_SINCE_2023)),
    "ETF": ((date(2010, 10, 4), ((0, 5),)), (date(2023, 12, 11), ((0, 1), (2_000, 5)))),
}
LIMIT_PERCENT: dict[str, Sequence[tuple[date, int]]] = {
    "KOSPI": ((date(2005, 3, 28), 15), (date(2015, 6, 15), 30)),
    "KOSDAQ": ((date(2005, 3, 28), 15), (date(2015, 6, 15), 30)),
    "KONEX": ((date(2005, 3, 28), 15),),
}
STOCK_TAX = tuple(
    (day, Fraction(percent) / 100)
    for day, percent in (
        (date(1996, 1, 1), "0.30"),
        (date(2019, 5, 30), "0.25"),
        (date(2020, 12, 29), "0.23"),
        (date(2022, 12, 28), "0.20"),
        (date(2023, 12, 27), "0.18"),
        (date(2024, 12, 27), "0.15"),
        (date(2025, 12, 29), "0.20"),
    )
)
TAX: dict[str, Sequence[tuple[date, Fraction]]] = {
    "KOSPI": STOCK_TAX,
    "KOSDAQ": STOCK_TAX,
    "KONEX": ((date(1996, 1, 1), Fraction("0.003")), (date(2019, 5, 30), Fraction("0.001"))),
}
WITHHELD = ((date(2005, 1, 1), Fraction("0.154")),)
NO_LIMIT_UP = 1 << 60


def _coin_bands(text: str) -> Bands:
    """Bands of coins from "price:tick" pairs in won, lowest first, in units of 1e-8 won."""
    pairs = [pair.split(":") for pair in text.split()]
    return tuple((int(Fraction(start) * 10**8), int(Fraction(step) * 10**8)) for start, step in pairs)


TICKS["UPBIT"] = (
    (
        date(2022, 1, 1),
        _coin_bands(
            "0:0.0001 0.1:0.001 1:0.01 10:0.1 100:1 1000:5 10000:10 100000:50 500000:100 1000000:500 2000000:1000"
        ),
    ),
    (
        date(2024, 1, 29),
        _coin_bands(
            "0:0.00000001 0.0001:0.0000001 0.001:0.000001 0.01:0.00001 0.1:0.0001 1:0.001 10:0.01 100:0.1 1000:1 "
            "10000:10 100000:50 500000:100 1000000:500 2000000:1000"
        ),
    ),
    (
        date(2025, 7, 31),
        _coin_bands(
            "0:0.00000001 0.00001:0.0000001 0.0001:0.000001 0.001:0.00001 0.01:0.0001 0.1:0.001 1:0.01 10:0.1 100:1 "
            "5000:5 10000:10 50000:50 100000:100 500000:500 1000000:1000"
        ),
    ),
)
LIMIT_PERCENT["UPBIT"] = ((date(2022, 1, 1), 0),)
TAX["UPBIT"] = ((date(2022, 1, 1), Fraction(0)),)
LEAST_COIN_ORDER = 5_000 * 10**8
Rule = TypeVar("Rule")


def _in_force(rows: Sequence[tuple[date, Rule]], day: date) -> Rule:
    place = bisect_right([row[0] for row in rows], day) - 1
    assert place >= 0, f"no rule for {day}"
    return rows[place][1]


def _known(market: str) -> str:
    return market or "KOSPI"  # where the market is unknown KOSPI's rules hold


@cache
def tick_bands(table: str, day: date) -> Bands:
    """The bands of a market, or of "ETF", on a trade date."""
    return _in_force(TICKS[_known(table)], day)


@cache
def tax_rate(market: str, day: date) -> Fraction:
    """Tax on sales of stocks by market and trade date."""
    return _in_force(TAX[_known(market)], day)


@cache
def withheld_rate(day: date) -> Fraction:
    """What is withheld from a dividend paid on a day."""
    return _in_force(WITHHELD, day)


@cache
def limit_percent(market: str, day: date) -> int:
    """Width of the daily limits in percent."""
    return _in_force(LIMIT_PERCENT[_known(market)], day)


def tick(price: int, bands: Bands) -> int:
    """The tick at a price; on a boundary the upper band applies."""
    return [step for start, step in bands if price >= start][-1]


def up_to_tick(price: int, bands: Bands) -> int:
    """The legal price at or above."""
    step = tick(price, bands)
    return -(-price // step) * step


def down_to_tick(price: int, bands: Bands) -> int:
    """The legal price at or below, one tick at least."""
    step = tick(price, bands)
    return max(price // step * step, step)


def legal_limits(base: int, percent: int, bands: Bands) -> tuple[int, int]:
    """Lower and upper limit around a base price: one width for both, the upper floored to the tick it lands on."""
    step = tick(base, bands)
    width = base * percent // 100 // step * step
    upper_step = tick(base + width, bands)
    return base - width, (base + width) // upper_step * upper_step


def limit_band(base: int, percent: int, bands: Bands, high: int, low: int, *, raw: bool) -> tuple[int, int]:
    """(highest price that counts as the lower limit, lowest that counts as the upper); (0, 2^60) without limits.

    A day whose range left the limits had none. Adjusted bars do not know the legal prices: there, what comes within
    1.5 points of the limit counts as the limit.
    """
    if base <= 0 or percent == 0:
        return 0, NO_LIMIT_UP
    if raw:
        lower, upper = legal_limits(base, percent, bands)
        return (0, NO_LIMIT_UP) if high > upper or low < lower else (lower, upper)
    share = Fraction(percent, 100)
    if high > base * (1 + share) + 1 or low < base * (1 - share) - 1:
        return 0, NO_LIMIT_UP
    nearly = Fraction(15, 1000)
    lower = int(base * (1 - share + nearly) + Fraction(1, 2))
    upper = int(base * (1 + share - nearly) + Fraction(1, 2))
    return min(lower, base - 1), max(upper, base + 1)
