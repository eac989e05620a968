"""Restoring a backup: checked whole before anything is touched; what was there is set aside, never deleted."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import delete

from stocklab.data.durable import flush_directory
from stocklab.data.store import Store
from stocklab.db import Database, WorkerRow, knows_revision, open_database, upgrade
from stocklab.errors import InputError
from stocklab.operations.archive import extract
from stocklab.operations.backup import FORMAT_VERSION, sqlite_file
from stocklab.operations.table_dump import drop_tables, dump_tables, has_rows, load_tables

__all__ = ["RestoreReport", "restore_backup"]

log = structlog.get_logger(__name__)

_STAGING: Final = ".restore-"
_STAYS: Final = frozenset({"backups", "cache", "logs", "uploads"})
_BESIDE: Final = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What was restored. ``market`` is False where the backup holds no market data; ``set_aside`` is the folder with
    what was there before, None if nothing was.
    """

    created: str
    scope: str
    market: bool
    snapshot_id: str | None
    files: int
    set_aside: Path | None


def restore_backup(source: Path, home: Path, database_url: str, *, replace: bool = False) -> RestoreReport:
    """Put a backup into a home and its app database. No process may use either.

    A kill leaves the home as it was, or, after the checks, partly moved: the same command with ``replace`` then starts
    afresh, and everything is still in the home, in ``replaced-<time>``.

    Raises
    ------
    InputError
        The file is not there, the home or the database hold data and ``replace`` was not given, or the backup is of a
        newer version of the program.
    BrokenInput
        The file is no whole backup; nothing was touched.
    """
    if not source.is_file():
        raise InputError(f"{source} is no file.")
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(f"{_STAGING}*"):
        shutil.rmtree(left)
    database = open_database(database_url)
    try:
        _refuse_data(home, database, replace)
        staging = home / f"{_STAGING}{os.getpid()}"
        staging.mkdir(mode=0o700)
        try:
            manifest = extract(source, staging)
            _refuse_newer(source, manifest)
            set_aside = home / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
            with Store(home).writing("restore a backup"):
                _restore_database(database, staging / "database", manifest, set_aside)
                _forget_processes(database)
                _restore_files(home, staging, set_aside)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        database.close()
    log.info("backup_restored", file=str(source), home=str(home), files=len(manifest["files"]))
    return RestoreReport(
        created=manifest["created_utc"],
        scope=manifest["scope"],
        market="market/CURRENT" in manifest["files"],
        snapshot_id=manifest["snapshot_id"],
        files=len(manifest["files"]),
        set_aside=set_aside if set_aside.exists() else None,
    )


def _refuse_data(home: Path, database: Database, replace: bool) -> None:
    if replace:
        return
    app_file = sqlite_file(database)
    own = {f"{app_file}{end}" for end in _BESIDE} | {f"{app_file}.migrate.lock"}
    there = [
        path.name
        for path in home.iterdir()
        if path.name not in _STAYS and not path.name.endswith(".lock") and str(path) not in own
    ]
    used = (app_file is None or app_file.exists()) and has_rows(database)
    if there or used:
        what = f"holds {', '.join(sorted(there)[:5])}" if there else "has an app database that is in use"
        raise InputError(
            f"{home} {what}. Hint: --replace sets what is there aside, or restore into another home with --home."
        )


def _refuse_newer(source: Path, manifest: dict[str, Any]) -> None:
    if manifest["version"] != FORMAT_VERSION or not knows_revision(manifest["revision"]):
        raise InputError(
            f"{source} was written by version {manifest['program']}, which is newer than this program. "
            "Hint: restore with that version or a newer one."
        )


def _restore_database(database: Database, folder: Path, manifest: dict[str, Any], set_aside: Path) -> None:
    target = sqlite_file(database)
    tables = folder
    if manifest["database"] == "sqlite" and target is None:  # from a file into a server
        tables = folder / "tables"
        copy = open_database(f"sqlite:///{folder / 'stocklab.db'}")
        dump_tables(copy, tables)
        copy.close()
    if target is None:
        if has_rows(database):
            dump_tables(database, set_aside / "database")
        drop_tables(database)
        load_tables(database, tables, manifest["revision"])
        return
    made = folder / "stocklab.db"
    if manifest["database"] != "sqlite":  # from a server into a file
        copy = open_database(f"sqlite:///{made}")
        load_tables(copy, tables, manifest["revision"])
        with copy.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        copy.close()
    database.close()
    for end in _BESIDE:
        old = Path(f"{target}{end}")
        if old.exists():
            set_aside.mkdir(mode=0o700, exist_ok=True)
            shutil.move(old, set_aside / old.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made, target)
    flush_directory(target.parent)
    upgrade(database)


def _forget_processes(database: Database) -> None:
    """Those of the backup ran elsewhere: nobody works on what was just restored."""
    with database.write() as session:
        session.execute(delete(WorkerRow))


def _restore_files(home: Path, staging: Path, set_aside: Path) -> None:
    """Move the old entries of the home aside, then the new ones in. Market data stay where the backup has none."""
    new = sorted(path.name for path in staging.iterdir() if path.name != "database")
    stays = _STAYS if "market" in new else _STAYS | {"market"}
    for path in sorted(home.iterdir()):
        hidden = path.name.startswith((".", "replaced-")) or path.name.endswith(".lock")
        if path.is_dir() and not hidden and path.name not in stays:
            if all(found.name.endswith(".lock") for found in path.iterdir()):
                shutil.rmtree(path)  # an empty folder with the lock that is held for this
                continue
            set_aside.mkdir(mode=0o700, exist_ok=True)
            path.rename(set_aside / path.name)
    for name in new:
        target = home / name
        if target.exists():
            set_aside.mkdir(mode=0o700, exist_ok=True)
            target.rename(set_aside / name)
        (staging / name).rename(target)
    flush_directory(home)
