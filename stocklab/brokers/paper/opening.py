"""Opening a paper account, putting money in, and what of it is settled."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.brokers.paper.hours import day_of
from stocklab.brokers.paper.ledger import Ledger
from stocklab.brokers.paper.models import MoveKind, Terms
from stocklab.brokers.values import BrokerName
from stocklab.db import BrokerAccountRow, Database, PaperAccountRow, PaperCashMoveRow
from stocklab.errors import InputError
from stocklab.market.calendar import first_day, sessions_between
from stocklab.market.settlement import Deposits, deposits
from stocklab.market.upbit import MOST_INITIAL_CASH_KRW

__all__ = ["deposit", "open_account", "open_in", "settled_cash"]

_WEEKS: Final = timedelta(days=21)


def open_account(
    database: Database,
    owner_id: str,
    account_id: str,
    cash_krw: Decimal,
    *,
    now: datetime,
    terms: Terms | None = None,
    coins: bool = False,
) -> None:
    """`open_in` in a transaction of its own."""
    with database.write() as session:
        open_in(session, owner_id, account_id, cash_krw, now=now, terms=terms, coins=coins)


def open_in(
    session: Session,
    owner_id: str,
    account_id: str,
    cash_krw: Decimal,
    *,
    now: datetime,
    terms: Terms | None = None,
    coins: bool = False,
) -> None:
    """Make the state of a paper account whose row in ``broker_accounts`` is there; it begins with cash alone. Doing it
    again changes nothing.

    Raises
    ------
    InputError
        The account is no paper account of this owner, or the amount cannot be its cash.
    """
    most = Decimal(MOST_INITIAL_CASH_KRW if coins else 10**15)
    if not 0 < cash_krw <= most or cash_krw % 1:
        raise InputError(f"Cash of a paper account: expected whole won from 1 to {most:,}, found {cash_krw}.")
    chosen = terms or Terms()
    account = session.get(BrokerAccountRow, account_id)
    if account is None or account.owner_id != owner_id or account.broker != BrokerName.PAPER:
        raise InputError(f"{account_id!r} is no paper account of {owner_id!r}.")
    if session.get(PaperAccountRow, account_id) is not None:
        return
    today = day_of(now, coins=coins)
    session.add(
        PaperAccountRow(
            account_id=account_id,
            owner_id=owner_id,
            cash_krw=Decimal(0),
            commission_ppb=chosen.commission_ppb,
            slippage_ppb=chosen.slippage_ppb,
            participation_ppb=chosen.participation_ppb,
            cash_check=chosen.cash_check.value,
            opened_through=today - timedelta(days=1),
            settled_through=today - timedelta(days=1),
            opened_at=now,
        )
    )
    session.flush()
    Ledger(session, owner_id, account_id).move(MoveKind.DEPOSIT, cash_krw, day=today, at=now)


def deposit(database: Database, owner_id: str, account_id: str, cash_krw: Decimal, *, now: datetime) -> None:
    """Put whole won in, or take them out (negative).

    Raises
    ------
    InputError
        Nothing, a fraction, or more than is there.
    BrokerDenied
        There is no such paper account of this owner.
    """
    with database.write() as session:
        ledger = Ledger(session, owner_id, account_id)
        if not cash_krw or cash_krw % 1 or ledger.account.cash_krw + cash_krw < 0:
            raise InputError(f"Expected whole won, at most {ledger.account.cash_krw} out, found {cash_krw}.")
        ledger.move(MoveKind.DEPOSIT, cash_krw, day=day_of(now, coins=False), at=now)


def settled_cash(database: Database, owner_id: str, account_id: str, day: date) -> Deposits:
    """The account's cash at the close of a day by when it is settled, one session: what a Korean broker shows as D, D+1
    and D+2, and what may be withdrawn.

    Raises
    ------
    BrokerDenied
        There is no such paper account of this owner.
    """
    sessions = sessions_between(max(day - _WEEKS, first_day()), day, expected=True)
    first = sessions[0].item()
    flows = np.zeros((2, len(sessions)), dtype=np.int64)
    with database.read() as session:
        Ledger(session, owner_id, account_id, lock=False)
        mine = PaperCashMoveRow.account_id == account_id
        older = select(PaperCashMoveRow.cash_krw).where(mine, PaperCashMoveRow.session_day < first)
        before = sum(session.scalars(older), Decimal(0))
        newer = select(PaperCashMoveRow).where(
            mine, PaperCashMoveRow.session_day >= first, PaperCashMoveRow.session_day <= day
        )
        for move in session.scalars(newer):
            row = int(np.searchsorted(sessions, np.datetime64(move.session_day, "D")))
            flows[0 if MoveKind(move.kind).of_trade else 1, min(row, len(sessions) - 1)] += int(move.cash_krw)
    found = deposits(int(before), flows[0], flows[1], sessions)
    return Deposits(
        settled=found.settled[-1:],
        next_session=found.next_session[-1:],
        second_session=found.second_session[-1:],
        withdrawable=found.withdrawable[-1:],
    )
