"""Which price an order names: near the current one, on the tick, within the day's limits; and how it is priced anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, Literal

from stocklab.brokers.values import Quote, QuoteSource, Side
from stocklab.data.sources.calls import KST
from stocklab.errors import InputError
from stocklab.market.dated import in_force
from stocklab.market.limits import price_limits
from stocklab.market.ticks import round_to_tick
from stocklab.market.upbit import MINIMUM_ORDER_KRW, coin_round_to_tick, coin_tick_size

__all__ = [
    "COINS",
    "LastResort",
    "RepricePolicy",
    "Venue",
    "day_limits",
    "is_live",
    "legal_price",
    "near_limit",
    "policy_of",
]

COINS: Final = "UPBIT"
ZERO: Final = Decimal(0)
_MOST_TRIES: Final = 50
_OF_OTHERS: Final = frozenset({"auction", "slice"})
"""What an order's policy may say beside its prices: that it joins an auction, that it is a slice of a larger one."""


class LastResort(StrEnum):
    """What becomes of the rest when the tries or the time are used up: it stays as it is, is cancelled, or is traded at
    whatever the market pays."""

    LEAVE = "leave"
    CANCEL = "cancel"
    MARKET = "market"


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where a symbol trades: the name of its ticks and limits (KOSPI, KOSDAQ, KONEX, ETF, UPBIT), its smallest quantity
    and how old a price may be. ``buys_by_money``: a purchase at the market names won, as on Upbit."""

    market: str
    unit: Decimal = Decimal(1)
    buys_by_money: bool = False
    quote_age: timedelta = timedelta(seconds=30)

    def day(self, now: datetime) -> date:
        """The session whose rules hold: a day in Seoul, for coins a UTC day."""
        return now.astimezone(UTC if self.market == COINS else KST).date()

    def smallest_krw(self, now: datetime) -> Decimal:
        """The smallest amount of an order."""
        return Decimal(in_force(MINIMUM_ORDER_KRW, self.day(now), "smallest order")) if self.market == COINS else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class RepricePolicy:
    """How an order that is not filled is priced anew.

    ``fraction`` is how far its limit goes beyond the current price towards the worse (0.01 buys up to 1 % above, sells
    down to 1 % below; negative waits on the better side). There are at most ``most`` replacements, one every ``every``,
    until ``until``; then comes the last resort, which counts as one of them. No limit is worse than the current price
    by more than ``most_gap``, nor than ``worst_krw``.

    Raises
    ------
    InputError
        A value is out of its range.
    """

    fraction: Decimal = Decimal("0.01")
    most: int = 3
    every: timedelta = timedelta(seconds=5)
    until: datetime | None = None
    last_resort: LastResort = LastResort.LEAVE
    most_gap: Decimal = Decimal("0.05")
    worst_krw: Decimal | None = None

    def __post_init__(self) -> None:
        if not -1 < self.fraction < 1 or not ZERO < self.most_gap < 1:
            raise InputError(f"Fractions of a price: expected within 1, found {self.fraction} and {self.most_gap}.")
        if not 0 <= self.most <= _MOST_TRIES:
            raise InputError(f"Replacements: expected 0 to {_MOST_TRIES}, found {self.most}.")
        if self.every < timedelta(seconds=1):
            raise InputError(f"Pause between two prices: expected at least a second, found {self.every}.")
        if self.until is not None and self.until.tzinfo is None:
            raise InputError(f"until: expected a moment with its zone, found {self.until}.")
        if self.worst_krw is not None and self.worst_krw <= 0:
            raise InputError(f"worst_krw: expected more than 0, found {self.worst_krw}.")

    def document(self) -> dict[str, Any]:
        """As JSON, for the order's row."""
        return {
            "fraction": str(self.fraction),
            "most": self.most,
            "every_seconds": self.every.total_seconds(),
            "until": None if self.until is None else self.until.isoformat(),
            "last_resort": self.last_resort.value,
            "most_gap": str(self.most_gap),
            "worst_krw": None if self.worst_krw is None else str(self.worst_krw),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RepricePolicy:
        """Of a document. Raises InputError where a key is missing or unknown, or a value is none."""
        wanted = {"every_seconds" if one.name == "every" else one.name for one in fields(cls)}
        if document.keys() - _OF_OTHERS != wanted:
            raise InputError(f"A policy of prices: expected {sorted(wanted)}, found {sorted(document)}.")
        until, worst, most = document["until"], document["worst_krw"], document["most"]
        try:
            if type(most) is not int:
                raise ValueError(most)
            return cls(
                fraction=Decimal(document["fraction"]),
                most=most,
                every=timedelta(seconds=document["every_seconds"]),
                until=None if until is None else datetime.fromisoformat(until),
                last_resort=LastResort(document["last_resort"]),
                most_gap=Decimal(document["most_gap"]),
                worst_krw=None if worst is None else Decimal(worst),
            )
        except (ValueError, TypeError, InvalidOperation) as error:
            raise InputError(f"A policy of prices that cannot be read: {dict(document)}.") from error


def policy_of(document: Mapping[str, Any] | None) -> RepricePolicy | None:
    """How an order is priced anew by the policy in its row; None where it is not. Raises InputError, see there."""
    return RepricePolicy.of(document) if document is not None and document.keys() - _OF_OTHERS else None


def near_limit(side: Side, quote: Quote, market: str, day: date, fraction: Decimal) -> Decimal:
    """The legal limit price nearest to the current price and ``fraction`` towards the worse: above it for a purchase,
    below it for a sale, the other way where negative.

    It is rounded to the tick on the better side, so that it is never worse than asked for, and moved inside the limits
    of the day, which the broker names or the base price gives.

    Parameters
    ----------
    market : str
        KOSPI, KOSDAQ, KONEX, ETF (for ETFs and ETNs) or UPBIT.
    day : date
        The day in Seoul; for coins the UTC day.

    Raises
    ------
    InputError
        The price or the fraction is none, or the market or its rules on the day are not known.

    >>> quote = Quote(symbol="005930", price_krw=Decimal(71_400), at=datetime.now(KST), source=QuoteSource.REST)
    >>> near_limit(Side.BUY, quote, "KOSPI", date(2026, 11, 20), Decimal("0.01"))
    Decimal('72100')
    """
    if quote.price_krw <= 0 or not -1 < fraction < 1:
        raise InputError(f"Expected a price above 0 and a fraction within 1, found {quote.price_krw} and {fraction}.")
    buys = side is Side.BUY
    wished = quote.price_krw * (1 + fraction if buys else 1 - fraction)
    legal = legal_price(wished, market, day, "down" if buys else "up") or _smallest_tick(market, day)
    band = day_limits(quote, market, day)
    if band is None:
        return legal
    low, high = legal_price(band[0], market, day, "up"), legal_price(band[1], market, day, "down")
    return min(max(legal, low), high)


def day_limits(quote: Quote, market: str, day: date) -> tuple[Decimal, Decimal] | None:
    """Lowest and highest price of the day: the broker's own where it names them, else counted from its base price; None
    where there are none, or nothing is known of them."""
    if quote.lower_limit_krw is not None and quote.upper_limit_krw is not None:
        return quote.lower_limit_krw, quote.upper_limit_krw
    if quote.base_price_krw is None or market == COINS:
        return None
    low, high = price_limits(int(quote.base_price_krw), market, day)
    return Decimal(low), Decimal(high)


def is_live(quote: Quote | None, now: datetime, age: timedelta) -> bool:
    """Whether a price is one of now: from the socket or asked for, and not older than ``age``."""
    return quote is not None and quote.source is not QuoteSource.CLOSE and now - quote.at <= age


def legal_price(price_krw: Decimal, market: str, day: date, direction: Literal["up", "down"]) -> Decimal:
    """The nearest price on the tick above or below; 0 where there is none below."""
    if market == COINS:
        return coin_round_to_tick(price_krw, day, direction)
    # Ticks are whole won: the won above or below first, then the tick of that price, has the same end as at once.
    whole = int(price_krw) if direction == "down" or price_krw == int(price_krw) else int(price_krw) + 1
    return Decimal(round_to_tick(whole, market, day, direction))


def _smallest_tick(market: str, day: date) -> Decimal:
    return coin_tick_size(ZERO, day) if market == COINS else legal_price(Decimal(1), market, day, "up")
