"""First-in first-out: what each sale earned net of all costs, and how long its shares were held."""

# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from stocklab.backtest import codes
from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["ClosedTrades", "closed_trades"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrades:
    """One entry per sale order, in order of its first fill.

    ``profit_krw`` int64, in units of the run: what it brought less costs and less what its shares had cost, costs
    included; ``holding_days`` float64: calendar days from purchase to sale, mean over the shares sold; ``cause`` int64.
    """

    profit_krw: AnyArray
    holding_days: FloatArray
    cause: IntArray


@njit(nogil=True, cache=True)
def _scale(symbol: int, head: IntArray, following: IntArray, left: IntArray, cost: IntArray, action: IntArray) -> None:
    """Apply a share change (new, old, shares after, cash) to a symbol's lots; the last one takes what rounding left."""
    new, old, after, cash = action
    total, lot, last = 0, head[symbol], -1
    while lot >= 0:
        left[lot] = left[lot] * new // old
        total += left[lot]
        last, lot = lot, following[lot]
    if last >= 0:
        left[last] += after - total
        cost[last] -= cash  # a fraction paid out gives part of the cost back


@njit(nogil=True, cache=True)
def _match(
    symbols: IntArray,
    sides: IntArray,
    shares: IntArray,
    money: IntArray,
    days: IntArray,
    action_at: IntArray,
    action_symbol: IntArray,
    action: IntArray,
    n_symbols: int,
    profit: IntArray,
    share_days: FloatArray,
) -> None:
    """Fill ``profit`` and ``share_days`` of each sale; ``money`` is what a purchase cost or a sale brought."""
    n = symbols.shape[0]
    head, tail = np.full(n_symbols, -1), np.full(n_symbols, -1)
    following = np.full(n, -1)
    left, cost = shares.copy(), money.copy()
    event = 0
    for i in range(n + 1):
        while event < action_at.shape[0] and action_at[event] <= i:
            _scale(action_symbol[event], head, following, left, cost, action[event])
            event += 1
        if i == n:
            break
        symbol = symbols[i]
        if sides[i] == codes.BUY:
            if head[symbol] < 0:
                head[symbol] = i
            else:
                following[tail[symbol]] = i
            tail[symbol] = i
            continue
        wanted, paid = shares[i], 0
        while wanted > 0 and head[symbol] >= 0:
            lot = head[symbol]
            if left[lot] <= wanted:
                take, part = left[lot], cost[lot]
                head[symbol] = following[lot]
            else:
                take = wanted
                part = int(cost[lot] * (take / left[lot]))
            left[lot] -= take
            cost[lot] -= part
            paid += part
            share_days[i] += float(take) * (days[i] - days[lot])  # units of coins times days leave 64 bits
            wanted -= take
        profit[i] = money[i] - paid


def closed_trades(trades: AnyArray, share_changes: AnyArray, day_numbers: IntArray, n_symbols: int) -> ClosedTrades:
    """Match every sale with its purchases, first in first out.

    Parameters
    ----------
    trades : records of layout TRADE, in order
    share_changes : records of layout ACTION, in order
    day_numbers : (n trades,) days since 1970 of each trade
    n_symbols : symbols are below it
    """
    n = len(trades)
    profit, share_days = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.float64)
    sells = trades["side"] == codes.SELL
    costs = trades["commission"] + trades["tax"] + trades["slippage"]
    action = np.stack([share_changes[name] for name in ("new", "old", "after", "cash")], axis=1)
    _match(
        np.ascontiguousarray(trades["symbol"]),
        np.ascontiguousarray(trades["side"]),
        np.ascontiguousarray(trades["shares"]),
        np.where(sells, trades["amount"] - costs, trades["amount"] + costs),
        day_numbers,
        np.ascontiguousarray(share_changes["after_trade"]),
        np.ascontiguousarray(share_changes["symbol"]),
        np.ascontiguousarray(action),
        n_symbols,
        profit,
        share_days,
    )
    _, first, order = np.unique(trades["order"][sells], return_index=True, return_inverse=True)
    sold = np.bincount(order, weights=trades["shares"][sells].astype(np.float64))
    earned = np.zeros(len(first), dtype=np.int64)
    np.add.at(earned, order, profit[sells])
    held = np.bincount(order, weights=share_days[sells])
    place = np.argsort(first, kind="stable")
    return ClosedTrades(
        profit_krw=earned[place],
        holding_days=(held / np.maximum(sold, 1.0))[place],
        cause=trades["cause"][sells][first][place],
    )
