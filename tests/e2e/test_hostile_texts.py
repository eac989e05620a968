"""What strangers write, in real Chromium: nothing of it runs, nothing is fetched, and it is read as it was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

import live_app
import pytest
from people import PASSWORD
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from stocklab.accounts import Accounts, FeedbackKind, NewAccount, Role
from stocklab.backtest import RunRequest
from stocklab.community import (
    Category,
    Comments,
    Draft,
    Moderation,
    NewsFilters,
    Posts,
    Reason,
    Remark,
    SubjectKind,
    WatchList,
)
from stocklab.data import Store
from stocklab.data.engine import run_backtest
from stocklab.data.results import ResultStore
from stocklab.db import (
    LOCAL_OWNER_ID,
    Database,
    DisclosureRow,
    NewsItemRow,
    NoticeRow,
    OwnerRow,
    PostRow,
    PublicationRow,
    UserRow,
    open_database,
)
from stocklab.operations import RateLimits
from stocklab.portfolios import Runs, Shelf, Strategies, Universes
from stocklab.settings import Settings
from stocklab.strategy import PRESETS, parse_document
from stocklab.web.cookies import SESSION

pytestmark = pytest.mark.browser

# every one would call `pwned` or ask http://evil.test for something, where it is taken for markup
PAYLOADS: Final = (
    "<script>pwned()</script>",
    "<img src=x onerror=pwned()>",
    "<img src=http://evil.test/a.png>",
    "<svg/onload=pwned()>",
    "<svg><script href=http://evil.test/s.js></script></svg>",
    "<iframe srcdoc='<script>parent.pwned()</script>'></iframe>",
    "<iframe src=http://evil.test></iframe>",
    "<a href=javascript:pwned()>x</a>",
    "<style>@import 'http://evil.test/c.css';</style>",
    "<style>*{background:url(http://evil.test/b.png)}</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>",
    "<noscript><p title='</noscript><img src=x onerror=pwned()>'>",
    "<details open ontoggle=pwned()>",
    "<link rel=stylesheet href=http://evil.test/l.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.test'>",
    "<base href=http://evil.test/>",
    "<form action=http://evil.test><button>x</button></form>",
    "<object data=http://evil.test></object><embed src=http://evil.test>",
    "'\"><img src=x onerror=pwned()>",
    "</textarea></title></style></script><img src=x onerror=pwned()>",
    "[x](javascript:pwned())",
    "[x](JaVaScRiPt&colon;pwned())",
    "[x](data:text/html,<script>pwned()</script>)",
    "[x](vbscript:pwned())",
    "![x](http://evil.test/i.png)",
    "![x](javascript:pwned())",
    "[![x](http://evil.test/i.png)](http://evil.test)",
    "![x][r]\n\n[r]: http://evil.test/r.png",
    "<http://evil.test/auto>",
    "[x](http://evil.test \"' onmouseover=pwned() x='\")",
    'http://evil.test/"onmouseover=pwned()',
    ":red[red] :material/verified: :small[x] :blue-badge[admin] :streamlit: :smile:",
    "$\\href{javascript:pwned()}{x}$ $$\\includegraphics{http://evil.test/t.png}$$",
    "```html onload=pwned()\n<script>pwned()</script>\n```",
    "| <img src=x onerror=pwned()> | b |\n|---|---|\n| [x](javascript:pwned()) | 2 |",
    "{{constructor.constructor('pwned()')()}} ${pwned()} #{pwned()}",
    "\u202e<script>pwned()</script>\u202c",
)
SHORT: Final = " ".join(PAYLOADS)
ADMIN_SECTIONS: Final = ("people", "figures", "plans", "inbox", "reports", "notices")


@pytest.fixture(scope="module")
def hostile(live: live_app.LiveApp) -> Iterator[dict[str, str]]:
    """A home in which every field holds them; the ids of the post and of its author's reports."""
    database = open_database(f"sqlite:///{live.home / 'stocklab.db'}")
    with database.write() as session:
        session.add(OwnerRow(id="evil", name=PAYLOADS[1]))
        session.flush()
        values = {"version": 1, "fingerprint": "f" * 64, "visibility": "public", "metrics": {"cagr": 0.1}, "curve": {}}
        rules = _rules(PAYLOADS[18])
        more = {"description": "\n\n".join(PAYLOADS)[:2000], "document": rules, **values}
        session.add(PublicationRow(id="pub", owner_id="evil", name=PAYLOADS[18], **more))
        moment = datetime.now(UTC)
        for number, words in enumerate(PAYLOADS):
            link = "javascript:pwned()" if number % 2 else f"http://evil.test/{number}"
            values = {"title": words, "link": link, "published_at": moment, "first_seen_at": moment}
            session.add(NewsItemRow(key=f"{number:064x}", symbol="005930", **values))
            values = {"title": words, "kind": "halt", "published_on": moment.date(), "first_seen_at": moment}
            session.add(DisclosureRow(filing_no=f"20261128{number:06d}", symbol=f"<b>{number}", **values))
    yield {**_write(database), "run": _possess(database, live)}
    database.close()


