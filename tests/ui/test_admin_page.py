"""The page of admins: accounts, figures, plans, messages, reports and notices; and who is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from house import House
from streamlit.testing.v1 import AppTest

from stocklab.accounts import FeedbackKind, Role, Standing
from stocklab.community import Category, Draft, Moderation, Posts, Reason, SubjectKind

SECTIONS = ("people", "figures", "plans", "inbox", "reports", "notices")


def said(page: AppTest) -> str:
    assert not page.exception
    kinds = ("title", "subheader", "markdown", "caption", "text", "error", "warning", "info", "success")
    text = [str(part.value) for kind in kinds for part in getattr(page, kind)]
    return "\n".join([*text, *(str(part.proto.body) for part in page.get("html"))])


@pytest.mark.parametrize("section", SECTIONS)
def test_a_member_sees_no_section_and_no_entry_of_the_menu(house: House, section: str) -> None:
    member = house.accounts.users.by_email("curious@example.com") or house.join("curious")
    page = house.pages("admin", who=house.enter(member), section=section, lang="en")
    assert "boss@example.com" not in said(page)
    assert not any(str(part.key).startswith(("change_", "admin_", "save_notice")) for part in page.button)
    assert not page.text_input


def test_accounts_are_found_and_changed(house: House) -> None:
    admin, session = house.boss()
    user = house.join("subject")
    page = house.pages("admin", who=session, lang="en")
    page.text_input(key="admin_search").input("SUBJ").run()
    assert "subject@example.com" in said(page)
    assert "boss@example.com" not in said(page)
    page.button(key=f"reset_{user.id}").click().run()
    assert house.accounts.resets.whose(page.code[0].value.split("token=")[1]).id == user.id
    page.button(key=f"role_{user.id}").click().run()
    assert house.accounts.users.get(user.id).role is Role.ADMIN
    page.button(key=f"role_{user.id}").click().run()
    assert house.accounts.users.get(user.id).role is Role.MEMBER
    live = house.enter(user)
    page.button(key=f"active_{user.id}").click().run()
    assert house.accounts.users.get(user.id).standing(datetime.now(UTC)) is Standing.OFF
    assert house.accounts.sessions.by_id(live["sid"]) is None
    page.button(key=f"active_{user.id}").click().run()
    page.button(key=f"ban_{user.id}").click().run()
    assert house.accounts.users.get(user.id).standing(datetime.now(UTC)) is Standing.BANNED
    assert f"role_{admin.id}" not in {part.key for part in page.button}  # nothing to be done to oneself
    page.text_input(key="admin_search").input("nobody at all").run()
    assert "Nobody matches this search." in said(page)


def test_figures_and_plans_are_those_of_the_home(house: House) -> None:
    _admin, session = house.boss()
    house.join("counted")
    people = sum(1 for _user in house.accounts.users.all())
    page = house.pages("admin", who=session, section="figures", lang="en")
    shown = {part.label: part.value for part in page.metric}
    assert shown["New accounts today"] == f"{people:,}"  # this home was made today
    assert shown["Backtests today"] == "0"
    plans = said(house.pages("admin", who=session, section="plans", lang="en"))
    for plan in house.accounts.plans.known.values():
        assert f"{plan.backtests_a_day:,}" in plans
    assert "STOCKLAB_PLANS" in plans


def test_messages_are_answered_and_closed(house: House) -> None:
    _admin, session = house.boss()
    member = house.join("asking")
    asked = house.accounts.feedback.send(member.id, FeedbackKind.QUESTION, "<b>언제</b> 열리나요?")
    wish = house.accounts.feedback.send(member.id, FeedbackKind.WISH, "더 빠르게")
    page = house.pages("admin", who=session, section="inbox", lang="en")
    assert "<b>언제</b> 열리나요?" in [part.value for part in page.text]
    page.button(key=f"send_{asked}").click().run()
    assert page.error  # an answer without words
    assert house.accounts.feedback.mine(member.id)[1].answer is None
    page.text_area(key=f"field_answer_{asked}").input("내일 열립니다.")
    page.button(key=f"send_{asked}").click().run()
    assert house.accounts.feedback.mine(member.id)[1].answer == "내일 열립니다."
    page.button(key=f"close_{wish}").click().run()
    assert "No message here." in said(page)


def test_a_notice_stands_over_the_pages_until_it_is_removed(house: House) -> None:
    admin, session = house.boss()
    member = house.enter(house.join("reader"))
    page = house.pages("admin", who=session, section="notices", lang="en")
    page.text_input(key="field_title_new").input("   ")
    page.button(key="save_notice_new").click().run()
    assert page.error
    assert house.accounts.notices.all(admin.id) == ()
    page.text_input(key="field_title_new").input("Closed on *Monday*")
    page.button(key="save_notice_new").click().run()
    notice = house.accounts.notices.all(admin.id)[0]
    assert notice.title == "Closed on *Monday*"
    assert "Monday" in said(house.pages("help", who=member, lang="en"))
    page.button(key=f"remove_{notice.id}").click().run()
    assert house.accounts.notices.all(admin.id) == ()
    assert "Monday" not in said(house.pages("help", who=member, lang="en"))


def test_reports_are_decided(house: House) -> None:
    admin, session = house.boss()
    author, reader = house.join("author"), house.join("witness")
    posts = Posts(house.lab.database)
    bad, good = (
        posts.write(author.id, Draft(category=Category.FREE, title=title, body="내용"))
        for title in ("나쁜 글", "좋은 글")
    )
    for post_id in (bad, good):
        Moderation(house.lab.database).report(reader.id, SubjectKind.POST, post_id, Reason.SPAM)
    page = house.pages("admin", who=session, section="reports", lang="en")
    page.button(key=f"queue_hide_{bad}").click().run()
    page.button(key=f"queue_dismiss_{good}").click().run()
    assert posts.get(admin.id, bad).is_hidden
    assert not posts.get(admin.id, good).is_hidden
    assert "No open reports." in said(page)


def test_only_an_admin_reads_where_the_server_keeps_its_files(house: House) -> None:
    _admin, session = house.boss()
    folder = str(house.lab.store.home.resolve())
    assert f"Home: {folder}" in said(house.pages("system", who=session, lang="en"))
    member = said(house.pages("system", who=house.enter(house.join("passing")), lang="en"))
    assert "free on this disk." in member
    assert folder not in member
