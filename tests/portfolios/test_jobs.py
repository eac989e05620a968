"""The runner with real threads and a real database; the work is a small function that the test steers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from stocklab.backtest.result import OnProgress, Progress, ShouldCancel
from stocklab.db import Database, JobRow, JobState
from stocklab.errors import Cancelled, DataError, DocumentError, InputError, JobError
from stocklab.portfolios import BacktestOrder, JobOutcome, Jobs, JobTable

Order = Callable[..., BacktestOrder]
Eventually = Callable[..., None]


@dataclass
class Steered:
    """Work that reports, waits until it may end, and stops when it is cancelled."""

    may_end: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self, owner: str, order: BacktestOrder, on_progress: OnProgress, should_cancel: ShouldCancel
    ) -> JobOutcome:
        with self.lock:
            self.begun.append(order.document["name"])
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            curve = np.linspace(100.0, 123.0, 2470)
            on_progress(Progress(stage="simulate", done=0.5, session=date(2024, 6, 3), buys=3, equity_krw=curve))
            while not self.may_end.wait(0.005):
                if should_cancel():
                    raise Cancelled("Stopped.")
                on_progress(Progress(stage="simulate", done=0.6, session=date(2024, 6, 4), sells=1, equity_krw=curve))
        finally:
            with self.lock:
                self.at_once -= 1
        return JobOutcome(run_id="a" * 32, cached=False)


@pytest.fixture
def work() -> Iterator[Steered]:
    steered = Steered()
    yield steered
    steered.may_end.set()


@pytest.fixture
def jobs(database: Database, work: Steered) -> Iterator[Jobs]:
    opened = Jobs(JobTable(database), work, max_concurrent=2, max_queued=3, heartbeat_seconds=0.05)
    yield opened
    opened.close()


def state(jobs: Jobs, job_id: str) -> JobState:
    return jobs.get("local", job_id).state


def test_a_job_runs_to_its_result(jobs: Jobs, work: Steered, order: Order, eventually: Eventually) -> None:
    job_id = jobs.submit("local", order("A"))
    eventually(lambda: jobs.get("local", job_id).progress.sells == 1)
    view = jobs.get("local", job_id)
    assert (view.state, view.live, view.place, view.run_id) == (JobState.RUNNING, True, None, None)
    assert (view.progress.stage, view.progress.done, view.progress.session) == ("simulate", 0.6, date(2024, 6, 4))
    assert len(view.progress.equity_krw) == len(view.progress.offsets) == 500
    assert (view.progress.offsets[0], view.progress.offsets[-1]) == (0, 2469)
    assert (view.progress.equity_krw[0], view.progress.equity_krw[-1]) == (100.0, 123.0)
    work.may_end.set()
    eventually(lambda: not jobs.get("local", job_id).live)
    view = jobs.get("local", job_id)
    assert (view.state, view.run_id, view.cached, view.error_code) == (JobState.COMPLETED, "a" * 32, False, None)
    assert view.order == order("A")
    assert view.seconds is not None
    assert view.created_at <= view.started_at <= view.finished_at  # type: ignore[operator]


def test_two_run_the_rest_wait_in_order_with_their_place(
    jobs: Jobs, work: Steered, order: Order, eventually: Eventually
) -> None:
    ids = [jobs.submit("local", order(name)) for name in "ABCDE"]
    eventually(lambda: sorted(work.begun) == ["A", "B"])
    eventually(lambda: [state(jobs, job_id) for job_id in ids[:2]] == [JobState.RUNNING] * 2)
    assert [jobs.get("local", job_id).place for job_id in ids] == [None, None, 1, 2, 3]
    assert [state(jobs, job_id) for job_id in ids[2:]] == [JobState.PENDING] * 3
    with pytest.raises(JobError, match="3 jobs wait already"):
        jobs.submit("local", order("F"))
    work.may_end.set()
    eventually(lambda: all(state(jobs, job_id) is JobState.COMPLETED for job_id in ids))
    assert work.begun[2] in {"C", "D"}  # two are taken at once; which of them begins first is up to the threads
    assert sorted(work.begun[2:]) == ["C", "D", "E"]
    assert work.most_at_once == 2
    assert [view.id for view in jobs.list("local")] == ids[::-1]
    assert jobs.counts()[JobState.COMPLETED] == 5


def test_a_waiting_job_is_cancelled_at_once_and_never_begins(
    jobs: Jobs, work: Steered, order: Order, eventually: Eventually
) -> None:
    ids = [jobs.submit("local", order(name)) for name in "ABCD"]
    eventually(lambda: len(work.begun) == 2)
    assert jobs.cancel("local", ids[2]).state is JobState.CANCELLED
    assert jobs.get("local", ids[3]).place == 1
    work.may_end.set()
    eventually(lambda: state(jobs, ids[3]) is JobState.COMPLETED)
    assert "C" not in work.begun


def test_a_running_job_stops_soon_after_it_is_cancelled(
    jobs: Jobs, work: Steered, order: Order, eventually: Eventually
) -> None:
    job_id = jobs.submit("local", order("A"))
    eventually(lambda: bool(work.begun))
    asked = jobs.cancel("local", job_id)
    assert asked.cancel_requested or asked.state is JobState.CANCELLED  # the work may have seen it already
    eventually(lambda: state(jobs, job_id) is JobState.CANCELLED, seconds=1.0)
    view = jobs.cancel("local", job_id)  # once more changes nothing
    assert (view.state, view.run_id, view.error_code) == (JobState.CANCELLED, None, None)


def test_another_process_can_watch_and_cancel(
    jobs: Jobs, database: Database, order: Order, eventually: Eventually
) -> None:
    elsewhere = Jobs(JobTable(database), lambda *_: JobOutcome(run_id="b" * 32, cached=False))
    job_id = jobs.submit("local", order("A"))
    eventually(lambda: elsewhere.get("local", job_id).progress.done == 0.6)
    assert elsewhere.get("local", job_id).state is JobState.RUNNING
    elsewhere.cancel("local", job_id)
    eventually(lambda: state(elsewhere, job_id) is JobState.CANCELLED, seconds=2.0)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("No data here."), "data_error", "No data here."),
        (InputError("Wrong range."), "input_error", "Wrong range."),
        (ZeroDivisionError("secret detail"), "internal", "reference"),
    ],
)
def test_a_failure_gives_a_code_and_a_message_never_a_traceback(
    database: Database, order: Order, eventually: Eventually, error: Exception, code: str, message: str
) -> None:
    def fail(*_: object) -> JobOutcome:
        raise error

    jobs = Jobs(JobTable(database), fail)
    with capture_logs() as logs:
        job_id = jobs.submit("local", order("A"))
        eventually(lambda: not jobs.get("local", job_id).live)
        jobs.close()
    view = jobs.get("local", job_id)
    assert (view.state, view.error_code) == (JobState.FAILED, code)
    assert message in str(view.error_message)
    assert "secret detail" not in str(view.error_message)
    assert "Traceback" not in str(view.error_message)
    (logged,) = [line for line in logs if line["event"] == "job_failed"]
    if code == "internal":
        assert logged["reference"] in str(view.error_message)
        assert logged["exc_info"]


def test_the_runner_goes_on_after_failures(database: Database, order: Order, eventually: Eventually) -> None:
    def fail_on_a(_owner: str, asked: BacktestOrder, *_: object) -> JobOutcome:
        if asked.document["name"] == "A":
            raise ZeroDivisionError
        return JobOutcome(run_id="b" * 32, cached=True)

    jobs = Jobs(JobTable(database), fail_on_a, max_concurrent=1)
    ids = [jobs.submit("local", order(name)) for name in "AAB"]
    eventually(lambda: state(jobs, ids[2]) is JobState.COMPLETED)
    jobs.close()
    assert jobs.get("local", ids[2]).cached is True
    assert jobs.cached_count() == 1


def test_an_order_that_cannot_run_is_refused_before_it_becomes_a_job(jobs: Jobs, order: Order) -> None:
    with pytest.raises(DocumentError):
        jobs.submit("local", order("A", document={"name": "A", "entri": {}}))
    with pytest.raises(InputError, match="after the end"):
        jobs.submit("local", order("A", start=date(2025, 1, 1)))
    with pytest.raises(InputError, match="must be positive"):
        jobs.submit("local", order("A", initial_cash_krw=0))
    assert jobs.list("local") == []


def test_an_identical_finished_run_does_not_wait_in_the_queue(
    database: Database, work: Steered, order: Order, eventually: Eventually
) -> None:
    stored = {"known": "c" * 32}
    jobs = Jobs(JobTable(database), work, lookup=lambda _, asked: stored.get(asked.document["name"]), max_concurrent=1)
    jobs.submit("local", order("slow"))
    eventually(lambda: work.begun == ["slow"])
    view = jobs.get("local", jobs.submit("local", order("known")))
    assert (view.state, view.cached, view.run_id) == (JobState.COMPLETED, True, "c" * 32)
    assert work.begun == ["slow"]
    jobs.close()


def test_jobs_of_a_process_that_died_are_lost_at_once(database: Database, order: Order) -> None:
    code = """
