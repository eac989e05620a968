"""Words and terms of paper accounts, and what the paper broker can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from stocklab.brokers.values import BrokerName, BrokerTraits
from stocklab.errors import InputError

__all__ = ["BILLION", "KRX_COMMISSION_PPB", "CashCheck", "MoveKind", "Phase", "Terms", "paper_traits"]

BILLION: Final = 1_000_000_000
"""Rates are in parts per billion."""

KRX_COMMISSION_PPB: Final = 150_000
"""0.015 % of each trade: what large brokers ask for orders by an interface; LIKELY, the owner's own rate is the
truth."""


class CashCheck(StrEnum):
    """At which price a purchase at the market must be affordable when it is placed.

    UPPER_LIMIT as Korean brokers ask; REFERENCE at the last price; AT_FILL asks nothing, and the fill is bounded by
    what is there then, as in a backtest.
    """

    UPPER_LIMIT = "upper_limit"
    REFERENCE = "reference"
    AT_FILL = "at_fill"


class Phase(StrEnum):
    """The part of its day that an order meets first: the opening auction, the market inside the session, or the
    closing auction."""

    OPEN = "open"
    INSIDE = "inside"
    CLOSE = "close"


class MoveKind(StrEnum):
    """What changed the cash; the words of a backtest's ledger, and money that its owner put in or took out."""

    DEPOSIT = "deposit"
    BUY = "buy"
    SELL = "sell"
    COMMISSION = "commission"
    TAX = "tax"
    SLIPPAGE = "slippage"
    DELISTING = "delisting"
    FRACTION = "fraction"
    RIGHTS = "rights"
    DIVIDEND = "dividend"
    DIVIDEND_TAX = "dividend_tax"

    @property
    def of_trade(self) -> bool:
        """Whether it is settled with a trade, days later; everything else is there at once."""
        return self in (MoveKind.BUY, MoveKind.SELL, MoveKind.COMMISSION, MoveKind.TAX, MoveKind.SLIPPAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an account pays and may take of a session: rates in parts per billion.

    ``slippage_ppb`` counts in bar mode alone: with live quotes the spread is seen.

    Raises
    ------
    InputError
        A rate below 0, of 100 % and more, or a participation that fills nothing.
    """

    commission_ppb: int = KRX_COMMISSION_PPB
    slippage_ppb: int = 1_000_000
    participation_ppb: int = 100_000_000
    cash_check: CashCheck = CashCheck.UPPER_LIMIT

    def __post_init__(self) -> None:
        for name, rate in (("commission", self.commission_ppb), ("slippage", self.slippage_ppb)):
            if not 0 <= rate < BILLION:
                raise InputError(f"{name}: expected parts per billion from 0 to {BILLION - 1}, found {rate}.")
        if not 0 < self.participation_ppb <= BILLION:
            raise InputError(f"participation: expected more than 0 and at most 1, found {self.participation_ppb} ppb.")


def paper_traits(*, live: bool, coins: bool) -> BrokerTraits:
    """What the paper broker can do.

    ``day_ends`` is off in bar mode, where an order stays open until the bar of its session is known, which may be the
    next morning: the broker itself says then how it ended.
    """
    return BrokerTraits(
        name=BrokerName.PAPER,
        mock=True,
        knows_client_ids=True,
        day_ends=live and not coins,
        coins=coins,
        buys_by_money=coins,
        rests_stops=False,
        lookup_after=(timedelta(0),),
        absent_after=timedelta(seconds=5),
    )
