"""Posts: writing, lists, boards, cards, and that an unnamed writer stays unnamed."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest
from community_home import NOON, comment, counting, post
from sqlalchemy import select, update

from stocklab.community import (
    Category,
    Draft,
    Likes,
    Moderation,
    Period,
    PostLists,
    Posts,
    Reason,
    Refusal,
    RefusalCode,
    SubjectKind,
    Threads,
    Views,
    begins_on,
    forget_old_windows,
)
from stocklab.db import Database, PopularPostRow, PostRow, PostViewRow, PublicationMarkRow, PublicationRow

HOUR = timedelta(hours=1)
RANDOM_ID = re.compile(r"\b[0-9a-f]{32}\b")
"""An id; by chance its digits spell "ada" now and then."""


def refused(code: RefusalCode):
    return pytest.raises(Refusal, check=lambda error: error.code is code)


def test_a_post_is_read_as_it_was_written(people: Database) -> None:
    post_id = post(people, "ada", "  제목  ", "본문\r\n둘째 줄 ", tags=("#배당", " 배당", "PER"), category=Category.QNA)
    found = Posts(people).get("ben", post_id)
    assert (found.title, found.body, found.tags) == ("제목", "본문\n둘째 줄", ("per", "배당"))
    assert (found.author, found.category, found.created_at) == ("name-of-ada", Category.QNA, NOON)
    assert not found.is_mine
    assert Posts(people).get("ada", post_id).is_mine


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ({"title": " \u200b\n", "body": "b"}, RefusalCode.EMPTY),
        ({"title": "t" * 121, "body": "b"}, RefusalCode.TOO_LONG),
        ({"title": "t", "body": "\u3000 "}, RefusalCode.EMPTY),
        ({"title": "t", "body": "b" * 10_001}, RefusalCode.TOO_LONG),
        ({"title": "t", "body": "b", "tags": ("x" * 31,)}, RefusalCode.TOO_LONG),
        ({"title": "t", "body": "b", "tags": tuple("abcdefghi")}, RefusalCode.TOO_MANY),
        ({"title": "t", "body": "b", "publication_id": "nothing"}, RefusalCode.NOT_FOUND),
    ],
)
def test_what_cannot_be_posted(people: Database, draft: dict[str, object], code: RefusalCode) -> None:
    with refused(code):
        Posts(people).write("ada", Draft(category=Category.FREE, **draft), now=NOON)
    assert PostLists(people).newest("ada").posts == ()


def test_only_the_writer_changes_or_deletes_it(people: Database) -> None:
    post_id = post(people, "ada", "t", "b")
    for attempt in (
        lambda: Posts(people).edit("ben", post_id, title="x", body="x"),
        lambda: Posts(people).delete("ben", post_id),
        lambda: Posts(people).delete("root", post_id),
    ):
        with refused(RefusalCode.NOT_FOUND):
            attempt()
    Posts(people).edit("ada", post_id, title="t2", body="b2", tags=("new",), now=NOON + HOUR)
    found = Posts(people).get("ben", post_id)
    assert (found.title, found.body, found.tags, found.edited_at) == ("t2", "b2", ("new",), NOON + HOUR)
    Posts(people).delete("ada", post_id)
    with refused(RefusalCode.NOT_FOUND):
        Posts(people).get("ada", post_id)
    with people.read() as session:  # its words are gone from the disk as well
        assert session.execute(select(PostRow.title, PostRow.body)).one() == ("", "")


def test_the_same_is_not_posted_twice_within_a_day(people: Database) -> None:
    first = post(people, "ada", "제목", "본문")
    with refused(RefusalCode.DUPLICATE):
        post(people, "ada", "제 목".replace(" ", ""), "  본문 ", minutes=60)
    others = post(people, "ben", "제목", "본문", minutes=61)
    again = post(people, "ada", "제목", "본문", minutes=25 * 60)
    assert [Posts(people).get("eve", each).title for each in {first, others, again}] == ["제목"] * 3


def test_posting_too_fast_says_how_long_to_wait(people: Database) -> None:
    for number in range(10):
        post(people, "ada", f"t{number}", minutes=number)
    with pytest.raises(Refusal) as refusal:
        post(people, "ada", "t10", minutes=10)
    assert (refusal.value.code, refusal.value.wait) == (RefusalCode.TOO_FAST, timedelta(minutes=50))
    post(people, "ben", "t10", minutes=10)
    post(people, "ada", "t10", minutes=60)


def test_lists_are_paged_by_time_and_cost_three_statements(people: Database) -> None:
    ids = [
        post(
            people,
            ("ada", "ben", "eve")[number % 3],
            f"t{number}",
            tags=("odd" if number % 2 else "even",),
            minutes=number,
        )
        for number in range(27)
    ]
    lists = PostLists(people)
    with counting(people) as sent:
        first = lists.newest("ada")
    assert len(sent) == 3
    assert [one.id for one in first.posts] == ids[:6:-1]
    rest = lists.newest("ada", before=first.before)
    assert ([one.id for one in rest.posts], rest.before) == (ids[6::-1], None)
    odd = lists.newest("ada", tag="ODD", limit=5)
    assert [one.id for one in odd.posts] == ids[25:15:-2]
    assert [one.id for one in lists.newest("ada", tag="odd", before=odd.before).posts] == ids[15::-2]
    assert [one.id for one in lists.newest("ben", mine=True).posts] == ids[25::-3]
    with counting(people) as sent:
        lists.popular("ada", Period.DAY, now=NOON)
    assert len(sent) == 1
    with counting(people) as sent:
        found = lists.search("ada", "t1")
    assert len(found.found) == 11
    assert len(sent) <= 5


def test_categories_are_told_apart(people: Database) -> None:
    made = {kind: post(people, "ada", kind.value, category=kind, minutes=n) for n, kind in enumerate(Category)}
    for kind, post_id in made.items():
        assert [one.id for one in PostLists(people).newest("ben", category=kind).posts] == [post_id]


def test_boards_count_likes_of_the_day_week_and_month_in_seoul(people: Database) -> None:
    """Windows end at midnight in Seoul: 15:00 UTC; the week begins on Monday, 16 November 2026."""
    first, second, third = (post(people, "ada", name, minutes=n) for n, name in enumerate("abc"))
    likes = Likes(people)
    midnight = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)
    for who, post_id, at in (
        ("ada", first, midnight - timedelta(seconds=1)),  # yesterday, this week
        ("ben", first, midnight),
        ("ada", second, NOON),
        ("ben", second, NOON),
        ("eve", third, datetime(2026, 11, 15, 14, 59, 59, tzinfo=UTC)),  # last week, this month
        ("ben", third, datetime(2026, 10, 31, 14, 59, 59, tzinfo=UTC)),  # last month
    ):
        assert likes.like_post(who, post_id, now=at)

    def board(period: Period) -> list[tuple[str, int]]:
        return [(one.id, count) for one, count in PostLists(people).popular("eve", period, now=NOON).posts]

    assert board(Period.DAY) == [(second, 2), (first, 1)]
    assert board(Period.WEEK) == [(second, 2), (first, 2)]  # of two alike the newer first
    assert board(Period.MONTH) == [(second, 2), (first, 2), (third, 1)]
    likes.like_post("ben", second, liked=False, now=NOON + HOUR)
    assert board(Period.DAY) == [(second, 1), (first, 1)]
    page = PostLists(people).popular("eve", Period.DAY, now=NOON, limit=1)
    following = PostLists(people).popular("eve", Period.DAY, now=NOON, limit=1, before=page.before)
    assert [one.id for one, _count in (*page.posts, *following.posts)] == [second, first]
    assert following.before is None


@pytest.mark.parametrize(
    ("moment", "day", "week", "month"),
    [
        (datetime(2026, 12, 31, 14, 59, tzinfo=UTC), date(2026, 12, 31), date(2026, 12, 28), date(2026, 12, 1)),
        (datetime(2026, 12, 31, 15, 0, tzinfo=UTC), date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 1)),
    ],
)
def test_windows_begin_in_seoul(moment: datetime, day: date, week: date, month: date) -> None:
    assert [begins_on(period, moment) for period in Period] == [day, week, month]


def test_old_windows_and_views_are_forgotten(people: Database) -> None:
    post_id = post(people, "ada", "t")
    Likes(people).like_post("ben", post_id, now=NOON)
    Views(people).see("ben", post_id, now=NOON)
    assert forget_old_windows(people, NOON + HOUR) == 0
    assert forget_old_windows(people, NOON + timedelta(days=100)) == 4
    with people.read() as session:
        assert (
            session.scalars(select(PopularPostRow.post_id)).all()
            == session.scalars(select(PostViewRow.day)).all()
            == []
        )
    assert Posts(people).get("ada", post_id).views == 1


def test_a_view_counts_once_a_day_and_reading_on_is_free(people: Database) -> None:
    post_id = post(people, "ada", "t")
    views = Views(people)
    assert views.see("ben", post_id, now=NOON)
    with counting(people) as sent:
        assert not views.see("ben", post_id, now=NOON + HOUR)
    assert sent == []
    assert not Views(people).see("ben", post_id, now=NOON + HOUR)  # another process
    assert views.see("eve", post_id, now=NOON)
    assert views.see("ben", post_id, now=NOON + timedelta(days=1))
    assert not views.see("ben", "nothing", now=NOON)
    assert Posts(people).get("ada", post_id).views == 3


def publish(people: Database, **more: object) -> None:
    values = {
        "version": 1,
        "name": "배당 전략",
        "fingerprint": "f" * 64,
        "visibility": "public",
        "metrics": {"cagr": 0.12, "max_drawdown": -0.2, "secret": 1},
        "curve": {},
        "likes": 3,
    }
    with people.write() as session:
        session.add(PublicationRow(id="pub", owner_id="ada", **(values | more)))


def test_a_post_shows_the_strategy_as_it_was_and_as_it_is(people: Database) -> None:
    publish(people)
    post_id = post(people, "ben", "이 전략", category=Category.STRATEGY, publication_id="pub")
    with people.write() as session:
        session.execute(update(PublicationRow).values(likes=9, clones=2))
        for day, equity in ((18, 1.0), (19, 0.9), (20, 1.1)):
            session.add(PublicationMarkRow(publication_id="pub", session=date(2026, 11, day), equity=equity))
    found = Posts(people).get("eve", post_id)
    assert found.card is not None
    assert found.live is not None
    assert (found.card["likes"], found.card["metrics"]) == (3, {"cagr": 0.12, "max_drawdown": -0.2})
    assert (found.live.likes, found.live.clones, found.live.is_withdrawn) == (9, 2, False)
    assert found.live.return_since == pytest.approx(0.1)
    assert found.live.marked_on == date(2026, 11, 20)
    with people.write() as session:
        session.execute(update(PublicationRow).values(withdrawn_at=NOON))
    gone = Posts(people).get("eve", post_id)
    assert gone.card == found.card
    assert gone.live is not None
    assert gone.live.is_withdrawn
    Moderation(people).hide("root", SubjectKind.PUBLICATION, "pub")
    hidden = Posts(people).get("eve", post_id)
    assert (hidden.card, hidden.live) == (None, None)


def test_an_unlisted_strategy_is_shown_by_its_owner_alone(people: Database) -> None:
    publish(people, visibility="unlisted")
    with refused(RefusalCode.NOT_FOUND):
        post(people, "ben", "t", publication_id="pub")
    shown = Posts(people).get("ada", post(people, "ada", "t", publication_id="pub"))
    assert shown.card is not None
    assert shown.card["name"] == "배당 전략"


def test_nothing_a_service_returns_names_an_unnamed_writer(people: Database) -> None:
    """Looked for in all that comes back to others, admins among them; ids are a time and random digits."""
    publish(people)
    post_id = post(people, "ada", "익명 글", tags=("x",), is_anonymous=True, publication_id="pub")
    comment_id = comment(people, "ada", "익명 댓글", post_id=post_id, is_anonymous=True)
    comment(people, "ben", "named", post_id=post_id, minutes=1)
    Likes(people).like_post("ben", post_id, now=NOON)
    moderation = Moderation(people)
    moderation.report("ben", SubjectKind.POST, post_id, Reason.SPAM, note="n", now=NOON)
    moderation.report("ben", SubjectKind.COMMENT, comment_id, Reason.SPAM, now=NOON)
    lists = PostLists(people)
    for reader in ("ben", "root"):
        returned = [
            Posts(people).get(reader, post_id),
            lists.newest(reader),
            lists.newest(reader, tag="x"),
            lists.popular(reader, Period.DAY, now=NOON),
            lists.search(reader, "익명"),
            Threads(people).page(reader, post_id=post_id),
            moderation.queue("root"),
        ]
        words = repr(returned) + repr([asdict(one) for one in returned])
        assert "익명 글" in words
        assert "ada" not in RANDOM_ID.sub("", words)
    thread = Threads(people).page("ben", post_id=post_id).comments
    assert [one.author for one in thread] == [None, "name-of-ben"]
    assert [one.is_mine for one in Threads(people).page("ada", post_id=post_id).comments] == [True, False]
