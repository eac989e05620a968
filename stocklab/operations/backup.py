"""Backups: everything that cannot be made again, in one file, while the program runs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select

from stocklab import __version__
from stocklab.data.store import Store
from stocklab.db import Database, RunRow, revision
from stocklab.errors import StoreError
from stocklab.operations.archive import Archive, writing
from stocklab.operations.table_dump import dump_tables

__all__ = [
    "AUTOMATIC",
    "FORMAT_VERSION",
    "BackupReport",
    "BackupScope",
    "backup_name",
    "make_backup",
    "newest_backup",
    "remove_old",
    "sqlite_file",
]

log = structlog.get_logger(__name__)

AUTOMATIC: Final = "auto-"
FORMAT_VERSION: Final = 1
_END: Final = ".tar.zst"
_SQLITE: Final = b"SQLite format 3\0"
_BESIDE: Final = ("-wal", "-shm", "-journal")
# What can be made again, is temporary, or would be backups within backups; ``market`` and ``results`` go their own way.
_LEFT_OUT: Final = frozenset({"backups", "cache", "logs", "market", "results", "uploads"})
_NOT_NIGHTLY: Final = frozenset({"sweeps", "proofs"})


class BackupScope(StrEnum):
    """FULL: all. WITHOUT_MARKET: market data are left out, their manifest stays. NIGHTLY: neither market data, sweeps
    nor results that nobody kept: what a person made, and small.
    """

    FULL = "full"
    WITHOUT_MARKET = "without_market"
    NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What was written. ``snapshot_id`` names the market data it goes with, None for an empty store."""

    path: Path
    scope: BackupScope
    size_bytes: int
    files: int
    snapshot_id: str | None


def backup_name(now: datetime, *, automatic: bool) -> str:
    """File name of a backup of this moment."""
    return f"{AUTOMATIC if automatic else 'stocklab-'}{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{_END}"


def make_backup(
    home: Path,
    database: Database,
    target: Path,
    *,
    scope: BackupScope = BackupScope.FULL,
    should_cancel: Callable[[], bool] = lambda: False,
    on_progress: Callable[[float, str], None] = lambda _done, _text: None,
) -> BackupReport:
    """Write a backup. Nothing needs to stop: the database is copied as of one moment, snapshots never change.

    Raises
    ------
    InputError
        The file is there already or cannot be written.
    StoreError
        The market data are damaged, or were replaced and removed while they were copied.
    Cancelled
        ``should_cancel`` said so; nothing is left behind.
    """
    home = home.resolve()
    with writing(target, should_cancel=should_cancel) as archive:
        on_progress(0.0, "database")
        kind = _add_database(archive, database)
        on_progress(0.1, "files")
        for name, path in _own_files(home, database, scope):
            _add(archive, name, path)
        _add_results(archive, home, database, scope)
        on_progress(0.3, "market data")
        snapshot_id = _add_market(archive, Store(home), scope)
        archive.close_with(
            {
                "version": FORMAT_VERSION,
                "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
                "program": __version__,
                "scope": scope.value,
                "database": kind,
                "revision": revision(database),
                "snapshot_id": snapshot_id,
            }
        )
        files = len(archive.files)
    report = BackupReport(
        path=target, scope=scope, size_bytes=target.stat().st_size, files=files, snapshot_id=snapshot_id
    )
    log.info("backup_written", file=str(target), scope=scope.value, bytes=report.size_bytes, files=files)
    return report


def newest_backup(home: Path) -> Path | None:
    """The newest backup in the home's own folder, automatic or not."""
    found = [path for path in (home / "backups").glob(f"*{_END}") if not path.name.startswith(".")]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def remove_old(folder: Path, keep: int) -> tuple[Path, ...]:
    """Remove automatic backups beyond the newest ``keep``; others are a person's own and stay."""
    found = sorted(folder.glob(f"{AUTOMATIC}*{_END}"), key=lambda path: path.name, reverse=True)
    for path in found[keep:]:
        path.unlink(missing_ok=True)
    return tuple(found[keep:])


