"""The app database as JSON lines, one file a table, and back: from either kind of database into either."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import JSON, Connection, Date, DateTime, LargeBinary, MetaData, Numeric, Table, inspect, text
from sqlalchemy import select as select_rows
from sqlalchemy.types import Float

from stocklab.db import Base, Database, downgrade, knows_revision, revision, upgrade
from stocklab.db.columns import JSON_DOCUMENT

__all__ = ["drop_tables", "dump_tables", "has_rows", "load_tables"]

_VERSION_TABLE: Final = "alembic_version"
_BATCH: Final = 500


def dump_tables(database: Database, folder: Path) -> tuple[Path, ...]:
    """Write every table of the app as it is at one moment: ``<table>.jsonl``, a JSON object a line.

    Moments are ISO text in UTC, days ISO text, exact numbers text, bytes base64.
    """
    written = []
    folder.mkdir(parents=True, exist_ok=True)
    engine = database.engine
    if database.backend == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with engine.connect() as connection, connection.begin():
        for table in _tables(connection):
            path = folder / f"{table.name}.jsonl"
            with path.open("w", encoding="utf-8") as stream:
                rows = connection.execute(select_rows(table).order_by(*table.primary_key.columns))
                for row in rows.mappings():
                    stream.write(json.dumps({name: _plain(row[name]) for name in row}, ensure_ascii=False) + "\n")
            written.append(path)
    return tuple(written)


def load_tables(database: Database, folder: Path, revision: str) -> None:
    """Fill a database without our tables with what `dump_tables` wrote at ``revision``, then bring it up to date."""
    upgrade(database, to=revision)
    with database.engine.begin() as connection:
        tables = _tables(connection)
        for table in reversed(tables):
            connection.execute(table.delete())  # the local owner that `upgrade` made is in the dump as well
        for table in tables:
            path = folder / f"{table.name}.jsonl"
            if not path.exists():
                continue
            with path.open(encoding="utf-8") as stream:
                for batch in _batches(stream, table):
                    connection.execute(table.insert(), batch)
            _restart_numbers(connection, table)
    upgrade(database)


def drop_tables(database: Database) -> None:
    """Remove every table of the app, and what its migrations made besides (functions, search tables)."""
    found = revision(database)
    if found is not None and knows_revision(found):
        downgrade(database, to="base")
    with database.engine.begin() as connection:
        there = set(inspect(connection).get_table_names())
        metadata = MetaData()
        metadata.reflect(connection, only=sorted(there & {*Base.metadata.tables, _VERSION_TABLE}), resolve_fks=False)
        metadata.drop_all(connection)


def has_rows(database: Database) -> bool:
    """Whether somebody used this database: any row besides the owner that every one has."""
    with database.engine.connect() as connection:
        for table in _tables(connection):
            rows = connection.execute(select_rows(table).limit(2)).all()
            if len(rows) > (table.name == "owners"):
                return True
    return False


def _tables(connection: Connection) -> list[Table]:
    """Our tables as this database has them, referred ones first."""
    there = set(inspect(connection).get_table_names())
    metadata = MetaData()
    metadata.reflect(connection, only=sorted(there & set(Base.metadata.tables)))
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON_DOCUMENT  # None is no value, as in the models
    return [table for table in metadata.sorted_tables if table.name != _VERSION_TABLE]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def _value(stored: Any, column_type: Any) -> Any:
    if stored is None or isinstance(column_type, JSON):
        return stored
    if isinstance(column_type, DateTime):
        return datetime.fromisoformat(stored)
    if isinstance(column_type, Date):
        return date.fromisoformat(stored)
    if isinstance(column_type, LargeBinary):
        return base64.b64decode(stored)
    if isinstance(column_type, Numeric) and not isinstance(column_type, Float):
        return Decimal(stored)
    return stored


def _batches(lines: Iterator[str], table: Table) -> Iterator[list[Mapping[str, Any]]]:
    types = {column.name: column.type for column in table.columns}
    batch: list[Mapping[str, Any]] = []
    for line in lines:
        batch.append({name: _value(stored, types[name]) for name, stored in json.loads(line).items()})
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _restart_numbers(connection: Connection, table: Table) -> None:
    """Numbers that PostgreSQL gives out go on after the highest there is."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        ).scalar()
        if sequence is not None:
            connection.execute(
                text(f'SELECT setval(:sequence, COALESCE(MAX("{column.name}"), 0) + 1, false) FROM "{table.name}"'),
                {"sequence": sequence},
            )
