"""Filings and news on the company page, in every state, and with titles that try to be more than text."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from stocklab.data.sources.calls import KST
from stocklab.data.sources.naver_news import url_key
from stocklab.db import Database, IntentState
from stocklab.db.news_models import DisclosureRow, NewsItemRow
from stocklab.market.calendar import sessions_between
from stocklab.operations import Uptime
from stocklab.portfolios import Lab, close_shared_lab, shared_lab
from stocklab.ui.company import lookups
from stocklab.ui.company.news import Line, line_html

Open = Callable[..., AppTest]
SYMBOL = "005930"
NASTY = '</a><script>alert(1)</script> [눌러](javascript:alert(2)) **굵게** www.evil.example & "q" $x$ :red[빨강]'


@pytest.fixture
def company(empty_pages: Open) -> Open:
    """The section of a company of a market that is not invented; without keys, without a background process."""
    lookups.forget()
    days = sessions_between(date(2026, 11, 2), date(2026, 11, 20)).astype(object)
    bar = dict.fromkeys(("open", "high", "low", "close"), 70_000) | {"volume": 10, "tv": 700_000, "change": 0}
    rest = {"market": "KOSPI", "mcap": 10**14, "shares_listed": 10**9, "dept": None, "source": "krx_openapi.stocks"}
    bars = [{"session": day, "symbol": SYMBOL, **bar, **rest} for day in days]
    name = {"symbol": SYMBOL, "name": "삼성전자", "market": "KOSPI", "kind": "common", "sector": "전기전자"}
    name |= {"listed_on": date(1975, 6, 11), "settle_month": 12, "corp_code": "00126380"}
    shared_lab().store.write(
        {
            "prices_raw": pl.DataFrame(bars, schema_overrides={"dept": pl.String}),
            "instruments": pl.DataFrame([name], schema_overrides={"settle_month": pl.Int8}),
        },
        sources={"prices_raw": "test", "instruments": "test"},
    )

    def show(lang: str = "en", **query: str) -> AppTest:
        return empty_pages("company", symbol=SYMBOL, company_section="disclosures", lang=lang, **query)

    return show


@pytest.fixture
def keyed(company: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    for name in ("OPENDART_KEY", "NAVER_CLIENT_ID", "NAVER_CLIENT_SECRET"):
        monkeypatch.setenv(f"STOCKLAB_{name}", "k" * 40)
    close_shared_lab()
    return company


def words(page: AppTest) -> str:
    assert not page.exception
    parts = (*page.markdown, *page.error, *page.info, *page.warning, *page.caption)
    return "\n".join(part.value for part in parts)


def lists(page: AppTest) -> str:
    return "\n".join(part.proto.body for part in page.get("html") if 'class="lab-news"' in part.proto.body)


def beat() -> None:
    Uptime(shared_lab().database).beat("scheduler", "worker", datetime.now(UTC))


def ended(lab: Lab, state: IntentState, message: str = "") -> None:
    asked = lab.intents.ask(lab.owner_id, "news", {"symbol": SYMBOL})
    lab.intents.take("worker", datetime.now(UTC), ["news"])
    assert lab.intents.finish(asked.id, "worker", state, now=datetime.now(UTC), message=message)


def store(database: Database) -> None:
    """Two filings and two articles, with titles as anybody could write them."""
    seen = datetime(2026, 11, 20, 10, 31, tzinfo=KST)
    filing = {"symbol": SYMBOL, "published_on": date(2026, 11, 20), "first_seen_at": seen}
    article = {"symbol": SYMBOL, "first_seen_at": seen}
    rows: list[Any] = [
        DisclosureRow(filing_no="20261120000001", title="주권매매거래정지", kind="halt", **filing),
        DisclosureRow(filing_no="20261120000002", title=NASTY, kind="other", **filing),
        DisclosureRow(filing_no="20261120000003", title="남의 공시", kind="other", **{**filing, "symbol": "000660"}),
    ]
    for link, title, minutes in (
        ("https://www.press.example/1?a=1&b=2", NASTY, 0),
        ("javascript:alert(3)", "주소가 없는 기사", 5),
    ):
        published = seen - timedelta(minutes=minutes)
        rows.append(NewsItemRow(key=url_key(link), title=title, link=link, published_at=published, **article))
    with database.write() as session:
        session.add_all(rows)


def test_without_a_key_it_is_off_and_says_where_to_enter_one(company: Open) -> None:
    page = company()
    assert "neither Naver nor OpenDART has a key" in words(page)
    assert [link.proto.label for link in page.get("page_link") if link.proto.label == "Enter keys"] == ["Enter keys"]
    assert not [button for button in page.button if button.key == "company_fetch_news"]
    assert "background process is not running" not in words(page)  # nothing would be asked of it


def test_what_has_no_key_is_named_and_the_rest_works(company: Open) -> None:
    lab = shared_lab()
    lab.source_keys().set("opendart_key", "k" * 40)
    page = company()
    assert "News are off: Naver has no key." in words(page)
    assert page.button(key="company_fetch_news").label == "Fetch filings"
    for name in ("naver_legacy_client_id", "naver_legacy_client_secret"):
        lab.source_keys().set(name, "k" * 20)
    lab.source_keys().delete("opendart_key")
    page = company()
    assert "New filings are off: OpenDART has no key." in words(page)
    assert page.button(key="company_fetch_news").label == "Fetch news"


def test_a_wish_is_written_shown_while_it_lives_and_can_be_cancelled(keyed: Open) -> None:
    page = keyed()
    assert "The background process is not running" in words(page)
    assert "No news of this company is stored." in words(page)
    beat()
    page = page.run()
    assert "The background process is not running" not in words(page)
    page.button(key="company_fetch_news").click().run()
    lab = shared_lab()
    [wish] = lab.intents.list(live=True)
    assert (wish.kind, dict(wish.document)) == ("news", {"symbol": SYMBOL})
    assert "company_fetch_news" not in {button.key for button in page.button}
    assert page.get("progress")[0].proto.text.endswith(": it begins in a few seconds.")
    other = lab.intents.ask(lab.owner_id, "news", {"symbol": "000660"}, now=wish.created_at - timedelta(seconds=1))
    lab.intents.take("worker", datetime.now(UTC), ["news"])
    page = page.run()
    assert page.get("progress")[0].proto.text.endswith(": another fetch is under way; it begins afterwards.")
    Uptime(lab.database).leave("worker")
    page = page.run()
    assert ": the background process is not running" in page.get("progress")[0].proto.text
    lab.intents.finish(other.id, "worker", IntentState.DONE, now=datetime.now(UTC))
    lab.intents.take("worker", datetime.now(UTC), ["news"])
    lab.intents.save_progress(wish.id, "worker", {"done": 0.5, "text": "opendart"})
    page = page.run()
    assert page.get("progress")[0].proto.text == "Asking OpenDART"
    page.button(key=f"cancel_news_{wish.id}").click().run()
    assert "Stopping…" in words(page)
    lab.intents.finish(wish.id, "worker", IntentState.CANCELLED, now=datetime.now(UTC))
    page = page.run()
    assert "The last fetch was cancelled" in words(page)
    assert page.button(key="company_fetch_news")


def test_how_the_last_wish_ended_is_told(keyed: Open) -> None:
    beat()
    lab = shared_lab()
    ended(lab, IntentState.FAILED, "naver_hub: the key is refused *(status 401)*.")
    page = keyed()
    assert "The last fetch failed" in page.error[0].value
    assert "the key is refused \\*(status 401)\\*" in page.error[0].value
    ended(lab, IntentState.DONE, "0 new articles, 1,234 new filings of all companies")
    found = words(keyed())
    assert "new articles: 0 · new filings of all companies: 1,234" in found
    assert "The search found no news of this company." in found
    assert "No filing of this company is stored." in found
    assert "전체 회사의 새 공시 1,234건" in words(keyed(lang="ko"))


class _Tags(HTMLParser):
    """Tags and addresses of a piece of HTML, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_filings_and_news_are_listed_as_text_with_their_links(keyed: Open, lang: str) -> None:
    beat()
    store(shared_lab().database)
    page = keyed(lang=lang)
    shown = _Tags(lists(page))
    assert shown.tags == {"ul", "li", "span", "b", "a"}
    assert shown.links == [
        "https://dart.fss.or.kr/dsaf001/main.do?rcpNo=20261120000002",
        "https://dart.fss.or.kr/dsaf001/main.do?rcpNo=20261120000001",
        "https://www.press.example/1?a=1&b=2",
    ]
    assert shown.text.count(NASTY) == 2
    assert NASTY not in words(page)
    assert "남의 공시" not in shown.text
    assert "press.example · 2026-11-20 10:31" in shown.text
    assert ("2026-11-20 · 처음 확인 2026-11-20 10:31" if lang == "ko" else "first seen 2026-11-20 10:31") in shown.text
    assert f'<b class="bad">{"거래정지" if lang == "ko" else "Trading halt"}</b>' in lists(page)


def test_no_title_or_address_becomes_markup() -> None:
    for address in ('https://x.example/"><img src=x onerror=alert(1)>', "JAVASCRIPT:alert(1)", "data:text/html,x", ""):
        shown = _Tags(line_html(Line(title=NASTY, address=address, note="n", kind="k")))
        assert shown.tags <= {"li", "span", "b", "a"}
        assert all(link.startswith("https://") for link in shown.links)
        assert NASTY in shown.text
        assert html.unescape(shown.text) == shown.text


def test_nothing_is_fetched_for_an_invented_company(pages: Open) -> None:
    lookups.forget()
    shared_lab().source_keys().set("opendart_key", "k" * 40)
    page = pages("company", symbol=lookups.largest()[0], company_section="disclosures", lang="en")
    assert "This company is invented" in words(page)
    assert "company_fetch_news" not in {button.key for button in page.button}
    shared_lab().source_keys().delete("opendart_key")
