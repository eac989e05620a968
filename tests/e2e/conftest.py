"""A fresh home behind a running app, and a real browser before it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import live_app  # noqa: E402 - the benchmarks share it

# Streamlit asks for these beside a deep link, gets 404 and goes on with the ones at the root.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")
SYMBOLS = 80
expect.set_options(timeout=20_000)  # the machine may be busy: what is expected comes later, not never


@pytest.fixture(scope="session")
def chromium_here() -> None:
    """Skips, saying so, where there is no browser."""
    if live_app.chromium_path() is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: apt-get install -y chromium fonts-noto-cjk")
        pytest.skip("no chromium on this system (apt-get install -y chromium fonts-noto-cjk)")


@pytest.fixture(scope="session")
def live(chromium_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[live_app.LiveApp]:
    """``stocklab up`` on an empty home: it makes the demo market itself."""
    home = tmp_path_factory.mktemp("e2e") / "home"
    with live_app.serving(home, demo_symbols=SYMBOLS, alerts_to_private_hosts="true") as app:
        yield app


@pytest.fixture(scope="module")
def club(chromium_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[live_app.LiveApp]:
    """The same with accounts: nobody has one yet."""
    home = tmp_path_factory.mktemp("e2e-club") / "home"
    with live_app.serving(home, demo_symbols=SYMBOLS, single_user="false") as app:
        yield app


@pytest.fixture(scope="module")
def browser(chromium_here: None) -> Iterator[Browser]:
    """One headless Chromium for the module; Playwright's event loop must be gone before other tests start theirs."""
    with live_app.chromium() as started:
        yield started


@pytest.fixture
def visitor(browser: Browser, live: live_app.LiveApp) -> Iterator[Callable[..., Page]]:
    """Opens a page of the app without accounts in a context of its own (see `_visits`)."""
    with _visits(browser, live) as open_page:
        yield open_page


@pytest.fixture
def guest(browser: Browser, club: live_app.LiveApp) -> Iterator[Callable[..., Page]]:
    """Opens a page of the app with accounts in a context of its own, where nobody is logged in."""
    with _visits(browser, club) as open_page:
        yield open_page


@contextmanager
def _visits(browser: Browser, app: live_app.LiveApp) -> Iterator[Callable[..., Page]]:
    """Pages in contexts of their own: other people's browsers, with nothing kept.

    ``before`` sees the blank page. At the end no page may have asked another machine for anything, logged an error or broken the policy.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((app.url, app.url.replace("http", "ws"), "data:", "blob:")):
            faults.append(f"request to {request.url}")

    def open_page(
        path: str = "/", *, width: int = 1280, height: int = 900, before: Callable[[Page], None] | None = None
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="ko-KR")
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", asked)
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on(
            "console",
            lambda message: (
                faults.append(f"console: {message.text} {message.location.get('url', '')}")
                if message.type == "error" and not message.location.get("url", "").endswith(EXPECTED_404)
                else None
            ),
        )
        if before is not None:
            before(page)
        page.goto(app.url + path)
        if "/auth/" not in page.url:
            live_app.settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