def _rules(name: str) -> dict[str, Any]:
    """A strategy that is called so, and says so wherever it may."""
    document = PRESETS["rsi_reversal"].strategy.model_dump(mode="json")
    document |= {"name": name[:120], "description": "\n".join(PAYLOADS)[:4000]}
    document["entry"]["rules"][0]["note"] = SHORT[:500]
    return document


def _possess(database: Database, live: live_app.LiveApp) -> str:
    """Strategies, universes and a run of such names; the run."""
    strategies, shelf = Strategies(database), Shelf(database)
    for number, words in enumerate(PAYLOADS[:12]):
        saved = strategies.save(LOCAL_OWNER_ID, parse_document(_rules(words)))
        strategies.organize(LOCAL_OWNER_ID, saved.id, folder=PAYLOADS[number][:60], tags=[PAYLOADS[-number - 1][:30]])
        shelf.note(LOCAL_OWNER_ID, saved.id, SHORT)
    Universes(database).save(LOCAL_OWNER_ID, PAYLOADS[1], saved.strategy().universe)
    request = RunRequest(
        strategy=parse_document(_rules(PAYLOADS[24])),
        start=date(2026, 1, 5),
        end=date(2026, 2, 27),
        initial_cash_krw=100_000_000,
    )
    result = run_backtest(Store(live.home), ResultStore(live.home), request).result
    Runs(database).record(LOCAL_OWNER_ID, result.run_id, request, card=result.card, metrics=result.metrics)
    return result.run_id


def _write(database: Database) -> dict[str, str]:
    draft = Draft(
        category=Category.STRATEGY,
        title=SHORT[:120],
        body="\n\n".join(PAYLOADS),
        tags=tuple(words[:30] for words in PAYLOADS[:8]),
        publication_id="pub",
    )
    post_id = Posts(database).write("evil", draft)
    for words in PAYLOADS:
        Comments(database).write("evil" if len(words) % 2 else "local", Remark(body=words, post_id=post_id))
    for words in PAYLOADS[:8]:
        Posts(database).write("local", Draft(category=Category.FREE, title=words[:120], body=words))
    Moderation(database).report("evil", SubjectKind.POST, post_id, Reason.OTHER, note=SHORT[:1900])
    NewsFilters(database).save("local", "<img src=x onerror=pwned()>", {"category": "news", "symbols": ["<b>"]})
    WatchList(database).add("local", "<svg/onload=p()>")
    WatchList(database).note("local", "<svg/onload=p()>", SHORT[:200])
    return {"post": post_id}


def _attacked(page: Page) -> list[str]:
    """What would have run: a function every payload calls, tags that have no business in texts, foreign addresses."""
    return page.evaluate(
        """() => {
            const bad = [];
            if (window.__pwned) bad.push('ran');
            const inside = '.lab-words, .lab-post, .lab-post-line, .lab-news, .lab-comment, .lab-card-name, .lab-table, .lab-tag';
            for (const root of document.querySelectorAll(inside)) {
                for (const node of root.querySelectorAll('*')) {
                    if (/^(script|img|svg|iframe|style|link|meta|base|form|object|embed|math|details|input)$/i.test(node.tagName)
                        && !node.closest('style[data-emotion]')) bad.push(node.tagName);
                    for (const one of node.attributes) if (/^on/i.test(one.name)) bad.push(one.name);
                }
                for (const link of root.querySelectorAll('a')) {
                    if (!/^https?:/.test(link.getAttribute('href') || '')) bad.push('href ' + link.getAttribute('href'));
                    if (!(link.rel || '').includes('noopener')) bad.push('rel of ' + link.href);
                }
            }
            const own = window.location.origin;
            for (const node of document.body.querySelectorAll('*')) {
                for (const one of node.attributes) {
                    if (/^on/i.test(one.name)) bad.push('anywhere ' + one.name);
                    if (/^(href|src|action|data|srcdoc)$/i.test(one.name) && /^\\s*(javascript|vbscript):|srcdoc/i.test(one.value)) {
                        bad.push('anywhere ' + one.value);
                    }
                }
                if (/^(img|iframe|script|link|form|object|embed|base)$/i.test(node.tagName)) {
                    const from = node.src || node.href || node.action || node.data || '';
                    if (typeof from === 'string' && /^(https?:)?\\/\\//.test(from) && !from.startsWith(own)) bad.push(from);
                }
            }
            return bad;
        }"""
    )


def _arm(page: Page) -> None:
    page.add_init_script("window.pwned = () => { window.__pwned = true; }; window.alert = window.pwned")
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))


def _armed(visitor: Callable[..., Page], address: str) -> Page:
    page = visitor(address, before=_arm)
    page.wait_for_timeout(500)
    return page


@pytest.mark.parametrize(
    "address",
    [
        *("/community?lang=en", "/community?kind=strategy", "/community?lang=en&community_search=pwned"),
        *("/community?tag=%3Cimg%20src%3Dx%20onerror%3Dpwned()%3E", "/community?post=%3Cimg%20onerror=pwned()%3E"),
        *("/community?write=1&publication=%3Cimg%20src%3Dx%3E", "/watch", "/news", "/news?lang=en"),
    ],
)
def test_nothing_a_stranger_wrote_runs(visitor: Callable[..., Page], hostile: dict[str, str], address: str) -> None:
    page = _armed(visitor, address)
    expect(page.locator("h1").first).to_be_visible()
    assert _attacked(page) == []


