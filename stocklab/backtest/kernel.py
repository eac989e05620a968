"""The session clock: one compiled function that walks the sessions of a run.

Each session: share changes and delistings, opening orders, inside the session (limit orders, triggers, VWAP), closing
orders, mark to market, decisions for the next session. Sales go before purchases in every phase, but what they bring
is spendable only in a later phase. An unsafe market also skips the rebalancings that fall into it; the book is built
again at the next one.
"""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from stocklab.backtest import (
    actions,
    claims,
    codes,
    entries,
    exits,
    fills,
    limits,
    money,
    orders,
    quotes,
    select,
    sizing,
)
from stocklab.backtest.actions import apply_events, settle_delistings
from stocklab.backtest.claims import entitle_dividends, settle_claims
from stocklab.backtest.compiled import part, stamp
from stocklab.backtest.entries import cancel_orders, continue_waiting, decide_entries, rebalance
from stocklab.backtest.exits import decide_exits, mark_to_market, run_triggers
from stocklab.backtest.layout import Records
from stocklab.backtest.money import cost_of
from stocklab.backtest.orders import end_session, meet_market
from stocklab.backtest.quotes import load_quotes
from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["KERNEL_STAMP", "walk"]

KERNEL_STAMP = stamp((actions, claims, codes, entries, exits, fills, limits, money, orders, quotes, select, sizing))
"""Changes with the code of every part; see `stocklab.backtest.compiled`."""


@part
def _full(
    book: Records,
    max_holdings: int,
    order_rows: Records,
    active: IntArray,
    trades: Records,
    held: Records,
    share_changes: Records,
    quote_rows: Records,
    claim_rows: Records,
) -> bool:
    """Whether one more session might not fit the records."""
    room = 4 * max_holdings + 16  # layout.room_per_session
    state = book[0]
    return (  # type: ignore[no-any-return]
        state.n_orders + room > order_rows.shape[0]
        or state.n_active + room > active.shape[0]
        or state.n_trades + state.n_active + room > trades.shape[0]
        or state.n_held + room > held.shape[0]
        or state.n_actions + state.n_claims + room > share_changes.shape[0]
        or state.n_claims + room > claim_rows.shape[0]
        or state.n_active + room > quote_rows.shape[0]
    )


