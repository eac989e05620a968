"""What commands share: their parsers, reading arguments, strategies and files, and printing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from stocklab.errors import InputError
from stocklab.market.panel import PriceBasis
from stocklab.settings import Settings
from stocklab.strategy import PRESETS, Strategy, parse_document

__all__ = ["Command", "add_command", "basis_of", "count", "day", "file_text", "print_json", "say", "strategy_of"]

Command = Callable[[argparse.Namespace, Settings], int]
"""Runs a command and returns its exit code."""


def add_command(
    commands: Any, name: str, run: Command, text: str, *, is_service: bool = False
) -> argparse.ArgumentParser:
    """Add one command to a parser's; returns its own parser, for its arguments.

    A service runs until it is stopped and logs as the settings say; the other commands answer in their own words and
    log warnings alone.
    """
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=run, is_service=is_service, service=name if is_service else None)
    return parser


def basis_of(arguments: argparse.Namespace) -> PriceBasis | None:
    """The ``--basis`` asked for, if any."""
    return PriceBasis(arguments.basis) if arguments.basis else None


def strategy_of(text: str) -> Strategy:
    """A strategy from a preset id or a JSON file.

    Raises
    ------
    InputError
        Neither a preset nor a readable file.
    DocumentError
        The document has faults; all are listed.
    """
    if text in PRESETS:
        return PRESETS[text].strategy
    return parse_document(file_text(text))


def file_text(text: str) -> str:
    """Text of a UTF-8 file.

    Raises
    ------
    InputError
        There is no such file, or it is in another encoding.
    """
    file = Path(text)
    if not file.is_file():
        raise InputError(f"{text!r} is neither a preset nor a file. Presets: {', '.join(PRESETS)}.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: expected UTF-8 text, found byte {error.object[error.start]:#04x}.") from error


def say(text: str) -> None:
    """Progress and remarks, on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """An answer for machines, on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def day(text: str) -> date:
    """An argument that is a date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a date such as 2014-01-02, found {text!r}") from None


def count(text: str) -> int:
    """An argument that is a whole number above 0."""
    try:
        value = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, found {text!r}")
    return value
