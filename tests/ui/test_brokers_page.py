"""Accounts at brokers on their page, and the emergency stop in the frame of every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from at_broker import KEYS, accounts, intend, keys_of, linked, said
from house import House
from people import counted
from sqlalchemy import insert, update

from stocklab.brokers.values import BrokerName
from stocklab.db import AccountHealthRow, BrokerAccountRow
from stocklab.live.accounts import LinkedAccount, NotLinked
from stocklab.live.stops_in_force import StopsInForce
from stocklab.live.switches import Switches
from stocklab.operations import Uptime
from stocklab.portfolios import Lab, shared_lab


def look(lab: Lab, account: LinkedAccount, **values: object) -> None:
    """What its thread writes down."""
    at = datetime.now(UTC)
    row = {"account_id": account.id, "owner_id": account.owner_id, "document": {}, "trouble": "", "updated_at": at}
    row |= {"looked_at": at, "well_at": at} | values
    with lab.database.write() as session:
        session.execute(insert(AccountHealthRow).values(**row))


@pytest.fixture
def lab(empty_pages) -> Lab:
    empty_pages()
    return shared_lab()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_without_an_account_the_page_says_so_and_no_page_has_a_stop(empty_pages, language: str) -> None:
    page = empty_pages("brokers", lang=language)
    assert ("아직 연결한 계좌가 없습니다" if language == "ko" else "No account is linked yet") in said(page)
    assert "emergency_now" not in keys_of(page)


def test_an_account_is_linked_and_its_keys_are_never_shown(empty_pages, lab: Lab) -> None:
    page = empty_pages("brokers", link="1", lang="en")
    page.radio(key="broker_choice").set_value(BrokerName.KIWOOM).run()
    assert "Register the public address (IP)" in said(page)
    page.button(key="link_account").click().run()
    assert "app_key must be" in page.error[0].value
    assert accounts(lab).all("local") == ()
    page.text_input(key="field_link_name_kiwoom").input("*mine*")
    for name, value in KEYS.items():
        page.text_input(key=f"field_link_kiwoom_{name}").input(value)
    page.button(key="link_account").click().run()
    shown = said(page)
    assert "The account is linked." in shown
    assert r"\*mine\*" in shown
    assert "5611" in shown
    assert "Mock trading" in shown
    assert "background process is not running" in shown
    for secret in KEYS.values():
        assert secret not in shown
    (account,) = accounts(lab).all("local")
    assert account.mock
    assert accounts(lab).keys(account.id) == KEYS
    page = empty_pages("brokers", account=account.id, lang="en")
    assert [part.value for part in page.text_input if "secret" in str(part.key) or "app_key" in str(part.key)] == [
        ""
    ] * 2


def test_a_paper_account_asks_for_play_money_alone_and_real_money_is_marked(empty_pages, lab: Lab) -> None:
    page = empty_pages("brokers", link="1", lang="en")
    assert page.number_input(key="field_link_cash").value == 10_000_000
    page.button(key="link_account").click().run()
    assert [one.broker for one in accounts(lab).all("local")] == [BrokerName.PAPER]
    linked(lab, mock=False)
    assert ":red-badge[:material/paid: REAL MONEY]" in said(empty_pages("brokers", lang="en"))


def test_health_is_told_in_words(empty_pages, lab: Lab) -> None:
    account, now = linked(lab), datetime.now(UTC)
    assert "background process is not running" in said(empty_pages("brokers", lang="en"))
    Uptime(lab.database).beat("scheduler", "elsewhere:1:a", now)
    assert "Not looked at yet" in said(empty_pages("brokers", lang="en"))
    document = {"calls": 200, "failed": 5, "seconds": 30.0, "open": 2, "in_doubt": 1, "quotes": "close", "socket": "up"}
    look(lab, account, document=document | {"equity_krw": "20000000", "cash_krw": "5000000", "stage": "no_entries"})
    shown = said(empty_pages("brokers", lang="en"))
    for words in ("check_circle: Well", "200, 5 failed (2.5%)", "0.15 s", "delayed: last close", "connected"):
        assert words in shown
    assert "no new purchases" in shown
    for values, words in (
        ({"document": {"denied": True}, "trouble": "kiwoom: HTTP 401"}, "The broker refuses the keys"),
        ({"document": {"stopped": "two rows"}}, "two rows"),
        ({"document": {}, "trouble": "no answer"}, "no answer"),
        ({"looked_at": now - timedelta(minutes=20)}, "thread does not run"),
    ):
        with lab.database.write() as session:
            session.execute(update(AccountHealthRow).values(**values))
        assert words in said(empty_pages("brokers", lang="en"))


def test_name_limits_pause_and_unlinking(empty_pages, lab: Lab) -> None:
    account = linked(lab)
    page = empty_pages("brokers", account=account.id, lang="en")
    page.text_input(key="field_rename").input("another")
    page.button(key="save_name").click().run()
    page.number_input(key="field_most_order_fraction").set_value(12.5)
    page.number_input(key="field_day_loss_0").set_value(9.0)
    page.button(key="save_limits").click().run()
    assert "three rising fractions" in page.error[0].value
    page.number_input(key="field_day_loss_0").set_value(2.5)
    page.button(key="save_limits").click().run()
    kept = accounts(lab).get("local", account.id)
    assert (kept.name, kept.limits.most_order_fraction) == ("another", Decimal("0.125"))
    assert kept.limits.day_loss == (Decimal("0.025"), Decimal("0.05"), Decimal("0.08"))
    page.button(key="switch_account").click().run()
    assert not accounts(lab).get("local", account.id).active
    assert page.button(key="unlink_account").disabled
    page.checkbox(key="unlink_sure").check().run()
    page.button(key="unlink_account").click().run()
    assert not accounts(lab).get("local", account.id).linked
    with pytest.raises(NotLinked):
        accounts(lab).keys(account.id)
    assert "Unlinked" in said(page)


def test_an_account_with_an_open_order_is_not_unlinked(empty_pages, lab: Lab) -> None:
    account = linked(lab)
    intend(lab, account)
    page = empty_pages("brokers", account=account.id, lang="en")
    page.checkbox(key="unlink_sure").check().run()
    page.button(key="unlink_account").click().run()
    assert "no open order" in page.error[0].value
    assert accounts(lab).get("local", account.id).linked


@pytest.mark.parametrize("name", ["home", "help", "brokers"])
def test_the_stop_is_on_every_page_and_so_is_its_bar(empty_pages, lab: Lab, name: str) -> None:
    account = linked(lab)
    page = empty_pages(name, lang="en")
    page.text_input(key="field_emergency_reason").input("*odd* prices")
    page.button(key="emergency_now").click().run()
    (switch,) = Switches(lab.database).of("local")
    assert (switch.scope, switch.reason) == (f"account:{account.id}", "*odd* prices")
    assert "Emergency stop since" in said(page)
    assert r"\*odd\* prices" in said(page)
    assert "emergency_now" not in keys_of(page)
    page.button(key="emergency_lift_now").click().run()
    assert Switches(lab.database).of("local") == ()
    assert "emergency_now" in keys_of(page)


def test_an_admin_stops_everybody_and_nobody_else_does(house: House) -> None:
    _boss, admin = house.boss()
    user = house.join("trader")
    linked(house.lab, user.id)
    mine = house.enter(user)
    assert "everybody_now" not in keys_of(house.pages("system", who=mine))
    page = house.pages("system", who=admin)
    page.text_input(key="field_everybody_reason").input("the exchange is down")
    page.button(key="everybody_now").click().run()
    shown = said(house.pages("help", who=mine))
    assert "All orders of everybody are stopped" in shown
    assert "the exchange is down" in shown
    page = house.pages("system", who=admin)
    page.button(key="everybody_now").click().run()
    assert "All orders of everybody" not in said(house.pages("help", who=mine))


def test_nobody_sees_the_accounts_of_others(house: House) -> None:
    ada, ben = house.join("ada-trades"), house.join("ben-trades")
    account = linked(house.lab, ada.id, name="private name")
    page = house.pages("brokers", who=house.enter(ben), account=account.id)
    assert "There is no such account among yours" in said(page)
    assert "private name" not in said(page)
    assert "emergency_now" not in keys_of(page)
    assert "logged out" in said(house.pages("brokers"))


def test_the_frame_asks_once_and_keeps_the_answer(empty_pages, lab: Lab) -> None:
    linked(lab)
    with counted(lab.database) as sent:
        assert StopsInForce(lab.database).of("local").accounts == 1
    assert len(sent) == 1
    with lab.database.write() as session:
        session.execute(update(BrokerAccountRow).values(sealed=None))
    assert StopsInForce(lab.database).of("local").accounts == 0
