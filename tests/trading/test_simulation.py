"""Simulated days with faults and kills through each broker's own protocol: no order twice, none lost, each fill once,
cash and holdings the broker's.

``STOCKLAB_TRADING_DAYS=10000 pytest tests/trading/test_simulation.py`` runs more of them; ``STOCKLAB_TRADING_SEED`` is
the first seed. `run_days` does the same on several processes and prints what happened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from planted_bugs import BUGS, MOST_DAYS, days_until_caught
from run_days import memory_database, run_batch, simulate
from simulated_brokers import BROKERS

from stocklab.brokers.values import BrokerName
from stocklab.db import Database

DAYS = int(os.environ.get("STOCKLAB_TRADING_DAYS", "15"))
FIRST = int(os.environ.get("STOCKLAB_TRADING_SEED", "1"))

# It takes an order that is filled in part and then a kill before it is over.
_LONG_SEARCHES = {(BrokerName.KIS, "fill booked twice"): 40, (BrokerName.UPBIT, "fill booked twice"): 170}


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """One database in memory for all days."""
    with memory_database() as found:
        yield found


@pytest.mark.parametrize("name", BROKERS)
def test_days_with_faults_and_kills(name: BrokerName) -> None:
    sums = run_batch(name, range(FIRST, FIRST + DAYS))
    assert not sums.failures, "\n\n".join(sums.failures)
    assert sums.orders >= 3 * DAYS
    assert sums.kills >= DAYS / 2
    assert sum(sums.faults.values()) >= 3 * DAYS


@pytest.mark.parametrize("name", BROKERS)
def test_a_day_without_faults_sends_everything(database: Database, name: BrokerName) -> None:
    """Each tenth day is one; what was not sent is among the violations."""
    story = simulate(database, name, 10 * FIRST).run()
    assert story.orders
    assert (story.kills, sum(story.faults.values())) == (0, 0)


@pytest.mark.parametrize("name", BROKERS)
def test_the_same_seed_is_the_same_day(database: Database, name: BrokerName) -> None:
    one, other = simulate(database, name, 77).run(), simulate(database, name, 77).run()
    assert one == other


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("name", BROKERS)
def test_planted_bugs_are_found(database: Database, name: BrokerName, bug: str) -> None:
    """Mostly within ten days: the first seed of each search is fixed, not the one that finds it."""
    if (name, bug) in _LONG_SEARCHES and DAYS < MOST_DAYS:
        pytest.skip(f"about {_LONG_SEARCHES[name, bug]} days: set STOCKLAB_TRADING_DAYS={MOST_DAYS}")
    caught = days_until_caught(database, name, BUGS[bug], first=1)
    assert caught is not None, f"not within {MOST_DAYS} days"
