"""``stocklab backup | restore``: everything that cannot be made again, into one file and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stocklab.commands.alone import alone
from stocklab.commands.arguments import add_command, say
from stocklab.errors import InputError
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    backup = add_command(commands, "backup", _backup, "write everything that cannot be made again into one file")
    backup.add_argument("--out", type=Path, metavar="FILE", help="default: a dated file in backups/ of the home")
    backup.add_argument(
        "--without-market", action="store_true", help="leave the market data out and keep only their list"
    )
    restore = add_command(commands, "restore", _restore, "put a backup into an empty home")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--home", type=Path, metavar="DIR", help="default: STOCKLAB_HOME")
    restore.add_argument(
        "--replace", action="store_true", help="where the home holds data: set them aside in replaced-<time>/"
    )


def _backup(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import open_database
    from stocklab.db.columns import utc_now
    from stocklab.operations.backup import BackupScope, backup_name, make_backup
    from stocklab.portfolios import database_url
    from stocklab.sidecar.supervisor import migrate

    home = Path(settings.home)
    if not home.is_dir():
        raise InputError(f"{home} is no directory: there is nothing to back up. Hint: set STOCKLAB_HOME.")
    migrate(settings)
    target = arguments.out or home / "backups" / backup_name(utc_now(), automatic=False)
    scope = BackupScope.WITHOUT_MARKET if arguments.without_market else BackupScope.FULL
    database = open_database(database_url(settings))
    try:
        report = make_backup(home, database, target, scope=scope)
    finally:
        database.close()
    print(f"{report.path}: {report.files:,} files, {report.size_bytes / 1e6:,.1f} MB.")
    say("It holds the secrets of this installation: keep it where only you can read it.")
    return 0


def _restore(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.community import is_in_step, rebuild_search
    from stocklab.db import database_of
    from stocklab.operations.restore import restore_backup
    from stocklab.portfolios import database_url

    if arguments.home is not None:
        settings = settings.model_copy(update={"home": arguments.home})
    with alone(settings, "restore"):
        report = restore_backup(arguments.file, Path(settings.home), database_url(settings), replace=arguments.replace)
        with database_of(settings) as database:  # each kind of database keeps its search in its own way
            if not is_in_step(database):
                rebuild_search(database)
    print(f"Restored the backup of {report.created} into {settings.home}: {report.files:,} files.")
    if not report.market:
        print(f"It holds no market data (it was made with snapshot {report.snapshot_id}): sync or import them.")
    if report.set_aside is not None:
        print(f"What was there before is in {report.set_aside}; delete it when nothing is missed.")
    return 0
