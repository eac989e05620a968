"""Who may open a stored result. Its id is a content hash that stands in links; knowing it alone opens nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import delete, or_, select, union_all, update

from stocklab.db import Database, HeldResultRow, PublicationRow, RunRow
from stocklab.db.columns import utc_now
from stocklab.errors import ResultNotFound
from stocklab.operations.inserting import insert_if_absent

__all__ = ["Access", "HeldKind"]

_LONGEST: Final = 64


class HeldKind(StrEnum):
    """What a held result is."""

    SWEEP = "sweep"
    RUN = "run"


class Access:
    """Which stored results an owner may open.

    Parameters
    ----------
    everything : bool
        In a home without accounts its one owner opens what is there, runs of the command line included.
    """

    def __init__(self, database: Database, *, everything: bool = False) -> None:
        self._database = database
        self.everything = everything

    def hold(self, owner_id: str, result_id: str, kind: HeldKind) -> None:
        """Note that an owner made a result; the newest stands first in lists."""
        with self._database.write(owner_id) as session:
            now = utc_now()
            if not insert_if_absent(
                session, HeldResultRow, owner_id=owner_id, result_id=result_id, kind=kind.value, created_at=now
            ):
                session.execute(
                    update(HeldResultRow)
                    .where(HeldResultRow.owner_id == owner_id, HeldResultRow.result_id == result_id)
                    .values(created_at=now)
                )

    def let_go(self, owner_id: str, result_id: str) -> bool:
        """The owner does not want it any more; whether nobody holds it now, so that it may be removed."""
        with self._database.write(owner_id) as session:
            session.execute(
                delete(HeldResultRow).where(HeldResultRow.owner_id == owner_id, HeldResultRow.result_id == result_id)
            )
        with self._database.read() as session:
            others = select(HeldResultRow.owner_id).where(HeldResultRow.result_id == result_id).limit(1)
            return session.scalar(others) is None

    def may_open(self, owner_id: str, result_id: str) -> bool:
        """Whether it is on the owner's list, was made by the owner, or somebody published it with its rules."""
        if self.everything:
            return True
        if not result_id or len(result_id) > _LONGEST or not result_id.isalnum():
            return False
        published = select(PublicationRow.id).where(
            PublicationRow.run_id == result_id,
            PublicationRow.withdrawn_at.is_(None),
            or_(PublicationRow.hidden_at.is_(None), PublicationRow.owner_id == owner_id),
        )
        listed = select(RunRow.id).where(RunRow.owner_id == owner_id, RunRow.run_id == result_id)
        held = select(HeldResultRow.result_id).where(
            HeldResultRow.owner_id == owner_id, HeldResultRow.result_id == result_id
        )
        with self._database.read(owner_id) as session:
            return session.execute(union_all(listed, held, published).limit(1)).first() is not None

    def require(self, owner_id: str, result_id: str) -> None:
        """Let only those pass who may open it. A result of somebody else is as one that is not there.

        Raises
        ------
        ResultNotFound
            The owner may not open it.
        """
        if not self.may_open(owner_id, result_id):
            raise ResultNotFound(result_id)

    def held(self, owner_id: str, kind: HeldKind, *, limit: int) -> list[str]:
        """Ids of what the owner made, the newest first."""
        statement = (
            select(HeldResultRow.result_id)
            .where(HeldResultRow.owner_id == owner_id, HeldResultRow.kind == kind.value)
            .order_by(HeldResultRow.created_at.desc(), HeldResultRow.result_id)
            .limit(limit)
        )
        with self._database.read(owner_id) as session:
            return list(session.scalars(statement))
