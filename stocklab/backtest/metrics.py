"""Figures of a run. Ratios are fractions; what is undefined is None. `metric_info.py` explains each in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.fifo import ClosedTrades, closed_trades
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan
from stocklab.backtest.result import RunRequest
from stocklab.market.panel import Panel
from stocklab.types import AnyArray, DateArray, FloatArray

__all__ = ["DAYS_PER_YEAR", "build_metrics", "drawdown", "return_figures"]

DAYS_PER_YEAR = 365.25


def build_metrics(panel: Panel, request: RunRequest, plan: Plan, state: State) -> Mapping[str, Any]:
    """Every figure of a finished run, JSON-ready."""
    sessions = panel.sessions[plan.first : plan.last]
    unit = panel.unit
    equity = state.days["equity"].astype(np.float64) / unit
    level = panel.indices.get(request.strategy.benchmark)
    benchmark = np.full(len(equity), np.nan) if level is None else np.asarray(level[plan.first : plan.last], np.float64)
    rf = np.asarray(panel.rf[plan.first : plan.last], dtype=np.float64)
    trades = state.trades[: state.book[0].n_trades]
    actions = state.actions[: state.book[0].n_actions]
    dividends = actions["kind"] == codes.DIVIDEND
    days = panel.sessions.astype("datetime64[D]").astype(np.int64)[trades["session"]]
    closed = closed_trades(trades, actions[~dividends], days, panel.n_symbols)
    closed = replace(closed, profit_krw=_in_won(closed.profit_krw, unit))
    years = _years(sessions)
    return {
        **return_figures(sessions, equity, float(request.initial_cash_krw), benchmark, rf),
        **_trade_figures(closed),
        **_book_figures(state, trades, equity, years, request.initial_cash_krw, unit=unit),
        "dividends_krw": int((actions["cash"] - actions["tax"])[dividends].sum()),
        "monthly": _periods(sessions, equity, float(request.initial_cash_krw), benchmark, "M"),
        "yearly": _periods(sessions, equity, float(request.initial_cash_krw), benchmark, "Y"),
        "sales_by_reason": _sales_by_reason(closed),
    }


def return_figures(
    sessions: DateArray, equity: FloatArray, initial: float, benchmark: FloatArray, rf: FloatArray
) -> dict[str, Any]:
    """Figures of an equity curve.

    Parameters
    ----------
    sessions : (n,) datetime64[D]
    equity : (n,) at each close; the first close equals ``initial``, since nothing can have been bought before it
    initial : starting cash
    benchmark : (n,) index levels, NaN = unknown
    rf : (n,) daily simple risk-free rate
    """
    years = _years(sessions)
    returns = _changes(equity)
    excess = returns - rf[1:]
    per_year = len(returns) / years if years > 0 else math.nan
    worst = drawdown(sessions, equity, initial)
    cagr = _growth(equity[-1] / initial, years)
    volatility = _deviation(returns) * math.sqrt(per_year) if len(returns) > 1 else math.nan
    downside = math.sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2))) if len(excess) else math.nan
    deviation = _deviation(excess)
    mean = float(excess.mean()) if len(excess) else math.nan
    figures = {
        "total_return": equity[-1] / initial - 1.0,
        "cagr": cagr,
        "volatility": volatility,
        **worst,
        "sharpe": _ratio(mean, deviation) * math.sqrt(per_year),
        "sortino": _ratio(mean, downside) * math.sqrt(per_year),
        "calmar": _ratio(cagr, -worst["max_drawdown"]),
        "best_day": float(returns.max()) if len(returns) else math.nan,
        "worst_day": float(returns.min()) if len(returns) else math.nan,
        "sessions_per_year": per_year,
        **_against(equity, benchmark, rf, years, per_year),
    }
    figures["excess_return"] = figures["total_return"] - figures["benchmark_return"]
    return {name: _json(value) for name, value in figures.items()}


def drawdown(sessions: DateArray, equity: FloatArray, initial: float) -> dict[str, Any]:
    """Deepest fall from a peak on closes (<= 0), the dates of peak, trough and first close back at the peak."""
    peaks = np.maximum.accumulate(np.maximum(equity, initial))
    falls = equity / peaks - 1.0
    trough = int(np.argmin(falls))
    if falls[trough] >= 0.0:
        return {
            "max_drawdown": 0.0,
            "max_drawdown_peak": None,
            "max_drawdown_trough": None,
            "max_drawdown_recovery": None,
        }
    at_peak = np.flatnonzero(equity[:trough] >= peaks[trough])
    peak = int(at_peak[-1]) if len(at_peak) else 0  # the last close at the peak: a book still in cash is not falling
    back = np.flatnonzero(equity[trough:] >= peaks[trough])
    return {
        "max_drawdown": float(falls[trough]),
        "max_drawdown_peak": str(sessions[peak]),
        "max_drawdown_trough": str(sessions[trough]),
        "max_drawdown_recovery": str(sessions[trough + int(back[0])]) if len(back) else None,
    }


def _years(sessions: DateArray) -> float:
    return float((sessions[-1] - sessions[0]).astype(np.int64)) / DAYS_PER_YEAR


def _growth(ratio: float, years: float) -> float:
    return ratio ** (1.0 / years) - 1.0 if years > 0 and ratio > 0 else math.nan


def _changes(values: FloatArray) -> FloatArray:
    """Relative change from each value to the next; 0 once everything is lost, NaN where a value is unknown."""
    before = values[:-1]
    ratio = np.divide(values[1:], before, out=np.ones_like(before), where=before != 0.0)
    return ratio - 1.0


def _deviation(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _ratio(over: float, under: float) -> float:
    return over / under if under > 0 else math.nan


def _json(value: Any) -> Any:
    """A plain Python number, None where undefined."""
    if value is None or isinstance(value, str | int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def _against(
    equity: FloatArray, benchmark: FloatArray, rf: FloatArray, years: float, per_year: float
) -> dict[str, float]:
    """Benchmark return, and beta and alpha over the sessions on which both returns are known."""
    unknown = dict.fromkeys(("benchmark_return", "benchmark_cagr", "benchmark_max_drawdown"), math.nan)
    unknown |= {"beta": math.nan, "alpha": math.nan}
    known = benchmark[~np.isnan(benchmark)]
    if len(known) < 2 or math.isnan(benchmark[0]) or math.isnan(benchmark[-1]):
        return unknown
    total = float(benchmark[-1] / benchmark[0])
    own = _changes(equity) - rf[1:]
    other = _changes(benchmark) - rf[1:]
    both = ~np.isnan(other)
    own, other = own[both], other[both]
    beta, alpha = math.nan, math.nan
    if len(other) > 1 and other.std() > 0:
        beta = float(((own - own.mean()) * (other - other.mean())).sum() / ((other - other.mean()) ** 2).sum())
        alpha = float(own.mean() - beta * other.mean()) * per_year
    return {
        "benchmark_return": total - 1.0,
        "benchmark_cagr": _growth(total, years),
        "benchmark_max_drawdown": float((known / np.maximum.accumulate(known) - 1.0).min()),
        "beta": beta,
        "alpha": alpha,
    }


def _trade_figures(closed: ClosedTrades) -> dict[str, Any]:
    profits = closed.profit_krw
    wins, losses = profits[profits > 0], profits[profits < 0]
    n = len(profits)
    return {
        "n_trades": n,
        "win_rate": len(wins) / n if n else None,
        "profit_factor": _json(_ratio(float(wins.sum()), -float(losses.sum()))),
        "avg_holding_days": float(closed.holding_days.mean()) if n else None,
        "avg_win_krw": round(float(wins.mean())) if len(wins) else None,
        "avg_loss_krw": round(float(losses.mean())) if len(losses) else None,
        "realized_profit_krw": _whole(profits.sum()),
    }


def _in_won(units: AnyArray, unit: int) -> AnyArray:
    """Counts of units as won (or coins); whole won stay whole."""
    return units if unit == 1 else np.asarray(units / unit, dtype=np.float64)


def _whole(won: Any) -> int:
    """Whole won of a figure; of coins rounded, since figures need no fractions of a won."""
    return int(won) if isinstance(won, np.integer) else round(float(won))


def _book_figures(
    state: State, trades: AnyArray, equity: FloatArray, years: float, initial_cash_krw: int, *, unit: int
) -> dict[str, Any]:
    buys = trades["side"] == codes.BUY
    amounts, shares = _in_won(trades["amount"], unit), _in_won(trades["shares"], unit)
    bought, sold = float(amounts[buys].sum()), float(amounts[~buys].sum())
    worse = np.where(buys, trades["price"] - trades["reference"], trades["reference"] - trades["price"])
    commission, tax = (_whole(_in_won(trades[name], unit).sum()) for name in ("commission", "tax"))
    slippage = _whole((_in_won(worse, unit) * shares + _in_won(trades["slippage"], unit)).sum())
    costs = commission + tax + slippage
    mean = float(equity.mean())
    final = round(float(equity[-1]))
    profit = final - initial_cash_krw
    holdings = _in_won(state.days["holdings"], unit)
    book = state.book[0]
    return {
        "turnover": _json(min(bought, sold) / mean / years) if years > 0 and mean > 0 else None,
        "exposure": float((holdings / np.maximum(equity, 1.0)).mean()),
        "cost_share": _json(_ratio(float(costs), float(profit + costs))),
        "cost_per_year": _json(costs / mean / years) if years > 0 and mean > 0 else None,
        "costs_krw": costs,
        "commission_krw": commission,
        "tax_krw": tax,
        "slippage_krw": slippage,
        "profit_krw": profit,
        "final_equity_krw": final,
        "n_buys": int(book.n_buys),
        "n_sells": int(book.n_sells),
        "n_orders": int(book.n_orders),
        "n_unfilled": int(
            np.count_nonzero(state.orders["filled"][: book.n_orders] < state.orders["ordered"][: book.n_orders])
        ),
    }


def _periods(
    sessions: DateArray, equity: FloatArray, initial: float, benchmark: FloatArray, unit: str
) -> list[dict[str, Any]]:
    """Return of each month or year, from its last close to the one before (the starting cash for the first)."""
    period = sessions.astype(f"datetime64[{unit}]")
    ends = np.flatnonzero(np.concatenate([period[1:] != period[:-1], [True]]))
    own = _changes(np.concatenate([[initial], equity[ends]]))
    other = _changes(np.concatenate([[benchmark[0]], benchmark[ends]]))
    return [
        {"period": str(name), "return": _json(mine), "benchmark": _json(theirs)}
        for name, mine, theirs in zip(period[ends], own, other, strict=True)
    ]


def _sales_by_reason(closed: ClosedTrades) -> dict[str, dict[str, Any]]:
    """Sale orders by reason: number, share of all, profit."""
    total = len(closed.cause)
    found = {}
    for cause in np.unique(closed.cause):
        chosen = closed.cause == cause
        found[codes.CAUSE_NAMES[cause]] = {
            "count": int(chosen.sum()),
            "share": float(chosen.sum() / total),
            "profit_krw": _whole(closed.profit_krw[chosen].sum()),
        }
    return found
