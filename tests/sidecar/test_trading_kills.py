"""The process that trades is killed at random moments of a session; the broker and the journal must agree in the end.

Every order has a quantity of its own, so that one that reached the broker twice is seen. STOCKLAB_TRADING_KILLS=100 is
the long one; STOCKLAB_TRADING_SEED chooses another course.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from fakes.broker_faults import Target, Trouble
from fakes.broker_server import OnSocket, OnWebSocket
from fakes.exchange import KST, Exchange, Listing
from fakes.kiwoom import FakeKiwoom
from fakes.kiwoom_socket import KiwoomSocket
from fakes.kiwoom_stage import KEYS, rules
from patience import wait_for
from sqlalchemy import func, select

from stocklab.brokers.values import BrokerName, PriceKind, Side
from stocklab.db import AccountHealthRow, Database, OrderRow
from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.operations import open_sealer
from stocklab.settings import load_settings
from stocklab.trading import OUTSIDE, Book, OrderState
from stocklab.trading.journal import Draft, Journal, Origin

KILLS = int(os.environ.get("STOCKLAB_TRADING_KILLS", "3"))
SEED = int(os.environ.get("STOCKLAB_TRADING_SEED", "20261128"))
ORDERS = 50 if KILLS >= 50 else 12
SHOWN = datetime(2026, 11, 20, 10, 15, tzinfo=KST)
PRICES = {"005930": 71_400, "000660": 182_500, "035420": 205_000}
CASH = Decimal(500_000_000)
LOST = (Trouble.RECORDED_NO_ANSWER, Trouble.RECORDED_500, Trouble.RECORDED_HTML, Trouble.NO_ANSWER, Trouble.ERROR_500)


class Session:
    """The market, the fake broker on sockets, and the process that is killed and begun again."""

    def __init__(self, database: Database, url: str, home: Path) -> None:
        self.database, self.url, self.home = database, url, home
        self.begun = datetime.now(UTC)
        self.exchange = Exchange(
            [Listing(symbol, symbol, Decimal(price), Decimal(price)) for symbol, price in PRICES.items()],
            clock=self.now,
            cash=CASH,
            rules=rules(),
        )
        self.fake = FakeKiwoom(self.exchange)
        self.socket = KiwoomSocket(self.fake)
        self.random = random.Random(SEED)
        self.over = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    def now(self) -> datetime:
        return SHOWN + (datetime.now(UTC) - self.begun)

    def start(self) -> None:
        script = Path(__file__).with_name("trading_process.py")
        arguments = [self.url, str(self.home), self.begun.isoformat(), SHOWN.isoformat()]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script), *arguments], stdout=log, stderr=log, env=self.environment
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def market(self) -> None:
        """Trades go on, whoever is there to see them."""
        rng = random.Random(SEED + 1)
        while not self.over.wait(0.05):
            symbol = rng.choice(sorted(PRICES))
            price = PRICES[symbol] + rng.randint(-12, 12) * 500
            self.exchange.trade(symbol, Decimal(price), Decimal(rng.randint(1, 40)))

    def looked(self, account: LinkedAccount) -> datetime | None:
        with self.database.read() as session:
            return session.scalar(select(AccountHealthRow.looked_at).where(AccountHealthRow.account_id == account.id))


@pytest.fixture
def trading(database: Database, empty_url: str, tmp_path: Path) -> Iterator[Session]:
    made = Session(database, empty_url, tmp_path)
    with OnSocket(made.fake.answer) as rest, OnWebSocket(made.socket.session, "/api/dostk/websocket") as socket:
        made.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STOCKLAB_")},
            "STOCKLAB_KIWOOM_URL": rest.url,
            "STOCKLAB_KIWOOM_WS_URL": socket.url,
            "STOCKLAB_LOG_FORMAT": "json",
        }
        market = threading.Thread(target=made.market, daemon=True)
        market.start()
        yield made
        made.over.set()
        market.join(10)
        if made.process is not None and made.process.poll() is None:
            made.process.terminate()
            assert made.process.wait(timeout=30) == 0


def test_killed_at_random_moments_it_ends_as_the_broker_has_it(trading: Session) -> None:
    rng = trading.random
    settings = load_settings({**trading.environment, "STOCKLAB_HOME": str(trading.home)})
    accounts = BrokerAccounts(trading.database, open_sealer(settings))
    account = accounts.link(
        "local",
        BrokerName.KIWOOM,
        mock=False,
        name="account",
        entered={"app_key": KEYS.app_key, "secret_key": KEYS.secret_key},
    )
    journal = Journal(trading.database, "local", account.id)
    wanted: dict[str, Decimal] = {}

    def intend(count: int) -> None:
        for _ in range(count):
            symbol = rng.choice(sorted(PRICES))
            quantity = Decimal(len(wanted) + 1)
            side = Side.SELL if trading.exchange.held.get(symbol, 0) > quantity and rng.random() < 0.4 else Side.BUY
            limit = PRICES[symbol] + rng.randint(-6, 6) * 500
            draft = Draft(
                symbol=symbol,
                side=side,
                kind=PriceKind.LIMIT,
                quantity=quantity,
                limit_price_krw=Decimal(limit),
                parts={OUTSIDE: quantity},
                origin=Origin.PERSON,
                plan_key=f"wish:{quantity}",
            )
            wanted[journal.intend([draft], trading.now())[0].order.order_id] = quantity

    trading.start()
    wait_for(lambda: Book().apply(journal.entries()).cash_krw == CASH, 60)
    intend(ORDERS // 3)
    for number in range(KILLS):
        if rng.random() < 0.5:
            trading.fake.troubles.plan(Target.ORDER, rng.choice(LOST))
        trading.over.wait(rng.uniform(0.0, 4.0))
        trading.kill()
        left = ORDERS - len(wanted)
        intend(max(0, -(-left // (KILLS - number)))) if rng.random() < 0.8 or number == KILLS - 1 else None
        before = trading.looked(account)
        trading.start()
        if rng.random() < 0.8:  # else it is killed while it begins
            wait_for(lambda before=before: trading.looked(account) not in (None, before), 60)
    intend(ORDERS - len(wanted))
    trading.fake.troubles.clear()

    def settled() -> bool:
        states = {OrderState(state) for state in _states(trading.database, account.id).values()}
        return not states & {OrderState.INTENT, OrderState.SENDING, OrderState.UNKNOWN}

    wait_for(settled, 180)
    time.sleep(0.5)
    for order_id, state in _states(trading.database, account.id).items():
        if not OrderState(state).final:
            journal.want_cancel(order_id)
    wait_for(lambda: all(OrderState(one).final for one in _states(trading.database, account.id).values()), 120)
    trading.over.set()
    wait_for(lambda: _book(journal) == (trading.exchange.cash, trading.exchange.held), 60)

    at_broker = Counter(one.quantity for one in trading.exchange.orders)
    assert set(at_broker.values()) == {1}, "an order reached the broker twice"
    states = _states(trading.database, account.id)
    assert set(states) == set(wanted), "an order is known that nobody wanted, or one is lost"
    known = {wanted[one]: OrderState(state) for one, state in states.items()}
    never = (OrderState.REFUSED, OrderState.REJECTED, OrderState.UNSENT, OrderState.WITHDRAWN, OrderState.ABSENT)
    assert {quantity for quantity, state in known.items() if state not in never} == set(at_broker)
    filled = {one.quantity: one.filled for one in trading.exchange.orders}
    with trading.database.read() as session:
        booked = {row.quantity: row.booked_quantity for row in session.scalars(select(OrderRow))}
        twice = session.scalar(select(func.count()).where(OrderRow.origin == Origin.BY_HAND.value))
    assert {quantity: booked[quantity] for quantity in filled} == filled
    assert not twice, "an order of ours was taken for one by hand"


def _states(database: Database, account_id: str) -> dict[str, str]:
    with database.read() as session:
        rows = session.execute(select(OrderRow.id, OrderRow.state).where(OrderRow.account_id == account_id))
        return {row.id: row.state for row in rows}


def _book(journal: Journal) -> tuple[Decimal, dict[str, Decimal]]:
    book = Book().apply(journal.entries())
    return book.cash_krw, {symbol: book.held(symbol) for symbol in book.symbols()}
