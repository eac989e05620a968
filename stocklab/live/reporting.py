"""The daily note's facts: what each strategy and account of an owner did in a session, what they did not, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import or_, select

from stocklab.alerts.day_facts import (
    BlockedBy,
    ConditionDay,
    DayFacts,
    GapDay,
    OrderLine,
    PositionLine,
    Step,
    TraderDay,
)
from stocklab.alerts.day_facts import TraderState as NoteState
from stocklab.data.sources.calls import KST
from stocklab.db import BookEntryRow, BrokerAccountRow, Database, OrderPartRow, OrderRow, TradingDayRow
from stocklab.live.decisions import Approval, Decided, Decisions
from stocklab.live.losses import WHOLE
from stocklab.live.switches import Switches
from stocklab.live.traders import StopWay, Trader, Traders, TraderState
from stocklab.market.calendar import is_session, next_session
from stocklab.trading.book import EntryKind
from stocklab.trading.day_steps import DayTimes, windows
from stocklab.trading.day_steps import Step as DayStep
from stocklab.trading.order_states import OrderState

__all__ = ["Names", "Reports", "owners_with_accounts"]

ZERO: Final = Decimal(0)
Names = Callable[[str], str]
"""The name of a symbol."""

_TRADED: Final = (EntryKind.BUY.value, EntryKind.SELL.value)
_ENDED_UNFILLED: Final = frozenset(
    {OrderState.CANCELLED, OrderState.EXPIRED, OrderState.WITHDRAWN, OrderState.UNSENT, OrderState.ABSENT}
)
_IN_DOUBT: Final = frozenset({OrderState.SENDING, OrderState.UNKNOWN, OrderState.AMBIGUOUS})
_STEPS: Final = {
    DayStep.PREPARE: "prepare",
    DayStep.OPEN_ORDERS: "open_auction",
    DayStep.BUY_CHECK: "buy_check",
    DayStep.SELL_CHECK: "sell_check",
    DayStep.CLOSE_ORDERS: "close_auction",
    DayStep.REPORT: "note",
}
_STATES: Final = {
    TraderState.ACTIVE: NoteState.ACTIVE,
    TraderState.STARTING: NoteState.ACTIVE,
    TraderState.PAUSED: NoteState.PAUSED,
    TraderState.STOPPED: NoteState.STOPPED,
}


@dataclass(frozen=True, kw_only=True)
class Reports:
    """Gathers the facts of days. ``data_last`` is the newest session of the market data, ``late`` how many are
    missing."""

    database: Database
    names: Names
    data_last: date | None
    late: int

    def facts(self, owner_id: str, day: date) -> DayFacts:
        """Everything of an owner's day."""
        accounts = self._accounts(owner_id)
        traders = [
            one
            for one in Traders(self.database).all(owner_id)
            if one.started_at is not None and (one.at_work or _stopped_on(one, day))
        ]
        orders = self._orders(owner_id, day)
        decided = {
            one.trader_id: one for account_id in accounts for one in Decisions(self.database).of_day(account_id, day)
        }
        days = self._days(owner_id, day)
        switches = Switches(self.database).of(owner_id)
        thrown = switches[0].reason or "-" if switches else None
        equity = [row.equity_krw for row in days if row.sleeve_id == WHOLE]
        following = next_session(day, expected=True)
        return DayFacts(
            session=day,
            is_session=is_session(day, expected=True),
            traders=tuple(
                self._trader(one, accounts, decided.get(one.id), orders, days, killed=thrown is not None)
                for one in traders
            ),
            positions=tuple(self._positions(accounts, days)),
            in_doubt=tuple(self._line(one) for one, _ in orders if OrderState(one.state) in _IN_DOUBT),
            gaps=tuple(_gaps(traders, days)),
            kill_switch=thrown,
            data_last=self.data_last,
            data_late=self.late,
            equity_krw=int(sum(equity, ZERO)) if equity else None,
            day_krw=self._day_krw(owner_id, day, days),
            next_session=following,
            next_steps=tuple(_steps(following)),
        )

    def _trader(
        self,
        trader: Trader,
        accounts: Mapping[str, str],
        decided: Decided | None,
        orders: Sequence[tuple[OrderRow, frozenset[str]]],
        days: Sequence[TradingDayRow],
        *,
        killed: bool,
    ) -> TraderDay:
        mine = [one for one, sleeves in orders if trader.id in sleeves]
        decision = None if decided is None else decided.decision
        row = next((one for one in days if one.sleeve_id == trader.id), None)
        counts = None if decision is None else decision.counts
        return TraderDay(
            name=trader.name,
            account=accounts.get(trader.account_id, ""),
            state=_state(trader, decided),
            universe=None if counts is None else counts.universe,
            matched=0 if counts is None else counts.candidates,
            held=len(row.document.get("positions", {})) if row is not None else 0,
            conditions=() if counts is None else tuple(_conditions(trader, counts.rules, counts.universe)),
            filled=tuple(self._line(one) for one in mine if one.booked_quantity),
            unfilled=tuple(
                self._line(one) for one in mine if OrderState(one.state) in _ENDED_UNFILLED and not one.booked_quantity
            ),
            refused=tuple(self._line(one) for one in mine if one.state == OrderState.REFUSED.value),
            rejected=tuple(self._line(one) for one in mine if one.state == OrderState.REJECTED.value),
            blocked=tuple(_blocked(trader, decided, killed=killed)),
            cash_krw=None if row is None else int(row.cash_krw),
        )

    def _line(self, row: OrderRow) -> OrderLine:
        filled = row.booked_quantity
        price = row.booked_krw / filled if filled else row.limit_price_krw
        quantity = filled or row.quantity or ZERO
        return OrderLine(
            side=row.side,
            symbol=row.symbol,
            name=self.names(row.symbol),
            quantity=int(quantity) if quantity == quantity.to_integral_value() else str(quantity),
            price_krw=None if price is None else float(price),
            reason=row.reason,
        )

    def _positions(self, accounts: Mapping[str, str], days: Sequence[TradingDayRow]) -> Iterable[PositionLine]:
        for row in days:
            if row.sleeve_id != WHOLE:
                continue
            for symbol, (quantity, price) in sorted(row.document.get("positions", {}).items()):
                held = Decimal(quantity)
                yield PositionLine(
                    account=accounts.get(row.account_id, ""),
                    symbol=symbol,
                    name=self.names(symbol),
                    quantity=int(held) if held == held.to_integral_value() else str(held),
                    value_krw=int(held * Decimal(price)),
                )

    def _accounts(self, owner_id: str) -> dict[str, str]:
        with self.database.read(owner_id) as session:
            rows = session.execute(select(BrokerAccountRow.id, BrokerAccountRow.name))
            return {row.id: row.name for row in rows}

    def _orders(self, owner_id: str, day: date) -> list[tuple[OrderRow, frozenset[str]]]:
        """Orders of the day, written, sent or filled in it, each with its sleeves."""
        start = datetime.combine(day, time(0), tzinfo=KST)
        end = start + timedelta(days=1)
        filled = select(BookEntryRow.order_id).where(
            BookEntryRow.kind.in_(_TRADED), BookEntryRow.at >= start, BookEntryRow.at < end
        )
        wanted = select(OrderRow).where(
            or_(
                (OrderRow.created_at >= start) & (OrderRow.created_at < end),
                OrderRow.broker_day == day,
                OrderRow.id.in_(filled),
            )
        )
        with self.database.read(owner_id) as session:
            rows = list(session.scalars(wanted.order_by(OrderRow.created_at, OrderRow.id)))
            parts = session.execute(
                select(OrderPartRow.order_id, OrderPartRow.sleeve_id).where(
                    OrderPartRow.order_id.in_([row.id for row in rows])
                )
            ).all()
            session.expunge_all()
        sleeves: dict[str, set[str]] = {}
        for order_id, sleeve_id in parts:
            sleeves.setdefault(order_id, set()).add(sleeve_id)
        return [(row, frozenset(sleeves.get(row.id, ()))) for row in rows]

    def _days(self, owner_id: str, day: date) -> list[TradingDayRow]:
        with self.database.read(owner_id) as session:
            rows = list(session.scalars(select(TradingDayRow).where(TradingDayRow.session == day)))
            session.expunge_all()
            return rows

    def _day_krw(self, owner_id: str, day: date, days: Sequence[TradingDayRow]) -> int | None:
        """What the day brought over all accounts, without what came from elsewhere."""
        total, known = ZERO, False
        with self.database.read(owner_id) as session:
            for row in days:
                if row.sleeve_id != WHOLE:
                    continue
                before = session.scalar(
                    select(TradingDayRow.equity_krw)
                    .where(
                        TradingDayRow.account_id == row.account_id,
                        TradingDayRow.sleeve_id == WHOLE,
                        TradingDayRow.session < day,
                    )
                    .order_by(TradingDayRow.session.desc())
                    .limit(1)
                )
                if before is not None:
                    known, total = True, total + row.equity_krw - before - row.flow_krw
        return int(total) if known else None


