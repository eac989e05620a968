"""The strategy every speed figure is measured with."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

__all__ = ["BENCHMARK_RULES", "END", "START", "benchmark_document", "sweep_document"]

START, END = date(2014, 1, 2), date(2026, 2, 20)

BENCHMARK_RULES = {
    "A": "mom_12_1>0",
    "B": "close>sma(close,60)",
    "C": "rsi_14<70",
    "D": "volatility_20d<60",
    "E": "volume_growth_20_60>0",
}
"""Five rules over momentum, moving average, RSI, volatility and volume growth; ranked by 12-1 momentum, top 20."""


def benchmark_document(variant: Literal["daily", "monthly"]) -> dict[str, Any]:
    """ "daily" (signals, stop, target and trailing stop) or "monthly" (target weights, stop) as a document."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "name": f"Benchmark, {variant}",
        "universe": {"min_trading_value_krw": 100_000_000},
        "entry": {"rules": [{"id": letter, "formula": formula} for letter, formula in BENCHMARK_RULES.items()]},
        "ranking": {"factors": [{"formula": "mom_12_1"}]},
        "sizing": {"max_holdings": 20},
        "exit": {"stop": {"level": 0.1}},
        "rebalancing": {"mode": "target", "period": "monthly"},
    }
    if variant == "daily":
        stops = {"stop": {"level": 0.08}, "target": {"level": 0.2}, "trailing": {"level": 0.1}, "max_holding": 40}
        document["exit"] = stops
        document["rebalancing"] = {"mode": "signal"}
    return document


def sweep_document(count: int) -> dict[str, Any]:
    """A sweep of the daily benchmark over two windows, a threshold and the number of holdings, as a document."""
    strategy = benchmark_document("daily")
    return {
        "strategy": strategy,
        "parameters": [
            {"paths": ["entry.rules.C.formula#1"], "start": 6, "stop": 24, "step": 2},
            {"paths": ["entry.rules.C.formula#2"], "start": 60, "stop": 85, "step": 1},
            {"paths": ["entry.rules.B.formula#1"], "start": 20, "stop": 120, "step": 5},
            {"paths": ["sizing.max_holdings"], "start": 5, "stop": 40, "step": 5},
        ],
        "method": "latin_hypercube",
        "count": count,
        "start": START.isoformat(),
        "end": END.isoformat(),
    }
