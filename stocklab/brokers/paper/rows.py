"""Rows of paper orders as values of the protocol."""

from __future__ import annotations

from datetime import date

from stocklab.brokers.values import BrokerOrder, OrderRef, OrderTicket, PlacedState, PriceKind, Side
from stocklab.data.sources.calls import KST
from stocklab.db import PaperOrderRow

__all__ = ["broker_order", "same_ticket", "seoul_day"]


def seoul_day(row: PaperOrderRow) -> date:
    """The day under which the journal keeps an order; of coins another than the session's for nine hours a day."""
    return row.placed_at.astimezone(KST).date()


def broker_order(row: PaperOrderRow) -> BrokerOrder:
    """The row as `Broker.day_orders` gives it."""
    return BrokerOrder(
        ref=OrderRef(seoul_day(row), f"{row.number:08d}"),
        symbol=row.symbol,
        side=Side(row.side),
        kind=PriceKind(row.kind),
        quantity=row.quantity,
        limit_price_krw=row.limit_price_krw,
        filled_quantity=row.filled_quantity,
        filled_krw=row.filled_krw,
        state=PlacedState(row.state),
        placed_at=row.placed_at,
        costs_krw=row.costs_krw,
        client_order_id=row.client_order_id,
        reason=row.reason,
    )


def same_ticket(row: PaperOrderRow, ticket: OrderTicket) -> bool:
    """Whether a row was made from this ticket."""
    kept = (row.symbol, row.side, row.kind, row.quantity, row.limit_price_krw, row.money_krw)
    asked = (ticket.symbol, ticket.side, ticket.kind, ticket.quantity, ticket.limit_price_krw, ticket.money_krw)
    return kept == asked
