"""The way of a strategy from paper over mock trading to real money: what each step asks for, and what is there.

The same strategy means the same rules: what counts is its fingerprint, not its name. Real money also needs a second
factor, a tested alert and a typed name (`stocklab.live.permission`), whatever the strategy has shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from stocklab.brokers.values import BrokerName
from stocklab.db import (
    BookEntryRow,
    BrokerAccountRow,
    Database,
    TraderRow,
    TradingDayRow,
    UserRow,
    as_system,
)
from stocklab.errors import InputError
from stocklab.live.accounts import AccountKind, view_of_account
from stocklab.settings import Settings
from stocklab.strategy import fingerprint, parse_document
from stocklab.trading.book import EntryKind
from stocklab.trading.gap_score import GapScore, ScoredDay, gap_score

__all__ = ["Check", "Lack", "PromotionRules", "Readiness", "gate_of", "readiness", "rules_of_settings"]

_TRADES: Final = (EntryKind.BUY.value, EntryKind.SELL.value, EntryKind.CROSSING.value)


class Check(StrEnum):
    """What is asked for."""

    DAYS = "days"
    TRADES = "trades"
    GAP = "gap"
    SECOND_FACTOR = "second_factor"
    ALERT_TESTED = "alert_tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRules:
    """How much each step asks for."""

    paper_days: int
    mock_days: int
    trades: int
    gap_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing that is asked for: how much, how much is there, and whether that is enough."""

    check: Check
    wanted: str
    found: str
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a trader's account asks for. ``on`` is the kind of account on which it has to have traded, None for paper,
    where anybody begins."""

    kind: AccountKind
    on: AccountKind | None
    checks: tuple[Lack, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is there."""
        return all(one.passed for one in self.checks)


AlertTested = Callable[[Session, str], datetime | None]
"""When an owner's alert last arrived at a channel; None where none ever did."""


def rules_of_settings(settings: Settings) -> PromotionRules:
    """The rules of an installation."""
    return PromotionRules(
        paper_days=settings.gate_paper_days,
        mock_days=settings.gate_mock_days,
        trades=settings.gate_trades,
        gap_bps=settings.gate_gap_bps,
    )


def readiness(
    database: Database, owner_id: str, trader_id: str, rules: PromotionRules, alert_tested: AlertTested
) -> Readiness:
    """What the account of a trader asks for, and what is there. Raises InputError where there is no such trader."""
    with database.read(owner_id) as session:
        row = session.scalar(select(TraderRow).where(TraderRow.id == trader_id))
        if row is None:
            raise InputError("There is no such strategy at work.")
        account = session.scalar(select(BrokerAccountRow).where(BrokerAccountRow.id == row.account_id))
        if account is None:
            raise InputError("There is no such account.")
        return _judged(session, row, account, rules, alert_tested)


def gate_of(
    rules: PromotionRules, alert_tested: AlertTested
) -> Callable[[Session, TraderRow, BrokerAccountRow], Sequence[str]]:
    """The gate that `stocklab.live.traders.Traders` asks before a trader begins."""

    def gate(session: Session, row: TraderRow, account: BrokerAccountRow) -> Sequence[str]:
        judged = _judged(session, row, account, rules, alert_tested)
        return [one.check.value for one in judged.checks if not one.passed]

    return gate


def _judged(
    session: Session, row: TraderRow, account: BrokerAccountRow, rules: PromotionRules, alert_tested: AlertTested
) -> Readiness:
    kind = view_of_account(account).kind
    if kind is AccountKind.PAPER:
        return Readiness(kind=kind, on=None, checks=())
    live = kind is AccountKind.LIVE
    # Upbit has no mock trading: paper comes before real money there.
    on = AccountKind.MOCK if live and account.broker != BrokerName.UPBIT.value else AccountKind.PAPER
    wanted_days = rules.mock_days if live else rules.paper_days
    traders = _same_rules(session, row, on)
    days = _days(session, traders)
    trades = _trades(session, traders)
    checks = [
        _check(Check.DAYS, str(wanted_days), str(len(days)), passed=len(days) >= wanted_days),
        _check(Check.TRADES, str(rules.trades), str(trades), passed=trades >= rules.trades),
    ]
    if wanted_days:
        score = gap_score(days, most_bps=Decimal(rules.gap_bps), least_days=wanted_days)
        checks.append(_gap(score, rules))
    if live:
        checks += _of_owner(session, row.owner_id, alert_tested)
    return Readiness(kind=kind, on=on, checks=tuple(checks))


def _gap(score: GapScore, rules: PromotionRules) -> Lack:
    mean = score.mean_abs_bps
    found = "" if mean is None else f"{mean:.1f}"
    return _check(Check.GAP, str(rules.gap_bps), found, passed=mean is not None and mean <= rules.gap_bps)


def _of_owner(session: Session, owner_id: str, alert_tested: AlertTested) -> list[Lack]:
    with as_system(session):
        enabled = session.scalar(select(UserRow.totp_enabled_at).where(UserRow.id == owner_id))
    tested = alert_tested(session, owner_id)
    return [
        _check(Check.SECOND_FACTOR, "", "" if enabled is None else enabled.date().isoformat(), passed=bool(enabled)),
        _check(Check.ALERT_TESTED, "", "" if tested is None else tested.date().isoformat(), passed=bool(tested)),
    ]


def _check(check: Check, wanted: str, found: str, *, passed: bool) -> Lack:
    return Lack(check=check, wanted=wanted, found=found, passed=passed)


def _same_rules(session: Session, row: TraderRow, kind: AccountKind) -> list[str]:
    """Ids of the owner's traders with these very rules on accounts of a kind."""
    mine = fingerprint(parse_document(row.document))
    pairs = session.execute(
        select(TraderRow, BrokerAccountRow)
        .join(BrokerAccountRow, BrokerAccountRow.id == TraderRow.account_id)
        .where(TraderRow.owner_id == row.owner_id, TraderRow.started_at.is_not(None))
    )
    return [
        trader.id
        for trader, account in pairs
        if view_of_account(account).kind is kind and fingerprint(parse_document(trader.document)) == mine
    ]


def _days(session: Session, traders: Sequence[str]) -> list[ScoredDay]:
    wanted = select(TradingDayRow).where(TradingDayRow.sleeve_id.in_(traders)).order_by(TradingDayRow.session)
    found: dict[object, ScoredDay] = {}
    for row in session.scalars(wanted):
        gap, before = row.document.get("gap_krw"), row.document.get("equity_before_krw")
        if gap is not None and before is not None and Decimal(before) > 0:
            found[row.session] = ScoredDay(session=row.session, gap_krw=Decimal(gap), equity_krw=Decimal(before))
    return [found[day] for day in sorted(found, key=str)]


def _trades(session: Session, traders: Sequence[str]) -> int:
    fills = (
        select(func.count())
        .select_from(BookEntryRow)
        .where(BookEntryRow.sleeve_id.in_(traders), BookEntryRow.kind.in_(_TRADES))
    )
    return session.scalar(fills) or 0
