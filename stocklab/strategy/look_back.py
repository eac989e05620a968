"""How much history a strategy needs before its formulas have a value, from the document alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from stocklab.factors import check, expand
from stocklab.strategy.document import Strategy
from stocklab.strategy.own_factors import definitions_of
from stocklab.strategy.presets import PRESETS

__all__ = ["LookBack", "longest_look_back", "preset_look_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """The formula that looks back furthest, and how many sessions must be loaded for its first value (at least 1)."""

    formula: str
    sessions: int


def longest_look_back(strategy: Strategy) -> LookBack:
    """The furthest any rule, ranking or market filter looks back; own factors count with what they are made of.

    Raises
    ------
    FormulaError
        A formula is not valid.
    """
    own = definitions_of(strategy)
    found = [
        LookBack(formula=formula, sessions=check(expand(formula, own)).lookback) for formula in _formulas(strategy)
    ]
    return max(found, key=lambda one: one.sessions, default=LookBack(formula="", sessions=1))


@lru_cache(maxsize=len(PRESETS))
def preset_look_back(preset_id: str) -> LookBack:
    """`longest_look_back` of a preset, which never changes."""
    return longest_look_back(PRESETS[preset_id].strategy)


def _formulas(strategy: Strategy) -> Iterator[str]:
    yield from (rule.formula for rule in (*strategy.entry.rules, *strategy.exit.rules))
    yield from (factor.formula for factor in strategy.ranking.factors)
    if strategy.market_filter is not None and strategy.market_filter.formula is not None:
        yield strategy.market_filter.formula
