"""The risk gate: every order passes it, whoever wants it, and hears every reason at once when it may not.

An exit is never held back by limits on how much may be bought or lost: only by what would make the order itself wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stocklab.brokers.values import OrderTicket, PriceKind, Quote, QuoteSource, Side
from stocklab.data.sources.calls import KST
from stocklab.errors import InputError
from stocklab.market.dated import in_force
from stocklab.market.limits import price_limits
from stocklab.market.ticks import tick_size
from stocklab.market.upbit import MINIMUM_ORDER_KRW, coin_tick_size

__all__ = ["Account", "GateReason", "RiskLimits", "Stage", "gate", "stage_of"]

ZERO: Final = Decimal(0)
COINS: Final = "UPBIT"


class Stage(StrEnum):
    """How far losses have gone; each stage includes the one before. REDUCE: positions are halved. FLATTEN: sold."""

    NORMAL = "normal"
    NO_ENTRIES = "no_entries"
    REDUCE = "reduce"
    FLATTEN = "flatten"


class GateReason(StrEnum):
    """Why an order is refused."""

    KILL_SWITCH = "kill_switch"
    LOSS_STAGE = "loss_stage"
    PRICE_OFF_TICK = "price_off_tick"
    PRICE_OUTSIDE_LIMITS = "price_outside_limits"
    NO_QUOTE = "no_quote"
    STALE_QUOTE = "stale_quote"
    HALTED = "halted"
    TOO_SMALL = "too_small"
    CASH = "cash"
    NOT_HELD = "not_held"
    FAT_FINGER_PRICE = "fat_finger_price"
    FAT_FINGER_SIZE = "fat_finger_size"
    POSITION_CAP = "position_cap"
    SECTOR_CAP = "sector_cap"
    ORDERS_PER_DAY = "orders_per_day"
    VALUE_PER_DAY = "value_per_day"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """What an account allows. Fractions of its equity, except where a unit is named; losses are positive numbers.

    Raises
    ------
    InputError
        A fraction is not above 0, or the stages of loss are not in order.
    """

    most_order_fraction: Decimal = Decimal("0.25")
    most_position_fraction: Decimal = Decimal("0.30")
    most_sector_fraction: Decimal = Decimal("0.60")
    most_orders_per_day: int = 200
    most_value_per_day_fraction: Decimal = Decimal(2)
    most_price_gap: Decimal = Decimal("0.05")
    quote_age: timedelta = timedelta(seconds=30)
    duplicate_within: timedelta = timedelta(seconds=60)
    day_loss: tuple[Decimal, Decimal, Decimal] = (Decimal("0.03"), Decimal("0.05"), Decimal("0.08"))
    week_loss: tuple[Decimal, Decimal, Decimal] = (Decimal("0.06"), Decimal("0.10"), Decimal("0.15"))
    drawdown: tuple[Decimal, Decimal, Decimal] = (Decimal("0.15"), Decimal("0.20"), Decimal("0.30"))

    def __post_init__(self) -> None:
        fractions = (self.most_order_fraction, self.most_position_fraction, self.most_sector_fraction)
        if min(*fractions, self.most_value_per_day_fraction, self.most_price_gap) <= 0:
            raise InputError("Limits of size and price: expected fractions above 0.")
        for name, steps in (("day", self.day_loss), ("week", self.week_loss), ("drawdown", self.drawdown)):
            if not ZERO < steps[0] <= steps[1] <= steps[2]:
                raise InputError(f"Losses of a {name}: expected three rising fractions above 0, found {steps}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the gate must know of an account at this moment.

    ``sellable`` counts confirmed holdings less what open sales bind. ``worth_krw`` is the value held by symbol,
    ``sector_worth_krw`` by sector, both with open purchases. ``recent`` are orders sent lately: (symbol, side,
    quantity, moment). ``day_value_krw`` is what was ordered today.
    """

    now: datetime
    market: str
    equity_krw: Decimal
    orderable_krw: Decimal
    sellable: Decimal
    worth_krw: Mapping[str, Decimal] = field(default_factory=dict)
    sector: str = ""
    sector_worth_krw: Mapping[str, Decimal] = field(default_factory=dict)
    orders_today: int = 0
    day_value_krw: Decimal = ZERO
    recent: tuple[tuple[str, Side, Decimal | None, datetime], ...] = ()
    stage: Stage = Stage.NORMAL
    killed: bool = False
    cost_rate: Decimal = Decimal("0.00015")

    @property
    def day(self) -> date:
        """The session whose rules hold: a day in Seoul, for coins a UTC day."""
        return self.now.astimezone(UTC if self.market == COINS else KST).date()


def stage_of(day_return: Decimal, week_return: Decimal, drawdown: Decimal, limits: RiskLimits) -> Stage:
    """The worst stage that any loss has reached. Losses are negative, as returns are."""
    steps = zip((day_return, week_return, drawdown), (limits.day_loss, limits.week_loss, limits.drawdown), strict=True)
    worst = max(sum(-loss >= step for step in ladder) for loss, ladder in steps)
    return list(Stage)[worst]


