"""Up and down from every revision with rows in every table: what both ends know is the same afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.script import ScriptDirectory
from filled_tables import ROWS, fill, rows_of
from sqlalchemy import inspect, text

from stocklab.db import Database, downgrade, head_revision, revision, upgrade
from stocklab.db.migrate import _config

REVISIONS = sorted(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())
Rows = dict[str, list[dict[str, Any]]]


def known_to_both(rows: Rows, other: Rows) -> Rows:
    """The rows, of the tables and columns that the other end has as well."""
    return {
        name: [{column: row[column] for column in row if column in other[name][0]} for row in found]
        for name, found in rows.items()
        if name in other
    }


def snapshot(database: Database) -> Rows:
    with database.engine.connect() as connection:
        return rows_of(connection)


@pytest.mark.parametrize("start", REVISIONS)
def test_rows_survive_the_way_up_and_the_way_back(empty_database: Database, start: str) -> None:
    database = empty_database
    upgrade(database, to=start)
    with database.engine.begin() as connection:
        fill(connection)
    before = snapshot(database)
    assert {len(rows) for rows in before.values()} == {ROWS}

    upgrade(database)
    after = snapshot(database)
    assert revision(database) == head_revision()
    assert known_to_both(after, before) == known_to_both(before, after)
    assert [(row["strategy_id"], row["owner_id"]) for row in after["strategy_versions"]] == [
        ("local", "local"),
        ("second", "second"),
    ]

    downgrade(database, to=start)
    back = snapshot(database)
    assert {name: set(rows[0]) for name, rows in back.items()} == {name: set(rows[0]) for name, rows in before.items()}
    assert known_to_both(back, after) == known_to_both(before, after)

    downgrade(database, to="base")
    assert_nothing_left(database)
    upgrade(database)


@pytest.mark.parametrize("start", REVISIONS)
def test_every_revision_can_be_reached_and_left_without_rows(empty_database: Database, start: str) -> None:
    upgrade(empty_database, to=start)
    downgrade(empty_database, to="base")
    assert_nothing_left(empty_database)


def assert_nothing_left(database: Database) -> None:
    with database.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        if database.backend == "sqlite":
            left = "SELECT name FROM sqlite_master WHERE name NOT LIKE '%alembic_version%'"
        else:
            left = (
                "SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                "UNION SELECT typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace "
                "AND typname NOT LIKE '%alembic_version'"
            )
        assert connection.scalars(text(left)).all() == []


def test_foreign_keys_hold_again_after_migrating(database: Database) -> None:
    if database.backend != "sqlite":
        pytest.skip("PostgreSQL never lets go of them")
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
