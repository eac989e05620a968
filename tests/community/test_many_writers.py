"""Fifty people at once: nothing is lost, nothing is counted twice, nobody is told of a lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from community_home import NOON, comment, post
from sqlalchemy import func, select

from stocklab.community import Comments, Likes, Posts, Refusal, Threads, Views
from stocklab.db import Database, OwnerRow, PopularPostRow, PostLikeRow

CROWD = [f"u{number}" for number in range(50)]


def at_once(do: Callable[[str], object]) -> list[object]:
    with ThreadPoolExecutor(len(CROWD)) as pool:
        return list(pool.map(do, CROWD))


def test_counters_are_exact_under_fifty_writers(people: Database) -> None:
    with people.write() as session:
        session.add_all(OwnerRow(id=who, name=who) for who in CROWD)
    post_id = post(people, "ada", "t")
    root = comment(people, "ada", "root", post_id=post_id)
    likes, views = Likes(people), Views(people)

    def busy(who: str) -> list[bool]:
        did = [likes.like_post(who, post_id, now=NOON) for _ in range(2)]
        if int(who[1:]) % 2:
            did += [likes.like_post(who, post_id, liked=False, now=NOON) for _ in range(2)]
        did += [likes.like_comment(who, root, now=NOON), views.see(who, post_id, now=NOON)]
        made = comment(people, who, f"from {who}", post_id=post_id, parent_id=root)
        if int(who[1:]) % 5 == 0:
            Comments(people).delete(who, made)
        return did

    for who, did in zip(CROWD, at_once(busy), strict=True):
        odd = int(who[1:]) % 2
        assert did == [True, False, *([True, False] if odd else []), True, True]
    found = Posts(people).get("ada", post_id)
    assert (found.likes, found.views, found.comments) == (25, 50, 41)
    page = Threads(people).page("ada", post_id=post_id, limit=100)
    assert page.comments[0].likes == 50
    assert len(page.comments) == 41
    with people.read() as session:
        assert session.scalar(select(func.count()).select_from(PostLikeRow)) == 25
        assert session.scalars(select(PopularPostRow.likes)).all() == [25, 25, 25]


def test_of_two_that_post_the_same_at_once_one_does(people: Database) -> None:
    def attempt(_who: str) -> bool:
        try:
            post(people, "ada", "same", "same")
        except Refusal:
            return False
        return True

    assert sum(map(bool, at_once(attempt))) == 1


def test_an_answer_and_the_deletion_of_what_it_answers_take_turns(people: Database) -> None:
    """Whichever is first: an answer is never taken along by a deletion that did not see it."""
    with people.write() as session:
        session.add_all(OwnerRow(id=who, name=who) for who in CROWD)
    post_id = post(people, "ada", "t")
    target = comment(people, "ada", "x", post_id=post_id)

    def act(who: str) -> bool:
        if who == "u25":
            Comments(people).delete("ada", target)
            return False
        try:
            comment(people, who, f"to {who}", post_id=post_id, parent_id=target)
        except Refusal:
            return False
        return True

    answered = sum(map(bool, at_once(act)))
    shown = Threads(people).page("ada", post_id=post_id, limit=100).comments
    assert sum(not one.is_deleted for one in shown) == answered
    assert Posts(people).get("ada", post_id).comments == answered
