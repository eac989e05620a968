"""How far an account's losses have gone: of the day, the week and from its peak, without what came from elsewhere."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import select

from stocklab.db import BookEntryRow, Database, TradingDayRow
from stocklab.trading.book import EntryKind
from stocklab.trading.flows import AccountDay, Losses, losses
from stocklab.trading.risk_gate import RiskLimits, Stage, stage_of

__all__ = ["NOTHING_LOST", "WHOLE", "losses_of", "stage_after"]

WHOLE: Final = ""
"""Sleeve id of the whole account in its days."""

_DAYS: Final = 250
ZERO: Final = Decimal(0)


NOTHING_LOST: Final = Losses(day_return=ZERO, week_return=ZERO, drawdown=ZERO)


def losses_of(database: Database, account_id: str, equity_krw: Decimal, now: datetime, today: date) -> Losses:
    """Losses at this moment, from the kept days and what the account is worth now.

    Raises
    ------
    InputError
        The account was worth nothing, is worth something now, and no flow says where it came from.
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
            return NOTHING_LOST
        later = select(BookEntryRow.cash_krw).where(
            BookEntryRow.account_id == account_id,
            BookEntryRow.kind == EntryKind.CASH_ELSEWHERE.value,
            BookEntryRow.at > rows[-1].closed_at,
            BookEntryRow.at <= now,
        )
        flow = sum(session.scalars(later), ZERO)
    known = [
        AccountDay(session=row.session, equity_krw=row.equity_krw, flow_krw=row.flow_krw if number else ZERO)
        for number, row in enumerate(rows)
    ]
    return losses([*known, AccountDay(session=today, equity_krw=equity_krw, flow_krw=flow)])


def stage_after(lost: Losses, limits: RiskLimits) -> Stage:
    """The stage that losses have reached."""
    return stage_of(lost.day_return, lost.week_return, lost.drawdown, limits)
