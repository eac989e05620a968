"""A fake broker's answers on real loopback sockets: HTTP/1.1 with connections that stay, and WebSocket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from fakes.broker_faults import Heard, Told
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve


class OnSocket:
    """Serves ``answer`` at ``url`` between ``with`` and its end."""

    def __init__(self, answer: Callable[[Heard], Told]) -> None:
        self.closing = threading.Event()
        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer), "closing": self.closing})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class OnWebSocket:
    """Runs ``session(connection)`` for each connection at ``url``; ``sessions`` are the open ones.

    ``admit`` may answer a handshake with a refusal.
    """

    def __init__(
        self,
        session: Callable[[ServerConnection], None],
        path: str = "",
        admit: Callable[[ServerConnection, Request], Response | None] | None = None,
    ) -> None:
        self._session = session
        self._server: Server = serve(
            self._run, "127.0.0.1", 0, ping_interval=None, max_size=2**20, process_request=admit
        )
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}{path}"
        self.sessions: list[ServerConnection] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _run(self, connection: ServerConnection) -> None:
        with self._lock:
            self.sessions.append(connection)
        try:
            self._session(connection)
        finally:
            with self._lock:
                self.sessions.remove(connection)

    def send(self, text: str | bytes) -> None:
        """Send to every open session."""
        with self._lock:
            open_now = list(self.sessions)
        for connection in open_now:
            with contextlib.suppress(Exception):
                connection.send(text)

    def drop(self) -> None:
        """Cut every connection without a close frame."""
        with self._lock:
            open_now = list(self.sessions)
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()
        self._server.shutdown()
        self._thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Callable[[Heard], Told]
    closing: threading.Event

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        parts = urlsplit(self.path)
        told = self.answer(
            Heard(
                method=self.command,
                path=parts.path,
                raw_query=parts.query,
                headers={key.lower(): value for key, value in self.headers.items()},
                body=self.rfile.read(length),
            )
        )
        self.closing.wait(told.wait)
        if told.status == 0:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        with contextlib.suppress(OSError):
            self.send_response(told.status)
            for key, value in told.headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

    do_GET = do_POST = do_DELETE = _serve

    def log_message(self, *_: object) -> None:
        """Tests read what was heard, not a log."""
