"""What admins see and do, and that nobody else does; messages and notices; leaving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people import PASSWORD, counted
from sqlalchemy import func, select, update

from stocklab.accounts import LEFT_NAME, Accounts, FeedbackKind, FeedbackState, NoticeLevel, Role, Scope
from stocklab.data.sources.calls import KST
from stocklab.db import (
    ApiTokenRow,
    Base,
    CommentRow,
    Database,
    JobRow,
    JobState,
    OwnerRow,
    PostRow,
    Private,
    StrategyRow,
    UserRow,
)
from stocklab.errors import AccountFault

Join = Any  # of conftest.py


def code_of(work, *given: Any, **named: Any) -> str:
    with pytest.raises(AccountFault) as caught:
        work(*given, **named)
    return caught.value.code


def people(database: Database, count: int, begun: datetime) -> None:
    """Accounts without the cost of a password."""
    with database.write() as session:
        for number in range(count):
            name = f"user{number:03}"
            session.add(OwnerRow(id=name, name=name))
            session.flush()
            session.add(
                UserRow(
                    id=name,
                    email=f"{name}@example.com",
                    email_key=f"{name}@example.com",
                    nickname=name,
                    nickname_key=name,
                    created_at=begun + timedelta(hours=number // 2),  # two of each moment
                )
            )


def test_every_account_is_on_one_page_in_two_statements(accounts: Accounts, join: Join, database: Database) -> None:
    admin = join("admin1")
    people(database, 45, datetime(2026, 1, 1, tzinfo=UTC))
    seen: list[str] = []
    after = None
    for size in (20, 20, 6):
        with counted(database) as sent:
            page = accounts.administration.page(admin.id, after=after)
        assert (len(page.users), len(sent)) == (size, 2)
        seen += [user.id for user in page.users]
        after = page.following
    assert after is None
    assert len(set(seen)) == 46
    assert seen[0] == admin.id
    assert seen[1:] == [f"user{number:03}" for number in reversed(range(45))]


def test_search_is_by_the_beginning_and_takes_nothing_for_a_pattern(
    accounts: Accounts, join: Join, database: Database
) -> None:
    admin = join("admin1")
    people(database, 12, datetime(2026, 1, 1, tzinfo=UTC))
    find = accounts.administration.page
    assert [user.id for user in find(admin.id, search=" USER01").users] == ["user011", "user010"]
    assert [user.id for user in find(admin.id, search="user003@ex").users] == ["user003"]
    for nothing in ("%", "_ser", "' OR 1=1 --", "ser0"):
        assert find(admin.id, search=nothing).users == ()


def test_nobody_but_an_admin_does_anything(accounts: Accounts, join: Join) -> None:
    admin, member = join("admin1"), join("member1")
    administration, moment = accounts.administration, datetime.now(UTC)
    for refused in (
        administration.page,
        lambda who: administration.get(who, admin.id),
        administration.activity,
        lambda who: administration.set_active(who, admin.id, active=False),
        lambda who: administration.ban(who, admin.id, until=moment),
        lambda who: administration.set_role(who, member.id, Role.ADMIN),
        lambda who: administration.set_plan(who, member.id, "pro"),
        lambda who: administration.reset_token(who, admin.id),
        lambda who: administration.drop_second_factor(who, admin.id),
        accounts.feedback.inbox,
        lambda who: accounts.feedback.answer(who, "x", "y"),
        lambda who: accounts.notices.save(who, title="t", body="b"),
        accounts.notices.all,
        lambda who: accounts.notices.remove(who, "x"),
    ):
        for who in (member.id, "nobody", ""):
            assert code_of(refused, who) == "not_admin"
    assert accounts.users.get(member.id).role is Role.MEMBER


def test_an_admin_cannot_lock_out_or_demote_oneself_but_others(accounts: Accounts, join: Join) -> None:
    admin, other = join("admin1"), join("other1")
    administration = accounts.administration
    assert code_of(administration.set_role, admin.id, admin.id, Role.MEMBER) == "not_oneself"
    assert code_of(administration.set_active, admin.id, admin.id, active=False) == "not_oneself"
    assert code_of(administration.ban, admin.id, admin.id, until=datetime.now(UTC)) == "not_oneself"
    administration.set_role(admin.id, other.id, Role.ADMIN)
    administration.set_role(other.id, admin.id, Role.MEMBER)
    assert code_of(administration.page, admin.id) == "not_admin"
    assert code_of(administration.set_plan, other.id, admin.id, "no such") == "unknown_plan"
    assert code_of(administration.get, other.id, "no such") == "unknown_account"


def test_figures_by_day_in_seoul(accounts: Accounts, join: Join, database: Database) -> None:
    admin, kim = join("admin1"), join("kim")
    midnight = datetime(2026, 11, 20, 15, tzinfo=UTC)  # 21 November in Seoul
    with database.write() as session:
        session.execute(update(UserRow).values(created_at=midnight - timedelta(seconds=1)))
        session.execute(update(UserRow).where(UserRow.id == kim.id).values(created_at=midnight))
        for number, (kind, at) in enumerate(
            [("backtest", midnight), ("backtest", midnight + timedelta(hours=23)), ("sweep", midnight)]
        ):
            session.add(
                JobRow(
                    id=str(number),
                    owner_id=kim.id,
                    kind=kind,
                    state=JobState.COMPLETED,
                    order_document={},
                    worker="w",
                    heartbeat_at=at,
                    created_at=at,
                )
            )
    for who, at in ((kim, midnight), (kim, midnight + timedelta(hours=5)), (admin, midnight)):
        accounts.sessions.begin(who.id, address="", agent="", confirmed=False, now=at)
    last = (midnight + timedelta(days=1)).astimezone(KST).date()
    with counted(database) as sent:
        days = accounts.administration.activity(admin.id, days=4, today=last)
    assert [(day.day.isoformat(), day.new_users, day.active_users, day.backtests) for day in days] == [
        ("2026-11-22", 0, 0, 0),
        ("2026-11-21", 1, 2, 2),
        ("2026-11-20", 1, 0, 0),
        ("2026-11-19", 0, 0, 0),
    ]
    assert len(sent) == 4


def test_messages_reach_the_inbox_and_answers_their_writer_alone(
    accounts: Accounts, join: Join, database: Database
) -> None:
    admin, kim, eve = join("admin1"), join("kim"), join("eve")
    feedback = accounts.feedback
    first = feedback.send(kim.id, FeedbackKind.FAULT, " <b>broken</b>\0 ", page="results")
    for number in range(24):
        feedback.send(eve.id, FeedbackKind.WISH, f"wish {number}")
    assert [message.body for message in feedback.mine(kim.id)] == ["<b>broken</b>"]
    with counted(database) as sent:
        page = feedback.inbox(admin.id)
    assert (len(page.messages), len(sent)) == (20, 2)
    rest = feedback.inbox(admin.id, after=page.following)
    assert (len(rest.messages), rest.following, rest.messages[-1].author) == (5, None, "kim")
    feedback.answer(admin.id, first, "fixed")
    feedback.answer(admin.id, page.messages[0].id, None)
    assert [(one.state, one.answer) for one in feedback.mine(kim.id)] == [(FeedbackState.ANSWERED, "fixed")]
    assert len(feedback.inbox(admin.id, state=FeedbackState.CLOSED).messages) == 1
    assert all(one.id != first for one in feedback.mine(eve.id))
    for body in ("", "  ", "x" * 4001):
        assert code_of(feedback.send, kim.id, FeedbackKind.OTHER, body) == "feedback_length"


def test_notices_are_shown_within_their_days_until_put_away(accounts: Accounts, join: Join) -> None:
    admin, kim = join("admin1"), join("kim")
    now = datetime.now(UTC)
    notices = accounts.notices
    shown = notices.save(admin.id, title="Now", body="x", level=NoticeLevel.WARNING)
    notices.save(
        admin.id, title="Past", body="", shown_from=now - timedelta(days=2), shown_until=now - timedelta(days=1)
    )
    later = notices.save(admin.id, title="Later", body="", shown_from=now + timedelta(days=1))
    assert [one.title for one in notices.current(kim.id)] == ["Now"]
    assert [one.title for one in notices.current(kim.id, now + timedelta(days=2))] == ["Later", "Now"]
    notices.put_away(kim.id, shown)
    notices.put_away(kim.id, shown)
    assert notices.current(kim.id) == ()
    assert [one.title for one in notices.current(admin.id)] == ["Now"]
    notices.save(admin.id, title="Sooner", body="", shown_from=now, notice_id=later)
    assert [one.title for one in notices.current(kim.id)] == ["Sooner"]
    notices.remove(admin.id, later)
    assert len(notices.all(admin.id)) == 2
    assert code_of(notices.put_away, kim.id, "no such") == "unknown_notice"
    assert code_of(notices.save, admin.id, title="", body="") == "notice_length"
    assert code_of(notices.save, admin.id, title="t", body="", shown_from=now, shown_until=now) == "notice_days"


def test_leaving_takes_everything_private_along_and_leaves_threads_whole(
    accounts: Accounts, join: Join, database: Database
) -> None:
    admin, kim = join("admin1"), join("kim", phone="010-1234-5678")
    accounts.second_factor.begin(kim.id)
    token = accounts.sessions.begin(kim.id, address="", agent="", confirmed=False)
    accounts.tokens.create(kim.id, "x", [Scope.RUNS_READ], days=1)
    accounts.resets.begin(kim.id, by=None)
    accounts.feedback.send(kim.id, FeedbackKind.WISH, "w")
    now = datetime.now(UTC)
    with database.write(kim.id) as session:
        session.add(StrategyRow(id="s", owner_id=kim.id, name="n", document={}, fingerprint="f", tags=[]))
        session.add(PostRow(id="p", owner_id=kim.id, category="free", title="hello", body="words", created_at=now))
        session.flush()
        session.add(CommentRow(id="c", owner_id=kim.id, post_id="p", path="1", body="mine", created_at=now))
    with database.write(admin.id) as session:
        session.add(
            CommentRow(id="r", owner_id=admin.id, post_id="p", parent_id="c", path="1.1", body="reply", created_at=now)
        )
    taken_back: list[str] = []
    assert code_of(accounts.leaving.leave, kim.id, "wrong horse", take_back=taken_back.append) == "password_wrong"
    assert code_of(accounts.leaving.leave, admin.id, PASSWORD, take_back=taken_back.append) == "last_admin"
    assert taken_back == []
    accounts.leaving.leave(kim.id, PASSWORD)
    assert accounts.sessions.by_token(token) is None
    with database.read() as session:
        for mapper in Base.registry.mappers:
            if issubclass(mapper.class_, Private):
                assert session.scalar(select(func.count()).where(mapper.class_.owner_id == kim.id)) == 0, mapper
        assert session.get(UserRow, kim.id) is None
        assert session.scalar(select(func.count()).select_from(ApiTokenRow)) == 0
        owner = session.get_one(OwnerRow, kim.id)
        assert (owner.name, owner.left_at is not None) == (LEFT_NAME, True)
        post, comment, reply = (
            session.get_one(PostRow, "p"),
            session.get_one(CommentRow, "c"),
            session.get_one(CommentRow, "r"),
        )
        assert (post.deleted_at, comment.deleted_at) == (None, None)
        assert (post.body, comment.body) == ("words", "mine")
        assert (reply.body, reply.deleted_at) == ("reply", None)
    assert join("kim", phone="010-1234-5678").id != kim.id  # the names are free again
