"""The socket on a real one: fills and quotes come, and it comes back after every kind of end but one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from fakes.broker_faults import Target, Trouble, WithoutSocket
from fakes.broker_server import OnWebSocket
from fakes.kis_socket import FakeKisSocket
from fakes.kis_stage import HYNIX, SAMSUNG, Stage, ticket

from stocklab.brokers.kis.auth import KisAccount
from stocklab.brokers.kis.stream import KisStream
from stocklab.brokers.pacing import Pacer, Rate
from stocklab.brokers.protocol import StreamEvent, StreamKind
from stocklab.brokers.values import Side
from stocklab.errors import BrokerDenied

_PATIENCE = 10.0


class Listening:
    """Our stream on a thread of its own, what it emits, and how it ended."""

    def __init__(self, stage: Stage, socket: FakeKisSocket, url: str, **changes: Any) -> None:
        given: dict[str, Any] = {
            "base_url": "http://kis.test",
            "ws_url": url,
            "credentials": stage.credentials(),
            "account": KisAccount(cano=stage.fake.cano),
            "hts_id": socket.hts_id,
            "mock": stage.mock,
            "pacer": Pacer({"kis:approval:": Rate(per_second=1_000, burst=100)}),
            "clock": lambda: stage.now,
            "transport": WithoutSocket(stage.fake.answer, stage.sleep),
            "pauses": (0.02, 0.05),
        }
        self.stream = KisStream(**(given | changes))
        self.wanted: frozenset[str] = frozenset()
        self.events: list[StreamEvent] = []
        self.error: Exception | None = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.stream.run(lambda: self.wanted, self.events.append, self.stop)
        except BrokerDenied as error:
            self.error = error

    def of(self, kind: StreamKind) -> list[StreamEvent]:
        return [event for event in list(self.events) if event.kind is kind]

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < end, [(one.kind, one.reason) for one in self.events]
            time.sleep(0.005)

    def up(self, times: int = 1) -> None:
        self.until(lambda: len(self.of(StreamKind.UP)) >= times)

    def close(self) -> None:
        self.stop.set()
        self.thread.join(_PATIENCE)
        assert not self.thread.is_alive()


@contextmanager
def _listening(stage: Stage, **changes: Any) -> Iterator[tuple[FakeKisSocket, Listening]]:
    socket = FakeKisSocket(stage.fake)
    with OnWebSocket(socket.session) as server:
        ours = Listening(stage, socket, server.url, **changes)
        try:
            yield socket, ours
        finally:
            ours.close()


@pytest.mark.parametrize(("mock", "notices"), [(False, "H0STCNI0"), (True, "H0STCNI9")])
def test_fills_and_quotes(mock: bool, notices: str):
    stage = Stage(mock=mock)
    with _listening(stage) as (socket, ours):
        ours.wanted = frozenset({SAMSUNG})
        ours.up()
        ours.until(lambda: ("H0STCNT0", SAMSUNG) in socket.registered)
        assert socket.asked[0] == ("1", notices, "slab01")
        receipt = stage.broker.send(ticket())
        stage.exchange.trade(SAMSUNG, Decimal(71_300), Decimal(4))
        stage.broker.cancel(receipt.ref, symbol=SAMSUNG, side=Side.BUY)
        ours.until(lambda: len(ours.of(StreamKind.ORDER)) == 3)
        told = [(one.order_number, one.symbol, one.reason) for one in ours.of(StreamKind.ORDER)]
        assert told == [(receipt.ref.number, SAMSUNG, what) for what in ("order", "fill", "cancel")]
        socket.trade((SAMSUNG, "71300"), (SAMSUNG, "71200"))
        ours.until(lambda: ours.of(StreamKind.QUOTE))
        (event,) = ours.of(StreamKind.QUOTE)
        assert event.quote is not None
        assert (event.quote.price_krw, event.quote.ask_krw, event.quote.at) == (
            71_200,
            71_300,
            stage.now.replace(microsecond=0),
        )
        ours.until(lambda: socket.echoes >= 2)
        assert ours.events[0].kind is StreamKind.UP


def test_notices_of_other_accounts_and_ones_that_cannot_be_read():
    stage = Stage()
    with _listening(stage) as (socket, ours):
        ours.up()
        fields = ["slab01", "5099999901", *["0"] * 24]
        socket.notify("^".join(fields))
        fields[1], fields[2], fields[8] = "5012345601", "0000000077", SAMSUNG
        socket.notify("^".join(fields), "^".join(fields))
        ours.until(lambda: len(ours.of(StreamKind.ORDER)) == 2)
        assert {one.order_number for one in ours.of(StreamKind.ORDER)} == {"0000000077"}
        with socket._lock:
            socket.lines[0].connection.send("1|H0STCNI0|001|AAAA")
        ours.until(lambda: len(ours.of(StreamKind.ORDER)) == 3)
        assert ours.of(StreamKind.ORDER)[-1].order_number is None


def test_duplicates_another_order_and_old_fields_are_harmless():
    stage = Stage()
    with _listening(stage) as (socket, ours):
        ours.up()
        socket.copies, socket.old_layout = 2, True
        receipt = stage.broker.send(ticket(price="71400"))
        ours.until(lambda: len(ours.of(StreamKind.ORDER)) == 4)
        socket.held = []
        other = stage.broker.send(ticket(price="71400"))
        socket.release()
        ours.until(lambda: len(ours.of(StreamKind.ORDER)) == 6)
        numbers = [one.order_number for one in ours.of(StreamKind.ORDER)]
        assert numbers == [receipt.ref.number] * 4 + [other.ref.number] * 2
        assert [one.reason for one in ours.of(StreamKind.ORDER)][-2:] == ["fill", "order"]


def test_subscriptions_follow_what_is_wanted_up_to_forty():
    stage = Stage()
    with _listening(stage) as (socket, ours):
        ours.wanted = frozenset({SAMSUNG, HYNIX})
        ours.until(lambda: len(socket.registered) == 3)
        ours.wanted = frozenset({HYNIX, *(f"1{place:05d}" for place in range(50))})
        ours.until(lambda: len(socket.registered) == 40)
        assert ("H0STCNT0", HYNIX) in socket.registered  # what is there stays
        assert ("2", "H0STCNT0", SAMSUNG) in socket.asked
        assert len(socket.asked) == 3 + 1 + 38


def test_it_comes_back_after_a_cut_and_registers_again_with_the_same_key():
    stage = Stage()
    with _listening(stage) as (socket, ours):
        ours.wanted = frozenset({SAMSUNG})
        for times in range(1, 4):
            ours.up(times)
            ours.until(lambda: len(socket.registered) == 2)
            socket.drop()
            ours.until(lambda: len(ours.of(StreamKind.DOWN)) == times)  # noqa: B023
        ours.up(4)
        # Each connection has another key for its notices.
        stage.broker.send(ticket())
        ours.until(lambda: ours.of(StreamKind.ORDER))
        assert ours.of(StreamKind.ORDER)[0].reason == "order"
        assert len(stage.fake.approvals) == 1


def test_it_comes_back_after_silence():
    stage = Stage()
    with _listening(stage, silence_seconds=0.3) as (socket, ours):
        ours.up()
        time.sleep(0.5)  # heartbeats alone keep it up
        assert ours.of(StreamKind.DOWN) == []
        socket.quiet = True
        ours.until(lambda: ours.of(StreamKind.DOWN))
        assert ours.of(StreamKind.DOWN)[0].reason == "silent"
        socket.quiet = False
        ours.up(2)


def test_another_session_is_waited_for_and_then_means_eviction():
    stage = Stage()
    with _listening(stage, takeover_seconds=0.6) as (socket, ours):
        ours.up()
        socket.in_use = True  # for a moment, as after a crash of our own
        socket.drop()
        ours.until(lambda: socket.refused >= 2)
        socket.in_use = False
        ours.up(2)
        assert ours.of(StreamKind.EVICTED) == []
        socket.in_use = True
        socket.drop()
        ours.thread.join(_PATIENCE)
        assert ours.events[-1].kind is StreamKind.EVICTED
        assert ours.error is None


def test_a_wrong_hts_id_ends_it_soon():
    stage = Stage()
    with _listening(stage, hts_id="wrong") as (socket, ours):
        ours.thread.join(_PATIENCE)
        assert "HTS id" in str(ours.error)
        assert len(socket.asked) == 5


def test_wrong_keys_end_it_and_trouble_does_not():
    stage = Stage()
    stage.fake.troubles.plan(Target.TOKEN, Trouble.NO_ANSWER, times=2)
    with _listening(stage) as (_, ours):
        ours.up()
        assert len(ours.of(StreamKind.DOWN)) == 2
    with _listening(stage, credentials=stage.credentials(app_secret="other")) as (_, ours):
        ours.thread.join(_PATIENCE)
        assert isinstance(ours.error, BrokerDenied)


def test_an_old_approval_key_is_replaced():
    stage = Stage()
    with _listening(stage) as (socket, ours):
        ours.up()
        stage.fake.approvals[0] = "forgotten"
        socket.drop()
        ours.up(2)
        assert len(stage.fake.approvals) == 2


def test_without_an_hts_id_there_are_quotes_alone():
    stage = Stage()
    with _listening(stage, hts_id="") as (socket, ours):
        ours.wanted = frozenset({SAMSUNG})
        ours.up()
        ours.until(lambda: socket.registered == {("H0STCNT0", SAMSUNG)})
