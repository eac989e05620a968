"""A session of a paper account by its bar: corporate actions and fills, computed by the simulator's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.ground import ground_of
from stocklab.backtest.layout import (
    ACTION,
    BOOK,
    CLAIM,
    LOT,
    ORDER,
    POSITION,
    QUOTE,
    RULES,
    TRADE,
    Record,
    State,
    records,
)
from stocklab.backtest.one_session import AUCTION_ALONE, LATE, WHOLE, meet_session
from stocklab.backtest.one_session import open_session as open_in_simulator
from stocklab.backtest.rules import CLEAN_UP_SESSIONS
from stocklab.brokers.paper.ledger import Ledger, Trade, end, from_units, to_units
from stocklab.brokers.paper.models import MoveKind, Phase
from stocklab.brokers.values import PriceKind, Side
from stocklab.db import PaperClaimRow, PaperHoldingRow, PaperOrderRow
from stocklab.market.entitlements import DIVIDEND_UNITS_PER_KRW
from stocklab.market.panel import Panel, PriceBasis
from stocklab.types import AnyArray

__all__ = ["close_session", "open_session"]

ZERO: Final = Decimal(0)
_MODES: Final = {
    (Phase.OPEN, PriceKind.MARKET): codes.MODE_OPEN,
    (Phase.OPEN, PriceKind.LIMIT): codes.MODE_LIMIT,
    (Phase.INSIDE, PriceKind.MARKET): codes.MODE_VWAP,
    (Phase.INSIDE, PriceKind.LIMIT): codes.MODE_LIMIT,
    (Phase.CLOSE, PriceKind.MARKET): codes.MODE_CLOSE,
    (Phase.CLOSE, PriceKind.LIMIT): codes.MODE_CLOSE,
}
_CASH_OF_ACTION: Final = {
    codes.SHARE_CHANGE: MoveKind.FRACTION,
    codes.BONUS: MoveKind.FRACTION,
    codes.RIGHTS: MoveKind.RIGHTS,
    codes.DIVIDEND: MoveKind.DIVIDEND,
}
_CLAIM_NAMES: Final = {codes.DIVIDEND: "dividend", codes.BONUS: "bonus"}


def open_session(ledger: Ledger, panel: Panel, row: int, *, at: datetime, live: bool) -> None:
    """Book what happens before the open of session ``row``: claims that are due, corporate actions, delistings.

    Where quotes fill (``live``) the bars may come after the session: what was bought and sold since the open then stays
    out of it.
    """
    session = _Session(ledger, panel, row, at=at, live=live)
    claims = [claim for claim in ledger.claims() if claim.symbol in session.columns]
    state = session.state(claims, ())
    open_in_simulator(session.ground, session.rules(state), state)
    session.book_actions(state)
    session.keep_positions(state)
    session.keep_claims(state, claims)


def close_session(ledger: Ledger, panel: Panel, row: int, orders: Sequence[PaperOrderRow], *, at: datetime) -> None:
    """Book the fills of ``orders`` in session ``row``, in their order, then its closes. There are no orders where
    quotes fill."""
    session = _Session(ledger, panel, row, at=at, live=False)
    known = [order for order in orders if order.symbol in session.columns]
    if known:
        state = session.state((), known)
        meet_session(session.ground, session.rules(state), state)
        session.book_trades(state, known)
        session.keep_positions(state)
        session.judge(state, known)
    session.move_closes()


class _Session:
    """The rows of an account as the simulator's records, and back."""

    def __init__(self, ledger: Ledger, panel: Panel, row: int, *, at: datetime, live: bool) -> None:
        self.ledger = ledger
        self.panel = panel
        self.row = row
        self.at = at
        self.live = live
        self.day: date = panel.sessions[row].item()
        self.unit = panel.unit
        self.columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
        self.held = ledger.holdings()
        self.entered = {self.columns[one]: row.entry_session for one, row in self.held.items() if one in self.columns}
        self.ground = ground_of(panel, row, row + 1, "dated")

    def judge(self, state: State, orders: Sequence[PaperOrderRow]) -> None:
        """Keep why an order did not fill, and end those that did."""
        for place, order in enumerate(orders):
            order.reason = codes.REASON_NAMES[int(state.orders[place].reason)]
            order.seen = True
            if order.quantity is not None and order.filled_quantity == order.quantity:
                end(order, self.at)

    # --- what the simulator's code is given -------------------------------------------------------------------------

    def rules(self, state: State) -> AnyArray:
        """The account's terms; nothing else of a document counts here."""
        account = self.ledger.account
        rules = records(RULES, 1)
        rule = rules[0]
        rule.unit = self.unit
        rule.commission = account.commission_ppb
        rule.slippage = account.slippage_ppb
        rule.participation = account.participation_ppb
        rule.raw_basis = self.panel.basis is PriceBasis.RAW
        rule.has_base = self.ground.has_base
        rule.clean_up = CLEAN_UP_SESSIONS
        rule.max_holdings = len(state.positions)
        return rules

    def state(self, claims: Sequence[PaperClaimRow], orders: Sequence[PaperOrderRow]) -> State:
        """Holdings, claims and orders as records, with room for what may come of them."""
        rows = [one for one in self.held.values() if one.symbol in self.columns and self._at_open(one)]
        n_held, n_orders = len(rows), len(orders)
        room = n_held + n_orders + 1
        n_events, n_dividends = int(self.ground.actions[0][1]), int(self.ground.actions[6][1])
        n_symbols = self.panel.n_symbols
        state = State(
            book=records(BOOK, 1),
            positions=records(POSITION, room),
            slot_of=np.full(n_symbols, -1, dtype=np.int64),
            sold_on=np.zeros(n_symbols, dtype=np.int64),
            quotes=records(QUOTE, room),
            quote_of=np.full(n_symbols, -1, dtype=np.int64),
            orders=records(ORDER, room),  # a delisting writes an order
            active=np.zeros(room, dtype=np.int64),
            trades=records(TRADE, 2 * n_orders + n_held + 1),
            held=records(LOT, 1),
            actions=records(ACTION, n_held + n_events + len(claims) + 1),
            days=records(LOT, 1),
            waiting=records(LOT, 1),
            claims=records(CLAIM, len(claims) + n_events + n_dividends + 1),
        )
        book = state.book[0]
        book.cash = to_units(self.ledger.account.cash_krw, self.unit)
        book.first_session = book.final_session = self.row
        book.n_positions, book.n_claims, book.n_orders, book.n_active = n_held, len(claims), n_orders, n_orders
        for slot, holding in enumerate(rows):
            self._put_position(state.positions[slot], holding)
            state.slot_of[state.positions[slot].symbol] = slot
        for place, claim in enumerate(claims):
            self._put_claim(state.claims[place], claim)
        for place, order in enumerate(orders):
            self._put_order(state.orders[place], order)
            state.active[place] = place
        return state

    def _put_position(self, position: Record, row: PaperHoldingRow) -> None:
        position.symbol = self.columns[row.symbol]
        position.shares = to_units(self._at_open(row), self.unit)
        position.unlisted = to_units(row.unlisted, self.unit)
        position.entry_session = self._row_of(row.entry_session)
        position.last_close = to_units(row.last_close_krw, self.unit)
        position.late_on = position.limit_on = -1

    def _put_claim(self, record: Record, row: PaperClaimRow) -> None:
        record.kind = codes.BONUS if row.kind == _CLAIM_NAMES[codes.BONUS] else codes.DIVIDEND
        record.symbol = self.columns[row.symbol]
        record.shares = int(row.quantity)
        record.units = int(row.krw_a_share * DIVIDEND_UNITS_PER_KRW)
        record.due = self._due(row)
        record.since = self._row_of(row.since)

    def _put_order(self, record: Record, row: PaperOrderRow) -> None:
        from_before = row.day < self.day
        phase = Phase.OPEN if from_before else Phase(row.phase)
        record.decided = self.row - 1
        record.session = self.row
        record.symbol = self.columns[row.symbol]
        record.side = codes.BUY if row.side == Side.BUY else codes.SELL
        record.mode = _MODES[phase, PriceKind(row.kind)]
        record.limit = codes.NO_LIMIT if row.limit_price_krw is None else to_units(row.limit_price_krw, self.unit)
        left = ZERO if row.quantity is None else row.quantity - row.filled_quantity
        record.ordered = to_units(left, self.unit)
        if row.money_krw is not None:
            record.rule = to_units(row.money_krw, self.unit)
            record.ordered = 1  # until the price says how many
        record.expires = self.row
        record.reserved = WHOLE
        if row.cancel_at is not None and row.cancel_at < self.at and row.kind == PriceKind.LIMIT:
            record.reserved = AUCTION_ALONE
        elif phase is Phase.INSIDE and row.kind == PriceKind.LIMIT:
            record.reserved = LATE

    def _at_open(self, row: PaperHoldingRow) -> Decimal:
        return row.at_open if self.live else row.quantity

    def _row_of(self, day: date) -> int:
        return int(np.searchsorted(self.panel.sessions, np.datetime64(day, "D")))

    def _due(self, row: PaperClaimRow) -> int:
        """The row in which a claim falls due by what is known today; beyond the end where it is not known."""
        known, ex, column = self.panel.entitlements, self._row_of(row.ex_session), self.columns[row.symbol]
        if row.kind == _CLAIM_NAMES[codes.BONUS]:
            found = known.unlisted_until[(known.unlisted_row == ex) & (known.unlisted_symbol == column)]
        else:
            units = int(row.krw_a_share * DIVIDEND_UNITS_PER_KRW)
            mine = (known.dividend_row == ex) & (known.dividend_symbol == column)
            found = known.dividend_paid[mine & (known.dividend_units == units)]
            found = known.dividend_paid[mine] if not len(found) else found
        return max(int(found[0]), ex + 1) if len(found) else self.panel.n_sessions

    # --- what comes of it -------------------------------------------------------------------------------------------

    def book_actions(self, state: State) -> None:
        """Corporate actions, then what delistings pay."""
        for action in state.actions[: state.book[0].n_actions]:
            symbol = self.panel.symbols[action.symbol]
            parts = {_CASH_OF_ACTION[int(action.kind)]: int(action.cash), MoveKind.DIVIDEND_TAX: -int(action.tax)}
            for kind, units in parts.items():
                if units:
                    self.ledger.move(kind, from_units(units, self.unit), day=self.day, at=self.at, symbol=symbol)
            if int(action.kind) in (codes.SHARE_CHANGE, codes.BONUS):
                row = self.held[symbol]
                row.quantity = max(row.quantity + from_units(int(action.after - action.before), self.unit), ZERO)
        for trade in state.trades[: state.book[0].n_trades]:
            self._pay_out(trade)

    def book_trades(self, state: State, orders: Sequence[PaperOrderRow]) -> None:
        """Every fill, in the simulator's order."""
        for found in state.trades[: state.book[0].n_trades]:
            order = orders[int(found.order)]
            trade = Trade(
                quantity=from_units(found.shares, self.unit),
                price_krw=from_units(found.price, self.unit),
                amount_krw=from_units(found.amount, self.unit),
                commission_krw=from_units(found.commission, self.unit),
                tax_krw=from_units(found.tax, self.unit),
                slippage_krw=from_units(found.slippage, self.unit),
            )
            self.ledger.trade(order, trade, day=self.day, at=self.at)
            self.ledger.hold(order, trade, day=self.day)

    def _pay_out(self, found: Record) -> None:
        symbol = self.panel.symbols[found.symbol]
        row = self.held.pop(symbol)
        self.ledger.move(
            MoveKind.DELISTING,
            row.quantity * from_units(found.price, self.unit),
            day=self.day,
            at=self.at,
            symbol=symbol,
            quantity=row.quantity,
            price=from_units(found.price, self.unit),
        )
        self.ledger.drop(row)

    def keep_positions(self, state: State) -> None:
        """What the simulator's positions say beside the shares, which were booked one by one and must agree."""
        after: Mapping[str, Any] = {
            self.panel.symbols[position.symbol]: position for position in state.positions[: state.book[0].n_positions]
        }
        for symbol, row in self.ledger.holdings().items():
            if symbol not in self.columns:
                continue
            position = after.get(symbol)
            if position is None:
                if not row.quantity:
                    self.ledger.drop(row)  # a share change left nothing of it
                continue
            shares = from_units(position.shares, self.unit)
            if shares != row.quantity and not self.live:
                raise AssertionError(f"{symbol}: {row.quantity} held, {shares} by the simulator")
            row.unlisted = from_units(position.unlisted, self.unit)
            row.last_close_krw = from_units(position.last_close, self.unit)

    def keep_claims(self, state: State, before: Sequence[PaperClaimRow]) -> None:
        """Claims as they are now. New ones are of this session: the simulator writes them behind the older ones."""
        kept = [row for row in before if self._due(row) > self.row]
        new = []
        for place, claim in enumerate(state.claims[: state.book[0].n_claims]):
            new.append(
                PaperClaimRow(
                    kind=_CLAIM_NAMES[int(claim.kind)],
                    symbol=self.panel.symbols[claim.symbol],
                    quantity=Decimal(int(claim.shares)),
                    krw_a_share=Decimal(int(claim.units)) / DIVIDEND_UNITS_PER_KRW,
                    ex_session=kept[place].ex_session if place < len(kept) else self.day,
                    since=kept[place].since if place < len(kept) else self.entered[int(claim.symbol)],
                )
            )
        if before or new:
            self.ledger.replace_claims(before, new)

    def move_closes(self) -> None:
        """Every holding's last close, and what is held when the next session begins."""
        closes = self.panel.fields[self.panel.order_fields[3]][self.row]
        listed = self.panel.fields["listed"][self.row]
        for symbol, row in self.ledger.holdings().items():
            column = self.columns.get(symbol)
            if column is not None and listed[column] and closes[column] > 0:
                row.last_close_krw = from_units(int(float(closes[column]) * self.unit + 0.5), self.unit)
            row.at_open = row.quantity
