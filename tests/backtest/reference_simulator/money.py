"""Won and fractions, exact."""

from __future__ import annotations

from fractions import Fraction
from math import floor

HAIR = Fraction(1, 1_000_000)
"""What a level or an amount may fall short of a whole won and still count as that won."""
COIN_HAIR = Fraction(1, 10**12)
"""The same for coins, as a part of the level."""
COIN_UNIT = 10**8
"""Units of a won and of a coin."""
MOST_COINS = 4 * 10**18
"""Units one order can be of at most."""


def exact(number: float) -> Fraction:
    """A number of the document to nine decimals, as it is written there."""
    return Fraction(round(Fraction(repr(float(number))) * 10**9), 10**9)


def part_of(amount: int, rate: Fraction) -> int:
    """A rate of an amount, rounded down to the won: commission, tax, budgets."""
    return floor(amount * rate)


def level(reference: Fraction, distance: Fraction, unit: int = 1) -> int:
    """The unit at or below ``reference x (1 - distance)``; a negative distance lies above."""
    exactly = reference * (1 - distance)
    return floor(exactly + (HAIR if unit == 1 else exactly * COIN_HAIR))


def whole_units(number: float, unit: int) -> int:
    """A price or volume of the panel in units, half up; 0 where it is unknown."""
    if unit == 1:
        return int(number + 0.5) if number > 0 else 0
    return floor(Fraction(number) * unit + Fraction(1, 2)) if number > 0 else 0
