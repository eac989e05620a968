"""A large order in slices over time: evenly (TWAP), or as the market trades over the day (VWAP).

How much is to be filled by when is fixed at the beginning; each slice is for what is lacking of that when its time
comes, so that what one could not fill is in the next, after a kill too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Final

from stocklab.brokers.values import PriceKind
from stocklab.data.sources.calls import KST
from stocklab.errors import InputError
from stocklab.trading.apportion import apportion
from stocklab.trading.journal import Draft, Kept
from stocklab.trading.order_states import OrderState
from stocklab.trading.repricing import Cancel, Keep

__all__ = ["KRX_VOLUME", "Profile", "Send", "Slicing", "due_slice", "share_of_volume", "slice_order", "slices"]

ZERO: Final = Decimal(0)
_MOST_SLICES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a day's volume spreads over it: a weight from each time in Seoul to the next, the last until ``ends``.

    Raises
    ------
    InputError
        The times do not rise, or a weight is negative, or all are zero.
    """

    starts: tuple[time, ...]
    weights: tuple[Decimal, ...]
    ends: time

    def __post_init__(self) -> None:
        edges = (*self.starts, self.ends)
        if len(self.starts) != len(self.weights) or any(early >= late for early, late in pairwise(edges)):
            raise InputError(f"A profile of volume: expected rising times with a weight each, found {edges}.")
        if min(self.weights) < 0 or not sum(self.weights):
            raise InputError("A profile of volume: expected weights of which none is negative and one is positive.")

    def between(self, start: datetime, end: datetime) -> Decimal:
        """The weight of a span of one day in Seoul, in proportion where it cuts a piece."""
        day, found = start.astimezone(KST).date(), ZERO
        edges = [datetime.combine(day, one, tzinfo=KST) for one in (*self.starts, self.ends)]
        for (early, late), weight in zip(pairwise(edges), self.weights, strict=True):
            inside = min(late, end) - max(early, start)
            if inside > timedelta(0):
                found += weight * _seconds(inside) / _seconds(late - early)
        return found


