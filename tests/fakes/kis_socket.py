"""KIS's socket as a fake: registrations with their cap, heartbeats, trades, and encrypted notices of orders."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from decimal import Decimal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from fakes.exchange import KST, Fill, Order
from fakes.kis import BRANCH, FakeKis
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

CAP = 41
PING = '{"header":{"tr_id":"PINGPONG","datetime":"20261120101530"}}'


@dataclass(slots=True)
class Line:
    """One open session: what it registered and the key of its notices."""

    connection: ServerConnection
    key: str
    iv: str
    registered: set[tuple[str, str]] = field(default_factory=set)


def encrypted(plain: str, key: str, iv: str) -> str:
    bare = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).encryptor()
    return base64.b64encode(cipher.update(bare.update(plain.encode()) + bare.finalize()) + cipher.finalize()).decode()


class FakeKisSocket:
    """Sessions for `OnWebSocket` over a `FakeKis`: give it `session`."""

    def __init__(self, rest: FakeKis, *, hts_id: str = "slab01", heartbeat_seconds: float = 0.1) -> None:
        self.rest = rest
        self.hts_id = hts_id
        self.heartbeat_seconds = heartbeat_seconds
        self.notice_id = "H0STCNI9" if rest.mock else "H0STCNI0"
        self.quiet = False  # no heartbeats
        self.in_use = False  # another session holds the key
        self.copies = 1  # how often each notice is sent
        self.old_layout = False  # notices of 23 fields
        self.held: list[str] | None = None  # plain notices wait here, to be sent in another order
        self.asked: list[tuple[str, str, str]] = []  # (tr_type, tr_id, tr_key)
        self.echoes = 0
        self.refused = 0
        self.lines: list[Line] = []
        self._opened = 0
        self._lock = threading.RLock()
        rest.exchange.listeners.append(self._happened)

    def session(self, connection: ServerConnection) -> None:
        with self._lock:
            self._opened += 1
            line = Line(connection, f"{self._opened:032d}", f"{self._opened:016d}")
        try:
            while True:
                try:
                    text = connection.recv(timeout=self.heartbeat_seconds)
                except TimeoutError:
                    if not self.quiet:
                        connection.send(PING)
                    continue
                if not self._heard(line, str(text)):
                    return
        except ConnectionClosed:
            return
        finally:
            with self._lock:
                if line in self.lines:
                    self.lines.remove(line)

    @property
    def registered(self) -> set[tuple[str, str]]:
        with self._lock:
            return set().union(*(line.registered for line in self.lines))

    def _heard(self, line: Line, text: str) -> bool:
        """Whether the session goes on."""
        if text == PING:
            self.echoes += 1
            return True
        found = json.loads(text)
        header, asked = found["header"], found["body"]["input"]
        tr_id, tr_key = asked["tr_id"], asked["tr_key"]
        with self._lock:
            self.asked.append((header["tr_type"], tr_id, tr_key))
            if header["approval_key"] not in self.rest.approvals:
                self._say(line, tr_id, tr_key, "9", "OPSP0011", "invalid approval : NOT FOUND")
                return True
            if self.in_use or any(other is not line for other in self.lines):
                self.refused += 1
                self._say(line, "(null)", "", "9", "OPSP8996", "ALREADY IN USE appkey")
                return False
            if line not in self.lines:
                self.lines.append(line)
        if tr_id == self.notice_id and tr_key != self.hts_id:
            line.connection.socket.shutdown(socket.SHUT_RDWR)  # no close frame, no word
            return False
        self._register(line, header["tr_type"], tr_id, tr_key)
        return True

    def _register(self, line: Line, tr_type: str, tr_id: str, tr_key: str) -> None:
        one = (tr_id, tr_key)
        with self._lock:
            if tr_type == "2":
                known = one in line.registered
                line.registered.discard(one)
                code, text = ("OPSP0001", "UNSUBSCRIBE SUCCESS") if known else ("OPSP0003", "UNSUBSCRIBE ERROR")
                self._say(line, tr_id, tr_key, "0" if known else "1", code, text)
            elif one in line.registered:
                self._say(line, tr_id, tr_key, "1", "OPSP0002", "ALREADY IN SUBSCRIBE")
            elif len(line.registered) >= CAP:
                self._say(line, tr_id, tr_key, "1", "OPSP0008", "MAX SUBSCRIBE OVER")
            else:
                line.registered.add(one)
                self._say(line, tr_id, tr_key, "0", "OPSP0000", "SUBSCRIBE SUCCESS")

    def _say(self, line: Line, tr_id: str, tr_key: str, rt_cd: str, code: str, text: str) -> None:
        body: dict[str, object] = {"rt_cd": rt_cd, "msg_cd": code, "msg1": text}
        if code in ("OPSP0000", "OPSP0002"):
            body["output"] = {"iv": line.iv, "key": line.key}
        header = {"tr_id": tr_id, "tr_key": tr_key, "encrypt": "Y" if tr_id == self.notice_id else "N"}
        line.connection.send(json.dumps({"header": header, "body": body}))

    # What happens at the broker.

    def _happened(self, what: str, order: Order, fill: Fill | None) -> None:
        own, original, request, stage = order.number, "", "0", "1" if what == "accepted" else "2"
        if what == "cancelled":
            stage = "2" if order.cancel_number else "3"
            if order.cancel_number:
                own, original, request = order.cancel_number, order.number, "2"
        at = (fill.at if fill else self.rest.exchange.clock()).astimezone(KST)
        fields = [
            self.hts_id,
            self.rest.cano + self.rest.product,
            own,
            original,
            "02" if order.buys else "01",
            request,
            "00" if order.limit is not None else "01",
            {"day": "0", "ioc": "1", "fok": "2"}[order.validity],
            order.symbol,
            f"{int(fill.quantity if fill else order.quantity or 0):010d}",
            f"{int(fill.price if fill else order.limit or 0):09d}",
            f"{at:%H%M%S}",
            "1" if what == "refused" else "0",
            "2" if fill else "1",
            stage,
            BRANCH,
            f"{int(order.quantity or 0):09d}",
            "홍길동",
            *(["0", "1", "Y"] if not self.old_layout else []),
            "",
            "10",
            "",
            "삼성전자",
            f"{int(order.limit or 0):09d}",
        ]
        plain = "^".join(fields)
        if self.held is not None:
            self.held.append(plain)
            return
        for _ in range(self.copies):
            self.notify(plain)

    def release(self) -> None:
        """Send what was held, last first."""
        held, self.held = self.held or [], None
        for plain in reversed(held):
            self.notify(plain)

    def notify(self, *plain: str) -> None:
        """One frame of notices, to those who registered."""
        with self._lock:
            for line in self.lines:
                if (self.notice_id, self.hts_id) in line.registered:
                    payload = encrypted("^".join(plain), line.key, line.iv)
                    self._send(line, f"1|{self.notice_id}|{len(plain):03d}|{payload}")

    def trade(self, *trades: tuple[str, str]) -> None:
        """One frame of trades (symbol, price), to those who registered the first symbol."""
        now = self.rest.exchange.clock().astimezone(KST)
        fields: list[str] = []
        for symbol, price in trades:
            record = ["0"] * 46
            record[0], record[1], record[2] = symbol, f"{now:%H%M%S}", price
            record[10], record[11] = str(Decimal(price) + 100), price
            record[33], record[35] = f"{now:%Y%m%d}", "N"
            fields += record
        with self._lock:
            for line in self.lines:
                if ("H0STCNT0", trades[0][0]) in line.registered:
                    self._send(line, f"0|H0STCNT0|{len(trades):03d}|{'^'.join(fields)}")

    def drop(self) -> None:
        """Cut every session without a close frame."""
        with self._lock:
            for line in self.lines:
                with contextlib.suppress(OSError):
                    line.connection.socket.shutdown(socket.SHUT_RDWR)

    def _send(self, line: Line, text: str) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            line.connection.send(text)
