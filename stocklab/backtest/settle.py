"""`settle`: a sleeve's book after a session, from what really happened in it; pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from stocklab.backtest import codes
from stocklab.backtest.fills import add_order, add_shares, close_order, drop_position
from stocklab.backtest.ground import ground_of
from stocklab.backtest.layout import State
from stocklab.backtest.plan import EMPTY_BYTES, EMPTY_FLOATS
from stocklab.backtest.rules import rules_of
from stocklab.backtest.session_parts import begin, finish
from stocklab.backtest.sleeve_book import OrderSide, SleeveBook, SleeveClaim, SleeveOrder
from stocklab.backtest.sleeve_state import SleeveState, claim_of, claims_due, require_fit, row_of
from stocklab.errors import InputError
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy.document import Strategy
from stocklab.types import AnyArray

__all__ = ["Ended", "Fill", "Fired", "Settled", "settle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What an order filled: shares and average price in units of the panel.

    ``cash``: what it changed of the sleeve's cash, all costs included: negative for a purchase. ``order``: its number;
    None is the live sale of the symbol, or its only live purchase.
    """

    symbol: str
    side: OrderSide
    shares: int
    price: float
    cash: int
    order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A price trigger that fired inside the session, before its fills: ``cause`` is target, stop or trailing.

    ``shares``: what was to be sold, 0 where nothing could be yet (all of it bonus shares that are not listed). Its
    order gets the next number. The rest of a stop stays alive for the next open, the rest of a target ends.
    ``refused``: it was below the smallest order and not sent.
    """

    symbol: str
    cause: str
    shares: int
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An order that ended in the session; ``status`` is a word of `codes.STATUS_NAMES`."""

    order: SleeveOrder
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The book after the session, ready to be decided on at its close, and the orders that ended in it."""

    book: SleeveBook
    ended: tuple[Ended, ...]


def settle(
    panel: Panel,
    strategy: Strategy,
    book: SleeveBook,
    session: date,
    happened: Sequence[Fill | Fired],
    *,
    cash: int | None = None,
) -> Settled:
    """Advance a book over one session, as the kernel does: claims, share changes and delistings before the open, then
    what happened, then what lapses.

    Parameters
    ----------
    panel : bars through ``session`` at least
    book : of the session before: `Decision.book`
    session : the session after the book's
    happened : fills and fired triggers in the order of time
    cash : the sleeve's cash as its account knows it, where that differs from what is counted here (dividends, deposits)

    Raises
    ------
    InputError
        The session does not follow the book's, or a fill belongs to no live order or is more than is left of it.
    """
    require_fit(panel, book)
    t = row_of(panel, session)
    if t != row_of(panel, book.session) + 1:
        raise InputError(f"The book of {book.session} is settled by the session after it, found {session}.")
    ground = ground_of(panel, t, t + 1, strategy.costs.tax)
    sleeve = SleeveState.opened(panel, strategy, book, t)
    state = sleeve.state
    rules = rules_of(
        strategy,
        book.initial_cash_krw,
        unit=panel.unit,
        raw=panel.basis is PriceBasis.RAW,
        has_base=ground.has_base,
        taxes=ground.taxes,
        score_sign=1.0,
    )
    begin(t, *ground.market, *ground.actions, rules, EMPTY_BYTES, EMPTY_FLOATS, *_before_the_open(state))
    for one in happened:
        if isinstance(one, Fired):
            _fire(sleeve, one, t)
        else:
            _book(sleeve, one, t)
    *_, tick_from, tick_step, _ = ground.market
    finish(
        t, rules, state.book, state.positions, state.slot_of, state.orders, state.active, state.quotes, state.quote_of,
        tick_from, tick_step,
    )  # fmt: skip
    if cash is not None:
        state.book[0].cash = cash
    status = state.orders["status"]
    done = [row for row in range(state.book[0].n_orders) if status[row] != codes.OPEN]
    ended = [
        Ended(order=order, status=codes.STATUS_NAMES[status[row]])
        for row, order in zip(done, sleeve.orders(done, t), strict=True)
    ]
    return Settled(book=sleeve.book_at(t, _claims(sleeve, t)), ended=tuple(ended))


def _before_the_open(state: State) -> tuple[AnyArray, ...]:
    return (
        state.book,
        state.positions,
        state.slot_of,
        state.sold_on,
        state.quotes,
        state.quote_of,
        state.orders,
        state.active,
        state.trades,
        state.actions,
        state.waiting,
        state.claims,
    )


def _fire(sleeve: SleeveState, fired: Fired, t: int) -> None:
    """Write a trigger's order as the kernel does when it fires."""
    state, symbol = sleeve.state, sleeve.panel.column(fired.symbol)
    slot, cause = int(state.slot_of[symbol]), codes.CAUSE_NAMES.index(fired.cause)
    if slot < 0 or cause not in (codes.TARGET, codes.STOP, codes.TRAILING):
        raise InputError(f"A trigger fires on a holding, found {fired.cause} on {fired.symbol}.")
    position = state.positions[slot]
    if position.unlisted > 0:
        position.leaving, position.leaving_rule = cause + 1, -1
    if fired.shares == 0:
        return
    if not fired.refused:
        if position.pending > 0:
            end = (position.pending - 1, codes.CANCELLED, codes.SUPERSEDED)
            _as_python(close_order)(state.positions, state.slot_of, state.orders, *end)
        for row in sleeve.alive():
            if state.orders[row].symbol == symbol and state.orders[row].side == codes.BUY:
                end = (row, codes.CANCELLED, codes.SUPERSEDED)
                _as_python(close_order)(state.positions, state.slot_of, state.orders, *end)
    row = _as_python(add_order)(
        state.book, state.orders, state.active, t, symbol, codes.SELL, fired.shares, codes.MODE_TRIGGER, cause, -1, t
    )
    order = state.orders[row]
    if fired.refused:
        position.refused = fired.shares
        end = (row, codes.UNFILLED, codes.MINIMUM_ORDER)
        _as_python(close_order)(state.positions, state.slot_of, state.orders, *end)
        return
    order.reason = codes.PARTICIPATION
    if cause != codes.TARGET:
        order.mode, order.expires, order.full_exit = codes.MODE_OPEN, codes.NEVER, 1
    position.pending = row + 1


