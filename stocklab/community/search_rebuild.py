"""Making the search anew from the texts: after a restore from the other kind of database, or many rows at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import structlog
from sqlalchemy import Connection, func, insert, select, text

from stocklab.community.folding import fts_text, grams
from stocklab.community.search_index import ADD_GRAMS, document_values
from stocklab.db import SEARCH_GRAMS, CommentRow, Database, PostRow, SearchDocumentRow

__all__ = ["is_in_step", "rebuild_search"]

log = structlog.get_logger(__name__)

_BATCH: Final = 2_000
_COPY: Final = "COPY search_documents (number, post_id, comment_id, folded, grams) FROM STDIN"
_GRAMS_INDEX: Final = "ix_search_documents_grams"


def rebuild_search(database: Database) -> int:
    """Write every search document anew, oldest first, in one transaction; returns how many.

    On PostgreSQL the rows come in by COPY and the index is built once at the end: searches wait for it.
    """
    with database.engine.execution_options(stocklab_write=True).connect() as connection, connection.begin():
        made = _on_postgres(connection, database) if database.backend == "postgresql" else _on_sqlite(connection)
    log.info("search_rebuilt", documents=made)
    return made


def is_in_step(database: Database) -> bool:
    """Whether as many texts can be found as there are, and each has its grams."""
    with database.read() as session:
        posts = session.scalar(select(func.count()).select_from(PostRow).where(PostRow.deleted_at.is_(None)))
        comments = session.scalar(select(func.count()).select_from(_comments().subquery()))
        documents = session.scalar(select(func.count()).select_from(SearchDocumentRow))
        if (posts or 0) + (comments or 0) != documents:
            return False
        if database.backend == "postgresql":
            return (
                session.scalar(select(SearchDocumentRow.number).where(SearchDocumentRow.grams.is_(None)).limit(1))
                is None
            )
        newest = session.scalar(select(SearchDocumentRow).order_by(SearchDocumentRow.number.desc()).limit(1))
        if newest is None:
            return True
        asked = " ".join(f'"{word}"' for word in fts_text(grams(newest.folded)).split()[:1])
        found = text(f"SELECT 1 FROM {SEARCH_GRAMS} WHERE {SEARCH_GRAMS} MATCH :asked AND rowid = :number")
        return not asked or session.execute(found, {"asked": asked, "number": newest.number}).first() is not None


def _comments() -> Any:
    return (
        select(CommentRow.id, CommentRow.post_id)
        .join(PostRow, PostRow.id == CommentRow.post_id)
        .where(CommentRow.deleted_at.is_(None), PostRow.deleted_at.is_(None))
    )


def _texts(connection: Connection) -> Iterator[tuple[str, str | None, str]]:
    """Post, comment and words of every text that can be found, in the order of their ids: that of time."""
    posts = select(PostRow.id.label("at"), PostRow.id, _nothing(), PostRow.title + "\n" + PostRow.body)
    comments = (
        select(CommentRow.id.label("at"), CommentRow.post_id, CommentRow.id, CommentRow.body)
        .join(PostRow, PostRow.id == CommentRow.post_id)
        .where(CommentRow.deleted_at.is_(None), PostRow.deleted_at.is_(None))
    )
    both = posts.where(PostRow.deleted_at.is_(None)).union_all(comments).order_by("at")
    for row in connection.execute(both, execution_options={"yield_per": _BATCH}):
        yield row[1], row[2], row[3]


def _nothing() -> Any:
    return func.nullif("", "").label("comment")


def _on_sqlite(connection: Connection) -> int:
    connection.execute(text(f"INSERT INTO {SEARCH_GRAMS} ({SEARCH_GRAMS}) VALUES ('delete-all')"))
    connection.execute(SearchDocumentRow.__table__.delete())  # type: ignore[attr-defined]
    documents: list[dict[str, Any]] = []
    made = 0
    for post_id, comment_id, words in _texts(connection):
        made += 1
        values = document_values(words, is_postgres=False)
        documents.append({"number": made, "post_id": post_id, "comment_id": comment_id, **values})
        if len(documents) == _BATCH:
            _write_sqlite(connection, documents)
            documents = []
    if documents:
        _write_sqlite(connection, documents)
    connection.execute(text(f"INSERT INTO {SEARCH_GRAMS} ({SEARCH_GRAMS}) VALUES ('optimize')"))
    return made


def _write_sqlite(connection: Connection, documents: list[dict[str, Any]]) -> None:
    connection.execute(insert(SearchDocumentRow), documents)
    connection.execute(
        ADD_GRAMS, [{"number": one["number"], "grams": fts_text(grams(one["folded"]))} for one in documents]
    )


def _on_postgres(connection: Connection, database: Database) -> int:
    """Texts are read over a second connection, begun when the table is locked: whoever writes one after that waits to
    tell the search, and does so when this is done."""
    definition = connection.scalar(text("SELECT pg_get_indexdef(CAST(:name AS regclass))"), {"name": _GRAMS_INDEX})
    connection.execute(text(f"DROP INDEX {_GRAMS_INDEX}"))
    connection.execute(text("TRUNCATE search_documents RESTART IDENTITY"))
    made = 0
    driver: Any = connection.connection.driver_connection
    with database.engine.connect() as reading, driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for post_id, comment_id, words in _texts(reading):
            made += 1
            values = document_values(words, is_postgres=True)
            copy.write_row((made, post_id, comment_id, values["folded"], values["grams"]))
    connection.execute(
        text("SELECT setval(pg_get_serial_sequence('search_documents', 'number'), :next, false)"), {"next": made + 1}
    )
    connection.execute(text(str(definition)))
    connection.execute(text("ANALYZE search_documents"))
    return made
