"""The rules of an owner: made, changed, paused, removed; what each fired stands in the feed."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from stocklab.alerts.conditions import judged
from stocklab.alerts.evaluate import RuleState
from stocklab.alerts.kinds import AlertKind
from stocklab.db import AlertChannelRow, AlertRuleRow, Database
from stocklab.db.columns import utc_now
from stocklab.errors import InputError

__all__ = ["COOLDOWN", "Rule", "Rules", "channels_of", "state_of"]

COOLDOWN: Final = timedelta(hours=1)
_MOST_RULES: Final = 100
_LONGEST_COOLDOWN: Final = timedelta(days=30)
_LONGEST_SYMBOL: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it stands. ``channels``: ids, empty for all; ``trouble`` says why it cannot be judged, "" if it can."""

    id: str
    kind: AlertKind
    symbol: str
    condition: Mapping[str, Any]
    channels: tuple[str, ...]
    active: bool
    armed: bool
    cooldown: timedelta
    last_fired_at: datetime | None
    last_value: float | None
    checked_at: datetime | None
    trouble: str


class Rules:
    """Makes and changes them; `stocklab.alerts.checks` judges them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        owner_id: str,
        kind: AlertKind,
        symbol: str,
        condition: Mapping[str, Any],
        *,
        channels: Collection[str] = (),
        cooldown: timedelta = COOLDOWN,
        account_id: str = "",
        strategy_id: str = "",
        now: datetime | None = None,
    ) -> str:
        """Keep a rule; its id.

        Raises
        ------
        FormulaError, InputError
            The condition cannot be (`stocklab.alerts.conditions.judged`), a channel is not the owner's, the cooldown is
            not between nothing and 30 days, or there are a hundred rules already.
        """
        moment = utc_now() if now is None else now
        kept = judged(kind, _symbol(symbol), condition)
        with self._database.write(owner_id) as session:
            mine = select(func.count()).select_from(AlertRuleRow).where(AlertRuleRow.owner_id == owner_id)
            if (session.scalar(mine) or 0) >= _MOST_RULES:
                raise InputError(f"{_MOST_RULES} rules are the most. Hint: remove one first.")
            row = AlertRuleRow(
                id=secrets.token_hex(16),
                owner_id=owner_id,
                kind=kind.value,
                symbol=_symbol(symbol),
                account_id=account_id,
                strategy_id=strategy_id,
                condition=kept,
                channels=_channels(session, owner_id, channels),
                cooldown_seconds=_seconds(cooldown),
                active=True,
                armed=True,
                created_at=moment,
                updated_at=moment,
            )
            session.add(row)
        return row.id

    def change(
        self,
        owner_id: str,
        rule_id: str,
        condition: Mapping[str, Any],
        *,
        channels: Collection[str] = (),
        cooldown: timedelta = COOLDOWN,
        now: datetime | None = None,
    ) -> None:
        """Give a rule another condition; it begins anew. Raises as `add`, and InputError where there is none."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, rule_id)
            row.condition = judged(AlertKind(row.kind), row.symbol, condition)
            row.channels = _channels(session, owner_id, channels)
            row.cooldown_seconds = _seconds(cooldown)
            row.armed, row.last_value, row.trouble = True, None, ""
            row.updated_at = utc_now() if now is None else now

    def set_active(self, owner_id: str, rule_id: str, active: bool, *, now: datetime | None = None) -> None:
        """Pause a rule, or go on; going on it begins anew. Raises InputError where there is none."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, rule_id)
            row.active, row.armed, row.updated_at = active, True, utc_now() if now is None else now

    def remove(self, owner_id: str, rule_id: str) -> None:
        """Remove a rule; what it fired stays in the feed. Raises InputError where there is none."""
        with self._database.write(owner_id) as session:
            _require(session, owner_id, rule_id)
            session.execute(delete(AlertRuleRow).where(AlertRuleRow.owner_id == owner_id, AlertRuleRow.id == rule_id))

    def list(self, owner_id: str) -> tuple[Rule, ...]:
        """All of an owner, the newest first."""
        statement = select(AlertRuleRow).where(AlertRuleRow.owner_id == owner_id)
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(AlertRuleRow.created_at.desc(), AlertRuleRow.id))
            return tuple(_view(row) for row in rows)


def state_of(row: AlertRuleRow) -> RuleState:
    """What of a row decides whether it fires."""
    return RuleState(
        kind=AlertKind(row.kind),
        condition=row.condition,
        armed=row.armed,
        cooldown=timedelta(seconds=row.cooldown_seconds),
        last_fired_at=row.last_fired_at,
    )


def channels_of(row: AlertRuleRow) -> tuple[str, ...] | None:
    """The channels of a rule; None for all."""
    ids = row.channels.get("ids", [])
    return tuple(ids) if ids else None


def _require(session: Session, owner_id: str, rule_id: str) -> AlertRuleRow:
    row = session.scalar(select(AlertRuleRow).where(AlertRuleRow.owner_id == owner_id, AlertRuleRow.id == rule_id))
    if row is None:
        raise InputError("There is no such rule.")
    return row


def _channels(session: Session, owner_id: str, channels: Collection[str]) -> dict[str, Any]:
    wanted = sorted(set(channels))
    if not wanted:
        return {}
    mine = select(AlertChannelRow.id).where(AlertChannelRow.owner_id == owner_id, AlertChannelRow.id.in_(wanted))
    if len(session.scalars(mine).all()) != len(wanted):
        raise InputError("There is no such channel.")
    return {"ids": wanted}


def _symbol(symbol: str) -> str:
    if len(symbol) > _LONGEST_SYMBOL or not symbol.isprintable():
        raise InputError(f"Expected a symbol of at most {_LONGEST_SYMBOL} characters.")
    return symbol.strip()


def _seconds(cooldown: timedelta) -> int:
    if not timedelta(0) <= cooldown <= _LONGEST_COOLDOWN:
        raise InputError("The cooldown: expected nothing to 30 days.")
    return int(cooldown.total_seconds())


def _view(row: AlertRuleRow) -> Rule:
    return Rule(
        id=row.id,
        kind=AlertKind(row.kind),
        symbol=row.symbol,
        condition=row.condition,
        channels=channels_of(row) or (),
        active=row.active,
        armed=row.armed,
        cooldown=timedelta(seconds=row.cooldown_seconds),
        last_fired_at=row.last_fired_at,
        last_value=row.last_value,
        checked_at=row.checked_at,
        trouble=row.trouble,
    )
