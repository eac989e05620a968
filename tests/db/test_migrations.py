from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, inspect, select, text

from stocklab.db import (
    LOCAL_OWNER_ID,
    SEARCH_GRAMS,
    Base,
    Database,
    OwnerRow,
    head_revision,
    open_database,
    revision,
    upgrade,
)
from stocklab.errors import SettingsError


def test_the_migrations_make_exactly_the_models(empty_database: Database) -> None:
    upgrade(empty_database)
    with empty_database.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": _is_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        found = inspect(connection)
        for table in Base.metadata.sorted_tables:
            assert found.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
            assert {key["name"] for key in found.get_foreign_keys(table.name)} == {
                key.constraint.name for key in table.foreign_keys
            }
        for table in ("jobs", "scheduled_runs", "intents"):
            assert {check["name"] for check in found.get_check_constraints(table)} == {f"ck_{table}_state"}


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Not the tables in which SQLite keeps its full-text index."""
    return kind != "table" or not str(name).startswith(SEARCH_GRAMS)


def test_upgrade_may_run_again_and_keeps_what_is_there(empty_database: Database) -> None:
    assert revision(empty_database) is None
    upgrade(empty_database)
    with empty_database.write() as session:
        session.get_one(OwnerRow, LOCAL_OWNER_ID).name = "Kim"
    upgrade(empty_database)
    assert revision(empty_database) == head_revision()
    with empty_database.read() as session:
        assert [(owner.id, owner.name) for owner in session.scalars(select(OwnerRow))] == [(LOCAL_OWNER_ID, "Kim")]


def test_processes_that_start_together_take_turns(empty_url: str) -> None:
    code = "import sys; from stocklab.db import open_database, upgrade; upgrade(open_database(sys.argv[1]))"
    starting = [
        subprocess.Popen([sys.executable, "-c", code, empty_url], stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for process in starting:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    database = open_database(empty_url)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(OwnerRow)) == 1
    assert revision(database) == head_revision()
    database.close()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(empty_database: Database) -> None:
    upgrade(empty_database)
    with empty_database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match="does not know"):
        upgrade(empty_database)
    assert revision(empty_database) == "9999"


def test_a_migration_that_fails_leaves_no_half_of_itself(empty_database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        _create_and_fail(empty_database)
    assert inspect(empty_database.engine).get_table_names() == []


def _create_and_fail(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise ZeroDivisionError
