"""Kiwoom's WebSocket: log-in, registrations with their cap and pace, heartbeats, one session a key, fills and quotes."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fakes.exchange import KST, Fill, Order
from fakes.kiwoom import ACCOUNT, FakeKiwoom
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

CAP = 200
PER_SECOND = 5
MISSED_HEARTBEATS = 5


@dataclass(slots=True, eq=False)
class _Session:
    connection: ServerConnection
    items: dict[str, set[str]] = field(default_factory=dict)  # item -> types
    unanswered: int = 0
    asked: deque[float] = field(default_factory=deque)


class KiwoomSocket:
    """Runs `session` for `OnWebSocket`. It sends what happens at the exchange to who registered for it.

    ``twice`` sends every frame of data twice; ``silent`` sends nothing more, also no answers; ``reverse`` turns the
    order of what `flush` sends round, for which ``hold`` keeps frames back.
    """

    def __init__(self, fake: FakeKiwoom) -> None:
        self.fake = fake
        self.log_ins = 0
        self.early = 0  # frames before the answer to a log-in
        self.echoes: list[str] = []
        self.overruns = 0
        self.largest_chunk = 0
        self.twice = self.silent = self.reverse = self.hold = False
        self.log_in_seconds = 5.0
        self.system_heard = 0  # SYSTEM frames echoed: never
        self._held: list[str] = []
        self._sessions: list[_Session] = []
        self._lock = threading.RLock()
        fake.exchange.listeners.append(self._happened)

    def session(self, connection: ServerConnection) -> None:
        session = _Session(connection)
        try:
            if not self._logged_in(session):
                return
            for text in connection:
                self._heard(session, str(text))
        except ConnectionClosed:
            return
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._sessions.remove(session)

    @property
    def registered(self) -> dict[str, set[str]]:
        """Of the session that is open."""
        with self._lock:
            return {item: set(types) for item, types in self._sessions[-1].items.items()} if self._sessions else {}

    def ping(self, text: str = '{"trnm": "PING"}') -> None:
        """A heartbeat; after five without an answer the session is closed."""
        with self._lock:
            for session in list(self._sessions):
                session.unanswered += 1
                if session.unanswered > MISSED_HEARTBEATS:
                    self._system(session, "R10002")
                elif not self.silent:
                    session.connection.send(text)

    def evict(self, *, told: bool = True) -> None:
        """Another session of the key begins elsewhere."""
        with self._lock:
            for session in list(self._sessions):
                if told:
                    self._system(session, "R10001")
                else:
                    session.connection.close(1000, "Bye")

    def quote(self, symbol: str, price: Decimal, at: str = "101512") -> None:
        """A trade of a symbol; the price is signed as against the last close."""
        sign = "-" if price < self.fake.exchange.listings[symbol].base_price else "+"
        values = {
            "20": at,
            "10": f"{sign}{int(price)}",
            "27": f"{sign}{int(price)}",
            "28": f"{sign}{int(price)}",
            "15": "-7",
        }
        self._send(symbol, "0B", "주식체결", values)

    def flush(self) -> None:
        """Send what was held back."""
        with self._lock:
            held, self._held, self.hold = self._held, [], False
            for text in reversed(held) if self.reverse else held:
                self._to_all(text, "", "00")

    def _logged_in(self, session: _Session) -> bool:
        connection = session.connection
        try:
            frame = json.loads(connection.recv(timeout=self.log_in_seconds))
        except TimeoutError:
            self._system(session, "R10004")
            return False
        if frame.get("trnm") != "LOGIN":
            self.early += 1
            return False
        if not self.fake.gate.valid(frame["token"]):
            message = "토큰 인증에 실패했습니다 [CODE=8005, MESSAGE=Token이 유효하지 않습니다]"
            connection.send(json.dumps({"trnm": "LOGIN", "return_code": 805004, "return_msg": message}))
            return False
        with self._lock:
            for other in list(self._sessions):
                self._system(other, "R10001")
            self._sessions.append(session)
            self.log_ins += 1
        if not self.silent:
            connection.send(json.dumps({"trnm": "LOGIN", "return_code": 0, "return_msg": "", "sor_yn": "Y"}))
        return True

    def _heard(self, session: _Session, text: str) -> None:
        frame = json.loads(text)
        name = frame.get("trnm")
        with self._lock:
            if name == "PING":
                self.echoes.append(text)
                session.unanswered = 0
                return
            if name == "SYSTEM":
                self.system_heard += 1
                return
            code = self._register(session, frame) if name == "REG" else self._remove(session, frame)
            if not self.silent:
                session.connection.send(json.dumps({"trnm": name, "return_code": code, "return_msg": ""}))

    def _register(self, session: _Session, frame: dict[str, Any]) -> int:
        now = time.monotonic()
        session.asked.append(now)
        while now - session.asked[0] >= 1:
            session.asked.popleft()
        if len(session.asked) > PER_SECOND:
            self.overruns += 1
            return 105110
        if frame["refresh"] == "0":
            session.items.clear()
        asked = {item for entry in frame["data"] for item in entry["item"]}
        self.largest_chunk = max(self.largest_chunk, len(asked))
        if len(session.items.keys() | asked) > CAP:
            return 105115
        for entry in frame["data"]:
            for item in entry["item"]:
                session.items.setdefault(item, set()).update(entry["type"])
        return 0

    def _remove(self, session: _Session, frame: dict[str, Any]) -> int:
        assert "refresh" not in frame
        for entry in frame["data"]:
            for item in entry["item"]:
                types = session.items.get(item, set())
                types -= set(entry["type"])
                if not types:
                    session.items.pop(item, None)
        return 0

    def _system(self, session: _Session, code: str) -> None:
        with contextlib.suppress(ConnectionClosed):
            session.connection.send(json.dumps({"trnm": "SYSTEM", "code": code, "message": "ended"}))
            session.connection.close(1000, "Bye")
        with contextlib.suppress(ValueError):
            self._sessions.remove(session)

    def _happened(self, what: str, order: Order, fill: Fill | None) -> None:
        cancelled = what == "cancelled" and order.cancel_number is not None
        values = {
            "9201": ACCOUNT,
            "9203": order.cancel_number if cancelled else order.number,
            "9001": order.symbol,
            "912": "JJ",
            "913": {"accepted": "접수", "fill": "체결", "cancelled": "확인", "refused": "거부"}[what],
            "900": str(order.quantity),
            "901": str(order.limit or 0),
            "902": "0" if order.ended else str(order.rest),
            "903": str(int(order.amount)),
            "904": order.number if cancelled else "0000000",
            "905": ("+매수" if order.buys else "-매도") + ("취소" if cancelled else ""),
            "907": "2" if order.buys else "1",
            "908": self.fake.exchange.clock().astimezone(KST).strftime("%H%M%S"),
            "909": str(fill.number) if fill else "",
            "914": str(int(fill.price)) if fill else "",
            "915": str(fill.quantity) if fill else "",
            "919": "0",
        }
        self._send("", "00", "주문체결", values)

    def _send(self, item: str, kind: str, name: str, values: dict[str, Any]) -> None:
        data = {"type": kind, "name": name, "item": item, "values": values}
        text = json.dumps({"trnm": "REAL", "data": [data]}, ensure_ascii=False)
        with self._lock:
            if self.hold:
                self._held.append(text)
            else:
                self._to_all(text, item, kind)

    def _to_all(self, text: str, item: str, kind: str) -> None:
        if self.silent:
            return
        for session in list(self._sessions):
            if kind in session.items.get(item, set()):
                with contextlib.suppress(ConnectionClosed):
                    for _ in range(2 if self.twice else 1):
                        session.connection.send(text)
