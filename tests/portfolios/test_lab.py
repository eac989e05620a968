from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.backtest.result import TABLE_SCHEMAS, Result, RunRequest
from stocklab.data.engine import BacktestOutcome
from stocklab.data.results import ResultStore
from stocklab.db import JobState
from stocklab.errors import SettingsError
from stocklab.market.panel import PriceBasis
from stocklab.portfolios import BacktestOrder, JobTable, Lab, close_shared_lab, database_url, shared_lab
from stocklab.settings import Settings
from stocklab.strategy import PRESETS

Order = Callable[..., BacktestOrder]
Eventually = Callable[..., None]


def make_result(request: RunRequest) -> Result:
    """An empty result under an id made of the starting cash."""
    return Result(
        run_id=f"{request.initial_cash_krw:032x}",
        card={"price_basis": "adjusted", "synthetic": False, "snapshot_id": "s1"},
        metrics={"total_return": 0.25, "n_trades": 0},
        tables={name: pl.DataFrame(schema=dict(schema)) for name, schema in TABLE_SCHEMAS.items()},
    )


def store_only(_store: object, results: ResultStore, request: RunRequest, **_: Any) -> BacktestOutcome:
    """Stands for the engine: stores an empty result."""
    result = make_result(request)
    known = results.has(result.run_id)
    results.save(result)
    return BacktestOutcome(result=result, cached=known, seconds=0.0)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    opened = Lab.open(Settings(home=tmp_path / "home"), run=store_only)
    yield opened
    opened.close()


@pytest.fixture
def demo_lab(demo_home: Path, tmp_path: Path) -> Iterator[Lab]:
    shutil.copytree(demo_home, tmp_path / "home")
    opened = Lab.open(Settings(home=tmp_path / "home", engine_threads=1))
    yield opened
    opened.close()


def test_a_new_home_is_made_and_opened_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "deep" / "home")
    for _ in range(2):
        opened = Lab.open(settings)
        assert opened.strategies.list(opened.owner_id) == []
        opened.close()
    assert (tmp_path / "deep" / "home" / "stocklab.db").is_file()


def test_the_database_may_be_elsewhere(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'else.db'}"
    settings = Settings(home=tmp_path / "home", database_url=url)  # type: ignore[arg-type]
    assert database_url(settings) == url
    Lab.open(settings).close()
    assert (tmp_path / "else.db").is_file()
    assert not (tmp_path / "home" / "stocklab.db").exists()


def test_a_finished_job_is_a_run_in_the_list(lab: Lab, order: Order, eventually: Eventually) -> None:
    job_id = lab.jobs.submit(lab.owner_id, order("A"))
    eventually(lambda: not lab.jobs.get(lab.owner_id, job_id).live)
    view = lab.jobs.get(lab.owner_id, job_id)
    assert view.state is JobState.COMPLETED, view.error_message
    (run,) = lab.runs.list(lab.owner_id)
    assert (run.run_id, run.name, run.metrics["total_return"]) == (view.run_id, "A", 0.25)
    assert lab.results.load(run.run_id).metrics["n_trades"] == 0


def test_jobs_of_a_dead_process_are_lost_when_the_lab_opens(tmp_path: Path, order: Order) -> None:
    settings = Settings(home=tmp_path / "home")
    first = Lab.open(settings)
    place = first.jobs.worker.rsplit("|", 3)[0]
    job_id = JobTable(first.database).add("local", order(), f"{place}|4194999|1|dead")
    first.close()
    second = Lab.open(settings)
    assert second.jobs.list("local")[0].state is JobState.LOST
    assert second.jobs.get("local", job_id).error_code == "process_ended"
    second.close()


def test_a_database_of_a_newer_program_keeps_the_lab_closed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    Lab.open(settings).close()
    with sqlite3.connect(tmp_path / "stocklab.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(SettingsError, match="does not know"):
        Lab.open(settings)


def test_old_results_make_room_and_portfolios_stay(tmp_path: Path, order: Order) -> None:
    lab = Lab.open(Settings(home=tmp_path / "home", result_cache_mb=64), run=store_only)
    for cash in (100_000, 200_000, 300_000):
        request = order(initial_cash_krw=cash).request()
        result = make_result(request)
        folder = lab.results.save(result)
        (folder / "daily.parquet").write_bytes(b"\0" * 30_000_000)
        lab.runs.record("local", result.run_id, request, card=result.card, metrics=result.metrics)
    oldest, middle, newest = (f"{cash:032x}" for cash in (100_000, 200_000, 300_000))
    lab.runs.set_portfolio("local", oldest, True)
    lab.tidy()
    assert [lab.results.has(run_id) for run_id in (oldest, middle, newest)] == [True, False, True]
    lab.close()


def test_the_process_has_one_lab(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    close_shared_lab()
    first = shared_lab(settings)
    assert shared_lab() is first
    close_shared_lab()
    second = shared_lab(settings)
    assert second is not first
    close_shared_lab()


def test_open_panels_are_shared_and_two_are_kept(demo_lab: Lab) -> None:
    adjusted = demo_lab.panel(PriceBasis.ADJUSTED)
    assert demo_lab.panel(PriceBasis.ADJUSTED) is adjusted
    assert demo_lab.panel(PriceBasis.ADJUSTED, date(2020, 1, 1), date(2021, 1, 1)).key == adjusted.key
    raw = demo_lab.panel(PriceBasis.RAW)
    assert raw.key != adjusted.key
    assert demo_lab.panel(PriceBasis.ADJUSTED) is adjusted
    assert demo_lab.panel() in (raw, adjusted)


def test_a_preset_runs_on_the_demo_market_and_again_at_once(demo_lab: Lab, eventually: Eventually) -> None:
    strategy = PRESETS["bollinger_reversion"].strategy
    last = demo_lab.panel().sessions[-1].item()
    asked = BacktestOrder(
        document=strategy.model_dump(mode="json"),
        start=date(last.year - 3, 1, 1),
        end=last,
        initial_cash_krw=strategy.allocation.initial_cash_krw,
    )
    job_id = demo_lab.jobs.submit("local", asked)
    eventually(lambda: not demo_lab.jobs.get("local", job_id).live, seconds=120.0)
    view = demo_lab.jobs.get("local", job_id)
    assert (view.state, view.error_message, view.cached) == (JobState.COMPLETED, None, False)
    assert demo_lab.runs.get("local", str(view.run_id)).synthetic is True
    demo_lab.panel(asked.basis, asked.start, asked.end)
    again = demo_lab.jobs.get("local", demo_lab.jobs.submit("local", asked))
    assert (again.state, again.cached, again.run_id) == (JobState.COMPLETED, True, view.run_id)
    assert len(demo_lab.runs.list("local")) == 1
