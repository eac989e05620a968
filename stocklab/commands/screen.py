"""``stocklab screen``: which stocks meet conditions at one close."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stocklab.commands.arguments import add_command, basis_of, count, day, file_text, print_json
from stocklab.data import Store, open_panel
from stocklab.data.csv_text import csv_of
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import basis_for
from stocklab.data.screen_text import describe_screen
from stocklab.data.screening import run_screen, strategy_hits
from stocklab.errors import DocumentError, InputError
from stocklab.factors import translate
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import PriceBasis
from stocklab.settings import Settings
from stocklab.strategy import PRESETS, Strategy
from stocklab.strategy.logic import LETTERS
from stocklab.strategy.screen import Screen, parse_screen, parse_screen_or_strategy, screen_of

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    screen = add_command(commands, "screen", _screen, "which stocks meet conditions at one close")
    screen.add_argument(
        "source", nargs="?", metavar="FILE.json|PRESET_ID", help="a screen, or a strategy: what it would buy"
    )
    screen.add_argument("--where", action="append", metavar="FORMULA", help="a condition; several must all hold")
    screen.add_argument("--date", type=day, help="the last session on or before this day (default: the last of all)")
    screen.add_argument("--columns", nargs="+", metavar="ID|FORMULA", help="values to show, commas or blanks between")
    screen.add_argument("--sort", metavar="COLUMN[:asc|:desc]", help="a column or any formula; largest first")
    screen.add_argument("--limit", type=count, help="rows, at most")
    screen.add_argument("--basis", choices=list(PriceBasis), help="default: the basis with more sessions")
    screen.add_argument("--csv", metavar="OUT.csv", help="also write the table, as Excel reads it")
    screen.add_argument("--json", action="store_true")


def _screen(arguments: argparse.Namespace, settings: Settings) -> int:
    asked = _screen_document(arguments)
    basis = basis_for(asked.universe, basis_of(arguments))
    mode = asked.statements if isinstance(asked, Strategy) else StatementMode.STRICT
    panel = open_panel(Store(settings.home), basis=basis, statements=mode)
    source = CachedSource(panel, settings.home, threads=settings.engine_threads, budget_mb=settings.factor_cache_mb)
    if isinstance(asked, Strategy):
        columns = [translate(formula) for formula in _columns(arguments.columns)]
        result = strategy_hits(panel, asked, source, on=arguments.date, columns=columns, limit=arguments.limit)
    else:
        result = run_screen(panel, asked, source, on=arguments.date)
    if arguments.csv:
        Path(arguments.csv).write_bytes(csv_of(result.rows))
    if arguments.json:
        print_json({**result.to_dict(), "synthetic": panel.synthetic, "snapshot": panel.snapshot_id})
        return 0
    for note in result.notes:
        print(f"Note: {note.words}", file=sys.stderr)
    print(describe_screen(result, synthetic=panel.synthetic))
    return 0


def _screen_document(arguments: argparse.Namespace) -> Screen | Strategy:
    """What to look for: a file, a preset or formulas, with what the options say of the table."""
    if (arguments.source is None) is (arguments.where is None):
        raise InputError("Expected either FILE.json (or a preset id) or --where FORMULA, found neither or both.")
    document: dict[str, Any] = {}
    if arguments.where is not None:
        letters = zip(LETTERS, arguments.where, strict=False)
        document["conditions"] = {"rules": [{"id": letter, "formula": formula} for letter, formula in letters]}
    else:
        found: Screen | Strategy = (
            PRESETS[arguments.source].strategy
            if arguments.source in PRESETS
            else (parse_screen_or_strategy(file_text(arguments.source)))
        )
        if isinstance(found, Strategy):
            if arguments.sort is None:
                return found  # in its own order of purchase
            found = screen_of(found)
        document = found.model_dump(mode="json")
    if arguments.columns is not None:
        document["columns"] = _columns(arguments.columns)
    if arguments.sort is not None:
        by, _, direction = arguments.sort.partition(":")
        document["sort"] = {"by": by, "direction": direction or "desc"}
    if arguments.limit is not None:
        document["limit"] = arguments.limit
    try:
        return parse_screen(document)
    except DocumentError as error:  # a file was judged above: what is wrong now came from the options
        raise InputError("\n".join(fault.message for fault in error.faults)) from error


def _columns(given: Sequence[str] | None) -> list[str]:
    """Formulas from ``roe per,ret(close,5)``: separate arguments, or commas outside of parentheses."""
    found: list[str] = []
    for text in given or ():
        depth, start = 0, 0
        for place, letter in enumerate(text):
            depth += (letter in "({") - (letter in ")}")
            if letter == "," and depth == 0:
                found.append(text[start:place])
                start = place + 1
        found.append(text[start:])
    return [formula.strip() for formula in found if formula.strip()]
