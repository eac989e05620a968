"""Row-level security on PostgreSQL: what ``stocklab.db.scope`` says of each table, enforced by the database as well.

A user's session acts under a role that owns no table, so the policies hold for it; the program's own sessions act as
the owner of the tables and are not bound. Where the database user may not make that role, the policies stay off: the
sessions of users are confined by the program alone, and ``stocklab doctor`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import structlog
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from stocklab.db.database import Database
from stocklab.db.models import Base
from stocklab.db.scope import MEMBER_ROLE, Authored, Private

__all__ = [
    "CHILDREN",
    "UNSEEN",
    "Covered",
    "RowSecurity",
    "cover",
    "covered_tables",
    "look",
    "row_security_of",
    "uncover",
]

log = structlog.get_logger(__name__)

UNSEEN: Final = frozenset(
    {
        "active_days",
        "audit_log",
        "broker_tokens",
        "password_resets",
        "recovery_codes",
        "source_keys",
        "user_sessions",
        "users",
    }
)
"""Tables that a user's session never reaches: what it needs of them, the program reads for it."""

CHILDREN: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "post_tags": ("posts", "post_id"),
        "publication_factors": ("publications", "publication_id"),
        "publication_terms": ("publications", "publication_id"),
    }
)
"""Tables without an owner of their own: read by everybody, changed by the owner of the row they hang from."""

_OWN: Final = "owner_id = current_setting('stocklab.owner', true)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Tables by how users may reach them; all others are read by all and written by the program alone."""

    private: frozenset[str]
    authored: frozenset[str]
    unseen: frozenset[str]
    children: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSecurity:
    """Whether the database enforces the policies; ``reason`` says why not, ``hint`` what to do."""

    active: bool
    reason: str = ""
    hint: str = ""


def covered_tables() -> Covered:
    """Every table of the models."""
    kinds: dict[type, set[str]] = {Private: set(), Authored: set()}
    for mapper in Base.registry.mappers:
        for kind, names in kinds.items():
            if issubclass(mapper.class_, kind) and isinstance(mapper.local_table, Table):
                names.add(mapper.local_table.name)
    return Covered(
        private=frozenset(kinds[Private]), authored=frozenset(kinds[Authored]), unseen=UNSEEN, children=CHILDREN
    )


def cover(connection: Connection, tables: Covered) -> bool:
    """Make the role and set the policies; False, with a warning, where the database user may not.

    May run again: what is there already is set anew.
    """
    if connection.dialect.name != "postgresql":
        return False
    if not _has_role(connection):
        log.warning("row_security_off", reason="the database user may not make or take the role", role=MEMBER_ROLE)
        return False
    there = set(inspect(connection).get_table_names())
    _let_in(connection, tables, there)
    for table in sorted(tables.private & there):
        _set(connection, table, {"own": f"{{role}} USING ({_OWN}) WITH CHECK ({_OWN})"})
    for table in sorted(tables.authored & there):
        _set(connection, table, _read_all_change(_OWN))
    for table, (parent, column) in sorted(tables.children.items()):
        if table in there:
            mine = f"EXISTS (SELECT 1 FROM {parent} WHERE {parent}.id = {table}.{column} AND {parent}.{_OWN})"
            _set(connection, table, _read_all_change(mine))
    return True


