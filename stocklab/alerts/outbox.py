"""The outbox: every alert reaches every channel at least once, in order, and no channel waits for another.

A delivery is taken in one transaction, sent outside of any, and settled in another. A kill in between leaves it taken;
when its lease is over it is sent again under the same id, by which a receiver knows it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from stocklab.alerts.batching import MINUTE, Waiting, choose
from stocklab.alerts.kinds import AlertKind, Severity
from stocklab.alerts.message import Fact, message_of
from stocklab.alerts.outcome import Outcome
from stocklab.alerts.pauses import LAST_AGE, LEASE, next_try
from stocklab.alerts.sending import Address, send
from stocklab.db import AlertChannelRow, AlertDeliveryRow, AlertEventRow, Database
from stocklab.errors import SettingsError
from stocklab.operations import Sealer
from stocklab.settings import Settings

__all__ = ["Due", "Outbox"]

log = structlog.get_logger(__name__)

_OPEN: Final = ("waiting", "failed")
_LOOK_AHEAD: Final = 200
_AT_ONCE: Final = 25
_SENDERS: Final = 8


class Due(NamedTuple):
    """A channel for which something waits, and whose it is."""

    owner_id: str
    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """What one message tells, taken for this process. ``attempts`` is the fence: who took it later counted on."""

    address: Address
    sealed: str | None
    ids: tuple[int, ...]
    attempts: int
    delivery_id: str
    facts: tuple[Fact, ...]
    created_at: datetime


class Outbox:
    """Sends what waits. Any number of processes may do so at once."""

    def __init__(self, database: Database, sealer: Sealer, settings: Settings) -> None:
        self._database = database
        self._sealer = sealer
        self._settings = settings

    def due(self, now: datetime) -> tuple[Due, ...]:
        """Channels for which something may be sent now, of all owners: what stands behind a delivery that waits for
        its next attempt, or is on its way, does not count.
        """
        row, first = AlertDeliveryRow, aliased(AlertDeliveryRow)
        before = exists().where(
            first.channel_id == row.channel_id,
            first.id < row.id,
            first.state.in_(_OPEN),
            first.next_at > now,
            ~first.held,
            first.kind != AlertKind.TEST.value,
        )
        statement = (
            select(row.owner_id, row.channel_id)
            .join(AlertChannelRow, AlertChannelRow.id == row.channel_id)
            .where(row.state.in_(_OPEN), row.next_at <= now, AlertChannelRow.active)
            .where((row.kind == AlertKind.TEST.value) | ~before)
            .distinct()
        )
        with self._database.read() as session:
            return tuple(Due(owner, channel) for owner, channel in session.execute(statement))

    def deliver(self, clock: Callable[[], datetime]) -> int:
        """Send what is due, several channels at a time, and wait for all of them; how many messages arrived."""
        due = self.due(clock())
        if not due:
            return 0
        with ThreadPoolExecutor(min(_SENDERS, len(due)), thread_name_prefix="stocklab-outbox") as senders:
            return sum(senders.map(lambda one: self.drain(one.channel_id, clock), due))

    def drain(self, channel_id: str, clock: Callable[[], datetime]) -> int:
        """Send what is due to one channel, one after the other; how many messages arrived."""
        arrived = 0
        for _ in range(_AT_ONCE):
            parcel = self._take(channel_id, clock())
            if parcel is None:
                break
            arrived += self._hand_over(parcel, clock)
        return arrived

    def _hand_over(self, parcel: _Parcel, clock: Callable[[], datetime]) -> bool:
        started = time.perf_counter()
        outcome = self._sent(parcel, clock())
        self._settle(parcel, outcome, clock())
        log.info(
            "alert_sent" if outcome.ok else "alert_not_sent",
            channel=parcel.address.channel_id,
            channel_kind=parcel.address.kind.value,
            kind=parcel.facts[0].kind.value,
            delivery=parcel.delivery_id,
            events=len(parcel.facts),
            attempts=parcel.attempts,
            error=outcome.error,
            seconds=round(time.perf_counter() - started, 3),
        )
        return outcome.ok

    def _sent(self, parcel: _Parcel, now: datetime) -> Outcome:
        message = message_of(parcel.facts, parcel.delivery_id, parcel.address.language, self._settings.public_url)
        try:
            fields = json.loads(self._sealer.open(parcel.sealed or ""))
        except SettingsError as error:
            return Outcome(error=str(error)[:200])
        try:
            return send(parcel.address.kind, fields, message, parcel.delivery_id, self._settings, now=now)
        except Exception as error:  # noqa: BLE001 - a fault of a service's library must not end the row behind it
            log.warning("alert_sender_broke", channel=parcel.address.channel_id, error=type(error).__name__)
            return Outcome(error=f"A fault while sending ({type(error).__name__}).")

    def _take(self, channel_id: str, now: datetime) -> _Parcel | None:
        """Take what goes next, so that nobody else sends it; None when nothing may go now."""
        with self._database.write() as session:
            channel = session.get(AlertChannelRow, channel_id, with_for_update=True)
            if channel is None or not channel.active:
                return None
            rows = {row.id: row for row in _open_rows(session, channel_id, now)}
            choice = choose([_waiting(row) for row in rows.values()], _told(session, channel_id, now), now)
            for number, until in choice.hold.items():
                rows[number].held, rows[number].next_at = True, until
            taken = [rows[one.id] for one in choice.take]
            if not taken:
                return None
            first, attempts = taken[0], taken[0].attempts + 1
            for row in taken:
                row.attempts, row.next_at, row.held = attempts, now + LEASE, False
                if len(taken) > 1:
                    row.within = first.within or first.delivery_id
            return _Parcel(
                address=Address.of(channel),
                sealed=channel.sealed,
                ids=tuple(row.id for row in taken),
                attempts=attempts,
                delivery_id=first.within or first.delivery_id,
                facts=_facts(session, taken),
                created_at=first.created_at,
            )

    def _settle(self, parcel: _Parcel, outcome: Outcome, now: datetime) -> None:
        """Write down how it ended, unless its lease was over and somebody else took it since."""
        is_test = parcel.facts[0].kind is AlertKind.TEST
        again = None if is_test else next_try(outcome, parcel.attempts, parcel.created_at, now)
        if outcome.ok:
            values = {"state": "sent", "sent_at": now, "last_error": ""}
        elif again is None:
            values = {"state": "given_up", "last_error": outcome.error}
        else:
            values = {"state": "failed", "next_at": again, "last_error": outcome.error}
        mine = (AlertDeliveryRow.id.in_(parcel.ids), AlertDeliveryRow.attempts == parcel.attempts)
        with self._database.write() as session:
            session.execute(update(AlertDeliveryRow).where(*mine).values(**values))
            channel = session.get(AlertChannelRow, parcel.address.channel_id, with_for_update=True)
            if channel is None:
                return
            channel.last_error = outcome.error
            channel.tested_at = now if is_test else channel.tested_at
            if outcome.ok:
                channel.last_ok_at = now
            if outcome.ok and is_test:  # it works again: what failed before goes now
                waits = (AlertDeliveryRow.channel_id == channel.id, AlertDeliveryRow.state == "failed")
                session.execute(update(AlertDeliveryRow).where(*waits).values(next_at=now))


def _open_rows(session: Session, channel_id: str, now: datetime) -> Sequence[AlertDeliveryRow]:
    """What waits for a channel, without what has become too old to be told."""
    mine = (AlertDeliveryRow.channel_id == channel_id, AlertDeliveryRow.state.in_(_OPEN))
    session.execute(
        update(AlertDeliveryRow)
        .where(*mine, AlertDeliveryRow.created_at < now - LAST_AGE, AlertDeliveryRow.next_at <= now)
        .values(state="given_up")
    )
    return session.scalars(
        select(AlertDeliveryRow).where(*mine).order_by(AlertDeliveryRow.id).limit(_LOOK_AHEAD).with_for_update()
    ).all()


def _told(session: Session, channel_id: str, now: datetime) -> dict[str, list[datetime]]:
    """When messages went to a channel within the last minute, by kind; a summary counts once."""
    statement = select(
        AlertDeliveryRow.kind, AlertDeliveryRow.sent_at, AlertDeliveryRow.delivery_id, AlertDeliveryRow.within
    )
    told: dict[str, list[datetime]] = {}
    sent = statement.where(AlertDeliveryRow.channel_id == channel_id, AlertDeliveryRow.sent_at > now - MINUTE)
    for kind, sent_at, delivery_id, within in session.execute(sent):
        if sent_at is not None and within in (None, delivery_id):
            told.setdefault(kind, []).append(sent_at)
    return told


def _waiting(row: AlertDeliveryRow) -> Waiting:
    return Waiting(**{name: getattr(row, name) for name in Waiting.__slots__})


def _facts(session: Session, taken: Sequence[AlertDeliveryRow]) -> tuple[Fact, ...]:
    """The events of deliveries, in their order."""
    found = {
        row.id: row
        for row in session.scalars(select(AlertEventRow).where(AlertEventRow.id.in_([one.event_id for one in taken])))
    }
    return tuple(
        Fact(
            id=row.id,
            kind=AlertKind(row.kind),
            severity=Severity(row.severity),
            params=row.params,
            link=row.link,
            created_at=row.created_at,
        )
        for row in (found[one.event_id] for one in taken)
    )
