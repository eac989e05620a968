"""Who lost the lock begins nothing more, from that moment on and not from when it notices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from stocklab.db import Database, RunState
from stocklab.operations import Intents, RunLedger
from stocklab.operations.leadership import Leadership, leadership_for, lock_is_free

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
KEY = "2026-11-20"


@pytest.fixture
def leader(database: Database, tmp_path: Path) -> Iterator[Leadership]:
    found = leadership_for(database, tmp_path)
    assert found.try_take()
    yield found
    found.release()


def test_the_holder_begins_work_and_nobody_else(database: Database, tmp_path: Path, leader: Leadership) -> None:
    other = leadership_for(database, tmp_path)
    assert not other.try_take()
    intents = Intents(database)
    intents.ask("local", "news", {"symbol": "005930"}, now=NOW)
    assert not RunLedger(database, fence=other.confirms).claim("sync", KEY, "other", NOW)
    assert Intents(database, fence=other.confirms).take("other", NOW, ["news"]) is None
    assert RunLedger(database, fence=leader.confirms).claim("sync", KEY, "me", NOW)
    assert Intents(database, fence=leader.confirms).take("me", NOW, ["news"]) is not None
    other.release()


def test_a_lock_lost_at_the_server_is_lost_for_the_next_claim(
    database: Database, tmp_path: Path, leader: Leadership
) -> None:
    if database.backend != "postgresql":
        pytest.skip("a file lock is lost with its process alone")
    ledger = RunLedger(database, fence=leader.confirms)
    assert ledger.claim("sync", KEY, "me", NOW)
    ledger.finish("sync", KEY, "me", RunState.FAILED, now=NOW, message="away")
    assert lock_is_free(database) is False
    with database.write() as session:
        ended = session.execute(
            text(
                "SELECT pg_terminate_backend(held.pid, 5000) FROM pg_locks AS held WHERE held.locktype = 'advisory'"
                " AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ).all()
    assert [tuple(row) for row in ended] == [(True,)]

    # Nobody told the process: `held` was not asked.
    assert lock_is_free(database) is True
    assert not ledger.claim("quality", KEY, "me", NOW)
    assert not ledger.retry_now("sync", KEY, "me", NOW)
    assert not ledger.repeat("sync", KEY, "me", NOW, ended_before=datetime(2027, 1, 1, tzinfo=UTC))
    assert ledger.get("quality", KEY) is None

    # Another one takes over; the old one is fenced off for good.
    successor = leadership_for(database, tmp_path)
    assert successor.try_take()
    assert not ledger.claim("quality", KEY, "me", NOW)
    assert RunLedger(database, fence=successor.confirms).claim("quality", KEY, "successor", NOW)
    assert not leader.held()
    successor.release()
