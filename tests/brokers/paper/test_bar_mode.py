"""A paper account by daily bars: what fills, at what price and cost, by hand; what is refused; cancels; what a session
brings beside fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from replay import OWNER, new_account
from small_market import panel_of, seoul, ticket

from stocklab.brokers.paper.execution import PaperBroker
from stocklab.brokers.paper.models import CashCheck, Terms
from stocklab.brokers.paper.opening import deposit, settled_cash
from stocklab.brokers.paper.tape import BarTape
from stocklab.brokers.values import (
    BrokerOrder,
    OrderTicket,
    PlacedState,
    PriceKind,
    QuoteSource,
    Rejection,
    Side,
    Validity,
)
from stocklab.db import Database, PaperCashMoveRow, PaperOrderRow
from stocklab.errors import BrokerDenied, OrderRejected
from stocklab.market.entitlements import Entitlements
from stocklab.market.panel import Panel

A, B = "000010", "000020"
D = Decimal
BUY, SELL = Side.BUY, Side.SELL
NO_COST = Terms(commission_ppb=0, slippage_ppb=0, participation_ppb=100_000_000)
QUIET = (10_000.0, 10_000.0, 10_000.0, 10_000.0, 1_000.0)


class Stage:
    """An account over a panel whose last sessions may be unknown yet; the clock is set by hand."""

    def __init__(
        self,
        database: Database,
        panel: Panel,
        *,
        cash: int = 10_000_000,
        terms: Terms = NO_COST,
        opened: datetime | None = None,
        coins: bool = False,
    ) -> None:
        self.database = database
        self.whole = panel
        self.known = panel.n_sessions
        self.now = opened or seoul(16, 18)
        new_account(database, "paper-1", cash, self.now, terms, coins=coins)
        self.broker = PaperBroker(
            database, OWNER, "paper-1", tape=BarTape(self.panel), clock=lambda: self.now, coins=coins
        )

    def panel(self) -> Panel:
        return self.whole if self.known == self.whole.n_sessions else cut(self.whole, self.known)

    def at(self, moment: datetime) -> PaperBroker:
        self.now = moment
        return self.broker

    def order(self, name: str) -> BrokerOrder:
        found = self.broker.find(name)
        assert found is not None
        return found

    def cash(self) -> Decimal:
        return self.broker.cash().total_krw

    def held(self) -> dict[str, Decimal]:
        return {one.symbol: one.quantity for one in self.broker.holdings()}

    def moves(self) -> list[tuple[str, Decimal]]:
        with self.database.read() as session:
            return [(one.kind, one.cash_krw) for one in session.query(PaperCashMoveRow).order_by(PaperCashMoveRow.id)]


def cut(panel: Panel, rows: int) -> Panel:
    """The panel of an earlier evening."""
    return replace(
        panel,
        sessions=panel.sessions[:rows],
        fields={name: values[:rows] for name, values in panel.fields.items()},
        rf=panel.rf[:rows],
        entitlements=panel.entitlements.between(0, rows),
    )


Make = Callable[..., Stage]


@pytest.fixture
def stage(database: Database) -> Make:
    return lambda panel, **more: Stage(database, panel, **more)


def refused(broker: PaperBroker, wanted: OrderTicket) -> str:
    with pytest.raises(OrderRejected) as error:
        broker.send(wanted)
    assert broker.find(wanted.client_order_id) is None
    return error.value.reason


# Tuesday 17: open 10,000, high 10,500, low 9,500, close 10,200, 1,000 shares.
TUESDAY = (10_000.0, 10_500.0, 9_500.0, 10_200.0, 1_000.0)


def test_orders_rest_until_their_bar_is_known(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET, TUESDAY]}), terms=Terms(commission_ppb=150_000, slippage_ppb=1_000_000))
    day.known = 1
    receipt = day.at(seoul(17, 8, 40)).send(ticket("a", A, BUY, "20"))
    assert (receipt.ref.day, receipt.accepted_at) == (date(2026, 11, 17), seoul(17, 8, 40))
    for moment in (seoul(17, 12), seoul(17, 19), seoul(18, 7)):
        assert day.at(moment).day_orders(date(2026, 11, 17))[0].state is PlacedState.OPEN
    day.known = 2  # the sync of the next morning
    (row,) = day.broker.day_orders(date(2026, 11, 17))
    # 10,000 and 0.1 % is 10,010, up to the tick of 10: 10,010; 20 shares 200,200; 0.015 % of it 30.03
    assert (row.state, row.filled_quantity, row.filled_krw, row.costs_krw) == (PlacedState.FILLED, 20, 200_200, 30)
    assert day.cash() == 10_000_000 - 200_230
    assert day.held() == {A: 20}
    before = day.moves()
    assert day.broker.advance() == 0
    assert day.moves() == before


def test_each_part_of_the_session_has_its_price(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET, TUESDAY, QUIET]}))
    orders = {
        "open": (seoul(17, 8, 30), ticket("open", A, BUY, "10")),
        "limit": (seoul(17, 8, 59, 59), ticket("limit", A, BUY, "10", "9510")),
        "missed": (seoul(17, 8, 59, 59), ticket("missed", A, BUY, "10", "9500")),  # the low only touched it
        "inside": (seoul(17, 9), ticket("inside", A, BUY, "10")),
        "late": (seoul(17, 9, 5), ticket("late", A, BUY, "10", "10210")),  # the close is below it
        "toolate": (seoul(17, 9, 5), ticket("toolate", A, BUY, "10", "9900")),  # the low may be from before
        "close": (seoul(17, 15, 20), ticket("close", A, BUY, "10")),
        "atclose": (seoul(17, 15, 29, 59), ticket("atclose", A, BUY, "10", "10300")),
    }
    for moment, order in orders.values():
        day.at(moment).send(order)
    day.at(seoul(17, 15, 30)).advance()
    filled = {name: (day.order(name).filled_quantity, day.order(name).filled_krw) for name in orders}
    assert filled == {
        "open": (10, 100_000),
        "limit": (10, 95_100),
        "missed": (0, 0),
        "inside": (10, 100_500),  # (10,000 + 10,500 + 9,500 + 10,200) / 4 = 10,050
        "late": (10, 102_100),
        "toolate": (0, 0),
        "close": (10, 102_000),
        "atclose": (10, 102_000),
    }
    assert (day.order("missed").state, day.order("missed").reason) == (PlacedState.CANCELLED, "not_reached")
    assert day.order("toolate").state is PlacedState.CANCELLED


def test_limits_of_the_day_volume_and_halts(stage: Make) -> None:
    up = (13_000.0, 13_000.0, 13_000.0, 13_000.0, 1_000.0)  # 30 % up from the open on
    down = (7_000.0, 7_000.0, 7_000.0, 7_000.0, 1_000.0)
    day = stage(panel_of({A: [QUIET, QUIET, up, QUIET], B: [QUIET, QUIET, down, None]}))
    day.at(seoul(17, 8, 40)).send(ticket("a", A, BUY, "500"))
    day.broker.send(ticket("b", B, BUY, "50"))
    day.at(seoul(18, 8, 40))
    assert day.order("a").filled_quantity == 100, "a tenth of the volume"
    assert (day.order("a").state, day.order("a").reason) == (PlacedState.CANCELLED, "participation")
    day.broker.send(ticket("up", A, BUY, "1"))
    day.broker.send(ticket("down", B, SELL, "50"))
    day.at(seoul(19, 9, 40)).advance()  # the exam: an hour later
    assert [day.order(name).reason for name in ("up", "down")] == ["limit_up", "limit_down"]
    day.broker.send(ticket("halted", B, SELL, "50"))
    day.at(seoul(19, 17)).advance()
    assert (day.order("halted").reason, day.held()) == ("halted", {A: 100, B: 50})


def test_sales_pay_dated_tax_and_etfs_none(stage: Make) -> None:
    bars = [QUIET, QUIET, QUIET]
    terms = Terms(commission_ppb=150_000, slippage_ppb=0)
    day = stage(panel_of({A: bars, B: bars}, kinds={B: "etf"}), terms=terms)
    for symbol in (A, B):
        day.at(seoul(17, 8, 40)).send(ticket(f"b{symbol}", symbol, BUY, "30"))
    for symbol in (A, B):
        day.at(seoul(18, 8, 40)).send(ticket(f"s{symbol}", symbol, SELL, "30"))
    day.at(seoul(18, 16)).advance()
    # 300,000 won: commission 45; tax of 0.2 % since 2025-12-29, 600
    assert [day.order(f"s{symbol}").costs_krw for symbol in (A, B)] == [645, 45]
    assert day.cash() == 10_000_000 - 4 * 45 - 600
    shown = settled_cash(day.database, OWNER, "paper-1", date(2026, 11, 18))
    # the purchases of the 17th settle on the 19th, the sales of the 18th on the 20th
    assert (shown.settled[0], shown.next_session[0], shown.second_session[0]) == (10_000_000, 9_399_910, 9_999_220)
    assert shown.withdrawable[0] == 9_399_910


def test_refusals_name_their_reason(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET, QUIET]}), cash=1_299_999)
    broker = day.at(seoul(17, 8, 29, 59))
    assert refused(broker, ticket("x", A, BUY, "1")) == Rejection.CLOSED
    broker = day.at(seoul(17, 8, 30))
    assert refused(broker, ticket("x", "999999", BUY, "1")) == Rejection.SYMBOL
    assert refused(broker, ticket("x", A, BUY, "1", "10005")) == Rejection.PRICE  # a tick of 10
    assert refused(broker, ticket("x", A, BUY, "1", "13050")) == Rejection.PRICE  # above 13,000
    assert refused(broker, ticket("x", A, BUY, "1.5")) == Rejection.SIZE
    assert refused(broker, ticket("x", A, BUY, None, money="10000")) == Rejection.KIND
    ioc = OrderTicket(
        client_order_id="x", symbol=A, side=BUY, kind=PriceKind.MARKET, quantity=D(1), validity=Validity.IOC
    )
    assert refused(broker, ioc) == Rejection.KIND
    assert refused(broker, ticket("x", A, SELL, "1")) == Rejection.SELLABLE
    assert refused(broker, ticket("x", A, BUY, "100")) == Rejection.CASH  # 100 at the upper limit of 13,000
    broker.send(ticket("y", A, BUY, "99"))
    assert broker.cash().orderable_krw == 1_299_999 - 99 * 13_000
    assert refused(broker, ticket("x", A, BUY, "2", "10000")) == Rejection.CASH
    assert refused(day.at(seoul(17, 15, 30)), ticket("x", A, BUY, "1")) == Rejection.CLOSED
    assert refused(day.at(seoul(21, 10)), ticket("x", A, BUY, "1")) == Rejection.CLOSED  # a Saturday


@pytest.mark.parametrize(("check", "most"), [(CashCheck.UPPER_LIMIT, 76), (CashCheck.REFERENCE, 100)])
def test_what_money_reaches_for(stage: Make, check: CashCheck, most: int) -> None:
    day = stage(panel_of({A: [QUIET, QUIET]}), cash=1_000_000, terms=replace(NO_COST, cash_check=check))
    day.at(seoul(17, 8, 40))
    assert refused(day.broker, ticket("x", A, BUY, str(most + 1))) == Rejection.CASH
    day.broker.send(ticket("y", A, BUY, str(most)))


def test_an_exam_day_opens_an_hour_later(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET] * 5}))
    assert refused(day.at(seoul(19, 9, 29)), ticket("x", A, BUY, "1")) == Rejection.CLOSED
    day.at(seoul(19, 9, 30)).send(ticket("a", A, BUY, "1"))
    day.at(seoul(19, 16, 25)).send(ticket("b", A, BUY, "1"))
    assert day.at(seoul(19, 16, 29)).advance() == 0
    day.at(seoul(19, 16, 30)).advance()
    assert day.held() == {A: 2}


def test_an_order_is_taken_once(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET, QUIET]}))
    first = day.at(seoul(17, 8, 40)).send(ticket("a", A, BUY, "1"))
    assert day.at(seoul(17, 20)).send(ticket("a", A, BUY, "1")) == first
    with pytest.raises(OrderRejected) as error:
        day.broker.send(ticket("a", A, BUY, "2"))
    assert error.value.reason == Rejection.DUPLICATE
    with day.database.read() as session:
        assert session.query(PaperOrderRow).count() == 1


def test_cancels_undo_only_what_cannot_have_happened(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET, TUESDAY]}))
    names = {"early": None, "limit": "9900", "market": None}
    receipts = {name: day.at(seoul(17, 8, 40)).send(ticket(name, A, BUY, "5", limit)) for name, limit in names.items()}
    late = day.at(seoul(17, 10)).send(ticket("late", A, BUY, "5", "10300"))
    day.at(seoul(17, 8, 50)).cancel(receipts["early"].ref, symbol=A, side=BUY)
    assert day.order("early").state is PlacedState.CANCELLED
    day.at(seoul(17, 11))
    for ref in (receipts["limit"].ref, receipts["market"].ref, late.ref):
        day.broker.cancel(ref, symbol=A, side=BUY)
    assert [day.order(name).state for name in ("limit", "market", "late")] == ["open", "open", "cancelled"]
    day.at(seoul(17, 16)).advance()
    # The market order met the open before its cancel; the limit would have been reached only later.
    assert [day.order(name).filled_quantity for name in ("limit", "market", "late")] == [0, 5, 0]
    with pytest.raises(OrderRejected) as error:
        day.broker.cancel(receipts["market"].ref, symbol=A, side=BUY)
    assert error.value.reason == Rejection.FINISHED


def test_share_changes_dividends_and_delistings(stage: Make) -> None:
    half = (5_000.0, 5_000.0, 5_000.0, 5_000.0, 1_000.0)
    entitled = Entitlements(
        dividend_row=np.array([2]),
        dividend_symbol=np.array([0]),
        dividend_units=np.array([1_000_000]),  # 100 won a share
        dividend_paid=np.array([4]),
        dividend_guessed=np.array([False]),
        dividends_known=True,
    )
    panel = panel_of(
        {A: [QUIET, QUIET, QUIET, half, half], B: [QUIET] * 5},
        splits={(3, A): 2.0},
        bases={(3, A): 5_000},
        delisted={B: (date(2026, 11, 19), True)},
        entitlements=entitled,
    )
    day = stage(panel)
    for symbol in (A, B):
        day.at(seoul(17, 8, 40)).send(ticket(symbol, symbol, BUY, "31"))
    day.at(seoul(19, 9, 30)).advance()  # before that day's open: the exam
    assert day.held() == {A: 62}
    (row,) = day.broker.holdings()
    assert row.average_cost_krw == 5_000
    assert day.moves()[-1] == ("delisting", D(310_000))
    day.at(seoul(20, 8, 30)).advance()
    # 3,100 won for 31 shares held before the ex-date; 15.4 % withheld is 477.4
    assert day.moves()[-2:] == [("dividend", D(3_100)), ("dividend_tax", D(-477))]
    assert day.cash() == 10_000_000 - 310_000 + 2_623


def test_evenings_without_the_newest_bars_change_nothing(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET] * 4}))
    day.known = 1
    day.at(seoul(17, 8, 40)).send(ticket("a", A, BUY, "3"))
    day.at(seoul(18, 8, 40)).send(ticket("b", A, BUY, "4"))
    day.known = 3  # two sessions at once
    day.at(seoul(18, 20)).advance()
    assert day.held() == {A: 7}
    assert [one.client_order_id for one in day.broker.day_orders(date(2026, 11, 17))] == ["a"]


def test_quotes_are_closes_with_their_age(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET, TUESDAY, QUIET]}))
    quote = day.at(seoul(18, 8)).quotes([A, "999999"])[A]
    assert (quote.price_krw, quote.source, quote.at) == (10_200, QuoteSource.CLOSE, seoul(17, 15, 30))
    assert (quote.lower_limit_krw, quote.upper_limit_krw) == (7_140, 13_260)


def test_coins_count_in_hundred_millionths(stage: Make) -> None:
    first = (100_000_000.0, 100_000_000.0, 100_000_000.0, 100_000_000.0, 50.0)
    second = (100_000_000.0, 110_000_000.0, 90_000_000.0, 105_000_000.0, 50.0)
    day = stage(
        panel_of({"KRW-BTC": [first, second, second]}, coins=True),
        coins=True,
        terms=Terms(commission_ppb=500_000, slippage_ppb=0),
        opened=seoul(17, 9),
    )
    assert refused(day.at(seoul(17, 9, 5)), ticket("x", "KRW-BTC", BUY, None, money="4999")) == Rejection.SIZE
    assert refused(day.broker, ticket("x", "KRW-BTC", BUY, "0.1")) == Rejection.KIND
    day.broker.send(ticket("a", "KRW-BTC", BUY, None, money="1000000"))
    day.at(seoul(17, 12)).send(ticket("l", "KRW-BTC", BUY, "0.05", "80000000"))  # rests beyond the day
    day.at(seoul(18, 9)).advance()
    bought = day.order("a")
    assert (bought.state, bought.filled_quantity, bought.filled_krw, bought.costs_krw) == (
        "filled",
        D("0.01"),
        1_000_000,
        500,
    )
    assert day.order("l").state is PlacedState.OPEN
    day.at(seoul(18, 9, 5)).send(ticket("s", "KRW-BTC", SELL, "0.00333333"))
    day.at(seoul(19, 9)).advance()
    # 0.00333333 coins at the open of 100,000,000 are 333,333 won; 0.05 % is 166.6665
    assert (day.order("s").filled_krw, day.order("s").costs_krw) == (333_333, D("166.6665"))
    assert day.cash() == D(10_000_000) - D("1000500") + D("333333") - D("166.6665")


def test_money_goes_in_and_out(stage: Make) -> None:
    day = stage(panel_of({A: [QUIET]}), cash=1_000)
    deposit(day.database, OWNER, "paper-1", D(-400), now=day.now)
    assert day.cash() == 600
    with pytest.raises(BrokerDenied):
        deposit(day.database, "somebody", "paper-1", D(1), now=day.now)
    with pytest.raises(BrokerDenied):
        PaperBroker(day.database, "somebody", "paper-1", tape=BarTape(day.panel), clock=lambda: day.now).check()
    assert timedelta(0) in day.broker.traits.lookup_after
