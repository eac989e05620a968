"""The real app as a process of its own on a free port."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Answer", "Server", "serving"]

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Answer:
    """A status, headers with lower-case names, and the body as sent."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Server:
    """A running app."""

    process: subprocess.Popen[bytes]
    port: int
    home: Path
    log: Path

    def wait_for(self, name: str, **values: object) -> dict[str, Any]:
        """The first logged event with these values; it is written after the answer was sent."""
        until = time.monotonic() + 10
        while True:
            for event in self.events(name):
                if values.items() <= event.items():
                    return event
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the app logged under this name so far."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == name]

    def figures(self) -> dict[str, float]:
        """The samples of /metrics."""
        text = self.ask("/metrics").body.decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request, nothing added or unpacked."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                method, path, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
            )
            response = connection.getresponse()
            pairs = [(name.lower(), value) for name, value in response.getheaders()]
            cookies = tuple(value for name, value in pairs if name == "set-cookie")
            return Answer(response.status, dict(pairs), response.read(), cookies)
        finally:
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Server]:
    """The app with its home in a folder; started again there, it finds what it left."""
    port = _free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STOCKLAB_", "STREAMLIT_"))}
    environment = {
        **kept,
        "STOCKLAB_HOME": str(folder / "home"),
        "STOCKLAB_LOG_FORMAT": "json",
        **{f"STOCKLAB_{name}": value for name, value in settings.items()},
        "STREAMLIT_SERVER_COOKIE_SECRET": "0123456789abcdef0123456789abcdef",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    running = Server(process, port, folder / "home", folder / "log")
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, running.log.read_text()
        assert time.monotonic() < deadline, running.log.read_text()
        try:
            if running.ask("/healthz").status == 200:
                break
        except OSError:
            time.sleep(0.1)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=20)
