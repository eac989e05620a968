"""Values on a few sessions only, the same bits as on all of them: what ranks the market is dear, and needs no history.

A formula is split at what looks back along the sessions. Those parts are computed over the whole panel; all that
stands above them, ranks included, and all that needs the session alone, on a panel of the few sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.check import check
from stocklab.factors.evaluate import DirectSource, FormulaSource, Wanted, evaluate
from stocklab.factors.functions import FUNCTIONS, Family
from stocklab.factors.inputs import CALENDAR_FIELDS, calendar_series
from stocklab.factors.one_symbol import VIEW_ARRAYS
from stocklab.factors.parser import parse
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, NumberNode, UnaryNode, canonical
from stocklab.factors.vocabulary import DERIVED, FIELDS, Kind
from stocklab.market.entitlements import NO_ENTITLEMENTS
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import Panel
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = ["some_sessions", "values_on"]

_AT_ONCE: Final = 8  # tables of the whole panel in memory
# columns that stand for what was computed already; no formula's own part meets them there
_STAND_INS: Final = tuple(name for name, field in FIELDS.items() if field.kind is Kind.DAILY)


def values_on(
    panel: Panel,
    formulas: Sequence[str],
    rows: IntArray,
    source: FormulaSource | None = None,
    universe: BoolArray | None = None,
) -> Mapping[str, FloatArray]:
    """Formulas on some sessions.

    Parameters
    ----------
    rows : (n,) session indices, ascending
    source : computes what needs the history, over the whole panel; None: anew
    universe : (n_sessions, n_symbols) bool, what ranks are among; None: all that is listed

    Returns
    -------
    formula -> (n, n_symbols) float64, NaN = null; bit for bit the rows of `evaluate`

    Raises
    ------
    FormulaError
        A formula is not valid.
    """
    work = _Splitter(panel, rows, source or DirectSource(panel), universe)
    for formula in formulas:
        work.need(parse(formula))
    work.compute_leaves()
    return {formula: work.value(parse(formula)) for formula in formulas}


def some_sessions(panel: Panel, rows: IntArray, names: frozenset[str]) -> Panel:
    """The panel on some sessions, with these fields: right for formulas that need one session alone."""
    fields = {name: panel.fields[name][rows] for name in {*names, "listed", "market"} if name in panel.fields}
    # calendar numbers are those of the full calendar, not of the sessions that are left
    if set(CALENDAR_FIELDS) & names:
        days = calendar_series(panel.sessions)
        wide = np.ones((1, panel.n_symbols))
        fields |= {name: days[name][rows, None] * wide for name in CALENDAR_FIELDS if name not in fields}
    for values in fields.values():
        values.flags.writeable = False
    known = panel.fundamentals
    return replace(
        panel,
        sessions=panel.sessions[rows],
        fields=MappingProxyType(fields),
        series=MappingProxyType({name: values[rows] for name, values in panel.series.items()}),
        indices=MappingProxyType({name: values[rows] for name, values in panel.indices.items()}),
        rf=panel.rf[rows],
        fundamentals=None if known is None else _views_on(known, rows),
        by_symbol=MappingProxyType({}),
        entitlements=NO_ENTITLEMENTS,  # of a walk from session to session, which this is not
    )


def _views_on(known: Fundamentals, rows: IntArray) -> Fundamentals:
    """The statements with the views in force on some sessions only: a twentieth of them, for one session."""
    places = np.searchsorted(rows, known.view_row)
    symbols = np.repeat(np.arange(len(known.first_view) - 1), np.diff(known.first_view))
    superseded = np.append((places[1:] == places[:-1]) & (symbols[1:] == symbols[:-1]), [False])[: len(places)]
    kept = np.flatnonzero((places < len(rows)) & ~superseded)
    arrays = {name: getattr(known, name)[kept] for name in VIEW_ARRAYS if name != "view_row"}
    arrays["view_row"] = places[kept].astype(np.int32)
    arrays["first_view"] = np.searchsorted(symbols[kept], np.arange(len(known.first_view))).astype(np.int64)
    for values in arrays.values():
        values.flags.writeable = False
    return replace(known, **arrays)


class _Splitter:
    """Finds the parts that need history, computes them, then builds the formulas on top of them."""

    def __init__(self, panel: Panel, rows: IntArray, source: FormulaSource, universe: BoolArray | None) -> None:
        self.panel, self.rows, self.source, self.universe = panel, rows, source, universe
        self.members = None if universe is None else np.ascontiguousarray(universe[rows])
        self.bare = replace(some_sessions(panel, rows, frozenset()), fundamentals=None)
        self.leaves: dict[str, None] = {}
        self.known: dict[str, FloatArray] = {}

    def need(self, node: Node) -> None:
        """Collect the leaves of a formula: largest parts that rank nothing, and those that cannot be split."""
        text = canonical(node)
        if _is_leaf(node):
            self.leaves[text] = None
            return
        for inner in _inner(node):
            if not isinstance(inner, NumberNode):
                self.need(inner)

    def compute_leaves(self) -> None:
        short = [text for text in self.leaves if check(text).lookback == 1 and not check(text).recursive]
        names = frozenset().union(*(check(text).inputs for text in short))
        few = some_sessions(self.panel, self.rows, names)
        self.known |= dict(zip(short, evaluate([Wanted(text, "value") for text in short], few), strict=True))
        long = [text for text in self.leaves if text not in self.known]
        for first in range(0, len(long), _AT_ONCE):
            some = long[first : first + _AT_ONCE]
            tables = self.source.compute([Wanted(text, "value") for text in some], self.universe)
            self.known |= {text: np.asarray(table[self.rows]) for text, table in zip(some, tables, strict=True)}

    def value(self, node: Node) -> FloatArray:
        text = canonical(node)
        if text not in self.known:
            self.known[text] = self.build(node)
        return self.known[text]

    def build(self, node: Node) -> FloatArray:
        """One step above parts that are known: the engine runs it with columns that stand for them."""
        if isinstance(node, NameNode):
            opened = self.value(parse(_definition(node.name)))
            if node.name in CATALOGUE and "nofin" in CATALOGUE[node.name].tokens:
                return np.where(self.panel.instruments.financial, np.nan, opened)
            return opened
        columns: dict[str, FloatArray] = {}
        names = iter(_STAND_INS)

        def stand_in(inner: Node) -> Node:
            if isinstance(inner, NumberNode) or _is_group(inner) or check(canonical(inner)).kind is Kind.NUMBER:
                return inner
            name = next(names)
            columns[name] = self.value(inner)
            return NameNode(position=0, length=0, name=name)

        formula = canonical(_with_inner(node, stand_in))
        few = replace(self.bare, fields=MappingProxyType({**self.bare.fields, **columns}))
        values: FloatArray = evaluate([Wanted(formula, "value")], few, universe=self.members)[0]
        return values


def _is_group(node: Node) -> bool:
    return isinstance(node, NameNode) and node.name in FIELDS and FIELDS[node.name].kind is Kind.GROUP


def _is_leaf(node: Node) -> bool:
    """Whether a part is computed as a whole: it ranks nothing, or stands over the sessions of something that does."""
    if not check(canonical(node)).cross_sectional:
        return True
    splittable = (Family.ELEMENTWISE, Family.CROSS)
    return isinstance(node, CallNode) and (
        FUNCTIONS[node.function].family not in splittable or len(node.arguments) > len(_STAND_INS)
    )


def _inner(node: Node) -> list[Node]:
    match node:
        case NameNode(name=name):
            return [parse(_definition(name))]
        case UnaryNode(operand=operand):
            return [operand]
        case BinaryNode(left=left, right=right):
            return [left, right]
        case CallNode(arguments=arguments):
            return [argument for argument in arguments if not _is_group(argument)]
    return []


def _with_inner(node: Node, change: Callable[[Node], Node]) -> Node:
    match node:
        case UnaryNode(operand=operand):
            return replace(node, operand=change(operand))
        case BinaryNode(left=left, right=right):
            return replace(node, left=change(left), right=change(right))
        case CallNode(arguments=arguments):
            return replace(node, arguments=tuple(change(argument) for argument in arguments))
    return node


def _definition(name: str) -> str:
    return DERIVED[name].formula if name in DERIVED else CATALOGUE[name].formula
