"""``python -m stocklab.data.compile_ahead``: compile the engine once, so that the first backtest does not wait for it.

The machine code goes to Numba's cache beside the source (or ``NUMBA_CACHE_DIR``) and serves every later process. A
small demo market in a temporary folder is run through strategies that reach every part of the engine.
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Final

from stocklab.backtest import RunRequest, SleeveBook, coverage, decide, settle, simulate
from stocklab.backtest.one_session import compile_session
from stocklab.data.demo import build_demo
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.factors import DirectSource, Wanted, evaluate
from stocklab.market.panel import KRX_BASES, Panel, PriceBasis
from stocklab.strategy import PRESETS, parse_document
from stocklab.strategy.document import Strategy

__all__ = ["compile_engine"]

_UNTIL = date(2026, 1, 2)
_FORMULAS = (
    "xpct(ret_1m)",
    "xz(volatility_20d)",
    "xmedian_by(close,sector)",
    "tquantile(ret1,60,0.05)",
    "beta_252d",
    "roe",
)


_COINS: Final = {
    "name": "coins",
    "universe": {"markets": ["UPBIT"]},
    "entry": {"rules": [{"id": "A", "formula": "close>sma(close,20)"}]},
    "exit": {"rules": [{"id": "X", "formula": "close<sma(close,20)"}], "stop": {"level": 0.1}},
    "ranking": {"factors": [{"formula": "ret(close,20)"}]},
    "sizing": {"max_holdings": 3},
}


def compile_engine() -> int:
    """Run what can run of the presets on both price bases of a small synthetic market, and a strategy on its coins;
    returns the number of runs."""
    runs = 0
    with tempfile.TemporaryDirectory(prefix="stocklab-compile-") as folder:
        store = Store(Path(folder))
        build_demo(store, symbols=80, until=_UNTIL)
        for basis in KRX_BASES:
            panel = open_panel(store, basis=basis)
            compile_session(panel)
            evaluate([Wanted(formula, "value") for formula in _FORMULAS], panel, threads=2)
            for preset in PRESETS.values():
                if not coverage(preset.strategy, panel).can_buy:
                    continue
                request = RunRequest(
                    strategy=preset.strategy,
                    start=panel.sessions[-400].item(),
                    end=panel.sessions[-1].item(),
                    initial_cash_krw=preset.strategy.allocation.initial_cash_krw,
                )
                simulate(panel, request, DirectSource(panel, threads=2))
                runs += 1
            _decide_once(panel, PRESETS["rsi_reversal"].strategy)
        coins = open_panel(store, basis=PriceBasis.COIN)
        compile_session(coins)
        start, end = (coins.sessions[row].item() for row in (-400, -1))
        request = RunRequest(strategy=parse_document(_COINS), start=start, end=end, initial_cash_krw=10_000_000)
        simulate(coins, request, DirectSource(coins, threads=2))
        _decide_once(coins, parse_document(_COINS))
    return runs + 1


def _decide_once(panel: Panel, strategy: Strategy) -> None:
    """A decision and the session after it, as a strategy at work has them."""
    before, after = (panel.sessions[row].item() for row in (-3, -2))
    book = SleeveBook.opened(before, 10_000_000, unit=panel.unit)
    source = DirectSource(panel, threads=2)
    made = decide(panel, strategy, source, book=book, next_session=after, first_decision=True)
    settle(panel, strategy, made.book, after, ())


if __name__ == "__main__":
    compile_engine()
