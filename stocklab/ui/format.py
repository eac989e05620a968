"""Numbers and dates as people read them: 억 and 만 in Korean, M and B in English; a dash where nothing is known."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

__all__ = [
    "DASH",
    "count",
    "counted",
    "day",
    "days",
    "decimal",
    "krw",
    "krw_exact",
    "moment",
    "percent",
    "short_count",
    "sign_class",
]

DASH = "–"
_SEOUL = ZoneInfo("Asia/Seoul")
MAN = 10_000
EOK = 100_000_000
JO = 1_000_000_000_000
_ENGLISH = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
Language = Literal["ko", "en"]


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _sign(value: float, *, signed: bool) -> str:
    if value < 0:
        return "-"
    return "+" if signed and value > 0 else ""


def krw(value: float | None, language: Language, *, signed: bool = False) -> str:
    """Won, rounded to what a reader needs: the two largest units in Korean, three digits in English.

    >>> krw(123_456_789, "ko"), krw(123_456_789, "en")
    ('1억 2,346만 원', '₩123.5M')
    >>> krw(-9_876, "ko"), krw(2_500_000_000_000, "ko"), krw(None, "en")
    ('-9,876원', '2조 5,000억 원', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    amount = abs(value)
    body = _korean_won(amount) if language == "ko" else _english_won(amount)
    return f"{_sign(round(value), signed=signed)}{body}"


def _korean_won(amount: float) -> str:
    if round(amount) < 100 * MAN:
        return f"{amount:,.0f}원"
    if round(amount / MAN) * MAN < EOK:
        return f"{round(amount / MAN):,}만 원"
    if round(amount / MAN) * MAN < JO:
        eok, man = divmod(round(amount / MAN), MAN)
        return f"{eok:,}억 {man:,}만 원" if man and eok < 1000 else f"{round(amount / EOK):,}억 원"
    jo, eok = divmod(round(amount / EOK), MAN)
    return f"{jo:,}조 {eok:,}억 원" if eok else f"{jo:,}조 원"


def _english_won(amount: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if amount >= size * 0.99995:
            scaled = amount / size
            digits = 2 if scaled < 10 else 1 if scaled < 1000 else 0
            return f"₩{scaled:,.{digits}f}{letter}"
    return f"₩{amount:,.0f}"


def krw_exact(value: float | None, language: Language, *, signed: bool = False) -> str:
    """Won to the last digit.

    >>> krw_exact(1234567, "ko"), krw_exact(-1234567, "en")
    ('1,234,567원', '-₩1,234,567')
    """
    if value is None or not math.isfinite(value):
        return DASH
    body = f"{abs(value):,.0f}"
    sign = _sign(round(value), signed=signed)
    return f"{sign}{body}원" if language == "ko" else f"{sign}₩{body}"


def percent(fraction: float | None, *, digits: int = 2, signed: bool = False) -> str:
    """A fraction as percent.

    >>> percent(0.08126), percent(0.08126, signed=True, digits=1), percent(float("nan"))
    ('8.13%', '+8.1%', '–')
    """
    if fraction is None or not math.isfinite(fraction):
        return DASH
    value = round(100 * fraction, digits)
    return f"{_sign(value, signed=signed)}{abs(value):,.{digits}f}%"


def decimal(value: float | None, *, digits: int = 2) -> str:
    """A plain ratio.

    >>> decimal(1.239), decimal(None)
    ('1.24', '–')
    """
    return f"{value:,.{digits}f}" if value is not None and math.isfinite(value) else DASH


def count(value: float | None) -> str:
    """A whole number with separators.

    >>> count(12345)
    '12,345'
    """
    return f"{value:,.0f}" if value is not None and math.isfinite(value) else DASH


def counted(number: int, one: str, many: str) -> str:
    """Words about a number: ``one`` for 1, else ``many`` with ``{count}`` filled in.

    >>> counted(1, "1 view", "{count} views"), counted(1200, "1 view", "{count} views")
    ('1 view', '1,200 views')
    """
    return one if number == 1 else many.format(count=count(number))


def short_count(value: float | None, language: Language) -> str:
    """A number for the axis of a chart: in 만, 억 and 조 in Korean, in K, M, B and T in English.

    >>> short_count(20_000_000, "ko"), short_count(150_000_000, "ko"), short_count(20_000_000, "en")
    ('2,000만', '1.5억', '20M')
    >>> short_count(5_000, "ko"), short_count(0.25, "en"), short_count(None, "ko")
    ('5,000', '0.25', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    units = ((JO, "조"), (EOK, "억"), (MAN, "만")) if language == "ko" else _ENGLISH
    size, unit = next(((size, unit) for size, unit in units if abs(value) >= size), (1, ""))
    scaled = value / size
    return f"{scaled:,.0f}{unit}" if scaled == round(scaled) else f"{scaled:,.3g}{unit}"


def days(value: float | None, language: Language, *, digits: int = 1) -> str:
    """A length in days.

    >>> days(12.34, "ko"), days(1, "en", digits=0), days(12, "en", digits=0)
    ('12.3일', '1 day', '12 days')
    """
    if value is None or not math.isfinite(value):
        return DASH
    number = f"{value:,.{digits}f}"
    if language == "ko":
        return f"{number}일"
    return f"{number} day" if number == "1" else f"{number} days"


def day(value: date | str | None) -> str:
    """A date as year-month-day; text that is already one passes.

    >>> day(date(2024, 3, 1)), day(None)
    ('2024-03-01', '–')
    """
    if value is None or value == "":
        return DASH
    return value[:10] if isinstance(value, str) else value.isoformat()[:10]


def moment(value: datetime | str | None) -> str:
    """A moment to the minute in Korean time, whatever zone the machine is in; one without a zone is taken as UTC.

    >>> moment("2026-11-21T00:30:15+00:00")
    '2026-11-21 09:30'
    """
    if value is None or value == "":
        return DASH
    known = datetime.fromisoformat(value) if isinstance(value, str) else value
    aware = known if known.tzinfo is not None else known.replace(tzinfo=UTC)
    return aware.astimezone(_SEOUL).strftime("%Y-%m-%d %H:%M")


def sign_class(value: float | None) -> Literal["up", "down", "flat"]:
    """Which colour a change has: up is red, down is blue, as Korean readers expect.

    >>> sign_class(0.1), sign_class(-0.1), sign_class(None)
    ('up', 'down', 'flat')
    """
    if not _known(value) or value == 0:
        return "flat"
    return "up" if value is not None and value > 0 else "down"
