"""Returns of a live account that deposits and withdrawals neither make nor hide.

A flow counts at the start of its day: r = E / (E of the day before + flow) - 1, with E the equity at the close.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Final

from stocklab.errors import InputError
from stocklab.trading.book import Entry, EntryKind
from stocklab.trading.live_worth import price_of

__all__ = [
    "AccountDay",
    "Losses",
    "MoneyWeighted",
    "daily_returns",
    "flow_krw",
    "growth",
    "losses",
    "money_weighted",
    "time_weighted",
]

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
_DAYS_PER_YEAR: Final = 365.0
_WIDEST: Final = 20.0
"""Growth over the whole period is sought within e^-20 and e^20."""
_LARGEST_EXPONENT: Final = 700.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDay:
    """Equity at the close, and what came from outside (deposits positive, withdrawals negative) since the close
    before."""

    session: date
    equity_krw: Decimal
    flow_krw: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What `stage_of` asks for. ``drawdown`` is 0 or negative: growth of one won since its peak."""

    day_return: Decimal
    week_return: Decimal
    drawdown: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyWeighted:
    """Internal rate of return by calendar days: over the whole period, and the same for a year (which means little, and
    may be infinite, for an account of a few days)."""

    period: float
    yearly: float


def flow_krw(entries: Iterable[Entry], prices_krw: Mapping[str, Decimal], sleeve_id: str | None = None) -> Decimal:
    """What entries of a day brought from outside the account, or from outside one sleeve of it.

    Flows are cash from elsewhere and holdings that no trade explains, at these prices; of a sleeve also what was
    allocated to it. Dividends that the broker does not name are among the cash from elsewhere: the return of an account
    then leaves them out.

    Raises
    ------
    InputError
        A holding that came from outside has no price.
    """
    total = ZERO
    for entry in entries:
        if sleeve_id is not None and entry.sleeve_id != sleeve_id:
            continue
        if entry.kind in (EntryKind.CASH_ELSEWHERE, EntryKind.ALLOCATION, EntryKind.UNEXPLAINED):
            total += entry.cash_krw
        if entry.kind is EntryKind.UNEXPLAINED and entry.symbol is not None and entry.quantity:
            total += entry.quantity * price_of(entry.symbol, prices_krw)
    return total


def daily_returns(days: Sequence[AccountDay]) -> tuple[Decimal | None, ...]:
    """Return of each day after the first, whose equity is the start (its flow is in it already). None while there is
    nothing to earn with: an empty account.

    Raises
    ------
    InputError
        Sessions do not ascend, or an account that had nothing (or less) has an equity: a flow is missing.

    >>> daily_returns([AccountDay(session=date(2026, 1, 5), equity_krw=Decimal(100)),
    ...                AccountDay(session=date(2026, 1, 6), equity_krw=Decimal(165), flow_krw=Decimal(50))])
    (Decimal('0.1'),)
    """
    found: list[Decimal | None] = []
    for before, day in pairwise(days):
        if day.session <= before.session:
            raise InputError(f"Expected sessions that ascend, found {day.session} after {before.session}.")
        base = before.equity_krw + day.flow_krw
        if base > 0:
            found.append(day.equity_krw / base - ONE)
        elif day.equity_krw == base == 0:
            found.append(None)
        else:
            raise InputError(
                f"{day.session}: expected won to earn with, found {base} at the start, {day.equity_krw} at the close. "
                "Hint: book the missing deposit."
            )
    return tuple(found)


def growth(days: Sequence[AccountDay]) -> tuple[Decimal, ...]:
    """One won at each close, from 1 at the first. Days without a return leave it. Raises as `daily_returns`."""
    level, levels = ONE, [ONE] if days else []
    for change in daily_returns(days):
        level *= ONE if change is None else ONE + change
        levels.append(level)
    return tuple(levels)


def time_weighted(days: Sequence[AccountDay]) -> Decimal | None:
    """Return over all days as of one won that was neither added to nor taken from; None with fewer than two days.

    Raises as `daily_returns`.
    """
    return growth(days)[-1] - ONE if len(days) > 1 else None


def losses(days: Sequence[AccountDay], week_sessions: int = 5) -> Losses:
    """Return of the last day, of the last ``week_sessions`` (as many as there are; 7 for coins), and the fall from the
    peak. The week rolls, so that Friday's loss is not forgotten on Monday. Without a day, nothing is lost.

    Raises
    ------
    InputError
        As `daily_returns`; or ``week_sessions`` is not positive.
    """
    if week_sessions < 1:
        raise InputError(f"Expected a week of at least one session, found {week_sessions}.")
    levels = growth(days)
    if not levels:
        return Losses(day_return=ZERO, week_return=ZERO, drawdown=ZERO)
    return Losses(
        day_return=_change(levels[max(len(levels) - 2, 0)], levels[-1]),
        week_return=_change(levels[max(len(levels) - 1 - week_sessions, 0)], levels[-1]),
        drawdown=_change(max(levels), levels[-1]),
    )


def money_weighted(days: Sequence[AccountDay]) -> MoneyWeighted | None:
    """Rate at which the equity of the first close and the flows since would have become the last equity (XIRR).

    Found by bisection in the logarithm of growth. With withdrawals there can be several; the one nearest to 0 is taken.
    None where none exists (nothing was ever put in, or all of it is lost), or the account is younger than a day.
    """
    if len(days) < 2 or days[-1].session <= days[0].session:
        return None
    first, last = days[0].session, days[-1].session
    flows = [(days[0].equity_krw, first), *((day.flow_krw, day.session) for day in days[1:])]
    timed = [(float(krw), (last - session) / (last - first)) for krw, session in flows if krw]
    rate = _root(timed, float(days[-1].equity_krw))
    if rate is None:
        return None
    yearly = rate * _DAYS_PER_YEAR / (last - first).days
    return MoneyWeighted(period=math.expm1(rate), yearly=math.expm1(yearly) if yearly < _LARGEST_EXPONENT else math.inf)


def _root(timed: Sequence[tuple[float, float]], final: float) -> float | None:
    """The growth rate nearest to 0 at which flows, each with the part of the period it was there, become ``final``."""

    def left_over(rate: float) -> float:
        return sum(krw * math.exp(rate * part) for krw, part in timed) - final

    if not any(part > 0 for _, part in timed):
        return None
    inner = 0.0
    while inner < _WIDEST:
        outer = min(inner + max(0.01, inner * 0.1), _WIDEST)
        for sign in (1.0, -1.0):
            if left_over(sign * inner) * left_over(sign * outer) <= 0.0:
                return _bisect(left_over, sign * inner, sign * outer)
        inner = outer
    return None


def _bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """A zero between two ends at which the function differs in sign."""
    at_low = function(low)
    if at_low == 0.0:
        return low
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if (function(middle) > 0.0) == (at_low > 0.0):
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _change(before: Decimal, after: Decimal) -> Decimal:
    return after / before - ONE if before > 0 else ZERO
