"""The state of the data in one word, the syncs behind it, and the sources with their keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from pydantic import SecretStr

from stocklab.data.freshness import Freshness
from stocklab.data.sources import krx_openapi
from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.known import KNOWN_SOURCES, PRICE_ORDER
from stocklab.data.sources.krx_feeds import krx_feeds
from stocklab.db import LOCAL_OWNER_ID, Database, IntentState, RunState
from stocklab.operations import (
    SOURCE_KEYS,
    DatabaseCalls,
    DataWord,
    Intents,
    RunLedger,
    Sealer,
    SourceKeys,
    SourceLine,
    data_word,
    last_answer,
    source_board,
    sync_events,
)
from stocklab.operations.key_reasons import key_entered_since
from stocklab.settings import Settings

NOW = datetime(2026, 11, 21, 9, tzinfo=KST)


def fresh(due: int = 0) -> Freshness:
    return Freshness(last=date(2026, 11, 20), behind=due, due=due, newest=date(2026, 11, 20), next_release=None)


def word(
    database: Database, *, key: bool = True, news: bool = False, snapshot: bool = True, **more: object
) -> DataWord:
    secret = SecretStr("k")
    hub = {"naver_client_id": secret, "naver_client_secret": secret} if news else {}
    settings = Settings(krx_openapi_key=secret if key else None, **hub)
    given = {"synthetic": False, "fresh": fresh(), "ever_asked": True, **more}
    return data_word(
        snapshot=snapshot,
        sources=source_board(settings, {}, database, NOW),
        events=sync_events(database),
        **given,  # type: ignore[arg-type]
    )


def test_the_first_thing_to_know_is_said(database: Database) -> None:
    assert word(database) is DataWord.FRESH
    assert word(database, fresh=fresh(2)) is DataWord.STALE
    assert word(database, fresh=None) is DataWord.STALE
    assert word(database, ever_asked=False) is DataWord.NEVER
    assert word(database, key=False) is DataWord.OFF
    assert word(database, key=False, news=True) is DataWord.OFF  # a key for news alone syncs no prices
    assert word(database, key=False, synthetic=True) is DataWord.DEMO
    assert word(database, snapshot=False, fresh=None, ever_asked=False) is DataWord.EMPTY


def test_syncs_that_were_asked_for_and_those_of_the_timetable_decide_together(database: Database) -> None:
    intents, ledger = Intents(database), RunLedger(database)
    moments = [NOW + timedelta(minutes=n) for n in range(9)]
    asked = intents.ask(LOCAL_OWNER_ID, "sync_now", now=moments[0])
    intents.ask(LOCAL_OWNER_ID, "collect_garbage", now=moments[0])  # no sync
    assert word(database) is DataWord.WAITING
    intents.take("one", moments[1], ["sync_now"])
    assert word(database) is DataWord.SYNCING
    intents.finish(asked.id, "one", IntentState.FAILED, now=moments[2], message="no disk")
    assert word(database) is DataWord.FAILED
    assert ledger.claim("sync", "2026-11-20", "one", moments[3])
    assert word(database) is DataWord.SYNCING
    ledger.finish("sync", "2026-11-20", "one", RunState.DONE, now=moments[4])
    assert word(database) is DataWord.FRESH
    ledger.claim("sync_morning", "2026-11-21", "one", moments[5])
    ledger.request_cancel("sync_morning", "2026-11-21")
    ledger.finish("sync_morning", "2026-11-21", "one", RunState.SKIPPED, now=moments[6])
    assert word(database) is DataWord.CANCELLED
    ledger.close_open("sync", "2026-11-21", RunState.MISSED, now=moments[7], message="too late")
    assert word(database) is DataWord.CANCELLED  # what did not run changes nothing
    assert [event.state for event in sync_events(database)] == ["missed", "cancelled", "done", "failed"]


def test_keys_are_set_by_whom_and_what_the_environment_sets_wins(database: Database) -> None:
    kept = SourceKeys(database, Sealer(("s" * 32,)))
    kept.set("krx_openapi_key", "mine")
    kept.set("opendart_key", "mine")
    settings = Settings(krx_openapi_key=SecretStr("theirs"), datagokr_key=SecretStr(""))
    board = {one.source.name: one for one in source_board(settings, kept.names(), database, NOW)}
    held = {key.name: key.held for one in board.values() for key in one.keys}
    assert (held["krx_openapi_key"], held["opendart_key"]) == ("environment", "stored")
    assert (held["datagokr_key"], held["krx_id"]) == ("missing", "missing")
    assert [name for name, one in board.items() if one.on and one.keys] == ["krx_openapi", "opendart"]
    coins = source_board(Settings(sync_coins=True), {}, database, NOW)
    assert [one.source.name for one in coins if one.on] == ["upbit"]
    assert board["pykrx"].missing == ("krx_id", "krx_password")
    assert "mine" not in repr(board)
    assert "theirs" not in repr(board)


def test_health_and_budget_are_those_of_the_ledger(database: Database) -> None:
    times = iter(NOW + timedelta(minutes=n) for n in range(99))
    calls = DatabaseCalls(database, clock=lambda: next(times))
    for _ in range(3):
        calls.take("pykrx", budget=30)
    calls.note("pykrx", ok=True)
    calls.note("krx_openapi", ok=False, message="HTTP 401")
    calls.note("naver_hub", ok=True)
    board = source_board(Settings(), {}, database, NOW)
    found = {one.source.name: one for one in board}
    assert (found["pykrx"].calls_today, found["pykrx"].left_today) == (3, 27)
    assert found["krx_openapi"].failing
    assert found["upbit"].left_today is None
    answer = last_answer(board)
    assert answer is not None
    assert answer.source == "pykrx"  # news are not market data


def test_the_facts_of_sources_agree_with_the_sources_themselves() -> None:
    known = {one.name: one for one in KNOWN_SOURCES}
    assert {name for one in KNOWN_SOURCES for name in one.keys} == set(SOURCE_KEYS)
    krx = known[krx_openapi.SOURCE]
    with krx_openapi.KrxOpenApi("http://127.0.0.1:1", "k", MemoryCalls()) as api:
        feeds = krx_feeds(api)
    assert krx.feeds == tuple(feed.name for feed in feeds)
    assert set(krx.datasets) == {name for feed in feeds for name in feed.datasets}
    assert krx.budget == krx_openapi.PACE.budget
    assert all(feed in known[feed.partition(".")[0]].feeds for feed in PRICE_ORDER)


def test_an_error_and_a_reason_are_over_once_the_source_answered_or_a_key_was_entered(database: Database) -> None:
    kept = SourceKeys(database, Sealer(("s" * 32,)))
    times = iter(datetime.now(UTC) + timedelta(minutes=n) for n in (-30, 10, 20))
    calls = DatabaseCalls(database, clock=lambda: next(times))
    refused = "nothing new; krx_openapi.stocks denied: krx_openapi: no; krx_openapi.etfs denied: krx_openapi: no"
    wanting = "opendart: no key is set Hint: set STOCKLAB_OPENDART_KEY."
    then = datetime.now(UTC) - timedelta(minutes=25)

    def board(**settings: SecretStr) -> dict[str, SourceLine]:
        found = source_board(Settings(**settings), kept.names(), database, NOW)  # type: ignore[arg-type]
        return {one.source.name: one for one in found}

    secret = SecretStr("k")
    calls.note("krx_openapi", ok=False, message="HTTP 401")
    found = board(krx_openapi_key=secret)
    assert found["krx_openapi"].failing
    lines = tuple(found.values())
    assert not key_entered_since(refused, then, lines)
    assert not key_entered_since(wanting, then, lines)
    assert not key_entered_since("krx_openapi: no answer after 4 tries (status 503)", then, lines)
    assert key_entered_since("sources: none is set up. Hint: set STOCKLAB_KRX_OPENAPI_KEY", then, lines)
    assert not key_entered_since("sources: none is set up.", then, tuple(board().values()))

    kept.set("krx_openapi_key", "new")
    kept.set("opendart_key", "new")
    found = board()
    lines = tuple(found.values())
    assert not found["krx_openapi"].failing  # it was another key
    assert found["krx_openapi"].last_error == "HTTP 401"
    assert key_entered_since(refused, then, lines)
    assert key_entered_since(wanting, then, lines)
    assert not key_entered_since(refused, datetime.now(UTC) + timedelta(minutes=1), lines)
    assert not key_entered_since(f"{refused}; datagokr.stocks denied: datagokr: no", then, lines)
    calls.note("krx_openapi", ok=False, message="HTTP 500")
    assert board()["krx_openapi"].failing
    calls.note("krx_openapi", ok=True)
    assert not board()["krx_openapi"].failing