@part
def _meet_phases(
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
    day_numbers: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Opening auction, inside the session, closing auction: sales first in each, limit sales after the triggers, so
    that a stop wins. The closing auction may spend what was sold before it."""
    for step in range(7):
        if step == 0:
            phase, side, mode = codes.PHASE_OPEN, codes.SELL, -1
        elif step == 1:
            phase, side, mode = codes.PHASE_OPEN, codes.BUY, -1
        elif step == 2:
            phase, side, mode = codes.PHASE_INTRADAY, codes.BUY, codes.MODE_LIMIT
        elif step == 3:
            run_triggers(
                rules, book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, t, day_numbers,
                tick_from, tick_step,
            )  # fmt: skip
            phase, side, mode = codes.PHASE_INTRADAY, codes.SELL, -1
        elif step == 4:
            phase, side, mode = codes.PHASE_INTRADAY, codes.BUY, codes.MODE_VWAP
        elif step == 5:
            book[0].unusable = 0
            phase, side, mode = codes.PHASE_CLOSE, codes.SELL, -1
        else:
            phase, side, mode = codes.PHASE_CLOSE, codes.BUY, -1
        if book[0].n_active > 0:
            meet_market(
                rules, book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, quote_of, t, phase,
                side, mode, tick_from, tick_step,
            )  # fmt: skip
    book[0].unusable = 0


def _build(kernel_stamp: int) -> Callable[..., int]:
    @njit(nogil=True, cache=True)
    def walk(
        start: int,
        stop: int,
        # bars, (n_sessions of the panel, n_symbols)
        opens: AnyArray,
        highs: AnyArray,
        lows: AnyArray,
        closes: AnyArray,
        volumes: AnyArray,
        traded: AnyArray,
        listed: AnyArray,
        markets: AnyArray,
        bases: AnyArray,
        # symbols
        etf: AnyArray,
        sectors: IntArray,
        delist_on: IntArray,
        pays_last_close: AnyArray,
        # sessions of the run, and the dated tables
        day_numbers: IntArray,
        percents: IntArray,
        taxes: IntArray,
        regimes: IntArray,
        tick_from: IntArray,
        tick_step: IntArray,
        least_orders: IntArray,
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
        # the plan
        rules: Records,
        unsafe: AnyArray,
        schedule: AnyArray,
        listed_symbols: IntArray,
        written: IntArray,
        totals: IntArray,
        universe: AnyArray,
        entry: AnyArray,
        score: AnyArray,
        weights: AnyArray,
        keep: int,
        keep_count: int,
        exit_code: AnyArray,
        entry_ok: AnyArray,
        ranks: AnyArray,
        # the state
        book: Records,
        positions: Records,
        slot_of: IntArray,
        sold_on: IntArray,
        quote_rows: Records,
        quote_of: IntArray,
        order_rows: Records,
        active: IntArray,
        trades: Records,
        held: Records,
        share_changes: Records,
        days: Records,
        waiting: Records,
        claim_rows: Records,
        # scratch
        values: FloatArray,
        symbols: IntArray,
        chosen: IntArray,
        amounts: IntArray,
        marks: IntArray,
    ) -> int:
        """Walk sessions [start, stop) of the panel; the session reached, before ``stop`` where the records are full, or
        where money left what 64 bits count (``book.beyond_at``)."""
        if kernel_stamp < 0:  # never: the stamp is read so that it is part of the cache key
            return -1
        for t in range(start, stop):
            if _full(
                book, rules[0].max_holdings, order_rows, active, trades, held, share_changes, quote_rows, claim_rows
            ):
                return t
            r = t - book[0].first_session
            final = t == book[0].final_session
            book[0].least_order = least_orders[r]
            traded_too = book[0].only_decide == 0
            if traded_too and book[0].n_claims > 0:
                settle_claims(
                    book, positions, slot_of, order_rows, active, claim_rows, share_changes, withheld, t
                )  # fmt: skip
            load_quotes(
                rules, book, positions, order_rows, active, quote_rows, quote_of, t, opens, highs, lows, closes,
                volumes, traded, listed, markets, bases, etf, percents, taxes, regimes, exit_code, entry_ok, ranks,
                event_from[r + 1] > event_from[r],
            )  # fmt: skip
            if traded_too:
                if dividend_from[r + 1] > dividend_from[r]:
                    entitle_dividends(
                        book, positions, slot_of, claim_rows, t, dividend_from, dividend_symbol, dividend_units,
                        dividend_paid,
                    )  # fmt: skip
                apply_events(
                    rules, book, positions, slot_of, sold_on, order_rows, active, quote_rows, quote_of, waiting,
                    share_changes, claim_rows, t, event_from, event_symbol, event_new, event_old, event_kind,
                    event_until, tick_from, tick_step,
                )  # fmt: skip
                settle_delistings(
                    book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, traded, listed,
                    delist_on, pays_last_close, rules[0].clean_up, t,
                )  # fmt: skip
                _meet_phases(
                    rules, book, positions, slot_of, sold_on, order_rows, active, trades, quote_rows, quote_of, t,
                    day_numbers, tick_from, tick_step,
                )  # fmt: skip
                end_session(book, positions, slot_of, order_rows, active, t, final)
            mark_to_market(rules, book, positions, quote_rows, held, days, t)
            if book[0].beyond_at > 0:
                return t
            book[0].reserve = cost_of(book[0].equity, rules[0].cash_buffer)
            if final:
                continue
            book[0].least_order = least_orders[r + 1]
            due = rules[0].target_mode == 1 and schedule[r] == 1 and not unsafe[r]
            if unsafe[r]:
                cancel_orders(book, positions, slot_of, order_rows, active, True)
            elif due:
                cancel_orders(book, positions, slot_of, order_rows, active, False)
            decide_exits(
                rules, book, positions, slot_of, quote_rows, order_rows, active, t, unsafe[r] == 1, day_numbers,
                regimes, tick_from, tick_step,
            )  # fmt: skip
            if unsafe[r]:
                continue
            if due:
                rebalance(
                    rules, book, positions, slot_of, sold_on, order_rows, active, quote_rows, waiting, t, day_numbers,
                    closes, traded, markets, etf, sectors, regimes, tick_from, tick_step, listed_symbols, written,
                    totals, universe, entry, score, weights, keep, keep_count, values, symbols, chosen, amounts, marks,
                )  # fmt: skip
            if rules[0].target_mode == 1:
                continue_waiting(
                    rules, book, positions, slot_of, sold_on, order_rows, active, waiting, t, closes, traded, markets,
                    etf, regimes, tick_from, tick_step,
                )  # fmt: skip
            else:
                decide_entries(
                    rules, book, positions, slot_of, sold_on, order_rows, active, t, closes, traded, markets, etf,
                    sectors, regimes, tick_from, tick_step, listed_symbols, written, totals, universe, entry, score,
                    weights, keep, keep_count, values, symbols,
                )  # fmt: skip
        return stop

    compiled: Callable[..., int] = walk
    return compiled


walk: Callable[..., Any] = _build(KERNEL_STAMP)
