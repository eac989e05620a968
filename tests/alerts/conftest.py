"""A desk of alerts over each kind of database, and a receiver of webhooks on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.http_service import FakeService, Fault, Reply, Seen
from sqlalchemy import select

from stocklab.alerts import AlertKind, Alerts, ChannelKind, Channels
from stocklab.alerts.outbox import Outbox
from stocklab.db import AlertDeliveryRow, Database, OwnerRow
from stocklab.operations import RateLimits, Sealer
from stocklab.settings import Settings

START = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
SECRET = "a-secret-of-the-receiver"
ADA, BEN = "ada", "ben"


class Receiver(FakeService):
    """Takes whatever is posted."""

    redirect = ""
    status = 200

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        if self.redirect:
            return Reply(status=307, headers={"Location": self.redirect})
        body = b"ok" if seen.path.startswith("/services/") else b'{"ok": true, "result": {}}'  # as Slack answers
        return Reply(status=self.status, body=body)

    def told(self) -> list[dict[str, Any]]:
        """The documents that came, in order."""
        return [json.loads(seen.body) for seen in self.seen]


@dataclass(kw_only=True)
class Desk:
    """Services, and a clock that stands until it is moved."""

    database: Database
    settings: Settings
    sealer: Sealer = field(default_factory=lambda: Sealer(("k" * 32,)))
    now: datetime = START

    def __post_init__(self) -> None:
        self.alerts = Alerts(self.database)
        self.channels = Channels(self.database, self.sealer, RateLimits(self.database))
        self.outbox = Outbox(self.database, self.sealer, self.settings)

    def clock(self) -> datetime:
        return self.now

    def wait(self, **of_time: float) -> None:
        self.now += timedelta(**of_time)

    def webhook(self, url: str, owner: str = ADA, name: str = "n8n") -> str:
        form = {"url": url, "signing_secret": SECRET}
        return self.channels.add(owner, ChannelKind.WEBHOOK, name, form, language="en", now=self.now)[0]

    def emit(self, key: str, kind: AlertKind = AlertKind.DISCLOSURE, owner: str = ADA, **params: Any) -> str | None:
        return self.alerts.emit(owner, kind, dedupe_key=key, params={"title": key, **params}, now=self.now)

    def deliver(self) -> int:
        return self.outbox.deliver(self.clock)

    def deliveries(self) -> list[AlertDeliveryRow]:
        with self.database.read() as session:
            return list(session.scalars(select(AlertDeliveryRow).order_by(AlertDeliveryRow.id)))


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    with database.write() as session:
        session.add_all([OwnerRow(id=owner, name=owner) for owner in (ADA, BEN)])
    return Desk(database=database, settings=Settings(home=tmp_path, alerts_to_private_hosts=True))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as service:
        yield service
