"""The figures of sweeps, printed as JSON: ``python -m stocklab.bench.sweeps COUNT`` on the home of the settings."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

from stocklab.backtest import run_id
from stocklab.bench.document import END, START, sweep_document
from stocklab.data import Store, open_panel
from stocklab.factors import DirectSource
from stocklab.logs import configure_logging
from stocklab.market.panel import Panel, PriceBasis
from stocklab.research import Measured, Variant, run_variants, variants_of
from stocklab.research.sweep_store import SweepStore
from stocklab.research.sweeping import sweep_on_panel
from stocklab.settings import load_settings
from stocklab.strategy.sweep import parse_sweep

__all__ = ["main"]

_TARGET_SECONDS = 20.0
_TARGET_MB = 3000.0
_TARGET_COUNT = 1000


def main() -> int:
    """Measure a sweep of so many variants, stored as they come, after a small one that compiles."""
    count = int(sys.argv[1])
    settings = load_settings()
    configure_logging(settings)
    panel = open_panel(Store(settings.home), basis=PriceBasis.ADJUSTED, start=START, end=END)
    _warm_up(panel, settings.engine_threads)
    stored = SweepStore(settings.home)
    sweep = parse_sweep(sweep_document(count))
    started = time.perf_counter()
    swept = sweep_on_panel(panel, stored, sweep, threads=settings.engine_threads)
    seconds = time.perf_counter() - started
    trades = [row.figures["n_trades"] for row in stored.rows(swept.id) if row.figures is not None]
    goal = count == _TARGET_COUNT
    row: dict[str, Any] = {
        "name": f"sweep: {count:,} variants",
        "size": f"{swept.computed:,} variants, {panel.n_sessions:,} sessions x {panel.n_symbols:,} symbols",
        "seconds": seconds,
        "target_seconds": _TARGET_SECONDS if goal else None,
        "target_mb": _TARGET_MB if goal else None,
        "ratio": seconds / max(swept.computed, 1) / 0.001,
        "floor": "1 ms per variant",
        "n_trades": sorted(trades)[len(trades) // 2],
    }
    json.dump([row], sys.stdout)
    return 0


def _warm_up(panel: Panel, threads: int) -> None:
    """Load what was compiled, or compile it."""
    found = variants_of(parse_sweep(sweep_document(4)), partial(run_id, panel))
    variants = [item for item in found if isinstance(item, Variant)]
    source = DirectSource(panel, threads=threads)
    assert all(isinstance(item, Measured) for item in run_variants(panel, variants, source))  # noqa: S101


if __name__ == "__main__":
    sys.exit(main())
