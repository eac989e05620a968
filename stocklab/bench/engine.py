"""The engine's figures, printed as JSON: ``python -m stocklab.bench.engine`` on the home of the settings."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.plan import build_plan
from stocklab.backtest.walking import run_kernel
from stocklab.bench.document import END, START, benchmark_document
from stocklab.data import Store, open_panel
from stocklab.data.factor_cache import CachedSource, flush
from stocklab.factors import check
from stocklab.logs import configure_logging
from stocklab.market.panel import Panel, PriceBasis
from stocklab.settings import load_settings
from stocklab.strategy import parse_document
from stocklab.types import AnyArray

__all__ = ["main"]

_VARIANTS: tuple[Literal["daily", "monthly"], ...] = ("daily", "monthly")
_REPEATS = 5


def main() -> int:
    """Measure and print; every figure is the best of five after one run that compiles."""
    settings = load_settings()
    configure_logging(settings)  # to standard error: what is printed is the answer
    store = Store(settings.home)
    seconds, panel = _timed(lambda: open_panel(store, basis=PriceBasis.ADJUSTED, start=START, end=END))
    size = f"{panel.n_sessions:,} sessions x {panel.n_symbols:,} symbols"
    rows: list[dict[str, Any]] = [{"name": "panel: open", "size": size, "seconds": seconds}]
    for variant in _VARIANTS:
        rows += _variant(panel, variant, settings.engine_threads, size)
    json.dump(rows, sys.stdout)
    return 0


def _variant(panel: Panel, variant: Literal["daily", "monthly"], threads: int, size: str) -> list[dict[str, Any]]:
    strategy = parse_document(benchmark_document(variant))
    cash = strategy.allocation.initial_cash_krw
    request = RunRequest(strategy=strategy, start=START, end=END, initial_cash_krw=cash)
    with tempfile.TemporaryDirectory(prefix="stocklab-bench-cache-") as folder:
        homes = [Path(folder) / str(number) for number in range(_REPEATS + 1)]

        def run(home: Path) -> Any:
            return simulate(panel, request, CachedSource(panel, home, threads=threads))

        result = run(homes[-1])  # compiles, or loads what was compiled
        flush()
        cold = []
        for home in homes[:-1]:
            cold.append(_timed(partial(run, home))[0])
            flush()
        warm = [_timed(lambda: run(homes[0]))[0] for _ in range(_REPEATS)]
        plan = build_plan(panel, request, CachedSource(panel, homes[0], threads=threads))
        kernel = [_timed(lambda: run_kernel(panel, request, plan))[0] for _ in range(_REPEATS)]
    inputs = _inputs(panel, strategy.entry.rules)
    floor = _stream_seconds(inputs)
    trades = int(result.metrics["n_trades"])
    bars = [panel.fields[name] for name in (*panel.order_fields, "traded", "listed", "market")]
    common = {"size": f"{variant}, {size}", "n_trades": trades}
    engine_floor = f"streaming its {len(inputs)} fields once ({1000 * floor:.1f} ms)"
    bars_floor = _stream_seconds(bars)
    return [
        {**common, "name": f"engine: {variant}, cold cache", "seconds": min(cold), "target_seconds": 0.5}
        | {"ratio": min(cold) / floor, "floor": engine_floor},
        {**common, "name": f"engine: {variant}, warm cache", "seconds": min(warm), "target_seconds": 0.1}
        | {"ratio": min(warm) / floor, "floor": engine_floor},
        {**common, "name": f"engine: {variant}, kernel", "seconds": min(kernel), "target_seconds": 0.02}
        | {"ratio": min(kernel) / bars_floor, "floor": f"streaming the bars once ({1000 * bars_floor:.1f} ms)"},
    ]


def _inputs(panel: Panel, rules: Iterable[Any]) -> list[AnyArray]:
    names = sorted({name for rule in rules for name in check(rule.formula).inputs})
    return [panel.fields[name] for name in names if name in panel.fields]


def _stream_seconds(arrays: Iterable[AnyArray]) -> float:
    """Best of five times to sum every array once from memory."""
    held = [np.ascontiguousarray(array) for array in arrays]
    return min(_timed(lambda: [array.sum() for array in held])[0] for _ in range(_REPEATS))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


if __name__ == "__main__":
    sys.exit(main())
