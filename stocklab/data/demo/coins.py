"""Coins of the demo: daily candles of a won market that never closes, on the ticks of each date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.demo.cast import stream
from stocklab.data.demo.tables import SOURCE
from stocklab.market.panel import COIN_UNIT
from stocklab.market.upbit import FIRST_COIN_SESSION, coin_sessions, coin_tick_regimes, coin_tick_tables
from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["coin_instruments", "coins_frame"]

# symbol, price at the start in won, share of the market's move, own daily deviation, won traded a day
_COINS: Final = (
    ("KRW-BTC", 52_000_000.0, 1.0, 0.010, 4e11),
    ("KRW-ETH", 3_900_000.0, 1.1, 0.016, 2.5e11),
    ("KRW-XRP", 880.0, 1.0, 0.030, 3e11),
    ("KRW-SOL", 160_000.0, 1.3, 0.032, 9e10),
    ("KRW-DOGE", 170.0, 1.2, 0.035, 1.2e11),
    ("KRW-LINK", 23_000.0, 1.1, 0.028, 2e10),
    ("KRW-ADA", 1_300.0, 1.1, 0.028, 5e10),
    ("KRW-MINI", 0.42, 1.2, 0.040, 8e9),
)
_MARKET_DEVIATION: Final = 0.024
_MISSING: Final = 0.002  # days without a candle


def coin_instruments() -> pl.DataFrame:
    """`instruments`: the rows of the coins."""
    rows = pl.DataFrame(
        {
            "symbol": [symbol for symbol, *_ in _COINS],
            "name": [f"데모코인 {symbol.removeprefix('KRW-')}" for symbol, *_ in _COINS],
            "market": "UPBIT",
            "kind": "coin",
        }
    )
    schema = DATASETS["instruments"].schema
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in rows.columns]
    return rows.with_columns(missing).select(list(schema)).sort("symbol")


def coins_frame(seed: int, until: date) -> pl.DataFrame:
    """`prices_coin`: every day from the first whose rules are known up to the day before ``until``."""
    last = until - timedelta(days=1)
    if last < FIRST_COIN_SESSION:
        return pl.DataFrame(schema=dict(DATASETS["prices_coin"].schema))
    days = coin_sessions(FIRST_COIN_SESSION, last)
    rng = stream(seed, "coins")
    regimes = coin_tick_regimes(days)[:, 0]
    market = _MARKET_DEVIATION * rng.standard_t(4, len(days)) / np.sqrt(2.0)
    parts = []
    for symbol, start, share, deviation, traded in _COINS:
        own = deviation * rng.standard_t(4, len(days)) / np.sqrt(2.0)
        moves = np.clip(0.0004 + share * market + own, -0.5, 0.6)
        close = start * np.exp(np.cumsum(moves))
        opening = np.concatenate([[start], close[:-1]])
        reach = np.abs(rng.normal(0.0, 0.5 * deviation, (2, len(days))))
        high, low = np.maximum(opening, close) * (1.0 + reach[0]), np.minimum(opening, close) * (1.0 - reach[1])
        prices = np.stack([_on_tick(values, regimes) for values in (opening, high, low, close)])
        volume = traded / close * np.exp(rng.normal(0.0, 0.5, len(days)) + 8.0 * np.abs(moves))
        there = rng.random(len(days)) >= _MISSING
        there[[0, -1]] = True
        parts.append(_frame(symbol, days, prices, np.round(volume, 8), there))
    return pl.concat(parts).sort("symbol", "session")


def _on_tick(prices: FloatArray, regimes: IntArray) -> FloatArray:
    """Legal prices at or below, one tick at least."""
    starts, ticks = coin_tick_tables()
    units = (prices * COIN_UNIT).astype(np.int64)
    band = (starts[regimes] <= units[:, None]).sum(axis=1) - 1
    tick = ticks[regimes, band]
    return np.asarray(np.maximum(units // tick * tick, tick) / COIN_UNIT, dtype=np.float64)


def _frame(symbol: str, days: AnyArray, prices: FloatArray, volume: FloatArray, there: AnyArray) -> pl.DataFrame:
    opening, high, low, close = prices[:, there]
    return pl.DataFrame(
        {
            "session": days[there],
            "symbol": symbol,
            "open": opening,
            "high": np.maximum(high, np.maximum(opening, close)),
            "low": np.minimum(low, np.minimum(opening, close)),
            "close": close,
            "volume": volume[there],
            "tv": pl.Series([None] * int(there.sum()), dtype=pl.Float64),
            "source": SOURCE,
        }
    )
