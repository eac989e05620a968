"""What an owner wants of orders that are written: to cancel all, or to say what became of one that nobody can tell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from stocklab.brokers.kis.parse import order_number as kis_number
from stocklab.brokers.values import BrokerName
from stocklab.db import BrokerAccountRow, Database, OrderRow
from stocklab.errors import InputError
from stocklab.live.tickets import NoSuchOrder
from stocklab.operations.audit import AuditLog
from stocklab.trading.journal import Journal
from stocklab.trading.order_states import OrderState

__all__ = ["OrderWishes"]

_LIVE = tuple(state.value for state in OrderState if not state.final)
_KIWOOM_DIGITS = 7
_LONGEST = 64


class OrderWishes:
    """Wishes about an owner's orders; the background process follows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._audit = AuditLog(database)

    def cancel_all(self, owner_id: str, *, account_id: str | None = None) -> int:
        """Ask for every order that goes on to be cancelled, in one account or all; how many there were."""
        wanted = select(OrderRow.id, OrderRow.account_id).where(
            OrderRow.owner_id == owner_id, OrderRow.state.in_(_LIVE), OrderRow.cancel_wanted.is_(False)
        )
        if account_id is not None:
            wanted = wanted.where(OrderRow.account_id == account_id)
        with self._database.read(owner_id) as session:
            found = [tuple(row) for row in session.execute(wanted.order_by(OrderRow.created_at, OrderRow.id))]
        return sum(Journal(self._database, owner_id, account).want_cancel(order) for order, account in found)

    def settle(self, owner_id: str, order_id: str, number: str | None, now: datetime) -> bool:
        """Say that an ambiguous order is the broker's order of that number, or is not there (None); False when it is
        not ambiguous any more. What was said by a person may be corrected until the first fill.

        Raises
        ------
        NoSuchOrder
            There is no such order.
        InputError
            The number cannot be one of this broker, or another order has it.
        """
        wanted = (
            select(OrderRow.account_id, BrokerAccountRow.broker)
            .join(BrokerAccountRow, BrokerAccountRow.id == OrderRow.account_id)
            .where(OrderRow.owner_id == owner_id, OrderRow.id == order_id)
        )
        with self._database.read(owner_id) as session:
            found = session.execute(wanted).first()
        if found is None:
            raise NoSuchOrder("There is no such order.")
        named = None if number is None else _as_broker_writes(number, BrokerName(found.broker))
        journal = Journal(self._database, owner_id, found.account_id)
        try:
            settled = journal.settle_ambiguous(order_id, named, now)
        except IntegrityError:
            raise InputError("Another order of this account has that number. Hint: compare the list.") from None
        if settled:
            self._audit.write("order.settled", actor_id=owner_id, subject=order_id, details={"number": named or ""})
        return settled


def _as_broker_writes(number: str, broker: BrokerName) -> str:
    """As the adapters read numbers, so that the journal shows the order under it."""
    text = number.strip()
    if broker in (BrokerName.KIWOOM, BrokerName.KIS):
        if not text.isdigit() or not text.isascii() or not text.lstrip("0") or len(text) > 10:
            raise InputError("Order number: expected up to ten digits, as the broker's app shows it.")
        return kis_number(text) if broker is BrokerName.KIS else text.lstrip("0").zfill(_KIWOOM_DIGITS)
    if not text or len(text) > _LONGEST or not text.isascii() or " " in text or not text.isprintable():
        raise InputError("Order number: expected what the broker calls the order, without spaces.")
    return text
