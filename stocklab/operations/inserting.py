"""What both databases must take alike: inserting a row unless there is one, and texts of strangers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from stocklab.db import Base

__all__ = ["insert_if_absent", "storable"]


def insert_if_absent(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row; False, and nothing changes, where its primary key is there already."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    keys = inspect(table).primary_key
    statement = insert(table).values(**values).on_conflict_do_nothing(index_elements=list(keys)).returning(*keys)
    return session.execute(statement).first() is not None


def storable(text: str) -> str:
    """A text that every database takes: messages quote what services and files hold, and PostgreSQL refuses a NUL and
    both refuse half of a surrogate pair.

    >>> storable("a\\0b\\ud800")
    'a b?'
    """
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
