"""How much capital a strategy could have carried: from the part of a day's trading its purchases were."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from stocklab.backtest.result import Result, in_floats
from stocklab.market.panel import Panel

__all__ = ["MOST_OF_A_DAY", "RARELY", "carrying_capacity"]

MOST_OF_A_DAY: Final = 0.10
"""Part of a day's traded value that a purchase may be."""

RARELY: Final = 0.05
"""Part of the purchases that may be larger."""


def carrying_capacity(panel: Panel, result: Result) -> float | None:
    """Capital in KRW at which one purchase in twenty would be more than a tenth of its day's trading.

    A purchase grows with the equity it is made from, so each says at which equity it would reach the tenth. None
    without purchases, or where no traded value is known. Prices are taken as they were: more buying would move them.
    """
    buys = in_floats(result.tables["trades"]).filter(pl.col("side") == "buy")
    daily = in_floats(result.tables["daily"]).select("session", "equity_krw")
    joined = buys.group_by("session", "symbol").agg(pl.col("amount_krw").sum()).join(daily, on="session")
    if not joined.height:
        return None
    rows = np.searchsorted(panel.sessions, joined["session"].to_numpy().astype("datetime64[D]"))
    place = {symbol: index for index, symbol in enumerate(panel.symbols)}
    columns = np.array([place[symbol] for symbol in joined["symbol"]], dtype=np.intp)
    traded = np.asarray(panel.fields["tv"][rows, columns], dtype=np.float64)
    part = joined["amount_krw"].to_numpy().astype(np.float64) / joined["equity_krw"].to_numpy().astype(np.float64)
    known = np.isfinite(traded) & (part > 0)
    if not known.any():
        return None
    return float(np.quantile(MOST_OF_A_DAY * traded[known] / part[known], RARELY))
