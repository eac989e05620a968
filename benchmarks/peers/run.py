"""One job for other software, in their environment: reads arrays, prints seconds and final values as JSON.

    python run.py JOB INPUT.npz

The input holds prices (n_sessions, n_symbols) in won, target weights (null where nothing is decided), signals, and the
trades of Stock Lab to replay. Only the simulation step is timed, after one run on a corner of the data that compiles.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

CASH = 100_000_000.0


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def vectorbt_target_percent(given: Any) -> dict[str, Any]:
    """Target weights with shared cash, sales before purchases, fractional shares, at the open."""
    import vectorbt as vbt

    def run(symbols: int) -> Any:
        return vbt.Portfolio.from_orders(
            close=given["close"][:, :symbols],
            size=given["targets"][:, :symbols],
            size_type="targetpercent",
            price=given["price"][:, :symbols],
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            init_cash=CASH,
            freq="1D",
        )

    run(20)
    seconds, portfolio = timed(lambda: run(given["close"].shape[1]))
    return {"seconds": seconds, "final": float(portfolio.final_value()), "orders": int(portfolio.orders.count())}


def vectorbt_replay(given: Any) -> dict[str, Any]:
    """The trades of Stock Lab as amounts at its prices: do the books agree?"""
    import vectorbt as vbt

    seconds, portfolio = timed(
        lambda: vbt.Portfolio.from_orders(
            close=given["close"],
            size=given["amounts"],
            size_type="amount",
            price=given["price"],
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            init_cash=CASH,
            freq="1D",
        )
    )
    return {"seconds": seconds, "final": float(portfolio.final_value()), "orders": int(portfolio.orders.count())}


def vectorbt_signals(given: Any) -> dict[str, Any]:
    """Entries, exits and a stop of 10 %, each symbol with cash of its own."""
    import vectorbt as vbt

    def run(symbols: int) -> Any:
        return vbt.Portfolio.from_signals(
            close=given["close"][:, :symbols],
            entries=given["entries"][:, :symbols],
            exits=given["exits"][:, :symbols],
            price=given["price"][:, :symbols],
            high=given["high"][:, :symbols],
            low=given["low"][:, :symbols],
            sl_stop=0.1,
            init_cash=CASH,
            freq="1D",
        )

    run(20)
    seconds, portfolio = timed(lambda: run(given["close"].shape[1]))
    return {"seconds": seconds, "orders": int(portfolio.orders.count().sum())}


def bt_weights(given: Any) -> dict[str, Any]:
    """Target weights at the close, fractional shares."""
    import bt

    columns = [f"S{number}" for number in range(given["close"].shape[1])]
    days = pd.DatetimeIndex(given["sessions"])
    prices = pd.DataFrame(given["close"], index=days, columns=columns)
    rows = np.flatnonzero(~np.isnan(given["targets"]).all(axis=1))
    weights = pd.DataFrame(np.nan_to_num(given["targets"][rows]), index=days[rows], columns=columns)
    held = weights.columns[(weights > 0).any()]
    algos = [bt.algos.RunOnDate(*weights.index), bt.algos.WeighTarget(weights[held]), bt.algos.Rebalance()]
    test = bt.Backtest(
        bt.Strategy("weights", algos), prices[held], initial_capital=CASH, integer_positions=False, progress_bar=False
    )
    seconds, _done = timed(lambda: bt.run(test))
    return {"seconds": seconds, "final": float(test.strategy.value), "symbols": len(held)}


def backtrader_weights(given: Any) -> dict[str, Any]:
    """Target weights at the next open, for as many symbols as the input has."""
    import backtrader

    days = pd.DatetimeIndex(given["sessions"])
    targets = given["decided"]

    class Weights(backtrader.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            row = targets[len(self) - 1]
            if np.isnan(row).all():
                return
            for data, weight in sorted(zip(self.datas, np.nan_to_num(row), strict=True), key=lambda pair: pair[1]):
                self.order_target_percent(data, target=weight)

    def run(symbols: int) -> Any:
        cerebro = backtrader.Cerebro(stdstats=False)
        cerebro.broker.setcash(CASH)
        for number in range(symbols):
            bars = {name: given[name][:, number] for name in ("open", "high", "low", "close", "volume")}
            frame = pd.DataFrame(bars, index=days)
            cerebro.adddata(backtrader.feeds.PandasData(dataname=frame))
        cerebro.addstrategy(Weights)
        seconds, _done = timed(cerebro.run)
        return seconds, cerebro.broker.getvalue()

    seconds, final = run(given["close"].shape[1])
    return {"seconds": seconds, "final": float(final), "symbols": int(given["close"].shape[1])}


def pandas_rolling(given: Any) -> dict[str, Any]:
    """A rolling mean of 20 over every symbol of a long table: pandas and polars."""
    import polars as pl

    close = given["close"]
    symbol = np.repeat(np.arange(close.shape[1]), close.shape[0])
    frame = pd.DataFrame({"symbol": symbol, "close": close.T.ravel()})
    pandas_seconds, slow = timed(lambda: frame.groupby("symbol")["close"].rolling(20).mean())
    table = pl.from_pandas(frame)
    polars_seconds, fast = timed(lambda: table.select(pl.col("close").rolling_mean(20).over("symbol")))
    left, right = slow.to_numpy(), fast["close"].to_numpy()
    known = ~np.isnan(left)
    return {
        "seconds": pandas_seconds,
        "polars_seconds": polars_seconds,
        "same": bool(np.allclose(left[known], right[known], rtol=1e-9)),
    }


JOBS = {
    job.__name__: job
    for job in (
        vectorbt_target_percent,
        vectorbt_replay,
        vectorbt_signals,
        bt_weights,
        backtrader_weights,
        pandas_rolling,
    )
}

if __name__ == "__main__":
    with np.load(sys.argv[2]) as found:
        print(json.dumps(JOBS[sys.argv[1]]({name: found[name] for name in found.files})))
