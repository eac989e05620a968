from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from people import counted
from sqlalchemy import select

from stocklab.db import Database, RunRow
from stocklab.errors import InputError
from stocklab.portfolios import BacktestOrder, RunNotFound, Runs, RunView, Strategies
from stocklab.strategy.document import Strategy

Order = Callable[..., BacktestOrder]
CARD = {"price_basis": "adjusted", "synthetic": True, "snapshot_id": "20261120-1"}


def record(runs: Runs, order: BacktestOrder, run_id: str, owner: str = "local", **metrics: float) -> RunView:
    return runs.record(owner, run_id, order.request(), card=CARD, metrics=metrics, strategy_id=order.strategy_id)


def test_a_run_is_listed_with_its_headline(database: Database, order: Order) -> None:
    runs = Runs(database)
    view = record(runs, order("A"), "a" * 32, total_return=0.5, sharpe=math.nan, n_trades=120, unlisted=1.0)
    assert runs.get("local", "a" * 32) == view
    assert (view.name, view.start, view.end) == ("A", order().start, order().end)
    assert (view.initial_cash_krw, view.price_basis, view.synthetic) == (100_000_000, "adjusted", True)
    assert view.metrics["total_return"] == 0.5
    assert view.metrics["n_trades"] == 120
    assert view.metrics["sharpe"] is None
    assert view.metrics["calmar"] is None
    assert "unlisted" not in view.metrics


def test_the_same_run_is_listed_once_per_owner_moves_up_and_keeps_its_mark(database: Database, order: Order) -> None:
    runs = Runs(database)
    record(runs, order("A"), "a" * 32)
    runs.set_portfolio("local", "a" * 32, True)
    record(runs, order("B"), "b" * 32)
    record(runs, order("A again"), "a" * 32)
    record(runs, order("A"), "a" * 32, owner="other")
    assert [(run.name, run.is_portfolio) for run in runs.list("local")] == [("A again", True), ("B", False)]
    assert [run.is_portfolio for run in runs.list("other")] == [False]
    assert runs.count() == 3


def test_the_list_is_searched_sorted_and_cut(database: Database, order: Order) -> None:
    runs = Runs(database)
    record(runs, order("first"), "1" * 32, total_return=0.1, max_drawdown=-0.3)
    record(runs, order("Second"), "2" * 32, total_return=10.0, max_drawdown=-0.05)
    record(runs, order("third"), "3" * 32, max_drawdown=-0.2)

    def names(**how: object) -> list[str]:
        return [run.name for run in runs.list("local", **how)]  # type: ignore[arg-type]

    assert names() == ["third", "Second", "first"]
    assert names(sort="name") == ["first", "Second", "third"]
    assert names(sort="total_return") == ["Second", "first", "third"]  # by number, not by text; undefined last
    assert names(sort="max_drawdown") == ["Second", "third", "first"]
    assert names(search="SEC") == ["Second"]
    assert names(limit=2) == ["third", "Second"]
    runs.set_portfolio("local", "3" * 32, True)
    assert names(portfolios_only=True) == ["third"]


def test_every_run_is_on_one_page(database: Database, order: Order) -> None:
    runs = Runs(database)
    for number in range(45):
        record(runs, order("A"), f"{number:032}")
    record(runs, order("B"), "b" * 32, owner="other")
    moment = datetime(2026, 11, 18, tzinfo=UTC)
    with database.write() as session:  # two of each moment, so that the cursor has to tell them apart
        for row in session.scalars(select(RunRow)):
            row.created_at = moment + timedelta(minutes=int(row.run_id, 16) // 2 if row.owner_id == "local" else 0)
    seen: list[RunView] = []
    after = None
    for size in (20, 20, 5):
        with counted(database) as sent:
            page = runs.page("local", after=after)
        assert (len(page.items), len(sent)) == (size, 1)
        seen += page.items
        after = page.after
    assert after is None
    assert len({run.run_id for run in seen}) == 45
    assert [run.created_at for run in seen] == sorted((run.created_at for run in seen), reverse=True)
    with pytest.raises(InputError, match="a place in this list"):
        runs.page("local", after="x")


def test_a_run_outlives_its_strategy(database: Database, order: Order, strategy: Callable[..., Strategy]) -> None:
    runs, strategies = Runs(database), Strategies(database)
    saved = strategies.save("local", strategy("A"))
    record(runs, order("A", strategy_id=saved.id), "a" * 32)
    assert [run.run_id for run in runs.list("local", strategy_id=saved.id)] == ["a" * 32]
    strategies.delete("local", saved.id)
    assert runs.get("local", "a" * 32).strategy_id is None


def test_a_strategy_of_somebody_else_is_not_linked(
    database: Database, order: Order, strategy: Callable[..., Strategy]
) -> None:
    saved = Strategies(database).save("other", strategy("A"))
    assert record(Runs(database), order("A", strategy_id=saved.id), "a" * 32).strategy_id is None


def test_kept_runs_stay_when_the_list_is_cleared(database: Database, order: Order) -> None:
    runs = Runs(database)
    for number in "123":
        record(runs, order(), number * 32)
    runs.set_portfolio("local", "2" * 32, True)
    assert runs.kept_ids() == {"2" * 32}
    assert runs.clear("other") == 0
    assert runs.clear("local") == 2
    assert [run.run_id for run in runs.list("local")] == ["2" * 32]
    assert runs.set_portfolio("local", "2" * 32, False).is_portfolio is False
    runs.delete("local", "2" * 32)
    assert runs.count() == 0


def test_another_owner_sees_and_changes_nothing(database: Database, order: Order) -> None:
    runs = Runs(database)
    record(runs, order(), "a" * 32)
    assert runs.list("other") == []
    for call in (runs.get, runs.delete, lambda owner, run: runs.set_portfolio(owner, run, True)):
        with pytest.raises(RunNotFound, match="a" * 32):
            call("other", "a" * 32)
    assert runs.get("local", "a" * 32).is_portfolio is False
