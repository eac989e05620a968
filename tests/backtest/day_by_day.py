"""A backtest told again as a live sleeve would live it: decide, take the backtest's fills, settle, and so on.

Every decision is compared with the kernel's own records of that close, and every book with the kernel's state.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stocklab.backtest import Fill, Fired, OrderSide, RunRequest, SleeveBook, decide, settle
from stocklab.backtest.codes import BONUS, CAUSE_NAMES, REASON_NAMES, SIDE_NAMES, STATUS_NAMES
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan, build_plan
from stocklab.backtest.walking import run_kernel
from stocklab.factors import DirectSource, FormulaSource, Wanted
from stocklab.market.panel import Panel
from stocklab.types import AnyArray, BoolArray

NEVER, NO_LIMIT = 1 << 40, -1
MODES = ("open", "close", "limit", "vwap", "trigger")
TRIGGERS = ("target", "stop", "trailing")
OF_THE_BROKER = {"cash", "max_holdings", "participation"}
"""Reasons of a rest that the bars alone do not tell apart."""


class Differs(AssertionError):
    """A decision or a book that is not the backtest's."""


@dataclass
class Remembered:
    """A source that computes each set of formulas once."""

    source: FormulaSource
    known: dict[Any, tuple[AnyArray, ...]] = field(default_factory=dict)

    @property
    def panel(self) -> Panel:
        return self.source.panel

    def compute(self, wanted: Any, universe: BoolArray | None = None) -> tuple[AnyArray, ...]:
        key = (tuple((item.formula, item.kind) for item in wanted), universe is None or universe.tobytes())
        if key not in self.known:
            self.known[key] = self.source.compute([Wanted(*one) for one in key[0]], universe)
        return self.known[key]


@dataclass
class Close:
    """The kernel's state after the decisions of a close, copied."""

    cash: int
    equity: int
    orders: AnyArray
    positions: AnyArray
    waiting: AnyArray
    waiting_until: int
    sold_on: AnyArray
    claims: AnyArray


@dataclass
class Backtest:
    """A run with a copy of its state at every close."""

    panel: Panel
    request: RunRequest
    source: FormulaSource
    plan: Plan
    closes: dict[int, Close]
    final: State

    @classmethod
    def of(cls, panel: Panel, request: RunRequest, source: FormulaSource) -> Backtest:
        remembered = Remembered(source)
        plan = build_plan(panel, request, remembered)
        closes: dict[int, Close] = {}

        def keep(session: int, state: State) -> None:
            book = state.book[0]
            closes[session] = Close(
                cash=int(book.cash),
                equity=int(book.equity),
                orders=state.orders[: book.n_orders].copy(),
                positions=state.positions[: book.n_positions].copy(),
                waiting=state.waiting[: book.n_waiting].copy(),
                waiting_until=int(book.waiting_until),
                sold_on=state.sold_on.copy(),
                claims=state.claims[: book.n_claims].copy(),
            )

        final = run_kernel(panel, request, plan, pauses=range(plan.first, plan.last - 1), on_pause=keep)
        return cls(panel=panel, request=request, source=remembered, plan=plan, closes=closes, final=final)


def follow(
    run: Backtest,
    *,
    most: int = 10_000,
    as_of_the_day: bool = False,
    tamper: Callable[[SleeveBook], SleeveBook] | None = None,
    first_always: bool | None = None,
) -> Counter[str]:
    """Live the run's first ``most`` sessions day by day; what was seen, counted.

    ``as_of_the_day``: every panel ends with the session it is asked about, as a live one does. ``tamper`` changes every
    book before it is decided on, and ``first_always`` is what `decide` is told instead of the truth about the first
    decision; decisions alone are compared then.

    Raises
    ------
    Differs
        Something is not as in the backtest.
    """
    panel, request, seen = run.panel, run.request, Counter[str]()
    first = run.plan.first
    plain = tamper is None and first_always is None
    book = SleeveBook.opened(panel.sessions[first].item(), request.initial_cash_krw, unit=panel.unit)
    for t in range(first, min(run.plan.last - 2, first + most)):
        book = SleeveBook.from_document(json.loads(json.dumps(book.to_document())))
        book = book if tamper is None else tamper(book)
        seen_panel = until(panel, t) if as_of_the_day else panel
        made = decide(
            seen_panel,
            request.strategy,
            DirectSource(seen_panel, threads=1) if as_of_the_day else run.source,
            book=book,
            next_session=panel.sessions[t + 1].item(),
            first_decision=t == first if first_always is None else first_always,
        )
        require_same_decision(run, t, book, made, seen)
        seen_panel = until(panel, t + 1) if as_of_the_day else panel
        told = happened(run, t, made.book, seen)
        settled = settle(seen_panel, request.strategy, made.book, made.next_session, told)
        if plain:
            require_same_book(run, t, made.book)
            require_same_endings(run, t, settled, seen)
        book = settled.book
        seen["sessions"] += 1
    return seen


