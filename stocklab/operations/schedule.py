"""The timetable of the background process: which job runs for which session or day, when, and what if it was late.

Pure: the moment is a parameter, so thirty sessions take no longer than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from stocklab.data.sources.calls import KST
from stocklab.db import RunState
from stocklab.errors import InputError
from stocklab.market.calendar import is_session, session_hours
from stocklab.operations.run_ledger import LedgerRun

__all__ = [
    "SCHEDULES",
    "STORE",
    "CatchUp",
    "Closing",
    "Every",
    "Plan",
    "Schedule",
    "due_at",
    "newest_key",
    "next_due",
    "plan",
    "quiet_until",
]

STORE: Final = "store"
"""The resource that whoever writes or copies the market store holds."""

_QUIET_FROM: Final = time(8, 30)
_QUIET_UNTIL: Final = time(15, 40)
_AFTER_CLOSE: Final = timedelta(minutes=10)
_LOOK_BACK: Final = timedelta(days=40)
_SEARCH: Final = timedelta(days=15)  # longer than any row of holidays
_SATURDAY: Final = 5


class Every(StrEnum):
    """What a job runs for: each session of the exchange, or each day."""

    SESSION = "session"
    DAY = "day"


class CatchUp(StrEnum):
    """What happens to keys that were not done in time, as long as their window is open.

    EACH: every one is run late. NEWEST: the newest is run, and covers the older ones, which are noted as skipped. After
    its window a key is reported as missed.
    """

    EACH = "each"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One job of the timetable.

    Attributes
    ----------
    name, text : str
        Stable name; what it does, in English.
    every : Every
    at : time
        Time in Seoul on the day of the key, from which on it may start.
    catch_up : CatchUp
    window : timedelta
        How long after ``at`` it may still start.
    quiet : bool
        It does not start in the quiet hours of a session (see `quiet_until`).
    resource : str
        Only one piece of work at a time holds a resource; "" needs none.
    after : tuple of str
        Jobs that end first when they are due for the same key.
    follows_data : bool
        It is begun once more for its newest key when the first market data came after it (see
        `stocklab.operations.follow_up`).
    retries : int
        How often an error is tried again, after ``retry_wait`` and then twice as long each time.
    most_attempts : int
        Starts after which it is given up also when every one of them ended with the process.
    """

    name: str
    text: str
    every: Every
    at: time
    catch_up: CatchUp = CatchUp.NEWEST
    window: timedelta = timedelta(days=7)
    quiet: bool = False
    resource: str = ""
    after: tuple[str, ...] = ()
    follows_data: bool = False
    retries: int = 3
    retry_wait: timedelta = timedelta(minutes=10)
    most_attempts: int = 25


