"""Telling an owner something: once, in the feed, and in the outbox of every channel."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from stocklab.alerts.kinds import SEVERITIES, AlertKind, Severity
from stocklab.community.ids import new_id
from stocklab.db import AlertChannelRow, AlertDeliveryRow, AlertEventRow, Database, as_system
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.operations.inserting import storable

__all__ = ["Alerts"]

log = structlog.get_logger(__name__)

_LONGEST_KEY: Final = 200
_LONGEST_LINK: Final = 300
_LONGEST_TEXT: Final = 16_000


class Alerts:
    """Writes alerts. What is sent, and when, is the outbox's business: see `Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def emit(
        self,
        owner_id: str,
        kind: AlertKind,
        *,
        dedupe_key: str,
        params: Mapping[str, Any],
        link: str = "",
        severity: Severity | None = None,
        channels: Collection[str] | None = None,
        rule_id: str = "",
        session: Session | None = None,
        now: datetime | None = None,
    ) -> str | None:
        """Tell an owner a fact, once.

        Parameters
        ----------
        dedupe_key : str
            Names the fact, such as ``fill:<order>:<number>``. A fact that was told is not told again.
        params : mapping
            Texts, numbers and codes the words are made of; no secrets: they are sent and shown.
        link : str
            A page of this app with its parameters, such as ``trading?order=...``.
        channels : collection of ids, optional
            Only these; default: every active channel of the owner.
        session : Session, optional
            The caller's transaction, so that the fact and its alert are written together or not at all.

        Returns
        -------
        Id of the event; None when it was told before.

        Raises
        ------
        InputError
            The key or the link is too long, or a parameter is not a plain value.
        """
        moment = utc_now() if now is None else now
        values: dict[str, Any] = {
            "id": new_id(moment),
            "owner_id": owner_id,
            "kind": AlertKind(kind).value,
            "severity": (SEVERITIES[kind] if severity is None else severity).value,
            "params": _plain(params),
            "link": _short(link, _LONGEST_LINK, "link"),
            "dedupe_key": _short(dedupe_key, _LONGEST_KEY, "dedupe_key"),
            "rule_id": rule_id,
            "created_at": moment,
        }
        with nullcontext(session) if session is not None else self._database.write(owner_id) as writing:
            if not _insert_once(writing, values):
                return None
            count = _post(writing, values, channels)
        log.info("alert_emitted", kind=kind.value, event_id=values["id"], owner=owner_id, channels=count)
        return str(values["id"])


def _insert_once(session: Session, values: Mapping[str, Any]) -> bool:
    postgres = session.get_bind().dialect.name == "postgresql"
    make: Any = postgresql_insert if postgres else sqlite_insert
    statement = make(AlertEventRow).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["owner_id", "dedupe_key"]).returning(AlertEventRow.id)
    return session.execute(statement).first() is not None


def _post(session: Session, event: Mapping[str, Any], channels: Collection[str] | None) -> int:
    """A delivery for each channel; how many."""
    wanted = select(AlertChannelRow.id).where(AlertChannelRow.owner_id == event["owner_id"], AlertChannelRow.active)
    if channels is not None:
        wanted = wanted.where(AlertChannelRow.id.in_(list(channels)))
    found = session.scalars(wanted.order_by(AlertChannelRow.id)).all()
    if not found:
        return 0
    with as_system(session):  # users have no right to the counter that keeps the order of the outbox
        session.execute(
            insert(AlertDeliveryRow),
            [
                {
                    "delivery_id": secrets.token_hex(16),
                    "owner_id": event["owner_id"],
                    "event_id": event["id"],
                    "channel_id": channel,
                    "kind": event["kind"],
                    "state": "waiting",
                    "attempts": 0,
                    "next_at": event["created_at"],
                    "held": False,
                    "last_error": "",
                    "created_at": event["created_at"],
                }
                for channel in found
            ],
        )
    return len(found)


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, str):
            plain[name] = storable(str(value))[:_LONGEST_TEXT]
        elif value is None or isinstance(value, bool | int | float):
            plain[name] = value
        else:
            raise InputError(
                f"Parameter {name!r} of an alert: expected a text or a number, found {type(value).__name__}."
            )
    return plain


def _short(text: str, most: int, name: str) -> str:
    if len(text) > most or (name == "dedupe_key" and not text):
        raise InputError(f"{name} of an alert: expected 1 to {most} characters, found {len(text)}.")
    return text
