"""`simulate`: plan, walk the sessions in chunks with progress and cancel, assemble the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

import stocklab
from stocklab.backtest import codes
from stocklab.backtest.assemble import assemble
from stocklab.backtest.blocks import check_cancel
from stocklab.backtest.code_stamp import code_stamp
from stocklab.backtest.corporate_actions import corporate_actions
from stocklab.backtest.kernel import walk
from stocklab.backtest.layout import RULES, State, grow, new_state, records, room_per_session
from stocklab.backtest.plan import Plan, build_plan
from stocklab.backtest.result import OnProgress, Progress, Result, RunRequest, ShouldCancel
from stocklab.backtest.sizing import ENDLESS
from stocklab.backtest.statement_facts import require_mode
from stocklab.backtest.universe import read_only
from stocklab.errors import InputError
from stocklab.factors import FormulaSource
from stocklab.market.costs import BILLION, tax_table
from stocklab.market.limits import limit_table
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis
from stocklab.market.ticks import tick_regimes, tick_tables
from stocklab.market.upbit import MOST_INITIAL_CASH_KRW, coin_tick_regimes, coin_tick_tables, minimum_orders
from stocklab.strategy.document import FillMode, HoldingUnit, PriceTrigger, Strategy
from stocklab.types import AnyArray, DateArray, IntArray

__all__ = [
    "CLEAN_UP_SESSIONS",
    "ENGINE_VERSION",
    "Ground",
    "OnPause",
    "bars_by_symbol",
    "ground_of",
    "run_id",
    "run_kernel",
    "simulate",
    "start_state",
    "walk_on",
]

ENGINE_VERSION: Final = 4
"""Raised with every change of what a run means, so that results of before are not taken for results of now."""

MOST_BOOK_KRW: Final = 90_000_000_000
"""Beyond it 64 bits cannot count units of 0.00000001 won."""

CLEAN_UP_SESSIONS: Final = 10
"""Bars that reach this near to a delisting hold its clean-up trading (7 sessions, docs/market-rules.md, section 11)."""

OnPause = Callable[[int, State], None]
"""A session of the panel, and the state after its close."""

_CHUNK_POSITIONS: Final = 5120  # positions x sessions walked between two cancel checks: some ten milliseconds
_MODES: Final = {
    FillMode.NEXT_OPEN: codes.MODE_OPEN,
    FillMode.NEXT_CLOSE: codes.MODE_CLOSE,
    FillMode.LIMIT: codes.MODE_LIMIT,
    FillMode.VWAP_PROXY: codes.MODE_VWAP,
}
_NO_ROWS: Final = np.zeros((0, 0), dtype=np.float32)


def run_id(panel: Panel, request: RunRequest) -> str:
    """Content hash of a run's inputs: document, range, cash, seed, panel, code version; 40 hex digits.

    Names, descriptions and notes are part of the document, so that the card of a stored result is its own.
    """
    content = {
        "strategy": request.strategy.model_dump(mode="json"),
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "initial_cash_krw": request.initial_cash_krw,
        "seed": request.seed,
        "panel": panel.key,
        "version": stocklab.__version__,
        "engine": ENGINE_VERSION,
        "code": code_stamp(),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def simulate(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    on_progress: OnProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> Result:
    """Run a strategy over a panel.

    Parameters
    ----------
    panel : bars on one price basis
    request : the document, the inclusive range and the starting cash
    source : computes the document's formulas over the same panel
    on_progress : told the stage, and during the walk the curve so far
    should_cancel : asked at least every 100 ms outside of ``source``

    Returns
    -------
    Result; the same inputs give the same bytes.

    Raises
    ------
    InputError
        No session in the range, the document asks for what the panel does not have, or for company reports in another
        mode than the panel's.
    FormulaError
        A formula is not valid here.
    Cancelled
        ``should_cancel`` said so.
    """
    require_mode(panel, request.strategy)
    report = on_progress or _silent
    report(Progress(stage="factors", done=0.0))
    plan = build_plan(panel, request, source, should_cancel=should_cancel)
    report(Progress(stage="plan", done=0.7))
    state = run_kernel(panel, request, plan, on_progress=on_progress, should_cancel=should_cancel)
    check_cancel(should_cancel)
    report(Progress(stage="result", done=0.95))
    return assemble(panel, request, plan, state, run_id=run_id(panel, request), engine_version=ENGINE_VERSION)


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
    if panel.unit > 1 and request.initial_cash_krw > MOST_INITIAL_CASH_KRW:
        raise InputError(
            f"A run of coins starts with at most {MOST_INITIAL_CASH_KRW:,} won, found {request.initial_cash_krw:,}."
        )
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
    """The state before the first session of a plan."""
    state = new_state(
        n_sessions=plan.last - plan.first,
        n_symbols=panel.n_symbols,
        max_holdings=request.strategy.sizing.max_holdings,
        initial_cash=request.initial_cash_krw * panel.unit,
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
    call = _bind(panel, request, plan, ground)
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


def _silent(progress: Progress) -> None:
    return None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every run over the same sessions of a panel shares: the kernel's arguments before and after the rules.

    ``first`` and ``last`` are the run's sessions, ``tax`` the document's choice.
    """

    first: int
    last: int
    tax: str | float
    market: tuple[AnyArray, ...]
    actions: tuple[IntArray, ...]
    taxes: IntArray
    has_base: bool