import sys, os, json
from stocklab.db import open_database
from stocklab.portfolios import BacktestOrder, JobTable
from stocklab.operations.worker_identity import worker_name
table = JobTable(open_database(sys.argv[1]))
order = BacktestOrder.from_json(json.loads(sys.argv[2]))
worker = worker_name()
waiting, running = (table.add("local", order, worker) for _ in range(2))
table.start(running)
print(waiting, running, flush=True)
os._exit(9)
"""
    url = database.engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", code, url, json.dumps(order("A").to_json())], capture_output=True, text=True, check=False
    )
    assert done.returncode == 9, done.stderr
    table = JobTable(database)
    jobs = Jobs(table, lambda *_: JobOutcome(run_id="b" * 32, cached=False))
    for job_id in done.stdout.split():
        view = jobs.get("local", job_id)  # asked before any sweep: the page that polls sees it too
        assert (view.state, view.error_code) == (JobState.LOST, "process_ended")
        assert view.finished_at is not None
    assert jobs.mark_lost() == 0


def test_a_silent_process_elsewhere_is_lost_after_a_while_and_a_beating_one_is_not(
    database: Database, order: Order
) -> None:
    table = JobTable(database, lost_after_seconds=30)
    job_id = table.add("local", order("A"), "another-host/pid:[1]|7|12345|abcd")
    assert table.mark_lost() == 0
    with database.write() as session:
        long_ago = datetime.now(UTC) - timedelta(seconds=31)
        session.execute(update(JobRow).where(JobRow.id == job_id).values(heartbeat_at=long_ago))
    table.beat([job_id])
    assert table.mark_lost() == 0
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(heartbeat_at=long_ago))
    assert table.mark_lost() == 1
    table.finish(job_id, JobState.COMPLETED, run_id="a" * 32)  # it was only slow: what it became counts
    found = table.read("local", job_id)
    assert found is not None
    assert (found[0].state, found[0].error_code) == (JobState.COMPLETED, None)


def test_the_heartbeat_keeps_waiting_and_running_jobs_alive(
    jobs: Jobs, database: Database, work: Steered, order: Order, eventually: Eventually
) -> None:
    ids = [jobs.submit("local", order(name)) for name in "ABC"]
    eventually(lambda: len(work.begun) == 2)
    with database.write() as session:
        session.execute(update(JobRow).values(heartbeat_at=datetime.now(UTC) - timedelta(hours=1)))

    def fresh() -> bool:
        with database.read() as session:
            rows = [session.get_one(JobRow, job_id) for job_id in ids]
        return all(row.heartbeat_at > datetime.now(UTC) - timedelta(minutes=1) for row in rows)

    eventually(fresh)
    assert JobTable(database).mark_lost() == 0


def test_closing_stops_the_work_and_marks_what_did_not_finish(
    jobs: Jobs, work: Steered, order: Order, eventually: Eventually
) -> None:
    ids = [jobs.submit("local", order(name)) for name in "ABC"]
    eventually(lambda: len(work.begun) == 2)
    jobs.close()
    assert work.at_once == 0
    assert [state(jobs, job_id) for job_id in ids] == [JobState.LOST] * 3
    assert len(work.begun) == 2
    with pytest.raises(JobError, match="closing"):
        jobs.submit("local", order("D"))


def test_another_owner_sees_and_cancels_nothing(
    jobs: Jobs, work: Steered, order: Order, eventually: Eventually
) -> None:
    job_id = jobs.submit("local", order("A"))
    eventually(lambda: bool(work.begun))
    assert jobs.list("other") == []
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(JobError, match=job_id):
            call("other", job_id)
    assert state(jobs, job_id) is JobState.RUNNING
    assert [view.id for view in jobs.list("local", states=[JobState.RUNNING])] == [job_id]
    assert jobs.list("local", states=[JobState.FAILED]) == []


def test_a_database_that_fails_for_a_moment_does_not_end_the_runner(
    database: Database, order: Order, eventually: Eventually
) -> None:
    def lose_the_row(_owner: str, asked: BacktestOrder, *_: object) -> JobOutcome:
        if asked.document["name"] == "gone":
            with database.write() as session:
                session.delete(session.get_one(JobRow, gone))
        return JobOutcome(run_id="b" * 32, cached=False)

    ready = threading.Event()
    jobs = Jobs(JobTable(database), lambda *a: lose_the_row(*a) if ready.wait(5) else None, max_concurrent=1)  # type: ignore[arg-type, return-value]
    with capture_logs() as logs:
        gone = jobs.submit("local", order("gone"))
        after = jobs.submit("local", order("after"))
        ready.set()
        eventually(lambda: state(jobs, after) is JobState.COMPLETED)
    jobs.close()
    assert [line["job_id"] for line in logs if line["event"] == "job_state_not_saved"] == [gone]
