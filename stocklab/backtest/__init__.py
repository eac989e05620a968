"""The simulator: plan -> one compiled walk over the sessions -> result."""

from stocklab.backtest.decide import Candidate, Counts, Decision, decide
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
from stocklab.backtest.settle import Ended, Fill, Fired, Settled, settle
from stocklab.backtest.share_change import with_share_change
from stocklab.backtest.simulate import ENGINE_VERSION, run_id, simulate
from stocklab.backtest.sleeve_book import (
    ClaimKind,
    OrderMode,
    OrderSide,
    SleeveBook,
    SleeveClaim,
    SleeveOrder,
    SleevePosition,
    WaitingLot,
)
from stocklab.backtest.universe import universe_mask

__all__ = [
    "ENGINE_VERSION",
    "METRICS",
    "TABLE_SCHEMAS",
    "Candidate",
    "ClaimKind",
    "Counts",
    "Coverage",
    "Decision",
    "Ended",
    "Fill",
    "Fired",
    "Lack",
    "MetricInfo",
    "OnProgress",
    "OrderMode",
    "OrderSide",
    "Progress",
    "Result",
    "RunRequest",
    "Settled",
    "ShouldCancel",
    "SleeveBook",
    "SleeveClaim",
    "SleeveOrder",
    "SleevePosition",
    "WaitingLot",
    "coverage",
    "decide",
    "matches",
    "preset_coverage",
    "run_id",
    "settle",
    "simulate",
    "universe_mask",
    "with_share_change",
]
