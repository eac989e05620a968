"""What tests about people share: a good password, and a count of the statements that a service sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import event

from stocklab.db import Database
from stocklab.operations import RateLimits

PASSWORD = "correct horse battery"


def limits_of(database: Database) -> RateLimits:
    """Limits whose windows do not end while a test runs."""
    started = datetime.now(UTC)
    return RateLimits(database, clock=lambda: started)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent within the block, without those that begin and end transactions."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "SELECT set_config")):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
