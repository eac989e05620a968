"""The simulator: plan -> one compiled walk over the sessions -> result."""

from stocklab.backtest.metric_info import METRICS, MetricInfo
from stocklab.backtest.result import (
    TABLE_SCHEMAS,
    OnProgress,
    Progress,
    Result,
    RunRequest,
    ShouldCancel,
)
from stocklab.backtest.rule_coverage import Coverage, Lack, coverage, preset_coverage
from stocklab.backtest.screen import matches
from stocklab.backtest.simulate import ENGINE_VERSION, run_id, simulate
from stocklab.backtest.universe import universe_mask

__all__ = [
    "ENGINE_VERSION",
    "METRICS",
    "TABLE_SCHEMAS",
    "Coverage",
    "Lack",
    "MetricInfo",
    "OnProgress",
    "Progress",
    "Result",
    "RunRequest",
    "ShouldCancel",
    "coverage",
    "matches",
    "preset_coverage",
    "run_id",
    "simulate",
    "universe_mask",
]
