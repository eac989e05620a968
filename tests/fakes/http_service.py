"""A web service on a loopback socket for tests: real HTTP/1.1, a record of what was asked, faults by the switch."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


class Fault(StrEnum):
    """What goes wrong with an answer. The last three change the rows of a good answer."""

    SLOW = "slow"  # the answer comes after `seconds`
    RESET = "reset"  # the connection is reset before a byte of the answer
    CUT = "cut"  # the connection ends in the middle of the body
    ERROR_500 = "error_500"
    TOO_MANY = "too_many"  # 429; with `seconds` also a Retry-After
    HTML = "html"  # 200 with a page
    TRUNCATED = "truncated"  # 200 with half of the JSON, the connection whole
    EMPTY_BODY = "empty_body"
    HALF_ROWS = "half_rows"
    COMMAS = "commas"  # 1,234
    BROKEN_NUMBERS = "broken_numbers"  # 1,23x


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request: when it arrived (time.monotonic), and what it was."""

    at: float
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; ``wait`` seconds before it is sent, ``sent`` bytes of the body before the connection breaks,
    ``trickle`` seconds before each byte of the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    sent: int | None = None
    trickle: float = 0.0


@dataclass(slots=True, kw_only=True)
class _Planned:
    fault: Fault
    times: int
    seconds: float
    when: Callable[[Seen], bool]


class FakeService:
    """Answers on ``url`` between ``with`` and its end. Subclasses say what in `answer`.

    ``seen`` lists the requests in the order they came. Safe from several threads.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        """The good answer; ``spoil`` is one of the faults that change rows."""
        raise NotImplementedError

    def fail(
        self, fault: Fault, *, times: int = 1, seconds: float = 0.0, when: Callable[[Seen], bool] = lambda _: True
    ) -> None:
        """Spoil the next ``times`` requests for which ``when`` is true."""
        with self._lock:
            self._planned.append(_Planned(fault=fault, times=times, seconds=seconds, when=when))

    def heal(self) -> None:
        """Plan no more faults."""
        with self._lock:
            self._planned.clear()

    def gaps(self) -> list[float]:
        """Seconds between the arrivals of consecutive requests."""
        return [after.at - before.at for before, after in zip(self.seen, self.seen[1:], strict=False)]

    def handle(self, seen: Seen) -> Reply:
        """Record a request and answer it, with the fault that is its turn."""
        with self._lock:
            self.seen.append(seen)
            planned = next((one for one in self._planned if one.times > 0 and one.when(seen)), None)
            if planned is not None:
                planned.times -= 1
        if planned is None:
            return self.answer(seen, None)
        return self._spoiled(seen, planned.fault, planned.seconds)

    def _spoiled(self, seen: Seen, fault: Fault, seconds: float) -> Reply:
        if fault is Fault.RESET:
            return Reply(sent=-1)
        if fault is Fault.ERROR_500:
            return Reply(status=500, body=b"<html><body>Internal Server Error</body></html>")
        if fault is Fault.TOO_MANY:
            headers = {"Retry-After": f"{seconds:g}"} if seconds else {}
            return Reply(status=429, body=b"Too Many Requests", headers=headers)
        if fault is Fault.HTML:
            page = "<!DOCTYPE html><html><body>시스템 점검 중입니다</body></html>"
            return Reply(body=page.encode(), headers={"Content-Type": "text/html;charset=UTF-8"})
        if fault is Fault.EMPTY_BODY:
            return Reply()
        good = self.answer(seen, fault)
        if fault is Fault.SLOW:
            return Reply(status=good.status, body=good.body, headers=good.headers, wait=seconds)
        if fault is Fault.CUT:
            return Reply(status=good.status, body=good.body, headers=good.headers, sent=len(good.body) // 2)
        if fault is Fault.TRUNCATED:
            return Reply(status=good.status, body=good.body[: len(good.body) // 2], headers=good.headers)
        return good


class _Handler(BaseHTTPRequestHandler):
    service: FakeService
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        arrived = time.monotonic()
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        seen = Seen(
            at=arrived,
            method=self.command,
            path=parts.path,
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        with contextlib.suppress(ConnectionError):
            self._send(self.service.handle(seen))

    do_GET = _handle
    do_POST = _handle

    def _send(self, reply: Reply) -> None:
        if reply.wait:
            self.service._closing.wait(reply.wait)
        if reply.sent == -1:
            self._reset()
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json;charset=UTF-8", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        for place in range(len(reply.body) if reply.trickle else 0):
            self.wfile.write(reply.body[place : place + 1])
            if self.service._closing.wait(reply.trickle):
                return
        if reply.trickle:
            return
        self.wfile.write(reply.body if reply.sent is None else reply.body[: reply.sent])
        if reply.sent is not None:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A value as a JSON answer."""
    return Reply(status=status, body=json.dumps(value, ensure_ascii=False).encode(), headers=headers or {})
