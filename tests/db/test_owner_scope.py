"""Sessions confined to an owner, on both databases; on PostgreSQL also for statements that bypass the mapper."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from stocklab.db import Base, Database, ForeignRow, OwnerRow, PostRow, UniverseRow, as_system
from stocklab.db.row_security import covered_tables


@pytest.fixture
def two(database: Database) -> Database:
    """A home where Ada and Ben each have a universe and a post."""
    with database.write() as session:
        session.add_all([OwnerRow(id="ada", name="Ada"), OwnerRow(id="ben", name="Ben")])
        session.flush()
        session.add_all(
            UniverseRow(id=f"u-{owner}", owner_id=owner, name="all", document={}) for owner in ("ada", "ben")
        )
        session.add_all(_post(owner) for owner in ("ada", "ben"))
    return database


def _post(owner: str) -> PostRow:
    return PostRow(id=f"p-{owner}", owner_id=owner, category="free", title="t", body="b")


def test_private_rows_of_others_do_not_exist(two: Database) -> None:
    with two.read("ada") as session:
        assert session.scalars(select(UniverseRow.id)).all() == ["u-ada"]
        assert session.get(UniverseRow, "u-ben") is None
        assert session.scalar(select(func.count()).select_from(UniverseRow)) == 1
        assert sorted(session.scalars(select(PostRow.id))) == ["p-ada", "p-ben"]


def test_what_others_wrote_cannot_be_changed(two: Database) -> None:
    with two.write("ada") as session:
        session.execute(update(UniverseRow).values(name="mine"))
        session.execute(update(PostRow).values(title="mine"))
        session.execute(delete(PostRow).where(PostRow.id == "p-ben"))
    with two.read() as session:
        assert dict(session.execute(select(UniverseRow.id, UniverseRow.name)).all()) == {
            "u-ada": "mine",
            "u-ben": "all",
        }
        assert dict(session.execute(select(PostRow.id, PostRow.title)).all()) == {"p-ada": "mine", "p-ben": "t"}


def test_a_foreign_row_ends_the_transaction(two: Database) -> None:
    with pytest.raises(ForeignRow), two.write("ada") as session:
        session.add_all(
            UniverseRow(id=uuid.uuid4().hex, owner_id=each, name="new", document={}) for each in ("ada", "ben")
        )
    with pytest.raises(ForeignRow), two.write("ada") as session:
        session.get_one(PostRow, "p-ben").title = "mine"
    with two.read() as session:
        assert session.scalar(select(func.count()).select_from(UniverseRow)) == 2


def test_the_program_acts_for_all_within_a_users_transaction(two: Database) -> None:
    with two.write("ada") as session:
        with as_system(session):
            session.execute(update(PostRow).values(likes=PostRow.likes + 1))
            assert session.scalar(select(func.count()).select_from(UniverseRow)) == 2
        session.execute(update(PostRow).values(title="mine"))
        assert session.scalar(select(func.count()).select_from(UniverseRow)) == 1
    with two.read() as session:
        assert session.execute(select(PostRow.title, PostRow.likes).order_by(PostRow.id)).all() == [
            ("mine", 1),
            ("t", 1),
        ]


def test_postgresql_says_the_same_of_plain_sql(two: Database) -> None:
    if two.backend != "postgresql":
        pytest.skip("row-level security is PostgreSQL's")
    with two.write("ada") as session:
        assert session.execute(text("SELECT id FROM universes")).all() == [("u-ada",)]
        assert session.execute(text("UPDATE posts SET title = 'x'")).rowcount == 1
        with pytest.raises(ProgrammingError, match="row-level security"), session.begin_nested():
            session.execute(text("INSERT INTO watch_list (owner_id, symbol, added_at) VALUES ('ben', '005930', now())"))
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text("SELECT * FROM users"))
    with two.read() as session:  # the role ended with the transaction, though the connection is the same
        assert len(session.execute(text("SELECT id FROM universes")).all()) == 2


PROGRAM_ONLY = {
    "board_buckets",
    "board_entries",
    "notices",
    "owners",
    "popular_posts",
    "publication_marks",
    "rate_windows",
    "search_documents",
    "workers",
}


def test_what_the_program_writes_users_only_read(two: Database) -> None:
    """Whatever table a user's session has no rows of its own in: boards, notices, what the scheduler keeps."""
    if two.backend != "postgresql":
        pytest.skip("privileges are PostgreSQL's")
    covered = covered_tables()
    written = covered.private | covered.authored | set(covered.children)
    read_only = set(Base.metadata.tables) - written - covered.unseen
    assert read_only >= PROGRAM_ONLY
    with two.write("ada") as session:
        for table in sorted(read_only):
            first = Base.metadata.tables[table].columns.keys()[0]
            session.execute(text(f"SELECT * FROM {table}"))
            for statement in (
                f"INSERT INTO {table} DEFAULT VALUES",
                f"UPDATE {table} SET {first} = {first}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
            ):
                with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
                    session.execute(text(statement))
        for table in sorted(written):
            session.execute(text(f"DELETE FROM {table}"))  # of others nothing: their rows do not exist for her
    with two.read() as session:
        assert session.scalars(select(PostRow.id)).all() == ["p-ben"]


def test_what_goes_wrong_for_the_program_is_told_as_it_was(two: Database) -> None:
    with pytest.raises(IntegrityError, match=r"(?i)unique"), two.write("ada") as session, as_system(session):
        session.execute(text("INSERT INTO owners (id, name, created_at) VALUES ('ben', 'x', '2026-11-18')"))
    with pytest.raises(ZeroDivisionError), two.write("ada") as session, as_system(session):
        _ = 1 / 0
    with two.write("ada") as session:
        with pytest.raises(IntegrityError), session.begin_nested(), as_system(session):
            session.execute(text("INSERT INTO owners (id, name, created_at) VALUES ('ben', 'x', '2026-11-18')"))
        with pytest.raises(ZeroDivisionError), as_system(session):
            _ = 1 / 0
        assert session.scalars(select(UniverseRow.id)).all() == ["u-ada"]  # confined again
        if two.backend == "postgresql":
            assert session.scalars(text("SELECT id FROM universes")).all() == ["u-ada"]
