"""``stocklab scheduler``: the background process, one job by hand, and what it did and will do."""

from __future__ import annotations

import argparse
import logging
import os
from typing import Any

from stocklab.commands.arguments import add_command, day, print_json
from stocklab.errors import InputError
from stocklab.settings import Settings

__all__ = ["add_commands"]

_POLITENESS = 5  # pages and their backtests go first on a small machine


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run the background process: syncs, work ahead, backups (`stocklab up` starts it)"
    scheduler = add_command(commands, "scheduler", _scheduler, text, is_service=True)
    scheduler.add_argument("--once", metavar="JOB", help="do one job for one session or day now, unless it was done")
    scheduler.add_argument("--key", type=day, help="of --once: the session or day (default: the newest that is due)")
    parts = scheduler.add_subparsers(title="scheduler commands", metavar="COMMAND")
    shown = add_command(parts, "status", _status, "show jobs, their last and next run, and what waits")
    shown.add_argument("--json", action="store_true")


def _scheduler(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import RunState, open_database
    from stocklab.operations.worker_identity import worker_name
    from stocklab.portfolios import database_url
    from stocklab.sidecar.jobs import INTENT_WORKS, JOBS
    from stocklab.sidecar.scheduler import run_once, run_scheduler
    from stocklab.sidecar.supervisor import migrate
    from stocklab.sidecar.trading_work import trading_parts

    job = None
    if arguments.once is not None:
        named = {job.schedule.name: job for job in JOBS}
        if arguments.once not in named:
            raise InputError(f"Unknown job {arguments.once!r}. Expected one of {', '.join(named)}.")
        job = named[arguments.once]
    elif arguments.key is not None:
        raise InputError("--key goes with --once JOB.")
    migrate(settings)
    database = open_database(database_url(settings))
    try:
        if job is None:
            os.nice(_POLITENESS)
            code = run_scheduler(
                settings,
                database,
                worker=worker_name(),
                jobs=JOBS,
                intents=INTENT_WORKS,
                trading=trading_parts if settings.trading == "on" else None,
            )
            if code:  # another one may lead by now: no thread that still waits for the database keeps this one alive
                logging.shutdown()
                os._exit(code)
            return code
        run = run_once(settings, database, job, worker=worker_name(), key=arguments.key)
    finally:
        database.close()
    print(f"{run.job} for {run.key}: {run.state}. {run.message}")
    return 1 if run.state in (RunState.FAILED, RunState.MISSED) else 0


def _status(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import open_database
    from stocklab.db.columns import utc_now
    from stocklab.operations import SourceKeys, open_sealer, scheduler_status, source_board
    from stocklab.portfolios import database_url
    from stocklab.sidecar.supervisor import migrate

    migrate(settings)
    database = open_database(database_url(settings))
    try:
        now = utc_now()
        found = scheduler_status(database, now)
        names = SourceKeys(database, open_sealer(settings)).names()
        sources = source_board(settings, names, database, now)
    finally:
        database.close()
    if arguments.json:
        print_json(found.to_dict())
    else:
        print(found.describe(sources))
    return 0
