"""`stocklab explain`: why a run bought a stock in a session, or did not.

What it alone needs is imported when it runs, so that the other commands start sooner.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from stocklab.backtest import Result, RunRequest
from stocklab.commands.arguments import add_command, basis_of, day, print_json, strategy_of
from stocklab.data import Store, open_panel
from stocklab.data.engine import run_on_panel
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import basis_for
from stocklab.data.results import ResultStore
from stocklab.errors import DataError, InputError
from stocklab.market.panel import Panel, PriceBasis
from stocklab.settings import Settings

__all__ = ["add_commands", "run_explain"]

_RUN_ID = re.compile(r"^[0-9a-f]{16,64}$")


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    text = "why a run bought a stock in a session, did not buy, sold or kept it"
    parser = add_command(commands, "explain", run_explain, text)
    parser.add_argument("source", metavar="FILE.json|PRESET_ID|RUN_ID", help="a strategy to run, or a stored result")
    parser.add_argument("--symbol", required=True, help="a stock, such as 005930")
    parser.add_argument("--date", type=day, required=True, help="a session of the run")
    parser.add_argument("--start", type=day, help="of the run of a strategy (default: the first session of the data)")
    parser.add_argument("--end", type=day, help="of the run of a strategy (default: the last session of the data)")
    parser.add_argument("--basis", choices=list(PriceBasis), help="default: what covers the range best")
    parser.add_argument("--language", choices=["ko", "en"])
    parser.add_argument("--json", action="store_true")


def run_explain(arguments: argparse.Namespace, settings: Settings) -> int:
    """Answer, on standard output.

    Raises
    ------
    InputError
        The source is neither a strategy nor a stored result, the symbol is unknown, the day is no session of the run,
        or the result was made from other data or by another version of the program.
    """
    from stocklab.research.explain import explain, open_run
    from stocklab.research.explain.as_json import explanation_json
    from stocklab.research.explain.lines import describe_explained
    from stocklab.research.stored_run import request_of

    panel, result = _run(arguments, settings)
    source = CachedSource(panel, settings.home, threads=settings.engine_threads, budget_mb=settings.factor_cache_mb)
    request = request_of(result.card)
    view = open_run(panel, request, source, result)
    found = explain(view, arguments.symbol, arguments.date)
    language = arguments.language or settings.language
    if arguments.json:
        print_json({"run_id": result.run_id, **explanation_json(found, language)})
    else:
        print("\n".join(describe_explained(found, language, request.strategy.factors)))
    return 0


def _run(arguments: argparse.Namespace, settings: Settings) -> tuple[Panel, Result]:
    """The panel and the finished run."""
    from stocklab.research.stored_run import basis_of_card, request_of

    store, results = Store(settings.home), ResultStore(settings.home)
    if store.current() is None:
        raise DataError("This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.")
    if _RUN_ID.match(arguments.source) and results.has(arguments.source):
        if arguments.start or arguments.end or arguments.basis:
            raise InputError("A stored result has its own dates and prices. Hint: leave --start, --end, --basis out.")
        result = results.load(arguments.source)
        request = request_of(result.card)
        panel = open_panel(
            store,
            basis=basis_of_card(result.card),
            start=request.start,
            end=request.end,
            statements=request.strategy.statements,
        )
        return panel, result
    if _RUN_ID.match(arguments.source) and not Path(arguments.source).is_file():
        raise InputError(f"{arguments.source!r} is no preset, no file and no stored result.")
    strategy = strategy_of(arguments.source)
    panel = open_panel(
        store,
        basis=basis_for(strategy.universe, basis_of(arguments)),
        start=arguments.start,
        end=arguments.end,
        statements=strategy.statements,
    )
    request = RunRequest(
        strategy=strategy,
        start=arguments.start or panel.sessions[0].item(),
        end=arguments.end or panel.sessions[-1].item(),
        initial_cash_krw=strategy.allocation.initial_cash_krw,
    )
    outcome = run_on_panel(
        panel,
        results,
        request,
        home=settings.home,
        threads=settings.engine_threads,
        factor_cache_mb=settings.factor_cache_mb,
    )
    return panel, outcome.result
