"""``stocklab up``: the app, until it is stopped."""

from __future__ import annotations

import argparse
from typing import Any

from stocklab.commands.arguments import add_command
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    add_command(
        commands, "up", _up, "start the app (makes the demo market first when the home has no data)", is_service=True
    )


def _up(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.sidecar.supervisor import up

    return up(settings)
