"""``stocklab prove | survivorship | rerun``: can a result be trusted?"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from typing import Any

from stocklab.backtest import RunRequest, run_id
from stocklab.commands.arguments import add_command, basis_of, count, day, print_json, strategy_of
from stocklab.data import Store, open_panel
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import basis_for
from stocklab.data.results import ResultStore
from stocklab.errors import InputError
from stocklab.market.panel import Panel, PriceBasis
from stocklab.settings import Settings

__all__ = ["add_commands"]

_RUN_ID = re.compile(r"^[0-9a-f]{16,64}$")


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    text = "replay a run without the future at some sessions; exit code 1 when a decision differs"
    prove = add_command(commands, "prove", _prove, text)
    _run_arguments(prove)
    prove.add_argument("--sessions", type=count, help="sessions after which the future is cut off (default: 8)")
    prove.add_argument("--seed", type=int, default=0, help="which sessions; same seed, same sessions")
    prove.add_argument("--json", action="store_true")
    text = "the same run with and without the names that were delisted"
    survivors = add_command(commands, "survivorship", _survivorship, text)
    _run_arguments(survivors)
    survivors.add_argument("--json", action="store_true")
    text = "run a stored result again: identical, or what changed; exit code 1 when something did"
    again = add_command(commands, "rerun", _rerun, text)
    again.add_argument("run_id", metavar="RUN_ID")
    again.add_argument("--json", action="store_true")


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="RUN_ID|FILE.json|PRESET_ID", help="a stored run, or a strategy with a range")
    parser.add_argument("--start", type=day)
    parser.add_argument("--end", type=day)
    parser.add_argument("--cash", type=count, help="initial cash in won (default: the document's)")
    parser.add_argument("--basis", choices=list(PriceBasis), help="default: what covers the range best")


def _asked(arguments: argparse.Namespace, settings: Settings) -> tuple[RunRequest, Panel]:
    """The run meant: a stored one, or a strategy over a range."""
    store, results = Store(settings.home), ResultStore(settings.home)
    source = arguments.source
    if _RUN_ID.match(source) and results.has(source):
        return _stored(store, source, results.read_json(source, "card"))
    strategy = strategy_of(source)
    for name in ("start", "end"):
        if getattr(arguments, name) is None:
            raise InputError(f"Expected --{name} with a strategy, found none. Hint: only a stored run has its own.")
    request = RunRequest(
        strategy=strategy,
        start=arguments.start,
        end=arguments.end,
        initial_cash_krw=arguments.cash or strategy.allocation.initial_cash_krw,
    )
    basis = basis_for(strategy.universe, basis_of(arguments))
    mode = strategy.statements
    return request, open_panel(store, basis=basis, start=request.start, end=request.end, statements=mode)


def _stored(store: Store, identity: str, card: Mapping[str, Any]) -> tuple[RunRequest, Panel]:
    from stocklab.research.stored_run import basis_of_card, request_of

    request = request_of(card)
    mode = request.strategy.statements
    panel = open_panel(store, basis=basis_of_card(card), start=request.start, end=request.end, statements=mode)
    if run_id(panel, request) != identity:
        raise InputError(
            "The market data or the program changed since this run. "
            f"Hint: `stocklab rerun {identity}` says what, and makes the run of today."
        )
    return request, panel


def _prove(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.research.look_ahead import SESSIONS
    from stocklab.research.proof_store import look_ahead_json
    from stocklab.research.proof_text import describe_look_ahead
    from stocklab.research.proving import prove

    request, panel = _asked(arguments, settings)

    def tell(done: float) -> None:
        print(f"\r{100 * done:5.1f} %   ", end="\n" if done >= 1 else "", file=sys.stderr, flush=True)

    found = prove(
        Store(settings.home),
        panel,
        request,
        sessions=arguments.sessions or SESSIONS,
        seed=arguments.seed,
        threads=settings.engine_threads,
        factor_cache_mb=settings.factor_cache_mb,
        on_progress=tell if sys.stderr.isatty() else None,
    )
    if arguments.json:
        print_json({"run_id": run_id(panel, request), **look_ahead_json(found)})
    else:
        print("\n".join(describe_look_ahead(found)))
    return 1 if found.identical is False else 0


def _survivorship(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.research.proof_text import describe_survivorship
    from stocklab.research.surviving import run_survivorship

    request, panel = _asked(arguments, settings)
    source = CachedSource(panel, settings.home, threads=settings.engine_threads, budget_mb=settings.factor_cache_mb)
    found = run_survivorship(
        Store(settings.home),
        ResultStore(settings.home),
        panel,
        request,
        source,
        threads=settings.engine_threads,
        factor_cache_mb=settings.factor_cache_mb,
    )
    if arguments.json:
        print_json(found.as_json())
    else:
        print("\n".join(describe_survivorship(found)))
    return 0


def _rerun(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.research.proof_text import describe_rerun
    from stocklab.research.rerun import rerun

    found = rerun(Store(settings.home), ResultStore(settings.home), arguments.run_id, threads=settings.engine_threads)
    if arguments.json:
        print_json(found.as_json())
    else:
        print("\n".join(describe_rerun(found)))
    return 0 if found.identical else 1
