"""When the book is rebalanced, and when the market is judged unsafe."""

from __future__ import annotations

import numpy as np

from stocklab.errors import InputError
from stocklab.factors import evaluate_series
from stocklab.market.panel import Panel
from stocklab.strategy.document import MarketFilter, Rebalancing
from stocklab.types import BoolArray, ByteArray, DateArray, IntArray

__all__ = ["rebalances_in", "rebalancing_decisions", "unsafe_sessions"]


def rebalancing_decisions(sessions: DateArray, rebalancing: Rebalancing, first: int, last: int) -> ByteArray:
    """Closes of [first, last) at which a rebalancing is decided, (last - first,) uint8.

    The orders go out in the session after: the first of the period plus ``day_shift`` sessions; where a period is too
    short for that, in the first session of the next (how long a period lasts is seen only when it is over). The run's
    first close decides too, so that the book is built at once. Only dates up to that session are read.
    """
    due = np.zeros(last - first, dtype=np.uint8)
    if rebalancing.mode == "signal":
        return due
    due[0] = 1
    due[: last - first - 1] |= _trading_sessions(sessions, rebalancing)[first + 1 : last]
    return due


def rebalances_in(sessions: DateArray, rebalancing: Rebalancing, session: int) -> bool:
    """Whether the orders of a rebalancing go out in a session, which is decided at the close before."""
    return rebalancing.mode == "target" and bool(_trading_sessions(sessions, rebalancing)[session])


def _trading_sessions(sessions: DateArray, rebalancing: Rebalancing) -> BoolArray:
    """Sessions in which the orders of rebalancings go out, (n_sessions,); each reads only dates up to itself."""
    period = _period_numbers(sessions, rebalancing.period)
    starts = np.flatnonzero(np.concatenate([[True], period[1:] != period[:-1]]))
    number = np.searchsorted(starts, np.arange(len(sessions)), side="right") - 1
    place = np.arange(len(sessions)) - starts[number]
    trade = place == rebalancing.day_shift
    too_short = np.diff(starts) <= rebalancing.day_shift
    too_short[:1] = False  # the panel may begin in the middle of its first period
    trade[starts[1:][too_short]] = True
    found: BoolArray = trade
    return found


def _period_numbers(sessions: DateArray, period: str) -> IntArray:
    days = sessions.astype("datetime64[D]").astype(np.int64)
    months = sessions.astype("datetime64[M]").astype(np.int64)
    match period:
        case "daily":
            return days
        case "weekly":
            return (days + 3) // 7  # day 0 is a Thursday: weeks begin on Monday
        case "monthly":
            return months
        case "quarterly":
            return months // 3
        case _:
            return months // 12


def unsafe_sessions(
    panel: Panel, market_filter: MarketFilter | None, first: int, last: int, *, following: DateArray | None = None
) -> ByteArray:
    """Closes of [first, last) after which the book may not be invested, (last - first,) uint8.

    The months are those of the session the orders would go out in: the next of the panel, or ``following``
    (last - first,); the index is read up to the close itself.

    Raises
    ------
    InputError
        The panel does not have the index.
    FormulaError
        The formula needs more than the index's close.
    """
    unsafe = np.zeros(last - first, dtype=np.uint8)
    if market_filter is None:
        return unsafe
    if following is None:
        following = panel.sessions[np.minimum(np.arange(first, last) + 1, panel.n_sessions - 1)]
    months = following.astype("datetime64[M]").astype(np.int64) % 12 + 1
    unsafe |= ~np.isin(months, market_filter.months)
    if market_filter.formula is not None:
        if market_filter.index not in panel.indices:
            raise InputError(f"This snapshot has no {market_filter.index} index for the market filter.")
        level = np.asarray(panel.indices[market_filter.index], dtype=np.float64)
        safe = evaluate_series(market_filter.formula, {"close": level})
        unsafe |= ~(np.nan_to_num(np.asarray(safe)[first:last]) != 0.0)
    return unsafe
