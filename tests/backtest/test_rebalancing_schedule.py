"""Which closes decide a rebalancing, and when the market is unsafe."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stocklab.backtest.schedule import rebalancing_decisions, unsafe_sessions
from stocklab.errors import FormulaError, InputError
from stocklab.strategy.document import MarketFilter, Rebalancing

# Tue 2024-02-27 .. Fri 2024-03-15 without Fri 2024-03-01 (a holiday): 13 sessions
DAYS = np.array([day for day in np.arange("2024-02-27", "2024-03-16", dtype="M8[D]") if np.is_busday(day)])
SESSIONS = DAYS[np.datetime64("2024-03-01") != DAYS]


def traded(period: str, shift: int = 0, first: int = 0) -> list[str]:
    """Sessions (of March unless said) in which a rebalancing trades, the run's second session left out."""
    rebalancing = Rebalancing.model_validate({"mode": "target", "period": period, "day_shift": shift})
    due = rebalancing_decisions(SESSIONS, rebalancing, first, len(SESSIONS))
    assert due[0] == 1
    return [str(SESSIONS[first + place + 1])[5:] for place in np.flatnonzero(due) if place > 0]


def test_periods() -> None:
    assert traded("monthly") == ["03-04"]
    assert traded("weekly") == ["03-04", "03-11"]
    assert traded("quarterly") == traded("yearly") == []
    assert len(traded("daily")) == len(SESSIONS) - 2


def test_day_shift_counts_sessions() -> None:
    assert traded("monthly", 3) == ["03-07"]
    assert traded("weekly", 2) == ["02-29", "03-06", "03-13"]  # the panel begins on a Tuesday


def test_a_period_too_short_for_the_shift_trades_in_the_next() -> None:
    # the second week loses its Wednesday, so it has no fifth session: it trades on the Monday after
    days = np.delete(SESSIONS, np.flatnonzero(np.datetime64("2024-03-06") == SESSIONS))
    weekly = Rebalancing.model_validate({"mode": "target", "period": "weekly", "day_shift": 4})
    due = rebalancing_decisions(days, weekly, 0, len(days))
    assert [str(days[place + 1])[5:] for place in np.flatnonzero(due) if place > 0] == ["03-11", "03-15"]
    assert len(traded("daily", 5)) == len(SESSIONS) - 2


def test_signal_mode_never_rebalances() -> None:
    assert rebalancing_decisions(SESSIONS, Rebalancing(), 0, 5).sum() == 0


def flat_market(market_of: Any, index: list[float] | None) -> Any:
    bar = (1_000.0, 1_000.0, 1_000.0, 1_000.0, 1_000.0)
    return market_of(bars={"000010": [bar] * 4}, index=index).panel()


def test_unknown_index_is_unsafe(market_of: Any) -> None:
    panel = flat_market(market_of, [100.0, np.nan, 90.0, 100.0])
    unsafe = unsafe_sessions(panel, MarketFilter.model_validate({"formula": "close>95"}), 0, 4)
    assert unsafe.tolist() == [0, 1, 1, 0]


def test_filter_refuses_what_the_panel_lacks(market_of: Any) -> None:
    rule = MarketFilter.model_validate({"formula": "close>95"})
    with pytest.raises(InputError, match="no KOSPI index"):
        unsafe_sessions(flat_market(market_of, None), rule, 0, 4)
    with pytest.raises(FormulaError):
        unsafe_sessions(flat_market(market_of, [1.0] * 4), MarketFilter.model_validate({"formula": "high>95"}), 0, 4)


def test_no_filter_is_safe(market_of: Any) -> None:
    assert unsafe_sessions(flat_market(market_of, None), None, 0, 4).tolist() == [0, 0, 0, 0]
