"""Writing very many rows: COPY on PostgreSQL, one prepared statement on SQLite; checks of foreign keys wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ARRAY, JSON, Table

from stocklab.db import Base, Database

NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
BATCH = 20_000
Row = Mapping[str, Any]


class Filler:
    """Fills tables by name. What a row does not give gets the emptiest value its column takes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rows = 0

    def fill(self, name: str, rows: Iterable[Row]) -> None:
        """Write rows into a table; a table that this version does not have is left out."""
        table = Base.metadata.tables.get(name)
        if table is None:
            print(f"  {name}: no such table")
            return
        began, before = time.perf_counter(), self.rows
        complete = _completed(table, rows, sqlite=self.database.backend == "sqlite")
        with self.database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            (self._sqlite if self.database.backend == "sqlite" else self._postgres)(driver, table, complete)
        seconds = time.perf_counter() - began
        print(f"  {name}: {self.rows - before:,} rows in {seconds:.1f} s", flush=True)

    def _sqlite(self, driver: Any, table: Table, rows: Iterator[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" for _ in table.columns)
        statement = f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks})"
        with _unchecked(driver):
            while batch := list(islice(rows, BATCH)):
                driver.executemany(statement, batch)
                self.rows += len(batch)

    def _postgres(self, driver: Any, table: Table, rows: Iterator[tuple[Any, ...]]) -> None:
        with driver.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            with cursor.copy(f"COPY {table.name} ({_columns(table)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
                    self.rows += 1
            cursor.execute("SET session_replication_role = DEFAULT")
        driver.commit()

    def finish(self) -> None:
        """Let the planner know what is there."""
        with self.database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            if self.database.backend == "postgresql":
                driver.commit()
                driver.autocommit = True
                driver.execute("VACUUM ANALYZE")
                driver.autocommit = False
            else:
                driver.execute("ANALYZE")


@contextmanager
def _unchecked(driver: Any) -> Iterator[None]:
    driver.execute("PRAGMA foreign_keys = OFF")
    driver.execute("PRAGMA synchronous = OFF")
    driver.execute("PRAGMA cache_size = -400000")
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
        driver.execute("COMMIT")
    finally:
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA foreign_keys = ON")


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _completed(table: Table, rows: Iterable[Row], *, sqlite: bool) -> Iterator[tuple[Any, ...]]:
    names = [column.name for column in table.columns]
    empty = {column.name: None if column.nullable else _emptiest(column) for column in table.columns}
    writers = [_writer(column, sqlite=sqlite) for column in table.columns]
    for row in rows:
        whole = {**empty, **{name: row[name] for name in row if name in empty}}
        yield tuple(write(whole[name]) for name, write in zip(names, writers, strict=True))


def _emptiest(column: Any) -> Any:
    if isinstance(column.type, JSON):
        return {}
    kind = column.type.python_type
    return {datetime: NOW, date: NOW.date(), bool: False, int: 0, float: 0.0, list: []}.get(kind, "")


def _writer(column: Any, *, sqlite: bool) -> Callable[[Any], Any]:
    if isinstance(column.type, JSON) or (sqlite and isinstance(column.type, ARRAY)):
        return lambda value: value if value is None or isinstance(value, str) else json.dumps(value)
    if not sqlite:
        return lambda value: value
    kind = column.type.python_type
    if kind is datetime:
        return lambda value: None if value is None else value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if kind is date:
        return lambda value: None if value is None else value.isoformat()
    return int if kind is bool else lambda value: value
