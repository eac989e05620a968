"""An owner's accounts as their page shows them: how each is doing, its token, and how well orders are filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from stocklab.brokers.kis.auth import token_name as kis_token
from stocklab.brokers.kiwoom.auth import token_name as kiwoom_token
from stocklab.brokers.values import BrokerName
from stocklab.db import AccountHealthRow, BrokerAccountRow, BrokerTokenRow, Database, KillSwitchRow, OrderRow, as_system
from stocklab.errors import SettingsError
from stocklab.live.accounts import LinkedAccount, view_of_account
from stocklab.live.credentials import read_keys
from stocklab.live.switches import Switch
from stocklab.operations.sealing import Sealer
from stocklab.trading.journal import EVERYTHING, account_scope
from stocklab.trading.order_states import OrderState

__all__ = ["FILLED_WITHIN", "AccountBoard", "AccountHealth", "AccountLine", "AccountState", "TokenAge"]

FILLED_WITHIN: Final = timedelta(days=30)
"""How far back the fill rate looks."""

_LATE: Final = timedelta(minutes=3)
_LATE_WHEN_DENIED: Final = timedelta(minutes=10)
_ENDED_THERE: Final = (OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED)


class AccountState(StrEnum):
    """How an account is doing, in one word. SILENT: its thread should have looked by now and has not."""

    UNLINKED = "unlinked"
    PAUSED = "paused"
    TRADING_OFF = "trading_off"
    NO_PROCESS = "no_process"
    DENIED = "denied"
    HALTED = "halted"
    SILENT = "silent"
    NEW = "new"
    TROUBLE = "trouble"
    WELL = "well"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """What the account's thread wrote down last. ``quotes`` and ``socket`` are empty where nothing is known yet;
    ``calls`` are counted since the thread began."""

    looked_at: datetime | None
    well_at: datetime | None
    trouble: str = ""
    denied: bool = False
    stopped: str = ""
    calls: int = 0
    failed: int = 0
    seconds: float = 0.0
    open: int = 0
    in_doubt: int = 0
    quotes: str = ""
    socket: str = ""
    quote_trouble: str = ""
    equity_krw: Decimal | None = None
    cash_krw: Decimal | None = None
    stage: str = ""

    @property
    def error_rate(self) -> float | None:
        """The part of calls that failed."""
        return self.failed / self.calls if self.calls else None

    @property
    def mean_seconds(self) -> float | None:
        """How long a call takes."""
        return self.seconds / self.calls if self.calls else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAge:
    """The access token of an account's key."""

    issued_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """One account with all that is known. ``filled`` of the ``ended`` orders that the broker had were filled whole."""

    account: LinkedAccount
    health: AccountHealth | None
    token: TokenAge | None
    switch: Switch | None
    filled: int
    ended: int

    @property
    def fill_rate(self) -> float | None:
        """The part of ended orders that were filled whole."""
        return self.filled / self.ended if self.ended else None

    def state(self, now: datetime, *, trading: bool, process: bool) -> AccountState:
        """How it is doing. ``trading``: the installation trades at all; ``process``: a background process works."""
        account, health = self.account, self.health
        if not account.linked:
            return AccountState.UNLINKED
        if not account.active:
            return AccountState.PAUSED
        if not trading:
            return AccountState.TRADING_OFF
        if not process:
            return AccountState.NO_PROCESS
        if account.stopped_reason:
            return AccountState.HALTED
        if health is None or health.looked_at is None:
            return AccountState.NEW
        if health.denied:
            changed = account.keys_changed_at
            if changed is not None and changed > health.looked_at:
                return AccountState.NEW
            return AccountState.SILENT if now - health.looked_at > _LATE_WHEN_DENIED else AccountState.DENIED
        if now - health.looked_at > _LATE:
            return AccountState.SILENT
        if health.stopped:
            return AccountState.HALTED
        return AccountState.TROUBLE if health.trouble else AccountState.WELL


