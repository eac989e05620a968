"""The two sockets: what is seen, what is wanted, and how a line comes back. Everything on real sockets."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import pytest
from fakes.broker_server import OnWebSocket
from fakes.exchange import KST, Exchange
from fakes.upbit_exchange import FakeUpbit, upbit_rules, uuid_of
from fakes.upbit_pocket import ACCESS, CREDENTIALS, SECRET, listings
from fakes.upbit_socket import FakeUpbitSockets

from stocklab.brokers.protocol import StreamEvent, StreamKind
from stocklab.brokers.upbit.line import Heard, Line, Pauses
from stocklab.brokers.upbit.stream import UpbitStream
from stocklab.brokers.values import QuoteSource
from stocklab.errors import BrokerDenied

PATH = "/websocket/v1"
QUICK = Pauses(first=0.05, longest=0.2, change=0.3, beat=0.5, silence=1.2, confirm=1.0, open=2.0)


@dataclass(slots=True)
class Listening:
    """A stream on its thread, and what it said."""

    stream: UpbitStream
    wanted: frozenset[str] = frozenset()
    events: list[StreamEvent] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    ended_by: Exception | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.stream.run(lambda: self.wanted, self.events.append, self.stop)
        except BrokerDenied as error:
            self.ended_by = error

    def join(self) -> None:
        assert self._thread is not None
        self._thread.join(5)
        assert not self._thread.is_alive()

    def kinds(self) -> list[StreamKind]:
        return [one.kind for one in self.events if one.kind in {StreamKind.UP, StreamKind.DOWN}]

    def count(self, kind: StreamKind) -> int:
        return sum(one.kind is kind for one in self.events)


@dataclass(slots=True)
class World:
    exchange: Exchange
    sockets: FakeUpbitSockets
    server: OnWebSocket
    listening: Listening


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end, "it did not happen within 5 s"
        time.sleep(0.005)


@contextlib.contextmanager
def world(wanted: frozenset[str], pauses: Pauses = QUICK, secret: str = SECRET) -> Iterator[World]:
    exchange = Exchange(listings(), clock=lambda: datetime.now(KST), rules=upbit_rules())
    fake = FakeUpbit(exchange, access_key=ACCESS, secret_key=secret)
    sockets = FakeUpbitSockets(fake, beat_seconds=0.1)
    with OnWebSocket(sockets.session, PATH, sockets.admit) as server:
        stream = UpbitStream(credentials=CREDENTIALS, clock=lambda: datetime.now(KST), ws_url=server.url, pauses=pauses)
        listening = Listening(stream, wanted)
        listening.start()
        try:
            yield World(exchange, sockets, server, listening)
        finally:
            listening.stop.set()
            listening.join()


@pytest.fixture
def both() -> Iterator[World]:
    """Orders, and the price of one coin."""
    with world(frozenset({"KRW-BTC", "BTC-ETH"})) as made:
        until(lambda: made.listening.count(StreamKind.UP))
        yield made


def test_fills_and_prices_are_seen(both: World):
    order = both.exchange.place("KRW-BTC", buys=True, quantity=Decimal("0.01"), limit=Decimal(107_500_000))
    both.exchange.trade("KRW-BTC", Decimal(107_000_000))
    both.sockets.tick("KRW-BTC")
    until(lambda: both.listening.count(StreamKind.QUOTE) >= 2 and both.listening.count(StreamKind.ORDER) >= 3)
    orders = [one for one in both.listening.events if one.kind is StreamKind.ORDER]
    assert {(one.symbol, one.order_number) for one in orders} == {("KRW-BTC", uuid_of(order.number))}
    assert [one.reason for one in orders] == ["wait", "trade", "done"]
    first, last = (one.quote for one in both.listening.events if one.kind is StreamKind.QUOTE)
    assert first is not None and last is not None  # noqa: PT018
    assert (first.price_krw, last.price_krw) == (Decimal(108_000_000), Decimal(107_000_000))
    assert last.source is QuoteSource.SOCKET
    assert abs((datetime.now(KST) - last.at).total_seconds()) < 5
    assert both.listening.kinds() == [StreamKind.UP]


def test_the_private_socket_alone_is_signed(both: World):
    signed = sorted("authorization" in one for one in both.sockets.handshakes)
    assert signed == [False, True]
    assert all("origin" not in one for one in both.sockets.handshakes)
    assert dict(both.sockets.asked) == {PATH: {"ticker": ("KRW-BTC",)}, f"{PATH}/private": {"myOrder": ()}}


def test_subscriptions_follow_what_is_wanted(both: World):
    both.listening.wanted = frozenset({"KRW-ETH", "KRW-DOGE"})
    until(lambda: (PATH, {"ticker": ("KRW-DOGE", "KRW-ETH")}) in both.sockets.asked)
    both.sockets.tick("KRW-DOGE")
    both.sockets.tick("KRW-BTC")
    until(lambda: any(one.symbol == "KRW-DOGE" for one in both.listening.events))
    both.listening.wanted = frozenset()
    until(lambda: len(both.server.sessions) == 1)
    both.listening.wanted = frozenset({"KRW-BTC"})
    until(lambda: len(both.server.sessions) == 2)
    assert both.listening.kinds() == [StreamKind.UP]
    assert both.sockets.overruns == 0


def test_a_line_that_is_cut_comes_back(both: World):
    both.server.drop()
    until(lambda: both.listening.kinds() == [StreamKind.UP, StreamKind.DOWN, StreamKind.UP])
    assert "cut" in next(one.reason for one in both.listening.events if one.kind is StreamKind.DOWN)
    both.exchange.place("KRW-BTC", buys=True, quantity=Decimal("0.01"), limit=Decimal(90_000_000))
    until(lambda: both.listening.count(StreamKind.ORDER))


def test_a_silent_line_is_given_up(both: World):
    both.sockets.silent = True
    until(lambda: both.listening.count(StreamKind.DOWN))
    assert "silent" in both.listening.events[-1].reason
    time.sleep(QUICK.confirm + 0.3)  # a line that opens and confirms nothing is not up
    assert both.listening.kinds() == [StreamKind.UP, StreamKind.DOWN]
    both.sockets.silent = False
    until(lambda: both.listening.kinds()[-1] is StreamKind.UP)


def test_a_line_that_beats_but_confirms_nothing_is_not_up():
    with world(frozenset()) as made:
        until(lambda: made.listening.count(StreamKind.UP))
        made.sockets.unconfirmed = True
        made.server.drop()
        until(lambda: len(made.sockets.handshakes) == 3)  # the second was given up
        assert made.listening.kinds() == [StreamKind.UP, StreamKind.DOWN]


def test_the_end_of_an_older_connection_does_not_end_the_next():
    exchange = Exchange(listings(), clock=lambda: datetime.now(KST), rules=upbit_rules())
    sockets = FakeUpbitSockets(FakeUpbit(exchange, access_key=ACCESS, secret_key=SECRET))
    inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()

    def up() -> Line:
        line.step(frozenset({"KRW-BTC"}))
        with contextlib.suppress(queue.Empty):
            line.heard(inbox.get(timeout=0.01))
        return line

    with OnWebSocket(sockets.session, PATH, sockets.admit) as server:
        line = Line("public", server.url, "ticker", inbox, QUICK, time.monotonic)
        until(lambda: up().up)
        server.drop()
        end = next(one for one in iter(lambda: inbox.get(timeout=5), None) if one.body is None)
        line.end("given up before its end was heard")
        until(lambda: up().up)
        assert line.heard(end) is None
        assert line.up
        line.rest()


def test_a_quiet_market_keeps_its_line(both: World):
    time.sleep(QUICK.silence * 2)
    assert both.listening.kinds() == [StreamKind.UP]


@pytest.mark.parametrize("fault", ["duplicate", "reorder"])
def test_disorder_is_harmless(both: World, fault: str):
    setattr(both.sockets, fault, True)
    order = both.exchange.place("KRW-BTC", buys=True, quantity=Decimal("0.01"), limit=Decimal(108_000_000))
    both.sockets.tick("KRW-BTC")
    until(lambda: both.listening.count(StreamKind.ORDER) >= 2)
    assert {one.order_number for one in both.listening.events if one.kind is StreamKind.ORDER} == {
        uuid_of(order.number)
    }
    assert both.listening.kinds() == [StreamKind.UP]


def test_what_is_no_message_is_passed_over(both: World):
    for text in ("[]", b"\xff\xfe", "{", '{"type":"myOrder"}', '{"type":"ticker","code":"KRW-BTC"}', '{"status":"UP"}'):
        both.server.send(text)
    both.sockets.tick("KRW-BTC")
    until(lambda: both.listening.count(StreamKind.QUOTE) >= 2)
    assert both.listening.kinds() == [StreamKind.UP]


def test_too_many_messages_wait_longer(both: World):
    both.server.send('{"error":{"name":"TOO_MANY_REQUEST","message":""}}')
    until(lambda: both.listening.kinds() == [StreamKind.UP, StreamKind.DOWN, StreamKind.UP])
    assert "TOO_MANY_REQUEST" in next(one.reason for one in both.listening.events if one.kind is StreamKind.DOWN)


def test_refused_keys_end_it():
    with world(frozenset(), secret="another") as made:
        made.listening.join()
        assert isinstance(made.listening.ended_by, BrokerDenied)
        assert len(made.sockets.handshakes) == 1
        assert ACCESS not in str(made.listening.ended_by)
    assert made.listening.events == []


def test_keys_that_are_refused_later_end_it():
    with world(frozenset()) as made:
        until(lambda: made.listening.count(StreamKind.UP))
        made.server.send('{"error":{"name":"INVALID_AUTH","message":""}}')
        made.listening.join()
        assert isinstance(made.listening.ended_by, BrokerDenied)
    assert made.listening.kinds() == [StreamKind.UP, StreamKind.DOWN]


def test_pauses_grow_while_nothing_answers():
    with world(frozenset()) as made:
        until(lambda: made.listening.count(StreamKind.UP))
        made.sockets.refuses = 429
        began = time.monotonic()
        made.server.drop()
        until(lambda: len(made.sockets.handshakes) == 6)
        assert time.monotonic() - began >= 0.05 + 0.1 + 0.2 + 0.2 + 0.2
        made.sockets.refuses = 0
        until(lambda: made.listening.kinds()[-1] is StreamKind.UP)


def test_stopping_is_told_and_leaves_nothing_behind(both: World):
    both.listening.stop.set()
    both.listening.join()
    assert both.listening.events[-1].kind is StreamKind.DOWN
    until(lambda: not both.server.sessions)
    assert not [one for one in threading.enumerate() if one.name.startswith("upbit-")]
