"""``stocklab demo``: the demo market."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stocklab.commands.arguments import add_command, count, day
from stocklab.data import Store
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    demo = add_command(commands, "demo", _demo, "make the demo market (synthetic)")
    demo.add_argument("--symbols", type=count, help="how many symbols (default: the setting)")
    demo.add_argument("--seed", type=count, default=20161121, help="same seed and day, same market")
    demo.add_argument("--until", type=day, help="make sessions before this day (default: today)")
    demo.add_argument("--replace", action="store_true", help="even where real data is current")


def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.data.demo import build_demo

    store = Store(settings.home)
    snapshot = build_demo(
        store,
        symbols=arguments.symbols or settings.demo_symbols,
        seed=arguments.seed,
        until=arguments.until or _today_in_seoul(),
        replace=arguments.replace,
    )
    print(f"Demo data (synthetic): snapshot {snapshot.id} is current in {settings.home}.")
    return 0


def _today_in_seoul() -> date:
    return datetime.now(ZoneInfo("Asia/Seoul")).date()
