"""The trading lane with its real threads against a fake Kiwoom on real sockets: what is written is sent and followed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from fakes.broker_faults import Target, Trouble
from fakes.broker_server import OnSocket, OnWebSocket
from fakes.exchange import KST, Exchange, Listing
from fakes.kiwoom import ACCOUNT, FakeKiwoom
from fakes.kiwoom_socket import KiwoomSocket
from fakes.kiwoom_stage import KEYS, rules
from patience import wait_for
from sqlalchemy import select

from stocklab.brokers.pacing import Pacer, Rate
from stocklab.brokers.values import BrokerName, PriceKind, Side
from stocklab.db import AccountHealthRow, BrokerAccountRow, Database, LastQuoteRow, OrderRow
from stocklab.live.accounts import AccountKind, BrokerAccounts, LinkedAccount
from stocklab.live.connections import Connection, Connector, connect
from stocklab.live.desk import DeskParts
from stocklab.live.instruments import Instrument
from stocklab.live.switches import Switches
from stocklab.live.token_store import SealedTokens
from stocklab.operations import Sealer
from stocklab.settings import Settings
from stocklab.sidecar.account_thread import Pace
from stocklab.sidecar.lanes import Resources
from stocklab.sidecar.trading_lane import TradingLane
from stocklab.trading import OUTSIDE
from stocklab.trading.journal import Draft, Journal, Origin

OPENED = datetime(2026, 11, 20, 10, 15, tzinfo=KST)
QUICK = Pace(busy=0.1, calm=0.2, denied=0.3, peek=0.05, broken=0.1)
MARKETS = {"005930": "KOSPI", "000660": "KOSPI"}


class Stage:
    """A market whose clock runs from a Friday morning, the fake in front of it, and the lane behind it."""

    def __init__(self, database: Database, home: Path) -> None:
        self.database, self.home = database, home
        begun = datetime.now(UTC)
        self.clock = lambda: OPENED + (datetime.now(UTC) - begun)
        self.exchange = Exchange(
            [
                Listing("005930", "삼성전자", Decimal(71_400), Decimal(70_900)),
                Listing("000660", "SK하이닉스", Decimal(182_500), Decimal(183_000)),
            ],
            clock=self.clock,
            cash=Decimal(20_000_000),
            rules=rules(),
        )
        self.fake = FakeKiwoom(self.exchange, mock=True)
        self.socket = KiwoomSocket(self.fake)
        self.sealer = Sealer(("a secret of at least thirty-two characters",))
        self.accounts = BrokerAccounts(database, self.sealer)
        self.stopping = threading.Event()
        self.lane: TradingLane | None = None

    def start(self, rest: str, socket: str) -> None:
        settings = Settings(home=self.home, kiwoom_mock_url=rest, kiwoom_mock_ws_url=socket)
        connector = Connector(
            settings=settings,
            tokens=SealedTokens(self.database, self.sealer),
            pacer=Pacer({"": Rate(per_second=200, burst=50)}),
            clock=self.clock,
            sleep=self.stopping.wait,
        )

        def opened(account: LinkedAccount) -> Connection:
            keys = self.accounts.keys(account.id)
            return connect(connector, account.broker, mock=account.mock, keys=keys, key_id=account.id)

        parts = DeskParts(database=self.database, clock=self.clock, look_up=instrument, closes=lambda _symbols: {})
        self.lane = TradingLane(
            settings=settings,
            database=self.database,
            worker="test",
            clock=self.clock,
            resources=Resources(),
            stopping=self.stopping,
            poll_seconds=0.1,
            shared=lambda _lane: (self.accounts, opened, parts),
            pace=QUICK,
        )
        self.lane.start()

    def link(self) -> LinkedAccount:
        entered = {"app_key": KEYS.app_key, "secret_key": KEYS.secret_key}
        return self.accounts.link("local", BrokerName.KIWOOM, mock=True, name="모의", entered=entered)

    def intend(self, account: LinkedAccount, side: Side, quantity: int, limit: int, symbol: str = "005930") -> str:
        draft = Draft(
            symbol=symbol,
            side=side,
            kind=PriceKind.LIMIT,
            quantity=Decimal(quantity),
            limit_price_krw=Decimal(limit),
            parts={OUTSIDE: Decimal(quantity)},
            origin=Origin.PERSON,
        )
        (kept,) = Journal(self.database, "local", account.id).intend([draft], self.clock())
        return kept.order.order_id

    def state(self, order_id: str) -> str:
        with self.database.read() as session:
            return session.scalar(select(OrderRow.state).where(OrderRow.id == order_id)) or ""

    def health(self, account: LinkedAccount) -> dict[str, object]:
        with self.database.read() as session:
            row = session.get(AccountHealthRow, account.id)
            return {} if row is None else {**row.document, "trouble": row.trouble, "well": row.well_at is not None}


def instrument(symbol: str) -> Instrument | None:
    market = MARKETS.get(symbol)
    return None if market is None else Instrument(symbol=symbol, name=symbol, market=market, sector="", close=None)


@pytest.fixture
def stage(database: Database, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(database, tmp_path)
    with OnSocket(made.fake.answer) as rest, OnWebSocket(made.socket.session, "/api/dostk/websocket") as socket:
        made.start(rest.url, socket.url)
        yield made
        made.stopping.set()
        assert made.lane is not None
        assert made.lane.join(20)


def test_what_is_written_is_sent_followed_and_booked(stage: Stage) -> None:
    account = stage.link()
    assert account.kind is AccountKind.MOCK
    wait_for(lambda: stage.health(account).get("cash_krw") == "20000000")  # booked as coming from elsewhere
    bought = stage.intend(account, Side.BUY, 10, 71_300)
    wait_for(lambda: stage.state(bought) == "open")
    stage.exchange.trade("005930", Decimal(71_300), Decimal(4))
    wait_for(lambda: stage.health(account).get("open") == 1)
    stage.exchange.trade("005930", Decimal(71_300))
    wait_for(lambda: stage.state(bought) == "filled")
    assert stage.exchange.held == {"005930": Decimal(10)}
    wait_for(lambda: Decimal(str(stage.health(account)["cash_krw"])) == stage.exchange.cash)
    with stage.database.read() as session:
        quote = session.get(LastQuoteRow, "005930")
        assert quote is not None
        assert quote.source in ("socket", "rest")
        shown = session.get(BrokerAccountRow, account.id)
        assert shown is not None
        assert shown.masked.endswith(ACCOUNT[-2:])
        assert ACCOUNT not in shown.masked


def test_the_gate_refuses_and_the_switch_cancels(stage: Stage) -> None:
    account = stage.link()
    wait_for(lambda: stage.health(account).get("cash_krw") == "20000000")
    too_large = stage.intend(account, Side.BUY, 250, 71_400)  # 17.85 of 20 million won, more than a quarter
    wait_for(lambda: stage.state(too_large) == "refused")
    resting = stage.intend(account, Side.BUY, 10, 70_000)
    wait_for(lambda: stage.state(resting) == "open")
    Switches(stage.database).stop_mine("local", "because")
    wait_for(lambda: stage.state(resting) == "cancelled")
    held_back = stage.intend(account, Side.BUY, 1, 70_000)
    wait_for(lambda: stage.state(held_back) == "withdrawn")
    Switches(stage.database).lift_mine("local")
    again = stage.intend(account, Side.BUY, 1, 70_000)
    wait_for(lambda: stage.state(again) == "open")
    assert len(stage.exchange.orders) == 2


def test_wrong_keys_are_said_and_other_keys_end_it(stage: Stage) -> None:
    entered = {"app_key": "wrong-key", "secret_key": "wrong-secret"}
    account = stage.accounts.link("local", BrokerName.KIWOOM, mock=True, name="모의", entered=entered)
    wait_for(lambda: stage.health(account).get("denied") is True)
    stage.accounts.change_keys("local", account.id, {"app_key": KEYS.app_key, "secret_key": KEYS.secret_key})
    wait_for(lambda: stage.health(account).get("well") is True)


def test_a_lost_answer_is_found_and_nothing_is_sent_again(stage: Stage) -> None:
    account = stage.link()
    wait_for(lambda: stage.health(account).get("cash_krw") == "20000000")
    stage.fake.troubles.plan(Target.ORDER, Trouble.RECORDED_NO_ANSWER)
    sent = stage.intend(account, Side.BUY, 5, 71_000)
    wait_for(lambda: stage.state(sent) == "open")
    assert len(stage.exchange.orders) == 1


def test_an_account_that_is_switched_off_is_left_alone(stage: Stage) -> None:
    account = stage.link()
    wait_for(lambda: stage.health(account).get("well") is True)
    stage.accounts.set_active("local", account.id, active=False)
    assert stage.lane is not None
    lane = stage.lane
    wait_for(lambda: not lane.threads)
    waiting = stage.intend(account, Side.BUY, 1, 70_000)
    stage.stopping.wait(0.5)
    assert stage.state(waiting) == "intent"
    stage.accounts.set_active("local", account.id, active=True)
    wait_for(lambda: stage.state(waiting) == "open")
