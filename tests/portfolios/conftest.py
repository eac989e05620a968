"""A migrated database of each kind, and small orders to fill it with."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import pytest

from stocklab.db import Database, OwnerRow
from stocklab.portfolios import BacktestOrder
from stocklab.strategy.document import Entry as EntryRules
from stocklab.strategy.document import Rule, Strategy


@pytest.fixture
def database(database: Database) -> Database:
    """A database with all tables, the local owner and a second one, "other"."""
    with database.write() as session:
        session.add(OwnerRow(id="other", name="Somebody else"))
    return database


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
