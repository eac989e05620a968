"""Orders on their page: lists, one order, what a person says of it, the ticket, what was sold by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import pyotp
import pytest
from at_broker import accounts, intend, keys_of, linked, said
from house import House
from people import counted
from sqlalchemy import func, insert, select, update

from stocklab.brokers.values import BrokerName
from stocklab.data.sources.calls import KST
from stocklab.db import HandsOffRow, OrderEventRow, OrderRow
from stocklab.live.accounts import LinkedAccount
from stocklab.live.order_list import OrderFilter, OrderGroup, OrderLists
from stocklab.portfolios import Lab, shared_lab
from stocklab.trading import OUTSIDE, Entry, EntryKind
from stocklab.trading.journal import Journal
from stocklab.ui import emergency
from stocklab.ui.orders.services import instruments

NOW = datetime.now(UTC)


@pytest.fixture
def lab(empty_pages) -> Lab:
    empty_pages()
    return shared_lab()


def became(lab: Lab, order: str, state: str, **values: object) -> None:
    with lab.database.write() as session:
        session.execute(update(OrderRow).where(OrderRow.id == order).values(state=state, **values))


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("show", ["open", "doubt", "ended", "ticket", "by_hand"])
def test_an_empty_list_says_so(empty_pages, show: str, language: str) -> None:
    page = empty_pages("orders", show=show, lang=language)
    assert "####" in said(page)
    assert not page.error


def test_an_open_order_is_shown_cancelled_and_told(empty_pages, lab: Lab) -> None:
    account = linked(lab, name="my *account*")
    order = intend(lab, account)
    page = empty_pages("orders", lang="en")
    shown = said(page)
    for words in ("waiting to be sent", r"my \*account\*", "₩70,000", "No strategy", "no order is sent"):
        assert words in shown
    page.button(key=f"cancel_{order}").click().run()
    assert "The cancel is asked for." in said(page)
    assert f"cancel_{order}" not in keys_of(page)
    with lab.database.read() as session:
        assert session.scalar(select(OrderRow.cancel_wanted).where(OrderRow.id == order))
    became(
        lab, order, "cancelled", booked_quantity=Decimal(1), booked_krw=Decimal(69_900), booked_costs_krw=Decimal(10)
    )
    with lab.database.write() as session:
        for before, event, after, details in (
            ("intent", "gate_refused", "refused", {"reasons": ["cash", "unheard_of"]}),
            ("open", "ended", "cancelled", None),
        ):
            values = {"order_id": order, "owner_id": "local", "state_before": before, "state_after": after}
            session.execute(insert(OrderEventRow).values(event=event, details=details, at=NOW, **values))
    assert "filled 1 at ₩69,900 on average, costs ₩10" in said(empty_pages("orders", show="ended", lang="en"))
    shown = said(empty_pages("orders", order=order, lang="en"))
    for words in ("The risk gate refused it", "There is not enough cash. unheard_of", "the rest will not be filled"):
        assert words in shown


def test_all_open_orders_are_cancelled_at_once(empty_pages, lab: Lab) -> None:
    account = linked(lab)
    orders = [intend(lab, account) for _ in range(3)]
    became(lab, orders[0], "filled")
    page = empty_pages("orders", lang="en")
    page.button(key="cancel_all_now").click().run()
    assert "Cancels asked for: 2" in said(page)
    with lab.database.read() as session:
        assert session.scalar(select(func.count()).where(OrderRow.cancel_wanted)) == 2


def test_a_person_says_what_became_of_an_order(empty_pages, lab: Lab) -> None:
    account = linked(lab)
    found, absent, taken = (intend(lab, account) for _ in range(3))
    for order in (found, absent):
        became(lab, order, "ambiguous", sent_at=NOW)
    became(lab, taken, "open", sent_at=NOW, broker_number="0000007", broker_day=NOW.date())
    journal = Journal(lab.database, "local", account.id)
    page = empty_pages("orders", order=found, lang="en")
    for wrong, words in (("abc", "up to ten digits"), ("", "up to ten digits")):
        page.text_input(key="field_broker_number").input(wrong)
        page.button(key="settle_found").click().run()
        assert words in page.error[0].value
    page.text_input(key="field_broker_number").input("12345")
    page.button(key="settle_found").click().run()
    assert "You said so: number 0012345" in said(page)
    page.text_input(key="field_broker_number").input("12346")  # a slip, corrected
    page.button(key="settle_found").click().run()
    kept = {one.order.order_id: one.order for one in journal.orders(NOW.date())}
    assert kept[found].state == "open"
    assert kept[found].ref is not None
    assert kept[found].ref.number == "0012346"
    page = empty_pages("orders", order=absent, lang="en")
    page.button(key="settle_absent").click().run()
    assert "It was looked for long enough" in said(page)
    assert not journal.settle_ambiguous(absent, "0000009", NOW)
    assert not journal.settle_ambiguous(taken, "0000009", NOW)  # the broker itself named it


def funded(lab: Lab, account: LinkedAccount) -> None:
    cash = Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=Decimal(20_000_000))
    Journal(lab.database, account.owner_id, account.id).book([cash], NOW)


def test_a_ticket_shows_what_it_would_come_to_and_is_one_order(pages) -> None:
    pages()
    lab = shared_lab()
    funded(lab, linked(lab))
    symbol = lab.panel().symbols[0]
    page = pages("orders", show="ticket", lang="en")
    page.text_input(key="field_ticket_symbol").input("nothing").run()
    assert "No market data know this symbol." in said(page)
    page.text_input(key="field_ticket_symbol").input(symbol)
    page.text_input(key="field_ticket_size").input("many").run()
    assert "is no number above 0" in said(page)
    close = int(pages_close(lab, symbol))
    page.text_input(key="field_ticket_size").input("1,000,000")
    page.text_input(key="field_ticket_price").input(f"{close:,}").run()
    assert "There is not enough cash." in said(page)
    assert page.button(key="place").disabled
    page.text_input(key="field_ticket_size").input("1").run()
    shown = said(page)
    assert "Limits of the day" in shown
    assert "There is not enough cash." not in shown
    page.button(key="place").click().run()
    assert "The order is written" in said(page)
    (line,) = OrderLists(lab.database).page("local").items
    assert (line.symbol, line.quantity, line.limit_price_krw, line.origin) == (symbol, 1, close, "person")


def pages_close(lab: Lab, symbol: str) -> Decimal:
    found = instruments().get(symbol)
    assert found is not None
    assert found.close is not None
    return found.close.price_krw


def test_real_money_needs_accounts_a_code_and_the_name(house: House) -> None:
    user = house.join("live-one")
    enrolment = house.accounts.second_factor.begin(user.id)
    code = pyotp.TOTP(enrolment.secret)
    house.accounts.second_factor.enable(user.id, code.now())
    account = linked(house.lab, user.id, name="real one", mock=False)
    funded(house.lab, account)
    page = house.pages("orders", who=house.enter(user), show="ticket")
    assert "REAL MONEY" in said(page)
    for key, value in (("symbol", "KRW-BTC"), ("size", "10"), ("price", "10000")):
        page.text_input(key=f"field_ticket_{key}").input(value)
    page.run()
    page.text_input(key="field_ticket_typed").input("real one")
    page.text_input(key="field_ticket_code").input("not a code")
    page.button(key="place").click().run()
    assert "The code is not right" in page.error[0].value
    assert OrderLists(house.lab.database).page(user.id).items == ()
    page.text_input(key="field_ticket_code").input(code.at(time.time() + 30))
    page.button(key="place").click().run()
    assert [line.symbol for line in OrderLists(house.lab.database).page(user.id).items] == ["KRW-BTC"]


def test_what_was_sold_by_hand_waits_for_consent(empty_pages, lab: Lab) -> None:
    account = linked(lab)
    with lab.database.write() as session:
        session.add(HandsOffRow(account_id=account.id, owner_id="local", symbol="005930", noticed_at=NOW))
    page = empty_pages("orders", show="by_hand", lang="en")
    page.button(key="agree_005930").click().run()
    assert "may be bought again since" in said(page)


def test_orders_of_others_are_not_there_and_lists_send_two_statements(house: House) -> None:
    ada, ben = house.join("ada-orders"), house.join("ben-orders")
    account = accounts(house.lab).link(ada.id, BrokerName.PAPER, mock=True, name="paper", entered={})
    emergency.forget()
    orders = [intend(house.lab, account) for _ in range(25)]
    page = house.pages("orders", who=house.enter(ben), order=orders[0])
    assert "There is no such order" in page.error[0].value
    assert "logged out" in said(house.pages("orders"))
    lists = OrderLists(house.lab.database)
    seen = set()
    after, pages = None, 0
    while pages == 0 or after is not None:
        with counted(house.lab.database) as sent:
            found = lists.page(ada.id, OrderFilter(account_id=account.id, sleeve_id=OUTSIDE), after=after)
        assert len(sent) == 2
        seen |= {line.id for line in found.items}
        after, pages = found.after, pages + 1
    assert (seen, pages) == (set(orders), 2)
    assert lists.page(ben.id, OrderFilter(account_id=account.id)).items == ()
    assert lists.page(ada.id, OrderFilter(group=OrderGroup.ENDED)).items == ()
    assert lists.page(ada.id, OrderFilter(symbol="000660")).items == ()
    today = datetime.now(UTC).astimezone(KST).date()
    assert len(lists.page(ada.id, OrderFilter(day=today)).items) == 20
