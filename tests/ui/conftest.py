"""A small demo market behind the pages, run without a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.portfolios import Lab, close_shared_lab, shared_lab
from stocklab.ui import cached, text
from stocklab.ui.result import headline, trusted

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "stocklab" / "ui" / "main.py"
OpenPage = Callable[..., AppTest]


def _forget() -> None:
    close_shared_lab()
    text.default_language.cache_clear()
    for kept in (
        cached._status,
        cached._panel_words,
        cached._names,
        cached._held_sessions,
        cached._preset_coverage,
        cached._factor_statuses,
        cached._result,
        cached._summary,
        cached._figure,
    ):
        kept.cache_clear()
    cached._found.clear()
    headline._kept_until.clear()
    trusted.forget()


@pytest.fixture(scope="module")
def ui_home(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Path:
    """A home of this module's own with the shared demo market (hard links)."""
    home = tmp_path_factory.mktemp("ui") / "home"
    shutil.copytree(demo_home, home, copy_function=os.link)
    return home


@pytest.fixture
def empty_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Pages of a home without data."""
    yield from _pages(tmp_path / "home", monkeypatch)


@pytest.fixture
def pages(ui_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    """Pages of a home with the demo market: ``pages("builder", lang="en")`` runs one."""
    yield from _pages(ui_home, monkeypatch)


def _pages(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenPage]:
    for name in [name for name in os.environ if name.startswith("STOCKLAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STOCKLAB_HOME", str(home))
    _forget()

    def open_page(name: str = "home", **query: str) -> AppTest:
        page = AppTest.from_file(str(MAIN), default_timeout=120)
        for key, value in query.items():
            page.query_params[key] = value
        if name != "home":
            page.switch_page(str(ROOT / "pages" / f"{name}.py"))
        return page.run()

    yield open_page
    _forget()


@pytest.fixture
def lab(pages: OpenPage) -> Lab:
    """The Lab the pages use."""
    return shared_lab()
