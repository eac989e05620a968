"""The background process as the system page, `stocklab scheduler status` and the doctor show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from stocklab.data.sources.calls import KST
from stocklab.db import Database, RunState
from stocklab.operations.intents import Intent, Intents
from stocklab.operations.key_reasons import key_entered_since
from stocklab.operations.run_ledger import LedgerRun, RunLedger
from stocklab.operations.schedule import SCHEDULES, Schedule, next_due, quiet_until
from stocklab.operations.source_board import SourceLine
from stocklab.operations.uptime import Uptime, Worker

__all__ = ["JobStatus", "SchedulerStatus", "scheduler_status"]

_LATE_RUNS: Final = 20
_LATELY: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """One job: its newest run and the newest that was done, if any, and the next moment it is due."""

    name: str
    text: str
    last: LedgerRun | None
    last_done: LedgerRun | None
    next_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerStatus:
    """The whole: ``leader`` is the process that works, None when none is alive; ``quiet_until`` while nothing heavy may
    start; ``intents`` are those that wait or are being done.
    """

    at: datetime
    leader: Worker | None
    standbys: tuple[Worker, ...]
    last_seen_at: datetime | None
    quiet_until: datetime | None
    jobs: tuple[JobStatus, ...]
    intents: tuple[Intent, ...]

    @property
    def alive(self) -> bool:
        """Whether a process works."""
        return self.leader is not None

    @property
    def troubles(self) -> tuple[LedgerRun, ...]:
        """Newest runs that failed or were missed in the last three days."""
        lasts = [job.last for job in self.jobs if job.last is not None]
        bad = (RunState.FAILED, RunState.MISSED)
        return tuple(run for run in lasts if run.state in bad and self.at - run.created_at <= _LATELY)

    def troubles_now(self, sources: Sequence[SourceLine]) -> tuple[LedgerRun, ...]:
        """`troubles` but those that speak of a key which was entered since."""
        return tuple(run for run in self.troubles if not _over(run, sources))

    def describe(self, sources: Sequence[SourceLine] = ()) -> str:
        """Lines for a terminal; with the sources, a run that speaks of a key which was entered since says that."""
        if self.leader is not None:
            lines = [f"A scheduler works since {_moment(self.leader.started_at)} ({self.leader.worker})."]
        else:
            seen = "" if self.last_seen_at is None else f" The last one was seen {_moment(self.last_seen_at)}."
            lines = [f"No scheduler works.{seen}"]
        lines += [f"Another one stands by ({worker.worker})." for worker in self.standbys]
        if self.quiet_until is not None:
            lines.append(f"Syncs, backups and collections begin after {_moment(self.quiet_until)}.")
        for job in self.jobs:
            last = "never ran" if job.last is None else f"{job.last.key} {job.last.state}"
            note = "" if job.last is None or not job.last.message else f"  {job.last.message.splitlines()[0]}"
            if job.last is not None and _over(job.last, sources):
                note = "  A key was missing or refused; one was entered since."
            lines.append(f"  {job.name:<16} next {_moment(job.next_due):<20} last: {last}{note}")
        for intent in self.intents:
            lines.append(f"  wish {intent.kind} of {_moment(intent.created_at)}: {intent.state}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form, moments as ISO text in Seoul's time."""
        plain: dict[str, Any] = _plain({**asdict(self), "alive": self.alive})
        return plain


def scheduler_status(
    database: Database, now: datetime, *, schedules: Sequence[Schedule] = SCHEDULES
) -> SchedulerStatus:
    """What the background process does, did and will do.

    Raises
    ------
    DatabaseUnreachable
        The app database does not answer.
    """
    ledger, uptime = RunLedger(database), Uptime(database)
    workers = uptime.workers("scheduler")
    alive = [worker for worker in workers if worker.alive(now)]
    today = now.astimezone(KST).date()
    days = uptime.days("scheduler", today - timedelta(days=60), today)
    jobs = []
    for schedule in schedules:
        runs = ledger.runs(schedule.name, limit=_LATE_RUNS)
        jobs.append(
            JobStatus(
                name=schedule.name,
                text=schedule.text,
                last=runs[0] if runs else None,
                last_done=next((run for run in runs if run.state is RunState.DONE), None),
                next_due=next_due(schedule, now),
            )
        )
    return SchedulerStatus(
        at=now,
        leader=next((worker for worker in alive if worker.state == "working"), None),
        standbys=tuple(worker for worker in alive if worker.state == "standby"),
        last_seen_at=days[-1].last_seen_at if days else None,
        quiet_until=quiet_until(now),
        jobs=tuple(jobs),
        intents=Intents(database).list(live=True),
    )


def _over(run: LedgerRun, sources: Sequence[SourceLine]) -> bool:
    return key_entered_since(run.message, run.finished_at or run.created_at, sources)


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment.astimezone(KST):%Y-%m-%d %H:%M} KST"


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(KST).isoformat(timespec="seconds")
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
