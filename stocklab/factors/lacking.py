"""`never_known`: formulas that have no value at all on a panel, because of what it lacks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stocklab.factors.check import missing_inputs
from stocklab.factors.checker import build
from stocklab.factors.graph import Graph, Step
from stocklab.market.panel import Panel

__all__ = ["never_known"]


def never_known(formula: str, panel: Panel) -> bool:
    """Whether the formula is null for every symbol on every session, since inputs it cannot do without are missing.

    Null follows the algebra of docs/factors.md, section 2.2: ``nz``, ``coalesce`` and ``navg`` may still answer where
    a part is missing, everything else may not. A condition that is never known never holds, and neither does its
    negation.

    Raises
    ------
    FormulaError
        The formula is not valid.
    """
    lacking = frozenset(missing_inputs(formula, panel))
    if not lacking:
        return False
    graph = Graph()
    last = build(graph, formula)
    null: list[bool] = []
    for step in graph.steps[: last + 1]:
        null.append(_null(step, [null[arg] for arg in step.args], lacking))
    return null[last]


def _null(step: Step, args: Sequence[bool], lacking: frozenset[str]) -> bool:
    """Whether a step is null everywhere, given which of its arguments are."""
    match step.op:
        case "field" | "item":
            return step.params[0] in lacking
        case "const":
            return math.isnan(float(step.params[0]))
        case "nz":
            return False
        case "coalesce":
            return all(args)
        case "navg":
            return 2 * args.count(False) < len(args)
        case "where":
            condition, *values = args
            return condition or all(values)
    return any(args)
