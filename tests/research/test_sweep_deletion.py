"""Stored sweeps go when they are told to, or when the disk budget is used up; what others hold stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stocklab.data import Store, open_panel
from stocklab.errors import InputError, ResultNotFound
from stocklab.research.draws import Combination
from stocklab.research.sweep_store import SweepStore
from stocklab.research.variants import Variant, variants_of
from stocklab.strategy.sweep import Sweep, parse_sweep


def sweep(**more: Any) -> Sweep:
    document = {
        "strategy": {"name": "kept", "entry": {"rules": [{"id": "A", "formula": "rsi_14<40"}]}},
        "parameters": [{"paths": ["sizing.max_holdings"], "start": 2, "stop": 6, "step": 1}],
        "start": "2020-01-02",
        "end": "2021-12-30",
        **more,
    }
    return parse_sweep(document)


@pytest.fixture
def panel(demo_home: Path) -> Any:
    return open_panel(Store(demo_home))


def stored(store: SweepStore, identity: str, asked: Sweep, panel: Any, padding: int = 0) -> list[str]:
    """Keep a sweep with figures for each of its variants; their run ids."""
    found = list(variants_of(asked, lambda request: f"{request.strategy.sizing.max_holdings:040x}"))
    store.begin(identity, asked, panel, found)
    runs = [item.run_id for item in found if isinstance(item, Variant)]
    store.add(identity, {run: {"cagr": 0.1, "padding": "x" * padding} for run in runs}, [])
    return runs


def values(store: SweepStore, identity: str) -> list[tuple[Combination, bool]]:
    return [(row.values, row.figures is not None) for row in store.rows(identity)]


def test_a_deleted_sweep_leaves_the_figures_that_others_hold(tmp_path: Path, panel: Any) -> None:
    store = SweepStore(tmp_path)
    wide = stored(store, "a" * 40, sweep(), panel)
    narrow = sweep(parameters=[{"paths": ["sizing.max_holdings"], "start": 2, "stop": 3, "step": 1}])
    shared = stored(store, "b" * 40, narrow, panel)
    assert len(wide) == 5
    store.delete("a" * 40)
    with pytest.raises(ResultNotFound):
        store.load("a" * 40)
    assert store.rows("a" * 40) == []
    assert values(store, "b" * 40) == [((2.0,), True), ((3.0,), True)]
    assert store.known(wide) == frozenset(shared)
    with pytest.raises(ResultNotFound):
        store.delete("a" * 40)


def test_a_running_sweep_is_not_deleted(tmp_path: Path, panel: Any) -> None:
    store = SweepStore(tmp_path)
    stored(store, "a" * 40, sweep(), panel)
    with store.turn("a" * 40), pytest.raises(InputError, match="running"):
        store.delete("a" * 40)
    assert len(store.rows("a" * 40)) == 5


def test_the_oldest_go_when_the_budget_is_used_up(tmp_path: Path, panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SweepStore(tmp_path)
    for number, name in enumerate("abc"):
        later = [{"paths": ["sizing.max_holdings"], "start": 10 * number + 2, "stop": 10 * number + 6, "step": 1}]
        stored(store, name * 40, sweep(parameters=later), panel, padding=200_000)
    with store._write() as database:  # made on three days
        for number, name in enumerate("abc"):
            database.execute("UPDATE sweeps SET created_at = ? WHERE id = ?", (f"2026-01-0{number + 1}", name * 40))
    assert store.shrink(10**9) == 0
    assert store.shrink(2_300_000) == 1
    assert [one.id[0] for one in store.recent()] == ["c", "b"]
    assert (tmp_path / "sweeps" / "sweeps.db").stat().st_size < 2_400_000
    assert store.shrink(0) == 1  # the newest stays whatever the budget
    assert [one.id[0] for one in store.recent()] == ["c"]
