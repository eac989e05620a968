"""The kernel bound to a plan, its ground and its rules: what is left to say is from which session to which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stocklab.backtest.ground import Ground
from stocklab.backtest.kernel import walk
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan
from stocklab.backtest.result import RunRequest
from stocklab.backtest.rules import rules_of
from stocklab.market.panel import Panel, PriceBasis

__all__ = ["bind"]


def bind(panel: Panel, request: RunRequest, plan: Plan, ground: Ground) -> Callable[[int, int, State], int]:
    """The kernel with everything that does not change between chunks.

    The result walks sessions [start, stop) on from a state, which it changes, and returns the session it has reached.
    """
    n_symbols = panel.n_symbols
    rules = rules_of(
        request.strategy,
        request.initial_cash_krw,
        unit=panel.unit,
        raw=panel.basis is PriceBasis.RAW,
        has_base=ground.has_base,
        taxes=ground.taxes,
        score_sign=plan.score.sign,
    )
    candidates = plan.candidates
    fixed = (
        *ground.market,
        *ground.actions,
        rules,
        plan.unsafe,
        plan.schedule,
        candidates.symbols,
        candidates.written,
        candidates.totals,
        plan.universe,
        plan.entry,
        plan.score.values,
        plan.weights,
        plan.keep,
        plan.keep_count,
        plan.exit_code,
        plan.entry_ok,
        plan.ranks,
    )
    scratch = (
        np.empty(n_symbols, dtype=np.float64),
        np.full(n_symbols + 1, -1, dtype=np.int64),
        np.zeros(request.strategy.sizing.max_holdings + 1, dtype=np.int64),
        np.zeros(request.strategy.sizing.max_holdings + 1, dtype=np.int64),
        np.full(n_symbols, -1, dtype=np.int64),
    )

    def call(start: int, stop: int, state: State) -> int:
        carried = (
            state.book,
            state.positions,
            state.slot_of,
            state.sold_on,
            state.quotes,
            state.quote_of,
            state.orders,
            state.active,
            state.trades,
            state.held,
            state.actions,
            state.days,
            state.waiting,
            state.claims,
        )
        return int(walk(start, stop, *fixed, *carried, *scratch))

    return call
