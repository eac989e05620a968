"""A strategy gets its part of the account when it begins, and gives it back when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.brokers.values import PriceKind, Side
from stocklab.db import TraderRow
from stocklab.live.desk import Desk
from stocklab.live.traders import StopWay, Trader, Traders, TraderState
from stocklab.trading.book import OUTSIDE, Entry, EntryKind, Sleeve
from stocklab.trading.executor import Turn
from stocklab.trading.journal import Draft, Origin

__all__ = ["Beginning"]

ZERO: Final = Decimal(0)


class _Changed(Exception):
    """The owner did something else meanwhile."""


@dataclass(kw_only=True, eq=False)
class Beginning:
    """The duty of beginning and ending. What a sleeve gets or gives, and the state of its trader, are one transaction.

    A strategy that is to sell everything does so in each session until nothing is left.
    """

    traders: Traders

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None beyond what is held."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Begin what is to begin, and end what is to end."""
        for trader in self.traders.of_account(desk.account.id, (TraderState.STARTING, TraderState.STOPPING)):
            if trader.state is TraderState.STARTING:
                self._begin(desk, trader, now)
            else:
                self._end(desk, trader, now)

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Nothing."""

    def _begin(self, desk: Desk, trader: Trader, now: datetime) -> None:
        free = desk.book.sleeves.get(OUTSIDE, Sleeve()).cash_krw
        if free < trader.capital_krw:
            self.traders.note(trader, f"The account has {free:,.0f} won that is no strategy's.")
            return
        entries = desk.book.of_allocation(trader.id, trader.capital_krw)
        self._move(desk, trader, entries, TraderState.ACTIVE, now)

    def _end(self, desk: Desk, trader: Trader, now: datetime) -> None:
        sleeve = desk.book.sleeves.get(trader.id, Sleeve())
        mine = [
            kept
            for kept in desk.journal.orders(desk.today(now))
            if trader.id in kept.parts and not kept.order.state.final
        ]
        keeps = trader.stop_way is StopWay.KEEP
        if mine:
            for kept in mine:
                if keeps or kept.order.side is Side.BUY:
                    desk.journal.want_cancel(kept.order.order_id)
            return
        if sleeve.holdings and not keeps:
            if trader.stop_way is StopWay.LIQUIDATE:
                self._sell(desk, trader, sleeve, now)
            return
        self._move(desk, trader, _given_back(trader.id, sleeve), TraderState.STOPPED, now)

    def _sell(self, desk: Desk, trader: Trader, sleeve: Sleeve, now: datetime) -> None:
        if not desk.is_open(now):
            return
        day = desk.today(now)
        drafts = [
            Draft(
                symbol=symbol,
                side=Side.SELL,
                kind=PriceKind.MARKET,
                quantity=holding.quantity,
                parts={trader.id: holding.quantity},
                origin=Origin.PERSON,
                reason="liquidate",
                plan_key=f"liquidate:{trader.id}:{symbol}:{day}:{holding.quantity.normalize():f}",
            )
            for symbol, holding in sorted(sleeve.holdings.items())
        ]
        desk.journal.intend(drafts, now)

    def _move(self, desk: Desk, trader: Trader, entries: tuple[Entry, ...], after: TraderState, now: datetime) -> None:
        def change(session: Session) -> None:
            row = session.scalar(select(TraderRow).where(TraderRow.id == trader.id).with_for_update())
            if row is None or row.version != trader.version:
                raise _Changed
            row.state, row.reason, row.updated_at = after.value, "", now
            row.version += 1
            if after is TraderState.STOPPED:
                row.stopped_at = now

        try:
            desk.journal.book(entries, now, alongside=change)
        except _Changed:
            return
        desk.executor.book = desk.executor.book.apply(entries)


def _given_back(sleeve_id: str, sleeve: Sleeve) -> tuple[Entry, ...]:
    """Entries that give everything of a sleeve to what is no strategy's: cash, and holdings at their cost."""
    found: list[Entry] = []
    cost = ZERO
    for symbol, holding in sorted(sleeve.holdings.items()):
        cost += holding.cost_krw
        for name, sign in ((sleeve_id, -1), (OUTSIDE, 1)):
            found.append(
                Entry(
                    kind=EntryKind.ALLOCATION,
                    sleeve_id=name,
                    symbol=symbol,
                    quantity=sign * holding.quantity,
                    cash_krw=-sign * holding.cost_krw,
                    amount_krw=holding.cost_krw,
                )
            )
    cash = sleeve.cash_krw + cost
    if cash:
        found.append(Entry(kind=EntryKind.ALLOCATION, sleeve_id=sleeve_id, cash_krw=-cash))
        found.append(Entry(kind=EntryKind.ALLOCATION, sleeve_id=OUTSIDE, cash_krw=cash))
    return tuple(found)
