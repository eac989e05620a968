"""Whether a price of the session is a price limit, seen from the kernel."""

from __future__ import annotations

from typing import Final

from stocklab.backtest.compiled import part
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.money import tick_at
from stocklab.types import IntArray

__all__ = ["at_lower", "at_upper", "limit_band"]

TOLERANCE: Final = 15
"""Adjusted bars, in thousandths: two roundings to a tick take at most 1.15 % off a limit, rounding to adjusted won the
rest."""
NONE: Final = (0, 1 << 60)


@part
def limit_band(rules: Records, quote: Record, tick_from: IntArray, tick_step: IntArray) -> tuple[int, int]:
    """Prices at or below the first are the lower limit, at or above the second the upper; (0, 2^60) where no limit is.

    A day that traded beyond the limits had none: listing day, resumption after a reduction, clean-up trading. On
    adjusted bars the legal prices are unknown, so what lies within 1.5 % of the limit counts as the limit.
    """
    base, percent, regime = quote.base_krw, quote.percent, quote.regime
    if base <= 0 or percent == 0:
        return NONE
    if rules[0].raw_basis == 1:
        base_tick = tick_at(base, regime, tick_from, tick_step)
        width = base * percent // 100 // base_tick * base_tick
        upper_tick = tick_at(base + width, regime, tick_from, tick_step)
        lower, upper = base - width, (base + width) // upper_tick * upper_tick
        if quote.high > upper or quote.low < lower:
            return NONE
        return lower, upper
    if 100 * (quote.high - 1) > base * (100 + percent) or 100 * (quote.low + 1) < base * (100 - percent):
        return NONE
    inside = 10 * percent - TOLERANCE
    lower, upper = (base * (1000 - inside) + 500) // 1000, (base * (1000 + inside) + 500) // 1000
    return min(lower, base - 1), max(upper, base + 1)


@part
def at_upper(rules: Records, quote: Record, price: int, tick_from: IntArray, tick_step: IntArray) -> bool:
    """Whether nobody sells at ``price``: it is the upper limit."""
    return price >= limit_band(rules, quote, tick_from, tick_step)[1]


@part
def at_lower(rules: Records, quote: Record, price: int, tick_from: IntArray, tick_step: IntArray) -> bool:
    """Whether nobody buys at ``price``: it is the lower limit."""
    return price <= limit_band(rules, quote, tick_from, tick_step)[0]
