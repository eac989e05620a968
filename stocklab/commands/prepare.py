"""``stocklab db init | warm``: bring the app database up to date, and do ahead what people would wait for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stocklab.commands.arguments import add_command, say
from stocklab.errors import DataError
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    database = commands.add_parser("db", help="the app database")
    parts = database.add_subparsers(title="db commands", metavar="COMMAND", required=True)
    add_command(parts, "init", _init, "create the app database or bring it up to date; again changes nothing")
    add_command(
        commands, "warm", _warm, "open the panel and compute what saved strategies and presets need; again is fast"
    )


def _init(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import open_database, revision
    from stocklab.portfolios import database_url
    from stocklab.sidecar.supervisor import migrate

    Path(settings.home).mkdir(parents=True, exist_ok=True)
    migrate(settings)
    database = open_database(database_url(settings))
    try:
        print(f"The app database ({database.backend}) is at schema {revision(database)}.")
    finally:
        database.close()
    return 0


def _warm(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.data.panel_open import open_panel
    from stocklab.data.results import ResultStore
    from stocklab.data.store import Store
    from stocklab.db import open_database
    from stocklab.portfolios import Strategies, database_url
    from stocklab.portfolios.ahead import run_presets_ahead, warm_saved
    from stocklab.sidecar.supervisor import migrate

    store = Store(Path(settings.home))
    if store.current() is None:
        raise DataError("This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.")
    migrate(settings)
    panel = open_panel(store)
    say(f"panel: {panel.n_sessions:,} sessions, {panel.n_symbols:,} symbols")
    ways: dict[str, Any] = {
        "threads": settings.engine_threads,
        "factor_cache_mb": settings.factor_cache_mb,
        "on_progress": lambda done, name: say(f"{done:4.0%}  {name}"),
        "should_cancel": lambda: False,
    }
    database = open_database(database_url(settings))
    try:
        saved = warm_saved(store, Strategies(database).each(), **ways)
    finally:
        database.close()
    presets = run_presets_ahead(store, ResultStore(store.home), **ways)
    print(f"{saved.describe('saved strategies warmed')} {presets.describe('presets ready')}")
    for name, reason in {**saved.refused, **presets.refused}.items():
        say(f"  {name}: {reason}")
    return 0
