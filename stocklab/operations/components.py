"""Every part of the program with its state and when it last did well, for the system page and /metrics."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select

from stocklab.data.sources.calls import KST
from stocklab.data.sources.known import KNOWN_SOURCES
from stocklab.data.store import Store
from stocklab.db import Database, RunState, ScheduledRunRow, SourceKeyRow, head_revision, revision
from stocklab.errors import StockLabError
from stocklab.operations.source_board import SourceLine, source_board
from stocklab.operations.source_calls import SourceHealth, source_health
from stocklab.operations.status import SchedulerStatus, scheduler_status
from stocklab.operations.uptime import ComponentDay, Uptime
from stocklab.settings import Settings

__all__ = [
    "SOURCE_SETTINGS",
    "WATCHED",
    "Component",
    "ComponentKind",
    "ComponentState",
    "components",
    "run_counts",
    "uptime_days",
    "uptime_share",
]

WATCHED: Final = ("ui", "scheduler", "database", "store")
"""Parts whose uptime is kept by day."""

SOURCE_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "krx_openapi": ("krx_openapi_key",),
    "datagokr": ("datagokr_key",),
    "opendart": ("opendart_key",),
    "upbit": (),
    "pykrx": ("krx_id", "krx_password"),
    "naver_hub": ("naver_client_id", "naver_client_secret"),
    "naver_legacy": ("naver_legacy_client_id", "naver_legacy_client_secret"),
}
"""Every source and the settings without which it is off."""

_LOW_BYTES: Final = 2_000_000_000
_FULL_BYTES: Final = 200_000_000


class ComponentKind(StrEnum):
    """What a part is."""

    PROCESS = "process"
    STORE = "store"
    SOURCE = "source"
    DISK = "disk"


class ComponentState(StrEnum):
    """How a part is. OFF: by choice, or for want of a key. ABSENT: it should run and does not. IDLE: not needed yet.

    EMPTY: nothing stored. BLOCKED: a source that must be left alone for a while. LOW: little room is left.
    """

    WORKING = "working"
    STANDBY = "standby"
    IDLE = "idle"
    EMPTY = "empty"
    OFF = "off"
    LOW = "low"
    BLOCKED = "blocked"
    ABSENT = "absent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part. ``last_success_at`` is None until it did well once; ``detail`` is for people, in English.

    ``uptime_today_seconds`` counts from midnight in Seoul; None where it is not kept. ``free_bytes`` is the disk's.
    """

    name: str
    kind: ComponentKind
    state: ComponentState
    last_success_at: datetime | None = None
    uptime_today_seconds: float | None = None
    detail: str = ""
    free_bytes: int | None = None

    def age_seconds(self, now: datetime) -> float | None:
        """Seconds since it last did well."""
        return None if self.last_success_at is None else max(0.0, (now - self.last_success_at).total_seconds())


def components(database: Database, store: Store, settings: Settings, now: datetime) -> tuple[Component, ...]:
    """Every part, in the order in which it is shown. A database that does not answer is a state, not an error."""
    try:
        database.ping()
        found = revision(database)
        if found != head_revision():
            raise StockLabError(f"its schema is {found}, this program needs {head_revision()}")
        today = {name: _today(Uptime(database), name, now) for name in WATCHED}
        kept = _kept_keys(database)
        board = source_board(settings, kept, database, now)
        known = (
            _ui(database, today["ui"], now),
            _scheduler(scheduler_status(database, now), settings, today["scheduler"], board),
        )
        sources = tuple(_sources(source_health(database, now), settings, kept))
    except StockLabError as error:
        broken = Component(name="database", kind=ComponentKind.STORE, state=ComponentState.FAILED, detail=str(error))
        return broken, _store(store, None), _disk(store)
    working = Component(
        name="database",
        kind=ComponentKind.STORE,
        state=ComponentState.WORKING,
        last_success_at=now,
        uptime_today_seconds=today["database"],
        detail=database.backend,
    )
    return (*known, working, _store(store, today["store"]), *sources, _disk(store))


def run_counts(database: Database) -> Mapping[tuple[str, RunState], int]:
    """Scheduled runs by job and state; every state of a job that ever ran is named."""
    statement = select(ScheduledRunRow.job, ScheduledRunRow.state, func.count()).group_by(
        ScheduledRunRow.job, ScheduledRunRow.state
    )
    with database.read() as session:
        found = {(job, RunState(state)): int(count) for job, state, count in session.execute(statement)}
    return {(job, state): found.get((job, state), 0) for job in sorted({job for job, _ in found}) for state in RunState}


def uptime_days(database: Database, component: str, last: date, days: int) -> Mapping[date, ComponentDay | None]:
    """The last ``days`` days of a component, oldest first; None on a day on which it was not seen."""
    first = last - timedelta(days=days - 1)
    seen = {day.day: day for day in Uptime(database).days(component, first, last)}
    return {first + timedelta(days=number): seen.get(first + timedelta(days=number)) for number in range(days)}


