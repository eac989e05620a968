"""The app with accounts on, as a process, and browsers that talk to it over sockets."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from app_process import Answer, Server, serving
from people import PASSWORD
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from stocklab.accounts import Accounts
from stocklab.db import open_database
from stocklab.operations import RateLimits
from stocklab.portfolios import BacktestOrder, Lab, Order, SweepOrder
from stocklab.settings import Settings
from stocklab.strategy import PRESETS

KEY = "k" * 40
SETTINGS = {"SINGLE_USER": "false", "SIGN_UPS_AN_HOUR": "1000", "ENCRYPTION_KEY": KEY, "LANGUAGE": "en"}
SESSION = "stocklab_session"


@dataclass
class Browser:
    """Keeps cookies and sends what a browser sends with a form."""

    server: Server
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._keep(self.server.ask(path, **self._with_cookies(headers)))

    def post(self, path: str, form: dict[str, str], *, origin: str | None = "", **headers: str) -> Answer:
        headers.setdefault("Content_Type", "application/x-www-form-urlencoded")
        if origin is not None:
            headers["Origin"] = origin or f"http://127.0.0.1:{self.server.port}"
        return self._keep(self.server.ask(path, "POST", urlencode(form).encode(), **self._with_cookies(headers)))

    def sign_up(self, name: str, **more: str) -> Answer:
        form = {"email": f"{name}@example.com", "nickname": name, "password": PASSWORD, "password_repeat": PASSWORD}
        return self.post("/auth/signup", {**form, **more})

    def log_in(self, name: str, password: str = PASSWORD, **more: str) -> Answer:
        return self.post("/auth/login", {"email": f"{name}@example.com", "password": password, **more})

    def is_in(self) -> bool:
        return self.get("/").status == 200

    def page(self, name: str = "", query: str = "", **headers: str) -> str:
        """What the app draws for this browser over Streamlit's socket, as one text."""
        address = f"ws://127.0.0.1:{self.server.port}/_stcore/stream"
        origin = headers.pop("Origin", f"http://127.0.0.1:{self.server.port}")
        sent = {**headers, **({"Cookie": self._cookie()} if self.cookies else {})}
        ask = BackMsg()
        ask.rerun_script.query_string = f"lang=en&{query}"
        ask.rerun_script.page_name = name
        drawn = bytearray()
        with connect(
            address, origin=origin, additional_headers=sent, subprotocols=["streamlit"], proxy=None, max_size=None
        ) as line:  # type: ignore[arg-type]
            line.send(ask.SerializeToString())
            while True:
                message = ForwardMsg()
                raw = line.recv(timeout=60)
                assert isinstance(raw, bytes)
                message.ParseFromString(raw)
                drawn += _without_hidden_pages(message) if message.HasField("navigation") else raw
                if message.WhichOneof("type") == "script_finished":
                    return drawn.decode("utf-8", "replace")

    def _keep(self, answer: Answer) -> Answer:
        for cookie in answer.cookies:
            found = re.match(r"([^=]+)=([^;]*)", cookie)
            assert found is not None
            if "Max-Age=0" in cookie:
                self.cookies.pop(found[1], None)
            else:
                self.cookies[found[1]] = found[2]
        return answer

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _with_cookies(self, headers: dict[str, str]) -> dict[str, str]:
        return {"Cookie": self._cookie(), **headers} if self.cookies else headers


def _without_hidden_pages(message: ForwardMsg) -> bytes:
    """The menu as a browser draws it: pages that are no part of it are named, to be found at their addresses."""
    shown = [page for page in message.navigation.app_pages if not page.is_hidden]
    del message.navigation.app_pages[:]
    message.navigation.app_pages.extend(shown)
    return message.SerializeToString()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[Server]:
    """The app with accounts; its admin is "boss"."""
    with serving(folder, **SETTINGS) as running:
        assert Browser(running).sign_up("boss").status == 303
        yield running


