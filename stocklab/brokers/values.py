"""What is said to a broker and what it says, in one form for all of them.

Amounts are `Decimal`: whole won and whole shares on KRX, up to eight decimals for coins. Moments know their zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stocklab.errors import InputError

__all__ = [
    "BrokerCash",
    "BrokerHolding",
    "BrokerName",
    "BrokerOrder",
    "BrokerTraits",
    "OrderRef",
    "OrderTicket",
    "PlacedState",
    "PriceKind",
    "Quote",
    "QuoteSource",
    "Receipt",
    "Rejection",
    "Side",
    "Validity",
]

_LONGEST_ID: Final = 64


class BrokerName(StrEnum):
    """Who carries orders out."""

    PAPER = "paper"
    KIWOOM = "kiwoom"
    KIS = "kis"
    UPBIT = "upbit"


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class PriceKind(StrEnum):
    """With a limit, or at whatever the market pays."""

    LIMIT = "limit"
    MARKET = "market"


class Validity(StrEnum):
    """How long an order rests. DAY: until the close on KRX, until cancelled on Upbit."""

    DAY = "day"
    IOC = "ioc"
    FOK = "fok"


class PlacedState(StrEnum):
    """What a broker says of an order that it took. CANCELLED: ended with something unfilled, for whatever reason."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """Whether it can still be filled."""
        return self is not PlacedState.OPEN


class Rejection(StrEnum):
    """Why a broker refused for good, as far as its code tells."""

    CASH = "cash"
    SELLABLE = "sellable"
    PRICE = "price"
    SIZE = "size"
    CLOSED = "closed"
    KIND = "kind"
    SYMBOL = "symbol"
    HALTED = "halted"
    FINISHED = "finished"
    """There is nothing left to cancel."""
    DUPLICATE = "duplicate"
    """The client's order id was used before."""
    OTHER = "other"


class QuoteSource(StrEnum):
    """Where a price comes from, best first."""

    SOCKET = "socket"
    REST = "rest"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTraits:
    """What an adapter can do and must not be asked to do.

    ``knows_client_ids``: orders can be looked up by our id, and an id is never taken twice. ``day_ends``: open orders
    die at the close. ``coins``: quantities have eight decimals. ``buys_by_money``: a market purchase names won, not a
    quantity. ``rests_stops``: stop orders may rest at the broker. ``lookup_after`` are the pauses after which an order
    in doubt is looked for, ``absent_after`` the time after which not being found means that it was not taken.
    """

    name: BrokerName
    mock: bool
    knows_client_ids: bool
    day_ends: bool
    coins: bool
    buys_by_money: bool
    rests_stops: bool
    lookup_after: tuple[timedelta, ...]
    absent_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTicket:
    """One order as it is sent.

    ``client_order_id`` is ours, 1 to 64 letters, digits and ``-``, never used twice. ``quantity`` is None only where a
    coin is bought at the market for ``money_krw``.

    Raises
    ------
    InputError
        A quantity, price or id that no broker takes.
    """

    client_order_id: str
    symbol: str
    side: Side
    kind: PriceKind
    quantity: Decimal | None
    limit_price_krw: Decimal | None = None
    money_krw: Decimal | None = None
    validity: Validity = Validity.DAY

    def __post_init__(self) -> None:
        sent = self.client_order_id
        if not 0 < len(sent) <= _LONGEST_ID or not sent.isascii() or not sent.replace("-", "").isalnum():
            raise InputError(f"client_order_id: expected 1 to {_LONGEST_ID} letters, digits and '-', found {sent!r}.")
        if (self.kind is PriceKind.LIMIT) != (self.limit_price_krw is not None):
            raise InputError(f"{self.kind} order with limit {self.limit_price_krw}: a limit goes with a limit order.")
        if (self.quantity is None) == (self.money_krw is None):
            raise InputError("An order names either a quantity or an amount of won.")
        if self.money_krw is not None and (self.side, self.kind) != (Side.BUY, PriceKind.MARKET):
            raise InputError("Only a purchase at the market can name an amount of won.")
        for name, value in (
            ("quantity", self.quantity),
            ("limit price", self.limit_price_krw),
            ("money", self.money_krw),
        ):
            if value is not None and (not value.is_finite() or value <= 0):
                raise InputError(f"{name}: expected more than 0, found {value}.")


@dataclass(frozen=True, slots=True, order=True)
class OrderRef:
    """How a broker names an order: its number is unique within a day (KRX brokers) or for ever (Upbit).

    ``branch`` is KIS's office of the order, empty elsewhere.
    """

    day: date
    number: str
    branch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The broker took the order and named it."""

    ref: OrderRef
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """An order as the broker's journal has it; what was filled is cumulative, so reading it twice changes nothing.

    ``filled_krw`` is price times quantity without costs; ``costs_krw`` commission and tax as far as the journal says,
    else None. ``quantity`` is None for a purchase by money. ``placed_at`` may have whole seconds only.
    """

    ref: OrderRef
    symbol: str
    side: Side
    kind: PriceKind
    quantity: Decimal | None
    limit_price_krw: Decimal | None
    filled_quantity: Decimal
    filled_krw: Decimal
    state: PlacedState
    placed_at: datetime
    costs_krw: Decimal | None = None
    client_order_id: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerHolding:
    """What the account holds of one symbol; ``sellable`` leaves out what open sales bind. Never a row of zero."""

    symbol: str
    quantity: Decimal
    sellable: Decimal
    average_cost_krw: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerCash:
    """``total_krw`` counts unsettled purchases and sales (D+2 on KRX); ``orderable_krw`` is free for new purchases."""

    total_krw: Decimal
    orderable_krw: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price with its age. ``base_price_krw`` is what the day's limits are counted from; None for coins."""

    symbol: str
    price_krw: Decimal
    at: datetime
    source: QuoteSource
    bid_krw: Decimal | None = None
    ask_krw: Decimal | None = None
    base_price_krw: Decimal | None = None
    upper_limit_krw: Decimal | None = None
    lower_limit_krw: Decimal | None = None
    halted: bool = False
