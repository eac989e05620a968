"""How the services of accounts tell the audit log; the log itself is `stocklab.operations`' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy.orm import Session

__all__ = ["Record", "record_nothing"]


class Record(Protocol):
    """Adds a row to the audit log; in ``session``, with which it stands or falls."""

    def __call__(
        self,
        action: str,
        *,
        actor_id: str | None,
        subject: str = "",
        details: Mapping[str, Any] | None = None,
        session: Session | None = None,
    ) -> object:
        """Write it."""
        ...


def record_nothing(
    action: str,
    *,
    actor_id: str | None,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
    session: Session | None = None,
) -> object:
    """No log: for tests, and for programs that only read."""
    del action, actor_id, subject, details, session
    return None
