"""Access tokens of brokers in the app database, encrypted, so that a restart asks for no second one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from stocklab.brokers.tokens import AccessToken
from stocklab.db import BrokerTokenRow, Database
from stocklab.operations.inserting import insert_if_absent
from stocklab.operations.sealing import Sealer

__all__ = ["SealedTokens"]


class SealedTokens:
    """The `TokenStore` of the background process."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def load(self, key_id: str) -> AccessToken | None:
        """See `TokenStore.load`. Raises SettingsError where the secret that sealed it is gone."""
        with self._database.read() as session:
            row = session.get(BrokerTokenRow, key_id)
            if row is None or row.sealed is None or row.issued_at is None or row.expires_at is None:
                return None
            return AccessToken(value=self._sealer.open(row.sealed), issued_at=row.issued_at, expires_at=row.expires_at)

    def save(self, key_id: str, token: AccessToken) -> None:
        """See `TokenStore.save`."""
        self._put(key_id, sealed=self._sealer.seal(token.value), issued_at=token.issued_at, expires_at=token.expires_at)

    def forget(self, key_id: str, value: str) -> None:
        """See `TokenStore.forget`."""
        with self._database.write() as session:
            row = session.scalar(select(BrokerTokenRow).where(BrokerTokenRow.key_id == key_id).with_for_update())
            if row is not None and row.sealed is not None and self._sealer.open(row.sealed) == value:
                row.sealed = row.issued_at = row.expires_at = None

    def asked_at(self, key_id: str) -> datetime | None:
        """See `TokenStore.asked_at`."""
        with self._database.read() as session:
            return session.scalar(select(BrokerTokenRow.asked_at).where(BrokerTokenRow.key_id == key_id))

    def note_asking(self, key_id: str, at: datetime) -> None:
        """See `TokenStore.note_asking`."""
        self._put(key_id, asked_at=at)

    def _put(self, key_id: str, **values: object) -> None:
        with self._database.write() as session:
            insert_if_absent(session, BrokerTokenRow, key_id=key_id)
            session.execute(update(BrokerTokenRow).where(BrokerTokenRow.key_id == key_id).values(**values))
