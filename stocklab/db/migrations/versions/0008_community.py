"""Posts, comments, likes, reports; watch list and filters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _news_filters()
    _recent_symbols()
    _reports()
    _watch_list()
    _posts()
    _comments()
    _post_likes()
    _post_tags()
    _comment_likes()
    _post_views()
    _popular_posts()
    _search()
    _news_indexes()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_index("ix_news_items_published_at_key", "news_items")
    op.drop_index("ix_disclosures_published_on_filing_no", "disclosures")
    op.drop_index("ix_disclosures_kind_published_on_filing_no", "disclosures")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_grams")
    op.drop_table("search_documents")
    op.drop_table("popular_posts")
    op.drop_table("post_views")
    op.drop_table("comment_likes")
    op.drop_table("post_tags")
    op.drop_table("post_likes")
    op.drop_table("comments")
    op.drop_table("posts")
    op.drop_table("watch_list")
    op.drop_table("reports")
    op.drop_table("recent_symbols")
    op.drop_table("news_filters")


def _news_filters() -> None:
    op.create_table(
        "news_filters",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_news_filters_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news_filters")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_news_filters_owner_id_name")),
    )


def _recent_symbols() -> None:
    op.create_table(
        "recent_symbols",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("symbol", sa.String(length=16), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_recent_symbols_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "symbol", name=op.f("pk_recent_symbols")),
    )
    op.create_index("ix_recent_symbols_owner_id_seen_at", "recent_symbols", ["owner_id", "seen_at"])


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="open", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("subject_kind IN ('post', 'comment', 'publication')", name=op.f("ck_reports_subject_kind")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_reports_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "owner_id", "subject_kind", "subject_id", name=op.f("uq_reports_owner_id_subject_kind_subject_id")
        ),
    )
    op.create_index("ix_reports_state_created_at", "reports", ["state", "created_at"])


def _watch_list() -> None:
    op.create_table(
        "watch_list",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("symbol", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_watch_list_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "symbol", name=op.f("pk_watch_list")),
    )


def _posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("publication_id", sa.String(length=32)),
        sa.Column("card", JSON_DOCUMENT),
        sa.Column("views", sa.Integer(), server_default="0", nullable=False),
        sa.Column("likes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("comments", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("edited_at", UtcDateTime()),
        sa.Column("hidden_at", UtcDateTime()),
        sa.Column("deleted_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("category IN ('strategy', 'free', 'qna')", name=op.f("ck_posts_category")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_posts_owner_id_owners"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_posts_publication_id_publications"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    op.create_index(
        "ix_posts_category",
        "posts",
        ["category", "id"],
        sqlite_where=sa.text("hidden_at IS NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("hidden_at IS NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_posts_newest",
        "posts",
        ["id"],
        sqlite_where=sa.text("hidden_at IS NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("hidden_at IS NULL AND deleted_at IS NULL"),
    )
    op.create_index("ix_posts_owner_id_created_at", "posts", ["owner_id", "created_at"])
    op.create_index("ix_posts_publication_id", "posts", ["publication_id"])


def _comments() -> None:
    op.create_table(
        "comments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("post_id", sa.String(length=32)),
        sa.Column("publication_id", sa.String(length=32)),
        sa.Column("parent_id", sa.String(length=32)),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("depth", sa.Integer(), server_default="0", nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("likes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("edited_at", UtcDateTime()),
        sa.Column("hidden_at", UtcDateTime()),
        sa.Column("deleted_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("(post_id IS NULL) <> (publication_id IS NULL)", name=op.f("ck_comments_one_subject")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_comments_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["comments.id"], name=op.f("fk_comments_parent_id_comments"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_comments_post_id_posts"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_comments_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    op.create_index("ix_comments_owner_id_created_at", "comments", ["owner_id", "created_at"])
    op.create_index("ix_comments_parent_id", "comments", ["parent_id"])
    op.create_index("ix_comments_post_id_path", "comments", ["post_id", "path"])
    op.create_index("ix_comments_publication_id_path", "comments", ["publication_id", "path"])


def _post_likes() -> None:
    op.create_table(
        "post_likes",
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_post_likes_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_likes_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "owner_id", name=op.f("pk_post_likes")),
    )
    op.create_index("ix_post_likes_owner_id", "post_likes", ["owner_id"])


def _post_tags() -> None:
    op.create_table(
        "post_tags",
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name=op.f("fk_post_tags_post_id_posts"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "tag", name=op.f("pk_post_tags")),
    )
    op.create_index("ix_post_tags_tag_post_id", "post_tags", ["tag", "post_id"])


def _comment_likes() -> None:
    op.create_table(
        "comment_likes",
        sa.Column("comment_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_comment_likes_comment_id_comments"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_comment_likes_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", "owner_id", name=op.f("pk_comment_likes")),
    )
    op.create_index("ix_comment_likes_owner_id", "comment_likes", ["owner_id"])


def _post_views() -> None:
    op.create_table(
        "post_views",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_post_views_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_views_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "post_id", "day", name=op.f("pk_post_views")),
    )
    op.create_index("ix_post_views_day", "post_views", ["day"])
    op.create_index("ix_post_views_post_id", "post_views", ["post_id"])


def _popular_posts() -> None:
    op.create_table(
        "popular_posts",
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("likes", sa.Integer(), nullable=False),
        sa.CheckConstraint("period IN ('day', 'week', 'month')", name=op.f("ck_popular_posts_period")),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_popular_posts_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("period", "begins_on", "post_id", name=op.f("pk_popular_posts")),
    )
    op.create_index("ix_popular_posts_board", "popular_posts", ["period", "begins_on", "likes", "post_id"])
    op.create_index(
        "ix_popular_posts_category", "popular_posts", ["period", "begins_on", "category", "likes", "post_id"]
    )
    op.create_index("ix_popular_posts_post_id", "popular_posts", ["post_id"])


def _search() -> None:
    """On SQLite a full-text table without content; the words are made of ASCII, so any tokenizer that cuts at blanks."""
    op.create_table(
        "search_documents",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("comment_id", sa.String(length=32)),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("grams", ARRAY(sa.Integer()).with_variant(sa.JSON(none_as_null=True), "sqlite")),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name=op.f("fk_search_documents_comment_id_comments"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_search_documents_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_documents")),
    )
    op.create_index("ix_search_documents_post_id_comment_id", "search_documents", ["post_id", "comment_id"])
    op.create_index("ix_search_documents_comment_id", "search_documents", ["comment_id"], unique=True)
    op.create_index(
        "ix_search_documents_grams",
        "search_documents",
        ["grams"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        sqlite_where=sa.text("grams IS NOT NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search_grams USING fts5"
            "(grams, content='', detail=none, columnsize=0, tokenize='ascii')"
        )


def _news_indexes() -> None:
    op.create_index("ix_news_items_published_at_key", "news_items", ["published_at", "key"])
    op.create_index("ix_disclosures_published_on_filing_no", "disclosures", ["published_on", "filing_no"])
    op.create_index(
        "ix_disclosures_kind_published_on_filing_no", "disclosures", ["kind", "published_on", "filing_no"]
    )
