"""A small app that is full: who gets in, what it refuses to read, and what it logs and counts of it."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

Server = Any  # of conftest.py


def session(server: Server, cookie: str = "") -> ClientConnection:
    headers = {"Cookie": cookie} if cookie else {}
    return connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream",
        origin=f"http://127.0.0.1:{server.port}",  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        additional_headers=headers,
        proxy=None,
    )


def enter(server: Server) -> str:
    """Load the page as a browser does; the cookie it gets."""
    answer = server.ask("/results?lang=en")
    assert answer.status == 200
    cookie: str = answer.headers["set-cookie"].split(";")[0]
    assert cookie.startswith("stocklab_seat=")
    assert "HttpOnly" in answer.headers["set-cookie"]
    return cookie


@pytest.fixture
def full(small_server: Server) -> Iterator[tuple[str, str]]:
    """Two visitors inside, each with an open session; their cookies."""
    with contextlib.ExitStack() as open_sessions:
        cookies = (enter(small_server), enter(small_server))
        for cookie in cookies:
            open_sessions.enter_context(session(small_server, cookie))
        yield cookies


def test_when_it_is_full_newcomers_get_the_busy_page_and_those_inside_go_on(
    small_server: Server, full: tuple[str, str]
) -> None:
    before = small_server.figures()["stocklab_newcomers_turned_away_total"]
    busy = small_server.ask("/results")
    assert (busy.status, int(busy.headers["retry-after"]) > 0) == (503, True)
    text = busy.body.decode()
    assert "지금은 접속이 많습니다" in text
    assert "Stock Lab is busy right now" in text
    assert "content-security-policy" in busy.headers
    with pytest.raises(InvalidStatus) as refused:
        session(small_server)
    assert refused.value.response.status_code == 503

    assert small_server.ask("/healthz").status == small_server.ask("/readyz").status == 200
    inside = small_server.ask("/builder", Cookie=full[0])
    assert (inside.status, "set-cookie" in inside.headers) == (200, False)
    with session(small_server, full[0]) as again:  # a reload: the old socket may still be open
        again.ping().wait(5)
    figures = small_server.figures()
    assert figures["stocklab_newcomers_turned_away_total"] == before + 2
    assert figures["stocklab_sessions"] == 2
    assert [line["what"] for line in small_server.events("turned_away")[-2:]] == ["page", "session"]


def test_a_made_up_cookie_is_a_newcomers(small_server: Server, full: tuple[str, str]) -> None:
    assert small_server.ask("/", Cookie="stocklab_seat=made-up").status == 503
    with pytest.raises(InvalidStatus):
        session(small_server, "stocklab_seat=made-up")


def test_a_body_that_says_it_is_too_large_is_refused_unread(small_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", small_server.port), timeout=10) as line:
        head = f"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: 127.0.0.1:{small_server.port}\r\n"
        line.sendall(f"{head}Content-Length: 5000000000\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))  # it closes, though nothing of the body was sent
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/client-errors"])
def test_a_chunked_body_is_cut_off_as_soon_as_it_is_too_large(small_server: Server, path: str) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", small_server.port), timeout=10) as line:
        head = f"{'PUT' if 'upload' in path else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1:{small_server.port}\r\n"
        kind = "multipart/form-data; boundary=x"
        line.sendall(f"{head}Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        line.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        try:
            for _ in range(2000):  # 131 MB, if it lets us
                line.sendall(chunk)
                sent += 65536
        except OSError:
            pass
        answer = b""
        with contextlib.suppress(OSError):
            answer = line.recv(65536)
    assert sent < 20_000_000
    assert answer == b"" or b" 4" in answer[:13]
    assert small_server.ask("/healthz").status == 200


def test_a_body_within_the_limit_passes(small_server: Server) -> None:
    """No route takes one as large: the 404 of the router comes while it is still being sent, and not a 413."""
    host = f"127.0.0.1:{small_server.port}"
    head = f"POST /api/x HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
    with socket.create_connection(("127.0.0.1", small_server.port), timeout=20) as line:
        line.sendall(f"{head}Content-Length: 900000\r\n\r\n".encode())
        left = 900_000
        while left and not select.select([line], [], [], 0)[0]:
            left -= line.send(bytes(min(left, 16_384)))
        assert line.recv(65536).startswith(b"HTTP/1.1 404")


def test_errors_of_browsers_are_logged_counted_and_bounded(small_server: Server) -> None:
    origin = f"http://127.0.0.1:{small_server.port}"
    report = {
        "kind": "error",
        "message": "x is undefined\nfake line at https://lab/results?run=secret-1",
        "source": f"{origin}/static/js/a.js?token=secret-2",
        "line": 7,
        "stack": "Error\n    at https://lab/?run=secret-3:1:2",
        "page": "/results",
    }

    def post(document: object, **headers: str) -> int:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return int(small_server.ask("/client-errors", "POST", body=body, **{"Origin": origin, **headers}).status)

    before = small_server.figures()["stocklab_browser_errors_total"]
    assert post(report) == 204
    assert post(report, Origin="https://evil.example") == 403
    assert post(b"not json") == 400
    assert post({**report, "kind": "gossip"}) == 400
    assert post(b"[" * 7000) == 400
    assert post(b" " * 9000) == 413
    assert small_server.ask("/client-errors").status in (405, 404, 200)
    assert small_server.figures()["stocklab_browser_errors_total"] == before + 1
    line = small_server.wait_for("browser_error")
    assert (line["kind"], line["line"], line["page"], line["level"]) == ("error", 7, "/results", "warning")
    assert line["message"] == "x is undefined fake line at https://lab/results"
    assert not any(f"secret-{number}" in json.dumps(line) for number in (1, 2, 3))
    statuses = [post(report) for _ in range(30)]
    assert 429 in statuses
    assert statuses[-1] == 429


def test_every_page_loads_the_script_that_reports(small_server: Server, full: tuple[str, str]) -> None:
    page = small_server.ask("/", Cookie=full[0]).body
    assert page.index(b'<script src="/client-errors.js">') < page.index(b"<script>")
    script = small_server.ask("/client-errors.js")
    assert (script.status, script.headers["content-type"].split(";")[0]) == (200, "text/javascript")
    assert b"securitypolicyviolation" in script.body


def test_one_line_a_request_and_monitors_are_quiet(small_server: Server, full: tuple[str, str]) -> None:
    small_server.ask("/strategies?run=secret-4", Cookie=full[0])
    small_server.ask("/healthz")
    mine = small_server.wait_for("request", path="/strategies")
    lines = small_server.events("request")
    assert (mine["method"], mine["status"], mine["level"]) == ("GET", 200, "info")
    assert 0 < mine["ms"] < 5000
    assert not [line for line in lines if line["path"] in ("/healthz", "/metrics", "/client-errors.js")]
    text = small_server.log.read_text()
    assert "secret-4" not in text
    assert "stocklab_seat" not in text
    assert full[0].split("=")[1] not in text


def test_the_log_is_also_in_a_file_of_this_process(small_server: Server) -> None:
    (file,) = (small_server.home / "logs").glob("*.log")
    assert file.name == "lab-ui.log"
    events = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert "started" in events
    assert "request" in events


def test_a_heartbeat_makes_the_uptime_of_today(small_server: Server) -> None:
    until = time.monotonic() + 10
    while (figures := small_server.figures())[
        'stocklab_component_state{component="ui",kind="process",state="working"}'
    ] != 1:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert figures['stocklab_component_last_success_age_seconds{component="ui"}'] < 60
    assert 'stocklab_component_uptime_today_seconds{component="database"}' in figures
    states = {name: value for name, value in figures.items() if name.startswith("stocklab_component_state") and value}
    assert 'stocklab_component_state{component="store",kind="store",state="empty"}' in states
    assert 'stocklab_component_state{component="opendart",kind="source",state="off"}' in states
    assert 'stocklab_component_state{component="scheduler",kind="process",state="absent"}' in states
    assert figures['stocklab_cache_misses_total{cache="results"}'] == 0
    assert 'stocklab_scheduled_run_next_seconds{job="sync"}' in figures
