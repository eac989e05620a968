"""Every part's state from what the database, the store and the disk say."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from stocklab.data.store import Store
from stocklab.db import Database, RunState, SourceKeyRow, open_database
from stocklab.operations import (
    Component,
    ComponentState,
    DatabaseCalls,
    RunLedger,
    Uptime,
    components,
    home_use,
    run_counts,
)
from stocklab.settings import Settings

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)  # noon in Seoul


def parts(database: Database, home: Path, **settings: object) -> dict[str, Component]:
    found = components(database, Store(home), Settings(home=home, **settings), NOW)  # type: ignore[arg-type]
    return {one.name: one for one in found}


def test_a_source_is_off_idle_working_failed_or_paused(database: Database, tmp_path: Path) -> None:
    times = iter([NOW - timedelta(hours=1), NOW - timedelta(minutes=5)])
    calls = DatabaseCalls(database, clock=lambda: next(times))
    found = parts(database, tmp_path, opendart_key=SecretStr("k" * 40))
    assert (found["krx_openapi"].state, found["opendart"].state) == (ComponentState.OFF, ComponentState.IDLE)
    assert found["upbit"].state is ComponentState.OFF  # needs no key, but a switch
    assert parts(database, tmp_path, sync_coins=True)["upbit"].state is ComponentState.IDLE
    calls.note("opendart", ok=True)
    calls.note("opendart", ok=False, message="status 503")
    found = parts(database, tmp_path, opendart_key=SecretStr("k" * 40))
    assert (found["opendart"].state, found["opendart"].detail) == (ComponentState.FAILED, "status 503")
    assert found["opendart"].age_seconds(NOW) == 3600
    calls.block("upbit", until=NOW + timedelta(hours=1), reason="too fast")
    assert parts(database, tmp_path, sync_coins=True)["upbit"].state is ComponentState.BLOCKED


def test_a_process_that_is_silent_is_absent_and_its_day_is_counted(database: Database, tmp_path: Path) -> None:
    uptime = Uptime(database)
    for seconds in (400, 380, 360):
        uptime.beat("ui", "one", NOW - timedelta(seconds=seconds))
    found = parts(database, tmp_path)["ui"]
    assert (found.state, found.uptime_today_seconds, found.age_seconds(NOW)) == (ComponentState.ABSENT, 40, 360)
    uptime.beat("ui", "one", NOW - timedelta(seconds=10))
    assert parts(database, tmp_path)["ui"].state is ComponentState.WORKING


def test_scheduled_runs_are_counted_by_job_and_state(database: Database) -> None:
    ledger = RunLedger(database)
    for key, state in (("2026-11-25", RunState.DONE), ("2026-11-26", RunState.DONE), ("2026-11-27", RunState.FAILED)):
        ledger.claim("sync", key, "w", NOW)
        ledger.finish("sync", key, "w", state, now=NOW)
    counts = run_counts(database)
    assert {state: counts["sync", state] for state in RunState} == {
        RunState.RUNNING: 0,
        RunState.DONE: 2,
        RunState.FAILED: 1,
        RunState.MISSED: 0,
        RunState.SKIPPED: 0,
    }


def test_a_database_away_a_broken_store_and_a_full_disk_are_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = open_database(f"sqlite:///{tmp_path / 'old.db'}")  # never migrated
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "CURRENT").write_text("gone")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 10**12 - 10**8, 10**8))
    found = parts(old, tmp_path)
    old.close()
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(
        ("database", "store", "disk"), ComponentState.FAILED
    )
    assert "schema" in found["database"].detail
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 0, 10**9))
    assert parts(old, tmp_path)["disk"].state is ComponentState.LOW


def test_the_home_is_measured_by_part_and_links_count_once(tmp_path: Path) -> None:
    (tmp_path / "market" / "snapshots").mkdir(parents=True)
    (tmp_path / "results").mkdir()
    (tmp_path / "market" / "snapshots" / "a").write_bytes(os.urandom(100_000))
    (tmp_path / "market" / "b").hardlink_to(tmp_path / "market" / "snapshots" / "a")
    (tmp_path / "stocklab.db").write_bytes(os.urandom(50_000))
    (tmp_path / "stocklab.db-wal").write_bytes(os.urandom(50_000))
    use = home_use(tmp_path)
    assert use.parts.keys() == {"market", "results", "database"}
    assert 100_000 <= use.parts["market"] < 110_000
    assert 100_000 <= use.parts["database"] < 120_000
    assert use.parts["results"] == 0
    assert use.used_bytes < use.disk_bytes


def test_a_job_that_failed_for_want_of_a_key_is_no_trouble_once_it_was_entered(
    database: Database, tmp_path: Path
) -> None:
    ledger = RunLedger(database)
    Uptime(database).beat("scheduler", "one", NOW)
    ledger.claim("sync", "2026-11-26", "one", NOW)
    message = "nothing new; opendart.filings denied: opendart: the key is not registered (status 010)"
    ledger.finish("sync", "2026-11-26", "one", RunState.FAILED, now=NOW, message=message)
    assert parts(database, tmp_path)["scheduler"].state is ComponentState.FAILED
    with database.write() as session:
        session.add(SourceKeyRow(name="opendart_key", sealed="-", updated_at=NOW + timedelta(minutes=1)))
    assert parts(database, tmp_path)["scheduler"].state is ComponentState.WORKING
    assert parts(database, tmp_path)["opendart"].state is ComponentState.IDLE
