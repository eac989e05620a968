"""Copying a published strategy into one's own list, and the family tree that comes of it."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Integer, literal, select, update
from sqlalchemy.orm import Session, aliased

from stocklab.db import Database, OwnerRow, PublicationRow, RunRow, StrategyRow, as_system
from stocklab.operations.audit import AuditLog
from stocklab.portfolios import SavedStrategy, Strategies
from stocklab.sharing.admission import SHARING_LIMITS, SharingLimits, admit
from stocklab.sharing.errors import CloneRefused, PublicationNotFound
from stocklab.sharing.publication_views import Family, Relative
from stocklab.strategy import parse_document

__all__ = ["MOST_ANCESTORS", "MOST_DEPTH", "MOST_DESCENDANTS", "Clones"]

MOST_ANCESTORS: Final = 20
MOST_DEPTH: Final = 8
MOST_DESCENDANTS: Final = 100
_SHOWN: Final = (
    *(PublicationRow.id, PublicationRow.name, PublicationRow.visibility, PublicationRow.is_anonymous),
    *(PublicationRow.hidden_at, PublicationRow.withdrawn_at, PublicationRow.published_at),
    OwnerRow.name.label("author"),
)


class Clones:
    """Copies of publications, by owner."""

    def __init__(self, database: Database, limits: SharingLimits = SHARING_LIMITS) -> None:
        self._database = database
        self._limits = limits
        self._strategies = Strategies(database)
        self._audit = AuditLog(database)

    def clone(self, owner_id: str, publication_id: str) -> SavedStrategy:
        """Copy the rules into the owner's strategies; the copy remembers where it is from.

        Raises
        ------
        PublicationNotFound
            There is none of that id, or it is hidden.
        CloneRefused
            Its rules are hidden, or it was withdrawn.
        AccountFault, LimitReached
            As `admit`.
        """
        admit(self._database, "clone", owner_id, self._limits)
        with self._database.write(owner_id) as session:
            row = session.get(PublicationRow, publication_id)
            if row is None or row.hidden_at is not None:
                raise PublicationNotFound(publication_id)
            if row.withdrawn_at is not None:
                raise CloneRefused(row.name, "it was withdrawn")
            if row.document is None:
                raise CloneRefused(row.name, "its rules are hidden")
            made = self._strategies.add(session, owner_id, parse_document(row.document), origin_id=publication_id)
            if row.owner_id != owner_id:
                with as_system(session):
                    session.execute(
                        update(PublicationRow)
                        .where(PublicationRow.id == publication_id)
                        .values(clones=PublicationRow.clones + 1)
                    )
            self._audit.write("sharing.cloned", actor_id=owner_id, subject=publication_id, session=session)
            return made

    def origin(self, reader_id: str | None, publication_id: str) -> Relative | None:
        """What a copy was made from, as a family tree names it; None where it is gone without a grave."""
        wanted = (
            select(*_SHOWN)
            .join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
            .where(PublicationRow.id == publication_id)
        )
        with self._database.read(reader_id) as session:
            found = session.execute(wanted).first()
            return None if found is None else _relative(found, 1)

    def origin_of_run(self, owner_id: str, run_id: str) -> str | None:
        """The publication that the rules of a run come from: that of the strategy it was run with, or, for a result
        that is not on the owner's list, the first that published it.

        On one's own list the same run may have been published by others too: it is no copy of theirs.
        """
        own = (
            select(RunRow.id, StrategyRow.origin_id)
            .outerjoin(StrategyRow, StrategyRow.id == RunRow.strategy_id)
            .where(RunRow.owner_id == owner_id, RunRow.run_id == run_id)
        )
        published = (
            select(PublicationRow.id, PublicationRow.owner_id)
            .where(
                PublicationRow.run_id == run_id,
                PublicationRow.withdrawn_at.is_(None),
                PublicationRow.hidden_at.is_(None),
            )
            .order_by(PublicationRow.published_at, PublicationRow.id)
            .limit(1)
        )
        with self._database.read(owner_id) as session:
            mine = session.execute(own).first()
            if mine is not None:
                return cast("str | None", mine.origin_id)
            found = session.execute(published).first()
            return None if found is None or found.owner_id == owner_id else found.id

    def family(self, reader_id: str | None, publication_id: str) -> Family:
        """Where a publication comes from and what was published of it; graves keep their place in the tree."""
        with self._database.read(reader_id) as session:
            ancestors = _ancestors(session, publication_id)
            descendants = _descendants(session, publication_id)
        return Family(
            ancestors=tuple(ancestors[:MOST_ANCESTORS]),
            descendants=tuple(descendants[:MOST_DESCENDANTS]),
            more=len(ancestors) > MOST_ANCESTORS or len(descendants) > MOST_DESCENDANTS,
        )


def _ancestors(session: Session, publication_id: str) -> list[Relative]:
    """The nearest first."""
    tree = (
        select(PublicationRow.parent_id.label("id"), literal(1, Integer).label("depth"))
        .where(PublicationRow.id == publication_id)
        .cte("ancestors", recursive=True)
    )
    above = aliased(PublicationRow)
    # Of publications nothing but the key is asked for here: with a second condition SQLite reads all of them first,
    # into a filter.
    tree = tree.union_all(
        select(above.parent_id, tree.c.depth + 1)
        .join(tree, above.id == tree.c.id)
        .where(tree.c.id.is_not(None), tree.c.depth <= MOST_ANCESTORS)
    )
    wanted = (
        select(*_SHOWN, tree.c.depth)
        .join(tree, tree.c.id == PublicationRow.id)
        .join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
        .order_by(tree.c.depth)
    )
    return [_relative(row, row.depth) for row in session.execute(wanted)]


def _descendants(session: Session, publication_id: str) -> list[Relative]:
    """By generation, the oldest first. What is not listed does not appear, and what came of it neither.

    A generation at a time, until there are enough: a family may be as large as it likes.
    """
    found: list[Relative] = []
    parents = [publication_id]
    for depth in range(1, MOST_DEPTH + 1):
        generation = (
            select(*_SHOWN)
            .join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
            .where(
                PublicationRow.parent_id.in_(parents),
                PublicationRow.visibility == "public",
                PublicationRow.hidden_at.is_(None),
            )
            .order_by(PublicationRow.published_at, PublicationRow.id)
            .limit(MOST_DESCENDANTS + 1 - len(found))
        )
        rows = session.execute(generation).all()
        found += [_relative(row, depth) for row in rows]
        parents = [row.id for row in rows]
        if not parents or len(found) > MOST_DESCENDANTS:
            break
    return found


def _relative(row: Any, depth: int) -> Relative:
    shown = row.visibility == "public" and row.hidden_at is None
    return Relative(
        id=row.id if shown else None,
        name=row.name if shown else None,
        author=row.author if shown and not row.is_anonymous else None,
        depth=depth,
        is_grave=row.withdrawn_at is not None,
        published_at=row.published_at,
    )
