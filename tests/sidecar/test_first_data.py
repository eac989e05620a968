"""Jobs that follow the data are begun again when the first market data came after them: once, and not at any hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as day_time
from pathlib import Path

import polars as pl
import pytest

from stocklab.data import Store
from stocklab.data.sources.calls import KST
from stocklab.db import Database, IntentState, RunState
from stocklab.operations import SCHEDULES, Every, Intents, RunLedger, Schedule
from stocklab.operations.follow_up import NO_MARKET
from stocklab.settings import Settings
from stocklab.sidecar.lanes import JobLane, Resources
from stocklab.sidecar.work import Job, JobContext, NothingToDo

FRIDAY = datetime(2026, 11, 20, 20, 0, tzinfo=KST)
SESSION = "2026-11-20"


class Bench:
    """A lane of a sync and two jobs that follow the data, on a clock that the test sets."""

    def __init__(self, database: Database, home: Path) -> None:
        self.now, self.database, self.home = FRIDAY, database, home
        self.done: list[str] = []
        self.resources = Resources()
        self.ledger = RunLedger(database)
        table = (
            Schedule(name="sync", text="", every=Every.SESSION, at=day_time(18, 10), quiet=True, resource="store"),
            Schedule(
                name="quality",
                text="",
                every=Every.SESSION,
                at=day_time(18, 20),
                after=("sync",),
                follows_data=True,
            ),
            Schedule(
                name="presets",
                text="",
                every=Every.SESSION,
                at=day_time(18, 40),
                after=("sync", "quality"),
                follows_data=True,
            ),
        )
        self.lane = JobLane(
            settings=Settings(home=home),
            database=database,
            worker="me",
            clock=lambda: self.now,
            resources=self.resources,
            stopping=threading.Event(),
            poll_seconds=0.1,
            jobs=tuple(Job(schedule=one, work=self.work(one.name)) for one in table),
        )

    def work(self, name: str) -> Callable[[JobContext], str]:
        def run(context: JobContext) -> str:
            if name == "sync":
                raise NothingToDo("sources: none is set up.")
            if Store(self.home).current() is None:
                raise NothingToDo(NO_MARKET)
            self.done.append(f"{name} {context.key}")
            return "ready"

        return run

    def run(self) -> list[str]:
        """What is done until nothing is left to do."""
        self.now += timedelta(minutes=1)
        self.done.clear()
        for _ in range(20):
            if not self.lane.work_once():
                return list(self.done)
        raise AssertionError("it never ends")

    def sync_now(self, message: str = "1,234 rows added") -> None:
        """A sync that a person asked for, carried out by the other lane."""
        self.now += timedelta(minutes=1)
        intents = Intents(self.database)
        wish = intents.ask("local", "sync_now", now=self.now)
        taken = intents.take("me", self.now, ["sync_now"])
        assert taken is not None
        self.fill()
        self.now += timedelta(minutes=5)
        intents.finish(wish.id, "me", IntentState.DONE, now=self.now, message=message)

    def fill(self) -> None:
        """A market of one index."""
        rows = {"session": [FRIDAY.date()], "index": ["KOSPI"]}
        rows |= {name: [4_000.0] for name in ("open", "high", "low", "close")} | {"volume": [1], "tv": [1]}
        Store(self.home).write({"indices": pl.DataFrame(rows)}, sources={"indices": "test"})


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    return Bench(database, tmp_path / "home")


def test_an_empty_home_is_followed_at_once_by_what_found_nothing(bench: Bench) -> None:
    assert bench.run() == []
    skipped = bench.ledger.require("quality", SESSION)
    assert (skipped.state, skipped.message) == (RunState.SKIPPED, NO_MARKET)

    with bench.resources.hold("store"):  # the first part of the sync is stored, the rest is still being asked for
        bench.fill()
        assert bench.run() == []
    bench.sync_now()
    assert bench.run() == [f"quality {SESSION}", f"presets {SESSION}"]
    assert bench.run() == []
    bench.sync_now()
    assert bench.run() == []


def test_the_first_sync_is_followed_also_where_there_was_another_market(bench: Bench) -> None:
    bench.fill()
    assert bench.run() == [f"quality {SESSION}", f"presets {SESSION}"]
    bench.sync_now("nothing new; krx_openapi.stocks denied: no")
    assert bench.run() == []
    bench.sync_now()
    assert bench.run() == [f"quality {SESSION}", f"presets {SESSION}"]
    bench.sync_now("12 rows added, 3 corrected")
    assert bench.run() == []


def test_in_the_quiet_hours_they_wait(bench: Bench) -> None:
    assert bench.run() == []
    bench.now = datetime(2026, 11, 23, 11, 0, tzinfo=KST)  # Monday, the exchange is open
    bench.fill()
    assert bench.run() == []
    bench.now = datetime(2026, 11, 23, 15, 40, tzinfo=KST)
    assert bench.run() == [f"quality {SESSION}", f"presets {SESSION}"]


def test_what_a_person_cancelled_stays_so(bench: Bench) -> None:
    bench.run()
    bench.ledger.retry_now("quality", SESSION, "me", bench.now)
    bench.ledger.request_cancel("quality", SESSION)
    bench.ledger.finish("quality", SESSION, "me", RunState.SKIPPED, now=bench.now, message=NO_MARKET)
    bench.sync_now()
    assert bench.run() == [f"presets {SESSION}"]


def test_which_jobs_of_the_product_follow_the_data() -> None:
    assert [one.name for one in SCHEDULES if one.follows_data] == ["quality", "warm_factors", "presets"]


def test_a_lane_behind_its_fence_begins_nothing(bench: Bench) -> None:
    bench.fill()
    bench.lane.fence = lambda _session: False
    assert bench.run() == []
    assert bench.ledger.get("sync", SESSION) is None
    bench.lane.fence = lambda _session: True
    assert bench.run() == [f"quality {SESSION}", f"presets {SESSION}"]
    bench.lane.fence = lambda _session: False
    bench.sync_now()
    assert bench.run() == []
