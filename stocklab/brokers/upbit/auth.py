"""How a request to Upbit is signed: a new token for each request, bound to its parameters by their hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from jwt.algorithms import HMACAlgorithm
from jwt.api_jws import PyJWS

__all__ = ["Pairs", "UpbitCredentials", "bearer", "encoded_query", "plain_query"]

Pairs = Sequence[tuple[str, str]]
"""Parameters in the order in which they are sent; arrays repeat their key, which ends in ``[]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpbitCredentials:
    """The two halves of an API key of one pocket. Neither is in any representation."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def key_id(self) -> str:
        """Names the key without telling it, for buckets and logs."""
        return hashlib.sha256(self.access_key.encode()).hexdigest()[:12]

    @property
    def masked(self) -> str:
        """What a person may see of it.

        >>> UpbitCredentials(access_key="abcdefghij", secret_key="x").masked
        '••••ghij'
        """
        return "••••" + self.access_key[-4:]


class _AnyLength(HMACAlgorithm):
    """Upbit hands out secrets of 40 characters; PyJWT would warn of every one that is shorter than 64."""

    def check_key_length(self, key: bytes) -> str | None:
        return None


_ALGORITHM: Final = "HS512"
_JWS: Final = PyJWS(algorithms=[])
_JWS.register_algorithm(_ALGORITHM, _AnyLength(HMACAlgorithm.SHA512))


def plain_query(pairs: Pairs) -> str:
    """The text whose hash is signed: as sent, but not encoded.

    >>> plain_query([("market", "KRW-BTC"), ("states[]", "wait"), ("states[]", "watch")])
    'market=KRW-BTC&states[]=wait&states[]=watch'
    """
    return "&".join(f"{key}={value}" for key, value in pairs)


def encoded_query(pairs: Pairs) -> str:
    """The query as it goes out; the brackets of arrays stay as they are, else the hash is refused.

    >>> encoded_query([("states[]", "a b"), ("to", "2026-11-20T00:00:00+09:00")])
    'states[]=a%20b&to=2026-11-20T00%3A00%3A00%2B09%3A00'
    """
    return "&".join(f"{quote(key, safe='[]')}={quote(value, safe='')}" for key, value in pairs)


def bearer(credentials: UpbitCredentials, pairs: Pairs, nonce: str) -> str:
    """The Authorization header of one request. A nonce is taken once."""
    claims = {"access_key": credentials.access_key, "nonce": nonce}
    if pairs:
        claims["query_hash"] = hashlib.sha512(plain_query(pairs).encode()).hexdigest()
        claims["query_hash_alg"] = "SHA512"
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return "Bearer " + _JWS.encode(payload, credentials.secret_key, algorithm=_ALGORITHM)
