"""Lines that jobs and sources leave in the ledger, made by the code that writes them, as pages say them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stocklab.data.sync.report import FeedOutcome, FeedReport, SyncReport
from stocklab.errors import SourceBlocked, SourceChanged, SourceExhausted, SourceTemporary
from stocklab.portfolios.ahead import Ahead
from stocklab.sidecar.sync_job import _line
from stocklab.ui.background_words import told
from stocklab.ui.text import speaking

DENIED = "krx_openapi: the key is not approved for the service '{}' (x). Hint: apply for it; or check the key."


def _feed(feed: str, outcome: FeedOutcome, message: str = "") -> FeedReport:
    return FeedReport(feed=feed, source=feed.partition(".")[0], outcome=outcome, message=message)


def test_a_syncs_line_names_each_reason_once_with_its_feeds() -> None:
    line = _line(
        SyncReport(
            snapshot_id=None,
            snapshots=(),
            feeds=(
                _feed("krx_openapi.stocks", FeedOutcome.DENIED, DENIED.format("유가증권 일별매매정보")),
                _feed("krx_openapi.indices", FeedOutcome.DENIED, DENIED.format("KOSPI 시리즈 일별시세정보")),
                _feed("opendart.filings", FeedOutcome.EXHAUSTED, str(SourceExhausted("opendart", budget=19_000))),
                _feed("krx_openapi.etfs", FeedOutcome.LEFT),
                _feed("opendart.shares", FeedOutcome.DONE),
            ),
            added={"prices_raw": 1234},
        )
    )
    with speaking("ko"):
        said = told(line)
    assert said.startswith("1,234행 추가. KRX Open API (주식, 지수): 키가 이 서비스들에 승인되지 않았습니다.")
    assert "OpenDART (공시 목록): 오늘 요청 한도를 다 썼습니다." in said
    assert "KRX Open API (ETF): 나머지는 다음 동기화에서 받습니다." in said
    assert "krx_openapi" not in said
    assert "Hint" not in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (Ahead(ready=12, refused={"a": "b"}).describe("presets ready"), "준비된 프리셋 12개"),
        (Ahead(ready=3, refused={}).describe("strategies warmed"), "준비한 전략 3개"),
        (str(SourceTemporary("datagokr", "no answer after 4 tries (ConnectError)")), "4번 시도했지만 응답이 없습니다"),
        (
            str(SourceBlocked("opendart", until=datetime(2026, 11, 28, 10, tzinfo=UTC), reason="maintenance")),
            "2026-11-28 10:00까지",
        ),
        (str(SourceChanged("krx_openapi", "KOSPI is missing", found="코스닥")), "예상과 다른 응답입니다"),
        ("sources: none is set up. Hint: set STOCKLAB_KRX_OPENAPI_KEY.", "키가 없습니다."),
        ("Snapshot 2026, newest bar 2 days old: prices_raw.jumps 26, statements.late 1,166.", "발견 사항 1,192건"),
    ],
)
def test_lines_of_jobs_and_sources_are_said_in_korean(line: str, said: str) -> None:
    with speaking("ko"):
        assert said in told(line)


def test_a_line_of_another_form_stays_as_it_is() -> None:
    with speaking("ko"):
        assert told("Something new.") == "Something new."
        assert told("") == ""
