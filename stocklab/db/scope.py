"""Whose rows a session may see and change: the rule every query of a user goes through.

Tables say what they are by their base: of a ``Private`` row only its owner knows; an ``Authored`` row is read by
everybody and changed by its owner. Tables with neither hold what is nobody's. On PostgreSQL the database enforces the
same by row-level security (`stocklab.db.row_security`), under a role that owns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, ForeignKey, Pool, String, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria

from stocklab.errors import StockLabError

__all__ = ["MEMBER_ROLE", "Authored", "ForeignRow", "Private", "as_system", "enter_scope", "learn_role"]

MEMBER_ROLE: Final = "stocklab_member"
_OWNER: Final = "stocklab_owner"
_SYSTEM: Final = "stocklab_system"
_ROLE: Final = "stocklab_role"
_takes_role: Final[WeakKeyDictionary[Pool, bool]] = WeakKeyDictionary()


class ForeignRow(StockLabError):
    """A user's session tried to write a row of somebody else; the transaction is rolled back."""

    exit_code = 1


class Private:
    """Rows that only their owner sees and changes."""

    owner_id: Mapped[str] = mapped_column(String(32), ForeignKey("owners.id", ondelete="CASCADE"))


class Authored:
    """Rows that everybody may read; only their owner adds, changes and removes them."""

    owner_id: Mapped[str] = mapped_column(String(32), ForeignKey("owners.id", ondelete="CASCADE"))


def enter_scope(session: Session, owner_id: str) -> None:
    """Confine a new session to one owner. On PostgreSQL this also changes the role, until the transaction ends."""
    session.info[_OWNER] = owner_id
    connection = session.connection() if session.get_bind().dialect.name == "postgresql" else None
    if connection is None:
        return
    known = _takes_role.get(connection.engine.pool)
    session.info[_ROLE] = learn_role(connection) if known is None else known
    if session.info[_ROLE]:
        connection.execute(
            text("SELECT set_config('role', :role, true), set_config('stocklab.owner', :owner, true)"),
            {"role": MEMBER_ROLE, "owner": owner_id},
        )


def learn_role(connection: Connection) -> bool:
    """Whether sessions over this connection's pool can act under the role of users, which row-level security binds; it
    is asked once, when the program starts.
    """
    try:
        with connection.begin_nested() as point:
            connection.execute(text("SELECT set_config('role', :role, true)"), {"role": MEMBER_ROLE})
            ready = text(
                "SELECT EXISTS (SELECT 1 FROM pg_policies WHERE schemaname = 'public' AND :role = ANY(roles)) "
                "AND has_table_privilege(:role, 'strategies', 'SELECT')"
            )
            found = bool(connection.execute(ready, {"role": MEMBER_ROLE}).scalar())
            point.rollback()
    except DBAPIError:
        found = False
    _takes_role[connection.engine.pool] = found
    return found


@contextmanager
def as_system(session: Session) -> Iterator[None]:
    """Within a user's transaction, do what the program does on behalf of all: counters, moderation, places.

    What goes wrong within reaches the caller as it is: a transaction that PostgreSQL gave up takes no role any more,
    and has it again by its rollback, to a savepoint or as a whole.
    """
    owner_id = session.info.get(_OWNER)
    if owner_id is None or session.info.get(_SYSTEM):
        yield
        return
    session.flush()
    changes_role = session.info.get(_ROLE, False)
    session.info[_SYSTEM] = True
    if changes_role:
        session.execute(text("SELECT set_config('role', 'none', true)"))
    try:
        yield
        session.flush()
    except BaseException:
        if changes_role and session.is_active:
            with suppress(SQLAlchemyError):
                _take_member_role(session)
        raise
    else:
        if changes_role:
            _take_member_role(session)
    finally:
        session.info[_SYSTEM] = False


def _take_member_role(session: Session) -> None:
    session.execute(text("SELECT set_config('role', :role, true)"), {"role": MEMBER_ROLE})


def _confined_to(session: Session) -> str | None:
    return None if session.info.get(_SYSTEM) else session.info.get(_OWNER)


@event.listens_for(Session, "do_orm_execute")
def _confine_statements(state: ORMExecuteState) -> None:
    """Add the owner to every statement over mapped tables."""
    owner_id = _confined_to(state.session)
    if owner_id is None or state.is_column_load or state.is_relationship_load:
        return
    kinds: tuple[type[Any], ...] = (Private, Authored) if state.is_update or state.is_delete else (Private,)
    for kind in kinds:
        state.statement = state.statement.options(
            with_loader_criteria(kind, lambda row: row.owner_id == owner_id, include_aliases=True)
        )


@event.listens_for(Session, "before_flush")
def _refuse_foreign_rows(session: Session, _context: object, _instances: object) -> None:
    owner_id = _confined_to(session)
    if owner_id is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Private | Authored) and row.owner_id != owner_id:
            raise ForeignRow(f"A row of {type(row).__name__} belongs to another owner; nothing was written.")
