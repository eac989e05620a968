"""What the services return of posts: never who wrote one that is anonymous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from stocklab.community.cards import LiveCard, live_cards
from stocklab.community.markdown import plain_text
from stocklab.db import OwnerRow, PostLikeRow, PostRow, PostTagRow

__all__ = ["Category", "Post", "PostSummary", "author_of", "summaries"]

_EXCERPT: Final = 400


class Category(StrEnum):
    """What a post is."""

    STRATEGY = "strategy"
    FREE = "free"
    QNA = "qna"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSummary:
    """What a list shows. ``author`` is None where the writer stays unnamed."""

    id: str
    category: Category
    title: str
    excerpt: str
    author: str | None
    author_left: bool
    is_mine: bool
    is_liked: bool
    is_hidden: bool
    views: int
    likes: int
    comments: int
    tags: tuple[str, ...]
    card: Mapping[str, Any] | None = field(repr=False)
    live: LiveCard | None
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(PostSummary):
    """A post as a whole."""

    body: str


POST_COLUMNS: Final = (
    *(PostRow.id, PostRow.category, PostRow.title, PostRow.owner_id, PostRow.is_anonymous, PostRow.views),
    *(PostRow.likes, PostRow.comments, PostRow.card, PostRow.publication_id, PostRow.hidden_at),
    *(PostRow.created_at, PostRow.edited_at, OwnerRow.name.label("owner_name"), OwnerRow.left_at),
)
LIST_COLUMNS: Final = (*POST_COLUMNS, func.substr(PostRow.body, 1, _EXCERPT).label("body"))
FULL_COLUMNS: Final = (*POST_COLUMNS, PostRow.body)


def author_of(row: Row[Any]) -> str | None:
    """The writer's public name; None for what was written without it."""
    return None if row.is_anonymous else str(row.owner_name)


def summaries(session: Session, owner_id: str, rows: Sequence[Row[Any]]) -> tuple[PostSummary, ...]:
    """Rows of `LIST_COLUMNS` with their tags, the reader's likes and live cards, one or two statements each."""
    return tuple(
        PostSummary(**values, excerpt=plain_text(row.body)) for row, values in _with_company(session, owner_id, rows)
    )


def whole(session: Session, owner_id: str, row: Any) -> Post:
    """A row of `FULL_COLUMNS` with everything about it."""
    ((_row, values),) = _with_company(session, owner_id, [row])
    return Post(**values, excerpt=plain_text(row.body), body=row.body)


def _with_company(session: Session, owner_id: str, rows: Sequence[Row[Any]]) -> list[tuple[Row[Any], dict[str, Any]]]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    tags: dict[str, list[str]] = {}
    for post_id, tag in session.execute(
        select(PostTagRow.post_id, PostTagRow.tag).where(PostTagRow.post_id.in_(ids)).order_by(PostTagRow.tag)
    ):
        tags.setdefault(post_id, []).append(tag)
    liked = set(
        session.scalars(
            select(PostLikeRow.post_id).where(PostLikeRow.owner_id == owner_id, PostLikeRow.post_id.in_(ids))
        )
    )
    cards = live_cards(session, [row.publication_id for row in rows if row.publication_id])
    return [
        (
            row,
            {
                "id": row.id,
                "category": Category(row.category),
                "title": row.title,
                "author": author_of(row),
                "author_left": not row.is_anonymous and row.left_at is not None,
                "is_mine": row.owner_id == owner_id,
                "is_liked": row.id in liked,
                "is_hidden": row.hidden_at is not None,
                **{name: getattr(row, name) for name in ("views", "likes", "comments", "created_at", "edited_at")},
                "tags": tuple(tags.get(row.id, ())),
                "card": _shown_card(row, cards),
                "live": cards.get(row.publication_id),
            },
        )
        for row in rows
    ]


def _shown_card(row: Row[Any], cards: Mapping[str, LiveCard]) -> Mapping[str, Any] | None:
    """The frozen card, unless moderators hid the publication since."""
    if row.publication_id is not None and row.publication_id not in cards:
        return None
    card: Mapping[str, Any] | None = row.card
    return card
