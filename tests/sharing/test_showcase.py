"""The public list: searched by factor and word, sorted, page by page, with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from stocklab.db import Database, PublicationRow
from stocklab.errors import InputError
from stocklab.sharing import Clones, Likes, Showcase, Wish
from stocklab.strategy import Strategy

Make = Callable[..., Strategy]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Every SQL statement within the block that asks or changes rows."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith(("BEGIN", "SELECT set_config", "PRAGMA")):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def many(home: Any, strategy: Make) -> list[str]:
    """45 publications of Ada, a minute apart, the oldest first; every third uses roe too. Ties in likes."""
    made = []
    for number in range(45):
        formula = "(per<10)&(roe>5)" if number % 3 == 0 else "per<10"
        document = strategy(f"전략 {number:02d}", formula)
        saved = home.strategies.save("ada", document)
        home.run("ada", document)
        when = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)
        made.append(home.publications.publish("ada", Wish(strategy_id=saved.id), now=when))
    with home.database.write() as session:
        for number, one in enumerate(made):
            session.execute(update(PublicationRow).where(PublicationRow.id == one).values(likes=number // 10))
    return made


def walk(showcase: Showcase, **how: Any) -> list[str]:
    """Ids of every page."""
    found: list[str] = []
    after = None
    while True:
        page = showcase.list("ben", after=after, **how)
        found += [one.id for one in page.items]
        assert len(page.items) <= 20
        after = page.after
        if after is None:
            return found


def test_the_pages_of_the_list_join_to_the_whole(home: Any, many: list[str]) -> None:
    showcase = Showcase(home.database)
    assert walk(showcase) == many[::-1]
    liked = walk(showcase, sort="likes")
    assert liked == [one for _, one in sorted(((n // 10, one) for n, one in enumerate(many)), reverse=True)]
    assert walk(showcase, sort="clones") == sorted(many, reverse=True)
    assert walk(showcase, factors=["roe"]) == many[::3][::-1]
    assert walk(showcase, factors=["roe", "per"], search="전략 0") == [many[9], many[6], many[3], many[0]]
    assert walk(showcase, factors=["pbr"]) == walk(showcase, search="100%") == []


def test_nonsense_in_a_search_is_refused_in_words(home: Any) -> None:
    showcase = Showcase(home.database)
    for after in ("", "~", "x~y", "2026-11-01", "'; DROP TABLE publications--"):
        with pytest.raises(InputError, match="a place in this list"):
            showcase.list("ben", after=after)
    with pytest.raises(InputError, match="at most 80"):
        showcase.list("ben", search="x" * 81)
    with pytest.raises(InputError, match="5 factors"):
        showcase.list("ben", factors=list("abcdef"))
    assert showcase.list("ben", search="%' OR 1=1 --").items == ()
    assert showcase.list("ben", search="%").items == ()


def test_words_are_found_in_any_case_and_width(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy("Low PER 가치 100%"))
    showcase = Showcase(home.database)
    for search in ("low per", "ＰＥＲ", "가치", "치", "100%", "  per   가치 ", "w"):
        assert [one.id for one in showcase.list("ben", search=search).items] == [made], search
    for search in ("high", "가격", "치가"):
        assert showcase.list("ben", search=search).items == (), search


def test_a_list_costs_the_same_number_of_statements_however_long(home: Any, many: list[str]) -> None:
    showcase = Showcase(home.database)
    for read, most in (
        (lambda: showcase.list("ben", factors=["per"], search="전략"), 4),
        (lambda: showcase.list("ben", sort="likes"), 2),
        (lambda: showcase.mine("ada"), 2),
        (lambda: showcase.get("ben", many[0]), 4),
        (lambda: Clones(home.database).family("ben", many[0]), 2),
    ):
        with statements(home.database) as seen:
            read()
        assert len(seen) == most


def test_ones_own_list_can_be_of_one_strategy(home: Any, strategy: Make) -> None:
    home.publish("ada", strategy("A"))
    second = home.publish("ada", strategy("B"))
    saved = next(one for one in home.strategies.list("ada") if one.name == "B")
    found = Showcase(home.database).mine("ada", strategy_id=saved.id).items
    assert [one.id for one in found] == [second]
    assert Showcase(home.database).mine("ben", strategy_id=saved.id).items == ()


def test_a_like_shows_to_whom_it_belongs(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    likes, showcase = Likes(home.database), Showcase(home.database)
    assert [likes.like("ben", made), likes.like("ben", made), likes.like("cho", made)] == [True, False, True]
    assert (showcase.get("ben", made).liked, showcase.get("ada", made).liked) == (True, False)
    assert showcase.get("ada", made).likes == 2
    assert [likes.unlike("ben", made), likes.unlike("ben", made)] == [True, False]
    assert (showcase.get("ben", made).liked, showcase.get("ben", made).likes) == (False, 1)
