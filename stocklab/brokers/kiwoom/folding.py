"""Three lists of orders become one journal: kt00007 (every order of the day), ka10075 (open), ka10076 (filled).

None of them says everything: kt00007 has averages alone and may be late, ka10075 forgets what ended, ka10076 does not
document its rows. What was filled is the most that any of them says. An order is over only when none of them calls it
open, as a wrong "over" would send its rest a second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from stocklab.brokers.kiwoom.models import KST, Leg
from stocklab.brokers.values import BrokerOrder, OrderRef, PlacedState
from stocklab.market.ticks import tick_size

__all__ = ["FoldedDay", "fold"]

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedDay:
    """The orders of a day, and of each its number that a cancel must name now, with its venue."""

    orders: Sequence[BrokerOrder]
    latest: Mapping[str, tuple[str, str]]


def fold(
    day: date, journal: Iterable[Leg], still_open: Iterable[Leg], fills: Iterable[Leg], *, only_open_rest: bool
) -> FoldedDay:
    """Orders of a day by number; requests to change or cancel one are part of it.

    ``only_open_rest``: the market is closed, so what ka10075 (read after kt00007) does not list is over, whatever rest
    kt00007 leaves beside it.
    """
    journal_by, open_by, fills_by = _by_number(journal), _by_number(still_open), _by_number(fills)
    first: dict[str, Leg] = {}
    for source in (fills_by, open_by, journal_by):  # the last one wins: the journal is the most telling
        first |= {number: legs[0] for number, legs in source.items()}
    chains: defaultdict[str, list[str]] = defaultdict(list)
    for number in sorted(first):
        chains[_root(number, first)].append(number)
    orders, latest = [], {}
    for root, numbers in sorted(chains.items()):
        if root not in first or first[root].cancels:
            continue  # a request whose original this answer does not show (yet)
        live = [number for number in numbers if not first[number].cancels]
        orders.append(
            _order(
                day,
                first[root],
                [_Facts.of(n, journal_by.get(n, []), open_by.get(n, []), fills_by.get(n, []), day) for n in live],
                [first[number] for number in numbers if first[number].cancels],
                [first[number] for number in live],
                only_open_rest=only_open_rest,
            )
        )
        taken = [number for number in live if not first[number].refused] or [root]
        latest[root] = (taken[-1], first[root].venue)
    return FoldedDay(orders=orders, latest=latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the lists say of one number together."""

    filled: Decimal
    amount: Decimal
    costs: Decimal | None
    listed_open: bool
    in_journal: bool
    rest: Decimal

    @classmethod
    def of(cls, number: str, journal: Sequence[Leg], opened: Sequence[Leg], fills: Sequence[Leg], day: date) -> _Facts:
        """Raises nothing: a number is in one list at least."""
        quantity = max(leg.quantity for leg in (*journal, *opened, *fills))
        # One row of ka10076 is never more than the truth, whether rows are fills or sums; their sum may be.
        filled = min(quantity, max(_most(journal), _most(opened), _most(fills)))
        exact = [leg for leg in opened if leg.amount is not None and leg.filled == filled]
        whole = fills if sum((leg.filled for leg in fills), _ZERO) == filled else []
        if not filled:
            amount = _ZERO
        elif exact and exact[0].amount is not None:
            amount = exact[0].amount
        elif len(whole) > 1:
            amount = sum((leg.average * leg.filled for leg in whole), _ZERO)
        else:
            averages = [leg.average for leg in (*whole, *journal, *opened) if leg.filled == filled and leg.average]
            # Without a list that agrees (it was read in between), the last known average is worth more than nothing.
            known = averages or [leg.average for leg in (*fills, *journal, *opened) if leg.average]
            amount = _amount_of(known[0], filled, day) if known else _ZERO
        stated = exact or (whole if len(whole) == 1 else [])
        return cls(
            filled=filled,
            amount=amount,
            costs=stated[0].costs if stated else (_ZERO if not filled else None),
            listed_open=any(leg.rest for leg in opened),
            # What kt00007 does not show yet cannot be over for it.
            rest=max((leg.rest or _ZERO for leg in journal), default=quantity - filled),
            in_journal=bool(journal),
        )


def _amount_of(average: Decimal, quantity: Decimal, day: date) -> Decimal:
    """The amount behind an average in whole won, of which Kiwoom does not say whether it is cut or rounded.

    Every fill is on the tick grid and ticks divide one another, so the amount is a multiple of the tick: exact where
    1.5 times the quantity is less than the tick, and at one price always; else less than one won a share wrong.
    Shares have the coarser grid; where it has no amount in reach it is an ETF, whose tick is 5.
    """
    middle = average * quantity
    least, most = middle - quantity / 2, middle + quantity
    # Fills below the average may have a finer tick than the average itself.
    ticks = {tick_size(max(1, int(average * 9 / 10)), market, day) for market in ("KOSPI", "ETF")}
    for tick in sorted(ticks, reverse=True):
        nearest = [step * tick for step in (middle // tick, middle // tick + 1)]
        in_reach = [amount for amount in nearest if least <= amount < most]
        if in_reach:
            return min(in_reach, key=lambda amount: abs(amount - middle))
    return middle


def _order(
    day: date,
    root: Leg,
    facts: Sequence[_Facts],
    cancels: Sequence[Leg],
    legs: Sequence[Leg],
    *,
    only_open_rest: bool,
) -> BrokerOrder:
    filled = sum((one.filled for one in facts), _ZERO)
    taken_away = sum((leg.confirmed for leg in cancels if not leg.refused), _ZERO)
    rest = min(root.quantity - filled - taken_away, sum((one.rest for one in facts), _ZERO))
    is_open = any(one.listed_open for one in facts) or (rest > 0 and not (only_open_rest and facts[0].in_journal))
    costs = [one.costs for one in facts]
    if filled >= root.quantity:
        state = PlacedState.FILLED
    elif root.refused and not filled:
        state = PlacedState.REJECTED
    else:
        state = PlacedState.OPEN if is_open else PlacedState.CANCELLED
    changed = [leg for leg in legs if not leg.refused] or [root]
    return BrokerOrder(
        ref=OrderRef(day, root.number),
        symbol=root.symbol,
        side=root.side,
        kind=root.kind,
        quantity=root.quantity,
        limit_price_krw=root.price and (changed[-1].price or root.price),
        filled_quantity=filled,
        filled_krw=sum((one.amount for one in facts), _ZERO),
        state=state,
        placed_at=datetime.combine(day, root.at, KST),
        costs_krw=None if None in costs else sum((cost for cost in costs if cost is not None), _ZERO),
        reason="refused by the exchange" if state is PlacedState.REJECTED else "",
    )


def _most(legs: Sequence[Leg]) -> Decimal:
    return max((leg.filled for leg in legs), default=_ZERO)


def _by_number(legs: Iterable[Leg]) -> dict[str, list[Leg]]:
    found: defaultdict[str, list[Leg]] = defaultdict(list)
    for leg in legs:
        found[leg.number].append(leg)
    return dict(found)


def _root(number: str, legs: Mapping[str, Leg]) -> str:
    """The first order of a chain; Kiwoom names either that or the one before, and a loop ends too."""
    passed = {number}
    while number in legs and (original := legs[number].original) and original not in passed:
        number = original
        passed.add(number)
    return number
