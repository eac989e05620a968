"""Reading comments: a thread a page at a time, in the order it is read in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from stocklab.community.post_views import author_of
from stocklab.db import CommentLikeRow, CommentRow, Database, OwnerRow

__all__ = ["Comment", "ThreadPage", "Threads", "under"]

PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as a reader sees it. ``author`` is None where the writer stays unnamed; ``body`` is empty where it was
    deleted or hidden and stands only for its answers."""

    id: str
    depth: int
    body: str
    author: str | None
    author_left: bool
    is_mine: bool
    is_liked: bool
    is_deleted: bool
    is_hidden: bool
    likes: int
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPage:
    """Comments, answers below what they answer, older first; ``after`` asks for the next page, None at the end."""

    comments: tuple[Comment, ...]
    after: str | None


class Threads:
    """Comments under posts and publications."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        owner_id: str,
        *,
        post_id: str | None = None,
        publication_id: str | None = None,
        after: str | None = None,
        limit: int = PAGE,
    ) -> ThreadPage:
        """Comments under a post or a publication, two statements.

        Raises
        ------
        ValueError
            Not exactly one of the two is named.
        """
        statement = (
            select(*_COLUMNS)
            .join(OwnerRow, OwnerRow.id == CommentRow.owner_id)
            .where(under(post_id, publication_id))
            .order_by(CommentRow.path)
            .limit(limit + 1)
        )
        if after is not None:
            statement = statement.where(CommentRow.path > after)
        with self._database.read(owner_id) as session:
            rows = session.execute(statement).all()
            ids = [row.id for row in rows[:limit]]
            mine = CommentLikeRow.owner_id == owner_id
            liked = set(
                session.scalars(select(CommentLikeRow.comment_id).where(mine, CommentLikeRow.comment_id.in_(ids)))
            )
        return ThreadPage(
            comments=tuple(_comment(row, owner_id, liked) for row in rows[:limit]),
            after=rows[limit - 1].path if len(rows) > limit else None,
        )


_COLUMNS: Final = (
    *(CommentRow.id, CommentRow.path, CommentRow.depth, CommentRow.body, CommentRow.owner_id),
    *(CommentRow.is_anonymous, CommentRow.likes, CommentRow.created_at, CommentRow.edited_at),
    *(CommentRow.hidden_at, CommentRow.deleted_at, OwnerRow.name.label("owner_name"), OwnerRow.left_at),
)


def under(post_id: str | None, publication_id: str | None) -> ColumnElement[bool]:
    """Comments of that post, or of that publication.

    Raises
    ------
    ValueError
        Not exactly one of the two is named.
    """
    if (post_id is None) == (publication_id is None):
        raise ValueError("Name a post or a publication.")
    if post_id is not None:
        return CommentRow.post_id == post_id
    return CommentRow.publication_id == publication_id


def _comment(row: Any, owner_id: str, liked: set[str]) -> Comment:
    gone = row.deleted_at is not None
    silent = gone or row.hidden_at is not None
    return Comment(
        id=row.id,
        depth=row.depth,
        body="" if silent else row.body,
        author=None if silent else author_of(row),
        author_left=not silent and not row.is_anonymous and row.left_at is not None,
        is_mine=not gone and row.owner_id == owner_id,
        is_liked=row.id in liked,
        is_deleted=gone,
        is_hidden=row.hidden_at is not None,
        likes=0 if silent else row.likes,
        created_at=row.created_at,
        edited_at=row.edited_at,
    )
