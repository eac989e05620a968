"""Combinations of a sweep's values: every one, or a seeded sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from stocklab.strategy.numbers import numbers_of
from stocklab.strategy.sweep import Parameter, Sweep, levels_of
from stocklab.types import FloatArray

__all__ = ["Combination", "draw", "latin_hypercube"]

Combination = tuple[int | float, ...]
"""One value for each parameter, in their order."""

_DIGITS = 6  # significant digits of a value drawn from a range without steps: enough, and readable
_TRIES = 20


def draw(sweep: Sweep) -> tuple[Combination, ...]:
    """The combinations of a sweep, each once, in the order they are numbered.

    A sample may be smaller than ``count`` where that many different combinations do not exist, or where the strata of a
    Latin hypercube meet the same steps.
    """
    known = numbers_of(sweep.strategy)
    levels = [levels_of(parameter, known) for parameter in sweep.parameters]
    if sweep.method == "grid":
        return tuple(itertools.product(*(level or () for level in levels)))
    count = sweep.count or 0
    rng = np.random.default_rng(sweep.seed)
    if sweep.method == "latin_hypercube":
        places = latin_hypercube(rng, count, len(levels))
        return tuple(dict.fromkeys(_combination(row, sweep.parameters, levels) for row in places))
    found: dict[Combination, None] = {}
    for _ in range(_TRIES):
        for row in rng.random((count, len(levels))):
            if len(found) == count:
                return tuple(found)
            found[_combination(row, sweep.parameters, levels)] = None
    return tuple(found)


def latin_hypercube(rng: np.random.Generator, count: int, dimensions: int) -> FloatArray:
    """(count, dimensions) places in [0, 1): along each dimension one in each of ``count`` equal strata.

    >>> places = latin_hypercube(np.random.default_rng(0), 4, 2)
    >>> np.sort((4 * places).astype(int), axis=0).T.tolist()
    [[0, 1, 2, 3], [0, 1, 2, 3]]
    """
    strata = np.stack([rng.permutation(count) for _ in range(dimensions)], axis=1)
    return (strata + rng.random((count, dimensions))) / max(count, 1)


def _combination(
    row: FloatArray, parameters: Sequence[Parameter], levels: Sequence[tuple[int | float, ...] | None]
) -> Combination:
    return tuple(
        _between(float(place), parameter) if level is None else level[min(int(place * len(level)), len(level) - 1)]
        for place, parameter, level in zip(row, parameters, levels, strict=True)
    )


def _between(place: float, parameter: Parameter) -> float:
    low, high = float(parameter.start or 0), float(parameter.stop or 0)
    if parameter.scale == "log":
        value = math.exp(math.log(low) + place * (math.log(high) - math.log(low)))
    else:
        value = low + place * (high - low)
    return float(f"{value:.{_DIGITS}g}")