@pytest.mark.parametrize(
    "address",
    [
        *("/strategies?lang=en", "/shared?lang=en", "/shared?publication=pub&lang=en"),
        *(
            "/results",
            "/results?run={run}&lang=en",
            "/results?run=%3Cimg%20src%3Dx%20onerror%3Dpwned()%3E",
            "/screener",
        ),
    ],
)
def test_nothing_in_the_name_of_a_thing_runs(
    visitor: Callable[..., Page], hostile: dict[str, str], address: str
) -> None:
    page = _armed(visitor, address.format(**hostile))
    expect(page.locator("h1, [data-testid=stAlert]").first).to_be_visible()
    if "publication" in address:
        expect(page.get_by_text("<details open ontoggle=pwned()>").first).to_be_visible()
    if "lang=en" in address and "run" in address:
        expect(page.locator("h1").first).to_have_text(PAYLOADS[24])
    assert _attacked(page) == []


def test_a_hostile_post_is_read_as_it_was_written(visitor: Callable[..., Page], hostile: dict[str, str]) -> None:
    page = _armed(visitor, f"/community?post={hostile['post']}&lang=en")
    words = page.locator(".lab-post .lab-words")
    expect(words).to_contain_text("<script>pwned()</script>")
    expect(words).to_contain_text(":red[red] :material/verified: :small[x] :blue-badge[admin]")
    expect(words).to_contain_text("$\\href{javascript:pwned()}{x}$")
    assert words.locator(".katex").count() == 0
    assert _attacked(page) == []
    for _turn in range(2):
        page.get_by_role("button", name="More comments").click() if _turn == 0 else None
        live_app.settled(page)
        assert _attacked(page) == []
    for link in words.locator("a").all():
        link.hover()
    assert not page.evaluate("Boolean(window.__pwned)")


def test_titles_in_lists_are_no_markup(visitor: Callable[..., Page], hostile: dict[str, str]) -> None:
    page = _armed(visitor, "/community?lang=en")
    titles = page.locator("[data-testid=stPageLink]").all_inner_texts()
    assert any("<script>pwned()</script>" in title.replace("\u2060", "") for title in titles)
    icons = page.locator("[data-testid=stMain] [data-testid=stPageLink] a [data-testid=stIconMaterial]")
    assert set(icons.all_inner_texts()) == {"forum"}  # the page's own
    page.get_by_role("link", name=re.compile("onerror")).first.click()
    live_app.settled(page)
    expect(page).to_have_url(re.compile("post="))
    assert _attacked(page) == []


def test_what_members_send_to_admins_does_not_run(guest: Callable[..., Page], club: live_app.LiveApp) -> None:
    """Every section of the administration, with members, messages, notices and reports full of them."""
    database = open_database(f"sqlite:///{club.home / 'stocklab.db'}")
    try:
        accounts = Accounts(database, Settings(home=club.home), RateLimits(database))
        admin, other = (
            accounts.users.sign_up(NewAccount(email=f"{name}@example.com", nickname=name, password=PASSWORD))
            for name in ("overseer", "payload")
        )
        with database.write() as session:
            session.get_one(UserRow, admin.id).role = Role.ADMIN.value
            session.get_one(OwnerRow, other.id).name = PAYLOADS[1]  # no form takes such a nickname
        accounts.feedback.send(other.id, FeedbackKind.FAULT, "\n".join(PAYLOADS)[:4000], page=PAYLOADS[0][:40])
        accounts.notices.save(admin.id, title=SHORT[:120], body="\n\n".join(PAYLOADS)[:2000])
        post_id = Posts(database).write(other.id, Draft(category=Category.FREE, title=SHORT[:120], body=SHORT))
        Moderation(database).report(other.id, SubjectKind.POST, post_id, Reason.OTHER, note=SHORT[:1900])
        token = accounts.sessions.begin(admin.id, address="127.0.0.1", agent=SHORT[:200], confirmed=True)
        _as_admin(guest("/auth/login"), club, token)
    finally:
        with database.write() as session:  # others use this app too
            session.execute(delete(NoticeRow))
            session.execute(delete(PostRow).where(PostRow.owner_id == other.id))
        database.close()


def _as_admin(page: Page, club: live_app.LiveApp, token: str) -> None:
    page.context.add_cookies([{"name": SESSION, "value": token, "url": club.url}])
    _arm(page)
    for address in (
        *(f"/admin?section={name}&lang=en" for name in ADMIN_SECTIONS),
        "/account?section=sessions&lang=en",
    ):
        page.goto(club.url + address)
        live_app.settled(page)
        expect(page.locator("h1").first).to_be_visible()
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
        assert _attacked(page) == [], address
    page.goto(f"{club.url}/admin?section=inbox&lang=en")
    expect(page.get_by_text("<details open ontoggle=pwned()>").first).to_be_visible()
