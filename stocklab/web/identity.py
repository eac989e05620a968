"""Who is asking: the browser's session becomes two headers that only this middleware can set."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stocklab.accounts import LiveSession, Standing
from stocklab.errors import StockLabError
from stocklab.portfolios import shared_lab
from stocklab.settings import Settings
from stocklab.ui.text import LANGUAGES
from stocklab.web.client_errors import SCRIPT_PATH
from stocklab.web.cookies import SESSION, cookie_of
from stocklab.web.metrics import path_group
from stocklab.web.own_path import path_asked

__all__ = ["Identity", "session_of"]

_KEY: Final = "stocklab.session"
_OPEN_GROUPS: Final = frozenset({"health", "metrics", "static", "report", "auth", "api"})
_NO_STORE: Final = {"Cache-Control": "no-store"}


class Identity:
    """Drops what a client claims to be; looks its session up and says who it is (``server.trustedUserHeaders``).

    Without a session only the doors (``/auth``), health, metrics, static files, error reports and the token-guarded
    ``/api`` are open: a page leads to the log-in and back, all else is refused. Without accounts it only drops.
    """

    def __init__(self, app: ASGIApp, settings: Settings, folder: Path) -> None:
        self.app = app
        self.accounts_are_on = not settings.is_single_user
        self.open_files = frozenset({SCRIPT_PATH, *(f"/{file.name}" for file in folder.iterdir() if file.is_file())})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = [
            pair for pair in scope["headers"] if not pair[0].lower().replace(b"_", b"-").startswith(b"x-stocklab-")
        ]
        known: dict[str, Any] = {**scope, "headers": headers}
        if not self.accounts_are_on:
            await self.app(known, receive, send)
            return
        try:
            live = await _look_up(scope)
        except StockLabError:
            await _refuse(known, receive, send, 503, "The database does not answer.")
            return
        if live is not None:
            known[_KEY] = live
            if live.standing is Standing.GOOD:
                headers.append((b"x-stocklab-user", live.user_id.encode("ascii")))
                headers.append((b"x-stocklab-session", live.id.encode("ascii")))
                await self.app(known, receive, send)
                return
        if self._is_open(scope):
            await self.app(known, receive, send)
        elif (
            scope["type"] == "http"
            and path_group(scope["path"]) in ("page", "file")
            and scope["method"] in ("GET", "HEAD")
        ):
            door = "/auth/closed" if live is not None else _log_in_address(scope)
            await RedirectResponse(door, status_code=303, headers=_NO_STORE)(known, receive, send)
        else:
            await _refuse(known, receive, send, 401, "Log in first.")

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        if scope["type"] == "websocket":
            return False
        return path_group(path) in _OPEN_GROUPS or path in self.open_files or path == "/_stcore/health"


def session_of(scope: Scope) -> LiveSession | None:
    """The session this middleware found for a request."""
    found: LiveSession | None = scope.get(_KEY)
    return found


def _log_in_address(scope: Scope) -> str:
    """The log-in, in the language of the link that was opened, and back to it."""
    wished = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
    language = f"lang={wished}&" if wished in LANGUAGES else ""
    return f"/auth/login?{language}next={quote(path_asked(scope), safe='')}"


async def _look_up(scope: Scope) -> LiveSession | None:
    token = cookie_of(scope, SESSION)
    if not token:
        return None
    return await run_in_threadpool(lambda: shared_lab().accounts.sessions.by_token(token))


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": message})
        return
    answer: Response = PlainTextResponse(f"{message}\n", status_code=status, headers=_NO_STORE)
    await answer(scope, receive, send)
