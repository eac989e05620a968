"""Row-level security on PostgreSQL: what ``stocklab.db.scope`` says, enforced by the database as well.

Sessions of a user act under a role that owns no table, so the policies hold for them; the program's own sessions act
as the owner of the tables and are not bound.
"""

from __future__ import annotations

from alembic import op

from stocklab.db.scope import MEMBER_ROLE

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PRIVATE = (
    "api_tokens",
    "feedback",
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
_UNSEEN = ("audit_log", "password_resets", "recovery_codes", "source_keys", "user_sessions", "users")
_OWN = "owner_id = current_setting('stocklab.owner', true)"


def upgrade() -> None:
    """Make the role, let it in, and set the policies."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        f"DO $$ BEGIN CREATE ROLE {MEMBER_ROLE} NOLOGIN; "
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    op.execute(f"GRANT {MEMBER_ROLE} TO CURRENT_USER")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {MEMBER_ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {MEMBER_ROLE}")
    for table in _UNSEEN:
        op.execute(f"REVOKE ALL ON {table} FROM {MEMBER_ROLE}")
    for table in _PRIVATE:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO {MEMBER_ROLE} USING ({_OWN}) WITH CHECK ({_OWN})")
    for table in _AUTHORED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen ON {table} FOR SELECT TO {MEMBER_ROLE} USING (true)")
        op.execute(f"CREATE POLICY own_new ON {table} FOR INSERT TO {MEMBER_ROLE} WITH CHECK ({_OWN})")
        op.execute(f"CREATE POLICY own_change ON {table} FOR UPDATE TO {MEMBER_ROLE} USING ({_OWN}) WITH CHECK ({_OWN})")
        op.execute(f"CREATE POLICY own_gone ON {table} FOR DELETE TO {MEMBER_ROLE} USING ({_OWN})")


def downgrade() -> None:
    """Remove the policies; the role may serve another database of the server and stays."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _PRIVATE:
        op.execute(f"DROP POLICY own ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in _AUTHORED:
        for policy in ("seen", "own_new", "own_change", "own_gone"):
            op.execute(f"DROP POLICY {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {MEMBER_ROLE}")
    op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {MEMBER_ROLE}")
