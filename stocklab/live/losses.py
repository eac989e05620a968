"""How far an account's losses have gone: of the day, the week and from its peak, without what came from elsewhere."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from stocklab.db import BookEntryRow, Database, TradingDayRow
from stocklab.trading.book import EntryKind
from stocklab.trading.risk_gate import RiskLimits, Stage, stage_of

__all__ = ["WHOLE", "Losses", "losses_of"]

WHOLE: Final = ""
"""Sleeve id of the whole account in its days."""

_DAYS: Final = 250
ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Returns as fractions, negative where money was lost. ``peak`` of the growth of one won is at least 1."""

    day: Decimal = ZERO
    week: Decimal = ZERO
    drawdown: Decimal = ZERO

    def stage(self, limits: RiskLimits) -> Stage:
        """The stage that they have reached."""
        return stage_of(self.day, self.week, self.drawdown, limits)


def losses_of(database: Database, account_id: str, equity_krw: Decimal, now: datetime, today: date) -> Losses:
    """Losses at this moment, from the kept days and what the account is worth now.

    The week begins on Monday. A day without equity before it (the first deposit) has no return.
    """
    days = (
        select(TradingDayRow.session, TradingDayRow.equity_krw, TradingDayRow.flow_krw, TradingDayRow.closed_at)
        .where(TradingDayRow.account_id == account_id, TradingDayRow.sleeve_id == WHOLE, TradingDayRow.session < today)
        .order_by(TradingDayRow.session.desc())
        .limit(_DAYS)
    )
    with database.read() as session:
        rows = list(reversed(session.execute(days).all()))
        if not rows:
            return Losses()
        later = select(BookEntryRow.cash_krw).where(
            BookEntryRow.account_id == account_id,
            BookEntryRow.kind == EntryKind.CASH_ELSEWHERE.value,
            BookEntryRow.at > rows[-1].closed_at,
            BookEntryRow.at <= now,
        )
        flow = sum(session.scalars(later), ZERO)
    growth, index = [(rows[0].session, ONE)], ONE
    for before, row in itertools.pairwise(rows):
        index *= _grown(before.equity_krw, row.equity_krw, row.flow_krw)
        growth.append((row.session, index))
    now_index = index * _grown(rows[-1].equity_krw, equity_krw, flow)
    monday = today - timedelta(days=today.weekday())
    before_week = [value for day, value in growth if day < monday]
    peak = max(now_index, *(value for _, value in growth))
    return Losses(
        day=now_index / index - ONE if index else ZERO,
        week=now_index / before_week[-1] - ONE if before_week and before_week[-1] else ZERO,
        drawdown=now_index / peak - ONE if peak else ZERO,
    )


def _grown(before: Decimal, after: Decimal, flow: Decimal) -> Decimal:
    """Growth of a day whose flow came at its start."""
    ground = before + flow
    return after / ground if ground > 0 else ONE
