"""Won arithmetic of the kernel: integers only, rates in parts per billion, no product beyond int64.

Of coins money, prices and quantities count in units of 1/100,000,000 (``unit``; 1 for KRX): products of two of them are
split into whole coins and the rest, so that they are exact and stay inside 64 bits.
"""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from typing import Final

from stocklab.backtest.compiled import part
from stocklab.backtest.layout import Records
from stocklab.types import IntArray

__all__ = [
    "affordable",
    "amount_of",
    "beyond",
    "cost_of",
    "down_to_tick",
    "level_below",
    "part_of_volume",
    "quantity_for",
    "rest_of",
    "scaled_down",
    "scaled_up",
    "slipped_buy",
    "slipped_sale",
    "up_to_tick",
    "whole_price",
]

BILLION: Final = 1_000_000_000
MOST_EXACT: Final = 3_000_000_000
"""Largest count whose square fits 64 bits."""

HAIR: Final = 1e-6
"""Levels of an average price carry binary noise (0.95 * 7000 is 6649.99...); this much of a won forgives it."""

COIN_HAIR: Final = 1e-12
"""The same for coins, as a fraction of the level: 0.00000001 won is much of one coin and nothing of another."""

MOST_MONEY: Final = 9e18
"""Units of money beyond which 64 bits end: 90,000,000,000 won of coins."""

MOST_QUANTITY: Final = 4_000_000_000_000_000_000
"""Most units one order can be of: 40,000,000,000 coins."""


