"""The timetable against the real calendar: what is due, caught up, missed, and held back in the quiet hours."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from stocklab.data.sources.calls import KST
from stocklab.db import RunState
from stocklab.operations import SCHEDULES, CatchUp, Every, LedgerRun, Schedule
from stocklab.operations.schedule import next_due, plan, quiet_until


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST)


def run(key: str, state: RunState = RunState.DONE, **changed: object) -> LedgerRun:
    values: dict[str, object] = {
        "job": "sync", "key": key, "state": state, "attempts": 1, "failures": 0, "worker": "other", "progress": None,
        "message": "", "cancel_requested": False, "created_at": at("2026-01-02"), "started_at": None,
        "heartbeat_at": None, "finished_at": None, "retry_at": None,
    }  # fmt: skip
    return LedgerRun(**{**values, **changed})  # type: ignore[arg-type]


def known(*runs: LedgerRun) -> dict[str, LedgerRun]:
    return {each.key: each for each in runs}


DAILY = Schedule(name="sync", text="", every=Every.SESSION, at=time(18, 10), quiet=True, window=timedelta(days=7))
EACH = Schedule(name="each", text="", every=Every.SESSION, at=time(18, 10), catch_up=CatchUp.EACH)


def test_a_session_is_due_after_its_close_and_holidays_are_not() -> None:
    # 24 to 26 September 2026 is Chuseok, the 28th the Monday after: market-rules.md.
    done = known(run("2026-09-23"))
    assert plan(DAILY, done, at("2026-09-26T20:00"), "me").start is None
    assert plan(DAILY, done, at("2026-09-28T18:09"), "me").start is None
    assert plan(DAILY, done, at("2026-09-28T18:10"), "me").start == "2026-09-28"
    assert next_due(DAILY, at("2026-09-23T18:10")) == at("2026-09-28T18:10")


def test_the_first_start_runs_the_newest_session_and_reports_nothing_before_it() -> None:
    found = plan(DAILY, {}, at("2026-11-20T20:00"), "me")
    assert (found.start, found.close) == ("2026-11-20", ())
    late = plan(DAILY, {}, at("2026-12-31T20:00") + timedelta(days=9), "me")
    assert late.close == ()


def test_days_away_are_covered_by_the_newest_run_each_late_or_missed() -> None:
    now = at("2026-11-20T20:00")  # a Friday; the 16th to the 20th were sessions
    before = known(run("2026-11-16"))
    newest = plan(DAILY, before, now, "me")
    assert newest.start == "2026-11-20"
    assert [(one.key, one.state) for one in newest.close] == [
        (f"2026-11-{day}", RunState.SKIPPED) for day in (17, 18, 19)
    ]
    each = plan(EACH, before, now, "me")
    assert (each.start, each.close) == ("2026-11-17", ())
    short = Schedule(name="s", text="", every=Every.DAY, at=time(8, 5), window=timedelta(minutes=25))
    missed = plan(short, before, now, "me")
    assert missed.start is None
    assert [(one.key, one.state) for one in missed.close] == [
        (f"2026-11-{day}", RunState.MISSED) for day in (17, 18, 19, 20)
    ]


def test_dead_failed_and_hopeless_runs() -> None:
    now = at("2026-11-20T20:00")
    dead = known(run("2026-11-20", RunState.RUNNING))
    assert plan(DAILY, dead, now, "me").start == "2026-11-20"
    assert plan(DAILY, known(run("2026-11-20", RunState.RUNNING, worker="me")), now, "me").start is None
    waits = known(run("2026-11-20", RunState.FAILED, retry_at=now + timedelta(minutes=1)))
    assert plan(DAILY, waits, now, "me").start is None
    assert plan(DAILY, waits, now + timedelta(minutes=1), "me").start == "2026-11-20"
    assert plan(DAILY, known(run("2026-11-20", RunState.FAILED)), now, "me").start is None
    hopeless = plan(DAILY, known(run("2026-11-20", RunState.RUNNING, attempts=25)), now, "me")
    assert (hopeless.start, hopeless.close[0].state) == (None, RunState.FAILED)
    expired = plan(EACH, known(run("2026-11-10", RunState.RUNNING)), now, "me")
    assert (expired.close[0].key, expired.close[0].state) == ("2026-11-10", RunState.FAILED)


def test_a_job_waits_for_those_that_go_first() -> None:
    now = at("2026-11-20T20:00")
    after = Schedule(name="warm", text="", every=Every.SESSION, at=time(18, 30), after=("sync",))
    yesterday = run("2026-11-19")

    def start(runs: dict[str, LedgerRun]) -> str | None:
        return plan(after, known(yesterday), now, "me", before=[(DAILY, runs)]).start

    assert start(known(yesterday)) is None  # still to come
    assert start(known(run("2026-11-20", RunState.RUNNING, worker="me"))) is None
    assert start(known(run("2026-11-20", RunState.FAILED, retry_at=now))) is None
    for ended in (RunState.DONE, RunState.FAILED, RunState.MISSED, RunState.SKIPPED):
        assert start(known(run("2026-11-20", ended))) == "2026-11-20"


def test_nothing_heavy_starts_in_the_quiet_hours_of_a_session() -> None:
    assert quiet_until(at("2026-11-20T08:29")) is None
    assert quiet_until(at("2026-11-20T08:30")) == at("2026-11-20T15:40")
    assert quiet_until(at("2026-11-20T15:40")) is None
    assert quiet_until(at("2026-11-21T10:00")) is None  # Saturday
    assert quiet_until(at("2026-09-25T10:00")) is None  # Chuseok
    # The college entrance exam of 13 November 2025 moves the close to 16:30.
    assert quiet_until(at("2025-11-13T16:39")) == at("2025-11-13T16:40")
    heavy = [
        schedule for schedule in SCHEDULES if schedule.name in ("sync", "sync_morning", "backup", "collect_garbage")
    ]
    assert len(heavy) == 4
    for schedule in heavy:
        due = datetime.combine(date(2026, 11, 19), schedule.at, KST)
        runs = known(run("2026-11-17"))
        assert schedule.quiet
        assert plan(schedule, runs, at("2026-11-20T12:00"), "me").start is None
        assert plan(schedule, runs, due, "me").start == "2026-11-19"
