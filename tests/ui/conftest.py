"""A small demo market behind the pages, run without a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import bcrypt
import pytest
from house import House
from streamlit.testing.v1 import AppTest

from stocklab.portfolios import Lab, close_shared_lab, shared_lab
from stocklab.ui import cached, emergency, text
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
    emergency.forget()


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


def _pages(home: Path, monkeypatch: pytest.MonkeyPatch, **settings: str) -> Iterator[OpenPage]:
    for name in [name for name in os.environ if name.startswith("STOCKLAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STOCKLAB_HOME", str(home))
    for name, value in settings.items():
        monkeypatch.setenv(f"STOCKLAB_{name.upper()}", value)
    _forget()

    def open_page(name: str = "home", who: Mapping[str, str] | None = None, **query: str) -> AppTest:
        page = AppTest.from_file(str(MAIN), default_timeout=120)
        page.user = dict(who or {})
        for key, value in query.items():
            page.query_params[key] = value
        if name != "home":
            page.switch_page(str(ROOT / "pages" / f"{name}.py"))
        return page.run()

    yield open_page
    _forget()


@pytest.fixture(scope="module")
def people_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of this module's own for people with accounts, without market data."""
    return tmp_path_factory.mktemp("people") / "home"


@pytest.fixture
def house(people_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Pages of a home where people log in, its services, and sessions of an admin and of newcomers."""
    monkeypatch.setattr(bcrypt, "gensalt", partial(bcrypt.gensalt, rounds=4))  # 1 ms instead of 200
    for open_page in _pages(people_home, monkeypatch, single_user="false", language="en"):
        yield House(open_page, shared_lab())


@pytest.fixture
def lab(pages: OpenPage) -> Lab:
    """The Lab the pages use."""
    return shared_lab()
