"""Two people in real Chromium: from sign-up to a strategy on the boards, copied, liked and talked about."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import live_app
import pyotp
import pytest
from people import PASSWORD
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

ANSWERS = {
    "horizon": "며칠에서 몇 주",
    "approach": "가격이 오르고 있는 종목",
    "risk": "수익이 높다면 시장보다 깊은 하락도",
    "income": "가격 상승",
    "company": "빠르게 성장하는 회사",
}
EQUITY = ".st-key-chart_equity .js-plotly-plot .main-svg"
RUN_SECONDS = 120


def button(page: Page | Locator, key: str) -> Locator:
    """The button of that key."""
    return page.locator(f".st-key-{key} button").first


def click(page: Page, key: str) -> None:
    button(page, key).click()
    live_app.settled(page)


def go(page: Page, path: str) -> None:
    """By the address bar."""
    page.goto(re.sub(r"(://[^/]+).*", r"\1", page.url) + path)
    live_app.settled(page)


def sign_up(page: Page, name: str) -> None:
    """From the log-in that a stranger is sent to, and back to the page that was asked for."""
    expect(page).to_have_url(re.compile(r"/auth/login"))
    page.get_by_role("link", name="가입", exact=True).click()
    page.get_by_label("이메일").fill(f"{name}@example.com")
    page.get_by_label("닉네임").fill(name)
    page.get_by_label("비밀번호", exact=True).fill(PASSWORD)
    page.get_by_label("비밀번호 다시").fill(PASSWORD)
    page.get_by_role("button", name="가입").click()
    live_app.settled(page)
    expect(page.locator(".st-key-topbar")).to_contain_text(name)


def log_in(page: Page, name: str) -> None:
    """E-mail and password; where it leads is the caller's to see."""
    page.get_by_label("이메일").fill(f"{name}@example.com")
    page.get_by_label("비밀번호", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="로그인").click()


def log_out(page: Page) -> None:
    """By the link in the corner, and the question it asks."""
    page.get_by_role("link", name="로그아웃").click()
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("status")).to_have_text("로그아웃했습니다.")


def set_up_second_step(page: Page) -> pyotp.TOTP:
    """Types the key the page shows into an app, and the app's code into the page."""
    go(page, "/account?section=security")
    click(page, "begin_second")
    app = pyotp.TOTP("".join(page.locator("[data-testid=stCode] code").inner_text().split()))
    page.locator(".st-key-field_code input").fill(app.now())
    click(page, "enable_second")
    expect(page.get_by_text("2단계 인증을 켰습니다.")).to_be_visible()
    assert len(set(page.locator("[data-testid=stCode] code").inner_text().split())) == 10  # recovery codes
    return app


def log_in_with_code(page: Page, name: str, app: pyotp.TOTP) -> None:
    """The password alone leads nowhere; the app's next code does (the last one was used up)."""
    log_in(page, name)
    expect(page.get_by_role("heading", name="2단계 인증")).to_be_visible()
    page.get_by_label("인증 코드").fill(app.at(time.time() + 30))
    page.get_by_role("button", name="로그인").click()
    live_app.settled(page)
    expect(page.locator(".st-key-topbar")).to_contain_text(name)


def answer_questions(page: Page) -> Locator:
    """The five questions; the cards of what is suggested."""
    go(page, "/start")
    for question, answer in ANSWERS.items():
        page.locator(f".st-key-field_{question}").get_by_text(answer, exact=True).click()
    page.get_by_role("button", name="맞는 전략 보기").click()
    cards = page.locator("[class*=st-key-suggestion_]")
    expect(cards).to_have_count(3)
    live_app.settled(page)
    return cards


def run(page: Page, press: Locator) -> str:
    """Press something that runs a backtest; the address of its result."""
    press.click()
    expect(page).to_have_url(re.compile(r"/results\?.*run="), timeout=RUN_SECONDS * 1e3)
    expect(page.locator(EQUITY).first).to_be_visible(timeout=RUN_SECONDS * 1e3)
    live_app.settled(page)
    return page.url


def share(page: Page, name: str, description: str) -> str:
    """Share the one strategy of that name with everybody; the id of the publication."""
    go(page, "/strategies")
    card = page.locator("[class*=st-key-strategy_]").filter(has_text=name)
    card.get_by_role("button", name="공유").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("설명").fill(description)
    dialog.get_by_role("button", name="올리기").click()
    expect(page).to_have_url(re.compile(r"/shared\?.*publication="))
    live_app.settled(page)
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text(description)).to_be_visible()
    return parse_qs(urlsplit(page.url).query)["publication"][0]


def comment(page: Page, words: str, *, under: str = "new_") -> None:
    """Write a comment, or an answer, and see it in the thread."""
    form = page.locator(f"[class*=st-key-comment_send_{under}]").locator(
        "xpath=ancestor::form | ancestor::*[@data-testid='stForm']"
    )
    form.locator("textarea").fill(words)
    form.get_by_role("button", name="보내기").click()
    expect(page.locator(".lab-comment").filter(has_text=words)).to_be_visible()
    live_app.settled(page)


def rows(app: live_app.LiveApp, statement: str, **values: str) -> list[tuple[Any, ...]]:
    """What the app's database holds."""
    with closing(sqlite3.connect(f"file:{app.home / 'stocklab.db'}?mode=ro", uri=True)) as database:
        return database.execute(statement, values).fetchall()


