"""A backtest's orders sent one by one to a paper account in bar mode, session by session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from stocklab.backtest import RunRequest, codes
from stocklab.backtest.plan import build_plan
from stocklab.backtest.rules import ppb
from stocklab.backtest.walking import run_kernel
from stocklab.brokers.paper.execution import PaperBroker
from stocklab.brokers.paper.hours import hours_of_session
from stocklab.brokers.paper.models import CashCheck, Terms
from stocklab.brokers.paper.opening import open_account
from stocklab.brokers.paper.tape import BarTape
from stocklab.brokers.values import OrderTicket, PlacedState, PriceKind, Rejection, Side
from stocklab.db import BrokerAccountRow, Database, PaperAccountRow, PaperCashMoveRow
from stocklab.errors import OrderRejected
from stocklab.factors import DirectSource
from stocklab.market.calendar import sessions_between
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy

OWNER = "local"
_SHOWN = ("decided", "session", "side", "ordered", "filled", "limit", "status", "reason", "mode", "cause", "expires")


def new_account(database: Database, name: str, cash: int, now: datetime, terms: Terms, *, coins: bool = False) -> None:
    """A paper account as the app opens it."""
    with database.write() as session:
        session.merge(BrokerAccountRow(id=name, owner_id=OWNER, broker="paper", mock=True, name=name))
    open_account(database, OWNER, name, Decimal(cash), now=now, terms=terms, coins=coins)


class CutShort(Exception):
    """The backtest filled what no exchange takes: from here on the accounts differ."""


def on_calendar(panel: Panel) -> Panel:
    """The same bars on sessions of the exchange: a broker takes orders on no other days."""
    first, n = panel.sessions[0].item(), panel.n_sessions
    sessions = sessions_between(first, first + timedelta(days=2 * n + 30), expected=True)[:n]
    delisted = panel.instruments.delisted_on.copy()
    known = ~np.isnat(delisted)
    row = np.searchsorted(panel.sessions, delisted[known])
    delisted[known] = [sessions[one] if one < n else sessions[-1] + np.timedelta64(900, "D") for one in row]
    return replace(panel, sessions=sessions, instruments=replace(panel.instruments, delisted_on=delisted))


@dataclass
class Replay:
    """Runs a document over a panel and follows it with a paper account. ``apart`` counts why an order was not sent."""

    database: Database
    panel: Panel
    strategy: Strategy
    start: date
    end: date
    cash: int
    account: str
    coins: bool = False
    apart: Counter[str] = field(default_factory=Counter)
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def run(self) -> None:
        """Raises OrderRejected where the broker refuses what the backtest ordered."""
        self.snapshots = self._backtest()
        costs = self.strategy.costs
        terms = Terms(
            commission_ppb=ppb(costs.commission_rate),
            slippage_ppb=ppb(costs.slippage_rate),
            participation_ppb=ppb(self.strategy.execution.participation),
            cash_check=CashCheck.AT_FILL,
        )
        first = self.panel.sessions[self.first].item()
        opened = hours_of_session(first, coins=self.coins).orders_from - timedelta(days=1)
        new_account(self.database, self.account, self.cash, opened, terms, coins=self.coins)
        with self.database.write() as session:  # the first session of the run is the account's, whatever day it was
            row = session.get_one(PaperAccountRow, self.account)
            row.opened_through = row.settled_through = first - timedelta(days=1)
        self.broker = PaperBroker(
            self.database,
            OWNER,
            self.account,
            tape=BarTape(lambda: self.panel),
            clock=lambda: self.now,
            coins=self.coins,
        )
        for t in range(self.first, self.last):
            hours = hours_of_session(self.panel.sessions[t].item(), coins=self.coins)
            self.now = hours.orders_from
            self.broker.advance()
            if t > self.first:
                self._cancel_rests()
                try:
                    self._send(t, hours)
                except CutShort:
                    self.apart["cut short"] += 1
                    self.last = t
                    return
            self.now = hours.closes
            self.broker.advance()
            assert self.broker.advance() == 0
            self._compare(t)

    # --- the backtest, with what it knew after each close -----------------------------------------------------------

    def _backtest(self) -> dict[int, Any]:
        request = RunRequest(strategy=self.strategy, start=self.start, end=self.end, initial_cash_krw=self.cash)
        plan = build_plan(self.panel, request, DirectSource(self.panel, threads=1))
        self.first, self.last = plan.first, plan.last
        found: dict[int, Any] = {}

        def keep(session: int, state: Any) -> None:
            book = state.book[0]
            found[session] = {
                "orders": np.array(state.orders[: book.n_orders]).view(np.recarray),
                "active": state.active[: book.n_active].copy(),
                "trades": np.array(state.trades[: book.n_trades]).view(np.recarray),
                "positions": np.array(state.positions[: book.n_positions]).view(np.recarray),
                "cash": int(book.cash),
            }

        run_kernel(self.panel, request, plan, pauses=range(plan.first, plan.last), on_pause=keep)
        return found

    def _orders(self, t: int) -> Iterator[tuple[int, Any, int]]:
        """What was alive in session ``t``: (row, the order after the session, what was left of it before)."""
        before, after = self.snapshots[t - 1], self.snapshots[t]
        new = range(len(before["orders"]), len(after["orders"]))
        listed = [
            row
            for row in new
            if after["orders"][row].decided == t - 1 and after["orders"][row].cause != codes.DELISTING
        ]  # sales of bonus shares that listed this morning, which replace every other order of their symbol
        replaced = {int(after["orders"][row].symbol) for row in listed}
        for row in before["active"]:
            order = after["orders"][row]
            alive = before["orders"][row].status == codes.OPEN
            if alive and int(order.symbol) not in replaced:
                yield int(row), order, int(order.ordered - before["orders"][row].filled)
        for row in listed:
            yield row, after["orders"][row], int(after["orders"][row].ordered)

    # --- the paper account ------------------------------------------------------------------------------------------

    def _send(self, t: int, hours: Any) -> None:
        moments = {
            codes.MODE_OPEN: hours.orders_from,
            codes.MODE_LIMIT: hours.orders_from,
            codes.MODE_VWAP: hours.opens + timedelta(minutes=5),
            codes.MODE_CLOSE: hours.auction_from,
        }
        waiting = sorted(self._orders(t), key=lambda one: (moments[int(one[1].mode)], one[0]))
        for row, order, left in waiting:
            why = self._apart(order, left, t)
            if why:
                self.apart[why] += 1
                continue
            self.now = moments[int(order.mode)]
            ticket = self._legal(self._ticket(row, order, left, t))
            if ticket is None:
                self.apart["limit that no broker takes and no price reaches"] += 1
                continue
            try:
                self.broker.send(ticket)
            except OrderRejected as error:
                if error.reason != Rejection.SIZE or not self.coins:
                    raise
                # The rest of a coin's order, or an order that its limit made smaller: Upbit takes 5,000 won at least.
                filled_before = int(order.ordered) - left
                if int(order.filled) > filled_before:
                    raise CutShort from error
                self.apart["below the smallest order"] += 1

    def _cancel_rests(self) -> None:
        """Orders of a backtest last a session; those of coins would rest on."""
        for one in self.broker.day_orders(self.now.date()):
            if one.state is PlacedState.OPEN:
                self.broker.cancel(one.ref, symbol=one.symbol, side=one.side)

    def _apart(self, order: Any, left: int, t: int) -> str:
        """Why a backtest's order never reaches a broker in this session."""
        reason = int(order.reason)
        if left <= 0 or reason == codes.CONSOLIDATED:
            return "nothing left"
        if reason in (codes.MAX_HOLDINGS, codes.DELISTED, codes.POSITION_CLOSED, codes.NOT_LISTED):
            return codes.REASON_NAMES[reason]  # the strategy's own rule, or no such stock any more
        if int(order.mode) == codes.MODE_LIMIT and order.limit == codes.NO_LIMIT:
            return "limit from an open that there was not"
        return ""

    def _ticket(self, row: int, order: Any, left: int, t: int) -> OrderTicket:
        limit = int(order.limit)
        kind = PriceKind.LIMIT if int(order.mode) == codes.MODE_LIMIT else PriceKind.MARKET
        return OrderTicket(
            client_order_id=f"{self.account}-{row}-{t}",
            symbol=self.panel.symbols[order.symbol],
            side=Side.BUY if order.side == codes.BUY else Side.SELL,
            kind=kind,
            quantity=Decimal(left) / self.panel.unit,
            limit_price_krw=Decimal(limit) / self.panel.unit if kind is PriceKind.LIMIT else None,
        )

    def _told(self, t: int) -> str:
        """What the backtest knew of the session's orders, for the message of a failure."""
        rows = [
            (row, self.panel.symbols[one.symbol], left, *(int(one[name]) for name in _SHOWN))
            for row, one, left in self._orders(t)
        ]
        return "\n".join([str(("row", "symbol", "left", *_SHOWN)), *map(str, rows)])

    def _legal(self, ticket: OrderTicket) -> OrderTicket | None:
        """A backtest's limit beyond the day's limits, as a broker takes it; None where it cannot be reached."""
        quote = self.broker.quotes([ticket.symbol])[ticket.symbol]
        limit, lower, upper = ticket.limit_price_krw, quote.lower_limit_krw, quote.upper_limit_krw
        if limit is None or lower is None or upper is None or lower <= limit <= upper:
            return ticket
        if (limit < lower) == (ticket.side is Side.BUY):
            return None
        self.apart["limit moved to the day's own"] += 1
        return replace(ticket, limit_price_krw=upper if limit > upper else lower)

    def _compare(self, t: int) -> None:
        """Fills of the session, cash and holdings, to the won."""
        ours, theirs = self._paper_fills(t), self._fills(t)
        assert ours == theirs, (
            f"session {t} {self.panel.sessions[t]}\npaper    {ours}\nbacktest {theirs}\n{self._told(t)}"
        )
        unit = self.panel.unit
        assert self.broker.cash().total_krw == Decimal(self.snapshots[t]["cash"]) / unit, f"cash in session {t}"
        held = {one.symbol: one.quantity for one in self.broker.holdings()}
        expected = {
            self.panel.symbols[one.symbol]: Decimal(int(one.shares)) / unit for one in self.snapshots[t]["positions"]
        }
        assert held == expected, f"holdings in session {t}"

    def _fills(self, t: int) -> list[tuple[Any, ...]]:
        unit = self.panel.unit
        before = len(self.snapshots[t - 1]["trades"]) if t > self.first else 0
        found = []
        for trade in self.snapshots[t]["trades"][before:]:
            money = (trade.shares, trade.price, trade.amount, trade.commission, trade.tax, trade.slippage)
            side = "delisting" if trade.cause == codes.DELISTING else codes.SIDE_NAMES[trade.side]
            found.append((self.panel.symbols[trade.symbol], side, *(Decimal(int(one)) / unit for one in money)))
        return found

    def _paper_fills(self, t: int) -> list[tuple[Any, ...]]:
        day = self.panel.sessions[t].item()
        with self.database.read() as session:
            moves = (
                session.query(PaperCashMoveRow)
                .filter_by(account_id=self.account, session_day=day)
                .order_by(PaperCashMoveRow.id)
                .all()
            )
        found: list[list[Any]] = []
        for move in moves:
            if move.quantity is not None:
                found.append(
                    [move.symbol, move.kind, move.quantity, move.price_krw, abs(move.cash_krw), *[Decimal(0)] * 3]
                )
            elif move.kind in ("commission", "tax", "slippage"):
                found[-1][5 + ("commission", "tax", "slippage").index(move.kind)] = -move.cash_krw
        return [tuple(one) for one in found]
