"""`check`: what a formula is, without any data. `missing_inputs`: what a panel lacks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from stocklab.factors.checker import build
from stocklab.factors.graph import Graph
from stocklab.factors.parser import parse
from stocklab.factors.syntax import NameNode, Node, canonical, name_nodes
from stocklab.factors.vocabulary import FIELDS, ITEMS, Kind
from stocklab.market.panel import Panel

__all__ = [
    "Checked",
    "check",
    "first_name_needing",
    "missing_inputs",
    "panel_has",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A formula that is valid.

    Attributes
    ----------
    text : as given
    canonical : the one spelling of its tree (factor names not expanded)
    fingerprint : sha256 of the fully expanded graph; equal for formulas that compute the same steps
    kind : daily, quarterly (carried to days when evaluated) or number
    inputs : raw fields and statement items it needs in the end
    items : the statement items among them
    cross_sectional : its values depend on the universe
    lookback : sessions that must be loaded to get one value; for a recursive formula, the first printed bar
    quarters : fiscal quarters that must be visible to get one value; 0 without statements
    recursive : depends on the first bar of the history (ema, rma, obv_line, ...)
    """

    text: str
    canonical: str
    fingerprint: str
    kind: Kind
    inputs: frozenset[str]
    items: frozenset[str]
    cross_sectional: bool
    lookback: int
    quarters: int
    recursive: bool


@lru_cache(maxsize=4096)
def check(formula: str) -> Checked:
    """Parse a formula, resolve its names and check its kinds.

    Raises
    ------
    FormulaError
        With the character at fault, a stable code and, where one is near, a suggestion.

    >>> check("close > sma(close, 20)").lookback
    20
    """
    graph = Graph()
    index = build(graph, formula)
    step = graph.steps[index]
    return Checked(
        text=formula,
        canonical=canonical(parse(formula)),
        fingerprint=step.digest,
        kind=step.kind,
        inputs=step.fields | step.items,
        items=step.items,
        cross_sectional=step.cross,
        lookback=step.lookback,
        quarters=step.quarters,
        recursive=step.recursive,
    )


def panel_has(panel: Panel, name: str) -> bool:
    """Whether the panel can fill a daily field."""
    match name:
        case "mkt_close":
            return name in panel.fields or any(index in panel.indices for index in ("KOSPI", "KOSDAQ", "KRW-BTC"))
        case "rf" | "cal_month" | "cal_tdom" | "cal_tdleft":
            return True
        case "sector":
            return any(panel.instruments.sectors)
        case "days_since_filing":
            return name in panel.fields or panel.fundamentals is not None
    return name in panel.fields or name in panel.series


def missing_inputs(formula: str, panel: Panel) -> tuple[str, ...]:
    """Raw fields and statement items the formula needs and the panel does not have, sorted.

    Raises
    ------
    FormulaError
        The formula is not valid.
    """
    checked = check(formula)
    fields = checked.inputs - checked.items
    items = checked.items - set(() if panel.fundamentals is None else panel.fundamentals.items)
    return tuple(sorted(items | {name for name in fields if not panel_has(panel, name)}))


def first_name_needing(formula: str, field: str) -> Node:
    """The first name in the formula that leads to a raw field."""
    return next((name for name in name_nodes(parse(formula)) if field in _needs(name)), parse(formula))


def _needs(node: NameNode) -> frozenset[str]:
    if node.name in ITEMS or node.name in FIELDS:
        return frozenset((node.name,))
    graph = Graph()
    step = graph.steps[build(graph, node.name)]
    return step.fields | step.items
