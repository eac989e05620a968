"""What a factor is made of: the names below it, layer by layer down to fields and statement items."""

from __future__ import annotations

from dataclasses import dataclass

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.parser import parse
from stocklab.factors.syntax import name_nodes
from stocklab.factors.vocabulary import DERIVED

__all__ = ["Dependencies", "definition_of", "dependencies", "names_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """A graph without cycles.

    ``layers`` : names by their longest way from the top, which stands alone in the first; each name stands once
    ``edges`` : (name, a name its formula uses)
    """

    layers: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[str, str], ...]


def definition_of(name: str) -> str | None:
    """The formula of a factor or derived input; None for a field, item or parameter."""
    if name in DERIVED:
        return DERIVED[name].formula
    return CATALOGUE[name].formula if name in CATALOGUE else None


def names_in(formula: str) -> tuple[str, ...]:
    """Every name of a formula once, in the order they are written.

    Raises
    ------
    FormulaError
        Not a formula.

    >>> names_in("mcap_all/pos(ttm(net_income_parent))+mcap_all")
    ('mcap_all', 'net_income_parent')
    """
    return tuple(dict.fromkeys(each.name for each in name_nodes(parse(formula))))


def dependencies(name: str) -> Dependencies:
    """The graph below a factor or derived input.

    >>> dependencies("per").layers
    (('per',), ('mcap_all', 'net_income_parent'), ('mcap', 'mcap_pref'))
    """
    edges: list[tuple[str, str]] = []
    depth: dict[str, int] = {}

    def visit(here: str, level: int) -> None:
        first = here not in depth
        if not first and depth[here] >= level:
            return
        depth[here] = level
        formula = definition_of(here)
        for below in names_in(formula) if formula is not None else ():
            if first:
                edges.append((here, below))
            visit(below, level + 1)

    visit(name, 0)
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for each, level in depth.items():
        layers[level].append(each)
    return Dependencies(layers=tuple(tuple(layer) for layer in layers), edges=tuple(edges))
