"""Secrets that the program makes for itself, kept in the home for the owner's eyes only."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import structlog

from stocklab.errors import SettingsError
from stocklab.settings import Settings

__all__ = ["cookie_secret", "own_secret"]

log = structlog.get_logger(__name__)

_MIN_LENGTH = 32


def cookie_secret(settings: Settings) -> str:
    """The secret that signs cookies: as set, else generated once and kept in the home.

    Raises
    ------
    SettingsError
        The stored secret is too short to be one, or in prod others can read it.
    """
    if settings.cookie_secret is not None:
        return settings.cookie_secret.get_secret_value()
    return own_secret(Path(settings.home) / "secrets" / "cookie", strict=settings.env == "prod")


def own_secret(file: Path, *, strict: bool) -> str:
    """Read a secret, making it first if there is none. Processes that start together get the same one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        draft = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(48))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, file)  # whole or not at all, and never over an existing one
        except FileExistsError:
            log.debug("secret_made_elsewhere", file=str(file))
        finally:
            draft.unlink()
        log.info("secret_made", file=str(file))
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        if strict:
            raise SettingsError(f"{file} can be read by others (mode {mode:o}). Hint: chmod 600 {file}")
        file.chmod(0o600)
        log.warning("secret_permissions_tightened", file=str(file), was=f"{mode:o}")
    secret = file.read_text(encoding="ascii").strip()
    if len(secret) < _MIN_LENGTH:
        raise SettingsError(f"{file} holds fewer than {_MIN_LENGTH} characters. Hint: delete it; a new one is made.")
    return secret