def owners_with_accounts(database: Database, *, paper: bool) -> tuple[str, ...]:
    """Owners who have an account that is open: with a paper account among them, or with none."""
    with database.read() as session:
        rows = session.execute(
            select(BrokerAccountRow.owner_id, BrokerAccountRow.broker).where(BrokerAccountRow.sealed.is_not(None))
        ).all()
    brokers: dict[str, set[str]] = {}
    for owner_id, broker in rows:
        brokers.setdefault(owner_id, set()).add(broker)
    return tuple(sorted(owner for owner, names in brokers.items() if ("paper" in names) == paper))


def _state(trader: Trader, decided: Decided | None) -> NoteState:
    if decided is not None and decided.approval is Approval.WAITING:
        return NoteState.WAITING
    if trader.state is TraderState.STOPPING:
        return NoteState.NO_ENTRIES if trader.stop_way is StopWay.NO_ENTRIES else NoteState.STOPPED
    return _STATES.get(trader.state, NoteState.STOPPED)


def _blocked(trader: Trader, decided: Decided | None, *, killed: bool) -> Iterable[BlockedBy]:
    if killed:
        yield BlockedBy.KILL_SWITCH
    if decided is None:
        return
    if decided.decision is None:
        yield BlockedBy.STALE_DATA
        return
    if decided.approval in (Approval.LAPSED, Approval.DECLINED):
        yield BlockedBy.NOT_APPROVED
    decision = decided.decision
    if any(one.reason == "cash" for one in decision.refused):
        yield BlockedBy.CASH_TOO_SMALL
    if decision.counts.slots == 0:
        yield BlockedBy.HOLDINGS_FULL
    if trader.strategy.rebalancing.mode == "target" and not decision.rebalancing and not decision.orders:
        yield BlockedBy.NOT_DUE


