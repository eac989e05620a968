"""People who write: accounts, posts and comments through the services, at a moment that is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event

from stocklab.community import Category, Comments, Draft, Posts, Remark
from stocklab.db import Database, OwnerRow, UserRow

NOON = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)  # a Wednesday, noon in Seoul
PEOPLE = ("ada", "ben", "eve")


def settle(database: Database) -> None:
    """Ada, Ben and Eve have accounts; Root is an admin."""
    with database.write() as session:
        session.add_all(OwnerRow(id=who, name=f"name-of-{who}") for who in (*PEOPLE, "root"))
        session.flush()
        session.add_all(account(who) for who in PEOPLE)
        session.add(account("root", role="admin"))


def account(who: str, role: str = "member") -> UserRow:
    return UserRow(
        id=who, email=f"{who}@e.org", email_key=f"{who}@e.org", nickname=f"name-of-{who}", nickname_key=who, role=role
    )


def post(
    database: Database,
    who: str,
    title: str,
    body: str = "body",
    *,
    category: Category = Category.FREE,
    minutes: float = 0,
    **more: object,
) -> str:
    draft = Draft(category=category, title=title, body=body, **more)
    return Posts(database).write(who, draft, now=NOON + timedelta(minutes=minutes))


def comment(database: Database, who: str, body: str, *, minutes: float = 0, **where: object) -> str:
    return Comments(database).write(who, Remark(body=body, **where), now=NOON + timedelta(minutes=minutes))


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """Statements sent within the block; what a session says to begin or to take a role is not one."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "set_config" not in statement and not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
