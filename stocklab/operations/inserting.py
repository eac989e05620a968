"""Inserting a row unless there is one, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from stocklab.db import Base

__all__ = ["insert_if_absent"]


def insert_if_absent(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row; False, and nothing changes, where its primary key is there already."""
    insert = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    keys = inspect(table).primary_key
    statement = insert(table).values(**values).on_conflict_do_nothing(index_elements=list(keys)).returning(*keys)
    return session.execute(statement).first() is not None
