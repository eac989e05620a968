"""From a plan to the state after its last session: chunk by chunk, with progress, cancel and pauses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from stocklab.backtest.binding import bind
from stocklab.backtest.blocks import check_cancel
from stocklab.backtest.ground import Ground, ground_of
from stocklab.backtest.layout import State, grow, new_state, room_per_session
from stocklab.backtest.plan import Plan
from stocklab.backtest.result import OnProgress, Progress, RunRequest, ShouldCancel
from stocklab.errors import InputError
from stocklab.market.panel import Panel
from stocklab.market.upbit import MOST_INITIAL_CASH_KRW

__all__ = ["OnPause", "run_kernel", "start_state", "walk_on"]

MOST_BOOK_KRW: Final = 90_000_000_000
"""Beyond it 64 bits cannot count units of 0.00000001 won."""

OnPause = Callable[[int, State], None]
"""A session of the panel, and the state after its close."""

_CHUNK_POSITIONS: Final = 5120  # positions x sessions walked between two cancel checks: some ten milliseconds


def run_kernel(
    panel: Panel,
    request: RunRequest,
    plan: Plan,
    *,
    ground: Ground | None = None,
    pauses: Sequence[int] = (),
    on_pause: OnPause | None = None,
    on_progress: OnProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> State:
    """Walk the sessions of a plan; the final state holds the records.

    ``ground`` saves making it again for the next run over the same sessions. ``on_pause`` sees the state as it is after
    the close of each session of ``pauses`` (ascending), decisions included; what it keeps of it, it copies.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so between two chunks.
    InputError
        Of coins: the starting cash, or the book in a session, is more than can be counted exactly.
    """
    state = start_state(panel, request, plan)
    tax = request.strategy.costs.tax
    if ground is None or (ground.first, ground.last, ground.tax) != (plan.first, plan.last, tax):
        ground = ground_of(panel, plan.first, plan.last, tax)
    walk_on(
        panel,
        request,
        plan,
        ground,
        state=state,
        sessions=(plan.first, plan.last),
        pauses=pauses,
        on_pause=on_pause,
        on_progress=on_progress,
        should_cancel=should_cancel,
    )
    return state


def start_state(panel: Panel, request: RunRequest, plan: Plan) -> State:
    """The state before the first session of a plan.

    Raises
    ------
    InputError
        Of coins: more starting cash than can be counted exactly.
    """
    unit = panel.unit
    if unit > 1 and request.initial_cash_krw > MOST_INITIAL_CASH_KRW:
        raise InputError(
            f"A run of coins starts with at most {MOST_INITIAL_CASH_KRW:,} won, found {request.initial_cash_krw:,}."
        )
    state = new_state(
        n_sessions=plan.last - plan.first,
        n_symbols=panel.n_symbols,
        max_holdings=request.strategy.sizing.max_holdings,
        initial_cash=request.initial_cash_krw * unit,
    )
    state.book[0].first_session = plan.first
    state.book[0].final_session = plan.last - 1
    return state


def walk_on(
    panel: Panel,
    request: RunRequest,
    plan: Plan,
    ground: Ground,
    *,
    state: State,
    sessions: tuple[int, int],
    pauses: Sequence[int] = (),
    on_pause: OnPause | None = None,
    on_progress: OnProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> None:
    """Walk sessions [first, last) of the panel on from a ``state`` that has reached the first; it is changed. Pauses as
    in `run_kernel`.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so between two chunks.
    """
    call = bind(panel, request, plan, ground)
    max_holdings = request.strategy.sizing.max_holdings
    chunk = max(_CHUNK_POSITIONS // max(20, max_holdings), 8)
    reached, last = sessions
    ahead = [session for session in pauses if reached <= session < last]
    while reached < last:
        check_cancel(should_cancel)
        target = min(reached + chunk, last, *(session + 1 for session in ahead[:1]))
        reached_now = call(reached, target, state)
        if state.book[0].beyond_at > 0:
            raise InputError(
                f"On {panel.sessions[state.book[0].beyond_at - 1]} the book was worth more than {MOST_BOOK_KRW:,} won, "
                "which a run of coins cannot count to 0.00000001 won. Hint: start with less cash."
            )
        if reached_now < target:
            _make_room(state, max_holdings)
        reached = reached_now
        if ahead and reached == ahead[0] + 1:
            session = ahead.pop(0)
            if on_pause is not None:
                on_pause(session, state)
        if on_progress is not None and reached > plan.first:
            on_progress(_progress(panel, request, plan, state, reached))


def _progress(panel: Panel, request: RunRequest, plan: Plan, state: State, reached: int) -> Progress:
    equity = state.days["equity"][: reached - plan.first].astype(np.float64) / panel.unit
    peak = np.maximum.accumulate(np.maximum(equity, request.initial_cash_krw))
    book = state.book[0]
    return Progress(
        stage="simulate",
        done=0.7 + 0.25 * (reached - plan.first) / (plan.last - plan.first),
        session=panel.sessions[reached - 1].item(),
        buys=int(book.n_buys),
        sells=int(book.n_sells),
        total_return=float(equity[-1] / request.initial_cash_krw - 1.0),
        max_drawdown=float((equity / peak - 1.0).min()),
        equity_krw=equity,
        first_session=plan.first,
    )


def _make_room(state: State, max_holdings: int) -> None:
    """Double the record arrays that one more session might overflow (as the kernel's ``_full`` judges it)."""
    book = state.book[0]
    used = {
        "orders": book.n_orders,
        "active": book.n_active,
        "trades": book.n_trades + book.n_active,
        "held": book.n_held,
        "actions": book.n_actions + book.n_claims,
        "quotes": book.n_active,
        "claims": book.n_claims,
    }
    for name, count in used.items():
        array = getattr(state, name)
        if count + room_per_session(max_holdings) > len(array):
            setattr(state, name, grow(array, 2 * len(array)))
