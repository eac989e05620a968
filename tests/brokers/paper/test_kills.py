"""The order core over a paper account, killed at random before, inside and after any transaction of either: no order
twice, none lost, and the book ends as the account, over days whose bars come late.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import numpy as np
from replay import OWNER, new_account
from small_market import panel_of
from test_bar_mode import cut

from stocklab.brokers.paper.execution import PaperBroker
from stocklab.brokers.paper.hours import hours_of_session
from stocklab.brokers.paper.models import Terms
from stocklab.brokers.paper.tape import BarTape
from stocklab.brokers.values import PriceKind, Side
from stocklab.data.sources.calls import KST
from stocklab.db import Database, OrderRow, PaperOrderRow
from stocklab.market.entitlements import Entitlements
from stocklab.market.panel import Panel
from stocklab.trading import OrderState
from stocklab.trading.executor import Executor
from stocklab.trading.journal import Draft, Journal

SYMBOLS = ("000010", "000020", "000030")
SESSIONS = 8
DAYS_OF = int(os.environ.get("STOCKLAB_PAPER_LIVES", "2"))  # runs of `SESSIONS` days on each database


class Killed(BaseException):
    """SIGKILL, as far as one process can tell."""


class CutDatabase:
    """A database with places to be killed around each transaction."""

    def __init__(self, inner: Database, die: Callable[[], None]) -> None:
        self._inner = inner
        self._die = die

    @contextmanager
    def write(self, owner: str | None = None) -> Iterator[Any]:
        self._die()
        with self._inner.write(owner) as session:
            yield session
            self._die()
        self._die()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def market(rng: random.Random) -> Panel:
    """A few random sessions with a split of the second symbol and a dividend of the first."""
    bars: dict[str, list[Any]] = {}
    split = SESSIONS // 2
    for symbol in SYMBOLS:
        price, rows = 10_000, []
        for t in range(SESSIONS + 1):
            if symbol == SYMBOLS[1] and t == split:
                price //= 2
            opened = price + 50 * rng.randint(-4, 4)
            closed = opened + 50 * rng.randint(-4, 4)
            high, low = max(opened, closed) + 50 * rng.randint(0, 3), min(opened, closed) - 50 * rng.randint(0, 3)
            rows.append(None if t and rng.random() < 0.08 else (opened, high, low, closed, rng.choice((50.0, 5_000.0))))
            price = closed if rows[-1] else price
        bars[symbol] = rows
    before = [row for row in bars[SYMBOLS[1]][:split] if row][-1][3]
    return panel_of(
        bars,
        splits={(split, SYMBOLS[1]): 2.0},
        bases={(split, SYMBOLS[1]): before // 2},
        entitlements=Entitlements(
            dividend_row=np.array([2]),
            dividend_symbol=np.array([0]),
            dividend_units=np.array([1_234_567]),
            dividend_paid=np.array([5]),
            dividend_guessed=np.array([False]),
            dividends_known=True,
        ),
    )


class Life:
    """One account's days, driven by a seed."""

    def __init__(self, database: Database, seed: int) -> None:
        self.random = random.Random(seed)
        self.whole = market(self.random)
        self.known = 1
        self.account = f"life-{seed}"
        self.now = datetime.combine(self.whole.sessions[0].item(), datetime.min.time(), tzinfo=KST)
        self.now += timedelta(hours=18)
        self.deadly, self.kills = False, 0
        self.truth = database
        self.database = cast("Database", CutDatabase(database, self.maybe_die))
        new_account(database, self.account, 3_000_000, self.now, Terms(slippage_ppb=1_000_000))
        self.start()

    def start(self) -> None:
        self.broker = PaperBroker(
            self.database,
            OWNER,
            self.account,
            tape=BarTape(lambda: cut(self.whole, self.known)),
            clock=lambda: self.now,
        )
        journal = Journal(self.database, OWNER, self.account)
        self.executor = Executor(
            self.broker,
            journal,
            clock=lambda: self.now,
            gate=lambda _kept: (),
            over=lambda now: now.astimezone(KST).date() - timedelta(days=1),
        )
        self.executor.recover()

    def maybe_die(self) -> None:
        if self.deadly and self.random.random() < 0.04:
            raise Killed

    def turn(self, *, deadly: bool = True) -> None:
        self.deadly = deadly
        try:
            self.executor.turn()
        except Killed:
            self.kills += 1
            self.deadly = False
            self.start()
        self.deadly = False
        self.now += timedelta(seconds=7)
        assert not self.executor.stopped, self.executor.stopped

    def live(self) -> None:
        for _ in range(3):
            self.turn(deadly=False)
        for row in range(1, SESSIONS + 1):
            hours = hours_of_session(self.whole.sessions[row].item(), coins=False)
            if self.known < row and self.random.random() < 0.5:
                self.known = row  # the sync of this morning
            for moment in (hours.orders_from, hours.opens, hours.auction_from - timedelta(hours=2), hours.auction_from):
                self.now = moment + timedelta(minutes=2)
                self.act()
                self.turn()
                self.turn()
            self.now = hours.closes + timedelta(hours=3)
            if self.random.random() < 0.6:
                self.known = row + 1
            self.turn()
        self.known = SESSIONS + 1
        for _ in range(4):
            self.turn(deadly=False)

    def act(self) -> None:
        """Strategies wish, and take wishes back."""
        for sleeve in ("a", "b"):
            symbol = self.random.choice(SYMBOLS)
            live = [one for one in self.kept() if not one.state.final and one.symbol == symbol]
            if live:
                if self.random.random() < 0.4:
                    self.executor.journal.want_cancel(live[0].order_id)
                continue
            mine = self.executor.book.sleeves.get(sleeve)
            held = mine.held(symbol) if mine is not None else Decimal(0)
            sells = held > 0 and self.random.random() < 0.5
            market_order = self.random.random() < 0.5
            quantity = held if sells else Decimal(self.random.choice((1, 7, 30, 200)))
            price = Decimal(50 * self.random.randint(95, 210))
            self.executor.journal.intend(
                [
                    Draft(
                        symbol=symbol,
                        side=Side.SELL if sells else Side.BUY,
                        kind=PriceKind.MARKET if market_order else PriceKind.LIMIT,
                        quantity=quantity,
                        limit_price_krw=None if market_order else price,
                        parts={sleeve: quantity},
                    )
                ],
                self.now,
            )

    def kept(self) -> list[Any]:
        return [one.order for one in self.executor.journal.orders(self.now.astimezone(KST).date())]

    def check(self) -> int:
        """What must be true at the end; how many orders were filled."""
        book, broker = self.executor.book, self.broker
        assert book.cash_krw == broker.cash().total_krw
        assert {symbol: book.held(symbol) for symbol in book.symbols()} == {
            one.symbol: one.quantity for one in broker.holdings()
        }
        with self.truth.read() as session:
            kept = session.query(OrderRow).filter_by(account_id=self.account).all()
            placed = session.query(PaperOrderRow).filter_by(account_id=self.account).all()
        ours = {row.client_order_id: row for row in kept}
        assert len({row.number for row in placed}) == len(placed)
        for row in placed:
            known = ours[row.client_order_id]
            assert known.broker_number == f"{row.number:08d}"
            assert (known.booked_quantity, known.booked_krw, known.booked_costs_krw) == (
                row.filled_quantity,
                row.filled_krw,
                row.costs_krw,
            )
        assert all(OrderState(row.state).final for row in kept), [row.state for row in kept]
        assert all(row.origin != "by_hand" for row in kept)
        return sum(row.filled_quantity > 0 for row in placed)


def test_days_with_kills(database: Database) -> None:
    kills = fills = 0
    for seed in range(DAYS_OF):
        life = Life(database, seed)
        life.live()
        fills += life.check()
        kills += life.kills
    assert kills >= DAYS_OF
    assert fills >= 2 * DAYS_OF
