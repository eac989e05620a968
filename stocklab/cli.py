"""The command line: ``stocklab COMMAND``. Results go to standard output, errors and progress to standard error.

What only some commands need (the app database, the supervisor, the demo market) is imported by them, so that a backtest
starts a second sooner.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 bad data, 4 something outside failed, 130 stopped by a person.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from stocklab import __version__
from stocklab.backtest import Coverage, Progress, Result, RunRequest, coverage, preset_coverage
from stocklab.commands.arguments import count as _count
from stocklab.commands.arguments import day as _day
from stocklab.commands.arguments import file_text as _file_text
from stocklab.commands.arguments import print_json as _print_json
from stocklab.commands.arguments import say as _say
from stocklab.commands.arguments import strategy_of as _strategy
from stocklab.commands.explain import add_explain
from stocklab.commands.proof import proof_commands
from stocklab.data import Store, import_paths, open_panel, status
from stocklab.data.engine import run_backtest
from stocklab.data.export import export_factors
from stocklab.data.factor_cache import CachedSource
from stocklab.data.factor_json import explanation_json, factor_json
from stocklab.data.factor_text import describe_catalogue, describe_explanation, describe_factor
from stocklab.data.factor_warm import warm_factors
from stocklab.data.panel_open import basis_for
from stocklab.data.results import ResultStore
from stocklab.data.screen_text import csv_of, describe_screen
from stocklab.data.screening import run_screen, session_row, strategy_hits
from stocklab.errors import Cancelled, DocumentError, FormulaError, InputError, StockLabError
from stocklab.factors import CATALOGUE, translate
from stocklab.factors.explain_value import explain_value
from stocklab.factors.status import catalogue_status, status_of
from stocklab.logs import configure_logging
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import KRX_BASES, Panel, PriceBasis
from stocklab.settings import Settings, load_settings
from stocklab.strategy import PRESETS, Strategy, describe_strategy, find_preset, json_schema
from stocklab.strategy.logic import LETTERS
from stocklab.strategy.screen import Screen, parse_screen, parse_screen_or_strategy, screen_of
from stocklab.strategy.sweep import Sweep

__all__ = ["main"]

log = structlog.get_logger(__name__)
Command = Callable[[argparse.Namespace, Settings], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    command: Command | None = getattr(arguments, "command", None)
    if command is None:
        parser.print_help()
        return 2
    try:
        settings = load_settings()
        if command is not _up and "log_level" not in settings.model_fields_set:
            settings = settings.model_copy(update={"log_level": "warning"})  # a command answers in its own words
        configure_logging(settings)
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


def _up(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.sidecar.supervisor import up

    return up(settings)


def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.data.demo import build_demo

    store = Store(settings.home)
    snapshot = build_demo(
        store,
        symbols=arguments.symbols or settings.demo_symbols,
        seed=arguments.seed,
        until=arguments.until or _today_in_seoul(),
        replace=arguments.replace,
    )
    print(f"Demo data (synthetic): snapshot {snapshot.id} is current in {settings.home}.")
    return 0


def _data_import(arguments: argparse.Namespace, settings: Settings) -> int:
    mapping = _mapping(arguments.map) if arguments.map else None
    report = import_paths(
        Store(settings.home),
        [Path(path) for path in arguments.paths],
        mapping=mapping,
        basis=PriceBasis(arguments.basis) if arguments.basis else None,
        source=arguments.source,
        replace=arguments.replace,
        new_rows_only=arguments.new_rows_only,
        grace_hours=settings.snapshot_grace_hours,
        on_progress=_say if sys.stderr.isatty() else None,
    )
    if arguments.json:
        _print_json(report.to_dict())
    else:
        print(report.describe())
    return 0


def _data_status(arguments: argparse.Namespace, settings: Settings) -> int:
    state = status(Store(settings.home))
    if arguments.json:
        _print_json(state)
    else:
        print(_describe_status(state))
    return 0


def _presets_list(arguments: argparse.Namespace, settings: Settings) -> int:
    store = Store(settings.home)
    covered = preset_coverage(open_panel(store)) if store.current() is not None else None
    if arguments.json:
        _print_json(
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
    _print_json(find_preset(arguments.id).as_json())
    return 0


def _strategy_schema(arguments: argparse.Namespace, settings: Settings) -> int:
    _print_json(json_schema())
    return 0


def _strategy_validate(arguments: argparse.Namespace, settings: Settings) -> int:
    strategy = _strategy(arguments.file)
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


def _factors_list(arguments: argparse.Namespace, settings: Settings) -> int:
    chosen = [factor for factor in CATALOGUE.values() if arguments.category in (None, factor.category)]
    panel = _panel_if_any(arguments, settings)
    statuses = None if panel is None else catalogue_status(panel)
    if arguments.json:
        _print_json([factor_json(factor, statuses[factor.id] if statuses else None) for factor in chosen])
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
        panel = open_panel(Store(settings.home), basis=PriceBasis(arguments.basis) if arguments.basis else None)
        found = explain_value(factor.id, panel, arguments.symbol, session_row(panel, arguments.date))
        name = panel.instruments.names[panel.column(arguments.symbol)]
        answer = {**factor_json(factor, status_of(factor.id, panel)), "explanation": explanation_json(found)}
        lines = describe_explanation(found, name, language)
    else:
        data = _panel_if_any(arguments, settings)
        status = None if data is None else status_of(factor.id, data)
        answer, lines = factor_json(factor, status), describe_factor(factor, status, language)
    if arguments.json:
        _print_json(answer)
    else:
        print("\n".join(lines))
    return 0


def _panel_if_any(arguments: argparse.Namespace, settings: Settings) -> Panel | None:
    store = Store(settings.home)
    if store.current() is None:
        return None
    return open_panel(store, basis=PriceBasis(arguments.basis) if arguments.basis else None)


def _factors_export(arguments: argparse.Namespace, settings: Settings) -> int:
    rows = export_factors(
        Store(settings.home),
        arguments.formulas,
        start=arguments.start,
        end=arguments.end,
        out=Path(arguments.out),
        basis=PriceBasis(arguments.basis) if arguments.basis else None,
        threads=settings.engine_threads,
    )
    print(f"{rows:,} rows written to {arguments.out}")
    return 0


def _factors_warm(arguments: argparse.Namespace, settings: Settings) -> int:
    panel = open_panel(Store(settings.home), basis=PriceBasis(arguments.basis) if arguments.basis else None)
    report = warm_factors(
        panel,
        settings.home,
        [translate(formula) for formula in arguments.formulas] or None,
        threads=settings.engine_threads,
        budget_mb=arguments.budget_mb or settings.factor_cache_mb,
        on_progress=lambda done, of: _say(f"{done} of {of} factors"),
    )
    print(f"{len(report.computed)} factors computed in {report.seconds:.1f} s")
    for name, lacking in report.missing.items():
        print(f"  {name}: lacks {', '.join(lacking)}")
    return 0


def _backtest(arguments: argparse.Namespace, settings: Settings) -> int:
    strategy = _strategy(arguments.strategy)
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
        basis=PriceBasis(arguments.basis) if arguments.basis else None,
        threads=settings.engine_threads,
        on_progress=_progress if sys.stderr.isatty() else None,
        factor_cache_mb=settings.factor_cache_mb,
    )
    if arguments.out:
        results.export(outcome.result.run_id, Path(arguments.out))
    if arguments.json:
        _print_json(
            {"run": dict(outcome.result.card), "metrics": dict(outcome.result.metrics), "cached": outcome.cached}
        )
    else:
        print(_describe_result(outcome.result, outcome.cached, outcome.seconds))
    for warning in outcome.result.card["warnings"]:
        print(f"Warning: {warning}", file=sys.stderr)
    return 0


def _sweep(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.portfolios.lab import Lab
    from stocklab.research.sweep_store import SweepStore
    from stocklab.research.sweep_text import describe_numbers, describe_sweep, summary_json
    from stocklab.research.sweep_view import plateau_of, table_of
    from stocklab.research.sweeping import SweepProgress, run_sweep
    from stocklab.strategy.sweep import sweep_schema

    if arguments.schema:
        _print_json(sweep_schema())
        return 0
    if arguments.source is None:
        raise InputError("Expected FILE.json or a preset id, found neither.")
    if arguments.numbers:
        print("\n".join(describe_numbers(_strategy(arguments.source))))
        return 0
    sweep = _sweep_document(arguments)

    def tell(progress: SweepProgress) -> None:
        print(f"\r{progress.done:,} of {progress.total:,} variants   ", end="", file=sys.stderr, flush=True)

    swept = run_sweep(
        Store(settings.home),
        sweep,
        basis=PriceBasis(arguments.basis) if arguments.basis else None,
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
        _print_json(summary)
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
            found = json.loads(_file_text(arguments.source))
        except json.JSONDecodeError:
            found = None  # parse_document says where
        document = found if isinstance(found, dict) and "parameters" in found else {}
    if not document:
        document = {"strategy": _strategy(arguments.source).model_dump(mode="json")}
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


def _screen(arguments: argparse.Namespace, settings: Settings) -> int:
    asked = _screen_document(arguments)
    basis = basis_for(asked.universe, PriceBasis(arguments.basis) if arguments.basis else None)
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
        _print_json({**result.to_dict(), "synthetic": panel.synthetic, "snapshot": panel.snapshot_id})
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
            else (parse_screen_or_strategy(_file_text(arguments.source)))
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


def _doctor(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.doctor import examine

    report = examine(settings)
    if arguments.json:
        _print_json(report.to_dict())
    else:
        print(report.describe())
    return 0 if report.healthy else 1


def _bench(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.bench import run_figures

    data = Path(arguments.data) if arguments.data else None
    figures = run_figures(arguments.names, data=data, on_progress=_say)
    if arguments.json:
        _print_json([figure.to_dict() for figure in figures])
    else:
        for figure in figures:
            print(figure.describe())
    return 0 if all(figure.met is not False for figure in figures) else 1


def _mapping(text: str) -> dict[str, str]:
    """``date=Date,code=Ticker`` as a mapping from our column to theirs."""
    pairs = {}
    for part in text.split(","):
        ours, equals, theirs = part.partition("=")
        if not equals or not ours.strip() or not theirs.strip():
            raise InputError(f"--map: expected OURS=THEIRS pairs with commas between, found {part!r}.")
        pairs[ours.strip()] = theirs.strip()
    return pairs


def _today_in_seoul() -> date:
    return datetime.now(ZoneInfo("Asia/Seoul")).date()


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stocklab", description="Backtesting and automated trading for Korea.")
    parser.add_argument("--version", action="version", version=f"stocklab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _command(commands, "up", _up, "start the app (makes the demo market first when the home has no data)")
    demo = _command(commands, "demo", _demo, "make the demo market (synthetic)")
    demo.add_argument("--symbols", type=_count, help="how many symbols (default: the setting)")
    demo.add_argument("--seed", type=_count, default=20161121, help="same seed and day, same market")
    demo.add_argument("--until", type=_day, help="make sessions before this day (default: today)")
    demo.add_argument("--replace", action="store_true", help="even where real data is current")
    _data_commands(commands)
    _strategy_commands(commands)
    _factor_commands(commands)
    backtest = _command(commands, "backtest", _backtest, "run a strategy")
    backtest.add_argument("strategy", metavar="FILE.json|PRESET_ID")
    backtest.add_argument("--start", type=_day, required=True)
    backtest.add_argument("--end", type=_day, required=True)
    backtest.add_argument("--out", help="directory for the exported files")
    backtest.add_argument("--cash", type=_count, help="initial cash in won (default: the document's)")
    backtest.add_argument("--basis", choices=list(PriceBasis), help="default: what covers the range best")
    backtest.add_argument("--json", action="store_true")
    _screen_command(commands)
    add_explain(commands)
    _sweep_command(commands)
    proof_commands(commands)
    doctor = _command(commands, "doctor", _doctor, "report the health of everything; exit code 1 when unhealthy")
    doctor.add_argument("--json", action="store_true")
    bench = _command(commands, "bench", _bench, "measure speed and memory")
    bench.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="import, panel, engine, factors, screen, sweep, cli or presets; default all",
    )
    bench.add_argument("--data", help="folder of the market data to measure on (default: a synthetic market)")
    bench.add_argument("--json", action="store_true")
    return parser


def _data_commands(commands: Any) -> None:
    data = commands.add_parser("data", help="import market data, show what is there")
    parts = data.add_subparsers(title="data commands", metavar="COMMAND", required=True)
    load = _command(parts, "import", _data_import, "load Parquet or CSV files")
    load.add_argument("paths", nargs="+", metavar="PATH")
    load.add_argument(
        "--map", help="columns of any daily-bar file: date=Date,code=Ticker,open=...; code==005930 is a constant"
    )
    load.add_argument("--basis", choices=list(KRX_BASES), help="what the bars of --map files are")
    load.add_argument("--source", help="name of the source, shown with the data")
    load.add_argument("--replace", action="store_true", help="new rows replace stored ones that differ")
    load.add_argument("--new-rows-only", action="store_true", help="stored rows stay; only new ones are added")
    load.add_argument("--json", action="store_true")
    state = _command(parts, "status", _data_status, "what is loaded and how old it is")
    state.add_argument("--json", action="store_true")


def _strategy_commands(commands: Any) -> None:
    presets = commands.add_parser("presets", help="the built-in strategies")
    parts = presets.add_subparsers(title="preset commands", metavar="COMMAND", required=True)
    listing = _command(parts, "list", _presets_list, "all presets")
    listing.add_argument("--json", action="store_true")
    _command(parts, "show", _presets_show, "one preset as JSON").add_argument("id")
    strategy = commands.add_parser("strategy", help="strategy documents")
    parts = strategy.add_subparsers(title="strategy commands", metavar="COMMAND", required=True)
    _command(parts, "schema", _strategy_schema, "the JSON schema of the document")
    validate = _command(parts, "validate", _strategy_validate, "check a document and say it in words")
    validate.add_argument("file", metavar="FILE.json|PRESET_ID")
    validate.add_argument("--language", choices=["ko", "en"])


def _factor_commands(commands: Any) -> None:
    factors = commands.add_parser("factors", help="the factor catalogue")
    parts = factors.add_subparsers(title="factor commands", metavar="COMMAND", required=True)
    listing = _command(parts, "list", _factors_list, "all factors, and which of them this home's data can compute")
    listing.add_argument("--category")
    listing.add_argument("--basis", choices=list(PriceBasis))
    listing.add_argument("--json", action="store_true")
    show = _command(parts, "show", _factors_show, "one factor; with --symbol its value and the numbers that went in")
    show.add_argument("id")
    show.add_argument("--symbol", help="a stock, such as 005930")
    show.add_argument("--date", type=_day, help="the last session on or before this day (default: the last of all)")
    show.add_argument("--basis", choices=list(PriceBasis))
    show.add_argument("--language", choices=["ko", "en"])
    show.add_argument("--json", action="store_true")
    export = _command(parts, "export", _factors_export, "values of factors or formulas as Parquet")
    export.add_argument("formulas", nargs="+", metavar="ID|FORMULA")
    export.add_argument("--start", type=_day, required=True)
    export.add_argument("--end", type=_day, required=True)
    export.add_argument("--out", required=True, metavar="FILE.parquet")
    export.add_argument("--basis", choices=list(PriceBasis))

    warm = _command(parts, "warm", _factors_warm, "compute factors ahead, so that screens and backtests find them")
    warm.add_argument("formulas", nargs="*", metavar="ID|FORMULA", help="default: the whole catalogue")
    warm.add_argument("--budget-mb", type=_count, help="disk budget of the cache (default: STOCKLAB_FACTOR_CACHE_MB)")
    warm.add_argument("--basis", choices=list(PriceBasis))


def _screen_command(commands: Any) -> None:
    screen = _command(commands, "screen", _screen, "which stocks meet conditions at one close")
    screen.add_argument(
        "source", nargs="?", metavar="FILE.json|PRESET_ID", help="a screen, or a strategy: what it would buy"
    )
    screen.add_argument("--where", action="append", metavar="FORMULA", help="a condition; several must all hold")
    screen.add_argument("--date", type=_day, help="the last session on or before this day (default: the last of all)")
    screen.add_argument("--columns", nargs="+", metavar="ID|FORMULA", help="values to show, commas or blanks between")
    screen.add_argument("--sort", metavar="COLUMN[:asc|:desc]", help="a column or any formula; largest first")
    screen.add_argument("--limit", type=_count, help="rows, at most")
    screen.add_argument("--basis", choices=list(PriceBasis), help="default: the basis with more sessions")
    screen.add_argument("--csv", metavar="OUT.csv", help="also write the table, as Excel reads it")
    screen.add_argument("--json", action="store_true")


def _sweep_command(commands: Any) -> None:
    sweep = _command(commands, "sweep", _sweep, "run a strategy with many values of its numbers; a repeat goes on")
    sweep.add_argument("source", nargs="?", metavar="FILE.json|PRESET_ID", help="a strategy, or a sweep document")
    sweep.add_argument(
        "--vary",
        action="append",
        metavar="PATH=START:STOP:STEP",
        help="a number and its values, also PATH=V,V,V; PATH+PATH=... gives several the same value; may be repeated",
    )
    sweep.add_argument("--require", action="append", metavar="PATH<PATH", help="skip combinations that break this")
    sweep.add_argument("--method", choices=["grid", "random", "latin_hypercube"], help="default: grid")
    sweep.add_argument("--count", type=_count, help="sampling: how many variants")
    sweep.add_argument("--seed", type=int, help="sampling: same seed, same variants")
    sweep.add_argument("--start", type=_day)
    sweep.add_argument("--end", type=_day)
    sweep.add_argument("--objective", help="figure by which variants are compared (default: sharpe)")
    sweep.add_argument("--cash", type=_count, help="initial cash in won (default: the document's)")
    sweep.add_argument("--basis", choices=list(PriceBasis), help="default: what covers the range best")
    sweep.add_argument("--out", help="directory for variants.parquet, summary.json and sweep.json")
    sweep.add_argument("--numbers", action="store_true", help="list the numbers of the strategy, and do nothing else")
    sweep.add_argument("--schema", action="store_true", help="print the JSON schema of a sweep document")
    sweep.add_argument("--json", action="store_true")


def _command(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
