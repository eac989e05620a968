"""Published strategies, their likes, marks and places on the boards; the questionnaire.

What was shared stands in the publications, so the marks of sharing that strategies had go. Runs note what they ran.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


_LISTED = sa.text("visibility = 'public' AND withdrawn_at IS NULL AND hidden_at IS NULL")
_ALIVE = sa.text("NOT is_grave")
_ALIVE_SQLITE = sa.text("is_grave = 0")
_FILTERED_BY = ("cost_fraction", "capacity_krw", "max_drawdown", "sessions")
_REPLACED = ("is_public", "is_anonymous", "hide_strategy_details")


def upgrade() -> None:
    """Create the tables."""
    for name in _REPLACED:
        op.drop_column("strategies", name)
    op.add_column("runs", sa.Column("fingerprint", sa.String(length=64)))
    op.create_index("ix_runs_owner_id_fingerprint", "runs", ["owner_id", "fingerprint"])
    _board_buckets()
    _questionnaires()
    _publications()
    _board_entries()
    _publication_factors()
    _publication_terms()
    _publication_likes()
    _publication_marks()
    _sealed_rules()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("sealed_rules")
    op.drop_table("publication_marks")
    op.drop_table("publication_likes")
    op.drop_table("publication_terms")
    op.drop_table("publication_factors")
    op.drop_table("board_entries")
    op.drop_table("publications")
    op.drop_table("questionnaires")
    op.drop_table("board_buckets")
    op.drop_index("ix_runs_owner_id_fingerprint", "runs")
    op.drop_column("runs", "fingerprint")
    for name in _REPLACED:
        op.add_column("strategies", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))


def _board_buckets() -> None:
    op.create_table(
        "board_buckets",
        sa.Column("board", sa.String(length=32), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("board", "bucket", name=op.f("pk_board_buckets")),
    )


def _questionnaires() -> None:
    op.create_table(
        "questionnaires",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("answers", JSON_DOCUMENT, nullable=False),
        sa.Column("suggested", JSON_DOCUMENT, nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_questionnaires_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_questionnaires")),
    )


def _publications() -> None:
    op.create_table(
        "publications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("strategy_id", sa.String(length=32)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.String(length=32)),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("document", JSON_DOCUMENT),
        sa.Column("fingerprint", sa.String(length=64)),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hides_rules", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("sealed_hash", sa.String(length=64)),
        sa.Column("salt", sa.String(length=64)),
        sa.Column("revealed_at", UtcDateTime()),
        sa.Column("run_id", sa.String(length=64)),
        sa.Column("run_start", sa.Date()),
        sa.Column("run_end", sa.Date()),
        sa.Column("synthetic", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("trials", sa.Integer(), server_default="1", nullable=False),
        sa.Column("metrics", JSON_DOCUMENT, nullable=False),
        sa.Column("curve", JSON_DOCUMENT, nullable=False),
        sa.Column("likes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("comments", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clones", sa.Integer(), server_default="0", nullable=False),
        sa.Column("views", sa.Integer(), server_default="0", nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime()),
        sa.Column("hidden_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("visibility IN ('public', 'unlisted')", name=op.f("ck_publications_visibility")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_publications_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["publications.id"], name=op.f("fk_publications_parent_id_publications"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["strategy_id"], ["strategies.id"], name=op.f("fk_publications_strategy_id_strategies"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
    )
    op.create_index("ix_publications_fingerprint", "publications", ["fingerprint"])
    for index, column in (
        ("ix_publications_listed", "published_at"),
        ("ix_publications_liked", "likes"),
        ("ix_publications_cloned", "clones"),
    ):
        op.create_index(index, "publications", [column, "id"], sqlite_where=_LISTED, postgresql_where=_LISTED)
    op.create_index("ix_publications_owner_id_published_at", "publications", ["owner_id", "published_at"])
    op.create_index("ix_publications_parent_id_published_at_id", "publications", ["parent_id", "published_at", "id"])
    op.create_index("ix_publications_run_id", "publications", ["run_id"])
    op.create_index("ix_publications_strategy_id", "publications", ["strategy_id"])


def _board_entries() -> None:
    op.create_table(
        "board_entries",
        sa.Column("board", sa.String(length=32), nullable=False),
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("is_grave", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cost_fraction", sa.Float()),
        sa.Column("capacity_krw", sa.Float()),
        sa.Column("max_drawdown", sa.Float()),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("trials", sa.Integer(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_board_entries_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("board", "publication_id", name=op.f("pk_board_entries")),
    )
    op.create_index(
        "ix_board_entries_buckets",
        "board_entries",
        ["board", "bucket", "value"],
        sqlite_where=_ALIVE_SQLITE,
        postgresql_where=_ALIVE,
    )
    op.create_index(
        "ix_board_entries_places", "board_entries", ["board", "value", "publication_id", *_FILTERED_BY]
    )
    op.create_index("ix_board_entries_publication_id", "board_entries", ["publication_id"])


def _publication_factors() -> None:
    op.create_table(
        "publication_factors",
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.Column("factor", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_publication_factors_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("publication_id", "factor", name=op.f("pk_publication_factors")),
    )
    op.create_index("ix_publication_factors_factor_publication_id", "publication_factors", ["factor", "publication_id"])


def _publication_terms() -> None:
    op.create_table(
        "publication_terms",
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.Column("term", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_publication_terms_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("publication_id", "term", name=op.f("pk_publication_terms")),
    )
    op.create_index("ix_publication_terms_term_publication_id", "publication_terms", ["term", "publication_id"])


def _publication_likes() -> None:
    op.create_table(
        "publication_likes",
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_publication_likes_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_publication_likes_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("publication_id", "owner_id", name=op.f("pk_publication_likes")),
    )
    op.create_index("ix_publication_likes_owner_id", "publication_likes", ["owner_id"])


def _publication_marks() -> None:
    op.create_table(
        "publication_marks",
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.Column("session", sa.Date(), nullable=False),
        sa.Column("equity", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_publication_marks_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("publication_id", "session", name=op.f("pk_publication_marks")),
    )


def _sealed_rules() -> None:
    op.create_table(
        "sealed_rules",
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.Column("document", JSON_DOCUMENT, nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64)),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_sealed_rules_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publications.id"],
            name=op.f("fk_sealed_rules_publication_id_publications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("pk_sealed_rules")),
    )
