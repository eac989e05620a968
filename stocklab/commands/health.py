"""``stocklab doctor | bench``: does everything work, and how fast?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stocklab.commands.arguments import add_command, print_json, say
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    doctor = add_command(commands, "doctor", _doctor, "report the health of everything; exit code 1 when unhealthy")
    doctor.add_argument("--json", action="store_true")
    bench = add_command(commands, "bench", _bench, "measure speed and memory")
    bench.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="import, panel, engine, factors, screen, sweep, cli or presets; default all",
    )
    bench.add_argument("--data", help="folder of the market data to measure on (default: a synthetic market)")
    bench.add_argument("--json", action="store_true")


def _doctor(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.doctor import examine

    report = examine(settings)
    if arguments.json:
        print_json(report.to_dict())
    else:
        print(report.describe())
    return 0 if report.healthy else 1


def _bench(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.bench import run_figures

    data = Path(arguments.data) if arguments.data else None
    figures = run_figures(arguments.names, data=data, on_progress=say)
    if arguments.json:
        print_json([figure.to_dict() for figure in figures])
    else:
        for figure in figures:
            print(figure.describe())
    return 0 if all(figure.met is not False for figure in figures) else 1
