"""Section 6: one date, the known values of the universe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = ["CROSS", "GROUPED", "by_date", "by_group"]

Array = np.ndarray[Any, np.dtype[np.float64]]
SMALLEST_GROUP: Final = 5


def ranks(values: Array) -> Array:
    """1..N ascending; equal values share the mean of their places."""
    smaller = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return smaller + (equal + 1) / 2


def scores(values: Array) -> Array:
    if (values == values[0]).all():
        return np.full(len(values), np.nan)
    away = values - values.mean()
    return np.asarray(away / np.sqrt((away**2).mean()))


def winsor(values: Array, a: float, b: float) -> Array:
    return np.clip(values, np.quantile(values, a), np.quantile(values, b))


CROSS: Final[dict[str, Callable[..., Array]]] = {
    "xrank": lambda values, down=0.0: len(values) + 1 - ranks(values) if down else ranks(values),
    "xpct": lambda values: (ranks(values) - 1) / (len(values) - 1),
    "xz": scores,
    "xzr": lambda values: scores(ranks(values)),
    "xwinsor": winsor,
}
GROUPED: Final = frozenset({"xmedian_by", "xwmean_by"})


def by_date(name: str, x: Array, members: Any, marks: list[float]) -> Array:
    """(n_sessions, n_symbols) of one operator over the members with a value, fewer than two giving null."""
    out = np.full(x.shape, np.nan)
    for t in range(len(x)):
        ranked = np.flatnonzero(members[t] & ~np.isnan(x[t]))
        if len(ranked) >= 2:
            out[t, ranked] = CROSS[name](x[t, ranked], *marks)
    return out


def by_group(x: Array, weight: Array | None, members: Any, groups: tuple[str, ...]) -> Array:
    """Median within the group; with a weight the weighted mean."""
    out = np.full(x.shape, np.nan)
    for t in range(len(x)):
        for group in sorted(set(groups) - {""}):
            inside = members[t] & ~np.isnan(x[t]) & np.array([name == group for name in groups])
            if weight is not None:
                inside &= ~np.isnan(weight[t])
            if inside.sum() < SMALLEST_GROUP:
                continue
            if weight is None:
                out[t, inside] = np.median(x[t, inside])
            elif weight[t, inside].sum() != 0:
                out[t, inside] = (x[t, inside] * weight[t, inside]).sum() / weight[t, inside].sum()
    return out
