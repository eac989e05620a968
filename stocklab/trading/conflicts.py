"""Which orders may not be sent while others of the same account and symbol are not over."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from stocklab.brokers.values import Side
from stocklab.trading.order import Order
from stocklab.trading.order_states import OrderState

__all__ = ["Conflict", "conflict"]


class Conflict(StrEnum):
    """Why an order must wait."""

    SALE_IN_DOUBT = "sale_in_doubt"
    """A sale may or may not be at the broker: neither side of the symbol is safe."""
    PURCHASE_IN_DOUBT = "purchase_in_doubt"
    OPPOSITE = "opposite"
    SAME_SIDE = "same_side"


def conflict(side: Side, others: Iterable[Order]) -> Conflict | None:
    """Why an order of this side cannot be sent; ``others`` are the account's orders in the same symbol.

    A purchase in doubt does not hold back the sale of shares that are confirmed; whatever else is not over does, and
    an order that waits for its turn (INTENT) counts as nothing.
    """
    found: set[Conflict] = set()
    for other in others:
        if other.state.final or other.state is OrderState.INTENT:
            continue
        doubtful = other.state in (OrderState.UNKNOWN, OrderState.AMBIGUOUS)
        if doubtful and other.side is Side.SELL:
            found.add(Conflict.SALE_IN_DOUBT)
        elif doubtful:
            if side is Side.BUY:
                found.add(Conflict.PURCHASE_IN_DOUBT)
        else:
            found.add(Conflict.SAME_SIDE if other.side is side else Conflict.OPPOSITE)
    return min(found, key=list(Conflict).index, default=None)
