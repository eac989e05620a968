"""When a trade is settled, and what may be withdrawn until then.

Source: KRX settles stocks, ETFs included, on the second session after the trade; 31 December, when the exchange is
closed, settles nothing (docs/market-rules.md, section 8). Proceeds may be spent on purchases the same day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from stocklab.market.dated import rows_in_force
from stocklab.types import DateArray, IntArray

__all__ = ["SETTLEMENT_SESSIONS", "Deposits", "deposits"]

SETTLEMENT_SESSIONS: Final = ((date(1996, 1, 1), 2),)
"""Rows of (trade date from, sessions until settlement)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposits:
    """(n_sessions,) int64 KRW at each close: settled today, tomorrow and the day after (all that was traded), and what
    may be withdrawn: the least of the three, and not below 0."""

    settled: IntArray
    next_session: IntArray
    second_session: IntArray
    withdrawable: IntArray


def deposits(
    initial_cash_krw: int, trade_flow_krw: IntArray, other_flow_krw: IntArray, sessions: DateArray
) -> Deposits:
    """Deposits as a broker shows them.

    Parameters
    ----------
    initial_cash_krw : settled before the first session
    trade_flow_krw : (n_sessions,) what the trades of each session pay and bring, costs included
    other_flow_krw : (n_sessions,) dividends, fractions, rights: settled at once
    sessions : (n_sessions,) datetime64[D]

    >>> days = np.array(["2024-03-04", "2024-03-05", "2024-03-06"], dtype="datetime64[D]")
    >>> found = deposits(1000, np.array([-600, 200, 0]), np.array([0, 0, 5]), days)
    >>> found.settled.tolist(), found.withdrawable.tolist()
    ([1000, 1000, 405], [400, 400, 405])
    """
    waits = np.array([wait for _, wait in SETTLEMENT_SESSIONS], dtype=np.int64)
    wait = waits[rows_in_force(SETTLEMENT_SESSIONS, sessions, "settlement period")]
    n = len(sessions)
    due = np.arange(n) + wait
    at = [np.zeros(n, dtype=np.int64) for _ in range(3)]
    paid = initial_cash_krw + np.cumsum(other_flow_krw)
    for ahead, deposit in enumerate(at):
        # of the trades up to a session, those that are settled `ahead` sessions later
        arrived = np.zeros(n + 1, dtype=np.int64)
        np.add.at(arrived, np.minimum(np.maximum(due - ahead, np.arange(n)), n), trade_flow_krw)
        deposit[:] = paid + np.cumsum(arrived[:n])
    return Deposits(
        settled=at[0],
        next_session=at[1],
        second_session=at[2],
        withdrawable=np.maximum(np.minimum(np.minimum(at[0], at[1]), at[2]), 0),
    )
