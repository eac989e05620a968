"""A strategy document as the one record of rules that the kernel reads."""

from __future__ import annotations

from typing import Any, Final

from stocklab.backtest import codes
from stocklab.backtest.layout import RULES, records
from stocklab.backtest.sizing import ENDLESS
from stocklab.market.costs import BILLION
from stocklab.strategy.document import FillMode, HoldingUnit, PriceTrigger, Strategy
from stocklab.types import AnyArray, IntArray

__all__ = ["CLEAN_UP_SESSIONS", "ppb", "rules_of"]

CLEAN_UP_SESSIONS: Final = 10
"""Bars that reach this near to a delisting hold its clean-up trading (7 sessions, docs/market-rules.md, section 11)."""

_MODES: Final = {
    FillMode.NEXT_OPEN: codes.MODE_OPEN,
    FillMode.NEXT_CLOSE: codes.MODE_CLOSE,
    FillMode.LIMIT: codes.MODE_LIMIT,
    FillMode.VWAP_PROXY: codes.MODE_VWAP,
}


def rules_of(
    strategy: Strategy,
    initial_cash_krw: int,
    *,
    unit: int,
    raw: bool,
    has_base: bool,
    taxes: IntArray,
    score_sign: float,
) -> AnyArray:
    """The document as one record of the layout ``RULES``, shape (1,)."""
    rules = records(RULES, 1)
    execution, leave, sizing, costs = strategy.execution, strategy.exit, strategy.sizing, strategy.costs
    market_filter = strategy.market_filter
    actions = {None: codes.NO_FILTER, "sell_all": codes.SELL_ALL, "no_new": codes.NO_NEW}
    target_basis, target_level = _trigger(leave.target)
    stop_basis, stop_level = _trigger(leave.stop)
    trailing_basis, trailing_level = _trigger(leave.trailing)
    values: dict[str, Any] = {
        "unit": unit,
        "initial_cash": initial_cash_krw * unit,
        "commission": ppb(costs.commission_rate),
        "slippage": ppb(costs.slippage_rate),
        "raw_basis": raw,
        "has_base": has_base,
        "flat_tax": costs.tax != "dated",
        "most_tax": int(taxes.max()) if taxes.size else 0,
        "buy_mode": _MODES[execution.buy],
        "sell_mode": _MODES[execution.sell],
        "limit_reference_open": execution.limit_reference == "open",
        "limit_offset": ppb(execution.limit_offset),
        "carry": execution.carry_unfilled_sessions,
        "target_basis": target_basis,
        "target_level": target_level,
        "stop_basis": stop_basis,
        "stop_level": stop_level,
        "trailing_basis": trailing_basis,
        "trailing_level": trailing_level,
        "min_holding": leave.min_holding,
        "max_holding": leave.max_holding or 0,
        "calendar_days": leave.holding_unit is HoldingUnit.CALENDAR_DAYS,
        "min_blocks_triggers": leave.min_holding_blocks_stops,
        "rank_below": leave.rank_below or 0,
        "when_entry_fails": leave.when_entry_fails,
        "reentry_wait": leave.reentry_wait_sessions,
        "target_mode": strategy.rebalancing.mode == "target",
        "market_action": actions[market_filter.action if market_filter else None],
        "clean_up": CLEAN_UP_SESSIONS,
        "sizing": codes.SIZING_CODES[sizing.method.value],
        "max_holdings": sizing.max_holdings,
        "amount": min(sizing.amount_krw * unit, ENDLESS),
        "max_position": min((sizing.max_position_krw or 0) * unit, ENDLESS),
        "max_new": sizing.max_new_per_session or 0,
        "base_initial": sizing.base == "initial",
        "has_sectors": sizing.max_sector_weight < 1.0,
        "participation": ppb(execution.participation),
        "weight": ppb(sizing.weight),
        "max_weight": ppb(sizing.max_weight),
        "max_sector_weight": ppb(sizing.max_sector_weight),
        "cash_buffer": ppb(sizing.cash_buffer),
        "drift_band": ppb(strategy.rebalancing.drift_band),
        "score_sign": score_sign,
    }
    for name, value in values.items():
        rules[0][name] = value
    return rules


def ppb(rate: float) -> int:
    """A rate, as a fraction, in parts per billion.

    >>> ppb(0.00015)
    150000
    """
    return round(rate * BILLION)


def _trigger(trigger: PriceTrigger | None) -> tuple[int, int]:
    if trigger is None:
        return codes.OFF, 0
    return (codes.INTRADAY if trigger.basis == "intraday" else codes.AT_CLOSE), ppb(trigger.level)
