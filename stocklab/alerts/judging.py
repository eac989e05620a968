"""One rule and what is known of it: the verdict, its alert and its new state in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from stocklab.alerts.emitting import Alerts
from stocklab.alerts.evaluate import Reading, evaluate
from stocklab.alerts.kinds import AlertKind
from stocklab.alerts.rules import channels_of, state_of
from stocklab.db import AlertRuleRow, Database

__all__ = ["Checked", "Fact", "judge", "note_trouble", "tell"]

_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How many rules were looked at and how many alerts that made."""

    rules: int = 0
    fired: int = 0

    def __add__(self, other: Checked) -> Checked:
        """Both together."""
        return Checked(rules=self.rules + other.rules, fired=self.fired + other.fired)

    def describe(self) -> str:
        """One line.

        >>> Checked(rules=2, fired=1).describe()
        '2 rules checked, 1 alerts.'
        """
        return f"{self.rules:,} rules checked, {self.fired:,} alerts."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something a rule is to be told of: ``key`` names it, so that it is told once; ``link`` leads to more."""

    key: str
    params: Mapping[str, Any]
    link: str = ""


def judge(database: Database, rule: AlertRuleRow, reading: Reading, fact: Fact, now: datetime) -> bool:
    """Judge a rule by a reading; whether it fired. ``rule`` may be old: the row is read again before it is changed.

    A rule in which nothing changes is noted as checked at most once a minute: quotes come every few seconds.
    """
    before = evaluate(state_of(rule), reading, now)
    noted = rule.checked_at is not None and now - rule.checked_at < _NOTED_EVERY
    if not before.fires and before.armed == rule.armed and noted:
        return False
    with database.write() as session:
        row = session.get(AlertRuleRow, rule.id, with_for_update=True)
        if row is None or not row.active or row.condition != rule.condition:
            return False
        verdict = evaluate(state_of(row), reading, now)
        told = None
        if verdict.fires:
            told = Alerts(database).emit(
                row.owner_id,
                AlertKind(row.kind),
                dedupe_key=f"rule:{row.id}:{fact.key}",
                params=fact.params,
                link=fact.link,
                channels=channels_of(row),
                rule_id=row.id,
                session=session,
                now=now,
            )
            row.last_fired_at = now
        row.armed, row.checked_at, row.trouble = verdict.armed, now, ""
        row.last_value = row.last_value if verdict.value is None else verdict.value
        return told is not None


def tell(database: Database, rule: AlertRuleRow, facts: list[Fact], now: datetime) -> int:
    """Tell a rule's owner facts that are told once each, whatever was told before; how many were new."""
    with database.write() as session:
        row = session.get(AlertRuleRow, rule.id, with_for_update=True)
        if row is None or not row.active:
            return 0
        new = 0
        for fact in facts:
            told = Alerts(database).emit(
                row.owner_id,
                AlertKind(row.kind),
                dedupe_key=f"rule:{row.id}:{fact.key}",
                params=fact.params,
                link=fact.link,
                channels=channels_of(row),
                rule_id=row.id,
                session=session,
                now=now,
            )
            new += told is not None
        row.checked_at, row.trouble = now, ""
        row.last_fired_at = now if new else row.last_fired_at
        return new


def note_trouble(database: Database, rule: AlertRuleRow, trouble: str, now: datetime) -> None:
    """Keep why a rule could not be judged."""
    with database.write() as session:
        row = session.get(AlertRuleRow, rule.id, with_for_update=True)
        if row is not None:
            row.trouble, row.checked_at = trouble[:300], now
