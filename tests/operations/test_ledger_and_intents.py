"""Scheduled runs and intents are held by one worker at a time, and never twice after they ended."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stocklab.db import Database, IntentState, RunState
from stocklab.errors import InputError, JobError
from stocklab.operations import Intents, LedgerRun, RunLedger
from stocklab.operations.intents import upload_path

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
KEY = "2026-11-20"


def found(ledger: RunLedger, job: str = "sync") -> LedgerRun:
    run = ledger.get(job, KEY)
    assert run is not None
    return run


def test_many_claim_and_one_gets_it(database: Database) -> None:
    ledger = RunLedger(database)
    begin = threading.Barrier(6)
    won: list[bool] = []

    def claim() -> None:
        begin.wait()
        won.append(ledger.claim("sync", KEY, "one", NOW))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]


def test_a_dead_workers_run_is_taken_over_and_the_dead_one_changes_nothing_more(database: Database) -> None:
    ledger = RunLedger(database)
    assert ledger.claim("sync", KEY, "first", NOW)
    assert ledger.claim("sync", KEY, "second", NOW)
    assert not ledger.finish("sync", KEY, "first", RunState.FAILED, now=NOW, message="too late")
    ledger.save_progress("sync", KEY, "first", {"done": 0.9})
    assert (found(ledger).state, found(ledger).attempts, found(ledger).progress) == (RunState.RUNNING, 2, None)
    assert ledger.finish("sync", KEY, "second", RunState.DONE, now=NOW, message="all there")
    for worker in ("first", "second", "third"):
        assert not ledger.claim("sync", KEY, worker, NOW + timedelta(days=1))
    ledger.close_open("sync", KEY, RunState.MISSED, now=NOW, message="no")
    assert (found(ledger).state, found(ledger).message, found(ledger).attempts) == (RunState.DONE, "all there", 2)


def test_a_failed_run_is_tried_again_when_its_time_comes(database: Database) -> None:
    ledger = RunLedger(database)
    later = NOW + timedelta(minutes=10)
    assert ledger.claim("sync", KEY, "one", NOW)
    ledger.finish("sync", KEY, "one", RunState.FAILED, now=NOW, message="away", retry_at=later)
    assert not found(ledger).ended
    assert not ledger.claim("sync", KEY, "one", NOW + timedelta(minutes=9))
    assert ledger.claim("sync", KEY, "one", later)
    ledger.finish("sync", KEY, "one", RunState.FAILED, now=later, message="away for good")
    assert found(ledger).ended
    assert (found(ledger).attempts, found(ledger).failures) == (2, 2)
    assert not ledger.claim("sync", KEY, "one", later + timedelta(days=9))


def test_a_running_run_can_be_cancelled_and_given_back(database: Database) -> None:
    ledger = RunLedger(database)
    assert not ledger.request_cancel("sync", KEY)
    ledger.claim("sync", KEY, "one", NOW)
    assert ledger.beat("one", NOW) == frozenset()
    assert ledger.request_cancel("sync", KEY)
    assert ledger.beat("one", NOW) == {("sync", KEY)}
    assert ledger.beat("two", NOW) == frozenset()
    ledger.release("sync", KEY, "one")
    assert ledger.claim("sync", KEY, "one", NOW)


def test_each_intent_is_taken_once_oldest_first(database: Database) -> None:
    intents = Intents(database)
    asked = [
        intents.ask("local", "import", {"path": f"{number}.csv"}, now=NOW + timedelta(seconds=number)).id
        for number in range(8)
    ]
    taken: list[str] = []
    begin = threading.Barrier(4)

    def take() -> None:
        begin.wait()
        while (intent := intents.take("one", NOW, ["import"])) is not None:
            taken.append(intent.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(asked)
    intents.finish(asked[0], "one", IntentState.DONE, now=NOW)
    assert intents.take("two", NOW, ["import", "sync_now"]) is None


def test_what_a_dead_worker_held_waits_again_until_it_killed_ten(database: Database) -> None:
    intents = Intents(database)
    wish = intents.ask("local", "sync_now", now=NOW)
    for number in range(10):
        taken = intents.take(f"worker {number}", NOW, ["sync_now"])
        assert taken is not None
        assert taken.attempts == number + 1
        assert intents.recover(f"worker {number}", NOW) == 0
        assert intents.recover(f"worker {number + 1}", NOW) == 1
    assert not intents.finish(wish.id, "worker 0", IntentState.DONE, now=NOW)
    assert intents.get("local", wish.id).state is IntentState.FAILED


def test_a_waiting_intent_is_cancelled_at_once_a_taken_one_by_its_worker(database: Database) -> None:
    intents = Intents(database)
    first, second = intents.ask("local", "sync_now", now=NOW), intents.ask("local", "backup_now", now=NOW)
    assert intents.ask("local", "sync_now", now=NOW).id == first.id  # pressing twice is one wish
    assert intents.cancel("local", first.id).state is IntentState.CANCELLED
    assert intents.take("one", NOW, ["sync_now"]) is None
    assert intents.take("one", NOW, ["backup_now"]) is not None
    assert intents.cancel("local", second.id).state is IntentState.TAKEN
    assert intents.beat("one", NOW) == {second.id}
    intents.release(second.id, "one")
    assert intents.waiting() == 1
    with pytest.raises(JobError, match="no intent"):
        intents.cancel("somebody else", second.id)


def test_wishes_that_make_no_sense_are_refused(database: Database, tmp_path: Path) -> None:
    intents = Intents(database)
    with pytest.raises(InputError, match="Unknown intent"):
        intents.ask("local", "format_disk")
    with pytest.raises(InputError, match="unknown shell"):
        intents.ask("local", "sync_now", {"shell": "rm"})
    with pytest.raises(InputError, match="path of an uploaded file"):
        intents.ask("local", "import", {})
    (tmp_path / "uploads").mkdir()
    (tmp_path / "secret").touch()
    (tmp_path / "uploads" / "bars.csv").touch()
    assert upload_path(tmp_path, "bars.csv") == (tmp_path / "uploads" / "bars.csv").resolve()
    for outside in ("../secret", "/etc/passwd", ".", "gone.csv"):
        with pytest.raises(InputError, match="uploads"):
            upload_path(tmp_path, outside)
