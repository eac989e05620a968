"""Many simulated days of one broker, with a sum of what happened in them:

``python -m tests.trading.run_days --broker kiwoom --days 10000 --seed 1 --workers 2``

It ends with code 1 when one day was not as it must be, and names its seed; that day runs again, to the last step, with
``--days 1 --seed N``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

for folder in (Path(__file__).parents[1], Path(__file__).parent):
    sys.path.insert(0, str(folder))

import structlog  # noqa: E402
from simulated_brokers import BROKERS  # noqa: E402
from simulated_day import NO_BUG, Bug, Day  # noqa: E402
from simulated_process import ACCOUNT, OWNER  # noqa: E402
from simulated_world import Story  # noqa: E402

from stocklab.brokers.values import BrokerName  # noqa: E402
from stocklab.db import Base, BrokerAccountRow, Database, OwnerRow, open_database  # noqa: E402

_BATCH = 50


@dataclass(slots=True)
class Sums:
    """What happened in many days."""

    days: int = 0
    orders: int = 0
    fills: int = 0
    requests: int = 0
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, story: Story) -> None:
        self.days += 1
        self.orders += story.orders
        self.fills += story.fills
        self.requests += story.requests
        self.kills += story.kills
        self.faults.update(story.faults)

    def join(self, other: Sums) -> None:
        self.days += other.days
        self.orders += other.orders
        self.fills += other.fills
        self.requests += other.requests
        self.kills += other.kills
        self.faults.update(other.faults)
        self.failures += other.failures


@contextmanager
def memory_database() -> Iterator[Database]:
    """A database in memory with today's tables, for any number of days one after another."""
    database = open_database("sqlite://")
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.merge(OwnerRow(id=OWNER, name=OWNER))
        session.flush()
        session.merge(BrokerAccountRow(id=ACCOUNT, owner_id=OWNER, broker="kiwoom", mock=True, name="x"))
    yield database
    database.close()


def _quiet_logs() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def simulate(database: Database, name: BrokerName, seed: int, *, bug: Bug = NO_BUG) -> Day:
    """The day of a seed: each tenth is one without faults, each eighth goes through httpx."""
    return Day(database, name, seed, troubled=seed % 10 != 0, direct=seed % 8 != 0, bug=bug)


def run_batch(name: BrokerName, seeds: range) -> Sums:
    """Days of these seeds. A day that breaks in any way is a failure."""
    sums = Sums()
    with memory_database() as database:
        for seed in seeds:
            try:
                sums.add(simulate(database, name, seed).run())
            except Exception as error:
                sums.days += 1
                sums.failures.append(f"seed {seed}: {type(error).__name__}: {error}")
    return sums


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", choices=[str(one) for one in BROKERS], required=True)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--steps", action="store_true", help="print the steps of failing days")
    given = parser.parse_args(arguments)
    _quiet_logs()
    name, end = BrokerName(given.broker), given.seed + given.days
    batches = [range(first, min(first + _BATCH, end)) for first in range(given.seed, end, _BATCH)]
    began, sums = time.monotonic(), Sums()
    for part in _run(partial(run_batch, name), batches, given.workers):
        sums.join(part)
        if part.failures:
            _say("\n".join(part.failures if given.steps else [_head(one) for one in part.failures]))
        if sums.days % 1000 < _BATCH:
            _say(f"{sums.days} days, {len(sums.failures)} violations, {time.monotonic() - began:.0f} s")
    seconds = time.monotonic() - began
    _say(f"broker {name}, seeds {given.seed} to {end - 1}: {sums.days} days in {seconds:.1f} s")
    _say(f"orders {sums.orders}, fills {sums.fills}, requests {sums.requests}, kills {sums.kills}")
    _say("faults " + ", ".join(f"{kind} {times}" for kind, times in sorted(sums.faults.items())))
    _say(f"violations {len(sums.failures)}")
    return 1 if sums.failures else 0


def _run(work: partial[Sums], batches: list[range], workers: int) -> Iterator[Sums]:
    if workers == 1:
        yield from map(work, batches)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(work, batches)


def _head(failure: str) -> str:
    return "\n".join(failure.splitlines()[:6])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
