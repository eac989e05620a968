"""``stocklab search rebuild``: make the search of posts and comments anew from their texts."""

from __future__ import annotations

import argparse
from typing import Any

from stocklab.commands.arguments import add_command
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    search = add_command(commands, "search", _search, "the search of the community: check it, or make it anew")
    search.add_argument("what", choices=("check", "rebuild"))


def _search(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.community import is_in_step, rebuild_search
    from stocklab.db import database_of

    with database_of(settings) as database:
        if arguments.what == "rebuild":
            print(f"{rebuild_search(database):,} posts and comments can be found.")
            return 0
        whole = is_in_step(database)
    print("Every post and comment can be found." if whole else "Some cannot be found: run `stocklab search rebuild`.")
    return 0 if whole else 1
