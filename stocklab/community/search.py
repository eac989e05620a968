"""Finding posts and comments by what stands in them, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text
from sqlalchemy.orm import Session

from stocklab.community.folding import fts_text, terms, wanted_grams
from stocklab.db import SEARCH_GRAMS, CommentRow, Database, PostRow, SearchDocumentRow

__all__ = ["Found", "FoundPage", "Search"]

PAGE: Final = 20
_NEWEST: Final = 4_000
"""On PostgreSQL so many documents are read before the index is asked: what is common is found among them."""
_BATCHES: Final = (60, 400, 2_000)
"""On SQLite the index gives so many candidates at a time; texts that hold the pairs and not the phrase are rare."""
_END: Final = 2**62
_CANDIDATES: Final = text(
    f"SELECT rowid FROM {SEARCH_GRAMS} WHERE {SEARCH_GRAMS} MATCH :asked AND rowid < :before "
    "ORDER BY rowid DESC LIMIT :most"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One text: a post, or a comment under it. ``around`` is a part of the folded text about the first term."""

    number: int
    post_id: str
    comment_id: str | None
    around: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """Texts that hold every term; ``before`` asks for the next page, None at the end."""

    terms: tuple[str, ...]
    found: tuple[Found, ...]
    before: int | None


class Search:
    """Over all posts and the comments under them that are shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, owner_id: str, query: str, *, before: int | None = None, limit: int = PAGE) -> FoundPage:
        """A page of texts that hold every word and quoted phrase of the query, the newest first.

        Width, composition and case make no difference. A query without a term finds nothing. A page may be shorter
        than ``limit`` and not the last.
        """
        asked = terms(query)
        if not asked:
            return FoundPage(terms=(), found=(), before=None)
        hits = _sqlite_hits if self._database.backend == "sqlite" else _postgres_hits
        with self._database.read(owner_id) as session:
            rows, following = hits(session, asked, before if before is not None else _END, limit + 1)
        if len(rows) > limit:
            rows, following = rows[:limit], rows[limit - 1].number
        found = tuple(
            Found(
                number=row.number,
                post_id=row.post_id,
                comment_id=row.comment_id,
                around=_around(row.folded, asked[0]),
            )
            for row in rows
        )
        return FoundPage(terms=asked, found=found, before=following)


def _around(folded: str, term: str, *, before: int = 30, length: int = 160) -> str:
    start = max(0, folded.find(term) - before)
    cut = folded[start : start + length]
    return ("…" if start else "") + cut + ("…" if start + length < len(folded) else "")


def _wanted(asked: tuple[str, ...]) -> set[int]:
    return {gram for term in asked for gram in wanted_grams(term)}


def _holds(asked: tuple[str, ...], position: Any) -> list[ColumnElement[bool]]:
    """That a text holds every term: pairs may stand apart, so the text is looked at."""
    return [position(SearchDocumentRow.folded, term) > 0 for term in asked]


def _shown(document: Any) -> Select[Any]:
    """Documents, from the table or from candidates of it, of what is shown; the newest first."""
    return (
        select(document.number, document.post_id, document.comment_id, document.folded)
        .join(PostRow, PostRow.id == document.post_id)
        .outerjoin(CommentRow, CommentRow.id == document.comment_id)
        .where(
            PostRow.hidden_at.is_(None),
            PostRow.deleted_at.is_(None),
            or_(document.comment_id.is_(None), and_(CommentRow.hidden_at.is_(None), CommentRow.deleted_at.is_(None))),
        )
        .order_by(document.number.desc())
    )


def _sqlite_hits(session: Session, asked: tuple[str, ...], before: int, most: int) -> tuple[list[Any], int | None]:
    """The full-text table hands out candidates from the newest on, so a common term ends the search early."""
    match = " ".join(f'"{word}"' for word in fts_text(_wanted(asked)).split())
    statement = _shown(SearchDocumentRow).where(*_holds(asked, func.instr))
    rows: list[Any] = []
    for size in _BATCHES:
        numbers = session.scalars(_CANDIDATES, {"asked": match, "before": before, "most": size}).all()
        if numbers:
            rows += session.execute(statement.where(SearchDocumentRow.number.in_(numbers))).all()
            before = numbers[-1]
        if len(numbers) < size:
            return rows[:most], None
        if len(rows) >= most:
            return rows[:most], None
    return rows, before


def _postgres_hits(session: Session, asked: tuple[str, ...], before: int, most: int) -> tuple[list[Any], int | None]:
    """An inverted index knows no order: the newest documents are read first, then the index is asked for the rest.

    A term that is rare among the newest is rare enough for the index.
    """
    document = SearchDocumentRow
    holds = _holds(asked, func.strpos)
    statement = _shown(document).where(*holds).limit(most)
    newest = session.scalar(select(func.max(document.number)).where(document.number < before))
    if newest is None:
        return [], None
    floor = newest - _NEWEST
    rows = list(session.execute(statement.where(document.number <= newest, document.number > floor)).all())
    if len(rows) < most and floor > 0:
        # apart, so that the planner does not walk all documents backward in the hope of meeting the term soon
        columns = (document.number, document.post_id, document.comment_id, document.folded)
        by_index = select(*columns).where(document.grams.contains(sorted(_wanted(asked))), document.number <= floor)
        candidates = by_index.where(*holds).cte("candidates").prefix_with("MATERIALIZED")
        # sorted before the joins, so that these end with the page
        ordered = select(candidates).order_by(candidates.c.number.desc()).offset(0).subquery()
        rows += session.execute(_shown(ordered.c).limit(most - len(rows))).all()
    return rows, None
