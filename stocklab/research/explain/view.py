"""A run opened for questions: its plan, and the state of its book at any moment, walked again by the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np

from stocklab.backtest.ground import Ground, ground_of
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan, build_plan
from stocklab.backtest.result import Result, RunRequest
from stocklab.backtest.simulate import run_id
from stocklab.backtest.walking import start_state, walk_on
from stocklab.errors import InputError, ResultOutdated
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy
from stocklab.strategy.own_factors import expanded
from stocklab.types import BoolArray

__all__ = ["Moment", "RunView", "open_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The book around the close of session ``t`` of the panel.

    ``before``: after the decisions of the close before; ``ended``: after the session, with every order closed as if
    the run ended here, which shows what each of them met; ``decided``: after the decisions of this close.
    """

    t: int
    before: State
    ended: State
    decided: State


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run, its plan and its result. ``strategy`` is the document with own factors opened."""

    panel: Panel
    request: RunRequest
    strategy: Strategy
    source: FormulaSource
    plan: Plan
    ground: Ground
    result: Result

    def day(self, t: int) -> date:
        """Date of a session of the panel."""
        found: date = self.panel.sessions[t].item()
        return found

    def row_of(self, session: date) -> int:
        """Index of a session of the run.

        Raises
        ------
        InputError
            The day is no session, or one outside of the run; the message names the nearest.
        """
        sessions = self.panel.sessions[self.plan.first : self.plan.last]
        place = int(np.searchsorted(sessions, np.datetime64(session, "D")))
        if place < len(sessions) and sessions[place].item() == session:
            return self.plan.first + place
        near = [str(sessions[i]) for i in (place - 1, place) if 0 <= i < len(sessions)]
        raise InputError(
            f"{session} is not a session of this run, which goes from {sessions[0]} to {sessions[-1]}. "
            f"Hint: {' or '.join(near)}."
        )

    def moment(self, t: int) -> Moment:
        """Walk to session ``t`` of the panel."""
        state = start_state(self.panel, self.request, self.plan)
        self._walk(state, self.plan.first, t)
        ended, decided = _copy(state), _copy(state)
        ended.book[0].final_session = t
        self._walk(ended, t, t + 1)
        self._walk(decided, t, t + 1)
        return Moment(t=t, before=state, ended=ended, decided=decided)

    def _walk(self, state: State, first: int, last: int) -> None:
        walk_on(self.panel, self.request, self.plan, self.ground, state=state, sessions=(first, last))

    @property
    def deciding(self) -> BoolArray:
        """Closes of the run at which purchases are decided anew, (n_sessions of the run,)."""
        if self.strategy.rebalancing.mode == "target":
            due: BoolArray = self.plan.schedule.astype(np.bool_)
        else:
            due = np.ones(self.plan.last - self.plan.first, dtype=np.bool_)
        due[-1] = False
        return due


def open_run(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    result: Result,
    *,
    should_cancel: Callable[[], bool] | None = None,
) -> RunView:
    """Prepare a finished run for `explain`.

    Raises
    ------
    ResultOutdated
        The result was made from other data or by another version of the program: it could not be explained truly.
    InputError
        A run of coins: decisions are made again in whole won and shares.
    """
    if panel.unit > 1:
        raise InputError("Explain answers for stocks; runs of coins are not explained yet.")
    if run_id(panel, request) != result.run_id:
        raise ResultOutdated(result.run_id)
    plan = build_plan(panel, request, source, should_cancel=should_cancel)
    return RunView(
        panel=panel,
        request=request,
        strategy=expanded(request.strategy),
        source=source,
        plan=plan,
        ground=ground_of(panel, plan.first, plan.last, request.strategy.costs.tax),
        result=result,
    )


def _copy(state: State) -> State:
    return replace(state, **{each.name: getattr(state, each.name).copy() for each in fields(state)})
