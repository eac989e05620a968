"""One message for a channel: the words of one alert, or of a burst; and the JSON of a webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stocklab.alerts.kinds import AlertKind, Severity
from stocklab.alerts.words import Language, Said, say, say_many

__all__ = ["Fact", "Message", "message_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event as it is told."""

    id: str
    kind: AlertKind
    severity: Severity
    params: Mapping[str, Any]
    link: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Words for people, ``document`` for programs."""

    said: Said
    severity: Severity
    document: Mapping[str, Any]


def message_of(facts: Sequence[Fact], delivery_id: str, language: Language, public_url: str) -> Message:
    """The message that tells these facts, all of one kind, in order."""
    first = facts[0]
    severity = max((fact.severity for fact in facts), key=list(Severity).index)
    said = (
        say(first.kind, first.params, language)
        if len(facts) == 1
        else say_many(first.kind, [fact.params for fact in facts], language)
    )
    link = f"{public_url.rstrip('/')}/{first.link}" if public_url and first.link else ""
    document: dict[str, Any] = {
        "version": 1,
        "delivery": delivery_id,
        "kind": first.kind.value,
        "severity": severity.value,
        "language": language,
        "title": said.title,
        "text": said.text,
        "link": link,
        "events": [
            {
                "id": fact.id,
                "at": fact.created_at.astimezone(UTC).isoformat(timespec="milliseconds"),
                "params": dict(fact.params),
            }
            for fact in facts
        ],
    }
    with_link = Said(said.title, f"{said.text}\n{link}".strip() if link else said.text)
    return Message(said=with_link, severity=severity, document=document)
