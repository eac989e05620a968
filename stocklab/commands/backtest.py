"""``stocklab backtest``: run a strategy over a range of sessions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from stocklab.backtest import Progress, Result, RunRequest
from stocklab.commands.arguments import add_command, basis_of, count, day, print_json, strategy_of
from stocklab.data import Store
from stocklab.data.engine import run_backtest
from stocklab.data.results import ResultStore
from stocklab.market.panel import PriceBasis
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the command to the parser."""
    backtest = add_command(commands, "backtest", _backtest, "run a strategy")
    backtest.add_argument("strategy", metavar="FILE.json|PRESET_ID")
    backtest.add_argument("--start", type=day, required=True)
    backtest.add_argument("--end", type=day, required=True)
    backtest.add_argument("--out", help="directory for the exported files")
    backtest.add_argument("--cash", type=count, help="initial cash in won (default: the document's)")
    backtest.add_argument("--basis", choices=list(PriceBasis), help="default: what covers the range best")
    backtest.add_argument("--json", action="store_true")


def _backtest(arguments: argparse.Namespace, settings: Settings) -> int:
    strategy = strategy_of(arguments.strategy)
    request = RunRequest(
        strategy=strategy,
        start=arguments.start,
        end=arguments.end,
        initial_cash_krw=arguments.cash or strategy.allocation.initial_cash_krw,
    )
    results = ResultStore(settings.home)
    outcome = run_backtest(
        Store(settings.home),
        results,
        request,
        basis=basis_of(arguments),
        threads=settings.engine_threads,
        on_progress=_progress if sys.stderr.isatty() else None,
        factor_cache_mb=settings.factor_cache_mb,
    )
    if arguments.out:
        results.export(outcome.result.run_id, Path(arguments.out))
    if arguments.json:
        print_json(
            {"run": dict(outcome.result.card), "metrics": dict(outcome.result.metrics), "cached": outcome.cached}
        )
    else:
        print(_describe_result(outcome.result, outcome.cached, outcome.seconds))
    for warning in outcome.result.card["warnings"]:
        print(f"Warning: {warning}", file=sys.stderr)
    return 0


def _describe_result(result: Result, cached: bool, seconds: float) -> str:
    card, metrics = result.card, result.metrics
    label = "  demo data (synthetic)" if card.get("synthetic") else ""

    def percent(key: str) -> str:
        value = metrics.get(key)
        return "-" if value is None else f"{100 * value:.2f} %"

    def plain(key: str) -> str:
        value = metrics.get(key)
        return "-" if value is None else f"{value:.2f}"

    return "\n".join(
        [
            f"{card['name']}: {card['start']} .. {card['end']}, {card['price_basis']} prices{label}",
            f"  total return {percent('total_return')}, CAGR {percent('cagr')}, volatility {percent('volatility')}, "
            f"MDD {percent('max_drawdown')}",
            f"  Sharpe {plain('sharpe')}, Sortino {plain('sortino')}, Calmar {plain('calmar')}, "
            f"win rate {percent('win_rate')}, turnover {plain('turnover')}",
            f"  n_trades {metrics['n_trades']}, run {result.run_id}"
            f" ({'already computed' if cached else f'{seconds:.2f} s'})",
        ]
    )


def _progress(progress: Progress) -> None:
    reached = f" {progress.session}" if progress.session else ""
    print(f"\r{100 * progress.done:5.1f} % {progress.stage}{reached}   ", end="", file=sys.stderr, flush=True)
    if progress.done >= 1:
        print(file=sys.stderr)
