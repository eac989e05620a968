"""Won and fractions, exact."""

from __future__ import annotations

from fractions import Fraction
from math import floor

HAIR = Fraction(1, 1_000_000)
"""What a level or an amount may fall short of a whole won and still count as that won."""


def exact(number: float) -> Fraction:
    """A number of the document to nine decimals, as it is written there."""
    return Fraction(round(Fraction(repr(float(number))) * 10**9), 10**9)


def part_of(amount: int, rate: Fraction) -> int:
    """A rate of an amount, rounded down to the won: commission, tax, budgets."""
    return floor(amount * rate)


def level(reference: Fraction, distance: Fraction) -> int:
    """The won at or below ``reference x (1 - distance)``; a negative distance lies above."""
    return floor(reference * (1 - distance) + HAIR)


def whole_won(price: float) -> int:
    """A price of the panel as won; 0 where it is unknown."""
    return int(price + 0.5) if price > 0 else 0
