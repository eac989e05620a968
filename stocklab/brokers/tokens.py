"""A broker's access token outlives a process: issuing is limited, and each issue may end the older one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

__all__ = ["AccessToken", "MemoryTokens", "TokenStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token with its life. Its value is in no representation."""

    value: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime

    def usable(self, now: datetime, margin: timedelta) -> bool:
        """Whether it lives longer than the margin."""
        return now + margin < self.expires_at


class TokenStore(Protocol):
    """Keeps one token for each key, encrypted, and when one was last asked for."""

    def load(self, key_id: str) -> AccessToken | None:
        """The kept token, usable or not."""
        ...

    def save(self, key_id: str, token: AccessToken) -> None:
        """Keep a token in place of the older one."""
        ...

    def forget(self, key_id: str, value: str) -> None:
        """The broker refused this token; another one that was saved meanwhile stays."""
        ...

    def asked_at(self, key_id: str) -> datetime | None:
        """When one was last asked for, whether it came or not."""
        ...

    def note_asking(self, key_id: str, at: datetime) -> None:
        """Remember before asking, so that a kill never makes it free."""
        ...


@dataclass(slots=True)
class MemoryTokens:
    """A store of one process, for tests and single questions."""

    _tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    _asked: dict[str, datetime] = field(default_factory=dict)

    def load(self, key_id: str) -> AccessToken | None:
        """See `TokenStore.load`."""
        return self._tokens.get(key_id)

    def save(self, key_id: str, token: AccessToken) -> None:
        """See `TokenStore.save`."""
        self._tokens[key_id] = token

    def forget(self, key_id: str, value: str) -> None:
        """See `TokenStore.forget`."""
        kept = self._tokens.get(key_id)
        if kept is not None and kept.value == value:
            del self._tokens[key_id]

    def asked_at(self, key_id: str) -> datetime | None:
        """See `TokenStore.asked_at`."""
        return self._asked.get(key_id)

    def note_asking(self, key_id: str, at: datetime) -> None:
        """See `TokenStore.note_asking`."""
        self._asked[key_id] = at
