"""A real Stock Lab on a free port with a home of its own, and a real browser in front of it.

Shared by the browser benchmark, the screenshots and the end-to-end tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 180.0
STOP_SECONDS = 30.0
# Chromium as root needs no sandbox; the rest keeps it from looking for its own servers.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveApp:
    """A running app."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def server(self) -> psutil.Process:
        """The process that serves the pages: the supervisor's child with the open port, or the process itself."""
        port = int(self.url.rsplit(":", 1)[1])
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        for member in reversed(family):
            if any(link.laddr.port == port and link.status == "LISTEN" for link in member.net_connections("tcp")):
                return member
        return family[0]


def environment(home: Path, **settings: object) -> dict[str, str]:
    """The caller's environment with this home and these settings, and no others of Stock Lab."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("STOCKLAB_")}
    own = {f"STOCKLAB_{key.upper()}": str(value) for key, value in settings.items()}
    return kept | {"STOCKLAB_HOME": str(home)} | own


def command(home: Path, *arguments: str, **settings: object) -> str:
    """Run ``stocklab ...`` to its end; what it printed.

    Raises
    ------
    RuntimeError
        It answered with another exit code than 0.
    """
    done = subprocess.run(
        [sys.executable, "-m", "stocklab.cli", *arguments],
        cwd=ROOT,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"stocklab {' '.join(arguments)} answered {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(home: Path, *, cores: Sequence[int] = (), **settings: object) -> Iterator[LiveApp]:
    """``stocklab up`` until the block ends, ready to answer; stopped in order afterwards.

    Raises
    ------
    RuntimeError
        It ended, or was not ready in time; the message carries the end of its log.
    """
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "stocklab.cli", "up"],
            cwd=ROOT,
            env=environment(home, port=port, **settings),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    app = LiveApp(url=f"http://127.0.0.1:{port}", home=home, process=process, log=log)
    try:
        if cores:
            os.sched_setaffinity(process.pid, cores)
        _wait_until_ready(app)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for member in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                member.kill()
            process.wait()
            raise


def _wait_until_ready(app: LiveApp) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if app.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{app.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    tail = app.log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"the app is not ready (exit code {app.process.poll()}); the end of its log:\n{tail}")


def chromium_path() -> str | None:
    """The system's Chromium."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium.

    Raises
    ------
    RuntimeError
        There is none on this system.
    """
    path = chromium_path()
    if path is None:
        raise RuntimeError("no chromium on this system. Hint: sudo apt-get install -y chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def settled(page: Page, seconds: float = 30.0) -> None:
    """Wait until the page's script has run and nothing is stale."""
    app = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    expect(app).to_be_attached(timeout=seconds * 1e3)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=seconds * 1e3)
