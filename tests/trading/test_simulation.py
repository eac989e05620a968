"""Simulated days with faults and kills: no order twice, none lost, each fill once, cash and holdings the broker's.

``STOCKLAB_TRADING_DAYS=10000 pytest tests/trading/test_simulation.py`` runs more of them; ``STOCKLAB_TRADING_SEED`` is
the first seed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulated_day import Day

from stocklab.db import Base, Database, OwnerRow, open_database

DAYS = int(os.environ.get("STOCKLAB_TRADING_DAYS", "40"))
FIRST = int(os.environ.get("STOCKLAB_TRADING_SEED", "1"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database in memory for all days."""
    found = open_database("sqlite://")
    Base.metadata.create_all(found.engine)
    with found.write() as session:
        session.merge(OwnerRow(id="local", name="local"))
    yield found
    found.close()


def test_days_with_faults_and_kills(database: Database) -> None:
    stories = [Day(database, seed).run() for seed in range(FIRST, FIRST + DAYS)]
    assert sum(story.kills for story in stories) >= DAYS / 2
    assert sum(story.faults for story in stories) >= DAYS
    assert sum(story.orders for story in stories) >= DAYS


def test_a_day_without_faults_sends_everything(database: Database) -> None:
    seeds = range(FIRST, FIRST + max(5, DAYS // 10))
    stories = [Day(database, seed, troubled=False).run() for seed in seeds]
    assert sum(story.orders for story in stories) >= len(stories)
    assert all(story.kills == story.faults == 0 for story in stories)


def test_the_same_seed_is_the_same_day(database: Database, tmp_path: Path) -> None:
    one, other = Day(database, 77).run(), Day(database, 77).run()
    assert one.steps == other.steps
