"""An owner's strategies at work as their page shows them: account, worth, return since the start, last decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from stocklab.db import BrokerAccountRow, Database, DecisionRow, KillSwitchRow, TraderRow, TradingDayRow, as_system
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.live.accounts import LinkedAccount, view_of_account
from stocklab.live.decisions import Approval
from stocklab.live.switches import Switch
from stocklab.live.traders import NoTrader, Trader, view_of_trader
from stocklab.trading.flows import AccountDay, time_weighted
from stocklab.trading.journal import EVERYTHING, account_scope, sleeve_scope

__all__ = ["TraderBoard", "TraderDay", "TraderLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderDay:
    """What a session came to for a strategy. ``gap_krw`` and its parts are None until the official bars are there."""

    session: date
    equity_krw: Decimal
    cash_krw: Decimal
    flow_krw: Decimal
    backtest_krw: Decimal | None
    gap_krw: Decimal | None
    gap: Mapping[str, Decimal]
    gap_why: str
    positions: Mapping[str, tuple[Decimal, Decimal]]
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderLine:
    """One strategy at work. ``returned`` is time-weighted since its start; ``switch`` is what holds back its orders."""

    trader: Trader
    account: LinkedAccount
    day: TraderDay | None
    returned: Decimal | None
    decided_for: date | None
    waiting: int
    switch: Switch | None


class TraderBoard:
    """Reads for pages, each list in a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, owner_id: str, *, after: str | None = None) -> Page[TraderLine]:
        """Twenty of an owner, newest first."""
        wanted = (
            select(TraderRow, BrokerAccountRow)
            .join(BrokerAccountRow, BrokerAccountRow.id == TraderRow.account_id)
            .where(
                TraderRow.owner_id == owner_id,
                *beyond(after, TraderRow.created_at, TraderRow.id, datetime.fromisoformat),
            )
            .order_by(TraderRow.created_at.desc(), TraderRow.id.desc())
            .limit(PAGE_SIZE + 1)
        )
        with self._database.read(owner_id) as session:
            rows = [(row[0], row[1]) for row in session.execute(wanted)]
            lines = {one.trader.id: one for one in _lines(session, rows[:PAGE_SIZE])}
            return page_of(
                rows,
                lambda pair: lines[pair[0].id],
                lambda pair: (pair[0].created_at.isoformat(), pair[0].id),
            )

    def one(self, owner_id: str, trader_id: str) -> TraderLine:
        """One of an owner. Raises NoTrader."""
        wanted = (
            select(TraderRow, BrokerAccountRow)
            .join(BrokerAccountRow, BrokerAccountRow.id == TraderRow.account_id)
            .where(TraderRow.owner_id == owner_id, TraderRow.id == trader_id)
        )
        with self._database.read(owner_id) as session:
            rows = [(row[0], row[1]) for row in session.execute(wanted)]
            if not rows:
                raise NoTrader("There is no such strategy at work.")
            return _lines(session, rows)[0]

    def days(self, owner_id: str, trader_id: str) -> tuple[TraderDay, ...]:
        """Every day of a strategy, oldest first; none where it is not the owner's."""
        wanted = select(TradingDayRow).where(TradingDayRow.owner_id == owner_id, TradingDayRow.sleeve_id == trader_id)
        with self._database.read(owner_id) as session:
            return tuple(_day(row) for row in session.scalars(wanted.order_by(TradingDayRow.session)))


def _lines(session: Session, rows: Sequence[tuple[TraderRow, BrokerAccountRow]]) -> list[TraderLine]:
    if not rows:
        return []
    ids = [trader.id for trader, _account in rows]
    days: dict[str, list[TraderDay]] = defaultdict(list)
    wanted = select(TradingDayRow).where(TradingDayRow.sleeve_id.in_(ids)).order_by(TradingDayRow.session)
    for row in session.scalars(wanted):
        days[row.sleeve_id].append(_day(row))
    waits = func.sum(case((DecisionRow.approval == Approval.WAITING.value, 1), else_=0))
    decided = {
        trader_id: (newest, int(waiting or 0))
        for trader_id, newest, waiting in session.execute(
            select(DecisionRow.trader_id, func.max(DecisionRow.session), waits)
            .where(DecisionRow.trader_id.in_(ids))
            .group_by(DecisionRow.trader_id)
        )
    }
    switches = _switches(session, rows)
    found = []
    for trader, account in rows:
        mine = days[trader.id]
        newest, waiting = decided.get(trader.id, (None, 0))
        found.append(
            TraderLine(
                trader=view_of_trader(trader),
                account=view_of_account(account),
                day=mine[-1] if mine else None,
                returned=_returned(trader, mine),
                decided_for=newest,
                waiting=waiting,
                switch=next(
                    (
                        switches[scope]
                        for scope in (sleeve_scope(trader.id), account_scope(account.id), EVERYTHING)
                        if scope in switches
                    ),
                    None,
                ),
            )
        )
    return found


def _switches(session: Session, rows: Sequence[tuple[TraderRow, BrokerAccountRow]]) -> dict[str, Switch]:
    scopes = {EVERYTHING}
    scopes |= {sleeve_scope(trader.id) for trader, _account in rows}
    scopes |= {account_scope(account.id) for _trader, account in rows}
    wanted = select(KillSwitchRow).where(KillSwitchRow.thrown, KillSwitchRow.scope.in_(sorted(scopes)))
    with as_system(session):
        return {
            row.scope: Switch(scope=row.scope, thrown=True, reason=row.reason, changed_at=row.changed_at)
            for row in session.scalars(wanted)
        }


def _returned(trader: TraderRow, days: Sequence[TraderDay]) -> Decimal | None:
    """Since the start: the first day's flow holds the capital, which the start has already; what is given back at the
    end is no loss."""
    counted = [one for one in days if one.equity_krw > 0]
    if not counted:
        return None
    first = counted[0]
    start = AccountDay(session=first.session - timedelta(days=1), equity_krw=trader.capital_krw)
    flows = [first.flow_krw - trader.capital_krw, *(one.flow_krw for one in counted[1:])]
    try:
        return time_weighted(
            [
                start,
                *(
                    AccountDay(session=one.session, equity_krw=one.equity_krw, flow_krw=flow)
                    for one, flow in zip(counted, flows, strict=True)
                ),
            ]
        )
    except InputError:  # a flow is missing: no figure rather than a wrong one
        return None


def _day(row: TradingDayRow) -> TraderDay:
    known: Mapping[str, Any] = row.document
    return TraderDay(
        session=row.session,
        equity_krw=row.equity_krw,
        cash_krw=row.cash_krw,
        flow_krw=row.flow_krw,
        backtest_krw=_money(known.get("backtest_equity_krw")),
        gap_krw=_money(known.get("gap_krw")),
        gap={name: Decimal(value) for name, value in known.get("gap", {}).items()},
        gap_why=str(known.get("gap_why", "")),
        positions={
            symbol: (Decimal(quantity), Decimal(price))
            for symbol, (quantity, price) in known.get("positions", {}).items()
        },
        final=bool(known.get("final")),
    )


def _money(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
