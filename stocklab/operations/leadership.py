"""Exactly one background process: an advisory lock on PostgreSQL, else a file lock; both die with their holder."""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from stocklab.db import Database, DatabaseUnreachable

__all__ = ["DatabaseLeadership", "FileLeadership", "Leadership", "leadership_for", "lock_is_free"]

log = structlog.get_logger(__name__)

_ADVISORY_LOCK: Final = 0x5354_4F43_4B53_4944  # "STOCKSID": one number for every process on the same database
_HOLDER: Final = """
    FROM pg_locks AS held JOIN pg_stat_activity AS backend ON backend.pid = held.pid
    WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
      AND held.classid::bigint = :high AND held.objid::bigint = :low
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_KEY_PARTS: Final = {"high": _ADVISORY_LOCK >> 32, "low": _ADVISORY_LOCK & 0xFFFF_FFFF}
# The connection only holds the lock. A peer that vanished without a word is found out within some ten seconds, on both
# ends: the server must let the lock go, and the holder must stop.
_KEEPALIVE: Final = {"keepalives": 1, "keepalives_idle": 3, "keepalives_interval": 2, "keepalives_count": 3}


class Leadership(Protocol):
    """The right to be the one background process."""

    def try_take(self) -> bool:
        """Take it if nobody has it; True when it is ours. Raises DatabaseUnreachable when that cannot be known."""
        ...

    def held(self) -> bool:
        """Whether it is still ours: False once the connection that holds it is gone."""
        ...

    def confirms(self, session: Session) -> bool:
        """Whether it is ours at this moment, as the transaction of ``session`` sees it: the fence of every claim."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class FileLeadership:
    """A lock on a file of the home. The kernel drops it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_take(self) -> bool:
        """See `Leadership.try_take`."""
        if self._descriptor is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return True

    def held(self) -> bool:
        """See `Leadership.held`."""
        return self._descriptor is not None

    def confirms(self, session: Session) -> bool:
        """See `Leadership.confirms`. The kernel takes the lock from nobody who lives."""
        return self._descriptor is not None

    def release(self) -> None:
        """See `Leadership.release`."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


class DatabaseLeadership:
    """An advisory lock of PostgreSQL, on a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._engine = create_engine(
            database.engine.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={**_KEEPALIVE, "connect_timeout": 10, "tcp_user_timeout": 10_000},
        )
        self._connection: Connection | None = None
        self._backend: tuple[int, datetime] | None = None  # which connection holds it, as the server names it

    def try_take(self) -> bool:
        """See `Leadership.try_take`.

        Raises
        ------
        DatabaseUnreachable
            The server does not answer.
        """
        if self._connection is not None:
            return self.held()
        try:
            connection = self._engine.connect()
            for option in ("tcp_keepalives_idle = 3", "tcp_keepalives_interval = 2", "tcp_keepalives_count = 3"):
                connection.execute(text(f"SET {option}"))
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK}).scalar()
            backend = connection.execute(
                text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            ).one()
        except DBAPIError as error:
            raise DatabaseUnreachable(f"The app database does not answer ({type(error.orig).__name__}).") from error
        if not taken:
            connection.close()
            return False
        self._connection, self._backend = connection, (backend.pid, backend.backend_start)
        return True

    def held(self) -> bool:
        """See `Leadership.held`. Asks the server."""
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            log.warning("leadership_lost", reason=type(error.orig).__name__)
            self._connection.invalidate()
            self._connection.close()
            self._connection = self._backend = None
            return False
        return True

    def confirms(self, session: Session) -> bool:
        """See `Leadership.confirms`. The server is asked which connection holds the lock now.

        A number of a connection comes again after a restart of the server, the moment of its beginning does not.
        """
        return self._backend is not None and _holder(session) == self._backend

    def release(self) -> None:
        """See `Leadership.release`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._backend = None
        self._engine.dispose()


def _holder(session: Session) -> tuple[int, datetime] | None:
    """Number and beginning of the connection that holds the lock in this database."""
    found = session.execute(text(f"SELECT backend.pid, backend.backend_start {_HOLDER}"), _KEY_PARTS).first()
    return None if found is None else (found.pid, found.backend_start)


def lock_is_free(database: Database) -> bool | None:
    """Whether nobody holds the lock; None with SQLite, where only taking it could tell.

    Raises
    ------
    DatabaseUnreachable
        The app database does not answer.
    """
    if database.backend != "postgresql":
        return None
    with database.read() as session:
        return _holder(session) is None


def leadership_for(database: Database, home: Path) -> Leadership:
    """The lock that goes with this database."""
    if database.backend == "postgresql":
        return DatabaseLeadership(database)
    return FileLeadership(home / "scheduler.lock")
