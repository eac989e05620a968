"""Keyset paging on both databases: every row once, whatever the sort values, and hostile cursors."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from stocklab.db import Database, OwnerRow, UniverseRow
from stocklab.db.paging import Page, read_page
from stocklab.errors import InputError

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def many(database: Database) -> Database:
    """45 universes of Ada, in nine groups of five that changed at the same microsecond; one of Ben."""
    with database.write() as session:
        session.add_all([OwnerRow(id="ada", name="Ada"), OwnerRow(id="ben", name="Ben")])
        session.flush()
        for number in range(45):
            moment = NOON + timedelta(microseconds=number // 5)
            session.add(
                UniverseRow(id=f"u{number:02}", owner_id="ada", name=f"n{number}", document={}, updated_at=moment)
            )
        session.add(UniverseRow(id="x", owner_id="ben", name="n", document={}))
    return database


def page(database: Database, cursor: str | None, *, descending: bool = True, size: int = 20) -> Page[str]:
    with database.read("ada") as session:
        return read_page(
            session,
            select(UniverseRow),
            (UniverseRow.updated_at, UniverseRow.id),
            view=lambda row: str(row.id),
            cursor=cursor,
            size=size,
            descending=descending,
        )


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("size", [1, 7, 9, 45])
def test_pages_together_hold_every_row_once_in_order(many: Database, descending: bool, size: int) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        found = page(many, cursor, descending=descending, size=size)
        seen += found.items
        cursor = found.cursor
        if cursor is None:
            break
        assert len(found.items) == size
    assert seen == sorted((f"u{number:02}" for number in range(45)), reverse=descending)


def test_a_row_that_came_meanwhile_moves_nothing(many: Database) -> None:
    first = page(many, None)
    with many.write("ada") as session:
        session.add(UniverseRow(id="new", owner_id="ada", name="new", document={}, updated_at=NOON + timedelta(days=1)))
    assert page(many, first.cursor).items == tuple(f"u{number:02}" for number in range(24, 4, -1))


def test_rows_of_columns_are_given_without_the_sort_keys(many: Database) -> None:
    with many.read("ada") as session:
        found = read_page(
            session,
            select(UniverseRow.name, UniverseRow.id),
            (UniverseRow.id,),
            view=tuple,
            size=2,
            descending=False,
        )
    assert found.items == (("n0", "u00"), ("n1", "u01"))


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "한글",
        "'; DROP TABLE universes; --",
        "W" * 501,
        encoded({}),
        encoded(["2026-11-20T00:00:00+00:00"]),
        encoded(["2026-11-20T00:00:00", "u"]),
        encoded([1, "u"]),
        encoded(["2026-11-20T00:00:00+00:00", None]),
        encoded(["2026-11-20T00:00:00+00:00", "a\0"]),
        encoded(["2026-11-20T00:00:00+00:00", "\ud800"]),
        encoded(["2026-11-20T00:00:00+00:00", "u", 1]),
    ],
)
def test_a_cursor_that_somebody_made_up_is_refused(many: Database, cursor: str) -> None:
    with pytest.raises(InputError, match="not one of this list"):
        page(many, cursor)


def test_a_cursor_cannot_open_rows_of_others(many: Database) -> None:
    assert page(many, encoded(["9999-12-31T00:00:00+00:00", "zz"]), size=100).items[0] == "u44"
    assert "x" not in page(many, encoded(["9999-12-31T00:00:00+00:00", "zz"]), size=100).items
