"""Opening the app database and handing out sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from stocklab.db.scope import enter_scope
from stocklab.db.turns import Turns
from stocklab.errors import SettingsError, StockLabError

__all__ = ["Database", "DatabaseUnreachable", "PoolShape", "open_database"]

_BUSY_TIMEOUT_MS = 15_000
_TURN_SECONDS = 30.0
_ALL_IN_USE = (
    "Every connection to the app database is in use. Hint: try again, or raise STOCKLAB_DATABASE_POOL_OVERFLOW."
)
_WRITE = "stocklab_write"


class DatabaseUnreachable(StockLabError):
    """The app database does not answer, or stayed locked for too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShape:
    """Connections of one process: how many stay open, how many more under load, how long to wait for one, and the age
    at which one is replaced.
    """

    size: int = 5
    overflow: int = 15
    timeout_seconds: int = 10
    recycle_seconds: int = 1800

    def options(self) -> dict[str, Any]:
        """As the engine takes them."""
        return {
            "pool_size": self.size,
            "max_overflow": self.overflow,
            "pool_timeout": self.timeout_seconds,
            "pool_recycle": self.recycle_seconds,
        }


class Database:
    """An engine and its sessions. ``read`` and `write` are the only ways to a session."""

    def __init__(self, engine: Engine, pool: PoolShape | None = None) -> None:
        shape = pool or PoolShape()
        self.engine = engine
        self._writer = engine.execution_options(**{_WRITE: True})
        self._writers = Turns()
        self._connections = Turns(shape.size + shape.overflow)
        self._patience_seconds = shape.timeout_seconds

    @property
    def backend(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @contextmanager
    def read(self, owner: str | None = None) -> Iterator[Session]:
        """A session for reading; whatever it changed is rolled back. ``owner`` confines it to what that user may see.

        Raises
        ------
        DatabaseUnreachable
            The database does not answer, or stayed locked for too long.
        """
        with self._turn(writes=False), _named_errors(), Session(self.engine, expire_on_commit=False) as session:
            if owner is not None:
                enter_scope(session, owner)
            yield session

    @contextmanager
    def write(self, owner: str | None = None) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back when it raises. ``owner`` confines it to what
        that user may see and change.

        On SQLite it takes the write lock at once: a transaction that read first could otherwise not wait for another
        writer (SQLITE_BUSY is immediate when the snapshot it read is already old).

        Raises
        ------
        DatabaseUnreachable
            The database does not answer, or stayed locked for too long; nothing was changed.
        ForeignRow
            A row of another owner was written; nothing was changed.
        """
        with (
            self._turn(writes=True),
            _named_errors(),
            Session(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            if owner is not None:
                enter_scope(session, owner)
            yield session

    @contextmanager
    def _turn(self, *, writes: bool) -> Iterator[None]:
        """On SQLite the writers of this process take turns, and readers wait for nobody; on PostgreSQL all take turns
        for the connections there may be.
        """
        if self.backend != "sqlite":
            with self._connections.take(self._patience_seconds) as taken:
                if not taken:
                    raise DatabaseUnreachable(_ALL_IN_USE)
                yield
        elif writes:
            with self._writers.take(_TURN_SECONDS) as taken:
                if not taken:
                    raise DatabaseUnreachable(f"The app database stayed locked for {_TURN_SECONDS:.0f} seconds.")
                yield
        else:
            yield

    def ping(self) -> None:
        """Ask the database for an answer.

        Raises
        ------
        DatabaseUnreachable
            It gave none.
        """
        with _named_errors(), self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Return every connection."""
        self.engine.dispose()


def open_database(url: str, pool: PoolShape | None = None) -> Database:
    """Open the database at an SQLAlchemy URL: ``sqlite:///file`` or ``postgresql://...`` (psycopg 3).

    Parent folders of an SQLite file are created. Nothing is migrated here: see ``upgrade``.

    Raises
    ------
    SettingsError
        The URL cannot be read, or names another kind of database. The message does not repeat the URL, which may
        hold a password.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError as error:
        raise SettingsError("STOCKLAB_DATABASE_URL cannot be read as a database URL.") from error
    if backend == "postgresql":
        driver = parsed.set(drivername="postgresql+psycopg")
        return Database(
            create_engine(driver, pool_pre_ping=True, hide_parameters=True, **(pool or PoolShape()).options()), pool
        )
    if backend != "sqlite":
        raise SettingsError(
            f"STOCKLAB_DATABASE_URL: expected sqlite:///... or postgresql://..., found {backend!r}. "
            "Hint: leave it unset to use SQLite in the home."
        )
    in_memory = parsed.database in (None, "", ":memory:")
    if not in_memory:
        Path(str(parsed.database)).expanduser().resolve().parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000}}
    if in_memory:
        options["poolclass"] = StaticPool
    else:
        options |= (pool or PoolShape()).options()
    engine = create_engine(parsed, hide_parameters=True, **options)  # errors are logged: values of rows are not
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


@contextmanager
def _named_errors() -> Iterator[None]:
    """Faults of the connection in our own tree, so that pages and loops need not know the library's."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnreachable(_ALL_IN_USE) from error
    except (InterfaceError, OperationalError) as error:
        raise DatabaseUnreachable(f"The app database does not answer ({type(error.orig).__name__}).") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Pragmas of each new SQLite connection.

    ``synchronous`` stays FULL: an order is a row before it is a request, so a committed row must survive a power cut.
    """
    connection.isolation_level = None  # the driver would start transactions on its own terms, and never around DDL
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {_BUSY_TIMEOUT_MS}", "journal_mode = WAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
