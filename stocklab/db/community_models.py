"""Tables of the community: posts, comments, likes, tags, search, reports; and what a user watches."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from stocklab.db.columns import utc_now
from stocklab.db.models import Base, Document
from stocklab.db.scope import Authored, Private

__all__ = [
    "SEARCH_GRAMS",
    "CommentLikeRow",
    "CommentRow",
    "NewsFilterRow",
    "PopularPostRow",
    "PostLikeRow",
    "PostRow",
    "PostTagRow",
    "PostViewRow",
    "RecentSymbolRow",
    "ReportRow",
    "SearchDocumentRow",
    "WatchRow",
]

SEARCH_GRAMS: Final = "search_grams"
"""On SQLite, the full-text table beside ``search_documents`` (FTS5 without content; made by the migration)."""

_SHOWN = text("hidden_at IS NULL AND deleted_at IS NULL")


class PostRow(Authored, Base):
    """A post. ``card`` is the figures of the strategy it shows, frozen when it was posted.

    Ids begin with the moment of posting, so that their order is the order in time.
    """

    __tablename__ = "posts"
    __table_args__ = (
        CheckConstraint("category IN ('strategy', 'free', 'qna')", name="category"),
        Index("ix_posts_newest", "id", sqlite_where=_SHOWN, postgresql_where=_SHOWN),
        Index("ix_posts_category", "category", "id", sqlite_where=_SHOWN, postgresql_where=_SHOWN),
        Index(None, "owner_id", "created_at"),
        Index(None, "publication_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    category: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    is_anonymous: Mapped[bool] = mapped_column(default=False, server_default=false())
    publication_id: Mapped[str | None] = mapped_column(ForeignKey("publications.id", ondelete="SET NULL"))
    card: Mapped[Document | None]
    views: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    likes: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    comments: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    edited_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class PostTagRow(Base):
    """A tag of a post, folded."""

    __tablename__ = "post_tags"
    __table_args__ = (Index(None, "tag", "post_id"),)

    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)


class PostLikeRow(Authored, Base):
    """One like a user."""

    __tablename__ = "post_likes"

    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PostViewRow(Private, Base):
    """That a user saw a post on a day (in Seoul): counted once. Rows of days that are over are removed."""

    __tablename__ = "post_views"
    __table_args__ = (Index(None, "day"),)

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, index=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class PopularPostRow(Base):
    """How many likes a post got within a day, a week or a month (in Seoul): a board is read off an index."""

    __tablename__ = "popular_posts"
    __table_args__ = (
        CheckConstraint("period IN ('day', 'week', 'month')", name="period"),
        Index("ix_popular_posts_board", "period", "begins_on", "likes", "post_id"),
        Index("ix_popular_posts_category", "period", "begins_on", "category", "likes", "post_id"),
        Index(None, "post_id"),
    )

    period: Mapped[str] = mapped_column(String(8), primary_key=True)
    begins_on: Mapped[date] = mapped_column(primary_key=True)
    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    category: Mapped[str] = mapped_column(String(16))
    likes: Mapped[int] = mapped_column(Integer)


class SearchDocumentRow(Base):
    """The words of a post or comment as the search sees them: folded, and on PostgreSQL cut into ``grams``.

    On SQLite the grams stand in the table `SEARCH_GRAMS` under the same number. Numbers grow with time.
    """

    __tablename__ = "search_documents"
    __table_args__ = (
        Index(None, "post_id", "comment_id"),
        Index(None, "comment_id", unique=True),
        Index(  # on SQLite, where no row has grams, it stays empty
            "ix_search_documents_grams",
            "grams",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            sqlite_where=text("grams IS NOT NULL"),
        ),
    )

    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    post_id: Mapped[str] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    comment_id: Mapped[str | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    folded: Mapped[str] = mapped_column(Text)
    grams: Mapped[list[int] | None] = mapped_column(ARRAY(Integer).with_variant(JSON(none_as_null=True), "sqlite"))


class CommentRow(Authored, Base):
    """A comment under a post or a publication; ``path`` sorts a thread (ids of its parents and itself)."""

    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint("(post_id IS NULL) <> (publication_id IS NULL)", name="one_subject"),
        Index(None, "post_id", "path"),
        Index(None, "publication_id", "path"),
        Index(None, "owner_id", "created_at"),
        Index(None, "parent_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    post_id: Mapped[str | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    publication_id: Mapped[str | None] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(400))
    depth: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    body: Mapped[str] = mapped_column(Text)
    is_anonymous: Mapped[bool] = mapped_column(default=False, server_default=false())
    likes: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    edited_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class CommentLikeRow(Authored, Base):
    """One like a user."""

    __tablename__ = "comment_likes"

    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ReportRow(Private, Base):
    """That a user thinks something breaks the rules; moderators decide."""

    __tablename__ = "reports"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('post', 'comment', 'publication')", name="subject_kind"),
        UniqueConstraint("owner_id", "subject_kind", "subject_id"),
        Index(None, "state", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(32))
    body: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_at: Mapped[datetime | None]


class WatchRow(Private, Base):
    """A symbol an owner watches."""

    __tablename__ = "watch_list"

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(16), primary_key=True)
    note: Mapped[str] = mapped_column(String(200), default="")
    added_at: Mapped[datetime] = mapped_column(default=utc_now)


class RecentSymbolRow(Private, Base):
    """When an owner last looked at a symbol."""

    __tablename__ = "recent_symbols"
    __table_args__ = (Index(None, "owner_id", "seen_at"),)

    owner_id: Mapped[str] = mapped_column(ForeignKey("owners.id", ondelete="CASCADE"), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(16), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class NewsFilterRow(Private, Base):
    """A filter of the news page an owner gave a name."""

    __tablename__ = "news_filters"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    document: Mapped[Document]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
