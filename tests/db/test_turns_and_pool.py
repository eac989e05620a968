"""Turns of writers, and connections as they are set."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.pool import QueuePool

from stocklab.db import DatabaseUnreachable, PoolShape, database_of, open_database, upgrade
from stocklab.db.turns import Turns
from stocklab.settings import Settings


def test_those_who_wait_come_in_the_order_they_came() -> None:
    turns, order = Turns(), []

    def wait(number: int) -> None:
        with turns.take(5):
            order.append(number)

    with turns.take(5) as taken:
        assert taken
        threads = [threading.Thread(target=wait, args=(number,)) for number in range(6)]
        for number, thread in enumerate(threads):
            thread.start()
            while len(turns._waiting) <= number:
                time.sleep(0.001)
        with turns.take(0.01) as again:
            assert not again
    for thread in threads:
        thread.join()
    assert order == list(range(6))
    with turns.take(0) as free:
        assert free


def test_the_pool_is_as_set(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(f"sqlite:///{tmp_path / 'a.db'}"),
        database_pool_size=3,
        database_pool_overflow=1,
        database_pool_timeout=1,
        database_pool_recycle=60,
    )
    with database_of(settings) as database:
        pool = database.engine.pool
        assert isinstance(pool, QueuePool)
        assert (pool.size(), pool._max_overflow, pool.timeout(), pool._recycle) == (3, 1, 1, 60)


def test_no_free_connection_is_said_in_our_own_words(tmp_path: Path) -> None:
    pool = PoolShape(size=1, overflow=0, timeout_seconds=1)
    database = open_database(f"sqlite:///{tmp_path / 'a.db'}", pool)
    upgrade(database)
    with database.engine.connect(), pytest.raises(DatabaseUnreachable, match="in use"):
        database.ping()
    database.close()
