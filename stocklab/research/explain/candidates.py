"""The symbols a close could buy, in order of purchase, with their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stocklab.backtest.score import build_score, score_parts
from stocklab.factors import Wanted, check
from stocklab.factors.some_sessions import some_sessions
from stocklab.research.explain.view import RunView
from stocklab.types import AnyArray, BoolArray, FloatArray, IntArray

__all__ = ["Candidates", "candidates_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """A close's candidates.

    Attributes
    ----------
    members, passing : (n_symbols,) bool, in the universe, and those of them for which the entry rules hold
    scores : (n_symbols,) higher = better, NaN = unknown or outside of the universe; None without ranking
    values : (n_parts, n_symbols) of the ranking's formulas
    parts : (n_parts, n_symbols), what each adds to the score; None where one part is its own score
    ranked : symbols with a score for which the rules hold, best first, before ``ranking.keep``
    ordered : those that may be bought, in order of purchase
    """

    members: BoolArray
    passing: BoolArray
    scores: FloatArray | None
    values: tuple[FloatArray, ...]
    parts: tuple[FloatArray, ...] | None
    ranked: IntArray
    ordered: IntArray


def candidates_at(view: RunView, t: int) -> Candidates:
    """Candidates of session ``t`` of the panel, as the run ordered them where it did."""
    plan, ranking = view.plan, view.strategy.ranking
    members = np.asarray(plan.universe[t])
    passing = members & (plan.entry[t] != 0)
    values, scores, parts = _scores(view, t)
    found = np.flatnonzero(passing)
    if scores is not None:
        found = found[~np.isnan(scores[found])]
        found = found[np.lexsort((found, -scores[found]))]
    kept = found
    if ranking.keep == "top":
        kept = found[: ranking.count]
    elif ranking.keep == "bottom":
        kept = found[max(len(found) - ranking.count, 0) :]
    return Candidates(
        members=members,
        passing=passing,
        scores=scores,
        values=values,
        parts=parts,
        ranked=found,
        ordered=kept,
    )


def _scores(view: RunView, t: int) -> tuple[tuple[FloatArray, ...], FloatArray | None, tuple[FloatArray, ...] | None]:
    """Values of the parts, the score and what each part adds, of one session: the same steps as for the whole run."""
    factors = view.strategy.ranking.factors
    if not factors:
        return (), None, None
    rows = [_row(view, factor.formula, t) for factor in factors]
    few = some_sessions(view.panel, np.array([t]), frozenset({"mcap"}))
    universe = np.ascontiguousarray(view.plan.universe[t : t + 1])
    one = np.ones(1, dtype=np.bool_)
    score = build_score(few, factors, rows, universe, one, 0)
    known = np.where(universe[0], score.sign * np.asarray(score.values[0], dtype=np.float64), np.nan)
    values = tuple(np.asarray(row[0], dtype=np.float64) for row in rows)
    if len(factors) == 1 and factors[0].neutralize == "none":
        return values, known, None
    signs = [factor.weight if factor.direction == "high" else -factor.weight for factor in factors]
    found = score_parts(few, factors, rows, universe, one, 0)
    return values, known, tuple(sign * part[0] for sign, part in zip(signs, found, strict=True))


def _row(view: RunView, formula: str, t: int) -> AnyArray:
    """One session of a ranking formula, (1, n_symbols), as the plan asked for it."""
    across = view.plan.universe if check(formula).cross_sectional else None
    (values,) = view.source.compute([Wanted(formula, "value")], across)
    row: AnyArray = np.array(values[t : t + 1])
    return row