def _book(sleeve: SleeveState, fill: Fill, t: int) -> None:
    """What a fill does to order, position and cash."""
    state = sleeve.state
    row = _row_of_fill(sleeve, fill)
    order = state.orders[row]
    symbol = int(order.symbol)
    slot = int(state.slot_of[symbol])
    most = int(order.ordered - order.filled)
    if fill.side is OrderSide.SELL:
        most = min(most, int(state.positions[slot].shares)) if slot >= 0 else 0
    if not 0 < fill.shares <= most:
        raise InputError(f"At most {most} of order {_number(sleeve, row)} can have filled, found {fill.shares}.")
    state.book[0].cash += fill.cash
    order.filled += fill.shares
    if fill.side is OrderSide.BUY:
        quote = int(state.quote_of[symbol])
        _as_python(add_shares)(
            state.book, state.positions, state.slot_of, order, state.quotes, quote, t, fill.shares, fill.price
        )
        return
    position = state.positions[slot]
    position.shares -= fill.shares
    if position.shares == 0:
        _as_python(drop_position)(state.book, state.positions, state.slot_of, state.sold_on, slot, t)


def _row_of_fill(sleeve: SleeveState, fill: Fill) -> int:
    """Row of the order a fill belongs to.

    Raises
    ------
    InputError
        There is none, or more than one purchase.
    """
    found = [
        row
        for row, order in zip(sleeve.alive(), sleeve.orders(sleeve.alive(), 0), strict=True)
        if (order.symbol, order.side) == (fill.symbol, fill.side) and fill.order in (None, order.number)
    ]
    if len(found) == 1:
        return found[0]
    which = "" if fill.order is None else f" of order {fill.order}"
    raise InputError(
        f"One live order is expected for the {fill.side} of {fill.symbol}{which}, found {len(found)}. Hint: name it."
    )


def _number(sleeve: SleeveState, row: int) -> int:
    return sleeve.orders([row], 0)[0].number


def _claims(sleeve: SleeveState, t: int) -> tuple[SleeveClaim, ...]:
    """Claims of the state after ``begin``: those it kept in their order, then what began in session ``t``."""
    panel, state = sleeve.panel, sleeve.state
    kept = [claim for claim, due in zip(sleeve.book.claims, claims_due(panel, sleeve.book), strict=True) if due > t]
    found = []
    for place in range(state.book[0].n_claims):
        claim = state.claims[place]
        old = kept[place] if place < len(kept) else None
        found.append(claim_of(panel, claim, panel.sessions[t].item() if old is None else old.ex))
    return tuple(found)


def _as_python(part: Callable[..., Any]) -> Callable[..., Any]:
    """A part of the kernel run by Python: compiling it on its own would take longer than a year of sessions."""
    plain: Callable[..., Any] = getattr(part, "py_func", part)
    return plain
