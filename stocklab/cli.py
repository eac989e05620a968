"""The command line: ``stocklab COMMAND``. Results go to standard output, errors and progress to standard error.

The commands live in `stocklab.commands`, one module a theme. A new one is a line in ``_HOMES`` here, and a module with
``add_commands`` there, or a few lines in the module of its theme.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 bad data, 4 something outside failed, 130 stopped by a person.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from stocklab import __version__
from stocklab.commands.arguments import Command
from stocklab.errors import Cancelled, DocumentError, FormulaError, StockLabError
from stocklab.logs import configure_logging
from stocklab.settings import load_settings

__all__ = ["main"]

_HOMES: Final = {
    "up": "up",
    "scheduler": "scheduler",
    "demo": "demo",
    "data": "data",
    "presets": "strategy",
    "strategy": "strategy",
    "factors": "factors",
    "backtest": "backtest",
    "screen": "screen",
    "explain": "explain",
    "sweep": "sweep",
    "prove": "proof",
    "survivorship": "proof",
    "rerun": "proof",
    "db": "prepare",
    "warm": "prepare",
    "backup": "backup",
    "restore": "backup",
    "audit": "audit",
    "keys": "keys",
    "users": "users",
    "search": "search",
    "doctor": "health",
    "bench": "health",
}
"""Commands in the order of the help, and the module of each: only the asked one's is imported."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = sys.argv[1:] if argv is None else argv
    parser = _parser(given[0] if given else None)
    arguments = parser.parse_args(given)
    command: Command | None = getattr(arguments, "command", None)
    if command is None:
        parser.print_help()
        return 2
    try:
        settings = load_settings()
        if not arguments.is_service and "log_level" not in settings.model_fields_set:
            settings = settings.model_copy(update={"log_level": "warning"})  # a command answers in its own words
        configure_logging(settings, process=arguments.service)
        return command(arguments, settings)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except FormulaError as error:
        print(f"{error.reason}\n{error.pointer()}", file=sys.stderr)
        return error.exit_code
    except DocumentError as error:
        print("The document has faults:", file=sys.stderr)
        for fault in error.faults:
            print(f"  {fault.path or '(document)'}: {fault.message}", file=sys.stderr)
        return error.exit_code
    except Cancelled as error:
        print(str(error), file=sys.stderr)
        return 130
    except StockLabError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code


def _parser(asked: str | None) -> argparse.ArgumentParser:
    """Of the command that is asked for; of all of them where it is none of them."""
    parser = argparse.ArgumentParser(prog="stocklab", description="Backtesting and automated trading for Korea.")
    parser.add_argument("--version", action="version", version=f"stocklab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for home in dict.fromkeys([_HOMES[asked]] if asked in _HOMES else _HOMES.values()):
        import_module(f"stocklab.commands.{home}").add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
