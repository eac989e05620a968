"""The book of a close in plain numbers: positions and live orders, as the decisions to buy found them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stocklab.backtest import codes
from stocklab.backtest.layout import Record, State
from stocklab.research.explain.view import Moment

__all__ = ["Book", "Live", "Lot", "Owned", "book_before_buying", "lots_of", "orders_decided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A position. ``pending``: an order to sell it is live; ``unlisted``: bonus shares that cannot be sold yet."""

    symbol: int
    shares: int
    last_close: int
    entered: int
    pending: bool
    unlisted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A live order; ``left`` of its ``ordered`` shares are unfilled."""

    symbol: int
    side: int
    ordered: int
    left: int
    mode: int
    full_exit: bool
    reserved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What a rebalancing still wants to buy of a symbol: shares for an amount, since session ``since``."""

    symbol: int
    shares: int
    amount: int
    since: int


@dataclass(slots=True, kw_only=True)
class Book:
    """Cash, positions by symbol (in the engine's order) and live orders; purchases replayed are appended to ``live``.

    ``reserve`` is the cash buffer; ``sold_on`` maps a symbol to the session in which its last position ended.
    """

    cash: int
    reserve: int
    equity: int
    owned: dict[int, Owned]
    live: list[Live]
    sold_on: dict[int, int]


def orders_decided(state: State, t: int) -> Iterable[tuple[int, Record]]:
    """(row, order) of the orders that the close of ``t`` decided, in that order.

    A trigger's or a delisting's order counts as decided at the close before its session; the state of a close knows
    none of those yet, so these are the close's own.
    """
    rows = state.orders[: state.book[0].n_orders]
    return [(row, rows[row]) for row in range(len(rows)) if rows[row].decided == t]


def book_before_buying(moment: Moment) -> Book:
    """The book after the exits of a close, before it bought anything (and before a rebalancing sold)."""
    state, t = moment.decided, moment.t
    later = {
        row
        for row, order in orders_decided(state, t)
        if order.side == codes.BUY or order.cause == codes.REBALANCE
    }  # fmt: skip
    live = []
    for row in _rows_alive(state):
        order = state.orders[row]
        if row not in later and order.status == codes.OPEN:
            live.append(_live(order))
    owned = {}
    for k in range(state.book[0].n_positions):
        position = state.positions[k]
        pending = position.pending > 0 and int(position.pending) - 1 not in later
        owned[int(position.symbol)] = Owned(
            symbol=int(position.symbol),
            shares=int(position.shares),
            last_close=int(position.last_close),
            entered=int(position.entry_session),
            pending=bool(pending),
            unlisted=int(position.unlisted),
        )
    sold = state.sold_on
    return Book(
        cash=int(state.book[0].cash),
        reserve=int(state.book[0].reserve),
        equity=int(state.book[0].equity),
        owned=owned,
        live=live,
        sold_on={int(symbol): int(sold[symbol]) for symbol in (sold >= 0).nonzero()[0]},
    )


def lots_of(state: State) -> list[Lot]:
    """What a rebalancing still waits to buy, best first."""
    return [
        Lot(symbol=int(lot.symbol), shares=int(lot.shares), amount=int(lot.amount), since=int(lot.since))
        for lot in state.waiting[: state.book[0].n_waiting]
    ]


def _rows_alive(state: State) -> list[int]:
    return [int(row) for row in state.active[: state.book[0].n_active]]


def _live(order: Record) -> Live:
    return Live(
        symbol=int(order.symbol),
        side=int(order.side),
        ordered=int(order.ordered),
        left=int(order.ordered - order.filled),
        mode=int(order.mode),
        full_exit=bool(order.full_exit == 1),
        reserved=int(order.reserved),
    )
