"""From what strategies decided to orders: when each goes out, at what price, and which of them become one. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from stocklab.backtest.decide import Decision
from stocklab.backtest.sleeve_book import OrderMode, OrderSide, SleeveOrder
from stocklab.brokers.values import PriceKind, Quote, Side
from stocklab.live.trader_settings import Timing, TraderSettings
from stocklab.live.traders import StopWay, Trader, TraderState
from stocklab.trading.day_steps import Step, Window
from stocklab.trading.journal import Draft, Origin
from stocklab.trading.netting import Crossing, Wish, net
from stocklab.trading.pricing import RepricePolicy, near_limit

__all__ = ["Planned", "PlannedOrder", "Wanted", "group", "plan", "timing_of", "window_of", "wishes"]

ZERO: Final = Decimal(0)
_BY_MODE: Final = {
    OrderMode.OPEN: Timing.OPEN,
    OrderMode.TRIGGER: Timing.OPEN,
    OrderMode.CLOSE: Timing.CLOSE,
    OrderMode.LIMIT: Timing.OPEN,
    OrderMode.VWAP: Timing.SLICES,
}
_STEPS: Final = {
    Timing.OPEN: Step.OPEN_ORDERS,
    Timing.CHECK: Step.BUY_CHECK,
    Timing.LATE_CHECK: Step.SELL_CHECK,
    Timing.CLOSE: Step.CLOSE_ORDERS,
    Timing.SLICES: Step.BUY_CHECK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One order of a decision that is to go out now. ``reserve_krw``: cash that its trader keeps."""

    trader: Trader
    decision_id: str
    order: SleeveOrder
    quantity: Decimal
    limit_krw: Decimal | None
    reserve_krw: Decimal
    timing: Timing

    @property
    def side(self) -> Side:
        """Which way."""
        return Side(self.order.side.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """An order to be written, whole; ``timing`` SLICES: it goes out in pieces."""

    draft: Draft
    timing: Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a group of wishes for one symbol comes to.

    ``placed`` is what to note of each decision: the number of its order and the plan it is part of.
    """

    symbol: str
    order: PlannedOrder | None
    crossings: tuple[Crossing, ...]
    crossing_price_krw: Decimal | None
    placed: Mapping[str, Mapping[int, str]]


def timing_of(order: SleeveOrder, settings: TraderSettings) -> Timing:
    """When an order goes out: as its trader is set, else where the document says that it fills."""
    chosen = settings.buy if order.side is OrderSide.BUY else settings.sell
    return _BY_MODE[order.mode] if chosen is Timing.STRATEGY else chosen


def window_of(timing: Timing, limit: bool, day: Sequence[Window]) -> Window:
    """From when to when orders of a timing may be written; a limit of the day until the last step of the session."""
    opens = next(one for one in day if one.step is _STEPS[timing])
    if limit and timing is Timing.OPEN:
        last = next(one for one in day if one.step is Step.SELL_CHECK)
        return Window(step=opens.step, opens=opens.opens, closes=last.closes)
    return opens


def wishes(trader: Trader, decision_id: str, decision: Decision, placed: Mapping[int, str]) -> list[Wanted]:
    """What of a decision is still to be sent. One that is stopping buys nothing; one that keeps its holdings sells
    nothing either."""
    found: list[Wanted] = []
    unit = decision.book.unit
    for order in (*decision.orders, *decision.kept):
        buys = order.side is OrderSide.BUY
        if order.number in placed or order.left <= 0 or (buys and trader.state is not TraderState.ACTIVE):
            continue
        if trader.state is TraderState.STOPPING and trader.stop_way is not StopWay.NO_ENTRIES:
            continue
        found.append(
            Wanted(
                trader=trader,
                decision_id=decision_id,
                order=order,
                quantity=Decimal(order.left) / unit,
                limit_krw=None if order.limit is None else Decimal(order.limit) / unit,
                reserve_krw=Decimal(decision.reserve) / unit,
                timing=timing_of(order, trader.settings),
            )
        )
    return found


def group(wanted: Iterable[Wanted]) -> list[list[Wanted]]:
    """Wishes that meet: for one symbol, with the same timing and the same limit. Sales come first, then purchases in
    the order in which they were decided, as long as cash lasts."""
    groups: dict[tuple[str, Timing, Decimal | None], list[Wanted]] = {}
    for one in wanted:
        groups.setdefault((one.order.symbol, one.timing, one.limit_krw), []).append(one)
    return sorted(
        groups.values(),
        key=lambda some: (all(one.side is Side.BUY for one in some), min(one.order.number for one in some)),
    )


def plan(
    some: Sequence[Wanted],
    *,
    quote: Quote | None,
    market: str,
    day: Sequence[Window],
    now: datetime,
    unit: Decimal,
    affordable: Callable[[Decimal], Decimal],
    at_market: bool = False,
) -> Planned | None:
    """Net one group and make its order; None where no price is known that an order needs.

    Parameters
    ----------
    some : sequence of Wanted
        One of `group`.
    affordable : callable
        The most of the symbol that cash still buys at a limit.
    at_market : bool
        Purchases at an auction need no limit: the account is filled by bars, and binds no more cash than the price.
    """
    first = some[0]
    reference = None if quote is None else quote.price_krw
    by_sleeve: dict[tuple[str, Side], Decimal] = {}
    for one in some:
        place = (one.trader.id, one.side)
        by_sleeve[place] = by_sleeve.get(place, ZERO) + one.quantity
    both = {side for _, side in by_sleeve}
    if len(both) == 2 and reference is None:
        return None
    netted = net(
        (Wish(sleeve_id=sleeve, side=side, quantity=quantity) for (sleeve, side), quantity in by_sleeve.items()), unit
    )
    key = _key(some)
    placed: dict[str, dict[int, str]] = {}
    for one in some:
        placed.setdefault(one.decision_id, {})[one.order.number] = key
    order = None
    if netted.order is not None:
        parts, side = dict(netted.order.parts), netted.order.side
        made = _priced(first, side, quote, market=market, day=day, now=now, at_market=at_market)
        if made is None:
            return None
        kind, limit, policy = made
        if side is Side.BUY and limit is not None:
            parts = _within(parts, affordable(limit), unit)
        quantity = sum(parts.values(), ZERO)
        window = window_of(first.timing, first.limit_krw is not None, day)
        if quantity:
            order = PlannedOrder(
                timing=first.timing,
                draft=Draft(
                    symbol=first.order.symbol,
                    side=side,
                    kind=kind,
                    quantity=quantity,
                    limit_price_krw=limit,
                    parts=parts,
                    origin=Origin.STRATEGY,
                    reason=_reason(some, side),
                    plan_key=key,
                    not_before=window.opens,
                    not_after=window.closes,
                    policy=policy,
                ),
            )
    return Planned(
        symbol=first.order.symbol,
        order=order,
        crossings=netted.crossings,
        crossing_price_krw=reference if netted.crossings else None,
        placed=placed,
    )


def _priced(
    first: Wanted,
    side: Side,
    quote: Quote | None,
    *,
    market: str,
    day: Sequence[Window],
    now: datetime,
    at_market: bool,
) -> tuple[PriceKind, Decimal | None, dict[str, Any]] | None:
    """Kind, limit and policy of an order; None while a price is lacking."""
    settings, timing = first.trader.settings, first.timing
    if first.limit_krw is not None:
        return PriceKind.LIMIT, first.limit_krw, {"auction": True}
    auction = timing in (Timing.OPEN, Timing.CLOSE)
    if (side is Side.SELL and timing is Timing.SLICES) or (auction and (side is Side.SELL or at_market)):
        return PriceKind.MARKET, None, {"auction": auction}
    if quote is None:
        return None
    # At the market a purchase binds cash up to the upper limit of the day: a limit near the price does not.
    limit = near_limit(side, quote, market, now.date(), settings.fraction)
    ends = next(one for one in day if one.step is Step.SELL_CHECK).closes
    if timing in (Timing.LATE_CHECK, Timing.CLOSE):
        ends = next(one for one in day if one.step is Step.CLOSE_ORDERS).closes
    policy = RepricePolicy(
        fraction=settings.fraction,
        most=settings.reprice_most,
        every=settings.reprice_every,
        until=ends,
        last_resort=settings.last_resort,
    )
    return PriceKind.LIMIT, limit, {**policy.document(), "auction": auction}


def _within(parts: dict[str, Decimal], most: Decimal, unit: Decimal) -> dict[str, Decimal]:
    """Parts of a purchase that cash affords, the same fraction of each."""
    whole = sum(parts.values(), ZERO)
    if most >= whole:
        return parts
    return {name: part * most / whole // unit * unit for name, part in parts.items()}


def _key(some: Sequence[Wanted]) -> str:
    """Names a plan by the orders in it, so that the same ones are never written twice."""
    numbers = sorted(f"{one.decision_id}:{one.order.number}" for one in some)
    digest = hashlib.sha256(" ".join(numbers).encode()).hexdigest()[:16]
    return f"plan:{some[0].order.symbol}:{digest}"


def _reason(some: Sequence[Wanted], side: Side) -> str:
    """Why, in the words of the trades table: the cause and the rule of each."""
    texts = [f"{one.order.cause} {one.order.rule_text}".strip() for one in some if one.side is side]
    return "; ".join(dict.fromkeys(texts))[:500]
