"""A seal over hidden rules: their salted hash is published at once, so that they cannot be exchanged later."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

__all__ = ["canonical", "fits_seal", "new_salt", "seal"]


def canonical(document: Mapping[str, Any]) -> str:
    """The one spelling of a document as JSON text: keys sorted, no blanks, letters as they are.

    >>> canonical({"b": 1, "a": "가"})
    '{"a":"가","b":1}'
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def new_salt() -> str:
    """A secret number of 256 bits in hex, so that rules cannot be guessed from their hash."""
    return secrets.token_hex(32)


def seal(document: Mapping[str, Any], salt: str) -> str:
    """SHA-256 (hex) of the salt followed by the document, in UTF-8: ``printf %s "$salt$json" | sha256sum``."""
    return hashlib.sha256((salt + canonical(document)).encode()).hexdigest()


def fits_seal(document: Mapping[str, Any], salt: str, sealed_hash: str) -> bool:
    """Whether these are the rules that were sealed."""
    return hmac.compare_digest(seal(document, salt), sealed_hash)
