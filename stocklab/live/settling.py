"""A sleeve's book brought up to the newest close: what its orders filled since, by the rules of the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from stocklab.backtest.settle import Fill, Fired, settle
from stocklab.backtest.sleeve_book import OrderSide, SleeveBook, SleevePosition
from stocklab.data.sources.calls import KST
from stocklab.db import BookEntryRow, Database, GuardRow
from stocklab.live.decisions import Decided
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy
from stocklab.trading.book import EntryKind, Sleeve
from stocklab.trading.journal import Journal, Kept

__all__ = ["Happened", "aligned", "settled_to", "what_happened"]

ZERO: Final = Decimal(0)
_TRADES: Final = (EntryKind.BUY.value, EntryKind.SELL.value)
_CAUSES: Final = {"stop": "stop", "trailing": "trailing", "target": "target"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What became of a sleeve's orders in one session, in the order of time."""

    session: date
    events: tuple[Fill | Fired, ...]


def what_happened(
    database: Database, journal: Journal, sleeve_id: str, *, decided: Decided | None, session_day: date, unit: int
) -> Happened:
    """Fills of a session's decided orders and fired stops of one sleeve, in units of the panel."""
    events: list[tuple[datetime, int, Fill | Fired]] = []
    for number, key in sorted((decided.placed if decided is not None else {}).items()):
        for kept in journal.of_plan(key):
            events += [(at, 1, fill) for at, fill in _fills(database, kept, sleeve_id, number, unit)]
    for guard, kepts in _fired(database, journal, sleeve_id, session_day):
        total = sum((kept.parts.get(sleeve_id, ZERO) for kept in kepts[:1]), ZERO)
        cause = _CAUSES[guard.kind]
        moment = guard.fired_at or guard.updated_at
        events.append((moment, 0, Fired(symbol=guard.symbol, cause=cause, shares=int(total * unit))))
        for kept in kepts:
            events += [(max(at, moment), 1, fill) for at, fill in _fills(database, kept, sleeve_id, None, unit)]
    events.sort(key=lambda one: (one[0], one[1]))
    return Happened(session=session_day, events=tuple(event for _, _, event in events))


def settled_to(
    panel: Panel,
    strategy: Strategy,
    book: SleeveBook,
    last: date,
    happened: dict[date, Happened],
    *,
    cash: int,
) -> SleeveBook:
    """The book after session ``last``: every session between is settled in turn. ``cash`` is what the sleeve has now.

    Raises
    ------
    InputError
        A fill belongs to no order, or is more than was left of it.
    """
    days = [day.item() for day in panel.sessions if book.session < day.item() <= last]
    for day in days:
        events = happened[day].events if day in happened else ()
        book = settle(panel, strategy, book, day, events, cash=cash if day == days[-1] else None).book
    return book if days else replace(book, cash=cash)


def aligned(book: SleeveBook, sleeve: Sleeve) -> tuple[SleeveBook, tuple[str, ...]]:
    """The book with the shares that the account really holds, and the symbols in which it differed: what a person sold
    in the broker's own app, or what no rule explains. What is gone counts as sold in the book's session.
    """
    differing: list[str] = []
    positions: list[SleevePosition] = []
    sold_on = dict(book.sold_on)
    orders = book.orders
    for position in book.positions:
        held = int(sleeve.held(position.symbol) * book.unit)
        if held == position.shares:
            positions.append(position)
            continue
        differing.append(position.symbol)
        if held:
            positions.append(replace(position, shares=held, unlisted=min(position.unlisted, held)))
        else:
            sold_on[position.symbol] = book.session
        orders = tuple(one for one in orders if one.symbol != position.symbol or one.side is OrderSide.BUY)
    known = {position.symbol for position in book.positions}
    differing += sorted(symbol for symbol in sleeve.holdings if symbol not in known)
    if not differing:
        return book, ()
    return replace(book, positions=tuple(positions), orders=orders, sold_on=sold_on), tuple(differing)


def _fills(
    database: Database, kept: Kept, sleeve_id: str, number: int | None, unit: int
) -> list[tuple[datetime, Fill]]:
    """Booked fills of one order for one sleeve."""
    wanted = (
        select(BookEntryRow)
        .where(
            BookEntryRow.order_id == kept.order.order_id,
            BookEntryRow.sleeve_id == sleeve_id,
            BookEntryRow.kind.in_(_TRADES),
        )
        .order_by(BookEntryRow.id)
    )
    found: list[tuple[datetime, Fill]] = []
    with database.read() as session:
        for row in session.scalars(wanted):
            shares = abs(row.quantity)
            if not shares:
                continue  # a correction of costs alone: it is in the sleeve's cash
            found.append(
                (
                    row.at,
                    Fill(
                        symbol=kept.order.symbol,
                        side=OrderSide(kept.order.side.value),
                        shares=int(shares * unit),
                        price=float(row.amount_krw / shares) * unit,
                        cash=int(row.cash_krw * unit),
                        order=number,
                    ),
                )
            )
    return found


def _fired(
    database: Database, journal: Journal, sleeve_id: str, session_day: date
) -> Sequence[tuple[GuardRow, tuple[Kept, ...]]]:
    """The document's own stops and targets that fired in a session, with their orders."""
    wanted = select(GuardRow).where(
        GuardRow.sleeve_id == sleeve_id, GuardRow.account_id == journal.account_id, GuardRow.fired_at.is_not(None)
    )
    with database.read() as session:
        guards = session.scalars(wanted.order_by(GuardRow.fired_at)).all()
        session.expunge_all()
    of_day = [one for one in guards if one.fired_at is not None and one.fired_at.astimezone(KST).date() == session_day]
    return [(guard, journal.of_plan(f"guard:{guard.id}")) for guard in of_day]
