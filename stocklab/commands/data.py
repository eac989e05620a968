"""``stocklab data``: market data into the home, and what is there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stocklab.commands.arguments import add_command, basis_of, print_json, say
from stocklab.commands.data_sync import add_sync_commands
from stocklab.data import Store, import_paths, status
from stocklab.errors import InputError
from stocklab.market.panel import KRX_BASES
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    data = commands.add_parser("data", help="import market data, show what is there")
    parts = data.add_subparsers(title="data commands", metavar="COMMAND", required=True)
    load = add_command(parts, "import", _data_import, "load Parquet or CSV files")
    load.add_argument("paths", nargs="+", metavar="PATH")
    load.add_argument(
        "--map", help="columns of any daily-bar file: date=Date,code=Ticker,open=...; code==005930 is a constant"
    )
    load.add_argument("--basis", choices=list(KRX_BASES), help="what the bars of --map files are")
    load.add_argument("--source", help="name of the source, shown with the data")
    load.add_argument("--replace", action="store_true", help="new rows replace stored ones that differ")
    load.add_argument("--new-rows-only", action="store_true", help="stored rows stay; only new ones are added")
    load.add_argument(
        "--rebase",
        action="store_true",
        help="bring stored adjusted bars to the scale of the file's, then add the new rows",
    )
    load.add_argument("--json", action="store_true")
    add_sync_commands(parts)
    state = add_command(parts, "status", _data_status, "what is loaded and how old it is")
    state.add_argument("--json", action="store_true")


def _data_import(arguments: argparse.Namespace, settings: Settings) -> int:
    mapping = _mapping(arguments.map) if arguments.map else None
    report = import_paths(
        Store(settings.home),
        [Path(path) for path in arguments.paths],
        mapping=mapping,
        basis=basis_of(arguments),
        source=arguments.source,
        replace=arguments.replace,
        new_rows_only=arguments.new_rows_only,
        rebase=arguments.rebase,
        grace_hours=settings.snapshot_grace_hours,
        on_progress=say if sys.stderr.isatty() else None,
    )
    if arguments.json:
        print_json(report.to_dict())
    else:
        print(report.describe())
    return 0


def _data_status(arguments: argparse.Namespace, settings: Settings) -> int:
    state = status(Store(settings.home))
    if arguments.json:
        print_json(state)
    else:
        print(_describe_status(state))
    return 0


def _mapping(text: str) -> dict[str, str]:
    """``date=Date,code=Ticker`` as a mapping from our column to theirs."""
    pairs = {}
    for part in text.split(","):
        ours, equals, theirs = part.partition("=")
        if not equals or not ours.strip() or not theirs.strip():
            raise InputError(f"--map: expected OURS=THEIRS pairs with commas between, found {part!r}.")
        pairs[ours.strip()] = theirs.strip()
    return pairs


def _describe_status(state: Mapping[str, Any]) -> str:
    if not state.get("snapshot"):
        return "No market data yet. Hint: `stocklab data import PATH...` or `stocklab demo`."
    label = " - demo data (synthetic)" if state["synthetic"] else ""
    lines = [f"Snapshot {state['snapshot']}{label}, created {state['created']}"]
    for name, dataset in state["datasets"].items():
        span = f"{dataset['first_session']} .. {dataset['last_session']}" if dataset.get("first_session") else ""
        age = f", {dataset['age_days']} days old" if dataset.get("age_days") is not None else ""
        lines.append(f"  {name:<16} {dataset['rows']:>10,} rows  {span}{age}")
    markets = ", ".join(f"{market} {count:,}" for market, count in state["symbols_by_market"].items())
    lines.append(f"  symbols: {markets}")
    findings = ", ".join(f"{check} {count:,}" for check, count in state["quality"].items() if count)
    lines.append(f"  quality: {findings or 'the checks found nothing'}")
    return "\n".join(lines)
