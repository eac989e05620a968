"""Lists of posts: the newest, those of a kind or a tag, one's own, the most liked of a day, a week or a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select

from stocklab.community.boards import Period, begins_on
from stocklab.community.folding import fold
from stocklab.community.post_views import LIST_COLUMNS, Category, PostSummary, summaries
from stocklab.community.search import Found, Search
from stocklab.db import Database, OwnerRow, PopularPostRow, PostRow, PostTagRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import behind

__all__ = ["BoardPage", "PostLists", "PostPage", "SearchPage"]

PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPage:
    """Posts, and where the next page begins: None at the end."""

    posts: tuple[PostSummary, ...]
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPage:
    """Posts by likes within the window, with those likes, and where the next page begins."""

    posts: tuple[tuple[PostSummary, int], ...]
    before: tuple[int, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """What was found, each with its post, and where the next page begins."""

    terms: tuple[str, ...]
    found: tuple[tuple[Found, PostSummary], ...]
    before: int | None


class PostLists:
    """Reading many posts. Each page is a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(
        self,
        owner_id: str,
        *,
        category: Category | None = None,
        tag: str = "",
        mine: bool = False,
        before: str | None = None,
        limit: int = PAGE,
    ) -> PostPage:
        """Posts, the newest first: of a kind, with a tag, or the reader's own (hidden ones as well)."""
        statement = _listed()
        if tag:
            # the ids of a tag stand in its index in the order of time
            statement = statement.join(PostTagRow, PostTagRow.post_id == PostRow.id)
            statement = statement.where(PostTagRow.tag == fold(tag)).order_by(PostTagRow.post_id.desc())
        else:
            statement = statement.order_by(PostRow.id.desc())
        if mine:
            statement = statement.where(PostRow.owner_id == owner_id)
        else:
            statement = statement.where(PostRow.hidden_at.is_(None))
        if category is not None:
            statement = statement.where(PostRow.category == Category(category).value)
        if before is not None:
            statement = statement.where((PostTagRow.post_id if tag else PostRow.id) < before)
        with self._database.read(owner_id) as session:
            rows = session.execute(statement.limit(limit + 1)).all()
            posts = summaries(session, owner_id, rows[:limit])
        return PostPage(posts=posts, before=rows[limit - 1].id if len(rows) > limit else None)

    def popular(
        self,
        owner_id: str,
        period: Period,
        *,
        category: Category | None = None,
        before: tuple[int, str] | None = None,
        limit: int = PAGE,
        now: datetime | None = None,
    ) -> BoardPage:
        """The most liked posts of today, this week or this month in Seoul."""
        entry = PopularPostRow
        statement = (
            _listed(entry.likes.label("likes_within"))
            .join(entry, entry.post_id == PostRow.id)
            .where(
                entry.period == period.value,
                entry.begins_on == begins_on(period, now or utc_now()),
                entry.likes > 0,
                PostRow.hidden_at.is_(None),
            )
            .order_by(entry.likes.desc(), entry.post_id.desc())
        )
        if category is not None:
            statement = statement.where(entry.category == Category(category).value)
        if before is not None:
            statement = statement.where(behind((entry.likes, entry.post_id), before))
        with self._database.read(owner_id) as session:
            rows = session.execute(statement.limit(limit + 1)).all()
            posts = summaries(session, owner_id, rows[:limit])
        last = rows[limit - 1] if len(rows) > limit else None
        return BoardPage(
            posts=tuple((post, row.likes_within) for post, row in zip(posts, rows, strict=False)),
            before=None if last is None else (last.likes_within, last.id),
        )

    def search(self, owner_id: str, query: str, *, before: int | None = None, limit: int = PAGE) -> SearchPage:
        """Posts, and comments under them, that hold every word of the query. See `Search.find`."""
        page = Search(self._database).find(owner_id, query, before=before, limit=limit)
        wanted = {found.post_id for found in page.found}
        with self._database.read(owner_id) as session:
            rows = session.execute(_listed().where(PostRow.id.in_(sorted(wanted)))).all() if wanted else []
            posts = {post.id: post for post in summaries(session, owner_id, rows)}
        found = tuple((one, posts[one.post_id]) for one in page.found if one.post_id in posts)
        return SearchPage(terms=page.terms, found=found, before=page.before)


def _listed(*more: Any) -> Select[Any]:
    return (
        select(*LIST_COLUMNS, *more).join(OwnerRow, OwnerRow.id == PostRow.owner_id).where(PostRow.deleted_at.is_(None))
    )
