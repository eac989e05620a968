"""Reports, hiding and bans, and who may do what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from community_home import NOON, comment, post

from stocklab.community import (
    Comments,
    Likes,
    Moderation,
    PostLists,
    Posts,
    Reason,
    Refusal,
    RefusalCode,
    SubjectKind,
    Threads,
    is_admin,
)
from stocklab.db import LOCAL_OWNER_ID, Database
from stocklab.operations.audit import AuditLog

LATER = NOON + timedelta(days=1)


def refused(code: RefusalCode):
    return pytest.raises(Refusal, check=lambda error: error.code is code)


def test_who_is_an_admin(people: Database) -> None:
    assert [is_admin(people, who) for who in ("root", "ada", "nobody", LOCAL_OWNER_ID)] == [True, False, False, True]


def test_a_report_waits_in_the_queue_until_it_is_decided(people: Database) -> None:
    first, second = post(people, "ada", "spam", "b"), post(people, "ada", "fine", "b", minutes=1)
    said = comment(people, "ada", "rude", post_id=first)
    moderation = Moderation(people)
    assert moderation.report("ben", SubjectKind.POST, first, Reason.SPAM, note="<b>look</b>", now=NOON)
    assert not moderation.report("ben", SubjectKind.POST, first, Reason.ABUSE, now=NOON)
    assert moderation.report("eve", SubjectKind.POST, first, Reason.FRAUD, now=LATER)
    assert moderation.report("eve", SubjectKind.COMMENT, said, Reason.ABUSE, now=NOON + timedelta(hours=1))
    assert moderation.report("eve", SubjectKind.POST, second, Reason.OTHER, now=LATER)
    with refused(RefusalCode.NOT_FOUND):
        moderation.report("eve", SubjectKind.PUBLICATION, "nothing", Reason.OTHER, now=NOON)
    page = moderation.queue("root", limit=2)
    assert [(one.kind, one.id, one.reports, one.reasons) for one in page.subjects] == [
        (SubjectKind.POST, first, 2, ("fraud", "spam")),
        (SubjectKind.COMMENT, said, 1, ("abuse",)),
    ]
    assert page.subjects[0].notes == ("<b>look</b>",)
    assert [one.id for one in moderation.queue("root", after=page.after).subjects] == [second]
    moderation.hide("root", SubjectKind.POST, first, now=LATER)
    moderation.hide("root", SubjectKind.COMMENT, said, now=LATER)
    moderation.dismiss("root", SubjectKind.POST, second, now=LATER)
    assert moderation.queue("root").subjects == ()
    assert [entry.action for entry in AuditLog(people).page()] == [
        *("community.dismiss", "community.hide", "community.hide"),
    ]


def test_what_is_hidden_only_its_writer_and_admins_read(people: Database) -> None:
    hidden = post(people, "ada", "hidden")
    moderation, lists = Moderation(people), PostLists(people)
    moderation.hide("root", SubjectKind.POST, hidden)
    assert [one.id for one in lists.newest("ben").posts] == []
    assert [one.is_hidden for one in lists.newest("ada", mine=True).posts] == [True]
    assert Posts(people).get("ada", hidden).is_hidden
    assert Posts(people).get("root", hidden).is_hidden
    for attempt in (
        lambda: Posts(people).get("ben", hidden),
        lambda: Likes(people).like_post("ben", hidden, now=NOON),
        lambda: comment(people, "ben", "x", post_id=hidden),
    ):
        with refused(RefusalCode.NOT_FOUND):
            attempt()
    moderation.unhide("root", SubjectKind.POST, hidden)
    assert not Posts(people).get("ben", hidden).is_hidden


def test_a_hidden_comment_keeps_its_place_without_words_or_name(people: Database) -> None:
    post_id = post(people, "ada", "t")
    said = comment(people, "ben", "rude", post_id=post_id)
    Moderation(people).hide("root", SubjectKind.COMMENT, said)
    (found,) = Threads(people).page("eve", post_id=post_id).comments
    assert (found.body, found.author, found.is_hidden) == ("", None, True)
    with refused(RefusalCode.NOT_FOUND):
        comment(people, "eve", "x", post_id=post_id, parent_id=said)


def test_a_banned_user_writes_nothing_until_the_ban_ends(people: Database) -> None:
    mine = post(people, "ada", "mine")
    other = post(people, "ben", "other")
    said = comment(people, "ada", "x", post_id=other)
    moderation = Moderation(people)
    moderation.ban("root", "ada", LATER)
    for attempt in (
        lambda: post(people, "ada", "new", minutes=1),
        lambda: Posts(people).edit("ada", mine, title="t", body="b", now=NOON),
        lambda: comment(people, "ada", "new", post_id=other, minutes=1),
        lambda: Comments(people).edit("ada", said, "y", now=NOON),
        lambda: Likes(people).like_post("ada", other, now=NOON),
        lambda: Likes(people).like_comment("ada", said, now=NOON),
        lambda: moderation.report("ada", SubjectKind.POST, other, Reason.SPAM, now=NOON),
    ):
        with refused(RefusalCode.BANNED):
            attempt()
    Comments(people).delete("ada", said)  # taking words back is always allowed
    assert Threads(people).page("ben", post_id=other).comments == ()
    later = post(people, "ada", "new", minutes=24 * 60 + 1)
    assert Posts(people).get("ben", later).author == Posts(people).get("ben", mine).author
    moderation.ban("root", "ada", None)
    post(people, "ada", "newer", minutes=2)


def test_an_unnamed_writer_is_banned_without_being_named(people: Database) -> None:
    hidden = post(people, "ada", "t", is_anonymous=True)
    Moderation(people).ban_author("root", SubjectKind.POST, hidden, LATER)
    with refused(RefusalCode.BANNED):
        post(people, "ada", "u", minutes=1)
    (entry,) = AuditLog(people).page()
    assert "ada" not in repr(entry)


def test_members_decide_nothing_and_admins_are_not_banned(people: Database) -> None:
    post_id = post(people, "ada", "t")
    moderation = Moderation(people)
    for attempt in (
        lambda: moderation.queue("ben"),
        lambda: moderation.hide("ben", SubjectKind.POST, post_id),
        lambda: moderation.unhide("ben", SubjectKind.POST, post_id),
        lambda: moderation.dismiss("ben", SubjectKind.POST, post_id),
        lambda: moderation.ban("ben", "ada", LATER),
        lambda: moderation.ban_author("ben", SubjectKind.POST, post_id, LATER),
    ):
        with refused(RefusalCode.ADMINS_ONLY):
            attempt()
    with refused(RefusalCode.NOT_FOUND):
        moderation.ban("root", "root", LATER)
    with refused(RefusalCode.NOT_FOUND):
        moderation.hide("root", SubjectKind.POST, "nothing")
    assert not Posts(people).get("ben", post_id).is_hidden
