"""Record layouts shared by Python and the kernel, and the state that is carried from chunk to chunk.

Records are numpy structured arrays viewed as ``recarray``: ``positions[k].shares`` reads the same compiled or not.
Money and shares are int64; only averages and levels derived from them are float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stocklab.types import AnyArray, IntArray

__all__ = [
    "ACTION",
    "BOOK",
    "CLAIM",
    "DAY",
    "HOLDING",
    "LOT",
    "ORDER",
    "POSITION",
    "QUOTE",
    "RULES",
    "TRADE",
    "Record",
    "Records",
    "State",
    "grow",
    "new_state",
    "records",
    "room_per_session",
]


Records = Any
"""A ``recarray`` of one of the layouts below; ``Record`` is one row of it. Numpy's types do not know their fields."""

Record = Any


def _record(integers: str, floats: str = "") -> np.dtype[np.void]:
    fields = [(name, np.int64) for name in integers.split()] + [(name, np.float64) for name in floats.split()]
    return np.dtype(fields, align=True)


RULES: Final = _record(
    """initial_cash commission slippage raw_basis has_base flat_tax most_tax
    buy_mode sell_mode limit_reference_open limit_offset carry
    target_basis target_level stop_basis stop_level trailing_basis trailing_level
    min_holding max_holding calendar_days min_blocks_triggers rank_below when_entry_fails reentry_wait
    target_mode market_action clean_up sizing max_holdings amount max_position max_new base_initial has_sectors
    participation weight max_weight max_sector_weight cash_buffer drift_band unit""",
    "score_sign",
)
"""The document as numbers. Rates, weights and levels are parts per billion, money is in
1/``unit`` won; 0 in max_holding, max_position and max_new
is none."""

BOOK: Final = _record(
    """cash unusable holdings equity reserve n_positions n_orders n_active n_trades n_held n_actions n_waiting
    waiting_until n_quotes first_session n_buys n_sells ended_early unknown_weight base_moves
    final_session n_claims least_order beyond_at only_decide free_places free_cash"""
)
"""The book between sessions. ``unusable``: proceeds that this phase's purchases may not spend; ``least_order``:
smallest amount of an order that goes out now, 0 = none; ``beyond_at``: 1 + the session in which money left what 64 bits
count; ``only_decide``: 1 = a session is marked and decided on, not traded (`stocklab.backtest.decide`); ``free_places``
and ``free_cash``: what the last purchases decided on could count on."""

POSITION: Final = _record(
    """symbol shares market entry_session last_close quote late_on limit_on pending ended unlisted leaving
    leaving_rule refused""",
    "average high",
)
"""``average``: fill price of the shares held; ``high``: highest price since the purchase (for the trailing stop).
``unlisted``: those of ``shares`` that cannot be sold yet; ``leaving``: 1 + cause of an exit decided while there were
some, 0 = none; ``refused``: shares whose sale was written down as below the smallest order."""

QUOTE: Final = _record(
    """symbol slot open high low close full listed tradable known market etf published_krw base_krw percent tax
    regime exit_code entry_ok""",
    "volume rank seen_close seen_high seen_low",
)
"""One symbol's session, loaded once for whatever is held or ordered. ``published_krw``: KRX's base price, 0 where it is
unknown; ``base_krw``: what stands in for it then."""

ORDER: Final = _record(
    "decided session symbol side ordered filled limit status reason mode cause rule expires full_exit reserved"
)
TRADE: Final = _record(
    "session symbol market side shares price amount commission tax slippage cause rule order reference"
)
HOLDING: Final = _record("session symbol shares close value")
DAY: Final = _record("cash holdings equity")
ACTION: Final = _record("session symbol kind cash tax before after base_krw new old after_trade")
CLAIM: Final = _record("kind symbol shares units due since")
"""What is due later: a dividend (``units`` a share), or bonus shares of the position opened in ``since`` that list."""

LOT: Final = _record("symbol shares amount since")


def records(dtype: np.dtype[np.void], size: int) -> AnyArray:
    """Zeroed records of ``dtype``, (size,)."""
    return np.zeros(size, dtype=dtype).view(np.recarray)


def grow(old: AnyArray, size: int) -> AnyArray:
    """A longer copy; what is beyond the old length is zero."""
    new = np.zeros(size, dtype=old.dtype)
    new.view(np.uint8)[: old.nbytes] = old.view(np.ndarray).view(np.uint8)  # bytes: a copy by fields is far slower
    return new.view(np.recarray) if old.dtype.names else new


@dataclass(slots=True, kw_only=True)
class State:
    """Everything the kernel changes. ``orders``, ``trades``, ``held``, ``actions``, ``claims`` and ``active`` are
    replaced by longer ones between chunks when a session might not fit."""

    book: AnyArray
    positions: AnyArray
    slot_of: IntArray
    sold_on: IntArray
    quotes: AnyArray
    quote_of: IntArray
    orders: AnyArray
    active: IntArray
    trades: AnyArray
    held: AnyArray
    actions: AnyArray
    days: AnyArray
    waiting: AnyArray
    claims: AnyArray


def room_per_session(max_holdings: int) -> int:
    """Records of a kind that one session can add at most, beside one for each live order."""
    return 4 * max_holdings + 16


def new_state(*, n_sessions: int, n_symbols: int, max_holdings: int, initial_cash: int) -> State:
    """State before the first session: cash only, in the units of the rules."""
    room = room_per_session(max_holdings)
    expected = 8 * n_sessions  # orders; memory is only taken where it is written
    book = records(BOOK, 1)
    book[0].cash = initial_cash
    book[0].equity = initial_cash
    return State(
        book=book,
        positions=records(POSITION, max_holdings + 1),
        slot_of=np.full(n_symbols, -1, dtype=np.int64),
        sold_on=np.full(n_symbols, -(1 << 40), dtype=np.int64),
        quotes=records(QUOTE, 8 * room),
        quote_of=np.full(n_symbols, -1, dtype=np.int64),
        orders=records(ORDER, expected + room),
        active=np.zeros(8 * room, dtype=np.int64),
        trades=records(TRADE, expected + 9 * room),
        held=records(HOLDING, (n_sessions + 4) * max_holdings + 64),
        actions=records(ACTION, 64 + max_holdings),
        days=records(DAY, n_sessions),
        waiting=records(LOT, max_holdings + 1),
        claims=records(CLAIM, 2 * room),
    )
