"""How an attempt to send ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["Outcome", "scrub"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``error`` is empty when it was taken. ``for_good``: this message will never be taken. ``wait``: as the receiver
    asked.
    """

    error: str = ""
    for_good: bool = False
    wait: timedelta | None = None

    @property
    def ok(self) -> bool:
        """Whether the receiver took it."""
        return not self.error


def scrub(text: str, secrets: tuple[str, ...]) -> str:
    """A text without the secrets in it, of one line and at most 200 characters."""
    for secret in sorted((one for one in secrets if len(one) >= 4), key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:200]
