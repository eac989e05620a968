"""The channels of an owner: added by a form, kept encrypted, shown masked, tried with a message."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from stocklab.alerts.channel_forms import ChannelKind, filled, masked
from stocklab.alerts.emitting import Alerts
from stocklab.alerts.kinds import AlertKind
from stocklab.alerts.words import Language
from stocklab.db import AlertChannelRow, AlertDeliveryRow, Database
from stocklab.db.columns import utc_now
from stocklab.errors import InputError, LimitReached
from stocklab.operations import RateLimits, Sealer
from stocklab.operations.inserting import storable

__all__ = ["Channel", "Channels", "Trial"]

_MOST_CHANNELS: Final = 10
_TESTS_AN_HOUR: Final = 20
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as it may be shown: no address, no key. ``last_error`` is empty once something arrived again."""

    id: str
    kind: ChannelKind
    name: str
    language: Language
    masked: str
    active: bool
    tested_at: datetime | None
    last_ok_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How the newest test of a channel goes: ``state`` is that of its delivery."""

    channel_id: str
    state: str
    error: str
    asked_at: datetime
    sent_at: datetime | None


class Channels:
    """Adds, changes, tries and removes them."""

    def __init__(self, database: Database, sealer: Sealer, limits: RateLimits) -> None:
        self._database = database
        self._sealer = sealer
        self._limits = limits

    def add(
        self,
        owner_id: str,
        kind: ChannelKind,
        name: str,
        fields: Mapping[str, str],
        *,
        language: Language = "ko",
        now: datetime | None = None,
    ) -> tuple[str, str]:
        """Keep a channel; its id, and for a webhook the secret its messages are signed with, to be shown once.

        Raises
        ------
        ChannelFault
            A field cannot be right.
        InputError
            The name is empty or too long, or there are ten channels already.
        """
        values = filled(kind, fields)
        moment = utc_now() if now is None else now
        row = AlertChannelRow(
            id=secrets.token_hex(16),
            owner_id=owner_id,
            kind=kind.value,
            name=_name(name),
            language=language,
            masked=masked(kind, values),
            sealed=self._sealer.seal(json.dumps(values)),
            active=True,
            last_error="",
            created_at=moment,
            updated_at=moment,
        )
        with self._database.write(owner_id) as session:
            count = session.scalar(
                select(func.count()).select_from(AlertChannelRow).where(AlertChannelRow.owner_id == owner_id)
            )
            if (count or 0) >= _MOST_CHANNELS:
                raise InputError(f"{_MOST_CHANNELS} channels are the most. Hint: remove one first.")
            session.add(row)
        return row.id, values["signing_secret"] if kind is ChannelKind.WEBHOOK else ""

    def list(self, owner_id: str) -> tuple[Channel, ...]:
        """All of an owner, the oldest first."""
        statement = select(AlertChannelRow).where(AlertChannelRow.owner_id == owner_id)
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(AlertChannelRow.created_at, AlertChannelRow.id))
            return tuple(_view(row) for row in rows)

    def set_active(self, owner_id: str, channel_id: str, active: bool, *, now: datetime | None = None) -> None:
        """Pause a channel, or go on. Raises InputError where there is none."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, channel_id)
            row.active, row.updated_at = active, utc_now() if now is None else now

    def remove(self, owner_id: str, channel_id: str) -> None:
        """Remove a channel with what still waits for it. Raises InputError where there is none."""
        with self._database.write(owner_id) as session:
            _require(session, owner_id, channel_id)
            session.execute(
                delete(AlertDeliveryRow).where(
                    AlertDeliveryRow.owner_id == owner_id, AlertDeliveryRow.channel_id == channel_id
                )
            )
            session.execute(
                delete(AlertChannelRow).where(AlertChannelRow.owner_id == owner_id, AlertChannelRow.id == channel_id)
            )

    def ask_for_test(self, owner_id: str, channel_id: str, *, now: datetime | None = None) -> None:
        """Have the scheduler send a test message to one channel; see `trials` for what became of it.

        Raises
        ------
        InputError
            There is no such channel, or it is paused.
        LimitReached
            Twenty tests an hour are the most.
        """
        moment = utc_now() if now is None else now
        with self._database.read(owner_id) as session:
            channel = _require(session, owner_id, channel_id)
        if not channel.active:
            raise InputError("The channel is paused. Hint: let it go on first.")
        spent = self._limits.spend(f"alert_tests:{owner_id}", most=_TESTS_AN_HOUR, per=timedelta(hours=1))
        if not spent.allowed:
            raise LimitReached(spent.wait)
        Alerts(self._database).emit(
            owner_id,
            AlertKind.TEST,
            dedupe_key=f"test:{secrets.token_hex(8)}",
            params={"channel": channel.name},
            channels=(channel_id,),
            now=moment,
        )

    def trials(self, owner_id: str) -> Mapping[str, Trial]:
        """The newest test of each channel that had one."""
        newest = (
            select(func.max(AlertDeliveryRow.id))
            .where(AlertDeliveryRow.owner_id == owner_id, AlertDeliveryRow.kind == AlertKind.TEST.value)
            .group_by(AlertDeliveryRow.channel_id)
        )
        statement = select(AlertDeliveryRow).where(
            AlertDeliveryRow.owner_id == owner_id, AlertDeliveryRow.id.in_(newest)
        )
        with self._database.read(owner_id) as session:
            return {
                row.channel_id: Trial(
                    channel_id=row.channel_id,
                    state=row.state,
                    error=row.last_error,
                    asked_at=row.created_at,
                    sent_at=row.sent_at,
                )
                for row in session.scalars(statement)
            }


def _require(session: Session, owner_id: str, channel_id: str) -> AlertChannelRow:
    row = session.scalar(
        select(AlertChannelRow).where(AlertChannelRow.owner_id == owner_id, AlertChannelRow.id == channel_id)
    )
    if row is None:
        raise InputError("There is no such channel.")
    return row


def _name(name: str) -> str:
    text = " ".join(storable(name).split())
    if not 1 <= len(text) <= _LONGEST_NAME:
        raise InputError(f"Expected a name of 1 to {_LONGEST_NAME} characters.")
    return text


def _view(row: AlertChannelRow) -> Channel:
    return Channel(
        id=row.id,
        kind=ChannelKind(row.kind),
        name=row.name,
        language="en" if row.language == "en" else "ko",
        masked=row.masked,
        active=row.active,
        tested_at=row.tested_at,
        last_ok_at=row.last_ok_at,
        last_error=row.last_error,
    )
