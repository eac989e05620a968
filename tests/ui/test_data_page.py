"""The data page in every state of data, sources and syncs, with what to do next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from stocklab.data.sources.calls import now_kst
from stocklab.data.sync.progress_words import progress_words
from stocklab.data.sync.report import SyncProgress
from stocklab.db import IntentState
from stocklab.market.calendar import previous_session, sessions_between
from stocklab.operations import Uptime
from stocklab.portfolios import Lab, shared_lab
from stocklab.ui.data import lookups
from stocklab.ui.data.sync_panel import progress_sentence
from stocklab.ui.text import speaking

Open = Callable[..., AppTest]
KEY = "0123456789abcdef"


def words(page: AppTest) -> str:
    assert not page.exception
    parts = (*page.markdown, *page.success, *page.error, *page.info, *page.warning, *page.caption)
    return "\n".join(part.value for part in parts)


def facts(page: AppTest) -> str:
    return "\n".join(part.proto.body for part in page.get("html"))


def metric(page: AppTest, label: str) -> str:
    return next(part.value for part in page.metric if part.label == label)


def keys(page: AppTest) -> set[str]:
    return {str(part.key) for part in page.button}


def bars(until: date, *, sessions: int = 40, source: str = "krx_openapi.stocks") -> pl.DataFrame:
    """Raw bars of three stocks on the last sessions before and on a day."""
    days = sessions_between(until - timedelta(days=2 * sessions), until, expected=True)[-sessions:]
    rows = [
        {
            "session": day,
            "symbol": symbol,
            "open": 1_000,
            "high": 1_000,
            "low": 1_000,
            "close": 1_000,
            "volume": 10,
            "tv": 10_000,
            "change": 0,
            "market": "KOSPI",
            "mcap": 10**9,
            "shares_listed": 10**6,
            "dept": None,
            "source": source,
        }
        for symbol in ("000020", "000040", "000050")
        for day in days.astype(object)
    ]
    return pl.DataFrame(rows, schema_overrides={"dept": pl.String})


def newest_released() -> date:
    """The newest session whose data can be there now."""
    return previous_session(now_kst().date() - timedelta(hours=0 if now_kst().hour >= 8 else 24), expected=True)


def store_bars(until: date, **more: Any) -> Lab:
    """The lab of a home that holds bars up to a day."""
    lab = shared_lab()
    extra = more.pop("extra", {})
    frames = {"prices_raw": bars(until, **more), **extra}
    lab.store.write(frames, sources=dict.fromkeys(frames, "test"))
    return lab


@pytest.fixture
def keyed(empty_pages: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Pages of an empty home with a key of the KRX Open API in the environment."""
    monkeypatch.setenv("STOCKLAB_KRX_OPENAPI_KEY", KEY)
    return empty_pages


def answered(lab: Lab) -> None:
    lab.calls.take("krx_openapi", budget=None)
    lab.calls.note("krx_openapi", ok=True)


def ended(lab: Lab, state: IntentState, message: str = "") -> None:
    """A sync that was asked for, taken and ended."""
    asked = lab.intents.ask(lab.owner_id, "sync_now")
    lab.intents.take("worker", datetime.now(UTC), ["sync_now"])
    assert lab.intents.finish(asked.id, "worker", state, now=datetime.now(UTC), message=message)


def test_an_empty_home_offers_keys_import_and_demo(empty_pages: Open) -> None:
    page = empty_pages("data", lang="en")
    assert "There is no market data yet." in words(page)
    assert "Enter the key of a source below" in words(page)
    assert "save_krx_openapi" in keys(page)
    assert "stocklab data import" in "".join(part.value for part in empty_pages("data", section="import").code)


def test_an_empty_home_with_a_key_offers_a_sync_and_says_that_nobody_would_do_it(keyed: Open) -> None:
    page = keyed("data", lang="en")
    assert "after about a minute the last months are there" in words(page)
    assert "The background process is not running" in words(page)
    Uptime(shared_lab().database).beat("scheduler", "worker", datetime.now(UTC))
    page = page.run()
    assert "The background process is not running" not in words(page)
    page.button(key="sync_now").click().run()
    assert [one.kind for one in shared_lab().intents.list(live=True)] == ["sync_now"]
    assert "A sync waits to begin." in words(page)


