"""``stocklab keys rotate``: stored keys and second factors sealed anew under another secret."""

from __future__ import annotations

import argparse
from typing import Any

from stocklab.commands.alone import alone
from stocklab.commands.arguments import add_command, say
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    keys = commands.add_parser("keys", help="exchange the secret under which stored keys are encrypted")
    parts = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_command(parts, "rotate", _rotate, "encrypt every stored key anew; stop the app first")


def _rotate(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.db import database_of
    from stocklab.operations.key_rotation import exchange_secret

    with alone(settings, "rotate"), database_of(settings) as database:
        count = exchange_secret(database, settings)
    print(f"{count:,} stored texts are encrypted under the newest secret.")
    if settings.encryption_key is not None:
        say("Now remove the old value from STOCKLAB_ENCRYPTION_KEY.")
    return 0
