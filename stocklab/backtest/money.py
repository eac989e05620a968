"""Won arithmetic of the kernel: integers only, rates in parts per billion, no product beyond int64."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from typing import Final

from stocklab.backtest.compiled import part
from stocklab.backtest.layout import Records
from stocklab.types import IntArray

__all__ = [
    "affordable",
    "cost_of",
    "down_to_tick",
    "level_below",
    "rest_of",
    "slipped_buy",
    "slipped_sale",
    "up_to_tick",
]

BILLION: Final = 1_000_000_000
MOST_EXACT: Final = 3_000_000_000
"""Largest count whose square fits 64 bits."""

HAIR: Final = 1e-6
"""Levels of an average price carry binary noise (0.95 * 7000 is 6649.99...); this much of a won forgives it."""


@part
def cost_of(amount: int, rate: int) -> int:
    """Part of an amount at a rate in parts per billion, rounded down to the won, for amounts to 10^18."""
    return (amount // BILLION) * rate + (amount % BILLION) * rate // BILLION


@part
def rest_of(amount: int, left: int, whole: int) -> int:
    """``amount * left / whole`` for left <= whole, rounded down."""
    if left == whole:
        return amount
    if whole > MOST_EXACT:
        return int(amount * (left / whole))
    return amount // whole * left + amount % whole * left // whole


@part
def tick_at(price: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Tick of a price in the table in force."""
    band = 0
    while band + 1 < tick_from.shape[1] and tick_from[regime, band + 1] <= price:
        band += 1
    return tick_step[regime, band]  # type: ignore[no-any-return]


@part
def up_to_tick(price: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Next legal price at or above."""
    tick = tick_at(price, regime, tick_from, tick_step)
    return (price + tick - 1) // tick * tick


@part
def down_to_tick(price: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Next legal price at or below, at least one tick."""
    tick = tick_at(price, regime, tick_from, tick_step)
    return max(price // tick * tick, tick)


@part
def slipped_buy(rules: Records, total: int, count: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Price a purchase is meant to fill at: the mean ``total / count`` plus slippage, up to the won, up to the tick.

    A price the market itself made (count 1) without slippage is taken as it is: what traded was legal.
    """
    slippage = rules[0].slippage
    if slippage == 0 and count == 1:
        return total
    whole = BILLION * count
    price = (total * (BILLION + slippage) + whole - 1) // whole
    return up_to_tick(price, regime, tick_from, tick_step)


@part
def slipped_sale(rules: Records, total: int, count: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Price a sale is meant to fill at: the mean ``total / count`` less slippage, down to the won, down to the tick."""
    slippage = rules[0].slippage
    if slippage == 0 and count == 1:
        return total
    price = total * (BILLION - slippage) // (BILLION * count)
    return down_to_tick(max(price, 1), regime, tick_from, tick_step)


@part
def level_below(reference: float, level: int) -> int:
    """Whole won at or below ``reference * (1 - level)``; a negative level lies above the reference."""
    return int(reference * ((BILLION - level) / BILLION) + HAIR)


@part
def affordable(budget: int, price: int, extra: int, commission: int, most: int) -> int:
    """Most shares, up to ``most``, whose amount, commission and booked slippage (``extra`` a share) fit the budget."""
    if budget <= 0 or most <= 0:
        return 0
    unit = price * (1.0 + commission / BILLION) + extra
    shares = min(most, int(budget / unit) + 1)
    while shares > 0 and shares * (price + extra) + cost_of(shares * price, commission) > budget:
        shares -= 1
    return shares