def test_demo_data_are_called_so_and_coins_cannot_replace_them(pages: Open) -> None:
    page = pages("data", lang="en")
    assert "This market is invented (demo data)." in words(page)
    assert "sync_now" not in keys(page)
    assert metric(page, "Last synced") == "Never"


def test_imported_data_without_a_key_are_off_and_not_wrong(empty_pages: Open) -> None:
    store_bars(newest_released(), source="marcap")
    page = empty_pages("data", lang="en")
    assert "Automatic sync is off: no source has a key." in words(page)
    assert not page.error
    assert not page.warning


def test_imported_data_with_a_key_were_never_synced(keyed: Open) -> None:
    store_bars(newest_released(), source="marcap")
    page = keyed("data", lang="en")
    assert "Never synced: what is here was imported." in words(page)
    assert "sync_now" in keys(page)


def test_data_up_to_the_newest_session_are_fresh(keyed: Open) -> None:
    answered(store_bars(newest_released()))
    page = keyed("data", lang="en")
    assert "Up to date." in words(page)
    assert metric(page, "Last session") == newest_released().isoformat()
    assert metric(page, "Last synced") == f"{now_kst():%m-%d %H:%M}"
    assert metric(page, "Age of the data") in ("Newest", "1 session")
    for section in ("coverage", "quality", "store"):
        assert words(keyed("data", section=section))
    assert not list(shared_lab().store.panels.glob("*"))  # a page must not wait for the panel of a new snapshot


def test_older_data_are_stale_by_sessions(keyed: Open) -> None:
    last = newest_released()
    for _ in range(3):
        last = previous_session(last, expected=True)
    answered(store_bars(last))
    page = keyed("data", lang="en")
    assert "3 sessions are missing." in words(page)
    assert f"since {last}" in words(page)


def test_a_failed_sync_says_why_and_a_cancelled_one_where_it_goes_on(keyed: Open) -> None:
    lab = store_bars(newest_released())
    answered(lab)
    ended(lab, IntentState.FAILED, "krx_openapi: HTTP 401 *Unauthorized*.")
    page = keyed("data", lang="en")
    assert "The last sync failed" in page.error[0].value
    assert "HTTP 401 \\*Unauthorized\\*" in page.error[0].value
    assert "sync_now" in keys(page)
    ended(lab, IntentState.CANCELLED)
    assert "The last sync was cancelled" in words(keyed("data", lang="en"))
    ended(lab, IntentState.DONE, "12 rows added; krx_openapi.etfs denied: apply for it")
    said = words(keyed("data", lang="en"))
    assert "Up to date." in said
    assert "Rows added: 12. KRX Open API (ETFs): apply for it." in said.replace("\\", "")


def test_a_running_sync_shows_how_far_it_is_and_is_cancelled(keyed: Open) -> None:
    lab = store_bars(newest_released())
    asked = lab.intents.ask(lab.owner_id, "sync_now")
    lab.intents.take("worker", datetime.now(UTC), ["sync_now"])
    progress = SyncProgress(
        feed="krx_openapi.stocks", asked=120, wanted=4_900, rows=312_000, seconds=61.0, seconds_left=2_400.0
    )
    lab.intents.save_progress(asked.id, "worker", {"done": progress.fraction, "text": progress_words(progress)})
    page = keyed("data", lang="en")
    assert "Syncing." in words(page)
    shown = page.get("progress")[0].proto.text
    assert shown == "KRX Open API: stocks · 120 of 4,900 questions · 312,000 rows · about 40 minutes left · 2%"
    assert "sync_now" not in keys(page)
    page.button(key=f"cancel_sync_now_{asked.id}").click().run()
    assert "Stopping…" in words(page)
    assert lab.intents.get(lab.owner_id, asked.id).cancel_requested


def test_a_sync_of_the_timetable_is_shown_and_cancelled_too(keyed: Open) -> None:
    lab = store_bars(newest_released())
    assert lab.ledger.claim("sync", "2026-11-20", "worker", datetime.now(UTC))
    page = keyed("data", lang="en")
    assert "Syncing." in words(page)
    page.button(key="cancel_sync_2026-11-20").click().run()
    run = lab.ledger.get("sync", "2026-11-20")
    assert run is not None
    assert run.cancel_requested


