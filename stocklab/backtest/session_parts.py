"""The kernel's session in two halves, for sessions whose orders were filled elsewhere: before the open, and its end."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

from stocklab.backtest.actions import apply_events, settle_delistings
from stocklab.backtest.claims import entitle_dividends, settle_claims
from stocklab.backtest.kernel import KERNEL_STAMP
from stocklab.backtest.layout import Records
from stocklab.backtest.orders import end_session, judge_rests
from stocklab.backtest.quotes import load_quotes
from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["begin", "finish"]


def _build_begin(kernel_stamp: int) -> Callable[..., None]:
    @njit(nogil=True, cache=True)
    def begin(
        t: int,
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
        sectors: IntArray,
        delist_on: IntArray,
        pays_last_close: AnyArray,
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
        rules: Records,
        no_bytes: AnyArray,
        no_floats: FloatArray,
        book: Records,
        positions: Records,
        slot_of: IntArray,
        sold_on: IntArray,
        quotes: Records,
        quote_of: IntArray,
        orders: Records,
        active: IntArray,
        trades: Records,
        share_changes: Records,
        waiting: Records,
        claims: Records,
    ) -> None:
        """What `walk` does before the open of session ``t``: claims, quotes, dividends, share changes, delistings."""
        if kernel_stamp < 0:  # never: the stamp is read so that it is part of the cache key
            return
        r = t - book[0].first_session
        book[0].least_order = least_orders[r]
        if book[0].n_claims > 0:
            settle_claims(book, positions, slot_of, orders, active, claims, share_changes, withheld, t)
        load_quotes(
            rules, book, positions, orders, active, quotes, quote_of, t, opens, highs, lows, closes, volumes, traded,
            listed, markets, bases, etf, percents, taxes, regimes, no_bytes, no_bytes, no_floats, True,
        )  # fmt: skip
        entitle_dividends(
            book, positions, slot_of, claims, t, dividend_from, dividend_symbol, dividend_units, dividend_paid
        )
        apply_events(
            rules, book, positions, slot_of, sold_on, orders, active, quotes, quote_of, waiting, share_changes, claims,
            t, event_from, event_symbol, event_new, event_old, event_kind, event_until, tick_from, tick_step,
        )  # fmt: skip
        settle_delistings(
            book, positions, slot_of, sold_on, orders, active, trades, quotes, traded, listed, delist_on,
            pays_last_close, rules[0].clean_up, t,
        )  # fmt: skip

    compiled: Callable[..., None] = begin
    return compiled


def _build_finish(kernel_stamp: int) -> Callable[..., None]:
    @njit(nogil=True, cache=True)
    def finish(
        t: int,
        rules: Records,
        book: Records,
        positions: Records,
        slot_of: IntArray,
        orders: Records,
        active: IntArray,
        quotes: Records,
        quote_of: IntArray,
        tick_from: IntArray,
        tick_step: IntArray,
    ) -> None:
        """The end of session ``t``: why rests were not filled, and which of them stay."""
        if kernel_stamp < 0:  # never, as in `begin`
            return
        judge_rests(
            rules, positions, slot_of, orders, active, book[0].n_active, quotes, quote_of, t, tick_from, tick_step
        )
        end_session(book, positions, slot_of, orders, active, t, False)

    compiled: Callable[..., None] = finish
    return compiled


begin: Callable[..., Any] = _build_begin(KERNEL_STAMP)
finish: Callable[..., Any] = _build_finish(KERNEL_STAMP)
