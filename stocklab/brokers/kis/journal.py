"""Orders out of the rows of a day's journal: each request to modify or cancel has a row and a number of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from stocklab.brokers.values import BrokerOrder, OrderRef, PlacedState, PriceKind, Side

__all__ = ["JournalRow", "fold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One row of inquire-daily-ccld: an order, or a request about the order ``original``.

    ``rest`` may still be filled, ``cancelled`` is confirmed as cancelled, ``refused`` was turned down by the exchange.
    A row that modifies carries on with what was left, under its own number; one that ``cancels`` is never filled.
    """

    ref: OrderRef
    original: str
    cancels: bool
    symbol: str
    buys: bool
    quantity: Decimal
    limit_krw: Decimal | None
    filled: Decimal
    filled_krw: Decimal
    rest: Decimal
    cancelled: Decimal
    refused: Decimal
    at: datetime


def fold(rows: Iterable[JournalRow], *, today: date) -> list[BrokerOrder]:
    """Each order with the requests about it, in the order of their numbers.

    ``today`` in Seoul: what an earlier day shows as rest is dead, orders end with their day.
    """
    single = {row.ref: row for row in sorted(rows, key=lambda one: (one.ref.day, one.ref.number, one.ref.branch))}
    families: dict[OrderRef, list[JournalRow]] = {}
    for row in single.values():
        root = _root(row, single)
        if root is not None:
            families.setdefault(root, []).append(row)
    return [_order(single[root], family, today) for root, family in families.items()]


def _root(row: JournalRow, rows: dict[OrderRef, JournalRow]) -> OrderRef | None:
    """The order that a row is about; None for a cancel whose order is not there."""
    seen = {row.ref}
    while row.original:
        above = rows.get(OrderRef(row.ref.day, row.original, row.ref.branch)) or _elsewhere(row, rows)
        if above is None or above.ref in seen:
            # Its order is not in the list. What it filled must not be lost, so it stands for the order.
            return None if row.cancels else row.ref
        seen.add(above.ref)
        row = above
    return row.ref


def _elsewhere(row: JournalRow, rows: dict[OrderRef, JournalRow]) -> JournalRow | None:
    """The order of this number at another branch: a person may cancel elsewhere than where the order was placed."""
    found = [
        one
        for one in rows.values()
        if (one.ref.day, one.ref.number, one.symbol) == (row.ref.day, row.original, row.symbol)
    ]
    return found[0] if len(found) == 1 else None


def _order(root: JournalRow, family: list[JournalRow], today: date) -> BrokerOrder:
    carrying = [row for row in family if not row.cancels]
    filled = sum((row.filled for row in carrying), Decimal(0))
    latest = carrying[-1]
    state = _state(root, family, filled, past=root.ref.day < today)
    return BrokerOrder(
        ref=root.ref,
        symbol=root.symbol,
        side=Side.BUY if root.buys else Side.SELL,
        kind=PriceKind.MARKET if latest.limit_krw is None else PriceKind.LIMIT,
        quantity=root.quantity,
        limit_price_krw=latest.limit_krw,
        filled_quantity=filled,
        filled_krw=sum((row.filled_krw for row in carrying), Decimal(0)),
        state=state,
        placed_at=root.at,
        reason="refused by the exchange" if state is PlacedState.REJECTED else "",
    )


def _state(root: JournalRow, family: list[JournalRow], filled: Decimal, *, past: bool) -> PlacedState:
    if filled >= root.quantity:
        return PlacedState.FILLED
    if root.refused >= root.quantity and filled == 0:
        return PlacedState.REJECTED
    return PlacedState.OPEN if _left(root, family, filled) > 0 and not past else PlacedState.CANCELLED


def _left(root: JournalRow, family: list[JournalRow], filled: Decimal) -> Decimal:
    """What may still be filled. An order taken for open is looked at again; one taken for ended is not."""
    carrying = [row for row in family if not row.cancels]
    rest = sum((row.rest for row in carrying), Decimal(0))
    if len(carrying) > 1:
        # What a modified row shows as cancelled may be what went over to the next row.
        return rest
    asked = sum((row.cancelled for row in family if row.cancels), Decimal(0))
    return min(rest, root.quantity - filled - max(root.cancelled, asked))
