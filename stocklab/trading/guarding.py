"""Stops, trailing stops and targets over what a sleeve holds: whether one fires at a price, and the order it sends.

Only a price of now fires anything: what is delayed, and the last close, warn at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stocklab.brokers.values import PriceKind, Quote, Side
from stocklab.errors import InputError
from stocklab.trading.book import Holding
from stocklab.trading.journal import Draft, Kept, Origin
from stocklab.trading.order_states import OrderState
from stocklab.trading.pricing import RepricePolicy, Venue, day_limits, is_live, near_limit
from stocklab.trading.repricing import lacking

__all__ = [
    "Guard",
    "GuardKind",
    "Verdict",
    "Warn",
    "exit_draft",
    "judge",
    "plan_key",
    "sellable",
    "send_again",
    "worst",
]

ZERO: Final = Decimal(0)
NEVER_THERE: Final = frozenset({OrderState.REFUSED, OrderState.REJECTED, OrderState.UNSENT, OrderState.WITHDRAWN})
"""Ends of an order that never stood at the broker."""


class GuardKind(StrEnum):
    """What is watched, the one that wins first: where a stop and a target could both fire, the stop did."""

    STOP = "stop"
    TRAILING = "trailing"
    TARGET = "target"


class Warn(StrEnum):
    """Why a guard does not do its work now, or may have to soon."""

    NOT_HELD = "not_held"
    NO_PRICE = "no_price"
    DELAYED = "delayed"
    """The price is old or the last close, and within the level."""
    DELAYED_BEYOND = "delayed_beyond"
    """Such a price is beyond the level: it would have fired."""
    HALTED = "halted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is watched for. A stop and a target have a price or a fraction of the average cost; a trailing stop has a
    fraction of the highest price since it began.

    Raises
    ------
    InputError
        It has neither level nor fraction, both, or one that cannot be.
    """

    guard_id: str
    sleeve_id: str
    symbol: str
    kind: GuardKind
    level_krw: Decimal | None = None
    fraction: Decimal | None = None
    high_krw: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.level_krw is None) == (self.fraction is None):
            raise InputError("A guard has either a price or a fraction. Hint: leave one of them out.")
        if self.kind is GuardKind.TRAILING and self.fraction is None:
            raise InputError("A trailing stop follows the highest price by a fraction of it, found a fixed price.")
        if self.level_krw is not None and not (self.level_krw.is_finite() and self.level_krw > 0):
            raise InputError(f"A level: expected a price above 0, found {self.level_krw}.")
        most = 11 if self.kind is GuardKind.TARGET else 1  # nothing falls below nothing
        if self.fraction is not None and not (self.fraction.is_finite() and 0 < self.fraction < most):
            raise InputError(f"A fraction: expected more than 0 and less than {most}, found {self.fraction}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a price means for a guard. ``level_krw`` is None where it cannot be known; ``new_high`` is to be kept."""

    guard: Guard
    fired: bool = False
    level_krw: Decimal | None = None
    new_high: Decimal | None = None
    warn: Warn | None = None


def judge(
    guard: Guard,
    holding: Holding | None,
    quote: Quote | None,
    now: datetime,
    *,
    age: timedelta = timedelta(seconds=30),
) -> Verdict:
    """Whether a guard fires at the current price. A gap beyond the level fires as the level itself does; while trading
    is halted nothing does.

    Parameters
    ----------
    holding : Holding, optional
        What its sleeve holds of the symbol.
    age : timedelta
        How old a price of now may be.
    """
    if holding is None or holding.quantity <= 0:
        return Verdict(guard=guard, warn=Warn.NOT_HELD)
    high = guard.high_krw
    if quote is None or quote.price_krw <= 0:
        return Verdict(guard=guard, level_krw=_level(guard, holding, high), warn=Warn.NO_PRICE)
    live = is_live(quote, now, age) and not quote.halted
    risen = guard.kind is GuardKind.TRAILING and live and (high is None or quote.price_krw > high)
    level = _level(guard, holding, quote.price_krw if risen else high)
    beyond = level is not None and _beyond(guard.kind, quote.price_krw, level)
    warn = None
    if quote.halted:
        warn = Warn.HALTED
    elif not live:
        warn = Warn.DELAYED_BEYOND if beyond else Warn.DELAYED
    return Verdict(
        guard=guard,
        fired=live and beyond,
        level_krw=level,
        new_high=quote.price_krw if risen else None,
        warn=warn,
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The one that counts of those that fired over the same holding: a stop before a target, then the nearest to the
    price it came from."""
    order = list(GuardKind)
    fired = [one for one in verdicts if one.fired]

    def place(one: Verdict) -> tuple[int, Decimal, str]:
        return order.index(one.guard.kind), -(one.level_krw or ZERO), one.guard.guard_id

    return min(fired, key=place, default=None)


def sellable(sleeve_id: str, symbol: str, held: Decimal, orders: Iterable[Kept]) -> Decimal:
    """What a sleeve may still sell of what it holds: less what its sales that are not over, or wait, will take."""
    bound = ZERO
    for one in orders:
        if one.order.symbol == symbol and one.order.side is Side.SELL and not one.order.state.final:
            bound += one.parts.get(sleeve_id, ZERO) - one.booked.get(sleeve_id, ZERO)
    return max(held - bound, ZERO)


def plan_key(guard_id: str) -> str:
    """Name of the one order that a guard sends."""
    return f"guard:{guard_id}"


def exit_draft(
    verdict: Verdict,
    quantity: Decimal,
    quote: Quote,
    now: datetime,
    *,
    venue: Venue,
    policy: RepricePolicy | None = None,
) -> Draft | None:
    """The order of a guard that fired, None where nothing can be sold.

    A stop sells at the market, a target with a limit near the price, and either with a limit where a policy says how it
    is priced anew. At the lower limit of the day it rests there.

    Parameters
    ----------
    quantity : Decimal
        What the sleeve may sell, see `sellable`.
    """
    whole = quantity - quantity % venue.unit
    if whole <= 0 or whole * quote.price_krw < venue.smallest_krw(now):
        return None
    guard = verdict.guard
    chosen = policy or (RepricePolicy() if guard.kind is GuardKind.TARGET else None)
    limit = _locked(quote, venue, now)
    if limit is None and chosen is not None:
        fraction = min(chosen.fraction, chosen.most_gap)
        limit = near_limit(Side.SELL, quote, venue.market, venue.day(now), fraction)
    return Draft(
        symbol=guard.symbol,
        side=Side.SELL,
        kind=PriceKind.MARKET if limit is None else PriceKind.LIMIT,
        quantity=whole,
        parts={guard.sleeve_id: whole},
        limit_price_krw=limit,
        origin=Origin.STOP,
        reason=guard.kind.value,
        plan_key=plan_key(guard.guard_id),
        policy=None if limit is None or chosen is None else chosen.document(),
    )


def send_again(
    sent: Sequence[Kept], quantity: Decimal, session: date, *, opens: datetime, closes: datetime
) -> Draft | None:
    """The order that joins the next opening auction at the market, for what the exit of a guard could not sell before
    its day ended, or that never stood at the broker; None while that is not over, was given up by a person, or is sold.

    Parameters
    ----------
    sent : sequence of Kept
        The orders of this guard that are known, oldest first.
    quantity : Decimal
        What the sleeve may sell now, see `sellable`.
    session, opens, closes
        The next session, and from when and until when it takes orders for its opening.
    """
    if not sent or any(not one.order.state.final for one in sent):
        return None
    last = sent[-1]
    rest = min(sum(lacking(last).values(), ZERO), quantity)
    unsold = last.order.state is OrderState.EXPIRED or last.order.state in NEVER_THERE
    if not unsold or last.cancel_wanted or last.plan_key is None or rest <= 0:
        return None
    base = last.plan_key.partition("@")[0].partition("#")[0]
    (sleeve_id,) = last.parts
    return Draft(
        symbol=last.order.symbol,
        side=Side.SELL,
        kind=PriceKind.MARKET,
        quantity=rest,
        parts={sleeve_id: rest},
        origin=last.origin,
        reason=last.reason,
        plan_key=f"{base}@{session.isoformat()}",
        replaces_id=last.order.order_id,
        not_before=opens,
        not_after=closes,
    )


def _level(guard: Guard, holding: Holding, high: Decimal | None) -> Decimal | None:
    if guard.level_krw is not None:
        return guard.level_krw
    fraction = guard.fraction or ZERO
    if guard.kind is GuardKind.TRAILING:
        return None if high is None else high * (1 - fraction)
    if holding.cost_krw <= 0:
        return None  # what came without a price has no average cost
    average = holding.cost_krw / holding.quantity
    return average * (1 + fraction if guard.kind is GuardKind.TARGET else 1 - fraction)


def _beyond(kind: GuardKind, price: Decimal, level: Decimal) -> bool:
    return price >= level if kind is GuardKind.TARGET else price <= level


def _locked(quote: Quote, venue: Venue, now: datetime) -> Decimal | None:
    """The lower limit of the day when the price is there: nothing is bought above it then."""
    band = day_limits(quote, venue.market, venue.day(now))
    return band[0] if band is not None and quote.price_krw <= band[0] else None
