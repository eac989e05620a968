"""Dividing an amount among parts, to the last unit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from stocklab.errors import InputError

__all__ = ["apportion"]


def apportion(amount: Decimal, weights: Mapping[str, Decimal], unit: Decimal) -> dict[str, Decimal]:
    """Divide ``amount`` in proportion to ``weights``, each part a multiple of ``unit``.

    Parts are rounded down, then the units left go to the largest remainders, then to the earlier name: the parts add up
    to the amount exactly, and the same question has the same answer. No part is larger than its weight when the amount
    is at most the sum of the weights and all of them are multiples of the unit.

    Raises
    ------
    InputError
        A weight is negative, all are zero, or the amount is no multiple of the unit.

    >>> apportion(Decimal(5), {"a": Decimal(2), "b": Decimal(4)}, Decimal(1))
    {'a': Decimal('2'), 'b': Decimal('3')}
    """
    total = sum(weights.values(), Decimal(0))
    if total <= 0 or min(weights.values()) < 0:
        raise InputError(f"Expected weights of which none is negative and one is positive, found {dict(weights)}.")
    if amount % unit:
        raise InputError(f"Expected a multiple of {unit}, found {amount}.")
    sign = -1 if amount < 0 else 1
    whole = abs(amount)
    parts: dict[str, Decimal] = {}
    remainders: list[tuple[Decimal, str]] = []
    for name in sorted(weights):
        units, remainder = divmod(whole * weights[name], total * unit)
        parts[name] = units.quantize(Decimal(1), ROUND_DOWN) * unit
        remainders.append((-remainder, name))
    left = whole - sum(parts.values(), Decimal(0))
    for _, name in sorted(remainders)[: int(left / unit)]:
        parts[name] += unit
    return {name: sign * part for name, part in parts.items()}
