"""A `SleeveBook` as the kernel's state, and back: dates are rows of the panel there, words are codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.assemble import rule_words
from stocklab.backtest.layout import Record, State, grow, new_state
from stocklab.backtest.sleeve_book import (
    ClaimKind,
    OrderMode,
    OrderSide,
    SleeveBook,
    SleeveClaim,
    SleeveOrder,
    SleevePosition,
    WaitingLot,
)
from stocklab.errors import InputError
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy

__all__ = ["SleeveState", "claim_of", "claims_due", "require_fit", "row_of"]

_SIDES: Final = (OrderSide.BUY, OrderSide.SELL)
_MODES: Final = (OrderMode.OPEN, OrderMode.CLOSE, OrderMode.LIMIT, OrderMode.VWAP, OrderMode.TRIGGER)
_KINDS: Final[Mapping[ClaimKind, int]] = {ClaimKind.BONUS: codes.BONUS, ClaimKind.DIVIDEND: codes.DIVIDEND}
_LONG_AGO: Final = -(1 << 40)


def row_of(panel: Panel, session: date) -> int:
    """Row of a session of the panel.

    Raises
    ------
    InputError
        The panel has no such session.
    """
    row = int(np.searchsorted(panel.sessions, np.datetime64(session, "D")))
    if row == panel.n_sessions or panel.sessions[row].item() != session:
        raise InputError(
            f"The book knows session {session}, which the data from {panel.sessions[0]} to {panel.sessions[-1]} do not "
            "have. Hint: update the data, or open them from an earlier date."
        )
    return row


def require_fit(panel: Panel, book: SleeveBook) -> None:
    """Refuse a book of another kind of panel.

    Raises
    ------
    InputError
        It counts in other units.
    """
    if book.unit != panel.unit:
        raise InputError(f"A book in units of 1/{panel.unit} is expected on these data, found 1/{book.unit}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeveState:
    """The kernel's ``state`` after the session of ``book``, from which it was made, or after what was done to it."""

    panel: Panel
    strategy: Strategy
    book: SleeveBook
    state: State

    @classmethod
    def opened(cls, panel: Panel, strategy: Strategy, book: SleeveBook, first: int) -> SleeveState:
        """The state of a book; row ``first`` of the panel is that of the ground's arrays.

        Raises
        ------
        InputError
            A symbol, or a session the book needs, is not one of the panel.
        """
        return cls(panel=panel, strategy=strategy, book=book, state=_state_of(panel, book, strategy, first))

    def orders(self, rows: Iterable[int], t: int) -> tuple[SleeveOrder, ...]:
        """Orders of the state, seen from session ``t``."""
        return tuple(self._order(row, t) for row in rows)

    def alive(self) -> list[int]:
        """Rows of the live orders, in the order of decision."""
        state = self.state
        rows = state.active[: state.book[0].n_active].tolist()
        return [row for row in rows if state.orders[row].status == codes.OPEN]

    def book_at(self, t: int, claims: tuple[SleeveClaim, ...]) -> SleeveBook:
        """The book of the state, which has reached session ``t``; ``claims`` are those it has."""
        panel, state = self.panel, self.state
        head, day = state.book[0], panel.sessions
        lots = [_lot_of(panel, state.waiting[place]) for place in range(head.n_waiting)]
        sold = dict(self.book.sold_on)
        for symbol in np.flatnonzero(state.sold_on >= row_of(panel, self.book.session)):
            sold[panel.symbols[symbol]] = day[state.sold_on[symbol]].item()
        return replace(
            self.book,
            session=day[t].item(),
            cash=int(head.cash),
            positions=tuple(_position_of(panel, state.positions[k]) for k in range(head.n_positions)),
            orders=self.orders(self.alive(), t),
            waiting=tuple(lots),
            waiting_closes=int(head.waiting_until) - t if lots else 0,
            sold_on=sold,
            claims=claims,
            next_number=self.book.next_number + int(head.n_orders) - len(self.book.orders),
        )

    def _order(self, row: int, t: int) -> SleeveOrder:
        order, panel = self.state.orders[row], self.panel
        carried = self.book.orders[row] if row < len(self.book.orders) else None
        cause, rule = int(order.cause), int(order.rule)
        return SleeveOrder(
            number=self.book.next_number + row - len(self.book.orders) if carried is None else carried.number,
            symbol=panel.symbols[order.symbol],
            side=_SIDES[order.side],
            mode=_MODES[order.mode],
            shares=int(order.ordered),
            filled=int(order.filled),
            limit=None if order.limit == codes.NO_LIMIT else int(order.limit),
            cause=codes.CAUSE_NAMES[cause],
            rule=rule,
            rule_text=rule_words(self.strategy, cause, rule) if carried is None else carried.rule_text,
            decided=panel.sessions[order.decided].item(),
            lives=None if order.expires == codes.NEVER else int(order.expires) - t,
            full_exit=bool(order.full_exit),
            reserved=int(order.reserved),
            reason=codes.REASON_NAMES[order.reason],
        )


