"""``stocklab presets | strategy``: strategy documents, built in and written by the user."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from stocklab.backtest import Coverage, coverage, preset_coverage
from stocklab.commands.arguments import add_command, print_json, strategy_of
from stocklab.data import Store, open_panel
from stocklab.data.panel_open import basis_for
from stocklab.settings import Settings
from stocklab.strategy import PRESETS, describe_strategy, find_preset, json_schema

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    presets = commands.add_parser("presets", help="the built-in strategies")
    parts = presets.add_subparsers(title="preset commands", metavar="COMMAND", required=True)
    listing = add_command(parts, "list", _presets_list, "all presets")
    listing.add_argument("--json", action="store_true")
    add_command(parts, "show", _presets_show, "one preset as JSON").add_argument("id")
    strategy = commands.add_parser("strategy", help="strategy documents")
    parts = strategy.add_subparsers(title="strategy commands", metavar="COMMAND", required=True)
    add_command(parts, "schema", _strategy_schema, "the JSON schema of the document")
    validate = add_command(parts, "validate", _strategy_validate, "check a document and say it in words")
    validate.add_argument("file", metavar="FILE.json|PRESET_ID")
    validate.add_argument("--language", choices=["ko", "en"])


def _presets_list(arguments: argparse.Namespace, settings: Settings) -> int:
    store = Store(settings.home)
    covered = preset_coverage(open_panel(store)) if store.current() is not None else None
    if arguments.json:
        print_json(
            [
                preset.as_json() | {"data": covered[key].as_json() if covered is not None else None}
                for key, preset in PRESETS.items()
            ]
        )
        return 0
    for key, preset in PRESETS.items():
        found = covered[key] if covered is not None else None
        mark = "-" if found is not None and not found.can_buy else " "
        lacks = f"  lacks {', '.join(found.missing)}" if found is not None and found.missing else ""
        print(f"{mark} {preset.id:<24} {preset.name_en} ({preset.name_ko}){lacks}")
    if covered is not None:
        idle = sum(not found.can_buy for found in covered.values())
        print(f"{len(PRESETS)} presets; '-' cannot run on this home's data: {idle}.", file=sys.stderr)
    return 0


def _presets_show(arguments: argparse.Namespace, settings: Settings) -> int:
    print_json(find_preset(arguments.id).as_json())
    return 0


def _strategy_schema(arguments: argparse.Namespace, settings: Settings) -> int:
    print_json(json_schema())
    return 0


def _strategy_validate(arguments: argparse.Namespace, settings: Settings) -> int:
    strategy = strategy_of(arguments.file)
    print("\n".join(describe_strategy(strategy, arguments.language or settings.language)))
    store = Store(settings.home)
    if store.current() is not None:
        panel = open_panel(store, basis=basis_for(strategy.universe, None))
        _warn_of_lacks(coverage(strategy, panel))
    return 0


def _warn_of_lacks(found: Coverage) -> None:
    """Say on standard error what the data of this home lacks for a strategy."""
    for lack in found.lacks:
        print(f"Warning: {lack.sentence}", file=sys.stderr)
    if not found.can_buy:
        print("Warning: on this home's data this strategy can never buy.", file=sys.stderr)
