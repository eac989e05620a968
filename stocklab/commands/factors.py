"""``stocklab factors``: the catalogue, values of factors, the cache of values."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from stocklab.commands.arguments import add_command, basis_of, count, day, print_json, say
from stocklab.data import Store, open_panel
from stocklab.data.export import export_factors
from stocklab.data.factor_json import explanation_json, factor_json
from stocklab.data.factor_text import describe_catalogue, describe_explanation, describe_factor
from stocklab.data.factor_warm import warm_factors
from stocklab.data.screening import session_row
from stocklab.errors import InputError
from stocklab.factors import CATALOGUE, translate
from stocklab.factors.explain_value import explain_value
from stocklab.factors.status import catalogue_status, status_of
from stocklab.market.panel import Panel, PriceBasis
from stocklab.settings import Settings

__all__ = ["add_commands"]


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    factors = commands.add_parser("factors", help="the factor catalogue")
    parts = factors.add_subparsers(title="factor commands", metavar="COMMAND", required=True)
    listing = add_command(parts, "list", _factors_list, "all factors, and which of them this home's data can compute")
    listing.add_argument("--category")
    listing.add_argument("--basis", choices=list(PriceBasis))
    listing.add_argument("--json", action="store_true")
    show = add_command(parts, "show", _factors_show, "one factor; with --symbol its value and the numbers that went in")
    show.add_argument("id")
    show.add_argument("--symbol", help="a stock, such as 005930")
    show.add_argument("--date", type=day, help="the last session on or before this day (default: the last of all)")
    show.add_argument("--basis", choices=list(PriceBasis))
    show.add_argument("--language", choices=["ko", "en"])
    show.add_argument("--json", action="store_true")
    export = add_command(parts, "export", _factors_export, "values of factors or formulas as Parquet")
    export.add_argument("formulas", nargs="+", metavar="ID|FORMULA")
    export.add_argument("--start", type=day, required=True)
    export.add_argument("--end", type=day, required=True)
    export.add_argument("--out", required=True, metavar="FILE.parquet")
    export.add_argument("--basis", choices=list(PriceBasis))

    warm = add_command(parts, "warm", _factors_warm, "compute factors ahead, so that screens and backtests find them")
    warm.add_argument("formulas", nargs="*", metavar="ID|FORMULA", help="default: the whole catalogue")
    warm.add_argument("--budget-mb", type=count, help="disk budget of the cache (default: STOCKLAB_FACTOR_CACHE_MB)")
    warm.add_argument("--basis", choices=list(PriceBasis))


def _factors_list(arguments: argparse.Namespace, settings: Settings) -> int:
    chosen = [factor for factor in CATALOGUE.values() if arguments.category in (None, factor.category)]
    panel = _panel_if_any(arguments, settings)
    statuses = None if panel is None else catalogue_status(panel)
    if arguments.json:
        print_json([factor_json(factor, statuses[factor.id] if statuses else None) for factor in chosen])
        return 0
    print("\n".join(describe_catalogue(chosen, statuses, counts=arguments.category is None)))
    if statuses is None:
        print(
            "This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.", file=sys.stderr
        )
    else:
        print("+ computed on this home's data, ~ computed without an input, - lacks an input.", file=sys.stderr)
    return 0


def _factors_show(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.id not in CATALOGUE:
        raise InputError(f"Unknown factor {arguments.id!r}. Hint: `stocklab factors list` names them all.")
    factor = CATALOGUE[arguments.id]
    language = arguments.language or settings.language
    if arguments.symbol:
        panel = open_panel(Store(settings.home), basis=basis_of(arguments))
        found = explain_value(factor.id, panel, arguments.symbol, session_row(panel, arguments.date))
        name = panel.instruments.names[panel.column(arguments.symbol)]
        answer = {**factor_json(factor, status_of(factor.id, panel)), "explanation": explanation_json(found)}
        lines = describe_explanation(found, name, language)
    else:
        data = _panel_if_any(arguments, settings)
        status = None if data is None else status_of(factor.id, data)
        answer, lines = factor_json(factor, status), describe_factor(factor, status, language)
    if arguments.json:
        print_json(answer)
    else:
        print("\n".join(lines))
    return 0


def _factors_export(arguments: argparse.Namespace, settings: Settings) -> int:
    rows = export_factors(
        Store(settings.home),
        arguments.formulas,
        start=arguments.start,
        end=arguments.end,
        out=Path(arguments.out),
        basis=basis_of(arguments),
        threads=settings.engine_threads,
    )
    print(f"{rows:,} rows written to {arguments.out}")
    return 0


def _factors_warm(arguments: argparse.Namespace, settings: Settings) -> int:
    panel = open_panel(Store(settings.home), basis=basis_of(arguments))
    report = warm_factors(
        panel,
        settings.home,
        [translate(formula) for formula in arguments.formulas] or None,
        threads=settings.engine_threads,
        budget_mb=arguments.budget_mb or settings.factor_cache_mb,
        on_progress=lambda done, of: say(f"{done} of {of} factors"),
    )
    print(f"{len(report.computed)} factors computed in {report.seconds:.1f} s")
    for name, lacking in report.missing.items():
        print(f"  {name}: lacks {', '.join(lacking)}")
    return 0


def _panel_if_any(arguments: argparse.Namespace, settings: Settings) -> Panel | None:
    store = Store(settings.home)
    if store.current() is None:
        return None
    return open_panel(store, basis=basis_of(arguments))
