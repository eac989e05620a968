"""A fresh home behind a running app, and a real browser before it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import live_app  # noqa: E402 - the benchmarks share it

# Streamlit asks for these beside a deep link, gets 404 and goes on with the ones at the root.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")
SYMBOLS = 80


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live_app.LiveApp]:
    """``stocklab up`` on an empty home: it makes the demo market itself."""
    if live_app.chromium_path() is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: apt-get install -y chromium fonts-noto-cjk")
        pytest.skip("no chromium on this system (apt-get install -y chromium fonts-noto-cjk)")
    with live_app.serving(tmp_path_factory.mktemp("e2e") / "home", demo_symbols=SYMBOLS) as app:
        yield app


@pytest.fixture(scope="module")
def browser(live: live_app.LiveApp) -> Iterator[Browser]:
    """One headless Chromium for the module; Playwright's event loop must be gone before other tests start theirs."""
    with live_app.chromium() as started:
        yield started


@pytest.fixture
def visitor(browser: Browser, live: live_app.LiveApp) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own: another person's browser, with nothing kept.

    At the end of the test no page may have asked another machine for anything, logged an error or broken the policy.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((live.url, live.url.replace("http", "ws"), "data:", "blob:")):
            faults.append(f"request to {request.url}")

    def open_page(path: str = "/", *, width: int = 1280, height: int = 900) -> Page:
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
        page.goto(live.url + path)
        live_app.settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