def ground_of(
    panel: Panel, first: int, last: int, tax: str | float, *, bars: tuple[AnyArray, ...] | None = None
) -> Ground:
    """The ground of runs over sessions [first, last) with a document's ``costs.tax``; ``bars`` of `bars_by_symbol`."""
    sessions = panel.sessions[first:last]
    fields = panel.fields
    raw = panel.basis is PriceBasis.RAW
    if bars is None:
        bars = tuple(read_only(fields[name]) for name in _bar_names(panel))
    base = read_only(fields["base_price"]) if raw and "base_price" in fields else read_only(_NO_ROWS)
    taxes = tax_table(sessions)
    if panel.basis is PriceBasis.COIN:
        taxes[:] = taxes[:, MARKET_CODES["UPBIT"]][:, None]  # the highest of the run is that of its one market
    if not isinstance(tax, str):
        taxes[:] = _ppb(tax)
    delisted = np.asarray(panel.instruments.delisted_on, dtype="datetime64[D]")
    delist_on = np.where(np.isnat(delisted), codes.NEVER, np.searchsorted(panel.sessions, delisted)).astype(np.int64)
    return Ground(
        first=first,
        last=last,
        tax=tax,
        market=(
            *bars,
            base,
            np.asarray(panel.instruments.kinds) == KIND_CODES["etf"],
            panel.sector_codes()[0],
            delist_on,
            np.array(panel.instruments.pays_last_close, dtype=np.bool_),
            sessions.astype("datetime64[D]").astype(np.int64),
            limit_table(sessions),
            taxes,
            *_tick_rules(panel, sessions),
        ),
        actions=corporate_actions(panel, first, last),
        taxes=taxes,
        has_base=base.size > 0,
    )


def _tick_rules(panel: Panel, sessions: DateArray) -> tuple[IntArray, ...]:
    """Regime of each session and market, tables of price-from and tick, smallest amount of an order per session."""
    if panel.basis is PriceBasis.COIN:
        return coin_tick_regimes(sessions), *coin_tick_tables(), minimum_orders(sessions)
    return tick_regimes(sessions), *tick_tables(), np.zeros(len(sessions), dtype=np.int64)


def bars_by_symbol(panel: Panel) -> tuple[AnyArray, ...]:
    """Bars and marks in the memory order of histories, (n_sessions, n_symbols) as ever.

    A position then reads its next session beside the last one, which takes a fifth off the walk. For one run alone the
    copies of what the panel has not turned cost more than that.
    """
    turned = {name: panel.turned(name) for name in _bar_names(panel)}
    return tuple(
        read_only(np.asfortranarray(panel.fields[name]) if values is None else values.T)
        for name, values in turned.items()
    )


