"""Row-level security on PostgreSQL: what ``stocklab.db.scope`` says, enforced by the database as well; indexes for
counting the people who tried a variant and the runs of a day.

Sessions of a user act under a role that owns no table, so the policies hold for them; the program's own sessions act
as the owner of the tables and are not bound.
"""

from __future__ import annotations

from alembic import op

from stocklab.db.row_security import Covered, cover, uncover

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PRIVATE = (
    "api_tokens",
    "feedback",
    "held_results",
    "idea_variants",
    "intents",
    "jobs",
    "news_filters",
    "notice_reads",
    "post_views",
    "questionnaires",
    "recent_symbols",
    "reports",
    "runs",
    "sealed_rules",
    "strategies",
    "strategy_versions",
    "universes",
    "watch_list",
)
_AUTHORED = ("comment_likes", "comments", "post_likes", "posts", "publication_likes", "publications")
_CHILDREN = {
    "post_tags": ("posts", "post_id"),
    "publication_factors": ("publications", "publication_id"),
    "publication_terms": ("publications", "publication_id"),
}
_UNSEEN = ("active_days", "audit_log", "password_resets", "recovery_codes", "source_keys", "user_sessions", "users")


def upgrade() -> None:
    """Make the role, let it in, and set the policies; a database user who may not leaves them off."""
    op.create_index("ix_idea_variants_variant_owner_id", "idea_variants", ["variant", "owner_id"])
    op.create_index("ix_jobs_kind_created_at", "jobs", ["kind", "created_at"])
    tables = Covered(
        private=frozenset(_PRIVATE), authored=frozenset(_AUTHORED), unseen=frozenset(_UNSEEN), children=_CHILDREN
    )
    cover(op.get_bind(), tables)


def downgrade() -> None:
    """Remove the policies; the role may serve another database of the server and stays."""
    uncover(op.get_bind())
    op.drop_index("ix_jobs_kind_created_at", "jobs")
    op.drop_index("ix_idea_variants_variant_owner_id", "idea_variants")
