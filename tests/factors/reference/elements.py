"""Section 2.2 and the element-wise functions of 2.3: arrays or numbers in, nulls (NaN) by the null algebra."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, Final

import numpy as np

__all__ = ["BINARY", "COMPARE", "ELEMENTWISE", "finite"]

Array = Any  # an array or a number


def finite(values: Array) -> Array:
    """Infinities become null."""
    return np.where(np.isfinite(values), values, np.nan)


def known(*values: Array) -> Array:
    """Where no operand is null."""
    return reduce(np.logical_and, [~np.isnan(value) for value in values])


def _flag(condition: Array, *operands: Array) -> Array:
    """A comparison: 1 or 0, null when an operand is null."""
    return np.where(known(*operands), np.where(condition, 1.0, 0.0), np.nan)


def _arithmetic(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    def apply(a: Array, b: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.where(known(a, b), finite(function(np.asarray(a, float), np.asarray(b, float))), np.nan)

    return apply


def _divide(a: Array, b: Array) -> Array:
    return np.where(b == 0, np.nan, a / np.where(b == 0, 1.0, b))


BINARY: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "Add": _arithmetic(np.add),
    "Sub": _arithmetic(np.subtract),
    "Mult": _arithmetic(np.multiply),
    "Div": _arithmetic(_divide),
    "Pow": _arithmetic(np.power),
    "BitAnd": lambda a, b: _flag((a != 0) & (b != 0), a, b),
    "BitOr": lambda a, b: _flag((a != 0) | (b != 0), a, b),
}
COMPARE: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "Gt": lambda a, b: _flag(a > b, a, b),
    "Lt": lambda a, b: _flag(a < b, a, b),
    "GtE": lambda a, b: _flag(a >= b, a, b),
    "LtE": lambda a, b: _flag(a <= b, a, b),
    "Eq": lambda a, b: _flag(a == b, a, b),
    "NotEq": lambda a, b: _flag(a != b, a, b),
}


def _only(function: Callable[[Array], Array], allowed: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def apply(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.where(allowed(x), finite(function(np.where(allowed(x), x, np.nan))), np.nan)

    return apply


def _navg(*values: Array) -> Array:
    rows = np.stack(np.broadcast_arrays(*values)).astype(float)
    present = (~np.isnan(rows)).sum(axis=0)
    total = np.where(np.isnan(rows), 0.0, rows).sum(axis=0)
    return np.where(2 * present >= len(values), total / np.maximum(present, 1), np.nan)


def _coalesce(*values: Array) -> Array:
    return reduce(lambda first, second: np.where(np.isnan(first), second, first), values)


def _growth(a: Array, b: Array) -> Array:
    base = np.where(b > 0, b, np.nan)
    return 100 * BINARY["Sub"](BINARY["Div"](a, base), 1.0)


def _cagr(a: Array, b: Array, years: Array) -> Array:
    ratio = BINARY["Div"](np.where(a > 0, a, np.nan), np.where(b > 0, b, np.nan))
    return 100 * BINARY["Sub"](BINARY["Pow"](ratio, BINARY["Div"](1.0, years)), 1.0)


ELEMENTWISE: Final[dict[str, Callable[..., Array]]] = {
    "abs": np.abs,
    "sign": np.sign,
    "log": _only(np.log, lambda x: x > 0),
    "exp": _only(np.exp, lambda x: ~np.isnan(x)),
    "sqrt": _only(np.sqrt, lambda x: x >= 0),
    "max": lambda *values: reduce(np.maximum, values),
    "min": lambda *values: reduce(np.minimum, values),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "pos": lambda x: np.where(x > 0, x, np.nan),
    "nz": lambda x: np.where(np.isnan(x), 0.0, x),
    "coalesce": _coalesce,
    "navg": _navg,
    "where": lambda c, a, b: np.where(np.isnan(c), np.nan, np.where(c != 0, a, b)),
    "growth": _growth,
    "cagr": _cagr,
}