def test_while_the_exchange_is_open_a_sync_is_put_off(keyed: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(store_bars(date(2026, 11, 19)))
    noon = datetime(2026, 11, 20, 12, tzinfo=now_kst().tzinfo)
    monkeypatch.setattr(lookups, "now_kst", lambda: noon)
    page = keyed("data", lang="en")
    assert "no sync begins now" in words(page)
    assert page.button(key="sync_now").label == "Sync after 15:40"
    page.button(key="sync_now").click().run()
    Uptime(shared_lab().database).beat("scheduler", "worker", noon)
    assert "this one does after 2026-11-20 15:40" in words(page.run())


def test_a_key_is_set_and_deleted_and_never_shown(empty_pages: Open) -> None:
    page = empty_pages("data", lang="en")
    page.text_input(key="field_krx_openapi_key").input("secret-value-1")
    page.button(key="save_krx_openapi").click().run()
    assert "Saved." in words(page)
    lab = shared_lab()
    assert lab.source_keys().values() == {"krx_openapi_key": "secret-value-1"}
    page = empty_pages("data", lang="en")
    assert ":green-badge[:material/check_circle: On]" in words(page)
    assert page.text_input(key="field_krx_openapi_key").value in (None, "")
    assert "secret-value-1" not in repr(page.main) + words(page)
    page.button(key="delete_krx_openapi").click().run()
    assert "Deleted." in words(page)
    assert not lab.source_keys().names()


def test_a_key_of_the_environment_is_named_and_cannot_be_changed(keyed: Open) -> None:
    page = keyed("data", lang="en")
    field = page.text_input(key="field_krx_openapi_key")
    assert field.disabled
    assert field.placeholder == "Set in the environment"
    assert "STOCKLAB_KRX_OPENAPI_KEY" in field.help
    assert "delete_krx_openapi" not in keys(page)
    assert KEY not in repr(page.main) + words(page)


def test_a_blocked_source_says_until_when_and_is_asked_again_on_request(keyed: Open) -> None:
    lab = shared_lab()
    lab.calls.note("krx_openapi", ok=False, message="HTTP 429")
    lab.calls.block("krx_openapi", until=datetime.now(UTC) + timedelta(hours=2), reason="too many questions")
    page = keyed("data", lang="en")
    assert "Left alone until" in words(page)
    page.button(key="unblock_krx_openapi").click().run()
    assert "Left alone until" not in words(page)
    assert "Last question failed" in words(page)


def test_an_error_that_is_over_is_history_and_no_longer_the_state(keyed: Open) -> None:
    lab = shared_lab()
    lab.calls.note("krx_openapi", ok=False, message="HTTP 500 *sorry*")
    page = keyed("data", lang="en")
    assert "Last question failed" in words(page)
    assert "<dt>Last error</dt>" in facts(page)
    lab.calls.note("krx_openapi", ok=True)
    page = keyed("data", lang="en")
    assert "Last question failed" not in words(page)
    assert "<dt>Last error</dt>" not in facts(page)
    assert "Earlier error," in words(page)
    assert "HTTP 500 \\*sorry\\*" in words(page)


def test_a_saved_key_is_tried_by_the_scheduler_and_the_page_says_what_came_of_it(empty_pages: Open) -> None:
    page = empty_pages("data", lang="en")
    page.text_input(key="field_opendart_key").input("k" * 40)
    page.button(key="save_opendart").click().run()
    assert "It is tried as soon as the background process runs" in words(page)
    assert "the background process is not running" in words(page)
    assert page.button(key="try_opendart").disabled
    lab, now = shared_lab(), datetime.now(UTC)
    [wish] = lab.intents.list(live=True)
    assert (wish.kind, dict(wish.document)) == ("try_key", {"source": "opendart"})

    Uptime(lab.database).beat("scheduler", "worker", now)
    lab.intents.take("worker", now, ["try_key"])
    assert "Key is being tried" in words(empty_pages("data", lang="en"))
    message = "refused: opendart: the key is not registered (status 010). Hint: look at the key in the settings"
    lab.intents.finish(wish.id, "worker", IntentState.DONE, now=now, message=message)
    page = empty_pages("data", lang="en")
    assert "Key refused" in words(page)
    assert "the key is refused.** OpenDART: The key is not registered." in words(page).replace("\\", "")
    page.button(key="try_opendart").click().run()
    [again] = lab.intents.list(live=True)
    lab.intents.take("worker", now, ["try_key"])
    lab.intents.finish(again.id, "worker", IntentState.DONE, now=now, message="works")
    page = empty_pages("data", lang="en")
    assert "Key works" in words(page)

    page.text_input(key="field_opendart_key").input("another" * 6)
    page.button(key="save_opendart").click().run()
    assert "Saved, and being tried now." in words(page)
    assert "Key works" not in words(page)


def test_a_failed_sync_no_longer_asks_for_a_key_that_was_entered(empty_pages: Open) -> None:
    lab = store_bars(newest_released())
    lab.source_keys().set("krx_openapi_key", "old")
    ended(
        lab, IntentState.FAILED, "nothing new; krx_openapi.stocks denied: krx_openapi: the key is refused (status 401)"
    )
    assert "The service refuses the key" in empty_pages("data", lang="en").error[0].value
    lab.source_keys().set("krx_openapi_key", "new")
    said = empty_pages("data", lang="en").error[0].value
    assert "a key was entered since" in said
    assert "The service refuses the key" not in said


def test_a_map_of_few_datasets_is_not_stretched(empty_pages: Open) -> None:
    few = store_bars(newest_released()).store.current()
    assert few is not None
    until = newest_released()
    layout = lookups.coverage_figure(few, until).to_dict()["layout"]
    assert (layout["width"], layout["height"]) == (160, 74)


def test_differences_show_both_values_and_the_order_of_sources(keyed: Open) -> None:
    until = newest_released()
    differing = pl.DataFrame(
        {
            "dataset": ["prices_raw"],
            "session": [until],
            "symbol": ["000020"],
            "column": ["close"],
            "source": ["krx_openapi.stocks"],
            "value": ["1000"],
            "other_source": ["datagokr.stocks"],
            "other_value": ["1010"],
        }
    )
    answered(store_bars(until, extra={"disagreements": differing}))
    page = keyed("data", lang="en")
    newest = page.dataframe[1].value
    assert newest[["value", "source", "other_value", "other_source"]].to_numpy().tolist() == [
        ["1000", "KRX Open API: stocks", "1010", "Public-data portal: stocks"]
    ]
    order = next(part.proto.body for part in page.get("html") if "lab-table" in part.proto.body)
    assert order.index("KRX Open API: stocks") < order.index("Public-data portal: stocks")
    assert "Fills and checks" not in order  # the portal has no key here
    assert ">40</td>" in order


@pytest.mark.parametrize("section", ["coverage", "quality", "store", "import"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_section_is_drawn_on_the_demo_market(pages: Open, section: str, lang: str) -> None:
    page = pages("data", section=section, lang=lang)
    assert words(page)
    assert not page.error


def test_holes_are_listed(keyed: Open) -> None:
    until = date(2024, 3, 29)
    frame = bars(until)
    gone = frame["session"].unique().sort()[20]
    lab = shared_lab()
    lab.store.write({"prices_raw": frame.filter(pl.col("session") != gone)}, sources={"prices_raw": "test"})
    page = keyed("data", section="coverage", lang="en")
    assert page.dataframe[0].value["session"].tolist() == [gone]


def test_scores_are_listed_lowest_first(pages: Open) -> None:
    page = pages("data", section="quality", lang="en")
    table = page.dataframe[-1].value
    scores = table["score"].tolist()
    assert scores == sorted(scores)
    assert 0 <= scores[0] < 100


def test_progress_in_other_words_is_shown_as_it_is() -> None:
    with speaking("ko"):
        assert progress_sentence("Ask *nobody*") == "Ask \\*nobody\\*"
        storing = SyncProgress(feed="", asked=2, wanted=3, rows=4, seconds=1, seconds_left=3.0, storing=True)
        assert progress_sentence(progress_words(storing)) == (
            "받은 데이터 저장 중 · 요청 3건 중 2건 · 4행 · 1분 안에 끝남"
        )
