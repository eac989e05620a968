"""Pure ASGI middleware, outermost first: request log, host check, security headers, page language, compressed files."""

from __future__ import annotations

import gzip
import mimetypes
import re
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stocklab.web.metrics import RequestMetrics, path_group

__all__ = ["HostCheck", "OriginCheck", "PageLanguage", "RequestLog", "SecurityHeaders", "StaticGzip"]

log = structlog.get_logger(__name__)

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OWN_PREFIXES = ("/api", "/auth", "/ws", "/client-errors")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_COMPRESSIBLE = frozenset({".js", ".mjs", ".css", ".json", ".svg", ".txt", ".wasm", ".ttf", ".map", ".html"})
_QUIET_GROUPS = frozenset({"static", "streamlit", "media", "file", "health", "metrics", "report"})
_LONGEST_PATH = 200
_HOST = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/@?#\\]+)(:[0-9]{1,5})?"
)  # what follows a bracket is no part of a name


class RequestLog:
    """Counts, times and logs each request; answers carry ``X-Process-Time`` in seconds.

    One line a request (method, path, status, ms) at info; what every page loads and what monitors ask for is at debug
    unless it fails, a failure at warning. A socket has its line when it closes. Queries and ids of sessions are never
    logged.
    """

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request or WebSocket connection."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def timed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Process-Time"] = f"{time.perf_counter() - started:.4f}"
            await send(message)

        try:
            await self.app(scope, receive, timed)
        finally:
            seconds = time.perf_counter() - started
            group = path_group(scope["path"])
            self.metrics.observe(group, scope["method"], status, seconds)
            write = log.warning if status >= 500 else log.debug if group in _QUIET_GROUPS else log.info
            path = shown_path(scope["path"])
            write("request", method=scope["method"], path=path, status=status, ms=round(1000 * seconds, 1))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        group = path_group(scope["path"])
        started = time.perf_counter()
        status = 403

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.http.response.start":
                status = message["status"]
            await send(message)

        with self.metrics.connection(group):
            try:
                await self.app(scope, receive, watched)
            finally:
                seconds = time.perf_counter() - started
                path = shown_path(scope["path"])
                log.info("socket_closed", method="WEBSOCKET", path=path, status=status, ms=round(1000 * seconds, 1))


class HostCheck:
    """Answers only to known host names: a page elsewhere cannot reach the app by pointing its own name here.

    Loopback names are always known (health checks use them). ``allowed`` may hold ``*.example.com`` or ``*``.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self.app = app
        self.allowed = frozenset(host.lower() for host in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request whose Host header is unknown."""
        hosts = Headers(scope=scope).getlist("host") if scope["type"] in ("http", "websocket") else []
        if scope["type"] == "lifespan" or (len(hosts) == 1 and self._known(hosts[0])):
            await self.app(scope, receive, send)
            return
        await _refuse(scope, receive, send, 400, "Unknown host. Hint: add the name to STOCKLAB_ALLOWED_HOSTS.")

    def _known(self, header: str) -> bool:
        host = host_name(header)
        if host in _LOOPBACK or host in self.allowed or "*" in self.allowed:
            return bool(host)
        return any(name.startswith("*.") and host.endswith(name[1:]) for name in self.allowed)


