"""Threads: nesting, paging, deleting, and counters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from community_home import NOON, comment, counting, post
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from stocklab.community import MAX_DEPTH, Comments, Likes, Posts, Refusal, RefusalCode, Threads
from stocklab.db import CommentRow, Database, PublicationRow


def bodies(people: Database, post_id: str, **more: object) -> list[tuple[int, str]]:
    return [(one.depth, one.body) for one in Threads(people).page("eve", post_id=post_id, **more).comments]


def test_answers_stand_below_what_they_answer(people: Database) -> None:
    post_id = post(people, "ada", "t")
    first = comment(people, "ada", "1", post_id=post_id, minutes=1)
    second = comment(people, "ben", "2", post_id=post_id, minutes=2)
    comment(people, "eve", "2.1", post_id=post_id, parent_id=second, minutes=3)
    answer = comment(people, "ben", "1.1", post_id=post_id, parent_id=first, minutes=4)
    comment(people, "ada", "1.2", post_id=post_id, parent_id=first, minutes=5)
    comment(people, "ada", "1.1.1", post_id=post_id, parent_id=answer, minutes=6)
    assert bodies(people, post_id) == [(0, "1"), (1, "1.1"), (2, "1.1.1"), (1, "1.2"), (0, "2"), (1, "2.1")]
    assert Posts(people).get("ada", post_id).comments == 6


def test_a_thread_nests_so_deep_and_no_deeper(people: Database) -> None:
    post_id = post(people, "ada", "t")
    parent = None
    for number in range(12):
        parent = comment(
            people, ("ada", "ben")[number % 2], str(number), post_id=post_id, parent_id=parent, minutes=number
        )
    assert bodies(people, post_id) == [(min(number, MAX_DEPTH), str(number)) for number in range(12)]


# who answers whom (an index modulo those there are), who deletes what
steps = st.lists(st.tuples(st.sampled_from(["say", "answer", "delete"]), st.integers(0, 99)), max_size=18)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_a_thread_is_a_walk_over_the_tree(people: Database, moves: list[tuple[str, int]]) -> None:
    """Against a tree kept by hand: a deleted comment stays, without words, exactly while something is below it."""
    with people.write() as session:
        session.execute(text("DELETE FROM posts"))
        session.execute(text("DELETE FROM rate_windows"))
    post_id = post(people, "ada", "t")
    children: dict[str | None, list[str]] = {None: []}
    parents: dict[str, str | None] = {}
    gone: set[str] = set()
    words: dict[str, str] = {}
    for number, (what, pick) in enumerate(moves):
        alive = [one for one in parents if one not in gone]
        if what != "say" and not alive:
            continue
        target = alive[pick % len(alive)] if what != "say" else None
        if what == "delete":
            assert target is not None
            Comments(people).delete("ada", target)
            gone.add(target)
            while target is not None and target in gone and not children[target]:
                above = parents.pop(target)
                children[above].remove(target)
                gone.discard(target)
                target = above
            continue
        made = comment(people, "ada", f"w{number}", post_id=post_id, parent_id=target, minutes=number / 9)
        while target is not None and _depth(parents, target) >= MAX_DEPTH:
            target = parents[target]
        parents[made], words[made] = target, f"w{number}"
        children[made] = []
        children[target].append(made)

    def walk(node: str | None) -> list[tuple[int, str]]:
        found = []
        for child in children[node]:
            found.append((_depth(parents, child), "" if child in gone else words[child]))
            found += walk(child)
        return found

    assert bodies(people, post_id, limit=100) == walk(None)
    assert Posts(people).get("ada", post_id).comments == len(parents) - len(gone)


def _depth(parents: dict[str, str | None], node: str) -> int:
    above = parents[node]
    return 0 if above is None else 1 + _depth(parents, above)


def test_a_long_thread_is_paged_in_two_statements(people: Database) -> None:
    post_id = post(people, "ada", "t")
    for number in range(25):
        comment(people, ("ada", "ben", "eve")[number % 3], str(number), post_id=post_id, minutes=number)
    with counting(people) as sent:
        first = Threads(people).page("ada", post_id=post_id)
    assert len(sent) == 2
    rest = Threads(people).page("ada", post_id=post_id, after=first.after)
    assert [one.body for one in (*first.comments, *rest.comments)] == [str(number) for number in range(25)]
    assert rest.after is None


def test_only_the_writer_changes_it(people: Database) -> None:
    post_id = post(people, "ada", "t")
    made = comment(people, "ada", "old", post_id=post_id)
    for attempt in (
        lambda: Comments(people).edit("ben", made, "x"),
        lambda: Comments(people).delete("ben", made),
        lambda: Comments(people).edit("ada", "nothing", "x"),
    ):
        with pytest.raises(Refusal) as refusal:
            attempt()
        assert refusal.value.code is RefusalCode.NOT_FOUND
    Comments(people).edit("ada", made, "new", now=NOON + timedelta(minutes=1))
    (found,) = Threads(people).page("ben", post_id=post_id).comments
    assert (found.body, found.edited_at) == ("new", NOON + timedelta(minutes=1))


def test_nothing_is_said_where_nothing_is(people: Database) -> None:
    post_id, other = post(people, "ada", "t"), post(people, "ada", "u", minutes=1)
    made = comment(people, "ada", "x", post_id=post_id)
    for where in ({"post_id": "nothing"}, {"post_id": other, "parent_id": made}, {"publication_id": "nothing"}):
        with pytest.raises(Refusal) as refusal:
            comment(people, "ben", "y", **where)
        assert refusal.value.code is RefusalCode.NOT_FOUND
    Posts(people).delete("ada", post_id)
    with pytest.raises(Refusal):
        comment(people, "ben", "y", post_id=post_id)
    with pytest.raises(ValueError, match="Name a post"):
        comment(people, "ben", "y")


def test_the_same_is_not_said_twice_in_a_row(people: Database) -> None:
    post_id, other = post(people, "ada", "t"), post(people, "ada", "u", minutes=1)
    comment(people, "ben", "맞아요", post_id=post_id)
    with pytest.raises(Refusal) as refusal:
        comment(people, "ben", " 맞아요 ", post_id=post_id, minutes=1)
    assert refusal.value.code is RefusalCode.DUPLICATE
    comment(people, "eve", "맞아요", post_id=post_id, minutes=1)
    comment(people, "ben", "맞아요", post_id=other, minutes=1)
    comment(people, "ben", "맞아요", post_id=post_id, minutes=11)


def test_a_publication_has_a_thread_and_counts_it(people: Database) -> None:
    with people.write() as session:
        values = {
            "version": 1,
            "name": "n",
            "fingerprint": "f" * 64,
            "visibility": "public",
            "metrics": {},
            "curve": {},
        }
        session.add(PublicationRow(id="pub", owner_id="ada", **values))
    made = comment(people, "ben", "x", publication_id="pub")
    comment(people, "ada", "y", publication_id="pub", parent_id=made, minutes=1)
    Comments(people).delete("ben", made)
    (gone, kept) = Threads(people).page("eve", publication_id="pub").comments
    assert (gone.is_deleted, gone.body, gone.author) == (True, "", None)
    assert (kept.body, kept.depth) == ("y", 1)
    with people.read() as session:
        assert session.scalar(select(PublicationRow.comments)) == 1


def test_a_comment_is_liked_once(people: Database) -> None:
    post_id = post(people, "ada", "t")
    made = comment(people, "ada", "x", post_id=post_id)
    likes = Likes(people)
    assert [likes.like_comment("ben", made, now=NOON) for _ in range(2)] == [True, False]
    assert likes.like_comment("eve", made, now=NOON)
    assert [likes.like_comment("eve", made, liked=False, now=NOON) for _ in range(2)] == [True, False]
    (found,) = Threads(people).page("ben", post_id=post_id).comments
    assert (found.likes, found.is_liked) == (1, True)
    with people.read() as session:
        assert session.scalar(select(CommentRow.likes)) == 1
