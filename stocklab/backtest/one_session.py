"""One session of the simulator for a book and orders that are given from outside: its corporate actions and its fills.

The same parts as the kernel's, without what decides: no triggers, no exits, no entries. The paper broker stands on it,
so that its fills are the simulator's own. ``reserved`` of an order says what of the session it may meet (`WHOLE`,
`AUCTION_ALONE`, `LATE`), ``rule`` the money of a purchase by money in units, 0 for none.
"""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit

from stocklab.backtest import actions, claims, codes, fills, limits, money, orders, quotes
from stocklab.backtest.actions import apply_events, settle_delistings
from stocklab.backtest.claims import entitle_dividends, settle_claims
from stocklab.backtest.compiled import part, stamp
from stocklab.backtest.fills import close_order
from stocklab.backtest.ground import Ground, ground_of
from stocklab.backtest.layout import RULES, Record, Records, State, new_state, records
from stocklab.backtest.money import quantity_for, slipped_buy
from stocklab.backtest.orders import meet_market
from stocklab.backtest.quotes import load_quotes
from stocklab.market.panel import Panel
from stocklab.types import AnyArray, IntArray

__all__ = ["AUCTION_ALONE", "LATE", "SESSION_STAMP", "WHOLE", "compile_session", "meet_session", "open_session"]

WHOLE: Final = 0
"""It may meet the whole session, as far as its mode goes."""

AUCTION_ALONE: Final = 1
"""Cancelled inside the session, so that it met the opening auction and nothing after."""

LATE: Final = 2
"""A limit order that came inside the session: the day's low and high may be from before, so it is filled only where the
close lies beyond its limit."""

SESSION_STAMP = stamp((actions, claims, codes, fills, limits, money, orders, quotes))
"""Changes with the code of every part; see `stocklab.backtest.compiled`."""


@part
def _name_quantity(
    rules: Records, order: Record, quote: Record, total: int, count: int, tick_from: IntArray, tick_step: IntArray
) -> None:
    """What a purchase by money asks for: as much as its price lets the money be worth."""
    price = slipped_buy(rules, total, count, quote.regime, tick_from, tick_step)
    price = min(max(price, quote.low), quote.high)
    order.ordered = quantity_for(order.rule, price, rules[0].unit)


