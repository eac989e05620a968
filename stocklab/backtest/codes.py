"""Numbers the kernel writes, and the words the tables show for them."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTION_NAMES",
    "CAUSE_NAMES",
    "REASON_NAMES",
    "SIDE_NAMES",
    "SIZING_CODES",
    "STATUS_NAMES",
]

BUY: Final = 0
SELL: Final = 1
SIDE_NAMES: Final = ("buy", "sell")

MODE_OPEN: Final = 0
MODE_CLOSE: Final = 1
MODE_LIMIT: Final = 2
MODE_VWAP: Final = 3
MODE_TRIGGER: Final = 4
"""A price trigger that fires inside the session; what is left of a stop becomes MODE_OPEN."""

PHASE_OPEN: Final = 0
PHASE_INTRADAY: Final = 1
PHASE_CLOSE: Final = 2
PHASE_OF_MODE: Final = (PHASE_OPEN, PHASE_CLOSE, PHASE_INTRADAY, PHASE_INTRADAY, PHASE_INTRADAY)

OPEN: Final = 0
FILLED: Final = 1
PARTIAL: Final = 2
UNFILLED: Final = 3
CANCELLED: Final = 4
STATUS_NAMES: Final = ("open", "filled", "partial", "unfilled", "cancelled")

NO_REASON: Final = 0
CASH: Final = 1
HALTED: Final = 2
LIMIT_UP: Final = 3
LIMIT_DOWN: Final = 4
PARTICIPATION: Final = 5
NOT_REACHED: Final = 6
NO_PRICE: Final = 7
DELISTED: Final = 8
MAX_HOLDINGS: Final = 9
SUPERSEDED: Final = 10
POSITION_CLOSED: Final = 11
END_OF_RUN: Final = 12
NOT_LISTED: Final = 13
CONSOLIDATED: Final = 14
MINIMUM_ORDER: Final = 15
REASON_NAMES: Final = (
    "",
    "cash",
    "halted",
    "limit_up",
    "limit_down",
    "participation",
    "not_reached",
    "no_price",
    "delisted",
    "max_holdings",
    "superseded",
    "position_closed",
    "end_of_run",
    "not_listed",
    "consolidated",
    "minimum_order",
)
"""Why an order did not fill (whole). `superseded`: a later decision replaced it; `consolidated`:
a share change left nothing of it; `minimum_order`: worth less than the smallest order, so that it was never sent."""

ENTRY: Final = 0
REBALANCE: Final = 1
TARGET: Final = 2
STOP: Final = 3
TRAILING: Final = 4
MAX_HOLDING: Final = 5
EXIT_RULE: Final = 6
RANK: Final = 7
ENTRY_FAILED: Final = 8
MARKET_FILTER: Final = 9
DELISTING: Final = 10
CAUSE_NAMES: Final = (
    "entry",
    "rebalance",
    "target",
    "stop",
    "trailing",
    "max_holding",
    "exit_rule",
    "rank",
    "entry_failed",
    "market_filter",
    "delisting",
)
"""Why something was traded: the `reason` of a trade."""

SHARE_CHANGE: Final = 0
BONUS: Final = 1
RIGHTS: Final = 2
DIVIDEND: Final = 3
ACTION_NAMES: Final = ("share_change", "bonus", "rights", "dividend")
"""What happens to a holding before the open; of a bonus issue's shares those that are not listed yet stay unsold."""

EQUAL: Final = 0
MARKET_CAP: Final = 1
SCORE: Final = 2
INVERSE_VOLATILITY: Final = 3
FIXED_WEIGHT: Final = 4
FIXED_KRW: Final = 5
SIZING_CODES: Final = {
    "equal": EQUAL,
    "market_cap": MARKET_CAP,
    "score": SCORE,
    "inverse_volatility": INVERSE_VOLATILITY,
    "fixed_weight": FIXED_WEIGHT,
    "fixed_krw": FIXED_KRW,
}

OFF: Final = 0
INTRADAY: Final = 1
AT_CLOSE: Final = 2
"""Basis of a price trigger."""

NEVER: Final = 1 << 40
"""A session index that is never reached: an order that does not lapse."""

NO_LIMIT: Final = -1
NO_SYMBOL: Final = -1

NO_FILTER: Final = 0
SELL_ALL: Final = 1
NO_NEW: Final = 2
"""What an unsafe market does."""
