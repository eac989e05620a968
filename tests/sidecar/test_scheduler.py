"""Real scheduler processes: one works, one waits; killed at random moments, each job still runs once per session."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from threading import Event

import pytest

from stocklab.data.sources.calls import KST
from stocklab.db import Database, IntentState, RunState
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.market.calendar import sessions_between
from stocklab.operations import CatchUp, Every, IntentKind, Intents, RunLedger, Schedule, scheduler_status
from stocklab.operations.leadership import leadership_for
from stocklab.settings import Settings
from stocklab.sidecar.lanes import JobLane, Resources
from stocklab.sidecar.scheduler import run_once
from stocklab.sidecar.work import Job, JobContext, NothingToDo

SESSIONS, KILLS = (int(part) for part in os.environ.get("STOCKLAB_SIDECAR_KILLS", "2,2").split(","))
KINDS = {"note": IntentKind(name="note"), "long": IntentKind(name="long", resource="store")}
NAMES = ("sync", "warm", "late", "backup")
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    set_clock(folder, datetime(2026, 9, 1, 20, 0))
    return folder


@pytest.fixture
def start(database: Database, empty_url: str, home: Path) -> Iterator[Start]:
    """Start a scheduler process on the database of this test."""
    running: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("scheduler_process.py")
        with (home / "log").open("ab") as log:
            running.append(subprocess.Popen([sys.executable, str(script), empty_url, str(home)], stderr=log))
        return running[-1]

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def set_clock(home: Path, now: datetime) -> None:
    draft = home / "now.draft"
    draft.write_text(now.isoformat())
    draft.replace(home / "now")


def notes(home: Path) -> list[list[str]]:
    file = home / "notes"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def leader_of(database: Database) -> str | None:
    found = scheduler_status(database, utc_now(), schedules=()).leader
    return None if found is None else found.worker


def done(ledger: RunLedger, session: str, names: tuple[str, ...] = NAMES) -> bool:
    runs = [ledger.get(name, session) for name in names]
    return all(run is not None and run.state is RunState.DONE for run in runs)


def test_one_works_one_waits_and_takes_over_with_what_was_left(
    database: Database, home: Path, start: Start, empty_url: str
) -> None:
    ledger, intents = RunLedger(database), Intents(database, KINDS)
    first = start()
    wait_for(lambda: leader_of(database) == f"process {first.pid}")
    second = start()
    wait_for(lambda: len(scheduler_status(database, utc_now(), schedules=()).standbys) == 1)
    wait_for(lambda: done(ledger, "2026-09-01"))
    assert {line[3] for line in notes(home)} == {str(first.pid)}

    first.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    set_clock(home, datetime(2026, 9, 2, 20, 0))
    wait_for(lambda: done(ledger, "2026-09-02"))
    assert time.monotonic() - killed < 10  # 30 s are allowed
    assert {line[3] for line in notes(home) if line[2] == "2026-09-02"} == {str(second.pid)}

    # SIGTERM: the work that runs is told, ends in order, and the next process goes on with it.
    wish = intents.ask("local", "long")
    wait_for(lambda: ["start", "long", wish.id, str(second.pid)] in notes(home))
    wait_for(lambda: intents.get("local", wish.id).progress == {"done": 0.5, "text": "half way"})
    quick = intents.ask("local", "note")  # needs nothing that the long one holds
    wait_for(lambda: intents.get("local", quick.id).state is IntentState.DONE)
    assert intents.get("local", wish.id).state is IntentState.TAKEN
    second.terminate()
    assert second.wait(timeout=10) == 0
    assert ["stopped", "long", wish.id, str(second.pid)] in notes(home)
    assert intents.get("local", wish.id).state is IntentState.WAITING
    third = start()
    wait_for(lambda: ["start", "long", wish.id, str(third.pid)] in notes(home))
    intents.cancel("local", wish.id)
    wait_for(lambda: intents.get("local", wish.id).state is IntentState.CANCELLED)

    if empty_url.startswith("sqlite"):
        return  # a file lock is lost with the process alone
    with database.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
    assert third.wait(timeout=15) == 4


def test_each_job_runs_once_per_session_however_often_the_process_is_killed(
    database: Database, home: Path, start: Start
) -> None:
    """STOCKLAB_SIDECAR_KILLS=30,100 is the long one: thirty sessions, a hundred kills."""
    rng, ledger, intents = random.Random(4), RunLedger(database), Intents(database, KINDS)
    sessions = [day.item() for day in sessions_between(date(2026, 9, 1), date(2026, 12, 30))[:SESSIONS]]
    kills = Counter(rng.choice(sessions) for _ in range(KILLS))
    processes, killed, asked = [start(), start()], [], []
    for session in sessions:
        asked.append(intents.ask("local", "note", {"session": str(session)}).id)
        set_clock(home, datetime.combine(session, day_time(20, 0)))
        for _ in range(kills[session]):
            before = len(notes(home))
            wait_for(lambda before=before, text=str(session): len(notes(home)) > before or done(ledger, text))
            time.sleep(rng.uniform(0.0, 0.2))
            worker = leader_of(database)
            victim = next((one for one in processes if worker == f"process {one.pid}"), processes[0])
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            killed.append(str(victim.pid))
            processes.remove(victim)
            processes.append(start())
        wait_for(lambda text=str(session): done(ledger, text))
    wait_for(lambda: all(intents.get("local", one).state is IntentState.DONE for one in asked))
    assert len(killed) == KILLS

    starts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word, name, key, pid in notes(home):
        if word == "start":
            starts[name, key].append(pid)
    wanted = {(name, str(session)) for name in NAMES for session in sessions}
    assert wanted <= set(starts)
    for (name, key), pids in starts.items():
        # Started again only because the process that had it was killed, and by another process each time.
        assert len(set(pids)) == len(pids), (name, key, pids)
        assert set(pids[:-1]) <= set(killed), (name, key, pids)
        if name in NAMES:
            assert ledger.require(name, key).attempts >= len(pids)
    for name in ("sync", "warm", "late"):
        states = {run.key: run.state for run in ledger.runs(name, limit=100)}
        assert states == {str(session): RunState.DONE for session in sessions}
    assert {("note", one) for one in asked} <= set(starts)


def lane(database: Database, home: Path, job: Job, now: list[datetime]) -> JobLane:
    return JobLane(
        settings=Settings(home=home),
        database=database,
        worker="me",
        clock=lambda: now[0],
        resources=Resources(),
        stopping=Event(),
        poll_seconds=0.1,
        jobs=(job,),
    )


def test_a_message_that_quotes_a_stranger_is_recorded(database: Database, home: Path) -> None:
    schedule = Schedule(name="sync", text="", every=Every.SESSION, at=day_time(18, 10), catch_up=CatchUp.EACH)

    def quoting(context: JobContext) -> str:
        raise InputError("found 'a\0b\ud800'")

    now = [datetime(2026, 11, 19, 20, 0, tzinfo=KST)]
    assert lane(database, home, Job(schedule=schedule, work=quoting), now).work_once()
    run = RunLedger(database).require("sync", "2026-11-19")
    assert (run.state, run.message) == (RunState.FAILED, "found 'a b?'")


def test_a_lane_outlives_a_fault_of_its_own(database: Database, home: Path) -> None:
    schedule = Schedule(name="sync", text="", every=Every.SESSION, at=day_time(18, 10), catch_up=CatchUp.EACH)
    now = [datetime(2026, 11, 19, 20, 0, tzinfo=KST)]
    working = lane(database, home, Job(schedule=schedule, work=lambda _: "done"), now)
    faults = [ZeroDivisionError("a fault"), OSError("no disk")]

    def clock() -> datetime:
        if faults:
            raise faults.pop()
        return now[0]

    working.clock = clock
    working.start()
    try:
        wait_for(lambda: done(RunLedger(database), "2026-11-19", ("sync",)), 20)
    finally:
        working.stopping.set()
        working.wake.set()
        assert working.join(20)


def test_errors_are_tried_again_and_then_given_up_and_nothing_to_do_is_said(database: Database, home: Path) -> None:
    asked: list[str] = []

    def broken(context: JobContext) -> str:
        asked.append(context.key)
        if len(asked) > 5:
            raise NothingToDo("no source is set up")
        raise ZeroDivisionError("secret detail")

    schedule = Schedule(
        name="sync", text="", every=Every.SESSION, at=day_time(18, 10), catch_up=CatchUp.EACH, retries=2
    )
    now = [datetime(2026, 11, 19, 20, 0, tzinfo=KST)]
    working = lane(database, home, Job(schedule=schedule, work=broken), now)
    for minutes in (0, 1, 10, 19, 31, 60, 600):
        now[0] = datetime(2026, 11, 19, 20, 0, tzinfo=KST) + timedelta(minutes=minutes)
        working.work_once()
    run = RunLedger(database).require("sync", "2026-11-19")
    assert (run.state, run.failures, run.attempts, run.retry_at) == (RunState.FAILED, 3, 3, None)
    assert "secret" not in run.message
    asked += ["", ""]
    now[0] += timedelta(days=1)
    assert working.work_once()
    skipped = RunLedger(database).require("sync", "2026-11-20")
    assert (skipped.state, skipped.message) == (RunState.SKIPPED, "no source is set up")
    assert not working.work_once()


def test_one_job_by_hand_runs_once_and_not_beside_a_scheduler(database: Database, home: Path) -> None:
    ran: list[str] = []

    def work(context: JobContext) -> str:
        ran.append(context.key)
        return "well"

    job = Job(schedule=Schedule(name="sync", text="", every=Every.SESSION, at=day_time(18, 10)), work=work)
    moment = datetime(2026, 9, 28, 12, 0, tzinfo=KST)
    for _ in range(2):  # cron called twice
        run = run_once(Settings(home=home), database, job, worker="cron", clock=lambda: moment)
        assert (run.key, run.state, run.message) == ("2026-09-23", RunState.DONE, "well")
    run_once(Settings(home=home), database, job, worker="cron", key=date(2026, 9, 22), clock=lambda: moment)
    assert ran == ["2026-09-23", "2026-09-22"]
    scheduler = leadership_for(database, home)
    assert scheduler.try_take()
    with pytest.raises(InputError, match="A scheduler is running"):
        run_once(Settings(home=home), database, job, worker="cron", clock=lambda: moment)
    scheduler.release()
