"""What simulated days found in the executor, each case alone and small."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from fakes.broker_faults import Target, Trouble, Troubles
from fakes.direct_broker import DirectBroker
from fakes.exchange import KST, Exchange, Listing
from run_days import memory_database

from stocklab.brokers.values import PriceKind, Side
from stocklab.db import Database, KillSwitchRow
from stocklab.errors import JournalConflict
from stocklab.trading import OUTSIDE, Book, Entry, EntryKind, OrderState
from stocklab.trading.executor import Executor, NoticeKind
from stocklab.trading.journal import EVERYTHING, Draft, Journal

WON = Decimal(1)
CODE = "005930"


@pytest.fixture
def database() -> Iterator[Database]:
    with memory_database() as found:
        yield found


class Stage:
    """One account with 1,000,000 won at ten in the morning."""

    def __init__(self, database: Database) -> None:
        self.now = datetime(2026, 11, 20, 1, tzinfo=UTC)
        self.database = database
        self.exchange = Exchange(
            [Listing(CODE, CODE, WON * 1000, WON * 1000)], clock=lambda: self.now, cash=WON * 1_000_000
        )
        self.troubles = Troubles()
        self.journal = Journal(database, "local", "account-1", fence=lambda _session: self.leads)
        self.leads = True
        self.executor = self.process()

    def process(self) -> Executor:
        return Executor(
            DirectBroker(self.exchange, self.troubles),
            self.journal,
            clock=lambda: self.now,
            gate=lambda _kept: (),
            over=lambda now: now.astimezone(KST).date() - timedelta(days=1),
        )

    def turn(self) -> list[NoticeKind]:
        found = self.executor.turn()
        self.now += timedelta(seconds=5)
        return [notice.kind for notice in found.notices]

    def wish(self, side: Side = Side.BUY, quantity: int = 4, limit: int = 900, sleeve: str = "a") -> None:
        draft = Draft(
            symbol=CODE,
            side=side,
            kind=PriceKind.LIMIT,
            quantity=Decimal(quantity),
            limit_price_krw=Decimal(limit),
            parts={sleeve: Decimal(quantity)},
        )
        self.journal.intend([draft], self.now)

    def states(self, *days: date) -> list[OrderState]:
        return [one.order.state for one in self.journal.orders(*(days or (self.now.date(),)))]


def test_what_a_person_sold_before_the_book_knew_of_it_is_booked(database: Database) -> None:
    stage = Stage(database)
    stage.exchange.place(CODE, buys=True, quantity=WON * 10, limit=None, by_hand=True)
    stage.exchange.end_day()
    stage.now += timedelta(days=4)
    stage.exchange.is_open = True
    stage.exchange.by_hand(CODE, buys=False, quantity=WON * 4)
    for _ in range(3):
        stage.turn()
    assert (stage.executor.book.held(CODE), stage.executor.book.cash_krw) == (6, stage.exchange.cash)


def test_a_cancel_that_was_lost_is_asked_for_again_after_the_switch_is_lifted(database: Database) -> None:
    stage = Stage(database)
    stage.wish()
    stage.turn()
    stage.troubles.plan(Target.CANCEL, Trouble.NO_ANSWER)
    with database.write() as session:
        session.merge(KillSwitchRow(scope=EVERYTHING, epoch=1, thrown=True, changed_at=stage.now))
    stage.turn()
    assert stage.states() == [OrderState.CANCELLING]
    with database.write() as session:
        session.get_one(KillSwitchRow, EVERYTHING).thrown = False
    stage.turn()
    stage.turn()
    assert stage.states() == [OrderState.CANCELLED]


def test_an_order_that_waits_over_the_night_is_not_sent_the_next_morning(database: Database) -> None:
    stage = Stage(database)
    stage.wish()
    decided = stage.now.date()
    stage.now += timedelta(days=1)
    stage.turn()
    assert stage.states(decided) == []
    assert stage.exchange.orders == []


def test_what_a_person_did_after_the_last_reading_of_a_day_is_an_order_of_theirs(database: Database) -> None:
    stage = Stage(database)
    stage.turn()
    stage.exchange.by_hand(CODE, buys=True, quantity=WON * 7)
    stage.exchange.end_day()
    stage.now += timedelta(days=1)
    stage.exchange.is_open = True
    assert NoticeKind.BY_HAND in stage.turn()
    assert stage.executor.book.held(CODE) == 7


def test_an_order_that_never_left_is_told(database: Database) -> None:
    stage = Stage(database)
    stage.wish()
    stage.troubles.plan(Target.ORDER, Trouble.TOKEN_DEAD)  # this broker then sends nothing
    assert NoticeKind.UNSENT in stage.turn()


def test_a_process_without_the_lock_books_nothing(database: Database) -> None:
    """The one that has it would not know of these entries, and book what they changed as a difference."""
    stage = Stage(database)
    stage.wish(limit=1_000)
    stage.turn()
    stage.leads = False
    entry = Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=WON)
    with pytest.raises(JournalConflict):
        stage.journal.book([entry], stage.now)
    with pytest.raises(JournalConflict):
        stage.turn()  # the fill of its order
    assert stage.journal.entries() == ()


def test_orders_of_one_decision_go_out_in_its_order(database: Database) -> None:
    stage = Stage(database)
    drafts = [
        Draft(
            symbol=f"{place:06d}",
            side=Side.BUY,
            kind=PriceKind.MARKET,
            quantity=WON,
            parts={"a": WON},
        )
        for place in range(12)
    ]
    stage.journal.intend(drafts, stage.now)
    found = [one.order.symbol for one in stage.journal.orders(stage.now.date())]
    assert found == [draft.symbol for draft in drafts]


def test_a_person_sells_what_no_open_sale_of_a_strategy_needs() -> None:
    book = Book().apply(
        Entry(kind=EntryKind.UNEXPLAINED, sleeve_id=name, symbol=CODE, quantity=Decimal(quantity))
        for name, quantity in (("a", 10), ("b", 10), (OUTSIDE, 2))
    )
    gone = book.of_gone(EntryKind.BY_HAND, CODE, WON * 7, WON * 700, WON, bound={"a": Decimal(8)})
    # 2 outside; a can spare 2 and b 10, so the other 5 are 0.83 and 4.17
    assert {one.sleeve_id: int(one.quantity) for one in gone} == {OUTSIDE: -2, "a": -1, "b": -4}
