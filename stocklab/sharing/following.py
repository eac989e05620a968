"""Who wants to know, within the same transaction, what becomes of publications: the boards."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from stocklab.db import PublicationRow

__all__ = ["Follower"]


class Follower(Protocol):
    """Told about publications in the transaction that changes them, acting for all owners (`as_system`)."""

    def appeared(self, session: Session, row: PublicationRow) -> None:
        """It was published, or is shown again."""

    def vanished(self, session: Session, row: PublicationRow) -> None:
        """It was withdrawn or hidden."""
