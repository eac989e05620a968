"""A key is tried with one real question to its service, and its verdict holds until the key changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from fakes import datagokr, krx_openapi, opendart
from fakes.datagokr import FakeDataGoKr
from fakes.krx_marketplace import FakeKrx
from fakes.krx_openapi import FakeKrxOpenApi
from fakes.naver import HUB_PATH, LEGACY_PATH, FakeNaver
from fakes.opendart import FakeDart
from pydantic import SecretStr

from stocklab.data.sources.calls import KST
from stocklab.data.sources.pykrx import LOGIN_REQUESTS
from stocklab.db import Database, IntentState
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.operations import (
    INTENT_KINDS,
    DatabaseCalls,
    Intents,
    RunLedger,
    SourceKeys,
    Worker,
    open_sealer,
    source_board,
    source_health,
)
from stocklab.operations.key_trials import KeyTrial, KeyVerdict, ask_trial, key_trials
from stocklab.settings import Settings
from stocklab.sidecar.jobs import INTENT_WORKS
from stocklab.sidecar.lanes import IntentLane, Resources

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=KST)  # a Thursday, while the exchange is open: a trial may begin
GOOD = {
    "krx_openapi": {"krx_openapi_key": krx_openapi.KEY},
    "datagokr": {"datagokr_key": datagokr.ENCODED_KEY},
    "opendart": {"opendart_key": opendart.KEY},
    "pykrx": {"krx_id": "person", "krx_password": "pass word&1"},
    "naver_hub": {"naver_client_id": "id", "naver_client_secret": "secret"},
    "naver_legacy": {"naver_legacy_client_id": "id", "naver_legacy_client_secret": "secret"},
}
ASKED = {"krx_openapi": 1, "datagokr": 1, "opendart": 1, "pykrx": LOGIN_REQUESTS, "naver_hub": 1, "naver_legacy": 1}
BARS = pl.DataFrame(
    {
        "date": [datetime(2026, 11, 20).date()],
        "code": ["005930"],
        "name": ["삼성전자"],
        "market": ["KOSPI"],
        "dept": [None],
        **{name: [70_000] for name in ("open", "high", "low", "close")},
        "volume": [10],
        "change": [0],
        "amount": [700_000],
        "market_cap": [10**14],
        "listed_shares": [10**9],
    },
    schema_overrides={"dept": pl.String},
)


@dataclass(kw_only=True)
class Services:
    """All of them, on loopback sockets."""

    krx: FakeKrxOpenApi
    portal: FakeDataGoKr
    dart: FakeDart
    market: FakeKrx
    naver: FakeNaver


@pytest.fixture
def services() -> Iterator[Services]:
    with ExitStack() as stack:
        yield Services(
            krx=stack.enter_context(FakeKrxOpenApi(BARS)),
            portal=stack.enter_context(FakeDataGoKr(BARS)),
            dart=stack.enter_context(FakeDart()),
            market=stack.enter_context(FakeKrx()),
            naver=stack.enter_context(FakeNaver()),
        )


@pytest.fixture
def settings(tmp_path: Path, services: Services) -> Settings:
    return Settings(
        home=tmp_path / "home",
        krx_openapi_url=services.krx.url,
        datagokr_url=services.portal.url,
        opendart_url=services.dart.url,
        krx_url=services.market.url,
        naver_url=services.naver.url,
        naver_legacy_url=services.naver.url,
    )


def keep(database: Database, settings: Settings, values: dict[str, str]) -> None:
    for name, value in values.items():
        SourceKeys(database, open_sealer(settings)).set(name, value)


def lane(database: Database, settings: Settings) -> IntentLane:
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


def trials(database: Database, settings: Settings, *, leads_since: datetime | None = None) -> dict[str, KeyTrial]:
    """As the page reads them."""
    board = source_board(settings, SourceKeys(database, open_sealer(settings)).names(), database, NOW)
    leader = None
    if leads_since is not None:
        leader = Worker(
            worker="me", component="scheduler", state="working", started_at=leads_since, beat_at=leads_since
        )
    return dict(key_trials(Intents(database), board, leader))


def tried(database: Database, settings: Settings, source: str) -> KeyTrial:
    ask_trial(Intents(database), "local", source)
    assert lane(database, settings).work_once()
    return trials(database, settings)[source]


@pytest.mark.parametrize("source", list(GOOD))
def test_a_good_key_works_for_the_price_of_one_question(
    database: Database, settings: Settings, services: Services, source: str
) -> None:
    keep(database, settings, GOOD[source])
    found = tried(database, settings, source)
    assert (found.verdict, found.reason) == (KeyVerdict.WORKS, "")
    assert found.at == NOW
    assert DatabaseCalls(database, clock=lambda: NOW).taken(source) == ASKED[source]
    [health] = [one for one in source_health(database, NOW) if one.source == source]
    assert health.last_ok_at == NOW
    paths = {one.path for one in services.naver.asked}
    assert paths == {"naver_hub": {HUB_PATH}, "naver_legacy": {LEGACY_PATH}}.get(source, set())


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("krx_openapi", "not approved"),
        ("datagokr", "SERVICE_KEY_IS_NOT_REGISTERED_ERROR"),
        ("opendart", "the key is not registered"),
        ("pykrx", "the log-in was refused"),
        ("naver_hub", "status 401"),
        ("naver_legacy", "status 401"),
    ],
)
def test_a_wrong_key_is_refused_with_the_reason_of_the_service(
    database: Database, settings: Settings, services: Services, source: str, reason: str
) -> None:
    wrong = {name: f"wrong-{number}-of-a-stranger" for number, name in enumerate(GOOD[source])}
    keep(database, settings, wrong)
    found = tried(database, settings, source)
    assert found.verdict is KeyVerdict.REFUSED
    assert reason in found.reason
    assert not [value for value in wrong.values() if value in found.reason]
    keep(database, settings, GOOD[source])
    assert trials(database, settings) == {}  # what was said of the old key says nothing of the new one


def test_both_news_services_are_tried_with_their_own_keys(
    database: Database, settings: Settings, services: Services
) -> None:
    keep(database, settings, GOOD["naver_hub"] | {"naver_legacy_client_id": "id", "naver_legacy_client_secret": "no"})
    assert tried(database, settings, "naver_legacy").verdict is KeyVerdict.REFUSED
    assert tried(database, settings, "naver_hub").verdict is KeyVerdict.WORKS


def test_what_could_not_be_asked_is_not_called_refused(
    database: Database, settings: Settings, services: Services
) -> None:
    keep(database, settings, {**GOOD["krx_openapi"], **GOOD["opendart"], **GOOD["pykrx"]})
    calls = DatabaseCalls(database, clock=lambda: NOW)
    calls.block("krx_openapi", until=NOW + timedelta(hours=3), reason="too many questions")
    found = tried(database, settings, "krx_openapi")
    assert found.verdict is KeyVerdict.UNASKED
    assert "too many questions" in found.reason
    assert services.krx.seen == []
    services.dart.statuses.append("800")
    found = tried(database, settings, "opendart")
    assert found.verdict is KeyVerdict.UNASKED
    assert "maintenance" in found.reason
    assert RunLedger(database).claim("sync", "2026-11-25", "me", NOW)
    found = tried(database, settings, "pykrx")  # one log-in at a time
    assert (found.verdict, services.market.asked) == (KeyVerdict.UNASKED, [])
    keep(database, settings, {"krx_openapi_key": "with a blank"})
    assert tried(database, settings, "krx_openapi").verdict is KeyVerdict.REFUSED
    with pytest.raises(InputError, match="source that has keys"):
        Intents(database).ask("local", "try_key", {"source": "upbit"})


def test_a_wish_that_waits_is_renewed_by_a_new_key_and_gone_with_a_deleted_one(
    database: Database, settings: Settings
) -> None:
    intents = Intents(database)
    keep(database, settings, GOOD["opendart"])
    first = ask_trial(intents, "local", "opendart")
    assert trials(database, settings)["opendart"].verdict is None
    keep(database, settings, {"opendart_key": "another"})
    second = ask_trial(intents, "local", "opendart")
    assert intents.get("local", first.id).state is IntentState.CANCELLED
    assert trials(database, settings)["opendart"].intent.id == second.id
    SourceKeys(database, open_sealer(settings)).delete("opendart_key")
    assert trials(database, settings) == {}


def test_of_keys_of_the_environment_a_trial_counts_while_its_scheduler_lives(
    database: Database, settings: Settings, services: Services
) -> None:
    given = settings.model_copy(update={"opendart_key": SecretStr(opendart.KEY)})
    began = utc_now()
    ask_trial(Intents(database), "local", "opendart")
    assert trials(database, given)["opendart"].verdict is None
    assert lane(database, given).work_once()
    assert trials(database, given, leads_since=began)["opendart"].verdict is KeyVerdict.WORKS
    assert trials(database, given, leads_since=datetime.now(UTC)) == {}  # another key may be set since
    assert trials(database, given) == {}
