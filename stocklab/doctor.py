"""What works and what does not: one check per part, each with what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from stocklab import __version__
from stocklab.data import Store, status
from stocklab.db import head_revision, open_database, revision, row_security_of
from stocklab.errors import StockLabError
from stocklab.market.calendar import confirmed_until
from stocklab.operations import SourceKeys, SourceLine, open_sealer, scheduler_status, source_board
from stocklab.operations.backup import newest_backup
from stocklab.operations.leadership import lock_is_free
from stocklab.portfolios.lab import database_url
from stocklab.settings import Settings

__all__ = ["Check", "Report", "examine"]

State = Literal["ok", "warn", "fail", "off"]
LIBRARIES = ("streamlit", "numba", "numpy", "polars", "duckdb", "sqlalchemy", "pydantic")
LEAST_FREE_BYTES = 2_000_000_000
_OLD_BACKUP = timedelta(days=3)
_SEOUL = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part: "ok", "warn" (works, look at it), "fail" (does not work) or "off" (not in use)."""

    name: str
    state: State
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All checks of one examination."""

    at: datetime
    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """True unless a check failed."""
        return all(check.state != "fail" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "healthy": self.healthy,
            "at": self.at.isoformat(timespec="seconds"),
            "checks": [asdict(check) for check in self.checks],
        }

    def describe(self) -> str:
        """One line a check, hints beneath."""
        lines = []
        for check in self.checks:
            lines.append(f"[{check.state:>4}] {check.name}: {check.detail}")
            if check.hint:
                lines.append(f"       {check.hint}")
        return "\n".join(lines)


def examine(settings: Settings) -> Report:
    """Look at every part once; a part that cannot be looked at is a failed check, not an error."""
    parts: tuple[tuple[str, Callable[[Settings], Check]], ...] = (
        ("versions", _versions),
        ("home", _home),
        ("disk", _disk),
        ("store", _store),
        ("database", _database),
        ("clock", _clock),
        ("scheduler", _scheduler),
        ("backup", _backup),
        ("sources", _sources),
        ("brokers", _brokers),
    )
    checks = []
    for name, look in parts:
        try:
            checks.append(look(settings))
        except (StockLabError, OSError) as error:
            checks.append(Check(name=name, state="fail", detail=str(error)))
    return Report(at=datetime.now(UTC), checks=tuple(checks))


def _versions(settings: Settings) -> Check:
    found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return Check(
        name="versions", state="ok", detail=f"stocklab {__version__}, Python {platform.python_version()}, {found}"
    )


def _existing(folder: Path) -> Path:
    folder = folder.resolve()
    while not folder.exists():
        folder = folder.parent
    return folder


def _home(settings: Settings) -> Check:
    folder = _existing(settings.home)
    if not os.access(folder, os.W_OK):
        return Check(
            name="home",
            state="fail",
            detail=f"{settings.home} cannot be written",
            hint="Set STOCKLAB_HOME to a directory of yours, or change the owner.",
        )
    return Check(name="home", state="ok", detail=str(settings.home.resolve()))


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(_existing(settings.home)).free
    enough = free >= LEAST_FREE_BYTES
    return Check(
        name="disk",
        state="ok" if enough else "warn",
        detail=f"{free / 1e9:.1f} GB free",
        hint="" if enough else "A full import of ten years needs about 2 GB.",
    )


def _store(settings: Settings) -> Check:
    state = status(Store(settings.home))
    if not state.get("snapshot"):
        return Check(
            name="store",
            state="warn",
            detail="no market data",
            hint="`stocklab data import PATH...` or `stocklab demo`.",
        )
    label = "demo data (synthetic)" if state["synthetic"] else "market data"
    bars = [dataset for name, dataset in state["datasets"].items() if name.startswith("prices_")]
    newest = max((dataset["last_session"] for dataset in bars), default="no bars")
    return Check(name="store", state="ok", detail=f"{label}, snapshot {state['snapshot']}, last session {newest}")


def _database(settings: Settings) -> Check:
    url = database_url(settings)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Check(name="database", state="off", detail="sqlite, not made yet", hint="`stocklab up` makes it.")
    database = open_database(url)
    try:
        database.ping()
        found, newest = revision(database), head_revision()
        security = row_security_of(database)
    finally:
        database.close()
    if found != newest:
        return Check(
            name="database",
            state="warn",
            detail=f"{database.backend}, schema {found or 'not made yet'}, this version wants {newest}",
            hint="`stocklab up` brings it up to date.",
        )
    detail = f"{database.backend}, schema {found}"
    if database.backend == "postgresql" and not security.active:
        detail += f"; row-level security is off ({security.reason}), the program alone keeps users apart"
        return Check(name="database", state="warn", detail=detail, hint=security.hint)
    if security.active:
        detail += ", row-level security active"
    return Check(name="database", state="ok", detail=detail)


def _scheduler(settings: Settings) -> Check:
    url = database_url(settings)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return Check(name="scheduler", state="off", detail="it never ran here", hint="`stocklab up` starts it.")
    database = open_database(url)
    try:
        database.ping()
        if revision(database) != head_revision():
            return Check(name="scheduler", state="off", detail="the app database is not up to date")
        now = datetime.now(UTC)
        found = scheduler_status(database, now)
        names = SourceKeys(database, open_sealer(settings)).names()
        troubled = found.troubles_now(source_board(settings, names, database, now))
        unheld = lock_is_free(database) is True  # one killed on another machine is told by this alone
    finally:
        database.close()
    if found.leader is None or unheld:
        seen = "never seen" if found.last_seen_at is None else f"last seen {found.last_seen_at:%Y-%m-%d %H:%M} UTC"
        state: State = "off" if settings.scheduler == "off" or found.last_seen_at is None else "warn"
        return Check(name="scheduler", state=state, detail=f"not running, {seen}", hint="`stocklab up` starts it.")
    if troubled:
        bad = "; ".join(f"{run.job} for {run.key} {run.state}: {run.message}" for run in troubled)
        return Check(name="scheduler", state="warn", detail=bad, hint="`stocklab scheduler status` shows every job.")
    waiting = len(found.intents)
    return Check(
        name="scheduler",
        state="ok",
        detail=f"working, {len(found.standbys)} standing by, {waiting} wish{'' if waiting == 1 else 'es'} open",
    )


def _backup(settings: Settings) -> Check:
    newest = newest_backup(Path(settings.home))
    if newest is None:
        return Check(name="backup", state="off", detail="none in backups/ of the home", hint="`stocklab backup`")
    age = datetime.now(UTC) - datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    old = age > _OLD_BACKUP
    return Check(
        name="backup",
        state="warn" if old else "ok",
        detail=f"{newest.name}, {age.days} days old",
        hint="The scheduler makes one each night; `stocklab backup` makes one now." if old else "",
    )


def _clock(settings: Settings) -> Check:
    now = datetime.now(_SEOUL)
    known = confirmed_until()
    if now.date() > known:
        return Check(
            name="clock",
            state="warn",
            detail=f"{now:%Y-%m-%d %H:%M} KST",
            hint=f"The trading calendar is confirmed until {known}: update Stock Lab, or set this machine's clock.",
        )
    return Check(name="clock", state="ok", detail=f"{now:%Y-%m-%d %H:%M} KST; trading calendar confirmed until {known}")


def _sources(settings: Settings) -> Check:
    lines = _source_lines(settings)
    on = [line for line in lines if line.on]
    if not on:
        detail = "data comes from `stocklab data import`; no online source is set up"
        return Check(name="sources", state="off", detail=detail, hint="Enter a key on the Data page.")
    failing = [f"{line.source.name}: {line.last_error}" for line in on if line.failing]
    if failing:
        return Check(name="sources", state="warn", detail="; ".join(failing), hint="The Data page shows each source.")
    asked = ", ".join(f"{line.source.name} {line.calls_today:,}" for line in on)
    return Check(name="sources", state="ok", detail=f"on, with requests of today: {asked}")


def _source_lines(settings: Settings) -> tuple[SourceLine, ...]:
    """Every source with its keys, () while the app database is not there or not up to date."""
    url = database_url(settings)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return ()
    database = open_database(url)
    try:
        database.ping()
        if revision(database) != head_revision():
            return ()
        names = SourceKeys(database, open_sealer(settings)).names()
        return source_board(settings, names, database, datetime.now(UTC))
    finally:
        database.close()


def _brokers(settings: Settings) -> Check:
    return Check(name="brokers", state="off", detail="no broker is set up")
