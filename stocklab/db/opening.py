"""The app database of a home: where it is, and opening it ready to use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stocklab.db.database import Database, PoolShape, open_database
from stocklab.db.migrate import upgrade
from stocklab.settings import Settings

__all__ = ["database_of", "database_url", "pool_of"]


def database_url(settings: Settings) -> str:
    """URL of the app database: as set, else an SQLite file in the home."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{Path(settings.home).resolve() / 'stocklab.db'}"


def pool_of(settings: Settings) -> PoolShape:
    """Connections of a process that stays, as set."""
    return PoolShape(
        size=settings.database_pool_size,
        overflow=settings.database_pool_overflow,
        timeout_seconds=settings.database_pool_timeout,
        recycle_seconds=settings.database_pool_recycle,
    )


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    """The app database, up to date, closed at the end of the block.

    Raises
    ------
    SettingsError
        The database URL is not usable, or its schema is newer than this program.
    DatabaseUnreachable
        It does not answer.
    """
    Path(settings.home).mkdir(parents=True, exist_ok=True)
    database = open_database(database_url(settings), pool_of(settings))
    try:
        upgrade(database)
        yield database
    finally:
        database.close()