def _let_in(connection: Connection, tables: Covered, there: set[str]) -> None:
    """What a user's session may do at all: change rows of people, read what the program writes, boards and notices."""
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {MEMBER_ROLE}"))
    connection.execute(text(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {MEMBER_ROLE}"))
    for table in sorted(there - tables.unseen):
        connection.execute(text(f"GRANT SELECT ON {table} TO {MEMBER_ROLE}"))
    for table in sorted((tables.private | tables.authored | set(tables.children)) & there):
        connection.execute(text(f"GRANT INSERT, UPDATE, DELETE ON {table} TO {MEMBER_ROLE}"))


def uncover(connection: Connection) -> None:
    """Remove every policy of ours; the role may serve another database of the server and stays."""
    if connection.dialect.name != "postgresql":
        return
    found = connection.execute(
        text("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public' AND :role = ANY(roles)"),
        {"role": MEMBER_ROLE},
    ).all()
    for table, policy in found:
        connection.execute(text(f"DROP POLICY {policy} ON {table}"))
    for table in sorted({table for table, _ in found}):
        connection.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
    if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": MEMBER_ROLE}).first():
        connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {MEMBER_ROLE}"))
        connection.execute(text(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {MEMBER_ROLE}"))


def look(connection: Connection) -> RowSecurity:
    """Whether users' sessions are bound by the database, as it is now."""
    if connection.dialect.name != "postgresql":
        return RowSecurity(active=False, reason="SQLite has no row-level security")
    make = (
        f'As a superuser: CREATE ROLE {MEMBER_ROLE} NOLOGIN; GRANT {MEMBER_ROLE} TO "{_user(connection)}"; '
        "then `stocklab db init`, and restart the app."
    )
    if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": MEMBER_ROLE}).first():
        return RowSecurity(active=False, reason=f"there is no role {MEMBER_ROLE}", hint=make)
    if not _can_take(connection):
        return RowSecurity(active=False, reason=f"the database user may not take the role {MEMBER_ROLE}", hint=make)
    tables = covered_tables()
    bound = set(
        connection.scalars(
            text("SELECT tablename FROM pg_policies WHERE schemaname = 'public' AND :role = ANY(roles)"),
            {"role": MEMBER_ROLE},
        )
    )
    there = set(inspect(connection).get_table_names())
    lacking = sorted(((tables.private | tables.authored | set(tables.children)) & there) - bound)
    if lacking:
        return RowSecurity(
            active=False,
            reason=f"no policies on {', '.join(lacking[:3])}{' and more' if len(lacking) > 3 else ''}",
            hint="`stocklab db init` sets them; then restart the app.",
        )
    return RowSecurity(active=True)


def row_security_of(database: Database) -> RowSecurity:
    """As `look`, of an app database."""
    with database.engine.connect() as connection:
        return look(connection)


def _has_role(connection: Connection) -> bool:
    """Whether the role is there and can be taken, after what can be done about it was done."""
    for statement in (f"CREATE ROLE {MEMBER_ROLE} NOLOGIN", f"GRANT {MEMBER_ROLE} TO CURRENT_USER"):
        if _can_take(connection):
            return True
        try:
            with connection.begin_nested():
                connection.execute(text(statement))
        except DBAPIError as error:  # it is there already (another database of the server), or we may not
            log.debug("row_security_statement_refused", statement=statement, error=type(error.orig).__name__)
    return _can_take(connection)


def _can_take(connection: Connection) -> bool:
    try:
        with connection.begin_nested() as point:
            connection.execute(text("SELECT set_config('role', :role, true)"), {"role": MEMBER_ROLE})
            point.rollback()
    except DBAPIError:
        return False
    return True


def _user(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_user")).scalar())


def _read_all_change(mine: str) -> dict[str, str]:
    return {
        "seen": "FOR SELECT {role} USING (true)",
        "own_new": f"FOR INSERT {{role}} WITH CHECK ({mine})",
        "own_change": f"FOR UPDATE {{role}} USING ({mine}) WITH CHECK ({mine})",
        "own_gone": f"FOR DELETE {{role}} USING ({mine})",
    }


def _set(connection: Connection, table: str, policies: Mapping[str, str]) -> None:
    connection.execute(text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))
    for name, rule in policies.items():
        connection.execute(text(f"DROP POLICY IF EXISTS {name} ON {table}"))
        connection.execute(text(f"CREATE POLICY {name} ON {table} {rule.format(role=f'TO {MEMBER_ROLE}')}"))
