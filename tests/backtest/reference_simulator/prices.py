"""Which price an order meets: slippage, limits, the phases of a session."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from reference_simulator.bars import Bar
from reference_simulator.book import Order
from reference_simulator.market import Bands, down_to_tick, up_to_tick
from reference_simulator.money import exact
from stocklab.strategy.document import Strategy


class Prices:
    """Price rules of one document."""

    def __init__(self, strategy: Strategy) -> None:
        self.slippage = exact(strategy.costs.slippage_rate)
        self.offset = exact(strategy.execution.limit_offset)

    def with_slippage(self, side: str, price: Fraction | int, bands: Bands, *, is_mean: bool = False) -> int:
        """A price moved against the order, to the won, then to the tick; a price that traded is taken as it is where
        there is no slippage."""
        if self.slippage == 0 and not is_mean:
            return int(price)
        if side == "buy":
            return up_to_tick(ceil(price * (1 + self.slippage)), bands)
        return down_to_tick(max(floor(price * (1 - self.slippage)), 1), bands)

    def limit(self, side: str, reference: int, bands: Bands) -> int:
        """Limit price at the document's offset: purchases up to the tick, sales (mirrored) down."""
        if side == "buy":
            return up_to_tick(max(ceil(reference * (1 + self.offset)), 1), bands)
        return down_to_tick(max(floor(reference * (1 - self.offset)), 1), bands)

    def offer(self, order: Order, bar: Bar, phase: str) -> int | None:
        """The price the order is meant to fill at in this phase, or None; then the order may keep a reason."""
        if order.mode == "limit":
            return self._limit_offer(order, bar, phase)
        if order.mode == "next_open" and phase == "open":
            price, edge = Fraction(bar.open), bar.open
        elif order.mode == "next_close" and phase == "close":
            price, edge = Fraction(bar.close), bar.close
        elif order.mode == "vwap_proxy" and phase == "intraday":
            price = Fraction(bar.open + bar.high + bar.low + bar.close, 4)
            edge = bar.low if order.side == "buy" else bar.high
        else:
            return None
        if blocked(order, bar) or locked(order, bar, edge):
            return None
        return self.with_slippage(order.side, price, bar.bands, is_mean=order.mode == "vwap_proxy")

    def _limit_offer(self, order: Order, bar: Bar, phase: str) -> int | None:
        if phase == "close" or blocked(order, bar):
            return None
        if order.limit is None:
            order.limit = self.limit(order.side, bar.open, bar.bands)
        buying = order.side == "buy"
        better_at_open = bar.open < order.limit if buying else bar.open > order.limit
        if phase == "open":
            if not better_at_open or locked(order, bar, bar.open):
                return None
            quoted = self.with_slippage(order.side, bar.open, bar.bands)
            return min(quoted, order.limit) if buying else max(quoted, order.limit)
        if better_at_open and order.reason not in ("limit_up", "limit_down"):
            return None  # it met the opening auction
        if locked(order, bar, bar.low if buying else bar.high):
            return None
        price = min(order.limit, bar.high) if buying else max(order.limit, bar.low)
        traded_through = bar.low < price if buying else bar.high > price
        if not traded_through:
            order.reason = "not_reached"
            return None
        return price


def blocked(order: Order, bar: Bar) -> bool:
    """Whether the session offers no trade at all."""
    if not bar.listed:
        order.reason = "not_listed"
    elif not bar.traded:
        order.reason = "halted"
    elif not bar.complete:
        order.reason = "no_price"
    else:
        return False
    return True


def locked(order: Order, bar: Bar, price: int) -> bool:
    """Whether nobody takes the other side at this price."""
    if order.side == "buy" and price >= bar.upper_limit:
        order.reason = "limit_up"
        return True
    if order.side == "sell" and price <= bar.lower_limit:
        order.reason = "limit_down"
        return True
    return False
