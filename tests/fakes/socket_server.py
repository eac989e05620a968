"""A web server on 127.0.0.1 for the fakes: what it was asked and when, and faults that can be switched on."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit


class Fault(StrEnum):
    """What goes wrong with an answer."""

    SLOW = "slow"  # nothing for longer than a client waits
    CUT = "cut"  # half of the announced bytes, then the connection ends
    REFUSED = "refused"  # the connection ends before an answer
    HTML = "html"  # an error page with status 200
    BROKEN = "broken"  # status 500
    BUSY = "busy"  # status 429


@dataclass(frozen=True)
class Asked:
    """One request."""

    at: float
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Reply:
    """An answer."""

    body: bytes
    content_type: str = "application/json;charset=UTF-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class SocketServer:
    """Serves `answer` of a subclass. ``faults`` are used up one a request, ``always`` stays."""

    def __init__(self, *, slow_seconds: float = 1.0) -> None:
        self.asked: list[Asked] = []
        self.faults: deque[Fault | None] = deque()
        self.always: Fault | None = None
        self.slow_seconds = slow_seconds
        self.closing = threading.Event()
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake._serve(self)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def html(self, asked: Asked) -> Reply:
        return Reply(b"<!DOCTYPE html><html><body>error</body></html>", "text/html")

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        asked = Asked(
            at=time.monotonic(),
            method=handler.command,
            path=parts.path,
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=handler.rfile.read(length),
        )
        with self._lock:
            self.asked.append(asked)
            fault = self.faults.popleft() if self.faults else self.always
            reply = self._reply(asked, fault)
        if fault is Fault.SLOW:
            self.closing.wait(self.slow_seconds)
        if fault is Fault.REFUSED:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        try:
            handler.send_response(reply.status)
            handler.send_header("Content-Type", reply.content_type)
            handler.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(reply.body[: len(reply.body) // 2] if fault is Fault.CUT else reply.body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client gave up
        if fault is Fault.CUT:
            handler.close_connection = True

    def _reply(self, asked: Asked, fault: Fault | None) -> Reply:
        if fault is Fault.HTML:
            return self.html(asked)
        if fault is Fault.BROKEN:
            return Reply(b"internal", "text/plain", status=500)
        if fault is Fault.BUSY:
            return Reply(b"busy", "text/plain", status=429, headers={"Retry-After": "0"})
        return self.answer(asked)