def _bar_names(panel: Panel) -> tuple[str, ...]:
    return (*panel.order_fields, "traded", "listed", "market")


def _bind(panel: Panel, request: RunRequest, plan: Plan, ground: Ground) -> Callable[[int, int, State], int]:
    """The kernel with everything that does not change between chunks."""
    n_symbols = panel.n_symbols
    rules = _rules(
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


def _ppb(rate: float) -> int:
    return round(rate * BILLION)


def _trigger(trigger: PriceTrigger | None) -> tuple[int, int]:
    if trigger is None:
        return codes.OFF, 0
    return (codes.INTRADAY if trigger.basis == "intraday" else codes.AT_CLOSE), _ppb(trigger.level)


def _rules(
    strategy: Strategy,
    initial_cash_krw: int,
    *,
    unit: int,
    raw: bool,
    has_base: bool,
    taxes: IntArray,
    score_sign: float,
) -> AnyArray:
    """The document as one record."""
    rules = records(RULES, 1)
    execution, leave, sizing, costs = strategy.execution, strategy.exit, strategy.sizing, strategy.costs
    market_filter = strategy.market_filter
    actions = {None: codes.NO_FILTER, "sell_all": codes.SELL_ALL, "no_new": codes.NO_NEW}
    target_basis, target_level = _trigger(leave.target)
    stop_basis, stop_level = _trigger(leave.stop)
    trailing_basis, trailing_level = _trigger(leave.trailing)
    values: dict[str, Any] = {
        "unit": unit,
        "initial_cash": initial_cash_krw * unit,
        "commission": _ppb(costs.commission_rate),
        "slippage": _ppb(costs.slippage_rate),
        "raw_basis": raw,
        "has_base": has_base,
        "flat_tax": costs.tax != "dated",
        "most_tax": int(taxes.max()) if taxes.size else 0,
        "buy_mode": _MODES[execution.buy],
        "sell_mode": _MODES[execution.sell],
        "limit_reference_open": execution.limit_reference == "open",
        "limit_offset": _ppb(execution.limit_offset),
        "carry": execution.carry_unfilled_sessions,
        "target_basis": target_basis,
        "target_level": target_level,
        "stop_basis": stop_basis,
        "stop_level": stop_level,
        "trailing_basis": trailing_basis,
        "trailing_level": trailing_level,
        "min_holding": leave.min_holding,
        "max_holding": leave.max_holding or 0,
        "calendar_days": leave.holding_unit is HoldingUnit.CALENDAR_DAYS,
        "min_blocks_triggers": leave.min_holding_blocks_stops,
        "rank_below": leave.rank_below or 0,
        "when_entry_fails": leave.when_entry_fails,
        "reentry_wait": leave.reentry_wait_sessions,
        "target_mode": strategy.rebalancing.mode == "target",
        "market_action": actions[market_filter.action if market_filter else None],
        "clean_up": CLEAN_UP_SESSIONS,
        "sizing": codes.SIZING_CODES[sizing.method.value],
        "max_holdings": sizing.max_holdings,
        "amount": min(sizing.amount_krw * unit, ENDLESS),
        "max_position": min((sizing.max_position_krw or 0) * unit, ENDLESS),
        "max_new": sizing.max_new_per_session or 0,
        "base_initial": sizing.base == "initial",
        "has_sectors": sizing.max_sector_weight < 1.0,
        "participation": _ppb(execution.participation),
        "weight": _ppb(sizing.weight),
        "max_weight": _ppb(sizing.max_weight),
        "max_sector_weight": _ppb(sizing.max_sector_weight),
        "cash_buffer": _ppb(sizing.cash_buffer),
        "drift_band": _ppb(strategy.rebalancing.drift_band),
        "score_sign": score_sign,
    }
    for name, value in values.items():
        rules[0][name] = value
    return rules
