"""`evaluate`: formulas over a panel. `evaluate_series`: a formula over one series. `FormulaSource`: who computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np

from stocklab.errors import FormulaError, InputError
from stocklab.factors.check import check, first_name_needing
from stocklab.factors.checker import build_daily
from stocklab.factors.graph import Graph
from stocklab.factors.inputs import frozen, inputs_of, inputs_of_series
from stocklab.factors.plan import plan_of
from stocklab.factors.program import Target
from stocklab.market.panel import Panel
from stocklab.types import AnyArray, BoolArray, FloatArray

if TYPE_CHECKING:
    from stocklab.factors.execute import Execution

__all__ = ["DirectSource", "FormulaSource", "Wanted", "evaluate", "evaluate_series"]

TILE_SYMBOLS: Final = 32
TILE_SESSIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """A formula and how its result is given: numbers, or 1 where it holds."""

    formula: str
    kind: Literal["value", "condition"]


class FormulaSource(Protocol):
    """Computes formulas over one panel; caches hide behind it."""

    @property
    def panel(self) -> Panel:
        """The panel the formulas run on."""
        ...

    def compute(self, wanted: Sequence[Wanted], universe: BoolArray | None = None) -> tuple[AnyArray, ...]:
        """As `evaluate`."""
        ...


@dataclass(frozen=True, slots=True)
class DirectSource:
    """Computes anew each time."""

    panel: Panel
    threads: int = 2
    should_cancel: Callable[[], bool] | None = None

    def compute(self, wanted: Sequence[Wanted], universe: BoolArray | None = None) -> tuple[AnyArray, ...]:
        """As `evaluate`."""
        return evaluate(wanted, self.panel, universe=universe, threads=self.threads, should_cancel=self.should_cancel)


def evaluate(
    wanted: Sequence[Wanted],
    panel: Panel,
    *,
    universe: BoolArray | None = None,
    threads: int = 2,
    should_cancel: Callable[[], bool] | None = None,
    tile_symbols: int = TILE_SYMBOLS,
    tile_sessions: int = TILE_SESSIONS,
) -> tuple[AnyArray, ...]:
    """Values of formulas for every session and symbol.

    Parameters
    ----------
    wanted : sequence of Wanted
        Subexpressions they share are computed once.
    panel : Panel
        A field or statement item it does not have is null everywhere (`missing_inputs` names it).
    universe : (n_sessions, n_symbols) bool, optional
        What cross-sectional operators rank over; None = all that is listed.
    threads : int
        Worker threads; the result has the same bits for any number, and for any tile size.
    should_cancel : callable, optional
        Asked every few symbols, by the calling thread only.

    Returns
    -------
    tuple of (n_sessions, n_symbols)
        ``value``: float64 in catalogue units, NaN = null, also where the symbol is not listed. ``condition``: uint8,
        1 = true, 0 = false or null. Row t holds what was known at the close of t.

    Raises
    ------
    FormulaError
        A formula is not valid.
    InputError
        The universe has another shape, or a number of threads or tile is below 1.
    Cancelled
        ``should_cancel`` answered True.
    """
    if min(threads, tile_symbols, tile_sessions) < 1:
        raise InputError("threads and tile sizes are at least 1.")
    inputs = inputs_of(panel, _fields(wanted))
    listed = inputs.listed
    if universe is not None and universe.shape != listed.shape:
        raise InputError(f"The universe has shape {universe.shape}, the panel {listed.shape}.")
    members = listed if universe is None else frozen(universe.astype(np.bool_, copy=False) & listed)

    def start(graph: Graph) -> Execution:
        from stocklab.factors.execute import Execution  # numba loads when something is first computed
        from stocklab.factors.listing import listing_of

        return Execution(
            graph=graph,
            inputs=inputs,
            listing=listing_of(panel.fields["listed"]),
            universe=members,
            threads=threads,
            tile_symbols=tile_symbols,
            tile_sessions=tile_sessions,
            should_cancel=should_cancel,
        )

    return _run(wanted, start)


def evaluate_series(formula: str, columns: Mapping[str, FloatArray]) -> FloatArray:
    """A formula on one series, such as a market filter on an index.

    Parameters
    ----------
    formula : str
        Without cross-sectional operators.
    columns : field name -> (n,) float64
        Such as close, open, high, low; NaN = null.

    Returns
    -------
    (n,) float64
        NaN = null; conditions give 1 or 0.

    Raises
    ------
    FormulaError
        Not valid; code ``cross_section``: ranks symbols; code ``missing_input``: a column is missing.
    InputError
        The columns differ in length.
    """
    checked = check(formula)
    wanted = (Wanted(formula, "value"),)
    names = _fields(wanted)
    if checked.cross_sectional:
        raise FormulaError(
            "A single series has no other symbols to rank against.", text=formula, position=0, code="cross_section"
        )
    for name in sorted(names - set(columns)):
        place = first_name_needing(formula, name)
        raise FormulaError(
            f"This needs {name}, which this series does not have; it has {', '.join(sorted(columns))}.",
            text=formula,
            position=place.position,
            length=place.length,
            code="missing_input",
        )
    inputs = inputs_of_series(columns)

    def start(graph: Graph) -> Execution:
        from stocklab.factors.execute import Execution
        from stocklab.factors.listing import listing_of

        return Execution(
            graph=graph,
            inputs=inputs,
            listing=listing_of(inputs.listed),
            universe=inputs.listed,
            threads=1,
            tile_symbols=1,
            tile_sessions=TILE_SESSIONS,
            should_cancel=None,
        )

    values: FloatArray = _run(wanted, start)[0][:, 0]
    return values


def _fields(wanted: Sequence[Wanted]) -> frozenset[str]:
    names: frozenset[str] = frozenset()
    for each in wanted:
        names |= check(each.formula).inputs
    return names


def _run(wanted: Sequence[Wanted], start: Callable[[Graph], Execution]) -> tuple[AnyArray, ...]:
    if not wanted:
        return ()
    graph = Graph()
    targets = [Target(build_daily(graph, each.formula), each.kind) for each in wanted]
    return start(graph).run(plan_of(graph, targets), targets)
