"""The page of alerts in all its states: feed, rules, channels, notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from house import House
from streamlit.testing.v1 import AppTest

from stocklab.alerts import RULE_KINDS, AlertKind, Alerts, Channels, DailyNotes, DayFacts, Feed, Rules, compose
from stocklab.alerts.outbox import Outbox
from stocklab.db import LOCAL_OWNER_ID
from stocklab.operations import RateLimits, Uptime, open_sealer
from stocklab.portfolios import Lab, shared_lab
from stocklab.settings import Settings
from stocklab.ui.text import speaking

HANGUL = re.compile("[가-힣]")
TOKEN = "123456789:" + "k" * 35


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """What a test reads off a widget is in the language of the pages it opens in English."""
    with speaking("en"):
        yield


def said(page: AppTest) -> str:
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success", "code")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(page, kind)).replace("\\", "")


def channels_of(lab: Lab) -> Channels:
    return Channels(lab.database, open_sealer(lab.settings), RateLimits(lab.database))


def test_every_section_is_empty_at_first_and_says_what_to_do(empty_pages: Any) -> None:
    for section, words in {
        "feed": "Nothing happened yet.",
        "rules": "No rule yet.",
        "channels": "No channel yet.",
        "notes": "No daily note yet.",
    }.items():
        korean = empty_pages("alerts", section=section)
        assert not korean.exception
        assert HANGUL.search(korean.title[0].value)
        english = empty_pages("alerts", lang="en", section=section)
        assert not english.exception
        assert words in said(english)
        assert not HANGUL.search(said(english))
        assert ("background process is not running" in said(english)) == (section != "notes")


def test_a_rule_is_made_paused_changed_and_deleted(pages: Any, lab: Lab) -> None:
    page = pages("alerts", lang="en", section="rules")
    symbol = sorted(page.selectbox(key="alerts_rule_symbol").options)[0]
    page.selectbox(key="alerts_rule_symbol").select(symbol)
    page.number_input(key="field_rule_limit_new").set_value(1234.0)
    page.button(key="add_rule").click().run()
    assert not page.exception
    assert "The rule watches from now on." in said(page)
    (rule,) = Rules(lab.database).list(LOCAL_OWNER_ID)
    assert rule.condition == {"sense": "above", "limit": 1234.0}
    assert "₩1,234 or more (target)" in said(page)
    page.button(key=f"pause_rule_{rule.id}").click().run()
    assert "Paused" in said(page)
    page.number_input(key=f"field_rule_limit_{rule.id}").set_value(4321.0)
    page.button(key=f"save_rule_{rule.id}").click().run()
    assert "₩4,321" in said(page)
    page.button(key=f"delete_rule_{rule.id}").click().run()
    assert "The rule was deleted." in said(page)
    page.selectbox(key="alerts_rule_choice").select_index(RULE_KINDS.index(AlertKind.INDICATOR)).run()
    page.selectbox(key="alerts_rule_symbol").select(symbol)
    page.text_input(key="field_rule_formula_new").set_value("clsoe > 3")
    page.button(key="add_rule").click().run()
    assert "clsoe > 3" in said(page)
    assert Rules(lab.database).list(LOCAL_OWNER_ID) == ()
    for kind in (AlertKind.DISCLOSURE, AlertKind.HALT, AlertKind.DATA_STALE):
        page.selectbox(key="alerts_rule_choice").select_index(RULE_KINDS.index(kind)).run()
        assert not page.exception


def test_a_channel_is_added_masked_tried_and_deleted(empty_pages: Any) -> None:
    page = empty_pages("alerts", lang="en", section="channels")
    page.text_input(key="field_channel_telegram_bot_token").set_value("wrong")
    page.text_input(key="field_channel_telegram_chat_id").set_value("42")
    page.button(key="add_channel_telegram").click().run()
    assert "Token of the bot: A token of a bot looks like" in said(page)
    page.text_input(key="field_channel_telegram_bot_token").set_value(TOKEN)
    page.button(key="add_channel_telegram").click().run()
    assert not page.exception
    lab = shared_lab()
    (channel,) = channels_of(lab).list(LOCAL_OWNER_ID)
    page = empty_pages("alerts", lang="en", section="channels")
    assert "bot 123456789 → 42" in said(page)
    assert TOKEN not in said(page)
    assert "Not tried yet" in said(page)
    page.button(key=f"test_{channel.id}").click().run()
    assert "The test waits for the scheduler." in said(page)
    settings = Settings(home=lab.settings.home, telegram_url="http://127.0.0.1:1")
    assert Outbox(lab.database, open_sealer(lab.settings), settings).deliver(lambda: datetime.now(UTC)) == 0
    Uptime(lab.database).beat("scheduler", "other-host:1:x", datetime.now(UTC))
    page = empty_pages("alerts", lang="en", section="channels")
    assert "background process is not running" not in said(page)
    assert "The test did not arrive:" in said(page)
    assert "In trouble" in said(page)
    page.button(key=f"pause_{channel.id}").click().run()
    assert page.button(key=f"test_{channel.id}").disabled
    page.button(key=f"delete_now_{channel.id}").click().run()
    assert channels_of(lab).list(LOCAL_OWNER_ID) == ()


def test_a_secret_to_sign_with_is_shown_once(empty_pages: Any) -> None:
    page = empty_pages("alerts", lang="en", section="channels")
    page.button_group(key="alerts_channel_choice").set_value("webhook").run()
    page.text_input(key="field_channel_webhook_url").set_value("https://n8n.example.com/webhook/abc")
    page.button(key="add_channel_webhook").click().run()
    assert any(str(one.value).startswith("whsec_") for one in page.code)
    page.run()
    assert "whsec_" not in said(page)


def test_the_feed_shows_what_is_new_in_both_languages_and_a_badge_on_every_page(empty_pages: Any) -> None:
    empty_pages("alerts")
    lab = shared_lab()
    alerts = Alerts(lab.database)
    params = {"side": "buy", "name": "<b>*삼성*</b>", "symbol": "005930", "quantity": 10, "price_krw": 71_900}
    for number in range(22):
        alerts.emit(LOCAL_OWNER_ID, AlertKind.FILL, dedupe_key=f"{number}", params=params, link="company?symbol=005930")
    alerts.emit(LOCAL_OWNER_ID, AlertKind.KILL_SWITCH, dedupe_key="k", params={"switch": True, "scope": "acc"})
    page = empty_pages("alerts", lang="en")
    assert not page.exception
    assert "Emergency stop thrown: acc" in said(page)
    assert "Filled: buy 10 <b>*삼성*</b>" in said(page)
    assert len([one for one in page.button if str(one.key).startswith("read_")]) == 20
    page.button(key="alerts_more").click().run()
    assert len([one for one in page.button if str(one.key).startswith("read_")]) == 3
    korean = empty_pages("alerts")
    assert "긴급 정지 작동: acc" in said(korean)
    page = empty_pages("alerts", lang="en")
    page.selectbox(key="alerts_kind_choice").select_index(1 + list(AlertKind).index(AlertKind.KILL_SWITCH)).run()
    page.button(key="alerts_read_all").click().run()
    assert Feed(lab.database).unread(LOCAL_OWNER_ID) == 0
    page.toggle(key="alerts_unread").set_value(True).run()
    assert "Nothing of this kind." in said(page)


def test_notes_are_listed_and_opened(empty_pages: Any) -> None:
    empty_pages("alerts")
    note = compose(DayFacts(session=date(2026, 11, 27), is_session=True))
    DailyNotes(shared_lab().database).keep(LOCAL_OWNER_ID, note)
    page = empty_pages("alerts", lang="en", section="notes")
    assert "2026-11-27: no trades." in said(page)
    page = empty_pages("alerts", section="notes", day="2026-11-27")
    assert "하지 않은 일과 이유" in said(page)
    assert "돌고 있는 자동매매가 없어서 아무 판단도 하지 않았습니다." in said(page)
    for day in ("2026-11-26", "yesterday"):
        page = empty_pages("alerts", lang="en", section="notes", day=day)
        assert not page.exception
        assert page.error


def test_who_is_not_logged_in_sees_nothing_and_each_sees_their_own(house: House) -> None:
    page = house.pages("alerts", lang="en")
    assert not page.exception
    assert not page.selectbox
    _boss, who = house.boss()
    ada = house.join("ada")
    Alerts(house.lab.database).emit(ada.id, AlertKind.HALT, dedupe_key="h", params={"name": "of ada", "flag": "halted"})
    assert "of ada" in said(house.pages("alerts", who=house.enter(ada), lang="en"))
    other = house.pages("alerts", who=who, lang="en")
    assert "of ada" not in said(other)
    assert "Nothing happened yet." in said(other)
