"""Bringing a database to the newest schema."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from stocklab.db.columns import utc_now
from stocklab.db.database import Database, DatabaseUnreachable
from stocklab.db.models import LOCAL_OWNER_ID, OwnerRow
from stocklab.db.row_security import cover, covered_tables, look
from stocklab.db.scope import learn_role
from stocklab.errors import SettingsError, StoreError

__all__ = ["downgrade", "head_revision", "knows_revision", "revision", "upgrade"]

_ADVISORY_LOCK = 0x5354_4F43_4B4C_4142  # "STOCKLAB": one number for every process on the same PostgreSQL database


def upgrade(database: Database, *, to: str = "head") -> None:
    """Migrate to the newest schema, and make sure that the local owner exists; or only to the revision ``to``.

    Idempotent; processes that start together take turns, by a file lock beside an SQLite file and by an advisory lock
    on PostgreSQL. Each migration is one transaction: a kill leaves the schema at a whole revision.

    Raises
    ------
    DatabaseUnreachable
        The database gives no answer.
    SettingsError
        The database was written by a newer version of the program.
    """
    try:
        with _turn(database):
            with database.engine.connect() as connection:
                with _tables_may_be_replaced(connection):
                    _migrate(connection, lambda config: command.upgrade(config, to))
                if to != "head":
                    return
                _secure_rows(connection)
            with database.write() as session:  # still in turn: two that start together must not both add the owner
                if session.get(OwnerRow, LOCAL_OWNER_ID) is None:
                    session.add(OwnerRow(id=LOCAL_OWNER_ID, name="Local owner", created_at=utc_now()))
    except OperationalError as error:
        raise DatabaseUnreachable(
            f"The app database cannot be opened ({type(error.orig).__name__}). "
            "Hint: check STOCKLAB_DATABASE_URL and that STOCKLAB_HOME can be written."
        ) from error


def downgrade(database: Database, *, to: str) -> None:
    """Migrate back to the revision ``to``, or to ``base``, which has no tables. What later tables held is lost.

    Raises
    ------
    DatabaseUnreachable
        The database gives no answer.
    SettingsError
        The database was written by a newer version of the program.
    """
    try:
        with _turn(database), database.engine.connect() as connection, _tables_may_be_replaced(connection):
            _migrate(connection, lambda config: command.downgrade(config, to))
    except OperationalError as error:
        raise DatabaseUnreachable(f"The app database cannot be opened ({type(error.orig).__name__}).") from error


def revision(database: Database) -> str | None:
    """Revision the database is at; None when it has no tables yet."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """Revision this version of the program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return str(head)


def knows_revision(wanted: str) -> bool:
    """Whether this version of the program has a revision of that name."""
    return any(script.revision == wanted for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _migrate(connection: Connection, move: Callable[[Config], None]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        move(config)
    except CommandError as error:
        raise SettingsError(
            f"The app database has a schema that this version does not know ({error}). "
            "Hint: start the version that wrote it, or newer."
        ) from error
    connection.commit()


@contextmanager
def _tables_may_be_replaced(connection: Connection) -> Iterator[None]:
    """Foreign keys off while SQLite migrates: to change a table it is replaced by another, and dropping the old one
    would take along, or detach, the rows that point to it. Afterwards every row must still point to one that is there.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - it is open
    driver.execute("PRAGMA foreign_keys = OFF")  # by the driver: within a transaction it would do nothing
    try:
        yield
        lost = driver.execute("PRAGMA foreign_key_check").fetchall()
        if lost:
            raise StoreError(f"Migrating left {len(lost)} rows that point to nothing, the first in {lost[0][0]}.")
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _secure_rows(connection: Connection) -> None:
    """Policies for every table there is by now, also where an administrator made the role after the migration."""
    if connection.dialect.name != "postgresql":
        return
    if not look(connection).active:
        cover(connection, covered_tables())
    learn_role(connection)
    connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


@contextmanager
def _turn(database: Database) -> Iterator[None]:
    """Hold the migration lock of this database."""
    if database.backend == "postgresql":
        with database.engine.connect() as connection, _advisory_lock(connection):
            yield
        return
    file = database.engine.url.database
    if file in (None, "", ":memory:"):
        yield
        return
    with Path(f"{file}.migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock(connection: Connection) -> Iterator[None]:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.commit()  # the lock belongs to the connection; no transaction is kept open while others migrate
    try:
        yield
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
        connection.commit()