def _state_of(panel: Panel, book: SleeveBook, strategy: Strategy, first: int) -> State:
    places = max(strategy.sizing.max_holdings, len(book.positions), len(book.orders), len(book.waiting))
    t = row_of(panel, book.session)
    state = new_state(n_sessions=t + 2 - first, n_symbols=panel.n_symbols, max_holdings=places, initial_cash=book.cash)
    head = state.book[0]
    head.first_session, head.final_session = first, codes.NEVER
    for k, position in enumerate(book.positions):
        symbol = panel.column(position.symbol)
        state.slot_of[symbol] = k
        _fill(state.positions[k], _position_values(panel, position, symbol))
    head.n_positions = len(book.positions)
    for row, order in enumerate(book.orders):
        symbol = panel.column(order.symbol)
        _fill(state.orders[row], _order_values(panel, order, symbol, t))
        state.active[row] = row
        if order.side is OrderSide.SELL and state.slot_of[symbol] >= 0:
            state.positions[state.slot_of[symbol]].pending = row + 1
    head.n_orders = head.n_active = len(book.orders)
    for place, lot in enumerate(book.waiting):
        values = {"symbol": panel.column(lot.symbol), "shares": lot.shares, "amount": lot.amount}
        _fill(state.waiting[place], {**values, "since": row_of(panel, lot.since)})
    head.n_waiting, head.waiting_until = len(book.waiting), t + book.waiting_closes
    known = {symbol: column for column, symbol in enumerate(panel.symbols)} if book.sold_on else {}
    for name, day in book.sold_on.items():
        if name in known:
            last = int(np.searchsorted(panel.sessions, np.datetime64(day, "D"), side="right")) - 1
            state.sold_on[known[name]] = last if last >= 0 else _LONG_AGO
    if len(book.claims) > len(state.claims) // 2:
        state.claims = grow(state.claims, 4 * len(book.claims))
    for place, claim in enumerate(book.claims):
        _fill(state.claims[place], _claim_values(panel, claim))
    head.n_claims = len(book.claims)
    return state


def _fill(record: Record, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        record[name] = value


def _position_values(panel: Panel, position: SleevePosition, symbol: int) -> dict[str, Any]:
    entered = row_of(panel, position.entered)
    return {
        "symbol": symbol,
        "shares": position.shares,
        "market": int(panel.fields["market"][entered, symbol]),
        "entry_session": entered,
        "last_close": position.last_close,
        "late_on": entered if position.late else -1,
        "limit_on": -1,
        "unlisted": position.unlisted,
        "leaving": codes.CAUSE_NAMES.index(position.leaving) + 1 if position.leaving else 0,
        "leaving_rule": position.leaving_rule,
        "refused": position.refused,
        "average": position.average,
        "high": position.high,
    }


def _order_values(panel: Panel, order: SleeveOrder, symbol: int, t: int) -> dict[str, Any]:
    return {
        "decided": row_of(panel, order.decided),
        "session": t,
        "symbol": symbol,
        "side": _SIDES.index(order.side),
        "ordered": order.shares,
        "filled": order.filled,
        "limit": codes.NO_LIMIT if order.limit is None else order.limit,
        "status": codes.OPEN,
        "reason": codes.REASON_NAMES.index(order.reason),
        "mode": _MODES.index(order.mode),
        "cause": codes.CAUSE_NAMES.index(order.cause),
        "rule": order.rule,
        "expires": codes.NEVER if order.lives is None else t + order.lives,
        "full_exit": order.full_exit,
        "reserved": order.reserved,
    }


def _claim_values(panel: Panel, claim: SleeveClaim) -> dict[str, Any]:
    symbol, ex = panel.column(claim.symbol), row_of(panel, claim.ex)
    return {
        "kind": _KINDS[claim.kind],
        "symbol": symbol,
        "shares": claim.shares,
        "units": claim.units,
        "due": _due_later(panel, claim.kind, symbol, ex) if claim.due is None else row_of(panel, claim.due),
        "since": row_of(panel, claim.entered),
    }


def claims_due(panel: Panel, book: SleeveBook) -> list[int]:
    """Row of the panel at whose opening each claim of a book is due; n_sessions where that lies beyond."""
    return [int(_claim_values(panel, claim)["due"]) for claim in book.claims]


def claim_of(panel: Panel, claim: Record, ex: date) -> SleeveClaim:
    """A claim of the state, which began in session ``ex``."""
    kind = ClaimKind.DIVIDEND if claim.kind == codes.DIVIDEND else ClaimKind.BONUS
    return SleeveClaim(
        kind=kind,
        symbol=panel.symbols[claim.symbol],
        shares=int(claim.shares),
        units=int(claim.units),
        ex=ex,
        due=panel.sessions[claim.due].item() if claim.due < panel.n_sessions else None,
        entered=panel.sessions[claim.since].item(),
    )


def _due_later(panel: Panel, kind: ClaimKind, symbol: int, ex: int) -> int:
    """When something is due that lay beyond the data's end when it began; the data may have grown since."""
    known = panel.entitlements
    if kind is ClaimKind.DIVIDEND:
        rows, symbols, until = known.dividend_row, known.dividend_symbol, known.dividend_paid
    else:
        rows, symbols, until = known.unlisted_row, known.unlisted_symbol, known.unlisted_until
    found = until[(rows == ex) & (symbols == symbol)]
    return int(found.max()) if len(found) else panel.n_sessions


def _lot_of(panel: Panel, lot: Record) -> WaitingLot:
    return WaitingLot(
        symbol=panel.symbols[lot.symbol],
        shares=int(lot.shares),
        amount=int(lot.amount),
        since=panel.sessions[lot.since].item(),
    )


def _position_of(panel: Panel, position: Record) -> SleevePosition:
    return SleevePosition(
        symbol=panel.symbols[position.symbol],
        shares=int(position.shares),
        entered=panel.sessions[position.entry_session].item(),
        average=float(position.average),
        high=float(position.high),
        last_close=int(position.last_close),
        late=bool(position.late_on == position.entry_session),
        unlisted=int(position.unlisted),
        leaving=codes.CAUSE_NAMES[position.leaving - 1] if position.leaving else "",
        leaving_rule=int(position.leaving_rule) if position.leaving else -1,
        refused=int(position.refused),
    )