SCHEDULES: Final = (
    Schedule(
        name="daily_notes",
        text="Write the day's note for those who trade on live prices",
        every=Every.SESSION,
        at=time(15, 50),
        window=timedelta(hours=15),
    ),
    Schedule(
        name="daily_notes_evening",
        text="Write the day's note of paper accounts, once the day's data are there",
        every=Every.SESSION,
        at=time(19, 0),
        after=("sync",),
        window=timedelta(hours=13),
    ),
    Schedule(
        name="disclosures",
        text="Read what was filed with DART during the day",
        every=Every.SESSION,
        at=time(19, 30),
    ),
    Schedule(
        name="disclosures_morning",
        text="Read what was filed with DART since the evening",
        every=Every.DAY,
        at=time(7, 30),
    ),
    Schedule(
        name="sync",
        text="Fetch what the sources have after the close, and what was missing",
        every=Every.SESSION,
        at=time(18, 10),  # docs: most tables of the exchange are final by 18:00
        quiet=True,
        resource=STORE,
    ),
    Schedule(
        name="sync_morning",
        text="Fetch what the sources publish the next morning",
        every=Every.DAY,
        at=time(8, 5),  # the exchange's open interface has the day before from 08:00
        window=timedelta(minutes=25),
        quiet=True,
        resource=STORE,
    ),
    Schedule(
        name="quality",
        text="Check the newest data and keep the report",
        every=Every.SESSION,
        at=time(18, 20),
        after=("sync",),
        follows_data=True,
    ),
    Schedule(
        name="alert_rules",
        text="Judge the rules of alerts by the close",
        every=Every.SESSION,
        at=time(18, 15),
        after=("sync",),
        window=timedelta(days=2),
    ),
    Schedule(
        name="alert_rules_morning",
        text="Judge the rules of alerts by what came in the morning",
        every=Every.DAY,
        at=time(8, 15),
        after=("sync_morning",),
        window=timedelta(days=1),
    ),
    Schedule(
        name="alert_filings",
        text="Judge the rules of alerts by what was filed during the day",
        every=Every.SESSION,
        at=time(19, 35),
        after=("disclosures",),
        window=timedelta(days=1),
    ),
    Schedule(
        name="alert_filings_morning",
        text="Judge the rules of alerts by what was filed since the evening",
        every=Every.DAY,
        at=time(7, 35),
        after=("disclosures_morning",),
        window=timedelta(days=1),
    ),
    Schedule(
        name="warm_factors",
        text="Compute the factors of saved strategies ahead",
        every=Every.SESSION,
        at=time(18, 30),
        after=("sync",),
        follows_data=True,
    ),
    Schedule(
        name="presets",
        text="Run the famous strategies ahead",
        every=Every.SESSION,
        at=time(18, 40),
        after=("sync", "warm_factors"),
        follows_data=True,
    ),
    Schedule(
        name="publications",
        text="Mark published strategies to the last session",
        every=Every.SESSION,
        at=time(18, 50),
        after=("sync", "presets"),
    ),
    Schedule(
        name="backup",
        text="Back up the app database and the list of the market data",
        every=Every.DAY,
        at=time(2, 30),
        quiet=True,
        resource=STORE,
    ),
    Schedule(
        name="collect_garbage",
        text="Remove old snapshots, results beyond their budget and left-overs",
        every=Every.DAY,
        at=time(3, 30),
        quiet=True,
        resource=STORE,
    ),
)
"""The jobs of the product, in the order in which they start when several are due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A key that will not be run (again): the state and message to record."""

    key: str
    state: RunState
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do about a job now: keys to close, and the key to start, if any."""

    close: tuple[Closing, ...] = ()
    start: str | None = None


def due_at(schedule: Schedule, key: date) -> datetime:
    """The moment from which on the job may run for a key."""
    return datetime.combine(key, schedule.at, KST)


def newest_key(schedule: Schedule, now: datetime) -> date | None:
    """The newest key that is due; None when there is none in the last fortnight."""
    keys = _due(schedule, now.astimezone(KST).date() - _SEARCH, now)
    return keys[-1] if keys else None


def next_due(schedule: Schedule, now: datetime) -> datetime | None:
    """The next moment after ``now`` at which the job becomes due."""
    first = now.astimezone(KST).date()
    for key in _keys(schedule, first, first + _SEARCH):
        moment = due_at(schedule, key)
        if moment > now:
            return moment
    return None


def quiet_until(now: datetime) -> datetime | None:
    """End of the quiet hours in which ``now`` lies; None outside of them.

    On a session nothing that writes the store or copies it starts from 08:30 to 15:40, or ten minutes after the close
    where that is later.
    """
    now = now.astimezone(KST)
    day = now.date()
    if not _opens(day):
        return None
    try:
        close = session_hours(day, expected=True)[1]
    except InputError:
        close = _QUIET_UNTIL
    ends = max(datetime.combine(day, _QUIET_UNTIL, KST), datetime.combine(day, close, KST) + _AFTER_CLOSE)
    return ends if datetime.combine(day, _QUIET_FROM, KST) <= now < ends else None


def plan(
    schedule: Schedule,
    runs: Mapping[str, LedgerRun],
    now: datetime,
    worker: str,
    *,
    before: Sequence[tuple[Schedule, Mapping[str, LedgerRun]]] = (),
) -> Plan:
    """What to do about one job at this moment.

    Parameters
    ----------
    runs : key -> run
        What the ledger knows, back to its oldest run or forty days. Before the oldest run the job did not exist:
        nothing is reported for those days.
    worker : str
        The asking process; its own running runs are left alone.
    before : pairs of schedule and its runs
        The jobs named in ``after``.
    """
    newest = newest_key(schedule, now)
    if newest is None:
        return Plan()
    known = [date.fromisoformat(key) for key in runs]
    floor = now.astimezone(KST).date() - _LOOK_BACK
    first = max(min(known), floor) if known else newest
    open_keys = [key for key in _due(schedule, first, now) if _is_open(runs.get(key.isoformat()), worker)]
    close: list[Closing] = []
    waiting: list[date] = []
    for key in open_keys:
        reason = _why_over(schedule, key, runs.get(key.isoformat()), now)
        if reason is not None:
            close.append(reason)
        else:
            waiting.append(key)
    if schedule.catch_up is CatchUp.NEWEST:
        close += [_covered(key, newest) for key in waiting if key != newest]
        waiting = [key for key in waiting if key == newest]
    if not known:  # the first time: a window that closed before the program was there is nobody's fault
        close = []
    held_back = schedule.quiet and quiet_until(now) is not None
    ready = (key for key in waiting if not held_back and _may_start(runs.get(key.isoformat()), now))
    start = next((key.isoformat() for key in ready if not _must_wait(key, before, now)), None)
    return Plan(close=tuple(close), start=start)


def _is_open(run: LedgerRun | None, worker: str) -> bool:
    if run is None:
        return True
    return not run.ended and not (run.state is RunState.RUNNING and run.worker == worker)


def _may_start(run: LedgerRun | None, now: datetime) -> bool:
    return run is None or run.retry_at is None or run.retry_at <= now


def _why_over(schedule: Schedule, key: date, run: LedgerRun | None, now: datetime) -> Closing | None:
    """Why a key that is still open will not be run; None where it may."""
    text = key.isoformat()
    due = due_at(schedule, key)
    if run is not None and run.attempts >= schedule.most_attempts:
        return Closing(
            key=text, state=RunState.FAILED, message=f"Given up: the process ended during {run.attempts} attempts."
        )
    if now <= due + schedule.window:
        return None
    if run is None:
        closed = due + schedule.window
        return Closing(
            key=text,
            state=RunState.MISSED,
            message=f"It did not begin between {due:%Y-%m-%d %H:%M} and {closed:%Y-%m-%d %H:%M} KST.",
        )
    return Closing(
        key=text,
        state=RunState.FAILED,
        message=run.message or f"It did not end: {run.attempts} attempts were cut off, and its window is over.",
    )


def _covered(key: date, newest: date) -> Closing:
    return Closing(key=key.isoformat(), state=RunState.SKIPPED, message=f"Covered by the run for {newest}.")


def _must_wait(key: date, before: Sequence[tuple[Schedule, Mapping[str, LedgerRun]]], now: datetime) -> bool:
    """Whether a job that goes first is still to come for the same key."""
    for schedule, runs in before:
        run = runs.get(key.isoformat())
        if run is not None and not run.ended:
            return True
        due = due_at(schedule, key)
        if run is None and due <= now <= due + schedule.window:
            return True
    return False


def _due(schedule: Schedule, first: date, now: datetime) -> list[date]:
    """Keys from ``first`` on that are due, oldest first."""
    last = now.astimezone(KST).date()
    return [key for key in _keys(schedule, first, last) if due_at(schedule, key) <= now]


def _keys(schedule: Schedule, first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        if schedule.every is Every.DAY or _opens(day):
            yield day
        day += timedelta(days=1)


def _opens(day: date) -> bool:
    """Whether the exchange opens. Beyond the calendar every weekday counts: a sync on a holiday finds nothing new."""
    try:
        return is_session(day, expected=True)
    except InputError:
        return day.weekday() < _SATURDAY
