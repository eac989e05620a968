"""``stocklab sweep``: a strategy with many values of its numbers.

The app database and the research it alone needs are imported when it runs, so that the other commands start sooner.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from stocklab.commands.arguments import add_command, basis_of, count, day, file_text, print_json, strategy_of
from stocklab.data import Store
from stocklab.errors import InputError
from stocklab.market.panel import PriceBasis
from stocklab.settings import Settings
from stocklab.strategy import PRESETS
from stocklab.strategy.sweep import Sweep

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    sweep = add_command(commands, "sweep", _sweep, "run a strategy with many values of its numbers; a repeat goes on")
    sweep.add_argument("source", nargs="?", metavar="FILE.json|PRESET_ID", help="a strategy, or a sweep document")
    sweep.add_argument(
        "--vary",
        action="append",
        metavar="PATH=START:STOP:STEP",
        help="a number and its values, also PATH=V,V,V; PATH+PATH=... gives several the same value; may be repeated",
    )
    sweep.add_argument("--require", action="append", metavar="PATH<PATH", help="skip combinations that break this")
    sweep.add_argument("--method", choices=["grid", "random", "latin_hypercube"], help="default: grid")
    sweep.add_argument("--count", type=count, help="sampling: how many variants")
    sweep.add_argument("--seed", type=int, help="sampling: same seed, same variants")
    sweep.add_argument("--start", type=day)
    sweep.add_argument("--end", type=day)
    sweep.add_argument("--objective", help="figure by which variants are compared (default: sharpe)")
    sweep.add_argument("--cash", type=count, help="initial cash in won (default: the document's)")
    sweep.add_argument("--basis", choices=list(PriceBasis), help="default: what covers the range best")
    sweep.add_argument("--out", help="directory for variants.parquet, summary.json and sweep.json")
    sweep.add_argument("--numbers", action="store_true", help="list the numbers of the strategy, and do nothing else")
    sweep.add_argument("--schema", action="store_true", help="print the JSON schema of a sweep document")
    sweep.add_argument("--json", action="store_true")


def _sweep(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.portfolios.lab import Lab
    from stocklab.research.sweep_store import SweepStore
    from stocklab.research.sweep_text import describe_numbers, describe_sweep, summary_json
    from stocklab.research.sweep_view import plateau_of, table_of
    from stocklab.research.sweeping import SweepProgress, run_sweep
    from stocklab.strategy.sweep import sweep_schema

    if arguments.schema:
        print_json(sweep_schema())
        return 0
    if arguments.source is None:
        raise InputError("Expected FILE.json or a preset id, found neither.")
    if arguments.numbers:
        print("\n".join(describe_numbers(strategy_of(arguments.source))))
        return 0
    sweep = _sweep_document(arguments)

    def tell(progress: SweepProgress) -> None:
        print(f"\r{progress.done:,} of {progress.total:,} variants   ", end="", file=sys.stderr, flush=True)

    swept = run_sweep(
        Store(settings.home),
        sweep,
        basis=basis_of(arguments),
        threads=settings.engine_threads,
        on_progress=tell if sys.stderr.isatty() else None,
    )
    lab = Lab.open(settings)
    try:
        tried = lab.count_tried(lab.owner_id, swept.id)
    finally:
        lab.close()
    table = table_of(sweep, SweepStore(settings.home).rows(swept.id))
    plateau = plateau_of(sweep, table)
    summary = summary_json(sweep, swept, table, plateau, tried)
    if arguments.out:
        out = Path(arguments.out)
        out.mkdir(parents=True, exist_ok=True)
        table.write_parquet(out / "variants.parquet")
        (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2), encoding="utf-8")
        (out / "sweep.json").write_text(sweep.model_dump_json(indent=2), encoding="utf-8")
    if arguments.json:
        print_json(summary)
    else:
        print("\n".join(describe_sweep(sweep, swept, table, plateau, tried)))
    return 0


def _sweep_document(arguments: argparse.Namespace) -> Sweep:
    """A sweep document from a file, or a strategy with what the options say."""
    from stocklab.research.sweep_text import parameter_of_text, requirement_of_text
    from stocklab.strategy.sweep import parse_sweep

    document: dict[str, Any] = {}
    if arguments.source not in PRESETS:
        try:
            found = json.loads(file_text(arguments.source))
        except json.JSONDecodeError:
            found = None  # parse_document says where
        document = found if isinstance(found, dict) and "parameters" in found else {}
    if not document:
        document = {"strategy": strategy_of(arguments.source).model_dump(mode="json")}
    given = {
        "parameters": [parameter_of_text(text) for text in arguments.vary or ()],
        "requires": [requirement_of_text(text) for text in arguments.require or ()],
        "method": arguments.method,
        "count": arguments.count,
        "seed": arguments.seed,
        "start": None if arguments.start is None else arguments.start.isoformat(),
        "end": None if arguments.end is None else arguments.end.isoformat(),
        "initial_cash_krw": arguments.cash,
        "objective": arguments.objective,
    }
    document |= {key: value for key, value in given.items() if value not in (None, [])}
    for key, option in (("parameters", "--vary"), ("start", "--start"), ("end", "--end")):
        if key not in document:
            raise InputError(f"Expected {option}, or a sweep document with {key!r}; found neither.")
    return parse_sweep(document)
