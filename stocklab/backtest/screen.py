"""`matches`: the symbols a strategy would buy after one session's close, best first."""

from __future__ import annotations

import math

import numpy as np

from stocklab.backtest.plan import Plan, build_plan
from stocklab.backtest.result import RunRequest
from stocklab.backtest.select import order_rows
from stocklab.errors import InputError
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.strategy.document import Rebalancing, Strategy

__all__ = ["matches"]


def matches(panel: Panel, strategy: Strategy, source: FormulaSource, session_index: int) -> list[tuple[str, float]]:
    """Candidates of one session in order of purchase, with their score (NaN without ranking).

    Parameters
    ----------
    session_index : index into ``panel.sessions``, negative from the end

    Raises
    ------
    InputError
        The index is out of range, or the document asks for what the panel does not have.
    FormulaError
        A formula is not valid here.
    """
    if not -panel.n_sessions <= session_index < panel.n_sessions:
        raise InputError(f"Session {session_index} is out of range; the panel has {panel.n_sessions} sessions.")
    t = session_index % panel.n_sessions
    day = panel.sessions[t].item()
    daily = strategy.model_copy(update={"rebalancing": Rebalancing(mode="signal")})
    request = RunRequest(strategy=daily, start=day, end=day, initial_cash_krw=strategy.allocation.initial_cash_krw)
    plan = build_plan(panel, request, source, decide_last=True)
    return [(panel.symbols[symbol], _score(plan, t, symbol)) for symbol in _ordered(plan, t)]


def _ordered(plan: Plan, t: int) -> list[int]:
    n_symbols = plan.universe.shape[1]
    symbols = np.zeros((1, n_symbols), dtype=np.int64)
    written, total, unknown = (np.zeros(1, dtype=np.int64) for _ in range(3))
    order_rows(
        t,
        t + 1,
        np.ones(1, dtype=np.bool_),
        plan.universe,
        plan.entry,
        plan.score.values,
        plan.score.sign,
        plan.keep,
        plan.keep_count,
        n_symbols,
        symbols,
        written,
        total,
        unknown,
    )
    return [int(symbol) for symbol in symbols[0, : written[0]]]


def _score(plan: Plan, t: int, symbol: int) -> float:
    return float(plan.score.values[t, symbol]) if plan.score.values.size else math.nan
