"""From a message to the kind of channel that carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stocklab.alerts.channel_forms import ChannelKind
from stocklab.alerts.message import Message
from stocklab.alerts.messengers import send_message
from stocklab.alerts.outcome import Outcome
from stocklab.alerts.webhook import post_webhook
from stocklab.alerts.words import Language
from stocklab.db import AlertChannelRow
from stocklab.settings import Settings

__all__ = ["Address", "send"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A channel as the outbox needs it, without what is sealed."""

    channel_id: str
    owner_id: str
    kind: ChannelKind
    language: Language

    @classmethod
    def of(cls, row: AlertChannelRow) -> Address:
        """Of a row."""
        return cls(
            channel_id=row.id,
            owner_id=row.owner_id,
            kind=ChannelKind(row.kind),
            language="en" if row.language == "en" else "ko",
        )


def send(
    kind: ChannelKind,
    fields: Mapping[str, str],
    message: Message,
    delivery_id: str,
    settings: Settings,
    *,
    now: datetime,
) -> Outcome:
    """Send one message once, whatever the channel is."""
    if kind is ChannelKind.WEBHOOK:
        return post_webhook(
            fields["url"],
            fields["signing_secret"],
            delivery_id,
            message.document,
            now=now,
            allow_private=settings.alerts_to_private_hosts,
        )
    return send_message(
        kind, fields, message.said, severity=message.severity, delivery_id=delivery_id, settings=settings
    )
