from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from stocklab.db import JobRow, OwnerRow, StrategyRow, open_database, upgrade
from stocklab.db.database import Database, DatabaseUnreachable
from stocklab.errors import SettingsError


def test_moments_come_back_as_the_same_instant_in_utc(database: Database) -> None:
    seoul = datetime(2026, 11, 20, 15, 30, 1, 250, tzinfo=timezone(timedelta(hours=9)))
    with database.write() as session:
        session.add(OwnerRow(id="a", name="A", created_at=seoul))
    with database.read() as session:
        found = session.get_one(OwnerRow, "a").created_at
    assert found == seoul
    assert found.tzinfo is UTC
    assert found.hour == 6


def test_a_moment_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="needs a timezone"), database.write() as session:
        session.add(OwnerRow(id="a", name="A", created_at=datetime(2026, 11, 20)))


def test_a_block_that_raises_changes_nothing_and_reading_never_writes(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        _add_and_fail(database)
    with database.read() as session:
        session.add(OwnerRow(id="b", name="B"))
        session.flush()
    with database.read() as session:
        assert session.get(OwnerRow, "a") is None
        assert session.get(OwnerRow, "b") is None


def _add_and_fail(database: Database) -> None:
    with database.write() as session:
        session.add(OwnerRow(id="a", name="A"))
        session.flush()
        raise ZeroDivisionError


def test_rows_without_owner_and_unknown_states_are_refused(database: Database) -> None:
    now = datetime.now(UTC)
    orphan = StrategyRow(id="s", owner_id="nobody", name="n", document={}, fingerprint="f", version=1, tags=[])
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(orphan)
    odd = JobRow(
        id="j", owner_id="local", kind="backtest", state="SLEEPING", order_document={}, worker="w", heartbeat_at=now
    )
    with pytest.raises(IntegrityError, match="ck_jobs_state"), database.write() as session:
        session.add(odd)


def test_writers_in_many_threads_lose_no_update(database: Database) -> None:
    with database.write() as session:
        session.add(OwnerRow(id="counter", name="0"))

    def add_ten() -> None:
        for _ in range(10):
            with database.write() as session:
                row = session.get_one(OwnerRow, "counter", with_for_update=True)
                row.name = str(int(row.name) + 1)

    threads = [threading.Thread(target=add_ten) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get_one(OwnerRow, "counter").name == "60"


def test_sqlite_is_opened_durable_strict_and_patient(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'app.db'}")
    with database.engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    database.close()
    full = 2  # https://www.sqlite.org/pragma.html#pragma_synchronous
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 15_000, "synchronous": full}


def test_a_database_in_memory_is_one_database_for_all_threads() -> None:
    database = open_database("sqlite://")
    upgrade(database)
    seen: list[str] = []

    def look() -> None:
        with database.read() as session:
            seen.append(session.get_one(OwnerRow, "local").id)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    database.close()
    assert seen == ["local"]


@pytest.mark.parametrize("url", ["mysql://root:hunter2@host/db", "no url hunter2"])
def test_other_urls_are_refused_without_repeating_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="STOCKLAB_DATABASE_URL") as caught:
        open_database(url)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_away_is_named_so() -> None:
    database = open_database("postgresql://user:hunter2@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnreachable, match="does not answer"):
        database.ping()
    with pytest.raises(DatabaseUnreachable, match="does not answer"), database.write() as session:
        session.get(OwnerRow, "local")
    with pytest.raises(DatabaseUnreachable, match="cannot be opened") as caught:
        upgrade(database)
    assert "hunter2" not in str(caught.value)
    database.close()
