"""Keys of sources that a person entered: encrypted in the app database, never shown and never logged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy import delete, select

from stocklab.db import Database, SourceKeyRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.operations.audit import AuditLog
from stocklab.operations.sealing import Sealer
from stocklab.settings import Settings

__all__ = ["SOURCE_KEYS", "SourceKeys", "with_source_keys"]

SOURCE_KEYS: Final = (
    "krx_openapi_key",
    "datagokr_key",
    "opendart_key",
    "naver_client_id",
    "naver_client_secret",
    "naver_legacy_client_id",
    "naver_legacy_client_secret",
    "krx_id",
    "krx_password",
)
"""Settings whose value may be kept here."""

_LONGEST: Final = 1000


class SourceKeys:
    """Sets, deletes and names keys; the values leave only through `values`, for the feeds."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._audit = AuditLog(database)

    def set(self, name: str, value: str, *, actor_id: str | None = None) -> None:
        """Keep a key, in place of an older one. ``actor_id`` is who did it, for the audit log.

        Raises
        ------
        InputError
            There is no such key, or the value is empty, too long or has line breaks. The message never repeats it.
        """
        if name not in SOURCE_KEYS:
            raise InputError(f"Unknown key {name!r}. Expected one of {', '.join(SOURCE_KEYS)}.")
        value = value.strip()
        if not value or len(value) > _LONGEST or not value.isprintable():
            raise InputError(f"{name}: expected 1 to {_LONGEST} printable characters on one line.")
        with self._database.write() as session:
            session.merge(SourceKeyRow(name=name, sealed=self._sealer.seal(value), updated_at=utc_now()))
            self._audit.write("source_key.set", actor_id=actor_id, subject=name, session=session)

    def delete(self, name: str, *, actor_id: str | None = None) -> bool:
        """Forget a key; False when there was none."""
        with self._database.write() as session:
            gone = session.execute(delete(SourceKeyRow).where(SourceKeyRow.name == name).returning(SourceKeyRow.name))
            if gone.first() is None:
                return False
            self._audit.write("source_key.deleted", actor_id=actor_id, subject=name, session=session)
            return True

    def names(self) -> Mapping[str, datetime]:
        """Which keys are kept, and since when."""
        with self._database.read() as session:
            rows = session.execute(select(SourceKeyRow.name, SourceKeyRow.updated_at).order_by(SourceKeyRow.name))
            return {row.name: row.updated_at for row in rows}

    def values(self) -> Mapping[str, str]:
        """Every kept key by the name of its setting.

        Raises
        ------
        SettingsError
            One was encrypted under another key.
        """
        with self._database.read() as session:
            rows = session.execute(select(SourceKeyRow.name, SourceKeyRow.sealed)).all()
        return {name: self._sealer.open(sealed) for name, sealed in rows}


def with_source_keys(settings: Settings, keys: SourceKeys) -> Settings:
    """The settings with the kept keys filled in; what the environment sets wins. Raises as `SourceKeys.values`."""
    kept = keys.values()
    missing = {name: SecretStr(value) for name, value in kept.items() if getattr(settings, name, None) is None}
    return settings.model_copy(update=missing)
