"""Who wants to know, within the same transaction, what becomes of publications: the boards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.orm import Session

from stocklab.db import PublicationRow, as_system

__all__ = ["Change", "Follower", "set_hidden", "tell"]

Change = Literal["appeared", "vanished"]


class Follower(Protocol):
    """Told about publications in the transaction that changes them, acting for all owners (`as_system`)."""

    def appeared(self, session: Session, row: PublicationRow) -> None:
        """It was published, or is shown again."""

    def vanished(self, session: Session, row: PublicationRow) -> None:
        """It was withdrawn or hidden."""


def tell(followers: Sequence[Follower], what: Change, session: Session, row: PublicationRow) -> None:
    """Tell all of them, in the transaction that changed the publication."""
    with as_system(session):
        for follower in followers:
            getattr(follower, what)(session, row)


def set_hidden(
    session: Session, row: PublicationRow, hidden_at: datetime | None, followers: Sequence[Follower]
) -> None:
    """Hide a publication from everybody but its author, or show it again; nothing where it is so already."""
    if (hidden_at is None) is (row.hidden_at is None):
        return
    row.hidden_at = hidden_at
    session.flush()
    if row.withdrawn_at is None:
        tell(followers, "appeared" if hidden_at is None else "vanished", session, row)
