"""Reading publications: the public list, one's own, and one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session, defer

from stocklab.db import (
    Database,
    OwnerRow,
    PublicationFactorRow,
    PublicationLikeRow,
    PublicationMarkRow,
    PublicationRow,
)
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.sharing.errors import PublicationNotFound
from stocklab.sharing.finding import conditions_for
from stocklab.sharing.publication_views import Mark, PublicationCard, PublicationDetail, card_values

__all__ = ["MOST_FACTORS", "MOST_MARKS", "SORTS", "Showcase", "Sort"]

Sort = Literal["newest", "likes", "clones"]
SORTS: Final[tuple[Sort, ...]] = ("newest", "likes", "clones")
MOST_FACTORS: Final = 5
MOST_MARKS: Final = 2000
_LONGEST_SEARCH: Final = 80
_Found = Row[PublicationRow, str]
_COLUMNS: Final[dict[Sort, Any]] = {
    "newest": PublicationRow.published_at,
    "likes": PublicationRow.likes,
    "clones": PublicationRow.clones,
}
_LISTED: Final = (
    PublicationRow.visibility == "public",
    PublicationRow.withdrawn_at.is_(None),
    PublicationRow.hidden_at.is_(None),
)
_NOT_IN_LISTS: Final = tuple(
    defer(column, raiseload=True) for column in (PublicationRow.document, PublicationRow.curve)
)


class Showcase:
    """What readers see of publications."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        reader_id: str | None,
        *,
        search: str = "",
        factors: Collection[str] = (),
        sort: Sort = "newest",
        after: str | None = None,
    ) -> Page[PublicationCard]:
        """Public strategies, the newest, most liked or most cloned first.

        Parameters
        ----------
        search : str
            Part of the name: all its pairs of letters, whatever their case and width.
        factors : collection of str
            Ids of the catalogue: only strategies whose rules use all of them. Hidden rules are not found by factor.
        after : str, optional
            ``after`` of the page before.

        Raises
        ------
        InputError
            Too long a search, too many factors, or a place that is not one of this list.
        """
        if len(search) > _LONGEST_SEARCH or len(set(factors)) > MOST_FACTORS:
            raise InputError(
                f"A search has at most {_LONGEST_SEARCH} characters and {MOST_FACTORS} factors, found {len(search)} "
                f"and {len(set(factors))}. Hint: shorten it."
            )
        column = _COLUMNS[sort]
        statement = select(PublicationRow, OwnerRow.name).join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
        statement = statement.where(*_LISTED, *_behind(after, column, sort))
        statement = statement.order_by(column.desc(), PublicationRow.id.desc()).limit(PAGE_SIZE + 1)
        with self._database.read(reader_id) as session:
            statement = statement.where(*conditions_for(session, search, factors))
            rows = session.execute(statement.options(*_NOT_IN_LISTS)).all()
            return _page(session, rows, reader_id, sort)

    def mine(self, owner_id: str, *, strategy_id: str | None = None, after: str | None = None) -> Page[PublicationCard]:
        """What an owner published, graves too, the newest first; of one strategy where it is named."""
        column = PublicationRow.published_at
        statement = select(PublicationRow, OwnerRow.name).join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
        statement = statement.where(PublicationRow.owner_id == owner_id, *_behind(after, column, "newest"))
        if strategy_id is not None:
            statement = statement.where(PublicationRow.strategy_id == strategy_id)
        statement = statement.order_by(column.desc(), PublicationRow.id.desc()).limit(PAGE_SIZE + 1)
        with self._database.read(owner_id) as session:
            return _page(session, session.execute(statement.options(*_NOT_IN_LISTS)).all(), owner_id, "newest")

    def get(self, reader_id: str | None, publication_id: str) -> PublicationDetail:
        """One publication; also one that is not listed, to whoever has its id.

        Raises
        ------
        PublicationNotFound
            There is none of that id, or moderators hid it and the reader is not its author.
        """
        with self._database.read(reader_id) as session:
            statement = (
                select(PublicationRow, OwnerRow.name)
                .join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
                .where(PublicationRow.id == publication_id)
            )
            found = session.execute(statement).one_or_none()
            if found is None or (found[0].hidden_at is not None and found[0].owner_id != reader_id):
                raise PublicationNotFound(publication_id)
            row, author = found
            return PublicationDetail(
                **card_values(row, author, reader_id),
                factors=_factors(session, [row.id])[row.id],
                document=row.document,
                sealed_hash=row.sealed_hash,
                salt=row.salt,
                revealed_at=row.revealed_at,
                curve=row.curve,
                marks=_marks(session, row.id),
                liked=reader_id is not None and session.get(PublicationLikeRow, (row.id, reader_id)) is not None,
            )

    def seen(self, publication_id: str) -> None:
        """Count that somebody opened it."""
        with self._database.write() as session:
            session.execute(
                update(PublicationRow).where(PublicationRow.id == publication_id).values(views=PublicationRow.views + 1)
            )


def _behind(after: str | None, column: Any, sort: Sort) -> tuple[Any, ...]:
    return beyond(after, column, PublicationRow.id, datetime.fromisoformat if sort == "newest" else int)


def _page(session: Session, rows: Sequence[_Found], reader_id: str | None, sort: Sort) -> Page[PublicationCard]:
    factors = _factors(session, [row.id for row, _ in rows[:PAGE_SIZE]])

    def place(found: _Found) -> tuple[object, str]:
        row = found[0]
        return (row.published_at.isoformat() if sort == "newest" else getattr(row, sort)), row.id

    def view(found: _Found) -> PublicationCard:
        return PublicationCard(**card_values(found[0], found[1], reader_id), factors=factors[found[0].id])

    return page_of(rows, view, place)


def _factors(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    if ids:
        wanted = select(PublicationFactorRow).where(PublicationFactorRow.publication_id.in_(ids))
        for row in session.scalars(wanted.order_by(PublicationFactorRow.factor)):
            found[row.publication_id].append(row.factor)
    return {one: tuple(found[one]) for one in ids}


def _marks(session: Session, publication_id: str) -> tuple[Mark, ...]:
    wanted = (
        select(PublicationMarkRow.session, PublicationMarkRow.equity)
        .where(PublicationMarkRow.publication_id == publication_id)
        .order_by(PublicationMarkRow.session.desc())
        .limit(MOST_MARKS)
    )
    return tuple(Mark(session=day, equity_krw=equity) for day, equity in reversed(session.execute(wanted).all()))
