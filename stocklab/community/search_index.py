"""Keeping the search in step: every change of a text changes its search document in the same transaction."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from stocklab.community.folding import fold, fts_text, grams
from stocklab.db import SEARCH_GRAMS, SearchDocumentRow, as_system

__all__ = ["document_values", "forget_comment", "forget_post", "keep"]

ADD_GRAMS: Final = text(f"INSERT INTO {SEARCH_GRAMS} (rowid, grams) VALUES (:number, :grams)")
_DROP_GRAMS: Final = text(
    f"INSERT INTO {SEARCH_GRAMS} ({SEARCH_GRAMS}, rowid, grams) VALUES ('delete', :number, :grams)"
)


def document_values(words: str, *, is_postgres: bool) -> dict[str, Any]:
    """Columns of a search document: the folded text and, on PostgreSQL, its grams."""
    folded = fold(words)
    return {"folded": folded, "grams": sorted(grams(folded)) if is_postgres else None}


def keep(session: Session, words: str, *, post_id: str, comment_id: str | None = None) -> None:
    """Let the search know a new or changed text of a post, or of a comment under it."""
    is_postgres = session.get_bind().dialect.name == "postgresql"
    values = document_values(words, is_postgres=is_postgres)
    with as_system(session):
        row = session.scalar(
            select(SearchDocumentRow).where(
                SearchDocumentRow.post_id == post_id, SearchDocumentRow.comment_id.is_not_distinct_from(comment_id)
            )
        )
        if row is None:
            row = SearchDocumentRow(post_id=post_id, comment_id=comment_id, **values)
            session.add(row)
        else:
            _drop_grams(session, [row])
            row.folded, row.grams = values["folded"], values["grams"]
        session.flush()
        if not is_postgres:
            session.execute(ADD_GRAMS, {"number": row.number, "grams": fts_text(grams(row.folded))})


def forget_post(session: Session, post_id: str) -> None:
    """Take a post and all comments under it out of the search."""
    _forget(session, SearchDocumentRow.post_id == post_id)


def forget_comment(session: Session, comment_id: str) -> None:
    """Take a comment out of the search."""
    _forget(session, SearchDocumentRow.comment_id == comment_id)


def _forget(session: Session, which: Any) -> None:
    with as_system(session):
        if session.get_bind().dialect.name == "sqlite":
            _drop_grams(session, list(session.scalars(select(SearchDocumentRow).where(which))))
        session.execute(delete(SearchDocumentRow).where(which))


def _drop_grams(session: Session, rows: list[SearchDocumentRow]) -> None:
    """A full-text table without content forgets what it is told word by word."""
    if session.get_bind().dialect.name == "sqlite" and rows:
        session.execute(_DROP_GRAMS, [{"number": row.number, "grams": fts_text(grams(row.folded))} for row in rows])
