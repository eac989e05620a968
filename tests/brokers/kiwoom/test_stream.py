"""Fills and quotes on real sockets: log-in, registrations, heartbeats, and every way a connection can end."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from fakes.broker_server import OnWebSocket
from fakes.kiwoom_socket import KiwoomSocket
from fakes.kiwoom_stage import KEYS, Stage

from stocklab.brokers.kiwoom.auth import KiwoomKeys
from stocklab.brokers.kiwoom.frames import Registrations, events_of
from stocklab.brokers.kiwoom.session import StreamTiming
from stocklab.brokers.kiwoom.stream import KiwoomStream
from stocklab.brokers.protocol import StreamEvent, StreamKind
from stocklab.brokers.values import OrderTicket, PriceKind, QuoteSource, Side
from stocklab.errors import BrokerDenied

FAST = StreamTiming(
    first_pause=0.05, longest_pause=0.2, steady=30, silence=0.6, answer=2, chunk_pause=0.02, listen=0.02
)
PATIENCE = 5.0


class Watched:
    """A stream that runs on a thread of its own, and what it said."""

    def __init__(self, stage: Stage, url: str, timing: StreamTiming, keys: KiwoomKeys) -> None:
        self.events: queue.Queue[StreamEvent] = queue.Queue()
        self.wanted: frozenset[str] = frozenset()
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._stream = KiwoomStream(
            base_url="https://kiwoom.test",
            socket_url=url,
            keys=keys,
            mock=False,
            tokens=stage.tokens,
            pacer=stage.pacer,
            clock=stage.clock,
            transport=stage.transport,
            timing=timing,
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._stream.run(lambda: self.wanted, self.events.put, self.stop)
        except BrokerDenied as error:
            self.error = error

    def next(self, kind: StreamKind) -> StreamEvent:
        """The next event of a kind; others before it are passed over."""
        while True:
            event = self.events.get(timeout=PATIENCE)
            if event.kind is kind:
                return event

    def rest(self) -> list[StreamEvent]:
        found = []
        while not self.events.empty():
            found.append(self.events.get())
        return found


@contextmanager
def streaming(
    stage: Stage, timing: StreamTiming = FAST, keys: KiwoomKeys = KEYS
) -> Iterator[tuple[Watched, KiwoomSocket, OnWebSocket]]:
    socket = KiwoomSocket(stage.fake)
    with OnWebSocket(socket.session, "/api/dostk/websocket") as server:
        watched = Watched(stage, server.url, timing, keys)
        try:
            yield watched, socket, server
        finally:
            watched.stop.set()
            watched.thread.join(PATIENCE)
            assert not watched.thread.is_alive()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def ticket(quantity: int = 10, limit: int = 71_000) -> OrderTicket:
    return OrderTicket(
        client_order_id="one",
        symbol="005930",
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        quantity=Decimal(quantity),
        limit_price_krw=Decimal(limit),
    )


def test_an_order_its_fills_and_its_cancel_are_told_by_the_number_of_the_order():
    stage = Stage()
    with streaming(stage) as (watched, socket, _):
        watched.next(StreamKind.UP)
        ref = stage.broker.send(ticket()).ref
        stage.exchange.trade("005930", Decimal(71_000), Decimal(4))
        stage.broker.cancel(ref, symbol="005930", side=Side.BUY)
        events = [watched.next(StreamKind.ORDER) for _ in range(3)]
        assert [(event.symbol, event.order_number) for event in events] == [("005930", ref.number)] * 3
        assert (socket.log_ins, socket.early) == (1, 0)
        assert stage.fake.gate.issued == 1  # the broker and the stream share one token


def test_duplicates_and_a_turned_order_of_frames_are_harmless():
    stage = Stage()
    with streaming(stage) as (watched, socket, _):
        watched.next(StreamKind.UP)
        socket.twice = socket.reverse = socket.hold = True
        ref = stage.broker.send(ticket(limit=71_400)).ref
        socket.flush()
        numbers = [watched.next(StreamKind.ORDER).order_number for _ in range(4)]
        assert numbers == [ref.number] * 4
        (order,) = stage.broker.day_orders(ref.day)
        assert order.filled_krw == 714_000


def test_quotes_follow_what_is_wanted_in_chunks_under_the_cap():
    stage = Stage()
    with streaming(stage) as (watched, socket, _):
        watched.wanted = frozenset({"005930", "000660"})
        until(lambda: socket.registered == {"": {"00"}, "005930": {"0B"}, "000660": {"0B"}})
        socket.quote("005930", Decimal(70_800))
        event = watched.next(StreamKind.QUOTE)
        assert event.quote is not None
        assert (event.symbol, event.quote.price_krw, event.quote.source) == ("005930", 70_800, QuoteSource.SOCKET)
        assert event.quote.at == stage.clock()
        watched.wanted = frozenset({"000660"})
        until(lambda: socket.registered == {"": {"00"}, "000660": {"0B"}})


def test_no_more_than_two_hundred_items_go_out_and_no_more_than_fifty_at_once():
    stage = Stage()
    timing = StreamTiming(first_pause=0.05, silence=5, answer=2, chunk_pause=0.21, listen=0.02)
    with streaming(stage, timing) as (watched, socket, _):
        watched.wanted = frozenset(f"{number:06}" for number in range(300))
        until(lambda: len(socket.registered) == 200)
        assert sorted(socket.registered)[1:] == [f"{number:06}" for number in range(199)]
        assert (socket.largest_chunk, socket.overruns) == (50, 0)


def test_a_heartbeat_goes_back_as_it_came():
    stage = Stage()
    with streaming(stage) as (watched, socket, _):
        watched.next(StreamKind.UP)
        for text in ('{"trnm": "PING"}', '{"trnm":"PING","extra":  1}'):
            socket.ping(text)
        until(lambda: len(socket.echoes) == 2)
        assert socket.echoes == ['{"trnm": "PING"}', '{"trnm":"PING","extra":  1}']


def test_after_a_drop_it_logs_in_and_registers_again_and_says_both():
    stage = Stage()
    with streaming(stage) as (watched, socket, server):
        watched.wanted = frozenset({"005930"})
        watched.next(StreamKind.UP)
        until(lambda: "005930" in socket.registered)
        server.drop()
        watched.next(StreamKind.DOWN)
        watched.next(StreamKind.UP)
        until(lambda: socket.registered == {"": {"00"}, "005930": {"0B"}})
        stage.exchange.by_hand("005930", buys=True, quantity=Decimal(1))
        assert watched.next(StreamKind.ORDER).order_number == stage.exchange.orders[0].number


def test_silence_is_a_drop_and_heartbeats_are_no_silence():
    stage = Stage()
    with streaming(stage) as (watched, socket, _):
        watched.next(StreamKind.UP)
        for _ in range(10):
            socket.ping()
            time.sleep(0.1)
        assert watched.rest() == []
        socket.silent = True
        assert watched.next(StreamKind.DOWN).reason == "silent for too long"
        socket.silent = False
        watched.next(StreamKind.UP)


@pytest.mark.parametrize("told", [True, False])
def test_an_eviction_ends_it_and_it_does_not_come_back(told: bool):
    stage = Stage()
    with streaming(stage) as (watched, socket, _):
        watched.next(StreamKind.UP)
        socket.evict(told=told)
        watched.next(StreamKind.EVICTED)
        watched.thread.join(PATIENCE)
        assert not watched.thread.is_alive()
        assert (socket.log_ins, socket.system_heard) == (1, 0)


def test_a_dead_token_is_replaced_once_and_only_when_that_is_allowed():
    stage = Stage()
    stage.broker.check()
    stage.fake.gate.kill()
    with streaming(stage) as (watched, socket, _):
        time.sleep(0.4)
        assert (stage.fake.gate.issued, socket.log_ins) == (1, 0)  # a minute has not passed
        stage.clock.now += timedelta(seconds=61)
        watched.next(StreamKind.UP)
        assert (stage.fake.gate.issued, socket.log_ins) == (2, 1)


def test_wrong_keys_end_it_with_an_error():
    stage = Stage()
    with streaming(stage, keys=KiwoomKeys(app_key="?", secret_key="?")) as (watched, _, _):
        watched.thread.join(PATIENCE)
        assert isinstance(watched.error, BrokerDenied)


def test_a_refused_registration_slows_down_or_shrinks_but_never_loses_the_account():
    registrations = Registrations(chunk_pause=0.35, answer_seconds=10)
    wanted = frozenset({"000660", "005930"})
    assert registrations.next_request(wanted, 0.0) == {
        "trnm": "REG", "grp_no": "1", "refresh": "1", "data": [{"item": [""], "type": ["00"]}],
    }  # fmt: skip
    assert registrations.next_request(wanted, 0.1) is None  # one at a time
    assert not registrations.overdue(9.9)
    assert registrations.overdue(10.1)
    assert registrations.answered(0, "", 1.0)
    assert registrations.next_request(wanted, 1.2) is None
    request = {
        "trnm": "REG", "grp_no": "2", "refresh": "1", "data": [{"item": ["000660", "005930"], "type": ["0B"]}],
    }  # fmt: skip
    assert registrations.next_request(wanted, 1.4) == request
    assert registrations.answered(105110, "", 1.5)  # too fast: the same again, later
    assert registrations.next_request(wanted, 3.0) is None
    assert registrations.next_request(wanted, 3.6) == request
    assert registrations.answered(105115, "", 3.7)  # too many: no more than there are
    assert registrations.next_request(wanted, 9.0) is None


def test_frames_of_the_guide_and_frames_that_cannot_be_read():
    now = Stage().clock()
    trade = {
        "type": "0B",
        "name": "주식체결",
        "item": "005930",
        "values": {"20": "101511", "10": "-71400", "27": "", "28": "+71300"},
    }
    several = {
        "trnm": "REAL",
        "data": [trade, trade | {"values": [trade["values"]]}, {"type": "0D", "values": {}}, "?"],
    }
    first, second = events_of(several, now)
    assert first == second
    assert first.quote is not None
    assert (first.quote.price_krw, first.quote.bid_krw, first.quote.ask_krw) == (71_400, 71_300, None)
    assert first.quote.at == now - timedelta(seconds=1)
    for broken in ({"10": "x"}, {"10": ""}, {}, {"10": "-0"}):
        assert list(events_of({"data": [trade | {"values": broken}]}, now)) == []
    order = {
        "type": "00",
        "item": "",
        "values": {"9203": "0060401", "904": "0060327", "9001": "A005930", "913": "확인"},
    }
    (event,) = events_of({"data": [order]}, now)
    assert (event.symbol, event.order_number) == ("005930", "0060327")
    (event,) = events_of({"data": [order | {"values": {}}]}, now)
    assert (event.kind, event.symbol, event.order_number) == (StreamKind.ORDER, None, None)