def _add_database(archive: Archive, database: Database) -> str:
    file = sqlite_file(database)
    if file is not None:
        copy = _copied(file, archive.scratch / "app.db")
        archive.add("database/stocklab.db", copy, mode=0o600)
        return "sqlite"
    for path in dump_tables(database, archive.scratch / "tables"):
        archive.add(f"database/{path.name}", path, mode=0o600)
    return "tables"


def sqlite_file(database: Database) -> Path | None:
    """File of an SQLite database; None for another kind."""
    name = database.engine.url.database
    return Path(name).resolve() if database.backend == "sqlite" and name not in (None, "", ":memory:") else None


def _copied(source: Path, target: Path) -> Path:
    """A copy of an SQLite file as of one moment, also while others write it."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=30)) as reading,
        closing(sqlite3.connect(target)) as copy,
    ):
        reading.backup(copy)
    return target


def _add(archive: Archive, name: str, path: Path) -> None:
    """Add a file, an SQLite one as of one moment; one that was removed meanwhile is left out."""
    try:
        with path.open("rb") as stream:
            is_sqlite = stream.read(len(_SQLITE)) == _SQLITE
        if is_sqlite:
            copy = _copied(path, archive.scratch / "copy.db")
            archive.add(name, copy, mode=path.stat().st_mode & 0o777)
            copy.unlink()
        else:
            archive.add(name, path)
    except FileNotFoundError:
        log.info("file_gone_before_backup", file=name)


def _own_files(home: Path, database: Database, scope: BackupScope) -> Iterator[tuple[str, Path]]:
    """Everything in the home that is not left out: a folder that a later version adds is not forgotten."""
    left_out = _LEFT_OUT | (_NOT_NIGHTLY if scope is BackupScope.NIGHTLY else frozenset())
    app_file = sqlite_file(database)
    for folder, folders, files in os.walk(home):
        place = Path(folder)
        top = place == home
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not (top and (name in left_out or name.startswith("replaced-")))
        )
        for name in sorted(files):
            path = place / name
            skipped = name.startswith(".") or name.endswith((".lock", *_BESIDE)) or (top and name.endswith(_END))
            if not skipped and path != app_file and path.is_file() and not path.is_symlink():
                yield path.relative_to(home).as_posix(), path


def _add_results(archive: Archive, home: Path, database: Database, scope: BackupScope) -> None:
    """Stored results that are on somebody's list, or, nightly, those kept as portfolios."""
    wanted = select(RunRow.run_id).distinct().order_by(RunRow.run_id)
    if scope is BackupScope.NIGHTLY:
        wanted = wanted.where(RunRow.is_portfolio)
    with database.read() as session:
        run_ids = session.scalars(wanted).all()
    for run_id in run_ids:
        folder = home / "results" / run_id[:2] / run_id
        for path in sorted(folder.glob("*")):
            if path.is_file():
                _add(archive, path.relative_to(home).as_posix(), path)


def _add_market(archive: Archive, store: Store, scope: BackupScope) -> str | None:
    """The current snapshot, and what else lies beside the snapshots; or its manifest alone."""
    snapshot = store.current()
    if snapshot is None:
        return None
    if scope is not BackupScope.FULL:
        _add(archive, "market-manifest.json", snapshot.path / "manifest.json")
        return snapshot.id
    for folder, folders, files in os.walk(store.directory):
        place = Path(folder)
        skipped = {"panels"} if place == store.directory else set()
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in skipped)
        if place == store.snapshots:
            folders[:] = [snapshot.id]
        for name in sorted(files):
            path = place / name
            if name.startswith(".") or name.endswith((".lock", *_BESIDE)) or path == store.directory / "CURRENT":
                continue
            member = path.relative_to(store.home).as_posix()
            if not place.is_relative_to(snapshot.path):
                _add(archive, member, path)
                continue
            try:
                archive.add(member, path)
            except FileNotFoundError as error:
                raise StoreError(
                    f"The snapshot {snapshot.id} was removed while it was copied. Hint: try again."
                ) from error
    current = archive.scratch / "CURRENT"
    current.write_text(f"{snapshot.id}\n", encoding="utf-8")
    archive.add("market/CURRENT", current, mode=0o644)
    return snapshot.id
