"""An order that is not filled is priced anew as cancel, confirm, new: what is to be done with it now.

The replacement is for what each sleeve still lacks, and no sooner than the journal shows the end of the order it takes
the place of. Its plan is named after the first one (``KEY#2``), so that a kill between the two never makes two of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from stocklab.brokers.values import PriceKind, Quote, Side
from stocklab.trading.journal import Draft, Kept
from stocklab.trading.order_states import OrderState
from stocklab.trading.pricing import LastResort, RepricePolicy, Venue, day_limits, is_live, legal_price, near_limit

__all__ = ["Cancel", "Keep", "Replace", "lacking", "reprice", "tries"]

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing is to be done now; ``why`` is English, for logs."""

    why: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ask for an order to be cancelled (``Journal.want_cancel(order_id, to_replace=True)``)."""

    order_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Write this order for what is left of one that ended."""

    draft: Draft


def tries(kept: Kept) -> tuple[str, int]:
    """Name of the plan an order began with, and which try of it this is, counted from 1."""
    if kept.plan_key is None:
        return f"order:{kept.order.order_id}", 1
    base, mark, number = kept.plan_key.rpartition("#")
    return (base, int(number)) if mark and kept.replaces_id is not None else (kept.plan_key, 1)


def lacking(kept: Kept) -> dict[str, Decimal]:
    """What each sleeve still lacks of an order; nothing too: whose it is says which kill switches hold it back."""
    return {name: part - kept.booked.get(name, ZERO) for name, part in sorted(kept.parts.items())}


def reprice(
    kept: Kept, policy: RepricePolicy, quote: Quote | None, now: datetime, *, venue: Venue
) -> Keep | Cancel | Replace:
    """What to do with an order that has a policy, after a turn that read the broker's journal as of now.

    An order that ended is replaced only when it was cancelled for that: not when the day ended, the kill switch was
    thrown or a person cancelled it. The replacement bears the epoch of the order it replaces, so that a switch thrown
    meanwhile holds it back too. Writing it twice writes it once (``Journal.intend``).
    """
    order = kept.order
    if order.ticket.quantity is None or order.ticket.kind is PriceKind.MARKET:
        return Keep("it takes whatever price there is")
    if order.state is OrderState.OPEN:
        return _open(kept, policy, quote, now, venue)
    if order.state is OrderState.CANCELLED and kept.cancel_wanted and kept.policy is not None:
        return _ended(kept, policy, quote, now, venue)
    return Keep("it is over" if order.state.final else "what became of it is not known yet")


def _open(kept: Kept, policy: RepricePolicy, quote: Quote | None, now: datetime, venue: Venue) -> Keep | Cancel:
    if kept.cancel_wanted:
        return Keep("its cancel is asked for")
    made, late = tries(kept)[1] - 1, _late(policy, now)
    if not late and now - (kept.order.sent_at or kept.created_at) < policy.every:
        return Keep("it is not due")
    if (late or made >= policy.most) and policy.last_resort is LastResort.CANCEL:
        return Cancel(kept.order.order_id, "its tries are used up")
    if made >= policy.most or (late and policy.last_resort is LastResort.LEAVE):
        return Keep("its tries are used up")
    if quote is None or quote.halted or not is_live(quote, now, venue.quote_age):
        return Keep("there is no price of now")
    if _is_last(policy, made, late=late):
        return Cancel(kept.order.order_id, "the rest is traded at the market")
    limit = _limit(kept.order.side, policy, quote, now, venue)
    standing = kept.order.ticket.limit_price_krw
    if limit is None or standing is None or not _worse(kept.order.side, limit, standing):
        return Keep("its price is as good")
    return Cancel(kept.order.order_id, f"{limit} instead of {standing}")


def _ended(kept: Kept, policy: RepricePolicy, quote: Quote | None, now: datetime, venue: Venue) -> Keep | Replace:
    (base, number), parts, late = tries(kept), lacking(kept), _late(policy, now)
    rest = sum(parts.values(), ZERO)
    if not rest:
        return Keep("nothing is left of it")
    if number > policy.most or (late and policy.last_resort is LastResort.CANCEL):
        return Keep("its tries are used up")
    if quote is None or quote.halted or not is_live(quote, now, venue.quote_age):
        return Keep("there is no price of now")
    order = kept.order
    last = _is_last(policy, number - 1, late=late)
    at_market = last and policy.worst_krw is None and not (order.side is Side.BUY and venue.buys_by_money)
    limit = _limit(order.side, policy, quote, now, venue, at_any=last)
    if limit is None:
        return Keep("no legal price is good enough")
    if rest * min(limit, quote.price_krw) < venue.smallest_krw(now):
        return Keep("the rest is below the smallest order")
    return Replace(
        Draft(
            symbol=order.symbol,
            side=order.side,
            kind=PriceKind.MARKET if at_market else PriceKind.LIMIT,
            quantity=rest,
            parts=parts,
            limit_price_krw=None if at_market else limit,
            validity=order.ticket.validity,
            origin=kept.origin,
            reason=kept.reason,
            plan_key=f"{base}#{number + 1}",
            replaces_id=order.order_id,
            not_after=kept.not_after,
            policy=kept.policy,
            epoch=kept.epoch,
        )
    )


def _late(policy: RepricePolicy, now: datetime) -> bool:
    return policy.until is not None and now >= policy.until


def _is_last(policy: RepricePolicy, made: int, *, late: bool) -> bool:
    """Whether the next replacement is the one at the market."""
    return policy.last_resort is LastResort.MARKET and (late or made + 1 == policy.most)


def _limit(
    side: Side, policy: RepricePolicy, quote: Quote, now: datetime, venue: Venue, *, at_any: bool = False
) -> Decimal | None:
    """The limit by the policy, as far as the gap lets it when ``at_any``; None where none is legal and good enough."""
    day = venue.day(now)
    limit = near_limit(
        side, quote, venue.market, day, policy.most_gap if at_any else min(policy.fraction, policy.most_gap)
    )
    band = day_limits(quote, venue.market, day)
    if policy.worst_krw is not None and _worse(side, limit, policy.worst_krw):
        limit = legal_price(policy.worst_krw, venue.market, day, "down" if side is Side.BUY else "up")
    if limit <= 0 or (band is not None and not band[0] <= limit <= band[1]):
        return None
    # The limits of the day may have moved it beyond the gap: such a price is a slip somewhere.
    beyond = quote.price_krw * (1 + policy.most_gap if side is Side.BUY else 1 - policy.most_gap)
    return None if _worse(side, limit, beyond) else limit


def _worse(side: Side, price: Decimal, than: Decimal) -> bool:
    return price > than if side is Side.BUY else price < than
