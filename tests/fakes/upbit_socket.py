"""Upbit's two sockets over a `FakeUpbit`: prices at the public path, orders at the private one."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fakes.exchange import Exchange, Fill, Order
from fakes.upbit_exchange import FakeUpbit, ticker, uuid_of
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

_PUBLIC, _PRIVATE = "/websocket/v1", "/websocket/v1/private"
_TYPES = {_PUBLIC: {"ticker"}, _PRIVATE: {"myOrder", "myAsset"}}


@dataclass(slots=True, eq=False)
class _Session:
    path: str
    out: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    said_at: deque[float] = field(default_factory=deque)
    beat_at: float | None = None
    kept: dict[str, Any] | None = None


class FakeUpbitSockets:
    """Sessions for `OnWebSocket(session, path="/websocket/v1", admit=...)`; time is the real one.

    ``silent`` says nothing any more, ``duplicate`` everything twice, ``reorder`` swaps each pair,
    ``unconfirmed`` keeps what is subscribed to itself. ``refuses`` is the
    status of handshakes, 0 for none. ``asked`` are the subscriptions in their order, ``overruns`` messages above 5 a
    second or 100 a minute.
    """

    def __init__(self, fake: FakeUpbit, *, beat_seconds: float = 10.0, idle_seconds: float = 120.0) -> None:
        self.fake = fake
        self.silent = self.duplicate = self.reorder = self.unconfirmed = False
        self.refuses = 0
        self.asked: list[tuple[str, dict[str, tuple[str, ...]]]] = []
        self.handshakes: list[dict[str, str]] = []
        self.overruns = 0
        self._beat_seconds = beat_seconds
        self._idle_seconds = idle_seconds
        self._sessions: list[_Session] = []
        self._lock = threading.Lock()
        exchange: Exchange = fake.exchange
        exchange.listeners.append(self._happened)

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append({key.lower(): value for key, value in request.headers.raw_items()})
        if self.refuses:
            return connection.respond(self.refuses, "refused\n")
        if request.path not in _TYPES:
            return connection.respond(404, "no such path\n")
        if request.path == _PRIVATE:
            name = self.fake.refused_token(request.headers.get("Authorization", ""), "", "orders")
            if name:
                return connection.respond(401, json.dumps({"error": {"name": name, "message": ""}}))
        return None

    def session(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        mine = _Session(connection.request.path)
        with self._lock:
            self._sessions.append(mine)
        with contextlib.suppress(ConnectionClosed, OSError):
            self._talk(connection, mine)
        with self._lock:
            self._sessions.remove(mine)

    def tick(self, symbol: str) -> None:
        """The price of a symbol goes to those who want it."""
        data = {"type": "ticker", "code": symbol, "stream_type": "REALTIME"} | _price(self.fake, symbol)
        with self._lock:
            for one in self._sessions:
                if symbol in one.wanted.get("ticker", ()):
                    one.out.put(data)

    def _talk(self, connection: ServerConnection, mine: _Session) -> None:
        heard_at = time.monotonic()
        while True:
            try:
                text = connection.recv(timeout=0.01)
            except TimeoutError:
                pass
            else:
                heard_at = time.monotonic()
                self._heard(connection, mine, text if isinstance(text, str) else text.decode())
            with contextlib.suppress(queue.Empty):
                while True:
                    self._deliver(connection, mine, mine.out.get_nowait())
            now = time.monotonic()
            if now - heard_at > self._idle_seconds:
                connection.close()
                return
            if mine.beat_at is not None and now >= mine.beat_at and not self.silent:
                mine.beat_at = now + self._beat_seconds
                connection.send(json.dumps({"status": "UP"}).encode())

    def _heard(self, connection: ServerConnection, mine: _Session, text: str) -> None:
        now = time.monotonic()
        mine.said_at.append(now)
        while now - mine.said_at[0] > 60:
            mine.said_at.popleft()
        if len(mine.said_at) > 100 or sum(now - one < 1 for one in mine.said_at) > 5:
            self.overruns += 1
            self._say(connection, {"error": {"name": "TOO_MANY_REQUEST", "message": ""}})
            return
        if text == "PING":
            mine.beat_at = now
            return
        answer = self._subscribed(mine, text)
        if answer is not None:
            self._say(connection, answer)

    def _subscribed(self, mine: _Session, text: str) -> dict[str, Any] | None:
        """Follow a message; the answer, if there is one."""
        try:
            parts = json.loads(text)
            ticket = next(one["ticket"] for one in parts if "ticket" in one)
        except StopIteration:
            return _failure("NO_TICKET")
        except (ValueError, TypeError):
            return _failure("WRONG_FORMAT")
        if any(one.get("method") == "LIST_SUBSCRIPTIONS" for one in parts):
            if self.unconfirmed:
                return None
            listed = [{"type": kind, "codes": list(codes)} for kind, codes in mine.wanted.items()]
            return {"method": "LIST_SUBSCRIPTIONS", "result": listed, "ticket": ticket}
        wanted = {one["type"]: tuple(one.get("codes", ())) for one in parts if "type" in one}
        if not wanted:
            return _failure("NO_TYPE")
        if not wanted.keys() <= _TYPES[mine.path]:
            return _failure("INVALID_AUTH" if mine.path == _PUBLIC else "INVALID_PARAM")
        if "ticker" in wanted and not wanted["ticker"]:
            return _failure("NO_CODES")
        if wanted.get("myAsset") or any(code != code.upper() for codes in wanted.values() for code in codes):
            return _failure("INVALID_PARAM")
        with self._lock:
            mine.wanted = wanted  # the older list is gone
            self.asked.append((mine.path, wanted))
        for code in wanted.get("ticker", ()):
            if code in self.fake.exchange.listings:
                mine.out.put({"type": "ticker", "code": code, "stream_type": "SNAPSHOT"} | _price(self.fake, code))
        return None

    def _deliver(self, connection: ServerConnection, mine: _Session, data: dict[str, Any]) -> None:
        if self.reorder and mine.kept is None:
            mine.kept = data
            return
        for one in (data, mine.kept):
            if one is not None:
                for _ in range(2 if self.duplicate else 1):
                    self._say(connection, one)
        mine.kept = None

    def _say(self, connection: ServerConnection, data: dict[str, Any]) -> None:
        if not self.silent:
            connection.send(json.dumps(data).encode())  # binary frames, as the exchange sends them

    def _happened(self, what: str, order: Order, fill: Fill | None) -> None:
        states = {"accepted": ["wait"], "fill": ["trade"], "cancelled": ["cancel"], "refused": ["cancel"]}[what]
        if what == "fill" and order.quantity is not None and order.filled == order.quantity:
            states = [*states, "done"]
        with self._lock:
            for one in self._sessions:
                codes = one.wanted.get("myOrder")
                if codes is not None and (not codes or order.symbol in codes):
                    for state in states:
                        one.out.put(_my_order(self.fake, order, state, fill))


def _price(fake: FakeUpbit, symbol: str) -> dict[str, Any]:
    said = ticker(fake.exchange.listings[symbol], fake.exchange.clock())
    del said["market"]
    return said | {"market_state": "PREVIEW" if fake.exchange.listings[symbol].halted else "ACTIVE"}


def _my_order(fake: FakeUpbit, order: Order, state: str, fill: Fill | None) -> dict[str, Any]:
    trade = fill if state == "trade" else None
    price = trade.price if trade is not None else order.limit
    volume = trade.quantity if trade is not None else order.quantity
    return {
        "type": "myOrder",
        "code": order.symbol,
        "uuid": uuid_of(order.number),
        "ask_bid": "BID" if order.buys else "ASK",
        "order_type": "limit" if order.limit is not None else "price" if order.money is not None else "market",
        "state": state,
        "trade_uuid": f"0d9a3c55-1be5-4ab7-8c5f-{trade.number:012d}" if trade is not None else None,
        "price": None if price is None else float(price),
        "volume": None if volume is None else float(volume),
        "executed_volume": float(order.filled),
        "paid_fee": float(order.costs),
        "identifier": order.client_id,
        "timestamp": int(fake.exchange.clock().timestamp() * 1000),
        "stream_type": "REALTIME",
    }


def _failure(name: str) -> dict[str, Any]:
    return {"error": {"name": name, "message": name}}
