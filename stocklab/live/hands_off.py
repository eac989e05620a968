"""What a person sold in the broker's own app: noted, shown, and not bought again until the person agrees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from stocklab.brokers.values import Side
from stocklab.db import Database, HandsOffRow, OrderRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.trading.journal import Origin

__all__ = ["HandsOff", "SoldByHand", "held_back", "note_sales"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldByHand:
    """A symbol that a person sold; ``acknowledged_at`` is when it was agreed that strategies may buy it again."""

    account_id: str
    symbol: str
    noticed_at: datetime
    acknowledged_at: datetime | None


class HandsOff:
    """What an owner sees and answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, owner_id: str, account_id: str, *, after: str | None = None) -> Page[SoldByHand]:
        """What was sold by hand in an account, by symbol, answered ones too. Raises InputError for a wrong place."""
        conditions = [HandsOffRow.owner_id == owner_id, HandsOffRow.account_id == account_id]
        conditions += beyond(after, HandsOffRow.account_id, HandsOffRow.symbol, str, descending=False)
        statement = select(HandsOffRow).where(*conditions).order_by(HandsOffRow.account_id, HandsOffRow.symbol)
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.limit(PAGE_SIZE + 1)).all()
        return page_of(rows, _view, lambda row: (row.account_id, row.symbol))

    def acknowledge(self, owner_id: str, account_id: str, symbol: str) -> SoldByHand:
        """Let strategies buy it again. Raises InputError where nothing of it was sold by hand."""
        with self._database.write(owner_id) as session:
            row = session.scalar(
                select(HandsOffRow).where(HandsOffRow.account_id == account_id, HandsOffRow.symbol == symbol)
            )
            if row is None:
                raise InputError("Nothing of this was sold by hand in that account.")
            if row.acknowledged_at is None:
                row.acknowledged_at = utc_now()
            return _view(row)


def note_sales(database: Database, owner_id: str, account_id: str) -> tuple[str, ...]:
    """Note what was sold by hand since it was noted last, from the journal of orders: asking again changes nothing, and
    a kill loses nothing. The symbols that are newly held back, for those who are to be told.
    """
    sold = (
        select(OrderRow.symbol, func.max(OrderRow.created_at).label("at"))
        .where(
            OrderRow.account_id == account_id,
            OrderRow.origin == Origin.BY_HAND.value,
            OrderRow.side == Side.SELL.value,
            OrderRow.fills > 0,
        )
        .group_by(OrderRow.symbol)
    )
    with database.read() as session:
        newest = {row.symbol: row.at for row in session.execute(sold)}
        noted = select(HandsOffRow).where(HandsOffRow.account_id == account_id)
        known = {row.symbol: row.noticed_at for row in session.scalars(noted)}
    fresh = sorted(symbol for symbol, at in newest.items() if symbol not in known or known[symbol] < at)
    if not fresh:
        return ()
    with database.write() as session:
        rows = {row.symbol: row for row in session.scalars(noted)}
        for symbol in fresh:
            if symbol in rows:
                rows[symbol].noticed_at, rows[symbol].acknowledged_at = newest[symbol], None
            else:
                session.add(
                    HandsOffRow(account_id=account_id, symbol=symbol, owner_id=owner_id, noticed_at=newest[symbol])
                )
    return tuple(fresh)


def held_back(database: Database, account_id: str) -> frozenset[str]:
    """Symbols that no strategy may buy in an account now."""
    waiting = select(HandsOffRow.symbol).where(
        HandsOffRow.account_id == account_id, HandsOffRow.acknowledged_at.is_(None)
    )
    with database.read() as session:
        return frozenset(session.scalars(waiting))


def _view(row: HandsOffRow) -> SoldByHand:
    return SoldByHand(
        account_id=row.account_id,
        symbol=row.symbol,
        noticed_at=row.noticed_at,
        acknowledged_at=row.acknowledged_at,
    )
