"""What is known of a day when its note is written: values of whoever trades, without a judgement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = [
    "BlockedBy",
    "ConditionDay",
    "DayFacts",
    "GapDay",
    "OrderLine",
    "PositionLine",
    "Step",
    "TraderDay",
    "TraderState",
]


class TraderState(StrEnum):
    """How a trader stood on the day."""

    ACTIVE = "active"
    PAUSED = "paused"
    NO_ENTRIES = "no_entries"
    STOPPED = "stopped"
    WAITING = "waiting_for_approval"


class BlockedBy(StrEnum):
    """What kept a trader from buying, or from doing anything."""

    KILL_SWITCH = "kill_switch"
    STALE_DATA = "stale_data"
    NO_QUOTES = "no_quotes"
    CASH_TOO_SMALL = "cash_too_small"
    HOLDINGS_FULL = "holdings_full"
    BUYS_A_DAY = "buys_a_day"
    DAY_LOSS = "day_loss"
    DRAWDOWN = "drawdown"
    ORDER_IN_DOUBT = "order_in_doubt"
    BROKER_DOWN = "broker_down"
    NOT_APPROVED = "not_approved"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """An order in a note. ``reason`` is a code or a sentence; ``price_krw`` the average paid, or the limit."""

    side: str
    symbol: str
    name: str
    quantity: int | str
    price_krw: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionDay:
    """A condition of the entry rules: its words, and for how many of the universe it was false, or not known."""

    words: str
    failed: int
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderDay:
    """A strategy at work on an account.

    ``universe`` is how many stocks it looked at, None when it did not decide; ``matched`` how many met its entry rules;
    ``cheapest_krw`` the price of one share of the cheapest of them, where cash was too small.
    """

    name: str
    account: str
    state: TraderState
    universe: int | None = None
    matched: int = 0
    held: int = 0
    conditions: tuple[ConditionDay, ...] = ()
    filled: tuple[OrderLine, ...] = ()
    unfilled: tuple[OrderLine, ...] = ()
    refused: tuple[OrderLine, ...] = ()
    rejected: tuple[OrderLine, ...] = ()
    blocked: tuple[BlockedBy, ...] = ()
    cash_krw: int | None = None
    cheapest_krw: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """A holding at the close: its value, the day's change and the change since it was bought, in won."""

    account: str
    symbol: str
    name: str
    quantity: int | str
    value_krw: int
    day_krw: int | None = None
    total_krw: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GapDay:
    """By how much a trader's day differed from its backtest, in won, and of what that consists."""

    name: str
    total_krw: int
    price_krw: int
    timing_krw: int
    missed_krw: int
    cost_krw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What comes next: a code such as ``prepare`` or ``buy_check``, and when, as HH:MM in Seoul."""

    code: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """A day of one owner.

    ``is_session``: whether the exchange was open; ``holiday`` why not, where it has a name. ``kill_switch`` is the
    reason it is thrown for, None while it is not. ``data_late`` counts sessions missing before the decision.
    """

    session: date
    is_session: bool
    holiday: str = ""
    traders: tuple[TraderDay, ...] = ()
    positions: tuple[PositionLine, ...] = ()
    in_doubt: tuple[OrderLine, ...] = ()
    gaps: tuple[GapDay, ...] = ()
    kill_switch: str | None = None
    data_last: date | None = None
    data_late: int = 0
    equity_krw: int | None = None
    day_krw: int | None = None
    next_session: date | None = None
    next_steps: tuple[Step, ...] = ()