@part
def _fit(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    order_rows: Records,
    active: IntArray,
    quote_rows: Records,
    quote_of: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Before the session: quantities of purchases by money; late orders stand aside, and so do those limit orders at
    the closing auction that its price does not pass."""
    for i in range(book[0].n_active):
        order = order_rows[active[i]]
        if order.status != codes.OPEN or order.filled == order.ordered:
            continue
        quote = quote_rows[quote_of[order.symbol]]
        if order.rule > 0 and quote.known == 1:
            if order.mode == codes.MODE_VWAP:
                total = quote.open + quote.high + quote.low + quote.close
                _name_quantity(rules, order, quote, total, 4, tick_from, tick_step)
            else:
                price = quote.open if order.mode == codes.MODE_OPEN else quote.close
                _name_quantity(rules, order, quote, price, 1, tick_from, tick_step)
            if order.ordered == 0:
                close_order(positions, slot_of, order_rows, active[i], codes.UNFILLED, codes.MINIMUM_ORDER)
        beyond_limit = quote.close < order.limit if order.side == codes.BUY else quote.close > order.limit
        if order.reserved == LATE or (order.mode == codes.MODE_CLOSE and order.limit != codes.NO_LIMIT):
            if not beyond_limit:
                close_order(positions, slot_of, order_rows, active[i], codes.UNFILLED, codes.NOT_REACHED)
            elif order.reserved == LATE:
                order.mode = codes.MODE_TRIGGER  # no phase takes it


@part
def _after_the_open(
    book: Records, positions: Records, slot_of: IntArray, order_rows: Records, active: IntArray
) -> None:
    """Late orders join; those that were cancelled inside the session leave."""
    for i in range(book[0].n_active):
        order = order_rows[active[i]]
        if order.status != codes.OPEN:
            continue
        if order.reserved == AUCTION_ALONE:
            close_order(positions, slot_of, order_rows, active[i], codes.CANCELLED, order.reason)
        elif order.reserved == LATE:
            order.mode = codes.MODE_LIMIT
            # "not filled at the open, whatever the open was": the rule of orders that found it locked
            order.reason = codes.LIMIT_UP if order.side == codes.BUY else codes.LIMIT_DOWN


@part
def _meet(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    order_rows: Records,
    active: IntArray,
    trades: Records,
    quote_rows: Records,
    quote_of: IntArray,
    t: int,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """The kernel's phases in the kernel's order, without triggers."""
    for step in range(7):
        phase, side, mode = codes.PHASE_OPEN, codes.SELL, -1
        if step == 1:
            side = codes.BUY
        elif step == 2:
            _after_the_open(book, positions, slot_of, order_rows, active)
            phase, side, mode = codes.PHASE_INTRADAY, codes.BUY, codes.MODE_LIMIT
        elif step == 3:
            phase = codes.PHASE_INTRADAY
        elif step == 4:
            phase, side, mode = codes.PHASE_INTRADAY, codes.BUY, codes.MODE_VWAP
        elif step == 5:
            book[0].unusable = 0
            phase = codes.PHASE_CLOSE
        elif step == 6:
            phase, side = codes.PHASE_CLOSE, codes.BUY
        meet_market(
            rules, book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, quote_of, t, phase,
            side, mode, tick_from, tick_step,
        )  # fmt: skip
    book[0].unusable = 0


@part
def _scale_bases(
    rules: Records,
    quote_rows: Records,
    quote_of: IntArray,
    event_symbol: IntArray,
    event_new: IntArray,
    event_old: IntArray,
    event_kind: IntArray,
) -> None:
    """Where no base price is published, limits count from the close before, scaled, as `apply_events` has it."""
    if rules[0].raw_basis == 0:
        return
    for e in range(event_symbol.shape[0]):
        if event_kind[e] != codes.RIGHTS and quote_of[event_symbol[e]] >= 0:
            quote = quote_rows[quote_of[event_symbol[e]]]
            if quote.published_krw == 0:
                quote.base_krw = quote.base_krw * event_old[e] // event_new[e]


def _build(kernel_stamp: int) -> Callable[..., None]:
    @njit(nogil=True, cache=True)
    def meet(
        t: int,
        opening: bool,
        opens: AnyArray,
        highs: AnyArray,
        lows: AnyArray,
        closes: AnyArray,
        volumes: AnyArray,
        traded: AnyArray,
        listed: AnyArray,
        markets: AnyArray,
        bases: AnyArray,
        etf: AnyArray,
        delist_on: IntArray,
        pays_last_close: AnyArray,
        percents: IntArray,
        taxes: IntArray,
        regimes: IntArray,
        tick_from: IntArray,
        tick_step: IntArray,
        event_from: IntArray,
        event_symbol: IntArray,
        event_new: IntArray,
        event_old: IntArray,
        event_kind: IntArray,
        event_until: IntArray,
        dividend_from: IntArray,
        dividend_symbol: IntArray,
        dividend_units: IntArray,
        dividend_paid: IntArray,
        withheld: IntArray,
        no_codes: AnyArray,
        no_ranks: AnyArray,
        rules: Records,
        book: Records,
        positions: Records,
        slot_of: IntArray,
        sold_on: IntArray,
        quote_rows: Records,
        quote_of: IntArray,
        order_rows: Records,
        active: IntArray,
        trades: Records,
        share_changes: Records,
        waiting: Records,
        claim_rows: Records,
    ) -> None:
        if kernel_stamp < 0:  # never: the stamp is read so that it is part of the cache key
            return
        if opening:
            settle_claims(book, positions, slot_of, order_rows, active, claim_rows, share_changes, withheld, t)
        load_quotes(
            rules, book, positions, order_rows, active, quote_rows, quote_of, t, opens, highs, lows, closes, volumes,
            traded, listed, markets, bases, etf, percents, taxes, regimes, no_codes, no_codes, no_ranks, True,
        )  # fmt: skip
        if opening:
            entitle_dividends(
                book, positions, slot_of, claim_rows, t, dividend_from, dividend_symbol, dividend_units, dividend_paid
            )
            apply_events(
                rules, book, positions, slot_of, sold_on, order_rows, active, quote_rows, quote_of, waiting,
                share_changes, claim_rows, t, event_from, event_symbol, event_new, event_old, event_kind, event_until,
                tick_from, tick_step,
            )  # fmt: skip
            settle_delistings(
                book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, traded, listed, delist_on,
                pays_last_close, rules[0].clean_up, t,
            )  # fmt: skip
            return
        _scale_bases(rules, quote_rows, quote_of, event_symbol, event_new, event_old, event_kind)
        _fit(rules, book, positions, slot_of, order_rows, active, quote_rows, quote_of, tick_from, tick_step)
        _meet(
            rules, book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, quote_of, t, tick_from,
            tick_step,
        )  # fmt: skip

    compiled: Callable[..., None] = meet
    return compiled


_meet_compiled: Callable[..., Any] = _build(SESSION_STAMP)

_NO_CODES: Final = np.zeros((0, 0), dtype=np.uint8)
_NO_RANKS: Final = np.zeros((0, 0), dtype=np.float64)


def open_session(ground: Ground, rules: Records, state: State) -> None:
    """Before the open of session ``ground.first``: what is due, corporate actions, delistings. ``state`` holds no
    orders and is changed.

    The caller makes room in the records: an order, a place among the active and a trade for each position, an action
    for each position, claim and event, a claim for each dividend and event.
    """
    _call(ground, rules, state, opening=True)


def meet_session(ground: Ground, rules: Records, state: State) -> None:
    """Session ``ground.first`` for the positions and live orders of ``state``, which it changes; after `open_session`.
    There is room for two trades of each order, and for a position of each."""
    _call(ground, rules, state, opening=False)


def compile_session(panel: Panel) -> None:
    """Make the machine code for panels of this kind, by the last session of an empty book."""
    rules, state = records(RULES, 1), new_state(n_sessions=1, n_symbols=panel.n_symbols, max_holdings=1, initial_cash=0)
    rules[0].unit = panel.unit
    ground = ground_of(panel, panel.n_sessions - 1, panel.n_sessions, "dated")
    state.book[0].first_session = ground.first
    meet_session(ground, rules, state)


def _call(ground: Ground, rules: Records, state: State, *, opening: bool) -> None:
    bars, (base, etf, _, delist_on, pays_last_close, _, percents, taxes, regimes, tick_from, tick_step, _) = (
        ground.market[:8],
        ground.market[8:],
    )
    _meet_compiled(
        ground.first, opening, *bars, base, etf, delist_on, pays_last_close, percents, taxes, regimes, tick_from,
        tick_step, *ground.actions, _NO_CODES, _NO_RANKS, rules, state.book, state.positions, state.slot_of,
        state.sold_on, state.quotes, state.quote_of, state.orders, state.active, state.trades, state.actions,
        state.waiting, state.claims,
    )  # fmt: skip
