"""The app as visitors and machines meet it: a real process, real sockets."""

from __future__ import annotations

import gzip
import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from stocklab import __version__
from stocklab.db import head_revision
from stocklab.web.assets import content_security_policy, front_end

Server = Any  # of conftest.py
ROOT = Path(__file__).resolve().parents[2]


def test_it_is_alive_and_ready_with_an_empty_home(server: Server) -> None:
    assert json.loads(server.ask("/healthz").body) == {"status": "ok", "version": __version__}
    ready = server.ask("/readyz")
    assert ready.status == 200
    report = json.loads(ready.body)
    assert report["status"] == "ready"
    assert report["database"] == {"ok": True, "backend": "sqlite", "revision": head_revision()}
    assert report["store"] == {"ok": True, "state": "empty"}
    assert report["caches"].keys() == {"entries", "hits", "misses"}
    assert abs(datetime.fromisoformat(report["at"]).timestamp() - time.time()) < 60
    assert ready.headers["cache-control"] == "no-store"


def test_it_is_not_ready_while_the_store_or_the_schema_is_wrong(server: Server) -> None:
    market = server.home / "market"
    market.mkdir(exist_ok=True)
    (market / "CURRENT").write_text("no-such-snapshot")
    broken = server.ask("/readyz")
    (market / "CURRENT").unlink()
    assert broken.status == 503
    assert json.loads(broken.body)["store"] == {"ok": False, "state": "broken", "error": "StoreError"}

    database = sqlite3.connect(server.home / "stocklab.db")
    database.execute("UPDATE alembic_version SET version_num = '0000'")
    database.commit()
    old = server.ask("/readyz")
    database.execute("UPDATE alembic_version SET version_num = ?", (head_revision(),))
    database.commit()
    database.close()
    assert old.status == 503
    assert json.loads(old.body)["status"] == "not ready"
    assert server.ask("/readyz").status == 200


def test_every_kind_of_answer_carries_the_strict_policy(server: Server) -> None:
    html = (front_end() / "index.html").read_text(encoding="utf-8")
    for path in ("/", "/results?run=x", "/healthz", "/_stcore/health", "/favicon.png", "/api/x"):
        headers = server.ask(path).headers
        assert headers["content-security-policy"] == content_security_policy(html), path
        assert headers["x-content-type-options"] == "nosniff"
        assert "x-process-time" in headers


def test_the_page_is_korean_unless_asked_otherwise(server: Server) -> None:
    assert b'<html lang="ko">' in server.ask("/").body
    assert b'<html lang="en">' in server.ask("/?lang=en").body
    assert b"<title>Stock Lab</title>" in server.ask("/results").body


def test_the_first_visit_is_small(server: Server) -> None:
    html = server.ask("/").body.decode()
    files = sorted(set(re.findall(r'"\./(static/[^"]+\.(?:js|css))"', html)))
    assert len(files) > 20
    sent = plain = 0
    for file in files:
        answer = server.ask(f"/{file}", Accept_Encoding="gzip")
        unpacked = gzip.decompress(answer.body)
        assert unpacked == (front_end() / file).read_bytes()
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css"))
        sent, plain = sent + len(answer.body), plain + len(unpacked)
    assert sent < 0.45 * plain


def test_an_unknown_path_below_api_is_404_in_json(server: Server) -> None:
    for path in ("/api", "/api/", "/api/v1/typo"):
        answer = server.ask(path)
        assert (answer.status, json.loads(answer.body)["error"]) == (404, "not_found")
    assert server.ask("/api/v1/typo", "POST", Origin=f"http://127.0.0.1:{server.port}").status == 404
    assert server.ask("/api/v1/typo", "POST", Origin="https://evil.example").status == 403


def test_another_host_name_gets_nothing(server: Server) -> None:
    assert server.ask("/", Host="evil.example").status == 400
    assert server.ask("/healthz", Host=f"localhost:{server.port}").status == 200
    stream = f"ws://evil.example:{server.port}/_stcore/stream"
    here = socket.create_connection(("127.0.0.1", server.port))
    with pytest.raises(InvalidStatus), connect(stream, sock=here, proxy=None):
        pass
    twice = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with pytest.raises(InvalidStatus), connect(twice, additional_headers={"Host": "evil.example"}, proxy=None):
        pass
    with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{server.port}/api/x", proxy=None):
        pass


def test_the_health_check_of_the_image_runs(server: Server) -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    check = re.search(r"HEALTHCHECK .*?CMD (\[.*?\])\n", text, re.DOTALL)
    assert check is not None
    command = [sys.executable, *json.loads(check[1])[1:]]
    well = subprocess.run(command, env={"STOCKLAB_PORT": str(server.port)}, check=False)
    assert well.returncode == 0
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ill = subprocess.run(
            command, env={"STOCKLAB_PORT": str(nobody.getsockname()[1])}, capture_output=True, check=False
        )
    assert ill.returncode != 0


def test_metrics_tell_requests_sessions_jobs_runs_and_memory(server: Server) -> None:
    stream = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with connect(stream, origin=f"http://127.0.0.1:{server.port}", subprotocols=["streamlit"], proxy=None):  # type: ignore[arg-type, list-item]
        time.sleep(0.2)
        text = server.ask("/metrics").body.decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures["stocklab_sessions"]) == 1
    assert float(figures["process_resident_memory_bytes"]) > 50e6
    assert float(figures['stocklab_requests_total{group="health",method="GET",status="200"}']) >= 1
    assert float(figures['stocklab_request_seconds_count{group="health"}']) >= 1
    states = ("PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST")
    for kind in ("backtest", "sweep", "proof"):
        assert [float(figures[f'stocklab_jobs{{kind="{kind}",state="{state}"}}']) for state in states] == [0] * 6
    assert (figures["stocklab_runs"], figures["stocklab_result_cache_hits"]) == ("0.0", "0.0")


def test_sigterm_ends_it_in_order_also_with_an_open_session(server: Server) -> None:
    stream = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with connect(stream, origin=f"http://127.0.0.1:{server.port}", subprotocols=["streamlit"], proxy=None):  # type: ignore[arg-type, list-item]
        started = time.monotonic()
        server.process.terminate()
        server.process.wait(timeout=15)
    assert time.monotonic() - started < 10
    events = [json.loads(line)["event"] for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert events[-1] == "stopped"
    assert "started" in events
    assert "Traceback" not in server.log.read_text()
    assert not (server.home / "stocklab.db-wal").exists()  # the database was closed, not dropped
