"""`stocklab up` as one process tree: demo data once, a ready app, an ordered stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from stocklab.data.store import Store
from stocklab.db import DatabaseUnreachable
from stocklab.errors import SettingsError, StockLabError, StoreError
from stocklab.settings import Settings
from stocklab.sidecar.supervisor import address, children, ensure_data, find_app, migrate, prepare

_UP = """
import sys
from stocklab.settings import load_settings
from stocklab.sidecar.supervisor import up
sys.exit(up(load_settings()))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[str]]]:
    """Start `up` on a port with the home of this test."""
    running: list[subprocess.Popen[str]] = []

    def start(port: int) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STOCKLAB_")}
        environment = {
            **kept,
            "STOCKLAB_HOME": "home",  # relative on purpose: the child's directory is another one
            "STOCKLAB_PORT": str(port),
            "STOCKLAB_DEMO_SYMBOLS": "80",
            "STOCKLAB_LOG_FORMAT": "json",
        }
        command = [sys.executable, "-c", _UP]
        with (tmp_path / "log").open("a") as log:
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=log
            )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


def said_until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if "is ready" in line:
            return said
    pytest.fail(f"it ended before it was ready: {said}")


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def events(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]


def count(folder: Path, event: str) -> int:
    return len([line for line in events(folder) if line["event"] == event])


def test_up_makes_demo_data_once_serves_and_stops_in_order(
    up: Callable[[int], subprocess.Popen[str]], tmp_path: Path
) -> None:
    port = free_port()
    first = up(port)
    said = "".join(said_until_ready(first))
    assert "making demo data (synthetic, 80 symbols)" in said
    assert f"http://localhost:{port}" in said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=20) as answer:
        store = json.loads(answer.read())["store"]
    assert (store["state"], store["synthetic"]) == ("loaded", True)
    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=30) == 0
    ends = [line for line in events(tmp_path) if line["event"] == "child_stopped"]
    assert [(line["child"], line["killed"]) for line in ends] == [("ui", False), ("scheduler", False)]
    order = [line["event"] for line in events(tmp_path) if str(line["event"]).endswith("stopped")]
    assert order == ["stopped", "child_stopped", "scheduler_stopped", "child_stopped"]

    second = up(port)
    assert "demo" not in "".join(said_until_ready(second))
    wait_for(lambda: count(tmp_path, "scheduler_leads") == 2)
    for name in ("ui", "scheduler"):
        started = [line for line in events(tmp_path) if line["event"] == "child_started" and line["child"] == name]
        os.kill(int(str(started[-1]["pid"])), signal.SIGKILL)
    wait_for(lambda: count(tmp_path, "started") == 3 and count(tmp_path, "scheduler_leads") == 3)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as answer:
        assert answer.status == 200
    second.terminate()
    assert second.wait(timeout=30) == 0
    assert (tmp_path / "home" / "secrets" / "cookie").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_one_clear_message(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(home=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(StockLabError, match="STOCKLAB_PORT"):
            prepare(settings)


def test_a_database_that_cannot_be_used_is_one_clear_message(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=free_port(), database_url="mysql://x")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="STOCKLAB_DATABASE_URL"):
        prepare(settings)


def test_a_database_server_gets_time_to_start_and_then_the_message(tmp_path: Path) -> None:
    away = f"postgresql://user@127.0.0.1:{free_port()}/none"
    settings = Settings(home=tmp_path, database_url=away)  # type: ignore[arg-type]
    with capture_logs() as logs, pytest.raises(DatabaseUnreachable, match="cannot be opened"):
        migrate(settings, patience_seconds=4.0)
    assert {line["event"] for line in logs} == {"database_not_ready"}


def test_a_home_that_somebody_else_fills_is_left_to_them(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, demo_symbols=80)
    with Store(tmp_path).writing("import"), pytest.raises(StoreError):
        ensure_data(settings)
    assert Store(tmp_path).current() is None


def test_details_of_errors_are_shown_only_in_debug(tmp_path: Path) -> None:
    (plain, _), (debug, _) = (children(Settings(home=tmp_path, debug=wanted)) for wanted in (False, True))
    assert "showErrorDetails" not in " ".join(plain.command)
    assert "--client.showErrorDetails full" in " ".join(debug.command)


def test_the_ui_child_gets_port_address_home_and_secret(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=9000, host="0.0.0.0")
    child, scheduler = children(settings, ["--logger.level", "info"])
    command = " ".join(child.command)
    assert f"-m streamlit run {find_app()} --server.port 9000 --server.address 0.0.0.0 --logger.level info" in command
    assert child.directory == find_app().parent
    assert child.environment["STOCKLAB_HOME"] == str((tmp_path / "home").resolve())
    secret = child.environment["STREAMLIT_SERVER_COOKIE_SECRET"]
    assert secret == (tmp_path / "home" / "secrets" / "cookie").read_text()
    assert scheduler.command[-2:] == ("stocklab.cli", "scheduler")
    assert scheduler.environment["STOCKLAB_HOME"] == child.environment["STOCKLAB_HOME"]
    assert [one.name for one in children(Settings(home=tmp_path, scheduler="off"))] == ["ui"]
    assert secret not in command  # the command line can be read by every user of the machine


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://localhost:8501"),
        ("0.0.0.0", "http://localhost:8501"),
        ("::", "http://localhost:8501"),
        ("::1", "http://[::1]:8501"),
        ("nas.home", "http://nas.home:8501"),
    ],
)
def test_the_address_is_one_a_browser_can_open(host: str, expected: str) -> None:
    assert address(Settings(host=host)) == expected
