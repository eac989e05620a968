"""The score of ranking: transform each part across the universe of the session, then the weighted sum."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stocklab.backtest.blocks import in_blocks
from stocklab.backtest.result import ShouldCancel
from stocklab.backtest.universe import read_only
from stocklab.errors import InputError
from stocklab.market.panel import Panel
from stocklab.strategy.document import RankFactor
from stocklab.types import AnyArray, BoolArray, FloatArray, IntArray

UnsignedArray = NDArray[np.uint64]

__all__ = ["Score", "ascending", "build_score", "rank_rows", "score_parts", "weigh_parts"]

_TRANSFORMS: Final = {"rank": 0, "zscore": 1, "value": 2}
_NEUTRAL: Final = {"none": 0, "sector": 1, "sector_size": 2}
_DIGIT: Final = 11
_PASSES: Final = 6
_BUCKETS: Final = 1 << _DIGIT
_LEAST_GROUP: Final = 5
"""Sectors with fewer members, and the unknown sector, are neutralised together (docs/factors.md, section 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``values`` (n_sessions, n_symbols), or (0, 0) without ranking; ``sign * values`` is higher for the better.

    Only the rows asked for are filled; the others are not to be read.
    """

    values: AnyArray
    sign: float = 1.0


def build_score(
    panel: Panel,
    factors: Sequence[RankFactor],
    values: Sequence[AnyArray],
    universe: BoolArray,
    wanted: BoolArray,
    first: int,
    *,
    should_cancel: ShouldCancel | None = None,
) -> Score:
    """Score of the sessions ``first + i`` that ``wanted[i]`` marks.

    A single part without neutralisation orders by its own value. Several are transformed inside the set of symbols
    that have all of them: winsorize, neutralize, then rank (0..1), z-score (divisor N) or the value as it is.

    Raises
    ------
    InputError
        A part is neutralised by size, or by sector, and the panel has no market caps, or no sectors.
    """
    if not factors:
        return Score(values=read_only(np.zeros((0, 0), dtype=np.float64)))
    if len(factors) == 1 and factors[0].neutralize == "none":
        return Score(values=read_only(values[0]), sign=1.0 if factors[0].direction == "high" else -1.0)
    out = np.empty(universe.shape, dtype=np.float64)
    _transform_parts(
        panel, factors, values, universe, wanted, first, [out] * len(factors), _weights(factors), should_cancel
    )
    return Score(values=read_only(out))


def score_parts(
    panel: Panel,
    factors: Sequence[RankFactor],
    values: Sequence[AnyArray],
    universe: BoolArray,
    wanted: BoolArray,
    first: int,
    *,
    should_cancel: ShouldCancel | None = None,
) -> tuple[FloatArray, ...]:
    """What `build_score` adds up: each part transformed, before its weight; for scores that differ in weights only.

    Raises
    ------
    InputError
        As `build_score`.
    """
    outs = [np.empty(universe.shape, dtype=np.float64) for _ in factors]
    _transform_parts(panel, factors, values, universe, wanted, first, outs, [1.0] * len(factors), should_cancel)
    return tuple(outs)


def weigh_parts(
    parts: Sequence[FloatArray],
    factors: Sequence[RankFactor],
    wanted: BoolArray,
    first: int,
    *,
    should_cancel: ShouldCancel | None = None,
) -> Score:
    """The score of parts from `score_parts`, bit for bit that of `build_score`."""
    out = np.empty(parts[0].shape, dtype=np.float64)
    weights = _weights(factors)

    def work(start: int, stop: int) -> None:
        rows = wanted[start - first : stop - first]
        for place, (part, weight) in enumerate(zip(parts, weights, strict=True)):
            _weigh_rows(start, stop, rows, part, weight, place == 0, out)

    in_blocks(first, first + len(wanted), work, should_cancel=should_cancel)
    return Score(values=read_only(out))


def _weights(factors: Sequence[RankFactor]) -> list[float]:
    return [factor.weight if factor.direction == "high" else -factor.weight for factor in factors]


def _transform_parts(
    panel: Panel,
    factors: Sequence[RankFactor],
    values: Sequence[AnyArray],
    universe: BoolArray,
    wanted: BoolArray,
    first: int,
    outs: Sequence[FloatArray],
    weights: Sequence[float],
    should_cancel: ShouldCancel | None,
) -> None:
    """Add each part, transformed and weighted, to its place of ``outs``; several places may be one array."""
    _require_groups(panel, factors)
    sectors = panel.sector_codes()[0]
    sized = any(factor.neutralize == "sector_size" for factor in factors)
    caps = read_only(panel.fields["mcap"]) if sized else read_only(np.zeros((0, 0), dtype=np.float64))
    valid = np.empty(universe.shape, dtype=np.bool_)
    parts = [read_only(part) for part in values]

    def work(start: int, stop: int) -> None:
        rows = wanted[start - first : stop - first]
        for out in {id(out): out for out in outs}.values():
            _start_rows(start, stop, rows, universe, caps, valid, out)
        for part in parts:
            _require_rows(start, stop, rows, part, valid)
        for factor, part, out, weight in zip(factors, parts, outs, weights, strict=True):
            _add_rows(
                start,
                stop,
                rows,
                part,
                valid,
                caps,
                sectors,
                _TRANSFORMS[factor.transform],
                _NEUTRAL[factor.neutralize],
                factor.winsorize,
                weight,
                out,
            )

    in_blocks(first, first + len(wanted), work, should_cancel=should_cancel)


@njit(nogil=True, cache=True)
def _weigh_rows(
    first: int, last: int, rows: BoolArray, part: FloatArray, weight: float, begin: bool, out: FloatArray
) -> None:
    for t in range(first, last):
        if rows[t - first]:
            for s in range(out.shape[1]):
                out[t, s] = (0.0 if begin else out[t, s]) + weight * part[t, s]


def _require_groups(panel: Panel, factors: Sequence[RankFactor]) -> None:
    kinds = {factor.neutralize for factor in factors}
    if "sector_size" in kinds and "mcap" not in panel.fields:
        raise InputError("Neutralising by size needs market caps, which this snapshot lacks. Hint: use `sector`.")
    if kinds & {"sector", "sector_size"} and not any(panel.instruments.sectors):
        raise InputError("Neutralising by sector needs sectors, which this snapshot lacks. Hint: use `none`.")


@njit(nogil=True, cache=True)
def _start_rows(
    first: int, last: int, rows: BoolArray, universe: BoolArray, caps: AnyArray, valid: BoolArray, out: FloatArray
) -> None:
    for t in range(first, last):
        if rows[t - first]:
            for s in range(universe.shape[1]):
                valid[t, s] = universe[t, s] and (caps.shape[0] == 0 or caps[t, s] > 0.0)
                out[t, s] = 0.0 if valid[t, s] else np.nan


@njit(nogil=True, cache=True)
def _require_rows(first: int, last: int, rows: BoolArray, values: AnyArray, valid: BoolArray) -> None:
    for t in range(first, last):
        if rows[t - first]:
            for s in range(valid.shape[1]):
                if np.isnan(values[t, s]):
                    valid[t, s] = False


@njit(nogil=True)
def _quantile(ordered: FloatArray, n: int, share: float) -> float:
    place = (n - 1) * share
    low = int(place)
    high = min(low + 1, n - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)  # type: ignore[no-any-return]


@njit(nogil=True)
def _neutralise(x: FloatArray, size: FloatArray, group: IntArray, n: int, n_groups: int, by_size: bool) -> None:
    """Residual of ``x`` on group dummies, and on ``size`` if asked, in place."""
    sums = np.zeros((3, n_groups))
    for i in range(n):
        sums[0, group[i]] += 1.0
        sums[1, group[i]] += x[i]
        sums[2, group[i]] += size[i]
    for i in range(n):
        x[i] -= sums[1, group[i]] / sums[0, group[i]]
        size[i] -= sums[2, group[i]] / sums[0, group[i]]
    if by_size:
        over, under = 0.0, 0.0
        for i in range(n):
            over += size[i] * x[i]
            under += size[i] * size[i]
        if under > 0.0:
            slope = over / under
            for i in range(n):
                x[i] -= slope * size[i]


@njit(nogil=True)
def _group(sectors: IntArray, where: IntArray, n: int, n_groups: int, group: IntArray) -> None:
    """Sector of each member; small sectors and the unknown one share the last group."""
    count = np.zeros(n_groups, dtype=np.int64)
    for i in range(n):
        if sectors[where[i]] >= 0:
            count[sectors[where[i]]] += 1
    for i in range(n):
        sector = sectors[where[i]]
        group[i] = sector if sector >= 0 and count[sector] >= _LEAST_GROUP else n_groups - 1


@njit(nogil=True)
def ascending(
    x: FloatArray, n: int, keys: UnsignedArray, order: IntArray, spare: UnsignedArray, other: IntArray
) -> None:
    """Write the stable ascending order of ``x[:n]`` (no NaN) to ``order``: radix sort, a third of merge sort's time.

    ``keys``, ``spare`` (uint64) and ``other`` are room for at least n.
    """
    bits = x.view(np.uint64)
    count = np.zeros((_PASSES, _BUCKETS), dtype=np.int64)
    for i in range(n):
        key = bits[i]
        key = ~key if key >> np.uint64(63) else key | (np.uint64(1) << np.uint64(63))
        keys[i], order[i] = key, i
        for p in range(_PASSES):
            count[p, (key >> np.uint64(_DIGIT * p)) & np.uint64(_BUCKETS - 1)] += 1
    for p in range(_PASSES):
        total = 0
        for bucket in range(_BUCKETS):
            total, count[p, bucket] = total + count[p, bucket], total
        for i in range(n):
            bucket = (keys[i] >> np.uint64(_DIGIT * p)) & np.uint64(_BUCKETS - 1)
            place = count[p, bucket]
            spare[place], other[place] = keys[i], order[i]
            count[p, bucket] += 1
        for i in range(n):
            keys[i], order[i] = spare[i], other[i]


@njit(nogil=True)
def _transform(
    x: FloatArray,
    n: int,
    transform: int,
    keys: UnsignedArray,
    order: IntArray,
    spare: UnsignedArray,
    other: IntArray,
    ranks: FloatArray,
) -> None:
    """Percentile 0..1 of the mean rank, or z-score (NaN where there is no spread), in place."""
    if transform == 0:
        for i in range(n):
            x[i] += 0.0  # -0.0 and 0.0 tie
        ascending(x, n, keys, order, spare, other)
        i = 0
        while i < n:
            j = i
            while j + 1 < n and x[order[j + 1]] == x[order[i]]:
                j += 1
            for k in range(i, j + 1):
                ranks[order[k]] = 0.5 * (i + j)
            i = j + 1
        for i in range(n):
            x[i] = ranks[i] / (n - 1)
    elif transform == 1:
        mean = x[:n].mean()
        deviation = np.sqrt(((x[:n] - mean) ** 2).mean())
        for i in range(n):
            x[i] = (x[i] - mean) / deviation if deviation > 0.0 else np.nan


@njit(nogil=True, cache=True)
def _add_rows(
    first: int,
    last: int,
    rows: BoolArray,
    values: AnyArray,
    valid: BoolArray,
    caps: AnyArray,
    sectors: IntArray,
    transform: int,
    neutral: int,
    winsorize: float,
    weight: float,
    out: FloatArray,
) -> None:
    n_symbols = valid.shape[1]
    n_groups = sectors.max() + 2
    x, size = np.empty(n_symbols), np.zeros(n_symbols)
    where, group = np.empty(n_symbols, dtype=np.int64), np.zeros(n_symbols, dtype=np.int64)
    keys, spare = np.empty(n_symbols, dtype=np.uint64), np.empty(n_symbols, dtype=np.uint64)
    order, other = np.empty(n_symbols, dtype=np.int64), np.empty(n_symbols, dtype=np.int64)
    ranks = np.empty(n_symbols)
    for t in range(first, last):
        if not rows[t - first]:
            continue
        n = 0
        for s in range(n_symbols):
            if valid[t, s]:
                x[n], where[n] = values[t, s], s
                n += 1
            else:
                out[t, s] = np.nan
        if n < 2:
            out[t, :] = np.nan
            continue
        if winsorize > 0.0:
            ordered = np.sort(x[:n])
            low, high = _quantile(ordered, n, winsorize), _quantile(ordered, n, 1.0 - winsorize)
            for i in range(n):
                x[i] = min(max(x[i], low), high)
        if neutral > 0:
            _group(sectors, where, n, n_groups, group)
            for i in range(n):
                size[i] = np.log(caps[t, where[i]]) if neutral == 2 else 0.0
            _neutralise(x, size, group, n, n_groups, neutral == 2)
        _transform(x, n, transform, keys, order, spare, other, ranks)
        for i in range(n):
            out[t, where[i]] += weight * x[i]


@njit(nogil=True, cache=True)
def rank_rows(first: int, last: int, universe: BoolArray, score: AnyArray, sign: float, out: FloatArray) -> None:
    """Place of each symbol of the universe by score, 1 = best, ties by symbol; NaN outside it or without a score.

    Row ``t`` of ``out`` is session ``t`` for t in [first, last).
    """
    n_symbols = universe.shape[1]
    x, where = np.empty(n_symbols), np.empty(n_symbols, dtype=np.int64)
    keys, spare = np.empty(n_symbols, dtype=np.uint64), np.empty(n_symbols, dtype=np.uint64)
    order, other = np.empty(n_symbols, dtype=np.int64), np.empty(n_symbols, dtype=np.int64)
    for t in range(first, last):
        n = 0
        for s in range(n_symbols):
            out[t, s] = np.nan
            if universe[t, s] and not np.isnan(score[t, s]):
                x[n], where[n] = -sign * score[t, s] + 0.0, s
                n += 1
        ascending(x, n, keys, order, spare, other)
        for place in range(n):
            out[t, where[order[place]]] = place + 1
