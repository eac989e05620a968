"""What a rule compares: every comparison in a formula with its two values, for one symbol at one close."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from stocklab.factors import CATALOGUE, Wanted, check, evaluate, evaluate_series
from stocklab.factors.one_symbol import one_symbol
from stocklab.factors.parser import parse
from stocklab.factors.some_sessions import values_on
from stocklab.factors.syntax import BinaryNode, NameNode, Node, NumberNode, UnaryNode, canonical
from stocklab.research.explain.values import Compared, MarketLine, RuleLine
from stocklab.research.explain.view import RunView
from stocklab.strategy.document import Rule

__all__ = ["market_line", "rule_lines"]

_COMPARISONS: Final = frozenset({">", "<", ">=", "<=", "==", "!="})
_JOINTS: Final = frozenset({"&", "|"})
Values = Mapping[str, float | None]


def rule_lines(
    view: RunView, t: int, column: int, rules: Sequence[Rule], written: Sequence[Rule]
) -> tuple[RuleLine, ...]:
    """Rules of one symbol at the close of session ``t``; ``written`` are the same rules as the document has them."""
    wanted = {text: None for rule in rules for text in _texts(rule.formula)}
    values = _values(view, list(wanted), t, column)
    return tuple(
        RuleLine(
            id=rule.id,
            formula=shown.formula,
            holds=_truth(values[rule.formula]),
            compared=_compared(rule.formula, values.__getitem__),
        )
        for rule, shown in zip(rules, written, strict=True)
    )


def market_line(view: RunView, t: int) -> MarketLine | None:
    """The market filter at the close of session ``t``; None where the document has none."""
    market = view.strategy.market_filter
    if market is None:
        return None
    following = view.day(min(t + 1, view.panel.n_sessions - 1))
    holds: bool | None = True
    compared: tuple[Compared, ...] = ()
    if market.formula is not None:
        level = {"close": np.asarray(view.panel.indices[market.index], dtype=np.float64)}

        def value(text: str) -> float | None:
            return _known(float(np.asarray(evaluate_series(text, level), dtype=np.float64)[t]))

        holds = _truth(value(market.formula))
        compared = _compared(market.formula, value)
    return MarketLine(
        index=market.index,
        formula=market.formula,
        holds=holds,
        compared=compared,
        month=following.month,
        month_allowed=following.month in market.months,
        action=market.action,
        unsafe=bool(view.plan.unsafe[t - view.plan.first]),
    )


def _comparisons(node: Node) -> list[BinaryNode]:
    """The comparisons a condition is made of, from left to right; a named condition is opened once."""
    match node:
        case BinaryNode(operator=operator) if operator in _COMPARISONS:
            return [node]
        case BinaryNode(operator=operator, left=left, right=right) if operator in _JOINTS:
            return [*_comparisons(left), *_comparisons(right)]
        case UnaryNode(operator="~", operand=operand):
            return _comparisons(operand)
        case NameNode(name=name) if name in CATALOGUE:
            return _comparisons(parse(CATALOGUE[name].formula))
    return []


def _texts(formula: str) -> list[str]:
    """Formulas whose values a condition's lines show, itself among them."""
    found = [formula]
    for node in _comparisons(parse(formula)):
        found += [canonical(each) for each in (node, node.left, node.right) if not isinstance(each, NumberNode)]
    return found


def _compared(formula: str, value: Callable[[str], float | None]) -> tuple[Compared, ...]:
    return tuple(
        Compared(
            left=canonical(node.left),
            operator=node.operator,
            right=canonical(node.right),
            left_value=_side(node.left, value),
            right_value=_side(node.right, value),
            holds=_truth(value(canonical(node))),
        )
        for node in _comparisons(parse(formula))
    )


def _side(node: Node, value: Callable[[str], float | None]) -> float | None:
    return node.value if isinstance(node, NumberNode) else value(canonical(node))


def _values(view: RunView, formulas: Sequence[str], t: int, column: int) -> Values:
    """Formulas of one symbol at one close, the bits of the run: on the symbol alone where no other stock enters."""
    across = [text for text in formulas if check(text).cross_sectional]
    alone = [text for text in formulas if not check(text).cross_sectional]
    found: dict[str, float | None] = {}
    if alone:
        names = frozenset().union(*(check(text).inputs for text in alone))
        small = one_symbol(view.panel, column, names)
        tables = evaluate([Wanted(text, "value") for text in alone], small, threads=1)
        found |= {text: _known(float(table[t, 0])) for text, table in zip(alone, tables, strict=True)}
    if across:
        rows = values_on(view.panel, across, np.array([t]), view.source, view.plan.universe)
        found |= {text: _known(float(rows[text][0, column])) for text in across}
    return found


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _truth(value: float | None) -> bool | None:
    return None if value is None else value != 0.0
