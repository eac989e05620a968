"""A value with its unit, as a factor page writes it."""

from __future__ import annotations

import math

from stocklab.ui import format as fmt
from stocklab.ui.text import Language

__all__ = ["amount", "exact", "plain"]

_KOREAN = {"x": "배", "days": "일", "shares": "주", "count": "개", "rank": "위"}
_ENGLISH = {"x": "x", "days": " days", "shares": " shares", "rank": ""}


def amount(value: float, unit: str, language: Language) -> str:
    """Rounded to what a reader needs; a dash for null.

    >>> amount(7.3041, "x", "ko"), amount(251e8, "KRW", "ko"), amount(12.5, "%", "en"), amount(0.0416, "", "en")
    ('7.30배', '251억 원', '12.50%', '0.0416')
    """
    if math.isnan(value):
        return fmt.DASH
    if unit == "KRW":
        small = abs(value) < 100 and value != round(value)
        return f"{value:,.2f}{'원' if language == 'ko' else ' KRW'}" if small else fmt.krw(value, language)
    if unit == "bool":
        return str(int(value))
    if unit in ("%", "x"):
        return f"{value:,.2f}{'%' if unit == '%' else (_KOREAN if language == 'ko' else _ENGLISH)[unit]}"
    return plain(value) + (_KOREAN if language == "ko" else _ENGLISH).get(unit, "")


def plain(value: float) -> str:
    """A number without a unit, four digits where it is not whole.

    >>> plain(12345.0), plain(0.123456), plain(1234.5678), plain(2.0)
    ('12,345', '0.1235', '1,234.57', '2')
    """
    if math.isnan(value):
        return fmt.DASH
    if value == round(value):
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.2f}"
    return f"{value:.4g}" if abs(value) >= 1e-4 else f"{value:.3e}"


def exact(value: float) -> str:
    """Every digit, for whoever computes along.

    >>> exact(1840e8), exact(0.1)
    ('184,000,000,000', '0.1')
    """
    if math.isnan(value):
        return fmt.DASH
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e17 else repr(float(value))
