"""The community, the news and the watch list in every state, without a browser."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.community import Category, Comments, Draft, Likes, Moderation, Posts, Reason, Remark, SubjectKind
from stocklab.db import DisclosureRow, NewsItemRow, OwnerRow, WatchRow
from stocklab.portfolios import Lab
from stocklab.ui.community.words import literal

HANGUL = re.compile("[가-힣]")
PAGES = ("community", "news", "watch")


def said(page: AppTest) -> str:
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    text = [str(part.value) for kind in kinds for part in getattr(page, kind)]
    return "\n".join([*text, *(str(part.proto.body) for part in page.get("html"))])


@pytest.fixture
def other(lab: Lab) -> str:
    """Somebody else, who writes."""
    with lab.database.write() as session:
        if session.get(OwnerRow, "other") is None:
            session.add(OwnerRow(id="other", name="Other <b>"))
    return "other"


def write(lab: Lab, who: str, title: str, body: str = "**굵게** <script>x</script>") -> str:
    return Posts(lab.database).write(who, Draft(category=Category.FREE, title=title, body=body))


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_home_says_what_to_do(empty_pages, name: str) -> None:
    page = empty_pages(name)
    assert not page.exception
    assert [part.value for part in page.error] == []
    assert "아직" in said(page) or "없습니다" in said(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_speaks_one_language(pages, name: str) -> None:
    korean, english = pages(name), pages(name, lang="en")
    assert not korean.exception
    assert not english.exception
    assert HANGUL.search(korean.title[0].value)
    assert not HANGUL.search(english.title[0].value)


def test_a_post_is_written_read_answered_and_deleted(pages, lab: Lab) -> None:
    page = pages("community", write="1")
    page.text_input(key="post_title").input("첫 글 :material/home: $x$")
    page.text_area(key="post_body").input("본문 **굵게**")
    page.text_input(key="post_tags").input("배당, 성장")
    page.button(key="post_send").click().run()
    assert not page.exception
    post_id = page.query_params["post"]
    post_id = post_id[0] if isinstance(post_id, list) else post_id
    page = pages("community", post=post_id, lang="en")
    assert "<strong>굵게</strong>" in said(page)
    assert "No comment yet." in said(page)
    text = next(area for area in page.text_area if str(area.key).startswith("comment_text_new"))
    text.input("좋은 글")
    page.button(key=f"comment_send_new_{post_id}").click().run()
    assert "좋은 글" in said(page)
    assert "Comments (1)" in said(page)
    page.button(key="post_like").click().run()
    assert page.button(key="post_like").label == "1"
    page.button(key="post_really_delete").click().run()
    assert "There is no such post." in said(pages("community", post=post_id, lang="en"))


def test_what_is_refused_is_said(pages, lab: Lab) -> None:
    page = pages("community", write="1", lang="en")
    page.text_input(key="post_title").input("   ")
    page.button(key="post_send").click().run()
    assert [part.value for part in page.warning] == ["Nothing was written."]


def test_lists_boards_tags_and_search(pages, lab: Lab, other: str) -> None:
    found = write(lab, other, "모멘텀 전략", "코스닥 소형주")
    Likes(lab.database).like_post("local", found)
    page = pages("community", lang="en")
    assert "코스닥 소형주" in said(page)
    assert "Other &lt;b&gt;" in said(page)
    assert "1 like in this time" in said(pages("community", board="day", lang="en"))
    page.text_input(key="community_search").input("코스닥").run()
    assert "코스닥 소형주" in said(page)
    page.text_input(key="community_search").input("없는말").run()
    assert "Nothing holds all of this." in said(page)
    assert "No post yet." in said(pages("community", tag="none", lang="en"))


def test_an_admin_decides_in_the_queue(pages, lab: Lab, other: str) -> None:
    post_id = write(lab, "local", "신고될 글")
    Comments(lab.database).write(other, Remark(body="댓글", post_id=post_id))
    Moderation(lab.database).report(other, SubjectKind.POST, post_id, Reason.SPAM, note="<i>봐 주세요</i>")

    def queue() -> None:
        from stocklab.ui.community.moderation import moderation_section

        moderation_section()

    page = AppTest.from_function(queue, default_timeout=60).run()
    assert not page.exception
    assert "&lt;i&gt;봐 주세요" in said(page)
    page.button(key=f"queue_hide_{post_id}").click().run()
    assert Posts(lab.database).get("local", post_id).is_hidden
    assert "처리할 신고가 없습니다" in said(page)
    assert "숨긴 글" in said(pages("community", post=post_id))


def test_the_star_and_the_lists_of_symbols(pages, lab: Lab) -> None:
    symbol = lab.panel().symbols[0]
    page = pages("company", symbol=symbol, lang="en")
    page.button(key="company_star").click().run()
    assert page.button(key="company_star").label == "Watched"
    watched = pages("watch", lang="en")
    assert re.search(r"Close of \d{4}-\d\d-\d\d \(", said(watched))
    watched.text_input(key=f"note_text_{symbol}").input("<b>지켜보기")
    watched.button(key=f"note_save_{symbol}").click().run()
    assert "&lt;b&gt;지켜보기" in said(watched)
    assert "Looked at" in said(pages("watch", list="recent", lang="en"))
    with lab.database.write("local") as session:
        session.add(WatchRow(owner_id="local", symbol="999999"))
    assert "do not know this symbol" in said(pages("watch", lang="en"))
    watched.button(key=f"unwatch_{symbol}").click().run()
    assert f"unwatch_{symbol}" not in {part.key for part in watched.button}


def test_news_are_chosen_and_the_choice_is_kept(pages, lab: Lab) -> None:
    now = datetime.now(UTC)
    symbol = lab.panel().symbols[0]
    with lab.database.write() as session:
        for number, kind in enumerate(("halt", "dividend")):
            values = {"symbol": symbol, "title": f"[{kind}]<b>", "kind": kind, "published_on": date.today()}
            session.add(DisclosureRow(filing_no=f"2026112800000{number}", first_seen_at=now, **values))
        for number in range(25):
            moment = now - timedelta(minutes=number)
            link = f"javascript:alert({number})" if number else "https://news.example/1"
            values = {"title": f"기사 {number}.", "link": link, "published_at": moment, "first_seen_at": moment}
            session.add(NewsItemRow(key=f"{number:064x}", symbol=symbol, **values))
    page = pages("news")
    assert "[halt]&lt;b&gt;" in said(page)
    page.multiselect(key="news_kinds").set_value(["dividend"]).run()
    assert "[halt]" not in said(page)
    page.text_input(key="news_save_name").input("배당만").run()
    page.button(key="news_save_button").click().run()
    again = pages("news")
    assert "[halt]" in said(again)
    again.selectbox(key="news_saved_choice").select_index(0).run()
    assert "[dividend]" in said(again)
    assert "[halt]" not in said(again)
    again.button_group(key="news_category").set_value("news").run()
    assert "기사 19." in said(again)
    assert "javascript:" not in said(again)
    again.button(key="news_more").click().run()
    assert "기사 24." in said(again)
    assert "기사 19." not in said(again)
    again.toggle(key="news_watched").set_value(True).run()
    assert not again.exception


def test_a_line_of_a_stranger_keeps_no_mark() -> None:
    assert literal("[x](y) `c` :red[z] $q$").replace("\u2060", "") == r"\[x\]\(y\) \`c\` \:red\[z\] \$q\$"
    assert re.search(r":material/", literal(":material/home:")) is None
