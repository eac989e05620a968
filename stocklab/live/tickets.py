"""An order that a person writes: what it would come to, and its way into the journal, once for each ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from stocklab.brokers.values import OrderTicket, PriceKind, Side
from stocklab.db import BookEntryRow, BrokerAccountRow, Database, OrderPartRow, OrderRow, TraderRow
from stocklab.errors import InputError
from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.live.permission import Permission, require_permission
from stocklab.trading.book import OUTSIDE
from stocklab.trading.journal import Draft, Journal, Kept, Origin
from stocklab.trading.order_states import OrderState

__all__ = ["ManualTicket", "NoSuchOrder", "NotSellable", "Tickets"]

ZERO: Final = Decimal(0)
_SHORTEST_TOKEN: Final = 8
_LONGEST_TOKEN: Final = 64
_LIVE: Final = tuple(state.value for state in OrderState if not state.final)


class NoSuchOrder(InputError):
    """There is no such order, or it is somebody else's."""


class NotSellable(InputError):
    """More is to be sold than the sleeve holds beyond what its open sales take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualTicket:
    """What a person wants. ``token`` names the form it was written in: sent twice, it is one order.

    A purchase of coins at the market names ``money_krw`` instead of a quantity. ``sleeve_id`` is whose it is: that of a
    strategy at work, or of what belongs to none.

    Raises
    ------
    InputError
        The token or the order is none.
    """

    account_id: str
    symbol: str
    side: Side
    kind: PriceKind
    token: str
    quantity: Decimal | None = None
    limit_price_krw: Decimal | None = None
    money_krw: Decimal | None = None
    sleeve_id: str = OUTSIDE

    def __post_init__(self) -> None:
        plain = self.token.isascii() and self.token.replace("-", "").isalnum()
        if not _SHORTEST_TOKEN <= len(self.token) <= _LONGEST_TOKEN or not plain:
            raise InputError(
                f"token: expected {_SHORTEST_TOKEN} to {_LONGEST_TOKEN} letters, digits and '-', found {self.token!r}."
            )
        self.order()

    @property
    def plan_key(self) -> str:
        """Name of its plan in the journal."""
        return f"ticket:{self.token}"

    def order(self) -> OrderTicket:
        """As a broker would get it. Raises InputError where no broker takes it."""
        return OrderTicket(
            client_order_id=f"t-{self.token}"[:64],
            symbol=self.symbol,
            side=self.side,
            kind=self.kind,
            quantity=self.quantity,
            limit_price_krw=self.limit_price_krw,
            money_krw=self.money_krw,
        )

    def draft(self) -> Draft:
        """As the journal gets it."""
        return Draft(
            symbol=self.symbol,
            side=self.side,
            kind=self.kind,
            quantity=self.quantity,
            parts={self.sleeve_id: Decimal(1) if self.quantity is None else self.quantity},
            limit_price_krw=self.limit_price_krw,
            money_krw=self.money_krw,
            origin=Origin.PERSON,
            plan_key=self.plan_key,
        )


class Tickets:
    """Orders by hand in accounts of their owner; the risk gate judges them like any other before they are sent."""

    def __init__(self, database: Database, accounts: BrokerAccounts) -> None:
        self._database = database
        self._accounts = accounts

    def place(
        self, owner_id: str, ticket: ManualTicket, now: datetime, *, permission: Permission | None = None
    ) -> Kept:
        """Write the order of a ticket; the background process sends it. A ticket that was placed before is the order it
        became then.

        Raises
        ------
        NotLinked
            There is no such account.
        PermissionNeeded
            It trades with real money, and there is no leave.
        NotSellable
            The sleeve cannot sell that much.
        InputError
            The account is not open, its orders are stopped until a person looks, the emergency stop is on, or no
            strategy of that name is at work there.
        """
        account = self._accounts.get(owner_id, ticket.account_id)
        require_permission(account, permission, now)
        _require_open(account)
        self._require_sleeve(owner_id, ticket)
        journal = Journal(self._database, owner_id, account.id)
        draft = ticket.draft()
        if journal.switch(draft.parts)[1]:
            raise InputError("The emergency stop is on. Hint: lift it first; what is written before is not sent after.")

        def check(session: Session, kept: tuple[Kept, ...]) -> None:
            if kept and ticket.side is Side.SELL:
                _require_sellable(session, ticket, kept[0].order.order_id)

        try:
            written = journal.intend([draft], now, alongside=check)
        except IntegrityError:  # the same ticket at the same moment, from another process
            if not journal.planned([ticket.plan_key]):
                raise
            written = ()
        return written[0] if written else journal.of_plan(ticket.plan_key)[0]

    def cancel(self, owner_id: str, order_id: str) -> bool:
        """Ask for an order to be cancelled, whoever wanted it; False when it is over already. Raises NoSuchOrder."""
        with self._database.read(owner_id) as session:
            wanted = select(OrderRow.account_id).where(OrderRow.id == order_id, OrderRow.owner_id == owner_id)
            account_id = session.scalar(wanted)
        if account_id is None:
            raise NoSuchOrder("There is no such order.")
        return Journal(self._database, owner_id, account_id).want_cancel(order_id)

    def _require_sleeve(self, owner_id: str, ticket: ManualTicket) -> None:
        if ticket.sleeve_id == OUTSIDE:
            return
        wanted = select(TraderRow.id).where(
            TraderRow.id == ticket.sleeve_id,
            TraderRow.account_id == ticket.account_id,
            TraderRow.owner_id == owner_id,
        )
        with self._database.read(owner_id) as session:
            if session.scalar(wanted) is None:
                raise InputError("There is no such strategy at work in this account.")


def _require_open(account: LinkedAccount) -> None:
    if not account.active or not account.linked:
        raise InputError("This account is not open. Hint: link it or switch it on.")
    if account.stopped_reason:
        raise InputError(f"Orders of this account are stopped: {account.stopped_reason} Hint: look at it first.")


def _require_sellable(session: Session, ticket: ManualTicket, order_id: str) -> None:
    """Refuse to sell more than a sleeve can. The account's row is locked, so that two sales are counted one by one."""
    turn = select(BrokerAccountRow.id).where(BrokerAccountRow.id == ticket.account_id)
    session.execute(turn.with_for_update(key_share=True))  # a new order of it holds a lock on its key already
    held = select(BookEntryRow.quantity).where(
        BookEntryRow.account_id == ticket.account_id,
        BookEntryRow.sleeve_id == ticket.sleeve_id,
        BookEntryRow.symbol == ticket.symbol,
    )
    going = (
        select(OrderPartRow.quantity, OrderPartRow.booked_quantity)
        .join(OrderRow, OrderRow.id == OrderPartRow.order_id)
        .where(
            OrderRow.account_id == ticket.account_id,
            OrderRow.symbol == ticket.symbol,
            OrderRow.side == Side.SELL.value,
            OrderRow.state.in_(_LIVE),
            OrderRow.id != order_id,
            OrderPartRow.sleeve_id == ticket.sleeve_id,
        )
    )
    free = sum(session.scalars(held), ZERO)
    free -= sum((row.quantity - row.booked_quantity for row in session.execute(going)), ZERO)
    if ticket.quantity is None or ticket.quantity > free:
        raise NotSellable(f"{ticket.symbol}: expected at most {free}, found {ticket.quantity}.")
