"""Orders that a person writes: one for each ticket, of that person's accounts, with leave where money is real."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stocklab.brokers.values import PriceKind, Quote, QuoteSource, Side
from stocklab.db import BrokerAccountRow, Database, KillSwitchRow, LastQuoteRow, OrderRow, OwnerRow
from stocklab.errors import InputError
from stocklab.live.accounts import BrokerAccounts, NotLinked
from stocklab.live.hands_off import HandsOff, held_back, note_sales
from stocklab.live.instruments import Instrument
from stocklab.live.permission import Permission, PermissionNeeded
from stocklab.live.ticket_preview import TicketPreviews
from stocklab.live.tickets import ManualTicket, NoSuchOrder, NotSellable, Tickets
from stocklab.operations import Sealer
from stocklab.trading import OUTSIDE, Entry, EntryKind
from stocklab.trading.journal import EVERYTHING, Journal, Origin

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
D = Decimal
CLOSE = Quote(
    symbol="X", price_krw=D(10_000), at=NOW - timedelta(days=1), source=QuoteSource.CLOSE, base_price_krw=D(10_000)
)
X = Instrument(symbol="X", name="X", market="KOSPI", sector="", close=CLOSE)


@pytest.fixture
def home(database: Database) -> Database:
    """A mock account and one with real money of `local`, one of somebody else; a million won and 10 X in each."""
    with database.write() as session:
        session.add(OwnerRow(id="other", name="other"))
        session.flush()
        for name, owner, mock in (("mock", "local", True), ("live", "local", False), ("b", "other", True)):
            session.add(
                BrokerAccountRow(
                    id=name, owner_id=owner, broker="kiwoom", mock=mock, name=f"my {name}", sealed="s", active=True
                )
            )
    for name, owner in (("mock", "local"), ("live", "local"), ("b", "other")):
        Journal(database, owner, name).book(
            [
                Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=D(1_000_000)),
                Entry(kind=EntryKind.UNEXPLAINED, sleeve_id=OUTSIDE, symbol="X", quantity=D(10)),
            ],
            NOW,
        )
    return database


def tickets(database: Database) -> Tickets:
    return Tickets(database, BrokerAccounts(database, Sealer(("x" * 32,))))


def ticket(account: str = "mock", side: str = "buy", quantity: int = 5, token: str = "12345678") -> ManualTicket:
    return ManualTicket(
        account_id=account, symbol="X", side=Side(side), kind=PriceKind.LIMIT, token=token, quantity=D(quantity),
        limit_price_krw=D(10_000),
    )  # fmt: skip


def test_a_double_click_is_one_order(home: Database) -> None:
    first = tickets(home).place("local", ticket(), NOW)
    again = tickets(home).place("local", ticket(quantity=7), NOW)
    assert (first.order.order_id, first.origin, first.parts) == (again.order.order_id, Origin.PERSON, {OUTSIDE: 5})
    assert tickets(home).place("local", ticket(token="another-one"), NOW).order.order_id != first.order.order_id


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """What each of several threads gets that begin together."""
    start, found = threading.Barrier(count), list[object]()

    def run(number: int) -> None:
        start.wait()
        try:
            found.append(work(number))
        except InputError as error:
            found.append(type(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return found


def test_many_clicks_at_once_are_one_order_and_many_sales_no_more_than_is_held(home: Database) -> None:
    service = tickets(home)
    found = at_once(4, lambda _: service.place("local", ticket(), NOW).order.order_id)
    assert len(found) == 4
    assert len(set(found)) == 1
    sold = at_once(
        4, lambda number: service.place("local", ticket(side="sell", quantity=4, token=f"sale-{number:04}"), NOW)
    )
    assert sold.count(NotSellable) == 2


def test_real_money_needs_leave(home: Database) -> None:
    leave = Permission(owner_id="local", typed="my live", second_step_at=NOW - timedelta(minutes=5))
    for none in (
        None,
        replace(leave, typed="my mock"),
        replace(leave, second_step_at=None),
        replace(leave, second_step_at=NOW - timedelta(minutes=5, seconds=1)),
        replace(leave, second_step_at=NOW + timedelta(seconds=1)),
        replace(leave, owner_id="other"),
    ):
        with pytest.raises(PermissionNeeded):
            tickets(home).place("local", ticket("live"), NOW, permission=none)
    assert tickets(home).place("local", ticket("live"), NOW, permission=leave).order.account_id == "live"


def test_what_is_refused_writes_nothing(home: Database) -> None:
    service = tickets(home)
    with pytest.raises(NotLinked):
        service.place("local", ticket("b"), NOW)
    with pytest.raises(NotSellable):
        service.place("local", ticket(side="sell", quantity=11), NOW)
    with pytest.raises(InputError, match="no such strategy"):
        service.place("local", replace(ticket(), sleeve_id="nobody"), NOW)
    with home.write() as session:
        session.merge(KillSwitchRow(scope=EVERYTHING, epoch=1, thrown=True, changed_at=NOW))
    with pytest.raises(InputError, match="emergency stop"):
        service.place("local", ticket(), NOW)
    with home.write() as session:
        assert session.query(OrderRow).count() == 0
        session.merge(KillSwitchRow(scope=EVERYTHING, epoch=1, thrown=False, changed_at=NOW))
    for change in ({"active": False}, {"active": True, "stopped_reason": "look."}):
        with home.write() as session:
            session.merge(BrokerAccountRow(id="mock", owner_id="local", broker="kiwoom", mock=True, name="x", **change))
        with pytest.raises(InputError):
            service.place("local", ticket(), NOW)
    for token in ("short", "x" * 65, "with blanks in it"):
        with pytest.raises(InputError):
            ticket(token=token)


def test_only_the_owner_cancels(home: Database) -> None:
    kept = tickets(home).place("local", ticket(), NOW)
    with pytest.raises(NoSuchOrder):
        tickets(home).cancel("other", kept.order.order_id)
    assert tickets(home).cancel("local", kept.order.order_id)
    (after,) = Journal(home, "local", "mock").of_plan("ticket:12345678")
    assert after.cancel_wanted


def test_a_preview_says_what_it_would_come_to(home: Database) -> None:
    previews = TicketPreviews(home, BrokerAccounts(home, Sealer(("x" * 32,))))
    with home.write() as session:
        session.add(LastQuoteRow(symbol="X", price_krw=D(9_900), source="socket", halted=False, at=NOW))
    selling = previews.show("local", ticket(side="sell"), NOW, look_up=lambda _: X)
    # 5 x 10,000; 0.015 % of it is 7.5, the tax of 2026 0.20 %
    assert (selling.worth_krw, selling.commission_krw, selling.tax_krw) == (50_000, 7, 100)
    assert (selling.cash_after_krw, selling.sellable, selling.reasons) == (1_049_893, 10, ())
    assert (selling.lower_limit_krw, selling.upper_limit_krw, selling.price_known) == (7_000, 13_000, True)
    fund = replace(X, market="ETF")
    assert previews.show("local", ticket(side="sell"), NOW, look_up=lambda _: fund).tax_krw == 0
    # A quarter of 1,099,000 is 274,750; 30 % of it, less the 99,000 that are held, 230,700
    large = previews.show("local", ticket(quantity=28), NOW, look_up=lambda _: X)
    assert set(large.reasons) == {"fat_finger_size", "position_cap"}
    off_tick = replace(ticket(side="sell", quantity=11), limit_price_krw=D(13_005))
    wrong = previews.show("local", off_tick, NOW, look_up=lambda _: X)
    assert set(wrong.reasons) == {"price_off_tick", "price_outside_limits", "not_held"}
    later = previews.show("local", ticket(), NOW + timedelta(minutes=5), look_up=lambda _: X)
    assert (later.price_known, later.reasons) == (False, ())
    unknown = previews.show("local", ticket(), NOW, look_up=lambda _: None)
    assert (unknown.commission_krw, unknown.reasons) == (None, ("unknown_symbol",))


def test_what_was_sold_by_hand_is_held_back_until_the_person_agrees(home: Database) -> None:
    def sold(symbol: str, at: datetime, *, side: str = "sell", origin: str = "by_hand", fills: int = 1) -> None:
        with home.write() as session:
            name = f"{symbol}-{at:%H%M}-{side}-{origin}-{fills}"
            session.add(
                OrderRow(
                    id=name[:32], client_order_id=name, owner_id="local", account_id="mock", origin=origin, symbol=symbol,
                    side=side, kind="market", validity="day", quantity=D(1), state="filled", fills=fills, epoch=0,
                    created_at=at,
                )
            )  # fmt: skip

    assert note_sales(home, "local", "mock") == ()
    sold("X", NOW)
    sold("Y", NOW, side="buy")
    sold("Z", NOW, origin="person")
    sold("W", NOW, fills=0)
    assert note_sales(home, "local", "mock") == ("X",)
    assert note_sales(home, "local", "mock") == ()
    assert held_back(home, "mock") == {"X"}
    hands = HandsOff(home)
    with pytest.raises(InputError):
        hands.acknowledge("other", "mock", "X")
    assert hands.acknowledge("local", "mock", "X").acknowledged_at is not None
    assert note_sales(home, "local", "mock") == ()
    assert held_back(home, "mock") == frozenset()
    sold("X", NOW + timedelta(minutes=1))
    assert note_sales(home, "local", "mock") == ("X",)
    assert held_back(home, "mock") == {"X"}
    assert [one.symbol for one in hands.page("local", "mock").items] == ["X"]
    assert hands.page("other", "mock").items == ()
