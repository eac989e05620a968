"""Likes of publications: one a user, and the counter is exact however many press at once."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from stocklab.db import Database, PublicationLikeRow, PublicationRow, as_system
from stocklab.db.columns import utc_now
from stocklab.operations.audit import AuditLog
from stocklab.sharing.admission import SHARING_LIMITS, SharingLimits, admit
from stocklab.sharing.errors import PublicationNotFound

__all__ = ["Likes"]


class Likes:
    """Likes, by owner."""

    def __init__(self, database: Database, limits: SharingLimits = SHARING_LIMITS) -> None:
        self._database = database
        self._limits = limits
        self._audit = AuditLog(database)

    def like(self, owner_id: str, publication_id: str) -> bool:
        """Like a publication; False where the owner did already.

        Raises
        ------
        PublicationNotFound
            There is none of that id, or it is withdrawn or hidden.
        AccountFault, LimitReached
            As `admit`.
        """
        admit(self._database, "publication-like", owner_id, self._limits)
        insert = postgresql.insert if self._database.backend == "postgresql" else sqlite.insert
        values = {"publication_id": publication_id, "owner_id": owner_id, "created_at": utc_now()}
        with self._database.write(owner_id) as session:
            row = session.get(PublicationRow, publication_id)
            if row is None or row.withdrawn_at is not None or row.hidden_at is not None:
                raise PublicationNotFound(publication_id)
            added = insert(PublicationLikeRow).values(values).on_conflict_do_nothing()
            made = session.execute(added.returning(PublicationLikeRow.owner_id)).all()
            _count(session, publication_id, len(made))
            if made:
                self._audit.write("sharing.liked", actor_id=owner_id, subject=publication_id, session=session)
            return bool(made)

    def unlike(self, owner_id: str, publication_id: str) -> bool:
        """Take a like back; False where there was none.

        Raises
        ------
        AccountFault, LimitReached
            As `admit`.
        """
        admit(self._database, "publication-like", owner_id, self._limits)
        with self._database.write(owner_id) as session:
            gone = session.execute(
                delete(PublicationLikeRow)
                .where(PublicationLikeRow.publication_id == publication_id, PublicationLikeRow.owner_id == owner_id)
                .returning(PublicationLikeRow.owner_id)
            ).all()
            _count(session, publication_id, -len(gone))
            if gone:
                self._audit.write("sharing.unliked", actor_id=owner_id, subject=publication_id, session=session)
            return bool(gone)


def _count(session: Session, publication_id: str, change: int) -> None:
    if change:
        with as_system(session):
            session.execute(
                update(PublicationRow)
                .where(PublicationRow.id == publication_id)
                .values(likes=PublicationRow.likes + change)
            )