def until(panel: Panel, t: int) -> Panel:
    """The panel as it ended with session ``t``."""
    stop = t + 1
    return replace(
        panel,
        sessions=panel.sessions[:stop],
        fields={name: np.ascontiguousarray(values[:stop]) for name, values in panel.fields.items()},
        by_symbol={},
        indices={name: values[:stop] for name, values in panel.indices.items()},
        series={name: values[:stop] for name, values in panel.series.items()},
        rf=panel.rf[:stop],
        entitlements=panel.entitlements.between(0, stop),
        key=f"{panel.key}-{t}",
    )


def order_row(run: Backtest, t: int, order: AnyArray) -> tuple[Any, ...]:
    """An order of the kernel's records, in words."""
    expires = None if order.expires == NEVER else int(order.expires) - t
    return (
        run.panel.symbols[order.symbol],
        SIDE_NAMES[order.side],
        MODES[order.mode],
        int(order.ordered),
        int(order.filled),
        None if order.limit == NO_LIMIT else int(order.limit),
        CAUSE_NAMES[order.cause],
        int(order.rule),
        run.panel.sessions[order.decided].item(),
        expires,
        bool(order.full_exit),
        int(order.reserved),
    )


def sleeve_row(order: Any) -> tuple[Any, ...]:
    """An order of a book, in the same words."""
    return (
        order.symbol,
        order.side.value,
        order.mode.value,
        order.shares,
        order.filled,
        order.limit,
        order.cause,
        order.rule,
        order.decided,
        order.lives,
        order.full_exit,
        order.reserved,
    )


def require(what: str, run: Backtest, t: int, found: object, expected: object) -> None:
    if found != expected:
        day = run.panel.sessions[t]
        raise Differs(f"{what} at {day} (session {t}):\n  live      {found}\n  backtest  {expected}")


def require_same_decision(run: Backtest, t: int, book: SleeveBook, made: Any, seen: Counter[str]) -> None:
    """Orders, refusals, cancellations, waiting lots, market filter, rebalancing, candidates, equity."""
    close, r = run.closes[t], t - run.plan.first
    new = close.orders[book.next_number - 1 :]
    sent = [order_row(run, t, order) for order in new if STATUS_NAMES[order.status] == "open"]
    refused = [
        (*order_row(run, t, order), REASON_NAMES[order.reason]) for order in new if STATUS_NAMES[order.status] != "open"
    ]
    require("orders", run, t, [sleeve_row(order) for order in made.orders], sent)
    require("refused", run, t, [(*sleeve_row(order), order.reason) for order in made.refused], refused)
    cancelled = {order.number for order in book.orders if STATUS_NAMES[close.orders[order.number - 1].status] != "open"}
    require("cancelled", run, t, {order.number for order in made.cancelled}, cancelled)
    require("unsafe", run, t, made.unsafe, bool(run.plan.unsafe[r]))
    require("rebalancing", run, t, made.rebalancing, bool(run.plan.schedule[r]) and not made.unsafe)
    require("equity", run, t, made.equity, close.equity)
    if run.request.strategy.rebalancing.mode == "signal" or run.plan.schedule[r]:
        listed = run.plan.candidates.symbols[r, : run.plan.candidates.written[r]][:20]
        symbols = [run.panel.symbols[symbol] for symbol in listed]
        require("candidates", run, t, [one.symbol for one in made.candidates], symbols)
        require("their number", run, t, made.counts.candidates, int(run.plan.candidates.totals[r]))
    require("document", run, t, type(made).from_document(json.loads(json.dumps(made.to_document()))), made)
    seen["orders"] += len(sent)
    seen["carried"] += len(made.kept)
    seen["waiting"] += len(made.book.waiting)
    seen["unsafe"] += made.unsafe
    seen["rebalancing"] += made.rebalancing
    seen["cancelled"] += len(cancelled)
    seen.update(f"refused {order.reason}" for order in made.refused)
    seen.update(f"{order.side} {order.cause} {order.mode}" for order in made.orders)


