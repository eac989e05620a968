"""At most so many browser sessions: beyond that a newcomer gets a "busy" page, and those inside go on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stocklab.counts import COUNTS, ProcessCounts
from stocklab.web.metrics import path_group

__all__ = ["COOKIE", "Admission"]

log = structlog.get_logger(__name__)

COOKIE: Final = "stocklab_seat"
RETRY_SECONDS: Final = 20
_ARRIVE_SECONDS: Final = 20.0  # from the page to its socket
_RETURN_SECONDS: Final = 120.0  # a session that lost its socket, as of Streamlit's disconnectedSessionTTL
_TABS: Final = 8
_BUSY: Final = (files("stocklab.web") / "busy.html").read_text(encoding="utf-8")


@dataclass(slots=True)
class _Seat:
    """A browser inside. It keeps its seat for a while after its last socket closed."""

    open: int = 0
    arrived: bool = False
    until: float = field(default=0.0)


class Admission:
    """Lets browsers in while fewer than ``most`` sessions are open or on their way.

    A browser is known by a cookie that says nothing else. One that is inside may load pages and open further tabs, up
    to eight. A newcomer's page is answered with 503 and ``Retry-After``, and so is its socket.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        counts: ProcessCounts = COUNTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.most = most
        self.counts = counts
        self.clock = clock
        self._seats: dict[str, _Seat] = {}
        self._strangers = 0  # sockets of clients that keep no cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a page or a session on, or turn it away."""
        group = path_group(scope["path"]) if scope["type"] in ("http", "websocket") else ""
        if group == "socket" and scope["type"] == "websocket":
            await self._session(scope, receive, send)
        elif group == "page" and scope["type"] == "http" and scope["method"] == "GET":
            await self._page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = _token(scope)
        seat = self._seat(token)
        if seat is not None:
            seat.until = max(seat.until, self.clock() + _ARRIVE_SECONDS)
            await self.app(scope, receive, send)
            return
        if self._taken() >= self.most:
            self._turn_away("page")
            headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
            await HTMLResponse(_BUSY, status_code=503, headers=headers)(scope, receive, send)
            return
        token = secrets.token_urlsafe(16)
        self._seats[token] = _Seat(until=self.clock() + _ARRIVE_SECONDS)
        secure = "; Secure" if scope["scheme"] == "https" else ""

        async def seated(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 200:
                    cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{secure}"
                    MutableHeaders(scope=message).append("Set-Cookie", cookie)
                else:
                    self._seats.pop(token, None)
            await send(message)

        await self.app(scope, receive, seated)

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        seat = self._seat(_token(scope))
        if (seat is None and self._taken() >= self.most) or (seat is not None and seat.open >= _TABS):
            self._turn_away("session")
            await _refuse_session(scope, receive, send)
            return
        if seat is None:
            self._strangers += 1
        else:
            seat.open += 1
            seat.arrived = True
        try:
            await self.app(scope, receive, send)
        finally:
            if seat is None:
                self._strangers -= 1
            else:
                seat.open -= 1
                seat.until = self.clock() + _RETURN_SECONDS

    def _seat(self, token: str) -> _Seat | None:
        seat = self._seats.get(token)
        return seat if seat is not None and (seat.open or seat.until > self.clock()) else None

    def _taken(self) -> int:
        """Open sessions, and newcomers whose page was sent and whose socket is on its way."""
        now = self.clock()
        for token in [token for token, seat in self._seats.items() if not seat.open and seat.until <= now]:
            del self._seats[token]
        return self._strangers + sum(max(seat.open, 0 if seat.arrived else 1) for seat in self._seats.values())

    def _turn_away(self, what: str) -> None:
        self.counts.turned_away()
        log.info("turned_away", what=what, sessions=self.counts.sessions, most=self.most)


def _token(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            found = cookie_parser(value.decode("latin-1")).get(COOKIE)
            if found:
                return found
    return ""


async def _refuse_session(scope: Scope, receive: Receive, send: Send) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013})
        return
    answer: Response = PlainTextResponse("Busy.\n", status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})
    await answer(scope, receive, send)
