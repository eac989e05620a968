"""People, saved strategies and finished runs to publish, without a market."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from stocklab.backtest import RunRequest
from stocklab.backtest.result import TABLE_SCHEMAS, Result
from stocklab.data.results import ResultStore
from stocklab.db import Database, OwnerRow
from stocklab.portfolios import Ideas, Runs, Strategies
from stocklab.ranking import Boards
from stocklab.sharing import Publications, Wish
from stocklab.strategy import Strategy, fingerprint, parse_document

PEOPLE = {"ada": "Ada Lovelace", "ben": "Ben Nevis", "cho": "조하나"}


def make_strategy(name: str = "Value", formula: str = "per<10", **more: object) -> Strategy:
    return parse_document({"name": name, "entry": {"rules": [{"id": "A", "formula": formula}]}, **more})


def make_result(strategy: Strategy, run_id: str, *, synthetic: bool, growth: tuple[float, ...]) -> Result:
    """A stored run whose equity moves by ``growth`` from session to session, from 100 million."""
    equity = [100_000_000]
    for step in growth:
        equity.append(round(equity[-1] * (1 + step)))
    days = [date(2024, 1, 2) + timedelta(days=index) for index in range(len(equity))]
    daily = pl.DataFrame(
        {
            "session": days,
            "cash_krw": equity,
            "holdings_krw": [0] * len(equity),
            "equity_krw": equity,
            "benchmark": [1.0] * len(equity),
        },
        schema=dict(TABLE_SCHEMAS["daily"]),
    )
    tables = {name: pl.DataFrame(schema=dict(schema)) for name, schema in TABLE_SCHEMAS.items()} | {"daily": daily}
    card = {
        "strategy": strategy.model_dump(mode="json"),
        "initial_cash_krw": 100_000_000,
        "price_basis": "raw",
        "synthetic": synthetic,
        "snapshot_id": "s",
    }
    metrics = {
        "total_return": equity[-1] / 100_000_000 - 1,
        "cagr": 0.1,
        "max_drawdown": -0.2,
        "sharpe": 1.5,
        "sessions_per_year": 246.0,
        "cost_per_year": 0.01,
    }
    return Result(run_id=run_id, card=card, metrics=metrics, tables=tables)


class Home:
    """A database with people, and what they need to publish."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.results = ResultStore(folder)
        self.strategies = Strategies(database)
        self.runs = Runs(database)
        self.boards = Boards(database)
        self.publications = Publications(database, self.results, followers=(self.boards,))
        with database.write() as session:
            session.add_all(OwnerRow(id=key, name=name) for key, name in PEOPLE.items())

    def run(
        self,
        owner: str,
        strategy: Strategy,
        *,
        synthetic: bool = False,
        growth: tuple[float, ...] = (0.01, -0.005) * 80,
        strategy_id: str | None = None,
    ) -> None:
        """Store a finished run of a strategy, as the engine does."""
        run_id = fingerprint(strategy)[:31] + ("5" if synthetic else "0")
        result = make_result(strategy, run_id, synthetic=synthetic, growth=growth)
        if not self.results.has(run_id):
            self.results.save(result)
        request = RunRequest(
            strategy=strategy, start=date(2024, 1, 2), end=date(2024, 6, 28), initial_cash_krw=100_000_000
        )
        self.runs.record(owner, run_id, request, card=result.card, metrics=result.metrics, strategy_id=strategy_id)
        Ideas(self.database).add(owner, [strategy])

    def publish(self, owner: str, strategy: Strategy, *, synthetic: bool = False, **how: object) -> str:
        """Save, run and publish."""
        saved = self.strategies.save(owner, strategy)
        self.run(owner, strategy, synthetic=synthetic)
        return self.publications.publish(owner, Wish(strategy_id=saved.id, **how))  # type: ignore[arg-type]


@pytest.fixture
def home(database: Database, tmp_path: Path) -> Home:
    """A home with Ada, Ben and Cho."""
    return Home(database, tmp_path / "home")


@pytest.fixture
def strategy() -> Callable[..., Strategy]:
    """Makes small strategies: ``strategy(name, formula)``."""
    return make_strategy
