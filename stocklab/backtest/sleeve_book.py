"""`SleeveBook`: what a strategy that trades elsewhere carries from one close to the next, and its JSON document.

It holds exactly what the kernel's state carries between sessions and a later decision reads (docs/simulator.md, "The
same decisions for a live book", goes through it field by field). Money, prices and shares are whole units of the panel:
won and shares for KRX, 1/100,000,000 of both for coins (`Panel.unit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final

from pydantic import ConfigDict

from stocklab.backtest.strict_document import STRICT, from_document, to_document

__all__ = [
    "BOOK_VERSION",
    "ClaimKind",
    "OrderMode",
    "OrderSide",
    "SleeveBook",
    "SleeveClaim",
    "SleeveOrder",
    "SleevePosition",
    "WaitingLot",
]

BOOK_VERSION: Final = 1
"""Of the document; another one is refused."""


class OrderSide(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"


class OrderMode(StrEnum):
    """Where an order meets the market. ``trigger``: inside the session, at the level of a target."""

    OPEN = "open"
    CLOSE = "close"
    LIMIT = "limit"
    VWAP = "vwap"
    TRIGGER = "trigger"


class ClaimKind(StrEnum):
    """What is due later."""

    BONUS = "bonus"
    DIVIDEND = "dividend"


@dataclass(frozen=True, slots=True, kw_only=True)
class SleevePosition:
    """One holding. Their order in the book counts: it is the order in which exits are decided.

    ``entered``: session of the first fill; ``average``: fill price of the shares held; ``high``: highest price since
    the purchase, as the trailing stop counts it; ``last_close``: last known close; ``late``: not opened by an opening
    order, so that the high of its first session is not its own; ``unlisted``: those of ``shares`` that cannot be sold
    yet; ``leaving``: why it is sold as soon as they list, "" = it is not; ``refused``: shares whose sale was written
    down as below the smallest order.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    symbol: str
    shares: int
    entered: date
    average: float
    high: float
    last_close: int
    late: bool = False
    unlisted: int = 0
    leaving: str = ""
    leaving_rule: int = -1
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeveOrder:
    """One order. ``number`` is unique in its book and ascends in the order of decision.

    ``shares`` ordered and ``filled``; ``limit``: None without one, or before the open it counts from; ``cause`` and
    ``reason``: words of `codes.CAUSE_NAMES` and `codes.REASON_NAMES`; ``rule``: place of the exit rule, -1 = none;
    ``rule_text``: the rule as the table of trades shows it; ``lives``: sessions after the book's that it may still
    meet, None = until something ends it; ``reserved``: money put aside for a purchase.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    number: int
    symbol: str
    side: OrderSide
    mode: OrderMode
    shares: int
    filled: int = 0
    limit: int | None = None
    cause: str
    rule: int = -1
    rule_text: str = ""
    decided: date
    lives: int | None
    full_exit: bool = False
    reserved: int = 0
    reason: str = ""

    @property
    def left(self) -> int:
        """Shares that are not filled."""
        return self.shares - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLot:
    """What a rebalancing still wants to buy: at most ``shares``, for at most ``amount``; decided at ``since``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    symbol: str
    shares: int
    amount: int
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeveClaim:
    """A dividend to be paid (``units``: ten-thousandths of a won a share), or bonus shares of a position to be listed.

    ``ex``: the session it began in; ``due``: the session at whose opening it is there, None = after the data's end;
    ``entered``: of the position it belongs to.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClaimKind
    symbol: str
    shares: int
    units: int
    ex: date
    due: date | None
    entered: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeveBook:
    """A sleeve after session ``session``: what its fills left, before or after the decisions of that close.

    Attributes
    ----------
    session : the session the book belongs to; `decide` decides at its close
    since : session of the sleeve's first decision
    initial_cash_krw : whole won; base of weights in percent of the initial capital
    unit : of the panel
    cash : units of won
    orders : those alive, in the order of decision; at most one sale per symbol
    waiting : lots of a rebalancing, best first; ``waiting_closes``: how many closes after this one may still buy them
    sold_on : symbol -> session in which its last position ended
    claims : what is due later
    next_number : of the next order
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    session: date
    since: date
    initial_cash_krw: int
    unit: int = 1
    cash: int
    positions: tuple[SleevePosition, ...] = ()
    orders: tuple[SleeveOrder, ...] = ()
    waiting: tuple[WaitingLot, ...] = ()
    waiting_closes: int = 0
    sold_on: Mapping[str, date] = field(default_factory=dict)
    claims: tuple[SleeveClaim, ...] = ()
    next_number: int = 1

    @classmethod
    def opened(cls, session: date, initial_cash_krw: int, *, unit: int = 1) -> SleeveBook:
        """A book of cash alone, whose first decision is at the close of ``session``."""
        return cls(
            session=session,
            since=session,
            initial_cash_krw=initial_cash_krw,
            unit=unit,
            cash=initial_cash_krw * unit,
        )

    def amount(self, units: int) -> Decimal:
        """Units as won or shares, exact."""
        return Decimal(units) / self.unit

    def to_document(self) -> dict[str, Any]:
        """The book as JSON, for `from_document`."""
        return to_document(self, BOOK_VERSION)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> SleeveBook:
        """The book of a document.

        Raises
        ------
        InputError
            Another version, a key that is missing or unknown, or a value of another type.
        """
        return from_document(cls, document, BOOK_VERSION)
