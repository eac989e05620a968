"""How large a sweep is and about how long it takes, before it is started."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Final

from stocklab.strategy.numbers import numbers_of
from stocklab.strategy.sweep import Sweep, grid_size, levels_of

__all__ = ["Estimate", "estimate"]

_CELLS: Final = 3082 * 2899
_VARIANT_SECONDS: Final = 0.024
_CONDITION_SECONDS: Final = 0.06
_START_SECONDS: Final = 1.0
"""Of one processor core, on a market of so many sessions and symbols, as ``stocklab bench sweep`` measures it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """``variants`` before any is skipped; ``seconds`` of waiting, good to a factor of two or so."""

    variants: int
    seconds: float


def estimate(sweep: Sweep, *, n_sessions: int, n_symbols: int, threads: int) -> Estimate:
    """Size of a sweep over a market of so many sessions and symbols."""
    variants = grid_size(sweep) if sweep.method == "grid" else sweep.count or 0
    known = numbers_of(sweep.strategy)
    by_formula: dict[str, list[int]] = {}
    for parameter in sweep.parameters:
        levels = levels_of(parameter, known)
        for path in parameter.paths:
            formula, mark, _ = path.partition("#")
            if mark:
                by_formula.setdefault(formula, []).append(variants if levels is None else len(levels))
    conditions = sum(min(prod(counts), variants) for counts in by_formula.values())
    scale = n_sessions * n_symbols / _CELLS / max(threads, 1)
    work = variants * _VARIANT_SECONDS + conditions * _CONDITION_SECONDS
    return Estimate(variants=variants, seconds=_START_SECONDS + work * scale)
