"""Bringing a database to the newest schema."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
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
from stocklab.errors import SettingsError

__all__ = ["head_revision", "knows_revision", "revision", "upgrade"]

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
                config = _config()
                config.attributes["connection"] = connection
                try:
                    command.upgrade(config, to)
                except CommandError as error:
                    raise SettingsError(
                        f"The app database has a schema that this version does not know ({error}). "
                        "Hint: start the version that wrote it, or newer."
                    ) from error
                connection.commit()
            if to != "head":
                return
            with database.write() as session:  # still in turn: two that start together must not both add the owner
                if session.get(OwnerRow, LOCAL_OWNER_ID) is None:
                    session.add(OwnerRow(id=LOCAL_OWNER_ID, name="Local owner", created_at=utc_now()))
    except OperationalError as error:
        raise DatabaseUnreachable(
            f"The app database cannot be opened ({type(error.orig).__name__}). "
            "Hint: check STOCKLAB_DATABASE_URL and that STOCKLAB_HOME can be written."
        ) from error


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
