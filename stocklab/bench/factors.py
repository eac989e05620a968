"""Figures of the formula language, printed as JSON: ``python -m stocklab.bench.factors all|single|peers|screen``.

Runs on the home of the settings. ``peers`` needs TA-Lib, which only the development environment has.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.data import Store, open_panel
from stocklab.data.factor_cache import CachedSource, flush
from stocklab.data.factor_warm import warm_factors
from stocklab.data.screening import run_screen
from stocklab.factors import CATALOGUE, Wanted, check, evaluate, missing_inputs
from stocklab.logs import configure_logging
from stocklab.market.panel import Panel, PriceBasis
from stocklab.settings import load_settings
from stocklab.strategy.document import Entry, Rule
from stocklab.strategy.screen import Screen
from stocklab.types import FloatArray

__all__ = ["main"]

_REPEATS: Final = 3
_BUDGET_MB: Final = 100_000
_CONDITIONS: Final = (
    "debt_ratio<100",
    "current_ratio>150",
    "operating_margin>5",
    "revenue_growth_1y>10",
    "close>sma(close,60)",
    "rsi_14<70",
    "mom_12_1>0",
    "volatility_20d<60",
    "trading_value_20d>1000000000",
    "xpct(ret_6m)>0.5",
)
_PEERS: Final[dict[str, Callable[[Any, FloatArray, FloatArray, FloatArray], FloatArray]]] = {
    "sma_20": lambda talib, high, low, close: talib.SMA(close, 20),
    "rsi_14": lambda talib, high, low, close: talib.RSI(close, 14),
    "adx_14": lambda talib, high, low, close: talib.ADX(high, low, close, 14),
}


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for and print the rows of `stocklab.bench.figures.Figure`."""
    settings = load_settings()
    configure_logging(settings)  # to standard error: what is printed is the answer
    store = Store(settings.home)
    panel = open_panel(store)
    if not panel.synthetic:
        panel = open_panel(store, basis=PriceBasis.ADJUSTED)
    measure = {"all": _all, "single": _single, "peers": _peers, "screen": _screen}[arguments[0]]
    json.dump(measure(panel, settings.engine_threads), sys.stdout)
    return 0


def _size(panel: Panel) -> str:
    return f"{panel.n_sessions:,} sessions x {panel.n_symbols:,} symbols"


def _all(panel: Panel, threads: int) -> list[dict[str, Any]]:
    """From the memory map to files: the catalogue as far as the inputs go."""
    evaluate([Wanted("sma_20", "value"), Wanted("roe", "value")], panel, threads=threads)  # loads the machine code
    with tempfile.TemporaryDirectory(prefix="stocklab-bench-factors-") as folder:
        report = warm_factors(panel, Path(folder), threads=threads, budget_mb=_BUDGET_MB)
    size = f"{len(report.computed)} of {len(CATALOGUE)} factors in float64, {_size(panel)}"
    target = {} if panel.synthetic else {"target_seconds": 30.0, "target_mb": 3000.0}
    return [{"name": "factors: all to disk", "size": size, "seconds": report.seconds, **target}]


def _single(panel: Panel, threads: int) -> list[dict[str, Any]]:
    """Each factor of price and volume by itself; the one in the middle."""
    names = [
        name
        for name, factor in CATALOGUE.items()
        if factor.type == "TECHNICAL" and not check(name).items and not missing_inputs(name, panel)
    ]
    seconds = {name: _best(lambda name=name: _compute(name, panel, threads)) for name in names}  # type: ignore[misc]
    floor = _best(lambda: float(np.ascontiguousarray(panel.fields["close"]).sum()))
    middle = median(seconds.values())
    slowest = max(seconds, key=lambda name: seconds[name])
    return [
        {
            "name": "factors: median price factor",
            "size": f"{len(names)} factors, {_size(panel)}; slowest {slowest} {1000 * seconds[slowest]:.0f} ms",
            "seconds": middle,
            "target_seconds": None if panel.synthetic else 0.06,
            "ratio": middle / floor,
            "floor": f"streaming the closes once ({1000 * floor:.1f} ms)",
        }
    ]


def _peers(panel: Panel, threads: int) -> list[dict[str, Any]]:
    rows = []
    if find_spec("talib") is not None:
        talib = import_module("talib")
        for name, peer in _PEERS.items():
            ours = _best(lambda name=name: _compute(name, panel, threads))  # type: ignore[misc]
            theirs = _best(lambda peer=peer: _loop(panel, lambda *bars: peer(talib, *bars)))  # type: ignore[misc]
            floor = f"TA-Lib in a loop over symbols ({1000 * theirs:.0f} ms)"
            rows.append(
                {
                    "name": f"factors: {name}",
                    "size": _size(panel),
                    "seconds": ours,
                    "ratio": ours / theirs,
                    "floor": floor,
                }
            )
    frame = _long(panel)
    theirs = _best(lambda: frame.select(pl.col("close").rolling_mean(20).over("symbol")))
    ours = _best(lambda: _compute("sma_20", panel, threads))
    floor = f"polars rolling_mean over symbol ({1000 * theirs:.0f} ms)"
    rows.append(
        {"name": "factors: sma_20", "size": _size(panel), "seconds": ours, "ratio": ours / theirs, "floor": floor}
    )
    return rows


def _screen(panel: Panel, threads: int) -> list[dict[str, Any]]:
    """Ten conditions on the last session, with an empty cache and with a full one; the machine code is loaded."""
    rules = tuple(Rule(id=chr(ord("A") + place), formula=formula) for place, formula in enumerate(_CONDITIONS))
    screen = Screen(conditions=Entry(rules=rules, logic=" or ".join(rule.id for rule in rules)))
    with tempfile.TemporaryDirectory(prefix="stocklab-bench-screen-") as folder:
        homes = [Path(folder) / str(number) for number in range(_REPEATS + 1)]

        def run(home: Path) -> float:
            started = time.perf_counter()
            run_screen(panel, screen, CachedSource(panel, home, threads=threads))
            return time.perf_counter() - started

        run(homes[-1])
        flush()
        cold = []
        for home in homes[:-1]:
            cold.append(run(home))
            flush()
        warm = min(run(homes[0]) for _ in range(_REPEATS))
    size = f"{len(rules)} conditions on one day, {_size(panel)}"
    targets = (None, None) if panel.synthetic else (1.5, 0.2)
    return [
        {"name": "screen: cold cache", "size": size, "seconds": min(cold), "target_seconds": targets[0]},
        {"name": "screen: warm cache", "size": size, "seconds": warm, "target_seconds": targets[1]},
    ]


def _loop(panel: Panel, peer: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]) -> FloatArray:
    out = np.full((panel.n_sessions, panel.n_symbols), np.nan)
    listed = panel.fields["listed"]
    for symbol in range(panel.n_symbols):
        rows = np.flatnonzero(listed[:, symbol])
        if len(rows):
            high, low, close = (
                panel.fields[name][rows, symbol].astype(np.float64) for name in ("high", "low", "close")
            )
            out[rows, symbol] = peer(high, low, close)
    return out


def _long(panel: Panel) -> pl.DataFrame:
    symbol, session = np.nonzero(np.ascontiguousarray(panel.fields["listed"].T))
    close = np.ascontiguousarray(panel.fields["close"].T)[symbol, session].astype(np.float64)
    return pl.DataFrame({"symbol": symbol.astype(np.int32), "close": close})


def _compute(name: str, panel: Panel, threads: int) -> None:
    evaluate([Wanted(name, "value")], panel, threads=threads)


def _best(work: Callable[[], Any]) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
