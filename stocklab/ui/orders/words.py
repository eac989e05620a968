"""Words of orders: states, what happened, who wanted it, why it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from stocklab.brokers.values import PriceKind, Side
from stocklab.live.live_gate import FROZEN, HANDS_OFF
from stocklab.live.order_list import OrderGroup
from stocklab.trading.journal import Origin
from stocklab.trading.order_states import OrderEvent, OrderState
from stocklab.trading.risk_gate import GateReason
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.text import N_, _, language

__all__ = [
    "EVENTS", "GROUPS", "KINDS", "MEANINGS", "ORIGINS", "SIDES", "STATES", "STATE_LOOKS",
    "amount", "name_of", "reason_words", "won",
]  # fmt: skip

GROUPS: Final[Mapping[OrderGroup, str]] = {
    OrderGroup.OPEN: N_("Still open"),
    OrderGroup.DOUBT: N_("In doubt"),
    OrderGroup.ENDED: N_("Ended"),
}
STATES: Final[Mapping[OrderState, str]] = {
    OrderState.INTENT: N_("waiting to be sent"),
    OrderState.SENDING: N_("being sent"),
    OrderState.UNKNOWN: N_("perhaps sent"),
    OrderState.AMBIGUOUS: N_("you must say"),
    OrderState.OPEN: N_("at the broker"),
    OrderState.CANCELLING: N_("being cancelled"),
    OrderState.FILLED: N_("filled"),
    OrderState.CANCELLED: N_("cancelled"),
    OrderState.EXPIRED: N_("day over"),
    OrderState.REJECTED: N_("refused by the broker"),
    OrderState.ABSENT: N_("never arrived"),
    OrderState.UNSENT: N_("not sent"),
    OrderState.REFUSED: N_("refused by the risk gate"),
    OrderState.WITHDRAWN: N_("withdrawn"),
}
MEANINGS: Final[Mapping[OrderState, str]] = {
    OrderState.INTENT: N_("It is written down and goes out when its time has come and the risk gate lets it pass."),
    OrderState.SENDING: N_("It is on its way. Should the program stop now, the broker's list will tell."),
    OrderState.UNKNOWN: N_("No certain answer came. It is never sent again; the broker's list is read until it tells."),
    OrderState.AMBIGUOUS: N_("The broker's list has several orders that may be it, or does not tell. Say below."),
    OrderState.OPEN: N_("The broker has it, and it can be filled."),
    OrderState.CANCELLING: N_("The cancel was asked for and is not confirmed; it can still be filled."),
    OrderState.FILLED: N_("All of it was filled."),
    OrderState.CANCELLED: N_("It was cancelled; what was filled before stays."),
    OrderState.EXPIRED: N_("Its day ended with something unfilled."),
    OrderState.REJECTED: N_("The broker did not take it."),
    OrderState.ABSENT: N_("It was looked for long enough and is not at the broker."),
    OrderState.UNSENT: N_("It provably never left this machine."),
    OrderState.REFUSED: N_("A limit of the account spoke against it, so it was not sent."),
    OrderState.WITHDRAWN: N_("It was given up before it was sent."),
}
STATE_LOOKS: Final[Mapping[OrderState, tuple[str, str]]] = {
    **dict.fromkeys((OrderState.INTENT, OrderState.SENDING), ("schedule", "gray")),
    OrderState.UNKNOWN: ("help", "orange"),
    OrderState.AMBIGUOUS: ("front_hand", "red"),
    OrderState.OPEN: ("pending", "blue"),
    OrderState.CANCELLING: ("cancel_schedule_send", "blue"),
    OrderState.FILLED: ("check_circle", "green"),
    **dict.fromkeys((OrderState.REJECTED, OrderState.REFUSED), ("block", "red")),
    **dict.fromkeys(
        (OrderState.CANCELLED, OrderState.EXPIRED, OrderState.ABSENT, OrderState.UNSENT, OrderState.WITHDRAWN),
        ("do_not_disturb_on", "gray"),
    ),
}
EVENTS: Final[Mapping[OrderEvent, str]] = {
    OrderEvent.GATE_REFUSED: N_("The risk gate refused it"),
    OrderEvent.WITHDRAWN: N_("Given up before it was sent"),
    OrderEvent.SENDING: N_("Sending begins"),
    OrderEvent.ACCEPTED: N_("The broker took it"),
    OrderEvent.REJECTED: N_("The broker refused it"),
    OrderEvent.NEVER_LEFT: N_("It did not leave this machine"),
    OrderEvent.NO_ANSWER: N_("No certain answer"),
    OrderEvent.FOUND: N_("Found in the broker's list"),
    OrderEvent.NOT_FOUND: N_("Not in the broker's list"),
    OrderEvent.CANNOT_TELL: N_("The broker's list cannot tell"),
    OrderEvent.CANCEL_ASKED: N_("Cancel asked for"),
    OrderEvent.CANCEL_FAILED: N_("The broker refused the cancel"),
    OrderEvent.PART_FILLED: N_("Filled in part"),
    OrderEvent.FILLED: N_("Filled"),
    OrderEvent.ENDED: N_("Over: the rest will not be filled"),
    OrderEvent.DAY_OVER: N_("The day is over"),
}
ORIGINS: Final[Mapping[Origin, str]] = {
    Origin.STRATEGY: N_("Strategy"),
    Origin.PERSON: N_("You"),
    Origin.STOP: N_("Stop or target"),
    Origin.KILL_SWITCH: N_("Emergency stop"),
    Origin.BY_HAND: N_("By hand at the broker"),
}
SIDES: Final[Mapping[Side, str]] = {Side.BUY: N_("Buy"), Side.SELL: N_("Sell")}
KINDS: Final[Mapping[PriceKind, str]] = {PriceKind.LIMIT: N_("Limit"), PriceKind.MARKET: N_("Market")}
_REASONS: Final[Mapping[str, str]] = {
    GateReason.KILL_SWITCH: N_("The emergency stop is on."),
    GateReason.LOSS_STAGE: N_("Losses reached a stage in which nothing is bought."),
    GateReason.PRICE_OFF_TICK: N_("The price is not on the tick."),
    GateReason.PRICE_OUTSIDE_LIMITS: N_("The price is outside the limits of the day."),
    GateReason.NO_QUOTE: N_("No price is known."),
    GateReason.STALE_QUOTE: N_("The price known is too old."),
    GateReason.HALTED: N_("Trading in it is halted."),
    GateReason.TOO_SMALL: N_("It is below the smallest order."),
    GateReason.CASH: N_("There is not enough cash."),
    GateReason.NOT_HELD: N_("That much is not held, or is being sold already."),
    GateReason.FAT_FINGER_PRICE: N_("The price is too far from the last one: a slip of the finger?"),
    GateReason.FAT_FINGER_SIZE: N_("It is too large a part of the account for one order: a slip of the finger?"),
    GateReason.POSITION_CAP: N_("The holding would be too large a part of the account."),
    GateReason.SECTOR_CAP: N_("The sector would be too large a part of the account."),
    GateReason.ORDERS_PER_DAY: N_("The orders of the day are used up."),
    GateReason.VALUE_PER_DAY: N_("The value that may be ordered in a day is used up."),
    GateReason.DUPLICATE: N_("The same order was sent a moment ago."),
    HANDS_OFF: N_("You sold it by hand; strategies wait until you agree to buy it again."),
    FROZEN: N_("A corporate action is not understood yet; the symbol rests for the day."),
    "unknown_symbol": N_("No market data know this symbol."),
}


def reason_words(reason: str) -> str:
    """Why something was refused; a reason without words is shown as it was written."""
    return _(_REASONS[reason]) if reason in _REASONS else reason


def amount(value: Decimal | None) -> str:
    """An exact number without zeros behind it."""
    if value is None:
        return fmt.DASH
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def won(value: Decimal | None) -> str:
    """Won, to the last digit where there is a fraction of one."""
    if value is None:
        return fmt.DASH
    if value != value.to_integral_value():
        value = value.quantize(Decimal("0.01"))
    return f"{amount(value)}원" if language() == "ko" else f"₩{amount(value)}"


def name_of(symbol: str) -> str:
    """Name and code."""
    name = cached.names().get(symbol, "")
    return f"{name} ({symbol})" if name else symbol
