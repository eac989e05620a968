"""Disclosures by the timetable and news by a person's wish, against fake services on real sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from fakes.naver import FakeNaver, article
from fakes.opendart import KEY, FakeDart, filing_row

from stocklab.data import Store
from stocklab.data.company import press_names
from stocklab.data.sources.calls import KST
from stocklab.db import Database, IntentState, RunState
from stocklab.errors import InputError
from stocklab.operations import INTENT_KINDS, Intent, Intents, RunLedger, SourceKeys, open_sealer
from stocklab.operations.news import News
from stocklab.operations.news_state import newest_news_intent
from stocklab.settings import Settings
from stocklab.sidecar.jobs import INTENT_WORKS, JOBS
from stocklab.sidecar.lanes import IntentLane, JobLane, Resources

SYMBOL = "005930"
DAY = "20261126"
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=KST)  # a Thursday, while the exchange is open


@pytest.fixture
def dart() -> Iterator[FakeDart]:
    with FakeDart() as server:
        yield server


@pytest.fixture
def naver() -> Iterator[FakeNaver]:
    with FakeNaver() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, dart: FakeDart, naver: FakeNaver) -> Settings:
    """A home of one company and its preferred share, with no key."""
    rows = [
        {"symbol": "005930", "name": "㈜삼성전자", "kind": "common"},
        {"symbol": "005935", "name": "삼성전자우", "kind": "preferred"},
    ]
    schema = {"symbol": pl.String, "name": pl.String, "market": pl.String, "kind": pl.String, "sector": pl.String}
    schema |= {"listed_on": pl.Date, "settle_month": pl.Int8, "corp_code": pl.String}
    frame = pl.DataFrame([{**dict.fromkeys(schema), "market": "KOSPI", **row} for row in rows], schema=schema)
    Store(tmp_path / "home").write({"instruments": frame}, sources={"instruments": "test"})
    return Settings(home=tmp_path / "home", opendart_url=dart.url, naver_url=naver.url)


def set_keys(database: Database, settings: Settings, *names: str) -> None:
    """As the Data page keeps them: encrypted in the app database."""
    values = {"opendart_key": KEY, "naver_client_id": "id", "naver_client_secret": "secret"}
    for name in names:
        SourceKeys(database, open_sealer(settings)).set(name, values[name])


def jobs_lane(database: Database, settings: Settings, now: list[datetime]) -> JobLane:
    return JobLane(
        settings=settings,
        database=database,
        worker="me",
        clock=lambda: now[0],
        resources=Resources(),
        stopping=threading.Event(),
        poll_seconds=0.1,
        jobs=tuple(job for job in JOBS if job.schedule.name.startswith("disclosures")),
    )


def intents_lane(database: Database, settings: Settings) -> IntentLane:
    return IntentLane(
        settings=settings,
        database=database,
        worker="me",
        clock=lambda: NOW,
        resources=Resources(),
        stopping=threading.Event(),
        poll_seconds=0.1,
        works=INTENT_WORKS,
        kinds=INTENT_KINDS,
    )


def carried_out(database: Database, settings: Settings, symbol: str = SYMBOL) -> Intent:
    asked = Intents(database).ask("local", "news", {"symbol": symbol})
    lane = intents_lane(database, settings)
    assert lane.work_once()
    assert not lane.work_once()
    return Intents(database).get("local", asked.id)


def drained(lane: JobLane) -> int:
    """Runs until nothing is due; how many runs there were."""
    runs = 0
    while lane.work_once():
        runs += 1
    return runs


def test_disclosures_are_read_in_the_evening_and_the_next_morning(
    database: Database, settings: Settings, dart: FakeDart
) -> None:
    ledger, news = RunLedger(database), News(database)
    now = [datetime(2026, 11, 26, 19, 29, tzinfo=KST)]
    lane = jobs_lane(database, settings, now)
    assert drained(lane) == 2  # this morning's and, made up for, last evening's: they find no key
    skipped = ledger.require("disclosures_morning", "2026-11-26")
    assert skipped.state is RunState.SKIPPED
    assert "STOCKLAB_OPENDART_KEY" in skipped.message
    assert dart.asked == []

    set_keys(database, settings, "opendart_key")
    dart.others = [
        filing_row(1, "주권매매거래정지", day=DAY),
        filing_row(2, "단일판매ㆍ공급계약체결", symbol=" ", day=DAY),
    ]
    assert drained(lane) == 0
    now[0] += timedelta(minutes=1)
    assert drained(lane) == 1
    evening = ledger.require("disclosures", "2026-11-26")
    assert (evening.state, evening.message) == (RunState.DONE, "1 new filings of all companies")

    dart.others += [
        filing_row(3, "유상증자결정", day=DAY),
        filing_row(1, "최대주주변경", day="20261127"),
    ]  # one came late in the evening
    now[0] = datetime(2026, 11, 27, 7, 30, tzinfo=KST)
    assert drained(lane) == 1
    assert ledger.require("disclosures_morning", "2026-11-27").message == "2 new filings of all companies"
    assert [(one.title, one.published) for one in news.disclosures(symbols={SYMBOL})] == [
        ("최대주주변경", date(2026, 11, 27)),
        ("유상증자결정", date(2026, 11, 26)),
        ("주권매매거래정지", date(2026, 11, 26)),
    ]


def test_a_service_that_refuses_is_asked_again_later(database: Database, settings: Settings, dart: FakeDart) -> None:
    set_keys(database, settings, "opendart_key")
    dart.statuses.append("800")
    lane = jobs_lane(database, settings, [datetime(2026, 11, 27, 7, 30, tzinfo=KST)])
    assert drained(lane) == 2
    for name, key in (("disclosures", "2026-11-26"), ("disclosures_morning", "2026-11-27")):
        run = RunLedger(database).require(name, key)
        assert run.state is RunState.FAILED
        assert run.retry_at is not None
        assert KEY not in run.message
    assert len(dart.asked) == 1  # closed for an hour: the second job does not even ask


def test_a_wish_for_news_asks_both_sources_once_while_the_exchange_is_open(
    database: Database, settings: Settings, dart: FakeDart, naver: FakeNaver
) -> None:
    set_keys(database, settings, "opendart_key", "naver_client_id", "naver_client_secret")
    naver.items, dart.others = (
        [article(1, at=NOW), article(2, at=NOW - timedelta(minutes=1))],
        [filing_row(1, "현금ㆍ현물배당결정", day=DAY)],
    )
    done = carried_out(database, settings)
    assert (done.state, done.message) == (IntentState.DONE, "2 new articles, 1 new filings of all companies")
    assert [asked.params["query"] for asked in naver.asked] == ['"삼성전자" 주가']
    assert [item.title for item in News(database).news(SYMBOL)] == ["삼성전자 소식 1", "삼성전자 소식 2"]
    assert len(News(database).disclosures(symbols={SYMBOL})) == 1
    assert carried_out(database, settings).message == "0 new articles, 0 new filings of all companies"
    # a preferred share is searched for by the name of its company
    assert carried_out(database, settings, "005935").message.startswith("2 new articles")
    assert {asked.params["query"] for asked in naver.asked} == {'"삼성전자" 주가'}


def test_what_one_source_refuses_does_not_hide_what_the_other_answered(
    database: Database, settings: Settings, dart: FakeDart, naver: FakeNaver
) -> None:
    nothing = carried_out(database, settings)
    assert nothing.state is IntentState.FAILED
    assert "neither Naver nor OpenDART has a key" in nothing.message
    set_keys(database, settings, "opendart_key")
    dart.others = [filing_row(1, "현금ㆍ현물배당결정", day=DAY)]
    assert carried_out(database, settings).message == "1 new filings of all companies"
    set_keys(database, settings, "naver_client_id", "naver_client_secret")
    naver.identity = ("other", "key")
    dart.others.append(filing_row(2, "주권매매거래정지", day=DAY))
    refused = carried_out(database, settings)
    assert refused.state is IntentState.FAILED
    assert "the key is refused" in refused.message
    assert "Stored: 1 new filings" in refused.message
    unknown = carried_out(database, settings, "999999")
    assert unknown.state is IntentState.FAILED
    assert "999999 has no name" in unknown.message


def test_a_wish_can_be_cancelled_between_two_questions(database: Database, settings: Settings, dart: FakeDart) -> None:
    set_keys(database, settings, "opendart_key")
    dart.others = [
        filing_row(n, "기타경영사항", day=DAY) for n in range(1, 9_000)
    ]  # 90 pages, half a minute at DART's pace
    intents, lane = Intents(database), intents_lane(database, settings)
    asked = intents.ask("local", "news", {"symbol": SYMBOL})
    working = threading.Thread(target=lane.work_once)
    working.start()
    deadline = time.monotonic() + 30
    while len(dart.asked) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    intents.cancel("local", asked.id)
    lane.watch()
    working.join(timeout=10)
    assert not working.is_alive()
    ended = newest_news_intent(intents, SYMBOL)
    assert ended is not None
    assert (ended.id, ended.state) == (asked.id, IntentState.CANCELLED)
    assert len(dart.asked) < 90
    assert News(database).disclosures() == []  # a day half read would end the next poll early


def test_a_wish_names_a_symbol(database: Database, settings: Settings) -> None:
    intents = Intents(database)
    for document in ({}, {"symbol": ""}, {"symbol": 5930}, {"symbol": "0" * 17}, {"symbol": SYMBOL, "name": "x"}):
        with pytest.raises(InputError):
            intents.ask("local", "news", document)
    asked = intents.ask("local", "news", {"symbol": SYMBOL})
    assert intents.ask("local", "news", {"symbol": SYMBOL}).id == asked.id
    assert newest_news_intent(intents, "005935") is None
    snapshot = Store(Path(settings.home)).current()
    assert snapshot is not None
    assert press_names(snapshot, "005935") == ("삼성전자", "삼성전자우")
