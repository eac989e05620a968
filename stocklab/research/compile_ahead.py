"""``python -m stocklab.research.compile_ahead``: compile the engine and what sweeps add to it, once.

The machine code goes to Numba's cache, as of `stocklab.data.compile_ahead`, so that the first sweep does not wait.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from stocklab.backtest import run_id
from stocklab.data.compile_ahead import compile_engine
from stocklab.data.demo import build_demo
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.factors import DirectSource
from stocklab.market.panel import KRX_BASES
from stocklab.research.sweep_run import run_variants
from stocklab.research.variants import Variant, variants_of
from stocklab.strategy.sweep import parse_sweep

__all__ = ["compile_sweeps"]

_UNTIL: Final = date(2026, 1, 2)
_RULES: Final = {
    "entry": {"rules": [{"id": "A", "formula": "rsi_14<30"}, {"id": "B", "formula": "close>sma(close,60)"}]},
    "exit": {"rules": [{"id": "A", "formula": "close<sma(close,20)"}], "max_holding": 20},
}
_RANKING: Final = {"factors": [{"formula": "ret(close,20)"}]}
_MIXED: Final = {"factors": [{"formula": "ret(close,20)"}, {"formula": "rsi_14"}]}


def compile_sweeps() -> int:
    """Run small sweeps of every kind of ranking on both bases of a synthetic market; returns the number of variants."""
    variants = 0
    with tempfile.TemporaryDirectory(prefix="stocklab-compile-") as folder:
        store = Store(Path(folder))
        build_demo(store, symbols=80, until=_UNTIL)
        weights = {"paths": ["ranking.factors.0.weight"], "values": [1, 2]}
        kinds: tuple[tuple[dict[str, Any], tuple[dict[str, Any], ...]], ...] = (
            ({**_RULES, "ranking": _RANKING}, ()),
            ({"ranking": _MIXED}, (weights,)),
            (_RULES, ()),
        )
        for panel, (strategy, more) in itertools.product([open_panel(store, basis=one) for one in KRX_BASES], kinds):
            found = variants_of(parse_sweep(_document(strategy, panel.sessions, more)), partial(run_id, panel))
            chosen = [item for item in found if isinstance(item, Variant)]
            variants += len(list(run_variants(panel, chosen, DirectSource(panel, threads=2))))
    return variants


def _document(strategy: dict[str, Any], sessions: Any, more: Sequence[dict[str, Any]]) -> dict[str, Any]:
    threshold = {"paths": ["entry.rules.A.formula#2"], "start": 25, "stop": 50, "step": 5}
    holdings = {"paths": ["sizing.max_holdings"], "start": 5, "stop": 20, "step": 5}
    return {
        "strategy": {"name": "compile", **strategy},
        "parameters": [*([threshold] if "entry" in strategy else []), holdings, *more],
        "start": str(sessions[-200]),
        "end": str(sessions[-1]),
    }


if __name__ == "__main__":
    compile_engine()
    compile_sweeps()
