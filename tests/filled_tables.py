"""Rows for every table of any revision, made from what the database says of its columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    Numeric,
    Table,
    inspect,
)
from sqlalchemy.types import TypeEngine

from stocklab.db import Base
from stocklab.db.columns import JSON_DOCUMENT, ExactDecimal, UtcDateTime

ROWS = 2
NAMES = ("local", "second")
START = datetime(2026, 11, 20, 3, 4, 5, 678901, tzinfo=UTC)
ALLOWED = {  # what check constraints demand
    ("alert_deliveries", "state"): "sent",
    ("jobs", "state"): "COMPLETED",
    ("broker_accounts", "broker"): "paper",
    ("guards", "kind"): "stop",
    ("guards", "source"): "person",
    ("guards", "state"): "active",
    ("book_entries", "kind"): "by_hand",
    ("orders", "kind"): "limit",
    ("orders", "origin"): "strategy",
    ("orders", "side"): "buy",
    ("orders", "state"): "open",
    ("orders", "validity"): "day",
    ("scheduled_runs", "state"): "done",
    ("intents", "state"): "waiting",
    ("users", "role"): "member",
    ("publications", "visibility"): "public",
    ("posts", "category"): "free",
    ("reports", "subject_kind"): "post",
    ("popular_posts", "period"): "day",
    ("held_results", "kind"): "sweep",
}


def tables_of(connection: Connection) -> list[Table]:
    """The app's tables as they are now, referred ones first."""
    there = set(inspect(connection).get_table_names()) & set(Base.metadata.tables)
    metadata = MetaData()
    metadata.reflect(connection, only=sorted(there))
    for table in metadata.tables.values():
        for column in table.columns:
            column.type = _type(column.type)
    return metadata.sorted_tables


def fill(connection: Connection, leave_out: Collection[str] = (), names: tuple[str, str] = NAMES) -> None:
    """Two rows in every table, the second pointing to the first where a table points to itself.

    Ids are ``names``, and so are owners: the first row of every table is the first owner's. Texts name row and table.
    """
    for table in tables_of(connection):
        if table.name == "owners":
            connection.execute(table.delete())
        if table.name in leave_out:
            continue
        for number in range(ROWS):
            connection.execute(
                table.insert(), {column.name: value(table, column, number, names) for column in table.columns}
            )


def rows_of(connection: Connection, tables: Iterable[Table] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, or of these."""
    return {
        table.name: [
            dict(row) for row in connection.execute(table.select().order_by(*table.primary_key.columns)).mappings()
        ]
        for table in (tables_of(connection) if tables is None else tables)
    }


def value(table: Table, column: Column[Any], number: int, names: tuple[str, str] = NAMES) -> Any:
    """The value of a column in one of the rows; two rows never share a text."""
    if (table.name, column.name) == ("alert_deliveries", "id"):
        return 1001 + number  # those that a test adds are counted from 1
    if (table.name, column.name) in ALLOWED:
        return ALLOWED[table.name, column.name]
    if table.name == "comments" and column.name in ("post_id", "publication_id"):  # under one of the two
        return _key(column, number, names) if (column.name == "post_id") == (number == 0) else None
    for key in column.foreign_keys:
        if key.column.table is table:
            return _key(column, 0, names) if number else None
        return _key(column, number, names)
    return _plain(column, number, names)


def _plain(column: Column[Any], number: int, names: tuple[str, str]) -> Any:
    kind = column.type
    if _is_exact(column):  # digits in a text, which a reflected table does not tell
        return f"{number + 1}.00000001"
    if column.name == "grams" or isinstance(kind, ARRAY):  # an array on PostgreSQL, JSON on SQLite
        return [number + 1, 7]
    if isinstance(kind, JSON):
        return {"row": number, "text": "가", "list": [1, None, {"deep": True}]}
    if isinstance(kind, UtcDateTime):
        return START + timedelta(days=number)
    if isinstance(kind, Boolean):
        return bool(number)
    if isinstance(kind, Date):
        return date(2026, 11, 20) + timedelta(days=number)
    if isinstance(kind, Integer):
        return number + 1
    if isinstance(kind, Numeric | Float):
        return 0.5 + number
    return _key(column, number, names)


def _is_exact(column: Column[Any]) -> bool:
    table = Base.metadata.tables.get(column.table.name)
    return (
        table is not None and column.name in table.columns and isinstance(table.columns[column.name].type, ExactDecimal)
    )


def _key(column: Column[Any], number: int, names: tuple[str, str]) -> Any:
    if isinstance(column.type, Integer):
        return number + 1
    name = names[number]
    text = name if column.name.endswith("id") else f"{name}:{column.table.name}:{column.name}"
    return text[: getattr(column.type, "length", None)]


def _type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kind, JSON):
        return JSON_DOCUMENT
    return UtcDateTime() if isinstance(kind, DateTime) else kind
