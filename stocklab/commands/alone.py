"""Work that needs the home for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stocklab.errors import InputError
from stocklab.settings import Settings

__all__ = ["alone"]


@contextmanager
def alone(settings: Settings, what: str) -> Iterator[None]:
    """Nobody else uses the home for the block: a running app would go on with files and secrets that were replaced.

    Raises
    ------
    InputError
        The app or a scheduler runs on this home.
    """
    from stocklab.db import head_revision, open_database, revision
    from stocklab.db.columns import utc_now
    from stocklab.operations import Uptime
    from stocklab.operations.leadership import leadership_for
    from stocklab.portfolios import database_url

    url = database_url(settings)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        yield
        return
    database = open_database(url)
    leadership = leadership_for(database, Path(settings.home))
    try:
        now = utc_now()
        workers = Uptime(database).workers() if revision(database) == head_revision() else ()
        alive = any(worker.alive(now) for worker in workers)
        if alive or not leadership.try_take():
            raise InputError(f"The app or a scheduler runs on this home. Hint: stop it, then {what}.")
        database.close()
        yield
    finally:
        leadership.release()
        database.close()