def require_same_book(run: Backtest, t: int, book: SleeveBook) -> None:
    """Cash, holdings, live orders, waiting lots, dates of sales and claims."""
    close, sessions, names = run.closes[t], run.panel.sessions, run.panel.symbols
    require("cash", run, t, book.cash, close.cash)
    held = [
        (
            names[position.symbol],
            int(position.shares),
            sessions[position.entry_session].item(),
            float(position.average),
            float(position.high),
            int(position.last_close),
            int(position.unlisted),
            CAUSE_NAMES[position.leaving - 1] if position.leaving else "",
            int(position.refused),
        )
        for position in close.positions
    ]
    found = [
        (
            one.symbol,
            one.shares,
            one.entered,
            one.average,
            one.high,
            one.last_close,
            one.unlisted,
            one.leaving,
            one.refused,
        )
        for one in book.positions
    ]
    require("positions", run, t, found, held)
    alive = [
        (row + 1, *order_row(run, t, order))
        for row, order in enumerate(close.orders)
        if STATUS_NAMES[order.status] == "open"
    ]
    require("live orders", run, t, [(one.number, *sleeve_row(one)) for one in book.orders], alive)
    lots = [(names[lot.symbol], int(lot.shares), int(lot.amount), sessions[lot.since].item()) for lot in close.waiting]
    require("waiting", run, t, [(lot.symbol, lot.shares, lot.amount, lot.since) for lot in book.waiting], lots)
    if lots:
        require("waiting closes", run, t, book.waiting_closes, close.waiting_until - t)
    sold = {names[symbol]: sessions[close.sold_on[symbol]].item() for symbol in np.flatnonzero(close.sold_on >= 0)}
    require("sold on", run, t, dict(book.sold_on), sold)
    require("claims", run, t, [one.shares for one in book.claims], close.claims["shares"].tolist())


def happened(run: Backtest, t: int, book: SleeveBook, seen: Counter[str]) -> list[Fill | Fired]:
    """What the backtest's records say of the session after ``t``, in the order of time."""
    panel, after = run.panel, run.closes[t + 1]
    trades = run.final.trades[: run.final.book[0].n_trades]
    trades = trades[(trades["session"] == t + 1) & (trades["cause"] != CAUSE_NAMES.index("delisting"))]
    rows = range(book.next_number - 1, len(after.orders))
    ahead = [row for row in rows if _fired(run, t, after.orders[row])]
    found: list[Fill | Fired] = []

    def announce(until: int) -> None:
        while ahead and ahead[0] <= until:
            order = after.orders[ahead.pop(0)]
            refused = REASON_NAMES[order.reason] == "minimum_order"
            cause = CAUSE_NAMES[order.cause]
            seen[f"fired {cause}{' refused' if refused else ''}"] += 1
            name = panel.symbols[order.symbol]
            found.append(Fired(symbol=name, cause=cause, shares=int(order.ordered), refused=refused))

    for trade in trades:
        announce(int(trade.order))
        costs = int(trade.commission + trade.tax + trade.slippage)
        buying = SIDE_NAMES[trade.side] == "buy"
        found.append(
            Fill(
                symbol=panel.symbols[trade.symbol],
                side=OrderSide.BUY if buying else OrderSide.SELL,
                shares=int(trade.shares),
                price=float(trade.price),
                cash=(-int(trade.amount) if buying else int(trade.amount)) - costs,
                order=int(trade.order) + 1,
            )
        )
        seen["fills"] += 1
    announce(NEVER)
    return found


def _fired(run: Backtest, t: int, order: AnyArray) -> bool:
    """Whether an order of session t + 1 is a trigger's, not one of bonus shares that list, nor of the close after."""
    if CAUSE_NAMES[order.cause] not in TRIGGERS or order.decided != t:
        return False
    claims = run.closes[t].claims
    lists = (claims["kind"] == BONUS) & (claims["symbol"] == order.symbol) & (claims["due"] <= t + 1)
    return not lists.any()


def require_same_endings(run: Backtest, t: int, settled: Any, seen: Counter[str]) -> None:
    """Status and reason of every order that ended in session t + 1."""
    orders = run.closes[t + 1].orders
    for one in settled.ended:
        record = orders[one.order.number - 1]
        status, reason = STATUS_NAMES[record.status], REASON_NAMES[record.reason]
        require(f"ending of order {one.order.number}", run, t + 1, one.status, status)
        fired = one.order.mode == "trigger"  # why its rest was not filled is not told to `settle`
        if reason not in OF_THE_BROKER and not fired:
            require(f"reason of order {one.order.number}", run, t + 1, one.order.reason, reason)
        seen[f"ended {status} {reason}"] += 1