def gate(ticket: OrderTicket, quote: Quote | None, account: Account, limits: RiskLimits) -> tuple[GateReason, ...]:
    """Every reason against an order, none when it may go.

    ``killed`` stops purchases and sales alike; what the kill switch itself sends does not come here.

    Raises
    ------
    InputError
        The market is unknown, or its rules are not known for the day.
    """
    found = [GateReason.KILL_SWITCH] if account.killed else []
    found += _about_price(ticket, quote, account, limits)
    worth = _worth(ticket, quote)
    if _smaller_than_allowed(worth, account):
        found.append(GateReason.TOO_SMALL)
    if _is_repeated(ticket, account, limits):
        found.append(GateReason.DUPLICATE)
    if account.orders_today >= limits.most_orders_per_day:
        found.append(GateReason.ORDERS_PER_DAY)
    if ticket.side is Side.SELL:
        if ticket.quantity is not None and ticket.quantity > account.sellable:
            found.append(GateReason.NOT_HELD)
        return tuple(found)
    return tuple(found + _about_buying(ticket, worth, account, limits))


def _about_price(ticket: OrderTicket, quote: Quote | None, account: Account, limits: RiskLimits) -> list[GateReason]:
    found: list[GateReason] = []
    limit = ticket.limit_price_krw
    if limit is not None and not _on_tick(limit, account):
        found.append(GateReason.PRICE_OFF_TICK)
    if quote is None:
        return [*found, GateReason.NO_QUOTE]
    if quote.halted:
        found.append(GateReason.HALTED)
    if quote.source is QuoteSource.CLOSE or account.now - quote.at > limits.quote_age:
        found.append(GateReason.STALE_QUOTE)
    band = _band(quote, account)
    if limit is not None and band is not None and not band[0] <= limit <= band[1]:
        found.append(GateReason.PRICE_OUTSIDE_LIMITS)
    # Only towards the worse: a low bid or a high offer costs nothing.
    if limit is not None:
        gap = (limit - quote.price_krw) / quote.price_krw
        if (gap if ticket.side is Side.BUY else -gap) > limits.most_price_gap:
            found.append(GateReason.FAT_FINGER_PRICE)
    return found


def _about_buying(ticket: OrderTicket, worth: Decimal, account: Account, limits: RiskLimits) -> list[GateReason]:
    found: list[GateReason] = []
    if account.stage is not Stage.NORMAL:
        found.append(GateReason.LOSS_STAGE)
    if worth * (1 + account.cost_rate) > account.orderable_krw:
        found.append(GateReason.CASH)
    if worth > account.equity_krw * limits.most_order_fraction:
        found.append(GateReason.FAT_FINGER_SIZE)
    if account.worth_krw.get(ticket.symbol, ZERO) + worth > account.equity_krw * limits.most_position_fraction:
        found.append(GateReason.POSITION_CAP)
    sector = account.sector_worth_krw.get(account.sector, ZERO)
    if account.sector and sector + worth > account.equity_krw * limits.most_sector_fraction:
        found.append(GateReason.SECTOR_CAP)
    if account.day_value_krw + worth > account.equity_krw * limits.most_value_per_day_fraction:
        found.append(GateReason.VALUE_PER_DAY)
    return found


def _worth(ticket: OrderTicket, quote: Quote | None) -> Decimal:
    """What an order may come to; without a price, nothing is known and other reasons refuse it."""
    if ticket.money_krw is not None:
        return ticket.money_krw
    quantity = ticket.quantity or ZERO
    if ticket.kind is PriceKind.LIMIT and ticket.limit_price_krw is not None:
        return quantity * ticket.limit_price_krw
    if quote is None:
        return ZERO
    # A purchase at the market is checked by brokers at the upper limit of the day.
    worst = quote.upper_limit_krw if ticket.side is Side.BUY and quote.upper_limit_krw is not None else quote.price_krw
    return quantity * worst


def _on_tick(price: Decimal, account: Account) -> bool:
    if account.market == COINS:
        return price % coin_tick_size(price, account.day) == 0
    return price == price.to_integral_value() and int(price) % tick_size(int(price), account.market, account.day) == 0


def _band(quote: Quote, account: Account) -> tuple[Decimal, Decimal] | None:
    """The day's limits: the broker's own where it names them, else counted from its base price."""
    if quote.lower_limit_krw is not None and quote.upper_limit_krw is not None:
        return quote.lower_limit_krw, quote.upper_limit_krw
    if quote.base_price_krw is None or account.market == COINS:
        return None
    low, high = price_limits(int(quote.base_price_krw), account.market, account.day)
    return Decimal(low), Decimal(high)


def _smaller_than_allowed(worth: Decimal, account: Account) -> bool:
    return account.market == COINS and ZERO < worth < in_force(MINIMUM_ORDER_KRW, account.day, "smallest order")


def _is_repeated(ticket: OrderTicket, account: Account, limits: RiskLimits) -> bool:
    return any(
        (symbol, side, quantity) == (ticket.symbol, ticket.side, ticket.quantity)
        and account.now - at < limits.duplicate_within
        for symbol, side, quantity, at in account.recent
    )
