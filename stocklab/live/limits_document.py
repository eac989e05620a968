"""What an account allows, as a document in its row and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from stocklab.errors import InputError
from stocklab.trading.risk_gate import RiskLimits

__all__ = ["limits_from", "limits_to_document"]

_LADDERS: Final = frozenset({"day_loss", "week_loss", "drawdown"})
_SECONDS: Final = frozenset({"quote_age", "duplicate_within"})
_LONGEST: Final = 86_400


def limits_to_document(limits: RiskLimits) -> dict[str, Any]:
    """Fractions as texts, so that they stay exact; times in seconds."""
    found: dict[str, Any] = {}
    for field in fields(limits):
        value = getattr(limits, field.name)
        if field.name in _LADDERS:
            found[field.name] = [str(step) for step in value]
        elif field.name in _SECONDS:
            found[field.name] = int(value.total_seconds())
        else:
            found[field.name] = value if isinstance(value, int) else str(value)
    return found


def limits_from(document: Mapping[str, Any] | None) -> RiskLimits:
    """The limits of a document; what it does not name is as by default.

    Raises
    ------
    InputError
        A name is unknown, or a value cannot be one.
    """
    given = dict(document or {})
    known = {field.name for field in fields(RiskLimits)}
    odd = sorted(set(given) - known)
    if odd:
        raise InputError(f"Unknown limits {', '.join(odd)}. Expected some of {', '.join(sorted(known))}.")
    return RiskLimits(**{name: _value(name, value) for name, value in given.items()})


def _value(name: str, value: Any) -> Any:
    try:
        if name in _LADDERS:
            steps = tuple(_fraction(step) for step in value)
            if len(steps) != 3:
                raise ValueError
            return steps
        if name in _SECONDS:
            seconds = int(value)
            if not 0 < seconds <= _LONGEST:
                raise ValueError
            return timedelta(seconds=seconds)
        if name == "most_orders_per_day":
            count = int(value)
            if count < 1:
                raise ValueError
            return count
        return _fraction(value)
    except (TypeError, ValueError, InvalidOperation):
        raise InputError(f"{name}: found {value!r}, which cannot be such a limit.") from None


def _fraction(value: Any) -> Decimal:
    found = Decimal(str(value))
    if not found.is_finite() or found <= 0 or found > 100:
        raise ValueError
    return found
