"""Each middleware around a small app, over ASGI."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from structlog.testing import capture_logs

from stocklab.web.assets import content_security_policy, front_end, inline_script_hashes
from stocklab.web.metrics import RequestMetrics, path_group
from stocklab.web.middleware import (
    HostCheck,
    OriginCheck,
    PageLanguage,
    RequestLog,
    SecurityHeaders,
    StaticGzip,
    accepts_gzip,
    host_name,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather use httpx2, which nothing else here needs
    from starlette.testclient import TestClient

PAGE = '<!DOCTYPE html><html lang="en"><head><title>Streamlit</title><script>\n</script></head></html>'


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def client(*middleware: Middleware, base_url: str = "http://localhost:8501", page: Path | None = None) -> TestClient:
    async def show(request: Request) -> Response:
        if request.url.path.startswith("/fail"):
            raise ValueError
        return PlainTextResponse("ok") if page is None else FileResponse(page)

    async def post(_request: Request) -> Response:
        return JSONResponse({"done": True})

    routes = [
        WebSocketRoute("/ws/quotes", _echo),
        WebSocketRoute("/_stcore/stream", _echo),
        Route("/api/orders", post, methods=["POST"]),
        Route("/_stcore/upload", post, methods=["POST"]),
        Route("/{path:path}", show),
    ]
    return TestClient(Starlette(routes=routes, middleware=list(middleware)), base_url, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("host", "allowed", "status"),
    [
        ("localhost:8501", [], 200),
        ("127.0.0.1", [], 200),
        ("[::1]:8501", [], 200),
        ("evil.example", [], 400),
        ("localhost.evil.example", [], 400),
        ("localhost@evil.example", [], 400),
        ("LAB.home:8501", ["lab.home"], 200),
        ("a.lab.home", ["lab.home"], 400),
        ("a.lab.home", ["*.lab.home"], 200),
        ("evillab.home", ["*.lab.home"], 400),
        ("anything.example", ["*"], 200),
        ("192.168.0.10:8501", ["192.168.0.10"], 200),
        ("[bad", ["*"], 400),
    ],
)
def test_only_known_hosts_are_answered(host: str, allowed: list[str], status: int) -> None:
    with client(Middleware(HostCheck, allowed=allowed)) as web:
        answer = web.get("/", headers={"Host": host})
        assert answer.status_code == status
        if status == 400:
            assert "STOCKLAB_ALLOWED_HOSTS" in answer.text
            with pytest.raises(WebSocketDisconnect), web.websocket_connect("/_stcore/stream", headers={"Host": host}):
                pass


@pytest.mark.parametrize(
    ("origin", "cookie", "allowed"),
    [
        ("http://localhost:8501", True, True),
        ("http://localhost:9999", False, False),
        ("https://evil.example", False, False),
        ("null", False, False),
        (None, False, True),
        (None, True, False),
    ],
)
def test_our_posts_and_sockets_come_from_our_pages(origin: str | None, cookie: bool, allowed: bool) -> None:
    headers = {"Host": "localhost:8501"}
    headers |= {} if origin is None else {"Origin": origin}
    headers |= {"Cookie": "session=1"} if cookie else {}
    with client(Middleware(OriginCheck)) as web:
        assert web.post("/api/orders", headers=headers).status_code == (200 if allowed else 403)
        assert web.get("/api/orders", headers=headers).status_code != 403
        assert web.post("/_stcore/upload", headers=headers).status_code == 200  # Streamlit has its own check
        if allowed:
            with web.websocket_connect("/ws/quotes", headers=headers) as socket:
                assert socket.receive_text() == "hello"
        else:
            with pytest.raises(WebSocketDisconnect), web.websocket_connect("/ws/quotes", headers=headers):
                pass


def test_every_answer_carries_the_security_headers() -> None:
    with client(Middleware(SecurityHeaders, policy="default-src 'none'")) as web:
        for path in ("/", "/missing/page"):
            headers = web.get(path).headers
            assert headers["Content-Security-Policy"] == "default-src 'none'"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert "geolocation=()" in headers["Permissions-Policy"]
            assert "Strict-Transport-Security" not in headers
        with web.websocket_connect("/ws/quotes") as socket:
            assert socket.receive_text() == "hello"
    with client(Middleware(SecurityHeaders, policy="x"), base_url="https://localhost") as web:
        assert web.get("/").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_policy_of_the_installed_page_allows_its_inline_script_by_hash_and_nothing_unsafe() -> None:
    html = (front_end() / "index.html").read_text(encoding="utf-8")
    policy = dict(part.split(" ", 1) for part in content_security_policy(html).split("; "))
    assert policy["script-src"] == f"'self' blob: {inline_script_hashes(html)[0]}"
    assert len(inline_script_hashes(html)) == 1
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert not any("http" in sources or "unsafe-eval" in sources for sources in policy.values())
    assert [name for name, sources in policy.items() if "unsafe-inline" in sources] == ["style-src"]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "index.html"
    file.write_text(PAGE)
    return file


@pytest.mark.parametrize(
    ("path", "language"), [("/", "ko"), ("/results?run=1&lang=en", "en"), ("/?lang=xx", "ko"), ("/?lang=ko", "ko")]
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_page_says_its_language_and_name(page: Path, path: str, language: str, encoding: str) -> None:
    layer = Middleware(PageLanguage, language="ko", title="Stock Lab")
    with client(layer, page=page) as web:
        answer = web.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": '"x"', "Range": "bytes=0-3"})
    assert answer.status_code == 200
    expected = PAGE.replace('lang="en"', f'lang="{language}"').replace(">Streamlit<", ">Stock Lab<")
    assert answer.text == expected
    assert answer.headers.get("Content-Encoding", "identity") == encoding
    assert "etag" not in answer.headers
    assert inline_script_hashes(answer.text) == inline_script_hashes(PAGE)  # the policy still fits


def test_what_is_no_page_passes_unchanged(page: Path) -> None:
    layer = Middleware(PageLanguage, language="ko", title="Stock Lab")
    with client(layer) as web:
        assert web.get("/results").text == "ok"
    with client(layer, page=page) as web:
        assert web.get("/static/x.js").text == PAGE
        assert web.head("/").headers["content-length"] == str(len(PAGE))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "static" / "js" / "a.1234.js").write_text("let a = 1;\n" * 1000)
    (tmp_path / "static" / "font.woff2").write_bytes(b"font")
    (tmp_path / "secret.js").write_text("secret")
    return tmp_path


def test_the_bundle_is_sent_packed_and_may_be_kept(bundle: Path) -> None:
    with client(Middleware(StaticGzip, folder=bundle)) as web:
        for _ in range(2):
            answer = web.get("/static/js/a.1234.js", headers={"Accept-Encoding": "br, gzip"})
            assert answer.text == "let a = 1;\n" * 1000
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Content-Type"].startswith("text/javascript")
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["Vary"] == "Accept-Encoding"
        head = web.head("/static/js/a.1234.js", headers={"Accept-Encoding": "gzip"})
        packed = gzip.compress(b"let a = 1;\n" * 1000, compresslevel=6, mtime=0)
        assert (head.content, int(head.headers["Content-Length"])) == (b"", len(packed))


@pytest.mark.parametrize(
    ("path", "encoding"),
    [
        ("/static/js/a.1234.js", "identity"),
        ("/static/js/a.1234.js", "gzip;q=0"),
        ("/static/font.woff2", "gzip"),
        ("/secret.js", "gzip"),
        ("/static/../secret.js", "gzip"),
        ("/static/js/b.js", "gzip"),
    ],
)
def test_everything_else_is_left_to_the_app(bundle: Path, path: str, encoding: str) -> None:
    with client(Middleware(StaticGzip, folder=bundle)) as web:
        answer = web.get(path, headers={"Accept-Encoding": encoding})
    assert answer.text == "ok"
    assert "Content-Encoding" not in answer.headers


@pytest.fixture
def metrics() -> Iterator[RequestMetrics]:
    return RequestMetrics()


def test_requests_are_logged_timed_and_counted_without_their_query(metrics: RequestMetrics) -> None:
    with capture_logs() as logs, client(Middleware(RequestLog, metrics=metrics)) as web:
        answer = web.get("/results?run=secret")
        web.get("/static/x.js")
        assert web.get("/fail").status_code == 500
    assert float(answer.headers["X-Process-Time"]) < 5
    seen = [(line["path"], line["status"], line["log_level"]) for line in logs if line["event"] == "request"]
    assert seen == [("/results", 200, "info"), ("/static/x.js", 200, "debug"), ("/fail", 500, "warning")]
    assert "secret" not in str(logs)
    text = metrics.text().decode()
    assert 'stocklab_requests_total{group="page",method="GET",status="200"} 1.0' in text
    assert 'stocklab_requests_total{group="page",method="GET",status="500"} 1.0' in text
    assert 'stocklab_request_seconds_count{group="static"} 1.0' in text


def test_open_connections_are_counted_while_they_are_open(metrics: RequestMetrics) -> None:
    with (
        client(Middleware(RequestLog, metrics=metrics)) as web,
        web.websocket_connect("/_stcore/stream") as socket,
    ):
        socket.receive_text()
        metrics.observe("page", "BREW", 200, 0.1)
    text = metrics.text().decode()
    assert "stocklab_sessions 0.0" in text
    assert 'stocklab_connections{group="socket"} 0.0' in text
    assert 'method="other"' in text
    with metrics.connection("socket"):
        assert "stocklab_sessions 1.0" in metrics.text().decode()


def test_path_groups_are_a_closed_set() -> None:
    assert {path_group(f"/{name}") for name in ("a", "b/c", "results", "staticky", "apiary")} == {"page"}
    assert path_group("/results/_stcore/host-config") == "streamlit"
    assert [path_group(path) for path in ("/api", "/favicon.png", "/healthz", "/media/x.csv")] == [
        "api",
        "file",
        "health",
        "media",
    ]


@pytest.mark.parametrize("value", ["gzip;q=0", "br", "", "identity;q=1, gzip; q=0.0"])
def test_a_client_that_does_not_take_gzip_is_believed(value: str) -> None:
    assert not accepts_gzip(Headers({"accept-encoding": value}))


def test_a_host_header_that_is_none_has_no_name() -> None:
    assert [host_name(header) for header in ("", "[bad", "user@host", ":80")] == ["", "", "", ""]
