"""The score of a session: winsorize, neutralise, transform, weigh, add."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from stocklab.strategy.document import RankFactor

LEAST_GROUP = 5


def score_of(
    parts: Sequence[RankFactor],
    members: Sequence[int],
    value: Callable[[RankFactor, int], float | None],
    cap: Callable[[int], float],
    sector: Callable[[int], str | None],
) -> dict[int, float]:
    """Score by symbol, higher is better. A single part that is not neutralised orders by its own value."""
    if len(parts) == 1 and parts[0].neutralize == "none":
        sign = 1.0 if parts[0].direction == "high" else -1.0
        known = {symbol: value(parts[0], symbol) for symbol in members}
        return {symbol: sign * number for symbol, number in known.items() if number is not None}
    if any(part.neutralize == "sector_size" for part in parts):
        members = [symbol for symbol in members if cap(symbol) > 0]
    members = [symbol for symbol in members if all(value(part, symbol) is not None for part in parts)]
    if len(members) < 2:
        return {}
    total = dict.fromkeys(members, 0.0)
    for part in parts:
        numbers = [value(part, symbol) for symbol in members]
        if part.winsorize > 0:
            numbers = winsorized(numbers, part.winsorize)
        if part.neutralize != "none":
            sizes = [math.log(cap(symbol)) for symbol in members] if part.neutralize == "sector_size" else None
            numbers = neutralised(numbers, groups([sector(symbol) for symbol in members]), sizes)
        numbers = {"rank": percentiles, "zscore": z_scores, "value": list}[part.transform](numbers)
        weight = part.weight if part.direction == "high" else -part.weight
        for symbol, number in zip(members, numbers, strict=True):
            total[symbol] += weight * number
    return {symbol: number for symbol, number in total.items() if not math.isnan(number)}


def added(numbers: Sequence[float]) -> float:
    """Sum from left to right (Python's own ``sum`` compensates, the rule does not)."""
    total = 0.0
    for number in numbers:
        total += number
    return total


def winsorized(numbers: list[float], share: float) -> list[float]:
    """Clipped at the quantiles ``share`` and 1 - ``share``, interpolated linearly."""
    ordered = sorted(numbers)

    def quantile(at: float) -> float:
        place = (len(ordered) - 1) * at
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    low, high = quantile(share), quantile(1.0 - share)
    return [min(max(number, low), high) for number in numbers]


def groups(sectors: list[str | None]) -> list[str]:
    """Sectors of five members or more; all others, and the unknown, are one group."""
    return [name if name is not None and sectors.count(name) >= LEAST_GROUP else "" for name in sectors]


def neutralised(numbers: list[float], group: list[str], sizes: list[float] | None) -> list[float]:
    """Less the mean of the group; then less what a line on log size, itself less its group's mean, explains."""

    def less_mean(values: list[float]) -> list[float]:
        means = {}
        for name in set(group):
            mine = [number for number, other in zip(values, group, strict=True) if other == name]
            means[name] = added(mine) / len(mine)
        return [number - means[name] for number, name in zip(values, group, strict=True)]

    numbers = less_mean(numbers)
    if sizes is None:
        return numbers
    sizes = less_mean(sizes)
    spread = added([size * size for size in sizes])
    if spread <= 0:
        return numbers
    slope = added([size * number for size, number in zip(sizes, numbers, strict=True)]) / spread
    return [number - slope * size for number, size in zip(numbers, sizes, strict=True)]


def percentiles(numbers: list[float]) -> list[float]:
    """0 for the lowest, 1 for the highest; equal values share their mean place."""
    ordered = sorted(numbers)
    places = {}
    for number in set(numbers):
        first = ordered.index(number)
        places[number] = 0.5 * (first + first + ordered.count(number) - 1)
    return [places[number] / (len(numbers) - 1) for number in numbers]


def z_scores(numbers: list[float]) -> list[float]:
    """Distance from the mean in standard deviations (divisor N); unknown where there is no spread."""
    mean = added(numbers) / len(numbers)
    deviation = math.sqrt(added([(number - mean) ** 2 for number in numbers]) / len(numbers))
    return [(number - mean) / deviation if deviation > 0 else math.nan for number in numbers]
