"""Accounts, their sessions and limits, the audit log; versions of strategies know their owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stocklab.db.columns import JSON_DOCUMENT, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.add_column("owners", sa.Column("left_at", UtcDateTime()))
    op.add_column("strategies", sa.Column("notes", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("strategies", sa.Column("origin_id", sa.String(32)))
    _give_versions_their_owner()
    _audit_log()
    _notices()
    _rate_windows()
    _api_tokens()
    _feedback()
    _notice_reads()
    _users()
    _password_resets()
    _recovery_codes()
    _user_sessions()
    _active_days()
    _held_results()
    _refuse_changes_of_the_audit_log()


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("held_results")
    op.drop_table("active_days")
    op.drop_table("user_sessions")
    op.drop_table("recovery_codes")
    op.drop_table("password_resets")
    op.drop_table("users")
    op.drop_table("notice_reads")
    op.drop_table("feedback")
    op.drop_table("api_tokens")
    op.drop_table("rate_windows")
    op.drop_table("notices")
    op.drop_table("audit_log")
    with op.batch_alter_table("strategy_versions") as versions:
        versions.drop_constraint("fk_strategy_versions_owner_id_owners", type_="foreignkey")
        versions.drop_column("owner_id")
    # Not in batch mode: replacing a table on SQLite would take the rows that point to it along.
    op.drop_column("strategies", "origin_id")
    op.drop_column("strategies", "notes")
    op.drop_column("owners", "left_at")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS refuse_audit_change()")


def _give_versions_their_owner() -> None:
    with op.batch_alter_table("strategy_versions") as versions:
        versions.add_column(sa.Column("owner_id", sa.String(32)))
    op.execute(
        "UPDATE strategy_versions SET owner_id = "
        "(SELECT owner_id FROM strategies WHERE strategies.id = strategy_versions.strategy_id)"
    )
    with op.batch_alter_table("strategy_versions") as versions:
        versions.alter_column("owner_id", existing_type=sa.String(32), nullable=False)
        versions.create_foreign_key(
            "fk_strategy_versions_owner_id_owners", "owners", ["owner_id"], ["id"], ondelete="CASCADE"
        )


def _refuse_changes_of_the_audit_log() -> None:
    """Rows of the audit log are added, never changed or removed."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        )
        op.execute(
            "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_no_{event.lower()} BEFORE {event} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
    # INSERT OR REPLACE removes the old row without asking the trigger above.
    op.execute(
        "CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log "
        "WHEN EXISTS (SELECT 1 FROM audit_log WHERE number = NEW.number) "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_id", sa.String(length=32)),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("details", JSON_DOCUMENT, nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_action_number", "audit_log", ["action", "number"])
    op.create_index("ix_audit_log_actor_id_number", "audit_log", ["actor_id", "number"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("shown_from", UtcDateTime(), nullable=False),
        sa.Column("shown_until", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_shown_from", "notices", ["shown_from"])


def _rate_windows() -> None:
    op.create_table(
        "rate_windows",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "begins_at", name=op.f("pk_rate_windows")),
    )
    op.create_index("ix_rate_windows_ends_at", "rate_windows", ["ends_at"])


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", JSON_DOCUMENT, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("last_used_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_api_tokens_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_index("ix_api_tokens_owner_id_created_at", "api_tokens", ["owner_id", "created_at"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="open", nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime()),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_feedback_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_owner_id_created_at", "feedback", ["owner_id", "created_at"])
    op.create_index("ix_feedback_state_created_at", "feedback", ["state", "created_at"])


def _notice_reads() -> None:
    op.create_table(
        "notice_reads",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_reads_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_notice_reads_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "notice_id", name=op.f("pk_notice_reads")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("nickname", sa.String(length=40), nullable=False),
        sa.Column("nickname_key", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=32)),
        sa.Column("phone_key", sa.String(length=32)),
        sa.Column("password_hash", sa.String(length=100)),
        sa.Column("password_changed_at", UtcDateTime()),
        sa.Column("oidc_issuer", sa.String(length=255)),
        sa.Column("oidc_subject", sa.String(length=255)),
        sa.Column("role", sa.String(length=16), server_default="member", nullable=False),
        sa.Column("plan", sa.String(length=32), server_default="free", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("language", sa.String(length=8)),
        sa.Column("ai_recommendation_block", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("totp_secret", sa.Text()),
        sa.Column("totp_enabled_at", UtcDateTime()),
        sa.Column("totp_last_step", sa.BigInteger()),
        sa.Column("banned_until", UtcDateTime()),
        sa.Column("last_seen_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('member', 'admin')", name=op.f("ck_users_role")),
        sa.ForeignKeyConstraint(["id"], ["owners.id"], name=op.f("fk_users_id_owners"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("nickname_key", name=op.f("uq_users_nickname_key")),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name=op.f("uq_users_oidc_issuer_oidc_subject")),
        sa.UniqueConstraint("phone_key", name=op.f("uq_users_phone_key")),
    )
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])
    op.create_index("ix_users_last_seen_at", "users", ["last_seen_at"])


def _password_resets() -> None:
    op.create_table(
        "password_resets",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_password_resets_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_resets")),
    )
    op.create_index("ix_password_resets_user_id", "password_resets", ["user_id"])


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )


def _user_sessions() -> None:
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("confirmed_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index("ix_user_sessions_expires_at", "user_sessions", ["expires_at"])
    op.create_index("ix_user_sessions_user_id_created_at", "user_sessions", ["user_id", "created_at"])


def _active_days() -> None:
    op.create_table(
        "active_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_active_days_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "user_id", name=op.f("pk_active_days")),
    )
    op.create_index("ix_active_days_user_id", "active_days", ["user_id"])


def _held_results() -> None:
    """Whose the sweeps are that are stored already, the jobs tell."""
    op.create_table(
        "held_results",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("result_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('sweep', 'run')", name=op.f("ck_held_results_kind")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_held_results_owner_id_owners"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "result_id", name=op.f("pk_held_results")),
    )
    op.create_index("ix_held_results_owner_id_kind_created_at", "held_results", ["owner_id", "kind", "created_at"])
    op.create_index("ix_held_results_result_id", "held_results", ["result_id"])
    op.execute(
        "INSERT INTO held_results (owner_id, result_id, kind, created_at) "
        "SELECT owner_id, run_id, 'sweep', max(created_at) FROM jobs "
        "WHERE kind = 'sweep' AND run_id IS NOT NULL GROUP BY owner_id, run_id"
    )