class OriginCheck:
    """Our own unsafe requests and sockets must come from our own pages (Streamlit guards only its own routes).

    A request without Origin passes when it carries no cookie: nothing of a visitor's can be misused then. ``allowed``
    are further origins, such as ``https://lab.example.org`` where a proxy changes the Host header. The socket of
    Streamlit's pages is guarded as well: Streamlit lets every page of this machine and its network in.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()) -> None:
        self.app = app
        self.allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a foreign origin with 403."""
        if not self._guarded(scope) or self._same_origin(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        await _refuse(scope, receive, send, 403, "Foreign origin.")

    def _guarded(self, scope: Scope) -> bool:
        if scope["type"] not in ("http", "websocket"):
            return False
        if scope["type"] == "websocket" and path_group(scope["path"]) == "socket":
            return True
        own = any(scope["path"] == prefix or scope["path"].startswith(f"{prefix}/") for prefix in _OWN_PREFIXES)
        return own and (scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS)

    def _same_origin(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return "cookie" not in headers
        if origin.lower() in self.allowed:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


class SecurityHeaders:
    """Adds the content security policy and its companions to every answer, Streamlit's included."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one HTTP request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)  # a page of our own may be stricter
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, guarded)


class PageLanguage:
    """Writes the visitor's language and the product's name into Streamlit's page, for screen readers and first paint.

    ``?lang=`` decides, else the cookie-free default; the body is small (about 20 kB) and compressed here. ``script`` is
    the address of a script to run before all others.
    """

    def __init__(self, app: ASGIApp, language: str, title: str, script: str = "") -> None:
        self.app = app
        self.language = language
        self.title = title
        self.script = f'<script src="{script}"></script>'.encode() if script else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite a page; leave everything else alone."""
        if scope["type"] != "http" or scope["method"] != "GET" or path_group(scope["path"]) != "page":
            await self.app(scope, receive, send)
            return
        request_headers = Headers(scope=scope)
        dropped = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
        unpacked = [pair for pair in scope["headers"] if pair[0] not in dropped]
        start: Message | None = None
        body = bytearray()

        async def held(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                is_page = Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")
                start = message if is_page else None
                if not is_page:
                    await send(message)
            elif start is None:
                await send(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._send_page(start, bytes(body), scope, request_headers, send)

        # Without these headers the page arrives whole and unpacked; the server may not send it as a path either.
        await self.app({**scope, "headers": unpacked, "extensions": {}}, receive, held)

    async def _send_page(self, start: Message, body: bytes, scope: Scope, request: Headers, send: Send) -> None:
        wished = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        language = wished if wished in ("ko", "en") else self.language
        page = body.replace(b'<html lang="en">', f'<html lang="{language}">'.encode(), 1)
        page = page.replace(b"<title>Streamlit</title>", f"<title>{self.title}</title>".encode(), 1)
        page = page.replace(b"<head>", b"<head>" + self.script, 1)
        headers = MutableHeaders(scope=start)
        for name in ("etag", "last-modified", "accept-ranges"):
            if name in headers:
                del headers[name]
        if accepts_gzip(request):
            page = gzip.compress(page, compresslevel=5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
        headers["Content-Length"] = str(len(page))
        await send(start)
        await send({"type": "http.response.body", "body": page})


class StaticGzip:
    """Serves Streamlit's bundle compressed, each file packed once and kept (8.7 MB of a chart page become 2.7 MB).

    Only files that were there at the start are served, by exact name, so no path can lead elsewhere. Names carry a
    content hash, so browsers keep them.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self.app = app
        self.files = {
            f"/{file.relative_to(folder).as_posix()}": file
            for file in (folder / "static").rglob("*")
            if file.is_file() and file.suffix in _COMPRESSIBLE
        }
        self._packed: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a known file; pass everything else on."""
        path = scope.get("path", "")
        known = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path in self.files
        if not known or not accepts_gzip(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        packed = self._packed.get(path)
        if packed is None:
            packed = await run_in_threadpool(_pack, self.files[path])
            self._packed[path] = packed
        headers = {
            "Content-Encoding": "gzip",
            "Content-Length": str(len(packed)),
            "Vary": "Accept-Encoding",
            "Cache-Control": "public, immutable, max-age=31536000",
        }
        content = b"" if scope["method"] == "HEAD" else packed
        await Response(content, headers=headers, media_type=_media_type(path))(scope, receive, send)


def shown_path(path: str) -> str:
    """A path as the log shows it: ids of sessions and files, which open things, as stars; printable and not long.

    >>> shown_path("/_stcore/upload_file/7f0c/a1b2"), shown_path("/results"), shown_path("/media/0f3c.csv")
    ('/_stcore/upload_file/*', '/results', '/media/*')
    """
    for prefix in ("/_stcore/upload_file/", "/media/"):
        if prefix in path:
            path = f"{path[: path.index(prefix)]}{prefix}*"
    text = "".join(letter if letter.isprintable() else "?" for letter in path)
    return text if len(text) <= _LONGEST_PATH else f"{text[:_LONGEST_PATH]}..."


def host_name(header: str) -> str:
    """Host name of a Host header, in lower case, without port and brackets; "" when it is not one.

    >>> host_name("Example.com:8501"), host_name("[::1]:8501"), host_name("a@b")
    ('example.com', '::1', '')
    """
    if _HOST.fullmatch(header) is None:
        return ""
    try:
        parts = urlsplit(f"//{header}")
        return "" if parts.username is not None else (parts.hostname or "")
    except ValueError:
        return ""


def accepts_gzip(headers: Headers) -> bool:
    """Whether the client takes gzip (``gzip;q=0`` means it does not)."""
    for part in headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _pack(file: Path) -> bytes:
    return gzip.compress(file.read_bytes(), compresslevel=6, mtime=0)


def _media_type(path: str) -> str:
    if path.endswith((".js", ".mjs")):
        return "text/javascript"
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, message: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": message})
        return
    await PlainTextResponse(f"{message}\n", status_code=status)(scope, receive, send)
