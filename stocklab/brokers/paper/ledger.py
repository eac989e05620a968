"""The rows of one paper account within a transaction, and how a trade changes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.brokers.paper.models import MoveKind
from stocklab.brokers.values import BrokerName, PlacedState, Side
from stocklab.db import PaperAccountRow, PaperCashMoveRow, PaperClaimRow, PaperHoldingRow, PaperOrderRow
from stocklab.errors import BrokerDenied
from stocklab.market.panel import COIN_UNIT

__all__ = ["Ledger", "Trade", "end", "from_units", "to_units"]

ZERO: Final = Decimal(0)
_STEP: Final = Decimal("0.00000001")


def to_units(value: Decimal, unit: int) -> int:
    """Whole units of an amount or a quantity; what is finer than the unit is cut off.

    >>> to_units(Decimal("1.5"), 1), to_units(Decimal("1.5"), COIN_UNIT)
    (1, 150000000)
    """
    return int(value * unit)


def from_units(units: int, unit: int) -> Decimal:
    """The exact decimal of whole units.

    >>> from_units(150_000_000, COIN_UNIT), from_units(3, 1)
    (Decimal('1.5'), Decimal('3'))
    """
    if unit == 1:
        return Decimal(int(units))
    whole, rest = divmod(int(units), COIN_UNIT)
    return Decimal(whole) + Decimal(rest).scaleb(-8).normalize() if rest else Decimal(whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One fill. ``slippage_krw`` is what a clamp to the day's range took off the intended price."""

    quantity: Decimal
    price_krw: Decimal
    amount_krw: Decimal
    commission_krw: Decimal
    tax_krw: Decimal
    slippage_krw: Decimal = ZERO

    @property
    def costs_krw(self) -> Decimal:
        """Everything beside the amount."""
        return self.commission_krw + self.tax_krw + self.slippage_krw


class Ledger:
    """One account's rows, with ``lock`` held until the transaction ends.

    Raises
    ------
    BrokerDenied
        There is no such paper account of this owner.
    """

    def __init__(self, session: Session, owner_id: str, account_id: str, *, lock: bool = True) -> None:
        wanted = select(PaperAccountRow).where(
            PaperAccountRow.account_id == account_id, PaperAccountRow.owner_id == owner_id
        )
        account = session.scalar(wanted.with_for_update() if lock else wanted)
        if account is None:
            raise BrokerDenied(BrokerName.PAPER, "there is no such paper account")
        self.account = account
        self._session = session

    def open_orders(self) -> list[PaperOrderRow]:
        """Orders that may still be filled, oldest first."""
        wanted = select(PaperOrderRow).where(
            PaperOrderRow.account_id == self.account.account_id, PaperOrderRow.state == PlacedState.OPEN.value
        )
        return list(self._session.scalars(wanted.order_by(PaperOrderRow.number)))

    def order(self, number: int) -> PaperOrderRow | None:
        """An order by its number."""
        return self._session.get(PaperOrderRow, (self.account.account_id, number))

    def holdings(self) -> dict[str, PaperHoldingRow]:
        """What is held, by symbol."""
        wanted = select(PaperHoldingRow).where(PaperHoldingRow.account_id == self.account.account_id)
        return {row.symbol: row for row in self._session.scalars(wanted.order_by(PaperHoldingRow.symbol))}

    def claims(self) -> list[PaperClaimRow]:
        """What is due later, oldest first."""
        wanted = select(PaperClaimRow).where(PaperClaimRow.account_id == self.account.account_id)
        return list(self._session.scalars(wanted.order_by(PaperClaimRow.id)))

    def replace_claims(self, old: Iterable[PaperClaimRow], new: Iterable[PaperClaimRow]) -> None:
        """Put other claims in the place of these."""
        for row in old:
            self._session.delete(row)
        for row in new:
            row.owner_id, row.account_id = self.account.owner_id, self.account.account_id
            self._session.add(row)

    def add_order(self, row: PaperOrderRow) -> PaperOrderRow:
        """Give an order the next number of the account."""
        row.owner_id, row.account_id = self.account.owner_id, self.account.account_id
        row.number = self.account.next_number
        self.account.next_number += 1
        self._session.add(row)
        return row

    def move(
        self,
        kind: MoveKind,
        cash: Decimal,
        *,
        day: date,
        at: datetime,
        symbol: str | None = None,
        order: PaperOrderRow | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> None:
        """Change the cash, and say why. The ids of moves follow the order of these calls."""
        self.account.cash_krw += cash
        self._session.add(
            PaperCashMoveRow(
                owner_id=self.account.owner_id,
                account_id=self.account.account_id,
                kind=kind.value,
                session_day=day,
                cash_krw=cash,
                symbol=symbol,
                order_number=None if order is None else order.number,
                quantity=quantity,
                price_krw=price,
                at=at,
            )
        )
        self._session.flush()

    def trade(self, order: PaperOrderRow, trade: Trade, *, day: date, at: datetime) -> None:
        """Book a fill on its order and on the cash; `hold` books it on the holding."""
        buys = order.side == Side.BUY
        self.move(
            MoveKind.BUY if buys else MoveKind.SELL,
            -trade.amount_krw if buys else trade.amount_krw,
            day=day,
            at=at,
            symbol=order.symbol,
            order=order,
            quantity=trade.quantity,
            price=trade.price_krw,
        )
        costs = {
            MoveKind.COMMISSION: trade.commission_krw,
            MoveKind.TAX: trade.tax_krw,
            MoveKind.SLIPPAGE: trade.slippage_krw,
        }
        for kind, cost in costs.items():
            if cost:
                self.move(kind, -cost, day=day, at=at, symbol=order.symbol, order=order)
        order.filled_quantity += trade.quantity
        order.filled_krw += trade.amount_krw
        order.costs_krw += trade.costs_krw

    def hold(self, order: PaperOrderRow, trade: Trade, *, day: date) -> None:
        """Book a fill on what is held. Costs are no part of the price paid."""
        row = self._session.get(PaperHoldingRow, (self.account.account_id, order.symbol))
        if order.side == Side.SELL:
            if row is None:
                raise AssertionError(f"sold {order.symbol}, which is not held")
            row.cost_krw -= (row.cost_krw * trade.quantity / row.quantity).quantize(_STEP)
            row.quantity -= trade.quantity
            if not row.quantity:
                self._session.delete(row)
                self._session.flush()
            return
        if row is None:
            row = PaperHoldingRow(
                owner_id=self.account.owner_id,
                account_id=self.account.account_id,
                symbol=order.symbol,
                quantity=ZERO,
                at_open=ZERO,
                unlisted=ZERO,
                cost_krw=ZERO,
                last_close_krw=trade.price_krw,
                entry_session=day,
            )
            self._session.add(row)
        row.quantity += trade.quantity
        row.cost_krw += trade.amount_krw
        self._session.flush()

    def drop(self, row: PaperHoldingRow) -> None:
        """Forget a holding of which nothing is left."""
        self._session.delete(row)
        self._session.flush()


def end(order: PaperOrderRow, at: datetime, reason: str = "") -> None:
    """End an order: filled where nothing is missing, else cancelled with its reason."""
    complete = order.quantity is not None and order.filled_quantity == order.quantity
    bought_by_money = order.quantity is None and order.filled_quantity > 0
    order.state = (PlacedState.FILLED if complete or bought_by_money else PlacedState.CANCELLED).value
    order.reason = "" if complete or bought_by_money else reason
    order.ended_at = at