def write_post(page: Page, title: str) -> str:
    """From the page of a shared strategy: a post that shows it; the address of the post."""
    page.get_by_role("link", name="이 전략으로 글쓰기").click()
    expect(page).to_have_url(re.compile("/community.*write=1"))
    live_app.settled(page)
    page.get_by_label("제목").fill(title)
    page.get_by_label("내용").fill("원본을 **그대로** 돌려 보았습니다.")
    button(page, "post_send").click()
    expect(page.locator(".lab-post h2")).to_have_text(title)
    live_app.settled(page)
    return page.url


NAMES = ("hana", "duri")


def test_from_sign_up_to_the_boards(guest: Callable[..., Page], club: live_app.LiveApp):
    first = guest("/start")
    sign_up(first, NAMES[0])
    expect(first).to_have_url(re.compile("/start"))
    app = set_up_second_step(first)
    log_out(first)
    log_in_with_code(first, NAMES[0], app)

    card = answer_questions(first).first
    expect(card).to_contain_text("적합도")
    run(first, card.get_by_role("button", name="실행"))
    name = first.locator("h1").first.inner_text()
    click(first, "save_strategy")
    expect(first.get_by_text("이름으로 저장했습니다")).to_be_visible()
    original = share(first, name, "오르는 것이 더 오른다는 생각")

    second = guest("/shared")
    sign_up(second, NAMES[1])
    found = second.locator("[class*=st-key-publication_]").filter(has_text=NAMES[0])
    expect(found).to_contain_text(name)
    found.get_by_role("link", name="열기").click()
    expect(second).to_have_url(re.compile(original))
    live_app.settled(second)
    click(second, "like_publication")
    expect(button(second, "like_publication")).to_contain_text("(1)")
    comment(second, "수수료를 내고도 남나요?")
    assert rows(club, "SELECT likes, clones FROM publications WHERE id = :id", id=original) == [(1, 0)]

    click(second, "clone_publication")
    expect(second).to_have_url(re.compile("/builder"))
    expect(second.locator(".st-key-builder_toolbar input").first).to_have_value(name)
    expect(second.get_by_role("link", name=f"{NAMES[0]} 님의 {name} 복제")).to_be_visible()
    run(second, button(second, "run_backtest"))
    copy = share(second, name, "복제해서 그대로 돌려 보았습니다")
    expect(second.get_by_text("복제한 원본")).to_be_visible()
    second.get_by_role("link", name=f"{name} · {NAMES[0]}").click()
    expect(second).to_have_url(re.compile(original))
    expect(second.get_by_text("공개된 복제 전략")).to_be_visible()
    expect(second.get_by_role("link", name=f"{name} · {NAMES[1]}")).to_be_visible()
    family = "SELECT p.id, p.parent_id, o.name FROM publications p JOIN owners o ON o.id = p.owner_id ORDER BY p.published_at"
    assert rows(club, family) == [(original, None, NAMES[0]), (copy, original, NAMES[1])]
    cloned = "SELECT s.origin_id FROM strategies s JOIN owners o ON o.id = s.owner_id WHERE o.name = :name"
    assert rows(club, cloned, name=NAMES[1]) == [(original,)]
    assert rows(club, "SELECT likes, clones FROM publications WHERE id = :id", id=original) == [(1, 1)]
    post = write_post(second, "따라 해 본 이야기")

    go(first, f"/shared?publication={original}")
    expect(first.locator(".lab-comment")).to_contain_text("수수료를 내고도 남나요?")
    first.locator("[class*=st-key-answer_] button").first.click()
    comment(first, "네, 세금까지 냈습니다.", under="to_")
    go(first, urlsplit(post).path + "?" + urlsplit(post).query)
    expect(first.locator(".st-key-post_strategy")).to_contain_text(name)
    expect(first.locator(".lab-post .by")).to_contain_text(NAMES[1])
    comment(first, "잘 읽었습니다.")
    click(first, "post_like")
    expect(button(first, "post_like")).to_contain_text("1")
    go(second, urlsplit(post).path + "?" + urlsplit(post).query)
    expect(second.locator(".lab-comment")).to_contain_text(NAMES[0])
    thread = "SELECT c.body, p.body FROM comments c LEFT JOIN comments p ON p.id = c.parent_id ORDER BY c.created_at"
    question, answer = "수수료를 내고도 남나요?", "네, 세금까지 냈습니다."
    assert rows(club, thread) == [(question, None), (answer, question), ("잘 읽었습니다.", None)]

    see_the_boards(first, name)
    names = "SELECT DISTINCT board FROM board_entries WHERE publication_id = :id ORDER BY board"
    boards = {board for (board,) in rows(club, names, id=original)}
    assert "backtest:demo" in boards
    assert not any(board.startswith("after_publication") for board in boards)


def see_the_boards(page: Page, name: str) -> None:
    """Where a strategy that was shared a minute ago stands, and where it does not stand yet."""
    go(page, "/ranking")
    expect(page.get_by_text("이 순위표에는 아직 아무도 없습니다.")).to_be_visible()
    expect(page.get_by_text("다음 거래일에 첫 수치가 나오면")).to_be_visible()
    page.locator(".st-key-ranking_type").get_by_text("백테스트 수익률").click()
    expect(page).to_have_url(re.compile("board=backtest"))
    live_app.settled(page)
    expect(page.get_by_text("운과 사후 판단에 유리합니다")).to_be_visible()
    expect(page.get_by_text(f"내 최고 순위: 1위, {name}")).to_be_visible()
    lines = page.locator(".st-key-ranking_lines tbody tr")  # the grid's own table for those who hear it
    expect(lines).to_have_count(2)
    for author in NAMES:
        expect(lines.filter(has_text=name).filter(has_text=author)).to_have_count(1)
    page.go_back()
    expect(page.get_by_text("이 순위표에는 아직 아무도 없습니다.")).to_be_visible()