def _conditions(trader: Trader, holds: Mapping[str, int], universe: int) -> Iterable[ConditionDay]:
    words = {rule.id: rule.formula for rule in trader.strategy.entry.rules}
    for name, count in holds.items():
        yield ConditionDay(words=words.get(name, name), failed=max(universe - count, 0))


def _gaps(traders: Sequence[Trader], days: Sequence[TradingDayRow]) -> Iterable[GapDay]:
    names = {one.id: one.name for one in traders}
    for row in days:
        gap = row.document.get("gap")
        if gap is None or row.sleeve_id not in names:
            continue
        yield GapDay(
            name=names[row.sleeve_id],
            total_krw=int(Decimal(row.document["gap_krw"])),
            price_krw=int(Decimal(gap["price"])),
            timing_krw=int(Decimal(gap["timing"])),
            missed_krw=int(Decimal(gap["missed"])),
            cost_krw=int(Decimal(gap["cost"])),
        )


def _steps(day: date) -> Iterable[Step]:
    for one in windows(day, DayTimes()):
        code = _STEPS.get(one.step)
        if code is not None:
            yield Step(code=code, at=f"{one.opens.astimezone(KST):%H:%M}")


def _stopped_on(trader: Trader, day: date) -> bool:
    return trader.stopped_at is not None and trader.stopped_at.astimezone(KST).date() == day