@part
def cost_of(amount: int, rate: int) -> int:
    """Part of an amount at a rate in parts per billion (at most 1), rounded down."""
    return (amount // BILLION) * rate + (amount % BILLION) * rate // BILLION


@part
def scaled_up(amount: int, rate: int) -> int:
    """``amount * (1 + rate)``, rounded up; the rate in parts per billion may be negative."""
    return amount + (amount // BILLION) * rate - (-(amount % BILLION) * rate) // BILLION


@part
def scaled_down(amount: int, rate: int) -> int:
    """``amount * (1 + rate)``, rounded down; the rate in parts per billion may be negative."""
    return amount + (amount // BILLION) * rate + (amount % BILLION) * rate // BILLION


@part
def whole_price(price: float, unit: int) -> int:
    """Units of a float price, half up; 0 where unknown."""
    return int(price * unit + 0.5) if price > 0.0 else 0


@part
def amount_of(quantity: int, price: int, unit: int) -> int:
    """Money of a quantity at a price, rounded down to the unit (whole for KRX)."""
    if unit == 1:
        return quantity * price
    rest = quantity % unit
    return (quantity // unit) * price + rest * (price // unit) + rest * (price % unit) // unit


@part
def part_of_volume(volume: float, rate: int, unit: int) -> int:
    """Part of a traded volume of coins at a rate in parts per billion, in units, rounded down; at most `MOST_QUANTITY`.

    Whole coins and their fraction are taken apart: the volume itself may have more units than 64 bits.
    """
    whole = int(min(volume, MOST_MONEY))
    rest = int((volume - whole) * unit + 0.5)
    high, low = whole // BILLION, whole % BILLION
    if float(high) * rate * unit >= MOST_QUANTITY:
        return MOST_QUANTITY
    # (low * unit + rest) * rate / BILLION, where a billion is a whole number of units
    return min(high * rate * unit + (low * rate + rest * rate // unit) // (BILLION // unit), MOST_QUANTITY)


@part
def beyond(quantity: int, price: int, unit: int, money: int) -> bool:
    """Whether money and the amount of a quantity leave together what 64 bits can count; KRX never comes near."""
    return unit > 1 and float(quantity) * float(price) / unit + float(money) > MOST_MONEY


@part
def quantity_for(money: int, price: int, unit: int) -> int:
    """Most that a price lets money be worth, rounded down, at most `MOST_QUANTITY` of coins."""
    if unit == 1:
        return money // price
    if float(money) * unit / price >= MOST_QUANTITY:
        return MOST_QUANTITY
    return share_of(money, unit, price)


@part
def share_of(amount: int, part: int, whole: int) -> int:
    """``amount * part / whole`` rounded down, exact, for a whole below 2^62 and a result inside 64 bits.

    The product is built bit by bit as a whole number and a rest, which never needs more than the result.
    """
    step, step_rest = amount // whole, amount % whole
    found, rest = 0, 0
    for bit in range(62, -1, -1):
        found, rest = 2 * found, 2 * rest
        if rest >= whole:
            found, rest = found + 1, rest - whole
        if (part >> bit) & 1:
            found, rest = found + step, rest + step_rest
            if rest >= whole:
                found, rest = found + 1, rest - whole
    return found


@part
def rest_of(amount: int, left: int, whole: int) -> int:
    """``amount * left / whole`` for left <= whole, rounded down."""
    if left == whole:
        return amount
    if whole > MOST_EXACT:
        return share_of(amount, left, whole)
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
    """Price a purchase is meant to fill at: the mean ``total / count`` plus slippage, rounded up, up to the tick.

    A price the market itself made (count 1) without slippage is taken as it is: what traded was legal.
    """
    slippage = rules[0].slippage
    if slippage == 0 and count == 1:
        return total
    price = (scaled_up(total, slippage) + count - 1) // count
    return up_to_tick(price, regime, tick_from, tick_step)


@part
def slipped_sale(rules: Records, total: int, count: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Price a sale is meant to fill at: the mean ``total / count`` less slippage, rounded down, down to the tick."""
    slippage = rules[0].slippage
    if slippage == 0 and count == 1:
        return total
    price = scaled_down(total, -slippage) // count
    return down_to_tick(max(price, 1), regime, tick_from, tick_step)


@part
def level_below(reference: float, level: int, unit: int) -> int:
    """Whole units at or below ``reference * (1 - level)``; a negative level lies above the reference."""
    at = reference * ((BILLION - level) / BILLION)
    return int(at + HAIR) if unit == 1 else int(at + at * COIN_HAIR)


@part
def affordable(budget: int, price: int, extra: int, commission: int, most: int, unit: int) -> int:
    """Most shares, up to ``most``, whose amount, commission and booked slippage (``extra`` a share) fit the budget."""
    if budget <= 0 or most <= 0:
        return 0
    each = price * (1.0 + commission / BILLION) + extra
    if unit > 1:
        return _affordable_coins(budget, price, extra, commission, most, unit, budget / each * unit)
    shares = min(most, int(budget / each) + 1)
    while shares > 0 and shares * (price + extra) + cost_of(shares * price, commission) > budget:
        shares -= 1
    return shares


@part
def cost_with(quantity: int, price: int, extra: int, commission: int, unit: int) -> int:
    """What a purchase costs: amount, booked slippage and commission, each rounded down."""
    amount = amount_of(quantity, price, unit)
    return amount + amount_of(quantity, extra, unit) + cost_of(amount, commission)


@part
def _affordable_coins(
    budget: int, price: int, extra: int, commission: int, most: int, unit: int, estimate: float
) -> int:
    """`affordable` of coins, bisected around an estimate: the cost only grows with the quantity.

    The estimate is off by what floats round, and by what rounding down each of the three parts forgives.
    """
    noise = estimate * 1e-12 + 2.0
    low, high = 0, min(most, MOST_QUANTITY)
    if estimate + noise + 3.0 * unit / price < high:
        high = int(estimate + noise + 3.0 * unit / price)
    if estimate - noise >= high:  # compared as floats: what is far beyond has no integer
        low = high
    elif estimate - noise > 0.0:
        low = int(estimate - noise)
    while low < high:
        middle = high - (high - low) // 2
        if cost_with(middle, price, extra, commission, unit) <= budget:
            low = middle
        else:
            high = middle - 1
    return low
