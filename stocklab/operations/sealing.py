"""Encryption of secrets at rest: Fernet, under a key from the environment or one kept in the home."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stocklab.errors import SettingsError
from stocklab.secret_files import own_secret
from stocklab.settings import Settings

__all__ = ["Sealer", "encryption_file", "open_sealer"]

_MIN_LENGTH = 32


class Sealer:
    """Seals and opens texts. The first secret seals; all of them open, so that secrets can be rotated.

    Raises
    ------
    SettingsError
        There is no secret, or one is shorter than 32 characters.
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        if not secrets or any(len(secret) < _MIN_LENGTH for secret in secrets):
            raise SettingsError(f"STOCKLAB_ENCRYPTION_KEY needs {_MIN_LENGTH} or more characters, in each part.")
        self._fernet = MultiFernet([Fernet(_derived(secret)) for secret in secrets])

    def seal(self, text: str) -> str:
        """Encrypted and signed."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The text again.

        Raises
        ------
        SettingsError
            None of the secrets opens it.
        """
        try:
            return self._fernet.decrypt(sealed.encode("ascii")).decode()
        except InvalidToken:
            raise SettingsError(
                "A stored key cannot be read: it was encrypted under another key. Hint: put the old value of "
                "STOCKLAB_ENCRYPTION_KEY after the new one, separated by a comma, or enter the source's key again."
            ) from None

    def rotate(self, sealed: str) -> str:
        """Sealed anew under the first secret. Raises as `open`."""
        return self.seal(self.open(sealed))


def open_sealer(settings: Settings) -> Sealer:
    """The sealer of this installation: STOCKLAB_ENCRYPTION_KEY (several values with commas, the newest first), else a
    secret that is made once and kept in the home.

    Raises
    ------
    SettingsError
        The secret is too short, or in prod others can read its file.
    """
    if settings.encryption_key is not None:
        given = settings.encryption_key.get_secret_value()
    else:
        given = own_secret(encryption_file(settings), strict=settings.env == "prod")
    return Sealer(tuple(part.strip() for part in given.split(",") if part.strip()))


def encryption_file(settings: Settings) -> Path:
    """Where the secret is kept that the program made for itself; after a rotation was cut short, two with a comma."""
    return Path(settings.home) / "secrets" / "encryption"


def _derived(secret: str) -> bytes:
    """A Fernet key: 32 bytes in url-safe base64."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"stocklab source keys").derive(secret.encode())
    return base64.urlsafe_b64encode(key)
