"""A paper account by quotes: the spread, auctions, limits that are passed, the part of the volume, the end of the day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

import pytest
from replay import OWNER, new_account
from small_market import panel_of, seoul, ticket

from stocklab.brokers.paper.execution import PaperBroker
from stocklab.brokers.paper.models import Terms
from stocklab.brokers.paper.tape import LiveTape
from stocklab.brokers.values import BrokerOrder, PlacedState, Quote, QuoteSource, Rejection, Side
from stocklab.db import Database
from stocklab.errors import BrokerTemporary, OrderRejected, OrderUnsent

A = "000010"
D = Decimal
BUY, SELL = Side.BUY, Side.SELL
QUIET = (10_000.0, 10_000.0, 10_000.0, 10_000.0, 1_000.0)


class Desk:
    """An account whose quotes are set by hand."""

    def __init__(self, database: Database, *, coins: bool = False, symbol: str = A, terms: Terms | None = None) -> None:
        self.now = seoul(17, 8, 40)
        self.symbol = symbol
        self.quote: Quote | None = None
        self.volume: Decimal | None = None
        self.silent = False
        self.asked = 0
        bars = {symbol: [(1e8, 1e8, 1e8, 1e8, 5.0) if coins else QUIET]}
        panel = panel_of(bars, coins=coins)
        tape = LiveTape(self.quotes, lambda: panel, volumes=lambda _symbol: self.volume)
        new_account(database, "paper-1", 10_000_000, seoul(16, 20), terms or Terms(), coins=coins)
        self.broker = PaperBroker(database, OWNER, "paper-1", tape=tape, clock=lambda: self.now, coins=coins)

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        self.asked += 1
        if self.silent:
            raise BrokerTemporary("quotes", "silent")
        return {self.quote.symbol: self.quote} if self.quote is not None and self.symbol in symbols else {}

    def tick(
        self, at: datetime, price: int, bid: int | None = None, ask: int | None = None, *, halted: bool = False
    ) -> None:
        """A new quote, and the account looks at it."""
        self.now = at
        self.quote = Quote(
            symbol=self.symbol,
            price_krw=D(price),
            at=at,
            source=QuoteSource.SOCKET,
            bid_krw=None if bid is None else D(bid),
            ask_krw=None if ask is None else D(ask),
            upper_limit_krw=D(13_000) if self.symbol == A else None,
            lower_limit_krw=D(7_000) if self.symbol == A else None,
            halted=halted,
        )
        self.broker.advance()

    def order(self, name: str) -> BrokerOrder:
        found = self.broker.find(name)
        assert found is not None
        return found


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_market_order_takes_the_other_side(desk: Desk) -> None:
    desk.tick(seoul(17, 9, 5), 10_000, 9_990, 10_010)
    desk.broker.send(ticket("book", A, BUY, "10"))
    desk.broker.send(ticket("limit", A, BUY, "10", "10050"))
    desk.tick(seoul(17, 9, 6), 10_000, 9_990, 10_010)
    assert (desk.order("book").filled_krw, desk.order("book").costs_krw) == (100_100, 15)
    assert desk.order("limit").filled_krw == 100_100, "better than its limit"
    desk.tick(seoul(17, 9, 7), 10_000)
    desk.broker.send(ticket("bookless", A, SELL, "10"))
    desk.tick(seoul(17, 9, 8), 10_000)
    # A tick below the last price; 99,900 won: commission 14.98, tax of 0.2 % 199.8
    assert (desk.order("bookless").filled_krw, desk.order("bookless").costs_krw) == (99_900, 14 + 199)
    moved = desk.broker.cash()
    assert desk.broker.advance() == 0
    assert desk.broker.cash() == moved


def test_orders_before_the_open_meet_its_price(desk: Desk) -> None:
    desk.broker.send(ticket("a", A, BUY, "10"))
    desk.broker.send(ticket("b", A, BUY, "10", "10100"))
    desk.broker.send(ticket("c", A, BUY, "10", "9900"))
    desk.tick(seoul(17, 8, 59), 10_300)  # an expected price is no trade
    assert desk.order("a").state is PlacedState.OPEN
    desk.tick(seoul(17, 9), 10_050, 10_040, 10_060)
    assert [desk.order(name).filled_krw for name in "abc"] == [100_500, 100_500, 0]
    desk.tick(seoul(17, 10), 9_900, 9_900, 9_910)
    assert desk.order("c").state is PlacedState.OPEN, "touched, not passed"
    desk.tick(seoul(17, 11), 9_890, 9_880, 9_890)
    assert (desk.order("c").state, desk.order("c").filled_krw) == (PlacedState.FILLED, 99_000)


def test_the_closing_auction_and_the_end_of_the_day(desk: Desk) -> None:
    desk.now = seoul(17, 15, 21)
    desk.broker.send(ticket("close", A, BUY, "10"))
    desk.broker.send(ticket("rest", A, BUY, "10", "9000"))
    desk.tick(seoul(17, 15, 25), 10_500, 10_500, 10_510)
    assert desk.order("close").filled_quantity == 0
    desk.tick(seoul(17, 15, 30), 10_200)
    assert desk.order("close").filled_krw == 102_000
    desk.tick(seoul(17, 15, 40), 10_200)
    assert desk.order("rest").state is PlacedState.CANCELLED
    desk.now = seoul(18, 8, 40)
    assert desk.broker.day_orders(date(2026, 11, 18)) == []


def test_volume_limits_and_halts_bound_fills(database: Database) -> None:
    desk = Desk(database, terms=Terms(participation_ppb=100_000_000))
    desk.volume = D(300)
    desk.tick(seoul(17, 9, 5), 10_000, 9_990, 10_010)
    desk.broker.send(ticket("a", A, BUY, "50"))
    for minute, expected in ((6, 30), (7, 30)):
        desk.tick(seoul(17, 9, minute), 10_000, 9_990, 10_010)
        assert desk.order("a").filled_quantity == expected
    desk.volume = D(450)
    desk.tick(seoul(17, 9, 8), 13_000, 13_000, None)  # a tick beyond is above the limit too
    assert desk.order("a").filled_quantity == 30
    desk.tick(seoul(17, 9, 9), 10_000, 9_990, 10_010)
    assert desk.order("a").filled_quantity == 45
    desk.tick(seoul(17, 9, 10), 7_000, None, 7_000)
    desk.broker.send(ticket("s", A, SELL, "45"))
    desk.tick(seoul(17, 9, 11), 7_000, 7_000, 7_010)
    assert desk.order("s").filled_quantity == 0, "nobody buys at the lower limit"
    desk.tick(seoul(17, 9, 12), 10_000, 9_990, 10_010, halted=True)
    assert desk.order("s").filled_quantity == 0
    with pytest.raises(OrderRejected) as error:
        desk.broker.send(ticket("h", A, BUY, "1"))
    assert error.value.reason == Rejection.HALTED


def test_without_quotes_nothing_fills_and_nothing_is_lost(desk: Desk) -> None:
    desk.now = seoul(17, 9, 5)
    desk.broker.send(ticket("a", A, BUY, "10"))  # the last close stands in for a price
    assert desk.broker.quotes([A])[A].source is QuoteSource.CLOSE
    desk.now = seoul(17, 9, 6)
    assert desk.order("a").state is PlacedState.OPEN
    desk.silent, desk.now = True, seoul(17, 9, 7)
    with pytest.raises(OrderUnsent):
        desk.broker.send(ticket("b", A, BUY, "10"))
    with pytest.raises(BrokerTemporary):
        desk.broker.day_orders(date(2026, 11, 17))
    desk.silent = False
    desk.tick(seoul(17, 9, 8), 10_000, 9_990, 10_010)
    assert desk.order("a").filled_krw == 100_100
    assert desk.broker.find("b") is None


def test_a_cancel_is_certain_at_once(desk: Desk) -> None:
    desk.tick(seoul(17, 9, 5), 10_000, 9_990, 10_010)
    ref = desk.broker.send(ticket("a", A, BUY, "10", "9900")).ref
    desk.broker.cancel(ref, symbol=A, side=BUY)
    assert desk.order("a").state is PlacedState.CANCELLED
    assert desk.broker.cash().orderable_krw == 10_000_000
    desk.tick(seoul(17, 9, 6), 9_000, 8_990, 9_010)
    assert desk.order("a").filled_quantity == 0


def test_coins_by_money_and_by_quantity(database: Database) -> None:
    desk = Desk(database, coins=True, symbol="KRW-BTC", terms=Terms(commission_ppb=500_000))
    desk.tick(seoul(17, 23), 100_000_000, 99_990_000, 100_000_000)
    desk.broker.send(ticket("a", "KRW-BTC", BUY, None, money="1000000"))
    desk.tick(seoul(17, 23, 1), 100_000_000, 99_990_000, 100_000_000)
    bought = desk.order("a")
    assert (bought.state, bought.filled_quantity, bought.costs_krw) == (PlacedState.FILLED, D("0.01"), 500)
    desk.broker.send(ticket("s", "KRW-BTC", SELL, "0.004", "101000000"))
    desk.tick(seoul(18, 12), 102_000_000, 101_990_000, 102_000_000)  # the day changed, the order rests
    assert (desk.order("s").filled_krw, desk.order("s").costs_krw) == (404_000, 202)
