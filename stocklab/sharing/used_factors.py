"""Which factors of the catalogue a strategy's rules and ranking use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stocklab.factors import CATALOGUE
from stocklab.factors.parser import parse
from stocklab.factors.syntax import name_nodes
from stocklab.strategy import Strategy
from stocklab.strategy.own_factors import expanded

__all__ = ["factors_of"]

_LONGEST: Final = 64


def factors_of(strategy: Strategy) -> frozenset[str]:
    """Ids of the catalogue in the formulas of a document; an own factor counts by what it means.

    Raises
    ------
    FormulaError
        A formula cannot be read; those of ``parse_document`` always can.

    >>> sorted(factors_of(Strategy(name="x", entry={"rules": [{"id": "A", "formula": "(per<10)&(close>sma_20)"}]})))
    ['per', 'sma_20']
    """
    names = {node.name for formula in _formulas(expanded(strategy)) for node in name_nodes(parse(formula))}
    return frozenset(name for name in names if name in CATALOGUE and len(name) <= _LONGEST)


def _formulas(strategy: Strategy) -> Iterator[str]:
    for rule in (*strategy.entry.rules, *strategy.exit.rules):
        yield rule.formula
    for part in strategy.ranking.factors:
        yield part.formula
    if strategy.market_filter is not None and strategy.market_filter.formula is not None:
        yield strategy.market_filter.formula
