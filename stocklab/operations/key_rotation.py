"""Exchanging the secret under which keys are sealed: every sealed column of the app database, in one transaction."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select

from stocklab.db import (
    AlertChannelRow,
    Base,
    BrokerAccountRow,
    BrokerTokenRow,
    Database,
    SignOfLifeRow,
    SourceKeyRow,
    UserRow,
)
from stocklab.operations.audit import AuditLog
from stocklab.operations.sealing import Sealer, encryption_file, open_sealer
from stocklab.secret_files import own_secret
from stocklab.settings import Settings

__all__ = ["SEALED_COLUMNS", "exchange_secret", "reseal"]

log = structlog.get_logger(__name__)

SEALED_COLUMNS: Final[tuple[tuple[type[Base], str], ...]] = (
    (SourceKeyRow, "sealed"),
    (UserRow, "totp_secret"),
    (BrokerAccountRow, "sealed"),
    (BrokerTokenRow, "sealed"),
    (AlertChannelRow, "sealed"),
    (SignOfLifeRow, "sealed"),
)
"""Where sealed texts are kept; a new one is added here."""


def reseal(database: Database, sealer: Sealer) -> int:
    """Seal everything anew under the newest secret; returns how many texts. All or nothing.

    Raises
    ------
    SettingsError
        One was sealed under a secret that is not given any more.
    """
    count = 0
    with database.write() as session:
        for table, column in SEALED_COLUMNS:
            field = getattr(table, column)
            for row in session.scalars(select(table).where(field.is_not(None)).with_for_update()):
                setattr(row, column, sealer.rotate(getattr(row, column)))
                count += 1
        AuditLog(database).write("keys.rotated", actor_id=None, details={"texts": count}, session=session)
    log.info("keys_rotated", texts=count)
    return count


def exchange_secret(database: Database, settings: Settings) -> int:
    """Seal everything anew: under the first value of STOCKLAB_ENCRYPTION_KEY, or, where the secret is kept in the home,
    under a new one that is made now. Nobody else may use the home meanwhile.

    A kill leaves both secrets in the file, which open everything; the same call then goes on.

    Raises
    ------
    SettingsError
        A secret cannot be used, or a text was sealed under another one.
    """
    if settings.encryption_key is not None:
        return reseal(database, open_sealer(settings))
    file = encryption_file(settings)
    old = own_secret(file, strict=settings.env == "prod")
    new = secrets.token_urlsafe(48)
    _replace(file, f"{new},{old}")
    count = reseal(database, Sealer(tuple(f"{new},{old}".split(","))))
    _replace(file, new)
    return count


def _replace(file: Path, text: str) -> None:
    """The file with another content, whole or not at all, for the owner's eyes."""
    draft = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