def uptime_share(days: Mapping[date, ComponentDay | None], now: datetime) -> float | None:
    """Fraction of the time for which it was seen, from the day after the one on which it was first seen until now.

    None where it was not seen before today: when on its first day it was started is not kept.
    """
    seen = [day for day, found in days.items() if found is not None]
    begin = datetime.combine(seen[0] + timedelta(days=1), time(), KST) if seen else now
    elapsed = (now - begin).total_seconds()
    if elapsed <= 0:
        return None
    alive = sum(found.seconds for day, found in days.items() if found is not None and day != seen[0])
    return min(1.0, alive / elapsed)


def _today(uptime: Uptime, component: str, now: datetime) -> float:
    day = now.astimezone(KST).date()
    return sum(found.seconds for found in uptime.days(component, day, day))


def _ui(database: Database, seconds: float, now: datetime) -> Component:
    workers = Uptime(database).workers("ui")
    alive = any(worker.alive(now) for worker in workers)
    return Component(
        name="ui",
        kind=ComponentKind.PROCESS,
        state=ComponentState.WORKING if alive else ComponentState.ABSENT,
        last_success_at=workers[0].beat_at if workers else None,
        uptime_today_seconds=seconds,
    )


def _scheduler(status: SchedulerStatus, settings: Settings, seconds: float, sources: Sequence[SourceLine]) -> Component:
    troubled = status.troubles_now(sources)
    if status.leader is not None:
        state = ComponentState.FAILED if troubled else ComponentState.WORKING
    elif status.standbys:
        state = ComponentState.STANDBY
    else:
        state = ComponentState.OFF if settings.scheduler == "off" else ComponentState.ABSENT
    ends = [job.last_done.finished_at for job in status.jobs if job.last_done is not None]
    troubles = "; ".join(f"{run.job} {run.key}: {run.message or run.state}" for run in troubled)
    return Component(
        name="scheduler",
        kind=ComponentKind.PROCESS,
        state=state,
        last_success_at=max((end for end in ends if end is not None), default=None),
        uptime_today_seconds=seconds,
        detail=troubles,
    )


def _store(store: Store, seconds: float | None) -> Component:
    try:
        snapshot = store.current()
    except (StockLabError, OSError) as error:
        state, at, detail = ComponentState.FAILED, None, str(error)
    else:
        state = ComponentState.EMPTY if snapshot is None else ComponentState.WORKING
        at = None if snapshot is None else snapshot.manifest.created_utc
        detail = "" if snapshot is None else snapshot.id
    return Component(
        name="store",
        kind=ComponentKind.STORE,
        state=state,
        last_success_at=at,
        uptime_today_seconds=seconds,
        detail=detail,
    )


def _kept_keys(database: Database) -> Mapping[str, datetime]:
    with database.read() as session:
        rows = session.execute(select(SourceKeyRow.name, SourceKeyRow.updated_at))
        return {row.name: row.updated_at for row in rows}


def _sources(health: Sequence[SourceHealth], settings: Settings, kept: Mapping[str, datetime]) -> Iterable[Component]:
    known = {one.source: one for one in health}
    for name in (*SOURCE_SETTINGS, *sorted(known.keys() - SOURCE_SETTINGS.keys())):
        needed = SOURCE_SETTINGS.get(name, ())
        has_keys = all(getattr(settings, key) is not None or key in kept for key in needed)
        off = _switched_off(name, settings) or ("" if has_keys else "no key")
        since = max((kept[key] for key in needed if key in kept), default=None)
        yield _source(name, known.get(name), off=off, keys_since=since)


def _switched_off(name: str, settings: Settings) -> str:
    switch = next((one.switch for one in KNOWN_SOURCES if one.name == name), "")
    return f"STOCKLAB_{switch.upper()}=false" if switch and not getattr(settings, switch) else ""


def _source(name: str, health: SourceHealth | None, *, off: str, keys_since: datetime | None = None) -> Component:
    if off:
        state, detail = ComponentState.OFF, off
    elif health is None:
        state, detail = ComponentState.IDLE, ""
    elif health.blocked_until is not None:
        until = health.blocked_until.astimezone(KST)
        state, detail = ComponentState.BLOCKED, f"{health.blocked_reason} (until {until:%Y-%m-%d %H:%M} KST)"
    elif not health.well_since(keys_since):
        state, detail = ComponentState.FAILED, health.last_error
    else:
        answered = health.last_ok_at is not None
        state, detail = (ComponentState.WORKING if answered else ComponentState.IDLE), ""
    return Component(
        name=name,
        kind=ComponentKind.SOURCE,
        state=state,
        last_success_at=None if health is None else health.last_ok_at,
        detail=detail,
    )


def _disk(store: Store) -> Component:
    try:
        free = shutil.disk_usage(store.home).free
    except OSError as error:
        return Component(name="disk", kind=ComponentKind.DISK, state=ComponentState.FAILED, detail=str(error))
    state = ComponentState.WORKING
    if free < _LOW_BYTES:
        state = ComponentState.FAILED if free < _FULL_BYTES else ComponentState.LOW
    return Component(
        name="disk",
        kind=ComponentKind.DISK,
        state=state,
        last_success_at=datetime.now(UTC) if state is not ComponentState.FAILED else None,
        free_bytes=free,
    )