@pytest.fixture
def browser(app: Server) -> Callable[[], Browser]:
    """A browser that was never here."""
    return lambda: Browser(app)


@contextmanager
def services(server: Server) -> Iterator[Accounts]:
    """The services over the home of a running app, for what a form cannot do."""
    database = open_database(f"sqlite:///{server.home / 'stocklab.db'}")
    try:
        yield Accounts(database, Settings(home=server.home, encryption_key=KEY), RateLimits(database))
    finally:
        database.close()


@pytest.fixture
def inside(app: Server) -> Iterator[Accounts]:
    with services(app) as found:
        yield found


@pytest.fixture
def problem() -> Callable[[Answer], str]:
    """What a page in front says is wrong."""

    def read(answer: Answer) -> str:
        found = re.search(r'<p class="problem"[^>]*>(.*?)</p>', answer.body.decode(), re.DOTALL)
        return "" if found is None else unescape(found[1])

    return read


@pytest.fixture
def restarted(tmp_path: Path) -> Callable[[], object]:
    """``with restarted() as server``: the app in one folder, each time a new process."""
    return lambda: serving(tmp_path, **SETTINGS)


@pytest.fixture
def browser_of() -> Callable[[Server], Browser]:
    """A browser that was never at a certain app."""
    return Browser


SECRET_NAME = "Ada's quiet idea"
SPAN = {"start": date(2026, 1, 5), "end": date(2026, 2, 27)}


@dataclass
class Place:
    """A running app with a market, Ada's things in it, and the services over the same home."""

    server: Server
    lab: Lab
    ada: str
    ben: str
    strategy: str
    document: dict[str, Any]
    run: str
    run_job: str
    sweep: str
    sweep_job: str

    def order(self, document: dict[str, Any]) -> BacktestOrder:
        """A backtest over the days of all others here."""
        return BacktestOrder(document=document, initial_cash_krw=100_000_000, **SPAN)  # type: ignore[arg-type]


def finished(lab: Lab, owner: str, order: Order) -> tuple[str, str]:
    """A job that is done, and the id of its result."""
    job = lab.jobs.submit(owner, order)
    deadline = time.monotonic() + 90
    while (view := lab.jobs.get(owner, job)).live:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert view.run_id is not None, view.error_message
    return job, view.run_id


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[Place]:
    """Ada saved a strategy, ran it and swept it; Ben has an account."""
    folder = tmp_path_factory.mktemp("ids")
    shutil.copytree(demo_home, folder / "home", copy_function=os.link)
    strategy = PRESETS["rsi_reversal"].strategy.model_copy(update={"name": SECRET_NAME})
    document = strategy.model_dump(mode="json")
    number = {"paths": ["sizing.max_holdings"], "values": [3, 5]}
    sweep = {"strategy": document, "parameters": [number], **{name: day.isoformat() for name, day in SPAN.items()}}
    with serving(folder, **SETTINGS) as server:
        for name in ("boss", "ada", "ben"):
            assert Browser(server).sign_up(name).status == 303
        lab = Lab.open(Settings(home=server.home, encryption_key=KEY, single_user=False))
        try:
            ada, ben = (lab.accounts.users.by_email(f"{name}@example.com").id for name in ("ada", "ben"))  # type: ignore[union-attr]
            saved = lab.strategies.save(ada, strategy)
            order = BacktestOrder(document=document, initial_cash_krw=100_000_000, strategy_id=saved.id, **SPAN)  # type: ignore[arg-type]
            run_job, run = finished(lab, ada, order)
            sweep_job, swept = finished(lab, ada, SweepOrder(document=sweep))
            yield Place(server, lab, ada, ben, saved.id, document, run, run_job, swept, sweep_job)
        finally:
            lab.close()


@pytest.fixture
def done() -> Callable[[Lab, str, Order], tuple[str, str]]:
    """Runs a job to its end: ``(job, result)``."""
    return finished
