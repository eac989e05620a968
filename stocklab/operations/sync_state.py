"""Where the data stand with their sources, in one word, and the syncs behind it. The moment is a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from stocklab.data.freshness import Freshness
from stocklab.db import Database, IntentState, RunState
from stocklab.operations.intents import Intent, Intents
from stocklab.operations.run_ledger import LedgerRun, RunLedger
from stocklab.operations.source_board import SourceLine

__all__ = ["SYNC_INTENT", "SYNC_JOBS", "DataWord", "LastAnswer", "SyncEvent", "data_word", "last_answer", "sync_events"]

SYNC_INTENT: Final = "sync_now"
SYNC_JOBS: Final = ("sync", "sync_morning")
_RUNS: Final = 10

EventState = Literal["waiting", "running", "done", "failed", "cancelled", "missed", "skipped"]


class DataWord(StrEnum):
    """State of the data: see `data_word`."""

    EMPTY = "empty"
    DEMO = "demo"
    OFF = "off"
    NEVER = "never"
    WAITING = "waiting"
    SYNCING = "syncing"
    FRESH = "fresh"
    STALE = "stale"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncEvent:
    """A sync that a person asked for (``job`` is "sync_now", ``key`` its id) or one of the timetable.

    ``at`` is when it ended, began or was asked for, whichever is known and last. ``progress`` has ``done`` (a fraction)
    and ``text`` while it runs.
    """

    job: str
    key: str
    state: EventState
    at: datetime
    owner_id: str | None
    message: str
    progress: Mapping[str, Any] | None
    cancel_requested: bool

    @property
    def live(self) -> bool:
        """Whether it may still change."""
        return self.state in ("waiting", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAnswer:
    """The newest answer any source of market data gave."""

    source: str
    at: datetime


def sync_events(database: Database) -> tuple[SyncEvent, ...]:
    """The last syncs, those that run or wait first, then the newest first.

    Raises
    ------
    DatabaseUnreachable
        The app database does not answer.
    """
    ledger = RunLedger(database)
    events = [_of_intent(one) for one in Intents(database).list(limit=200) if one.kind == SYNC_INTENT][:_RUNS]
    for job in SYNC_JOBS:
        events += [_of_run(run) for run in ledger.runs(job, limit=_RUNS)]
    return tuple(sorted(events, key=lambda one: (one.state == "running", one.live, one.at), reverse=True))


def last_answer(sources: Sequence[SourceLine]) -> LastAnswer | None:
    """When a source of market data answered last, and which; None when none ever did."""
    known = [
        LastAnswer(source=one.source.name, at=one.last_ok_at)
        for one in sources
        if one.source.datasets and one.last_ok_at is not None
    ]
    return max(known, key=lambda one: one.at, default=None)


def data_word(
    *,
    snapshot: bool,
    synthetic: bool,
    fresh: Freshness | None,
    sources: Sequence[SourceLine],
    events: Sequence[SyncEvent],
    ever_asked: bool,
) -> DataWord:
    """One word for the state of the data, the first that is true:

    a sync runs, or waits; the last one failed, or was cancelled by a person; there are no data; they are demo data; no
    source that needs a key has one; no source ever answered; sessions that could be there are missing; all are there.

    Parameters
    ----------
    events : as `sync_events` orders them
    ever_asked : bool
        Whether the snapshot or the ledger of requests shows that a source ever answered.
    """
    first = events[0] if events else None
    if first is not None and first.live:
        return DataWord.SYNCING if first.state == "running" else DataWord.WAITING
    ended = next((one for one in events if one.state in ("done", "failed", "cancelled")), None)
    if ended is not None and ended.state != "done":
        return DataWord.FAILED if ended.state == "failed" else DataWord.CANCELLED
    if not snapshot:
        return DataWord.EMPTY
    if synthetic:
        return DataWord.DEMO
    if not any(one.market and one.source.keys for one in sources):
        return DataWord.OFF
    if not ever_asked:
        return DataWord.NEVER
    return DataWord.STALE if fresh is None or fresh.stale else DataWord.FRESH


def _of_intent(intent: Intent) -> SyncEvent:
    states: dict[IntentState, EventState] = {
        IntentState.WAITING: "waiting",
        IntentState.TAKEN: "running",
        IntentState.DONE: "done",
        IntentState.FAILED: "failed",
        IntentState.CANCELLED: "cancelled",
    }
    return SyncEvent(
        job=SYNC_INTENT,
        key=intent.id,
        state=states[intent.state],
        at=intent.finished_at or intent.taken_at or intent.created_at,
        owner_id=intent.owner_id,
        message=intent.message,
        progress=intent.progress,
        cancel_requested=intent.cancel_requested,
    )


def _of_run(run: LedgerRun) -> SyncEvent:
    states: dict[RunState, EventState] = {
        RunState.RUNNING: "running",
        RunState.DONE: "done",
        RunState.FAILED: "failed",
        RunState.MISSED: "missed",
        RunState.SKIPPED: "cancelled" if run.cancel_requested else "skipped",
    }
    return SyncEvent(
        job=run.job,
        key=run.key,
        state=states[run.state],
        at=run.finished_at or run.started_at or run.created_at,
        owner_id=None,
        message=run.message,
        progress=run.progress,
        cancel_requested=run.cancel_requested,
    )
