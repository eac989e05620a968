"""The session clock: what happens in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from reference_simulator.bars import Bars
from reference_simulator.book import Book, new_book
from reference_simulator.entries import Entries
from reference_simulator.events import apply_events, entitle, settle_claims, settle_delistings
from reference_simulator.exits import Exits
from reference_simulator.market import LEAST_COIN_ORDER, tax_rate
from reference_simulator.prices import Prices
from reference_simulator.signals import Signals
from reference_simulator.sizing import Sizing
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy
from stocklab.strategy.own_factors import expanded

STEPS = (
    ("open", "sell", None),
    ("open", "buy", None),
    ("intraday", "buy", "limit"),
    ("intraday", "triggers", None),
    ("intraday", "sell", None),
    ("intraday", "buy", "vwap_proxy"),
    ("close", "sell", None),
    ("close", "buy", None),
)
"""Phases of a session: (phase, side, only this mode)."""
LIVES_ON = ("halted", "limit_down", "no_price", "not_listed")


@dataclass(frozen=True, kw_only=True)
class Day:
    """The book after a session."""

    session: int
    cash: int
    holdings: int
    equity: int


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One position after a session."""

    session: int
    symbol: int
    shares: int
    close: int


@dataclass(kw_only=True)
class Walk:
    """A finished walk over the sessions of a run."""

    bars: Bars
    book: Book
    strategy: Strategy
    panel: Panel
    signals: Signals
    entries: Entries
    initial_cash: int
    days: list[Day] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    met: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    """(session, order) -> shares filled so far and the reason of the rest, of every order alive at its end."""
    owned: dict[int, dict[int, tuple[int, Fraction, Fraction, int]]] = field(default_factory=dict)
    """Session -> symbol -> (shares, average, highest price, session of the first fill) after its marks."""
    ordered: dict[int, dict[int, int]] = field(default_factory=dict)
    """Session -> symbol -> shares its close ordered to buy, before any later share change."""
    alive: dict[int, set[int]] = field(default_factory=dict)
    """Session -> orders alive after its decisions."""


def walk(panel: Panel, strategy: Strategy, start: date, end: date, initial_cash_krw: int) -> Walk:
    """Run a document over the sessions of [start, end]."""
    strategy = expanded(strategy)
    bars = Bars(panel)
    sessions = [t for t, day in enumerate(bars.days) if start <= day <= end]
    first, last = sessions[0], sessions[-1] + 1
    initial_cash = initial_cash_krw * bars.unit
    book = new_book(initial_cash=initial_cash, strategy=strategy, unit=bars.unit)
    signals, prices = Signals(panel, strategy, bars, first, last), Prices(strategy)
    sizing = Sizing(strategy, book, bars, prices, signals, initial_cash)
    exits = Exits(strategy, book, bars, prices, signals)
    entries = Entries(strategy, book, bars, signals, sizing, exits, most_tax(book, bars, sessions))
    result = Walk(
        bars=bars,
        book=book,
        strategy=strategy,
        panel=panel,
        signals=signals,
        entries=entries,
        initial_cash=initial_cash,
    )
    for t in sessions:
        final = t == last - 1
        book.least_order = LEAST_COIN_ORDER if bars.coins else 0
        settle_claims(book, bars, t)
        entitle(book, bars, t)
        apply_events(book, bars, entries.waiting, t)
        settle_delistings(book, bars, t)
        for phase, side, mode in STEPS:
            if phase == "close" and side == "sell":
                book.blocked = 0  # the closing auction may spend what was sold before it
            if side == "triggers":
                exits.run_triggers(t)
            else:
                meet_market(book, bars, prices, t, phase, side, mode)
        book.blocked = 0
        result.met.update({(t, order.number): (order.filled, order.reason) for order in book.live()})
        end_session(book, t, final=final)
        mark_to_market(result, exits, t)
        result.owned[t] = {p.symbol: (p.shares, p.average, p.high, p.entered) for p in book.positions}
        book.reserve = int(book.equity * sizing.buffer)
        if not final:
            decide(strategy, book, signals, exits, entries, t)
        result.ordered[t] = {o.symbol: o.ordered for o in book.orders if o.decided == t and o.side == "buy"}
        result.alive[t] = {order.number for order in book.live()}
    return result


def most_tax(book: Book, bars: Bars, sessions: list[int]) -> Fraction:
    """The highest tax of any market in the run."""
    if book.flat_tax is not None:
        return book.flat_tax
    markets = ("UPBIT",) if bars.coins else ("KOSPI", "KOSDAQ", "KONEX")
    return max(tax_rate(market, bars.days[t]) for t in sessions for market in markets)


def meet_market(book: Book, bars: Bars, prices: Prices, t: int, phase: str, side: str, mode: str | None) -> None:
    """Try every live order of one side in this phase, in the order they were decided."""
    for order in book.live():
        if order.status != "open" or order.side != side or (mode is not None and order.mode != mode):
            continue
        if order.left == 0:
            continue
        if side == "sell" and book.position(order.symbol) is None:
            book.close_order(order, "cancelled", "position_closed")
            continue
        order.session = t
        bar = bars.bar(t, order.symbol)
        price = prices.offer(order, bar, phase)
        if price is None:
            continue
        order.reason = ""
        if side == "buy":
            book.buy(order, bar, t, price)
        else:
            book.sell(order, bar, t, price)


def end_session(book: Book, t: int, *, final: bool) -> None:
    """Close what filled or lapsed; the rest lives on."""
    for order in book.live():
        if order.left == 0:
            book.close_order(order, "filled", "")
            continue
        book.noted["met", f"{order.side} {order.reason}"] += 1
        lives_on = t < order.expires or (order.full_exit and order.reason in LIVES_ON)
        if final or not lives_on:
            position = book.position(order.symbol)
            if order.side == "sell" and position is not None:
                position.leaving = None  # a sale that lapsed is decided anew
            book.close_order(order, "partial" if order.filled else "unfilled", order.reason or "end_of_run")
    book.alive = book.live()


def mark_to_market(result: Walk, exits: Exits, t: int) -> None:
    """Value every position at its last known close; move the highs of trailing stops."""
    book, bars = result.book, result.bars
    trailing = exits.rules.trailing
    for position in book.positions:
        bar = bars.bar(t, position.symbol)
        if bar.listed and bar.close > 0:
            position.last_close = bar.close
            whole_day = trailing is not None and trailing.basis == "intraday" and position.entered_late != t
            position.high = max(position.high, Fraction(bar.high if whole_day else bar.close))
        else:
            book.noted["event", "holding valued at its last known close"] += 1
        result.holdings.append(
            Holding(session=t, symbol=position.symbol, shares=position.shares, close=position.last_close)
        )
    holdings = sum(book.amount(position.shares, position.last_close) for position in book.positions)
    book.equity = book.cash + holdings
    result.days.append(Day(session=t, cash=book.cash, holdings=holdings, equity=book.equity))


def decide(strategy: Strategy, book: Book, signals: Signals, exits: Exits, entries: Entries, t: int) -> None:
    """Decisions after the close of ``t``, for the next session."""
    target_mode = strategy.rebalancing.mode == "target"
    unsafe = t in signals.unsafe
    due = target_mode and t in signals.due and not unsafe
    if unsafe or due:
        entries.waiting = []
        for order in book.live():
            if not order.is_stop and (order.side == "buy" or due):
                book.close_order(order, "cancelled", "superseded")
    exits.decide(t, unsafe)
    if unsafe:
        return
    if due:
        entries.rebalance(t)
    if target_mode:
        entries.continue_waiting(t)
    else:
        entries.decide(t)
