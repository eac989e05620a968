"""News and disclosures from fake services into the app database, on both of its kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fakes.naver import HUB_PATH, LEGACY_PATH, FakeNaver, article
from fakes.opendart import KEY, FakeDart, filing_row
from fakes.socket_server import Fault

from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.dart_disclosures import DisclosureKind, kind_of
from stocklab.data.sources.filing_feeds import OPENDART_FEEDS, PYKRX_FEEDS, filing_feeds, open_naver
from stocklab.data.sources.http import Pace, SourceClient
from stocklab.data.sources.naver_news import HUB, LEGACY, NaverNews
from stocklab.data.sources.opendart import DartClient
from stocklab.db import Database
from stocklab.errors import SourceChanged, SourceDenied, SourceError, SourceExhausted, SourceOff, SourceTemporary
from stocklab.operations.news import News
from stocklab.settings import load_settings

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=KST)
DAY = "20261126"


FAST = Pace(
    least_gap_seconds=0,
    most_gap_seconds=0,
    budget=1_000,
    attempts=2,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.02,
    timeout_seconds=10.0,
)


@pytest.fixture
def fake() -> Iterator[FakeDart]:
    with FakeDart() as server:
        yield server


@pytest.fixture
def dart(fake: FakeDart) -> Iterator[DartClient]:
    with SourceClient(source="opendart", base_url=fake.url, pace=FAST, calls=MemoryCalls(clock=lambda: NOW)) as client:
        yield DartClient(client=client, key=KEY, clock=lambda: NOW)


@pytest.fixture
def naver_server() -> Iterator[FakeNaver]:
    with FakeNaver() as server:
        yield server


@pytest.fixture
def naver(naver_server: FakeNaver) -> Iterator[Callable[..., NaverNews]]:
    opened: list[NaverNews] = []

    def make(endpoint: Any = HUB, secret: str = "secret", pace: Pace = FAST) -> NaverNews:
        one = NaverNews(
            endpoint=endpoint,
            base_url=naver_server.url,
            client_id="id",
            client_secret=secret,
            calls=MemoryCalls(clock=lambda: NOW),
            pace=pace,
            clock=lambda: NOW,
        )
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()


def _filing(number: int, title: str, symbol: str = "005930", day: str = DAY) -> dict[str, str]:
    return filing_row(number, title, day=day, symbol=symbol)


def _article(number: int, title: str = "<b>삼성전자</b> 소식", *, at: datetime = NOW) -> dict[str, str]:
    return article(number, title, at=at)


# --- disclosures -------------------------------------------------------------------------------------------------------


def test_disclosures_are_polled_once_and_keep_when_they_were_seen(
    database: Database, fake: FakeDart, dart: DartClient
) -> None:
    news = News(database)
    fake.others = [_filing(n, "주요사항보고서(유상증자결정)", symbol=" " if n % 3 else "005930") for n in range(1, 301)]
    assert news.poll_disclosures(dart, NOW) == 100
    assert len(fake.asked) == 3
    later = NOW + timedelta(minutes=5)
    # one whose number is lower than those known: numbers are dealt out by several offices
    fake.others += [_filing(0, "<b>단일판매ㆍ공급계약체결</b>"), _filing(900_000, "주권매매거래정지")]
    assert news.poll_disclosures(dart, later) == 1
    assert news.poll_disclosures(dart, later) == 0
    assert len(fake.asked) == 3 + 2 * 2  # today and yesterday, which is read once more; then one page each
    shown = news.disclosures(symbols=["005930"], kinds=[DisclosureKind.HALT])
    assert [(one.filing_no, one.published, one.first_seen) for one in shown] == [
        (f"{DAY}900000", date(2026, 11, 26), later)
    ]
    assert shown[0].link == f"https://dart.fss.or.kr/dsaf001/main.do?rcpNo={DAY}900000"
    # the next day what came late is there too
    tomorrow = NOW + timedelta(days=1)
    fake.others.append(_filing(1, "최대주주변경", day="20261127"))
    assert news.poll_disclosures(dart, tomorrow) == 2
    [late] = news.disclosures(kinds=[DisclosureKind.CONTRACT])
    assert (late.title, late.first_seen) == ("단일판매ㆍ공급계약체결", tomorrow)
    assert len(news.disclosures(limit=1000)) == 103
    assert News(database).poll_disclosures(dart, tomorrow) == 0


def test_two_polls_at_once_keep_each_filing_once(database: Database, fake: FakeDart, dart: DartClient) -> None:
    class Overtaken(DartClient):
        """Somebody else polls between the question and what is made of the answer."""

        def answer(self, service: str, params: Mapping[str, str]) -> Any:
            found = DartClient.answer(self, service, params)
            News(database).poll_disclosures(dart, NOW)
            return found

    fake.others = [_filing(n, "주권매매거래정지") for n in range(1, 4)]
    late = NOW + timedelta(minutes=1)
    assert News(database).poll_disclosures(Overtaken(client=dart.client, key=KEY, clock=dart.clock), late) == 0
    assert {one.first_seen for one in News(database).disclosures()} == {NOW}


def test_a_poll_that_fails_is_made_up_for(database: Database, fake: FakeDart, dart: DartClient) -> None:
    news = News(database)
    fake.others = [_filing(n, "사업보고서 (2025.12)") for n in range(1, 251)]
    fake.faults.extend([None, Fault.HTML])
    with pytest.raises(SourceChanged):
        news.poll_disclosures(dart, NOW)
    assert news.disclosures() == []  # nothing half read, which would end the next poll early
    assert news.poll_disclosures(dart, NOW) == 250
    fake.statuses.append("020")
    with pytest.raises(SourceExhausted):
        news.poll_disclosures(dart, NOW)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("주권매매거래정지 (상장폐지 사유 발생)", DisclosureKind.DELISTING),
        ("주권매매거래정지", DisclosureKind.HALT),
        ("주권매매거래정지해제", DisclosureKind.RESUMED),
        ("관리종목지정", DisclosureKind.ADMINISTRATIVE),
        ("관리종목지정해제", DisclosureKind.ADMINISTRATIVE_LIFTED),
        ("정리매매 개시", DisclosureKind.CLEAN_UP),
        ("투자주의환기종목지정", DisclosureKind.CAUTION),
        ("[기재정정]주요사항보고서(유상증자결정)", DisclosureKind.RIGHTS_ISSUE),
        ("주요사항보고서(유무상증자결정)", DisclosureKind.RIGHTS_ISSUE),
        ("주요사항보고서(무상증자결정)", DisclosureKind.BONUS_ISSUE),
        ("주요사항보고서(감자결정)", DisclosureKind.REDUCTION),
        ("주요사항보고서(회사분할합병결정)", DisclosureKind.DIVISION),
        ("회사합병결정", DisclosureKind.MERGER),
        ("주요사항보고서(전환사채권발행결정)", DisclosureKind.CONVERTIBLE),
        ("주요사항보고서(자기주식취득결정)", DisclosureKind.TREASURY),
        ("단일판매ㆍ공급계약체결(자율공시)", DisclosureKind.CONTRACT),
        ("현금ㆍ현물배당 결정", DisclosureKind.DIVIDEND),
        ("최대주주변경", DisclosureKind.LARGEST_HOLDER),
        ("불성실공시법인지정예고", DisclosureKind.UNFAITHFUL),
        ("연결재무제표기준영업(잠정)실적(공정공시)", DisclosureKind.PRELIMINARY_RESULTS),
        ("매출액또는손익구조30%(대규모법인은15%)이상변동", DisclosureKind.RESULTS_CHANGED),
        ("주식등의대량보유상황보고서(일반)", DisclosureKind.HOLDERS),
        ("임원ㆍ주요주주특정증권등소유상황보고서", DisclosureKind.HOLDERS),
        ("분기보고서 (2026.09)", DisclosureKind.REPORT),
        ("기타경영사항(자율공시)", DisclosureKind.OTHER),
    ],
)
def test_what_a_filing_is_about(title: str, kind: DisclosureKind) -> None:
    assert kind_of(title) is kind
    assert kind_of("알 수 없는 제목", "D001") is DisclosureKind.HOLDERS


# --- Naver -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [HUB, LEGACY])
def test_news_are_polled_once_and_cleaned(
    database: Database, naver_server: FakeNaver, naver: Callable[..., NaverNews], endpoint: Any
) -> None:
    news, search = News(database), naver(endpoint)
    naver_server.items = [
        _article(1, "<b>삼성전자</b> &quot;역대 최대&quot; &lt;script&gt;alert(1)&lt;/script&gt;"),
        _article(2, "다른 회사"),
        {**_article(3), "link": "javascript:alert(1)", "originallink": "javascript:alert(1)"},
        {**_article(4), "pubDate": "어제"},
        *(_article(n, at=NOW - timedelta(minutes=n)) for n in range(5, 250)),
    ]
    assert news.poll_news(search, "005930", "삼성전자", first_pages=10) == 1 + 245
    assert [one.path for one in naver_server.asked] == [HUB_PATH if endpoint is HUB else LEGACY_PATH] * 3
    assert {one.params["sort"] for one in naver_server.asked} == {"date"}
    first = next(item for item in news.news("005930", limit=500) if item.link.endswith("/1"))
    assert first.title == '삼성전자 "역대 최대" <script>alert(1)</script> 1'  # text, for whoever shows it to escape
    assert first.published == first.first_seen == NOW
    assert news.poll_news(search, "005930", "삼성전자") == 0
    assert len(naver_server.asked) == 4  # one page told that everything is known
    naver_server.items.insert(0, _article(900, at=NOW + timedelta(hours=1)))
    assert news.poll_news(search, "005930", "삼성전자") == 1
    # the same article about another company is an item of that one
    assert news.poll_news(search, "005935", "삼성전자") > 0


def test_short_names_need_a_word_of_the_market(naver_server: FakeNaver, naver: Callable[..., NaverNews]) -> None:
    naver_server.items = [_article(1, "대상 수상자 발표"), _article(2, "대상, 3분기 실적 개선")]
    found = naver().about("001680", "대상", is_known=lambda _: False)
    assert [item.link[-1] for item in found] == ["2"]


@pytest.mark.parametrize("endpoint", [HUB, LEGACY])
def test_refusals_of_naver(
    database: Database, naver_server: FakeNaver, naver: Callable[..., NaverNews], endpoint: Any
) -> None:
    news = News(database)
    naver_server.items = [_article(1)]
    with pytest.raises(SourceDenied) as denied:
        news.poll_news(naver(endpoint, secret="wrong-secret"), "005930", "삼성전자")
    assert "wrong-secret" not in str(denied.value)
    naver_server.throttled = 1
    assert news.poll_news(naver(endpoint), "005930", "삼성전자") == 1
    naver_server.throttled = 2
    with pytest.raises(SourceTemporary):
        news.poll_news(naver(endpoint), "005930", "삼성전자")
    naver_server.quota = 0
    with pytest.raises(SourceExhausted):
        news.poll_news(naver(endpoint), "005930", "삼성전자")


@pytest.mark.parametrize("fault", list(Fault))
def test_no_fault_of_naver_is_taken_for_no_news(
    naver_server: FakeNaver, naver: Callable[..., NaverNews], fault: Fault
) -> None:
    naver_server.items, naver_server.always = [_article(1)], fault
    pace = replace(FAST, timeout_seconds=0.3) if fault is Fault.SLOW else FAST
    with pytest.raises((SourceTemporary, SourceChanged)) as raised:
        naver(pace=pace).about("005930", "삼성전자", is_known=lambda _: False)
    assert isinstance(raised.value, SourceError)
    naver_server.always = None
    assert len(naver().about("005930", "삼성전자", is_known=lambda _: False)) == 1


# --- opening -----------------------------------------------------------------------------------------------------------


def test_what_is_open_follows_the_keys() -> None:
    calls = MemoryCalls(clock=lambda: NOW)
    with filing_feeds(load_settings({}), calls) as nothing:
        assert (nothing.on, nothing.off) == ((), (*OPENDART_FEEDS, *PYKRX_FEEDS))
    keys = {"opendart_key": KEY, "krx_id": "person", "krx_password": "pw"}
    with filing_feeds(load_settings({}), calls, keys) as feeds:
        assert tuple(feed.name for feed in feeds.on) == (*OPENDART_FEEDS, *PYKRX_FEEDS)
        assert feeds.off == ()
        assert KEY not in repr(feeds)
        assert "person" not in repr(feeds)
    with pytest.raises(SourceOff):
        open_naver(load_settings({}), calls)
    legacy = {"naver_legacy_client_id": "a", "naver_legacy_client_secret": "b"}
    both = {**legacy, "naver_client_id": "c", "naver_client_secret": "d"}
    for given, endpoint in ((legacy, LEGACY), (both, HUB)):
        with open_naver(load_settings({}), calls, given) as opened:
            assert opened.endpoint is endpoint