KRX_VOLUME: Final = Profile(
    starts=tuple(time(9 + half // 2, 30 * (half % 2)) for half in range(13)),
    weights=tuple(
        Decimal(percent)
        for percent in "17.2 10.2 8.2 7.2 6.3 5.4 4.7 4.8 5.2 5.8 6.3 6.6 12.1".split()  # noqa: SIM905
    ),
    ends=time(15, 30),
)
"""Percent of a session's traded value by half hours.

Source: the exchange's own count for 2015 (press, 2016-05-27): the first half hour 17.2 %, the last 12.1 %, the least
from 12:00 with 4.7 %, between them a U. ASSUMED: the halves that the count does not name lie on that curve, and the
last half hour kept its share when the session became half an hour longer in 2016.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicing:
    """A large order and its plan: by when how much of it is to be filled. ``moments`` is when each slice begins,
    ``cumulative`` the quantity up to and with it."""

    whole: Draft
    moments: tuple[datetime, ...]
    ends: datetime
    cumulative: tuple[Decimal, ...]
    unit: Decimal
    smallest: Decimal


@dataclass(frozen=True, slots=True)
class Send:
    """Write this order: it is the slice that is due."""

    draft: Draft


def slice_order(
    whole: Draft,
    starts: datetime,
    ends: datetime,
    count: int,
    *,
    unit: Decimal = Decimal(1),
    smallest: Decimal = Decimal(1),
    profile: Profile | None = None,
    jitter: Decimal = ZERO,
    seed: int = 0,
) -> Slicing:
    """Plan an order as slices of equal time between two moments.

    Quantities are multiples of the unit by largest remainder and add up to the whole; a slice below ``smallest`` waits
    for the next one, so that there may be fewer than ``count``.

    Parameters
    ----------
    profile : Profile, optional
        Slices in proportion to it (VWAP); else equal ones (TWAP).
    jitter : Decimal
        A slice begins up to this part of the pause earlier or later, by ``seed``; less than a half, 0 = never.

    Raises
    ------
    InputError
        The order names no quantity or plan, or the time, count or jitter is none.
    """
    if whole.quantity is None or whole.plan_key is None or whole.quantity % unit:
        raise InputError(f"Slices need an order of a quantity in multiples of {unit} with a plan_key, found {whole}.")
    if not 1 <= count <= _MOST_SLICES or ends <= starts or not 0 <= jitter < Decimal("0.5"):
        raise InputError(
            f"Slices: expected 1 to {_MOST_SLICES} between two moments and a jitter below 0.5, "
            f"found {count} from {starts} to {ends} with {jitter}."
        )
    step = (ends - starts) / count
    edges = [starts + step * number for number in range(count)] + [ends]
    weights = [Decimal(1) if profile is None else profile.between(*span) for span in pairwise(edges)]
    shares = apportion(whole.quantity, {f"{number:04}": one for number, one in enumerate(weights)}, unit)
    quantities = _gathered([shares[name] for name in sorted(shares)], max(smallest, unit))
    moments, cumulative, so_far = [], [], ZERO
    rng = random.Random(seed)  # noqa: S311 - nothing is secret about it
    for number, quantity in enumerate(quantities):
        shift = Decimal(repr(rng.uniform(-1, 1))) * jitter
        if quantity:
            so_far += quantity
            begins = edges[number] + timedelta(seconds=int(step.total_seconds() * float(shift)))
            moments.append(max(begins, starts))
            cumulative.append(so_far)
    return Slicing(
        whole=whole,
        moments=tuple(moments),
        ends=ends,
        cumulative=tuple(cumulative),
        unit=unit,
        smallest=max(smallest, unit),
    )


def slices(plan: Slicing) -> tuple[Draft, ...]:
    """The slices as they will be when each fills in its time: what a preview shows."""
    left, found, before = dict(plan.whole.parts), [], ZERO
    for number, until in enumerate(plan.cumulative):
        parts = apportion(until - before, left, plan.unit)
        left = {name: rest - parts[name] for name, rest in left.items()}
        found.append(_slice(plan, number, parts))
        before = until
    return tuple(found)


def due_slice(
    plan: Slicing,
    sent: Sequence[Kept],
    now: datetime,
    *,
    limit_price_krw: Decimal | None = None,
    most: Decimal | None = None,
) -> Keep | Cancel | Send:
    """What to do for a plan now, after a turn that read the broker's journal as of now.

    A slice whose successor's time has come is cancelled first; the successor is for all that is lacking by then, once
    the end of the other is in the journal.

    Parameters
    ----------
    sent : sequence of Kept
        The orders of this plan, oldest first (``Journal.of_plan``).
    limit_price_krw : Decimal, optional
        The limit of a slice; None = at the market.
    most : Decimal, optional
        The most that a slice may take now (`share_of_volume`).
    """
    begun = [number for number, moment in enumerate(plan.moments) if moment <= now]
    if not begun:
        return Keep("it has not begun")
    number = begun[-1]
    if any(one.cancel_wanted and one.policy is None for one in sent):
        return Keep("a person ended it")
    over = now > plan.ends
    if not over and any(_number(one) == number for one in sent):
        return Keep("this slice is sent")
    for one in sent:
        if one.order.state in (OrderState.OPEN, OrderState.INTENT) and not one.cancel_wanted:
            return Cancel(one.order.order_id, "its time is over")
        if not one.order.state.final:
            return Keep("the slice before is not over")
    filled = sum((one.order.booked_quantity for one in sent), ZERO)
    quantity = plan.cumulative[number] - filled
    if most is not None:
        quantity = min(quantity, most - most % plan.unit)
    if over or quantity < min(plan.smallest, (plan.whole.quantity or ZERO) - filled) or quantity <= 0:
        return Keep("its time is over" if over else "nothing is lacking, or too little may be traded")
    left = {name: part - sum(one.booked.get(name, ZERO) for one in sent) for name, part in plan.whole.parts.items()}
    # Nothing for some sleeve is a part too: whose an order is says which kill switches hold it back.
    draft = _slice(plan, number, apportion(quantity, left, plan.unit), limit_price_krw=limit_price_krw)
    first = sent[0].epoch if sent else None
    return Send(draft if draft.epoch is not None else replace(draft, epoch=first))


def share_of_volume(volume: Decimal, participation: Decimal, unit: Decimal) -> Decimal:
    """The most of a volume that may be taken, in whole units.

    >>> share_of_volume(Decimal(1234), Decimal("0.1"), Decimal(1))
    Decimal('123')
    """
    return (volume * participation / unit).quantize(Decimal(1), ROUND_DOWN) * unit


def _slice(plan: Slicing, number: int, parts: dict[str, Decimal], *, limit_price_krw: Decimal | None = None) -> Draft:
    last = number + 1 == len(plan.moments)
    return replace(
        plan.whole,
        kind=PriceKind.MARKET if limit_price_krw is None else PriceKind.LIMIT,
        limit_price_krw=limit_price_krw,
        quantity=sum(parts.values(), ZERO),
        parts=parts,
        plan_key=f"{plan.whole.plan_key}/{number + 1}",
        not_before=plan.moments[number],
        not_after=plan.ends if last else plan.moments[number + 1],
        policy={**(plan.whole.policy or {}), "slice": True},
    )


def _number(one: Kept) -> int:
    """Which slice an order is, or takes the place of, counted from 0."""
    return int((one.plan_key or "/0").rpartition("/")[2].partition("#")[0]) - 1


def _gathered(quantities: Sequence[Decimal], smallest: Decimal) -> list[Decimal]:
    """The same sum in the same places, none but zeros below the smallest; a rest that is too small joins the last."""
    found, waiting, last = [ZERO] * len(quantities), ZERO, len(quantities) - 1
    for number, quantity in enumerate(quantities):
        waiting += quantity
        if waiting >= smallest:
            found[number], waiting, last = waiting, ZERO, number
    found[last] += waiting
    return found


def _seconds(span: timedelta) -> Decimal:
    return Decimal(repr(span.total_seconds()))