class AccountBoard:
    """Reads everything of all accounts of an owner in a fixed number of statements."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def show(self, owner_id: str, now: datetime) -> tuple[AccountLine, ...]:
        """Every account, oldest first, unlinked ones last."""
        with self._database.read(owner_id) as session:
            rows = session.scalars(
                select(BrokerAccountRow).order_by(BrokerAccountRow.created_at, BrokerAccountRow.id)
            ).all()
            health = {row.account_id: _health(row) for row in session.scalars(select(AccountHealthRow))}
            ended = _ended(session, owner_id, now)
            names = {row.id: name for row in rows if (name := self._token_name(row)) is not None}
            with as_system(session):
                tokens = _tokens(session, names.values())
                switches = _switches(session, [row.id for row in rows])
            lines = [
                AccountLine(
                    account=view_of_account(row),
                    health=health.get(row.id),
                    token=tokens.get(names.get(row.id, "")),
                    switch=switches.get(account_scope(row.id)) or switches.get(EVERYTHING),
                    filled=ended.get((row.id, OrderState.FILLED.value), 0),
                    ended=sum(ended.get((row.id, state.value), 0) for state in _ENDED_THERE),
                )
                for row in rows
            ]
        return tuple(sorted(lines, key=lambda line: not line.account.linked))

    def _token_name(self, row: BrokerAccountRow) -> str | None:
        """Under which name the token of its key is kept; None where there is none, or the keys cannot be read."""
        named = {BrokerName.KIWOOM: kiwoom_token, BrokerName.KIS: kis_token}.get(BrokerName(row.broker))
        if named is None or row.sealed is None:
            return None
        try:
            keys = read_keys(self._sealer.open(row.sealed))
        except SettingsError:  # the account's own thread says so
            return None
        return named(keys["app_key"], mock=row.mock)


def _ended(session: Session, owner_id: str, now: datetime) -> Mapping[tuple[str, str], int]:
    counted = (
        select(OrderRow.account_id, OrderRow.state, func.count())
        .where(
            OrderRow.owner_id == owner_id,
            OrderRow.created_at >= now - FILLED_WITHIN,
            OrderRow.state.in_([state.value for state in _ENDED_THERE]),
        )
        .group_by(OrderRow.account_id, OrderRow.state)
    )
    return Counter({(account, state): number for account, state, number in session.execute(counted)})


def _tokens(session: Session, names: Iterable[str]) -> Mapping[str, TokenAge]:
    wanted = select(BrokerTokenRow.key_id, BrokerTokenRow.issued_at, BrokerTokenRow.expires_at)
    found = session.execute(wanted.where(BrokerTokenRow.key_id.in_(sorted(names)), BrokerTokenRow.sealed.is_not(None)))
    return {row.key_id: TokenAge(issued_at=row.issued_at, expires_at=row.expires_at) for row in found}


def _switches(session: Session, accounts: Sequence[str]) -> Mapping[str, Switch]:
    scopes = [EVERYTHING, *(account_scope(one) for one in accounts)]
    wanted = select(KillSwitchRow).where(KillSwitchRow.scope.in_(scopes), KillSwitchRow.thrown)
    return {
        row.scope: Switch(scope=row.scope, thrown=True, reason=row.reason, changed_at=row.changed_at)
        for row in session.scalars(wanted)
    }


def _health(row: AccountHealthRow) -> AccountHealth:
    known: Mapping[str, Any] = row.document
    return AccountHealth(
        looked_at=row.looked_at,
        well_at=row.well_at,
        trouble=row.trouble,
        denied=bool(known.get("denied")),
        stopped=str(known.get("stopped") or ""),
        calls=int(known.get("calls") or 0),
        failed=int(known.get("failed") or 0),
        seconds=float(known.get("seconds") or 0.0),
        open=int(known.get("open") or 0),
        in_doubt=int(known.get("in_doubt") or 0),
        quotes=str(known.get("quotes") or ""),
        socket=str(known.get("socket") or ""),
        quote_trouble=str(known.get("quote_trouble") or ""),
        equity_krw=_money(known.get("equity_krw")),
        cash_krw=_money(known.get("cash_krw")),
        stage=str(known.get("stage") or ""),
    )


def _money(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
