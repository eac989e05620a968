"""What an order's answer means: taken, refused for good, not sent, or to be looked up. Decided on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from fakes.broker_faults import Heard, Target, Told, Trouble
from fakes.broker_server import OnSocket
from fakes.exchange import KST, Exchange
from fakes.upbit_exchange import FakeUpbit, upbit_rules, uuid_of
from fakes.upbit_pocket import ACCESS, CREDENTIALS, SECRET, Pocket, listings, make_pocket

from stocklab.brokers.pacing import Pacer
from stocklab.brokers.upbit.execution import UpbitBroker
from stocklab.brokers.upbit.models import rates
from stocklab.brokers.values import OrderRef, OrderTicket, PlacedState, PriceKind, Rejection, Side
from stocklab.errors import BrokerDenied, BrokerTemporary, OrderRejected, OrderUnknown, OrderUnsent

BUY = OrderTicket(
    client_order_id="sl-1",
    symbol="KRW-BTC",
    side=Side.BUY,
    kind=PriceKind.LIMIT,
    quantity=Decimal("0.001"),
    limit_price_krw=Decimal(100_000_000),
)
SELL = replace(BUY, side=Side.SELL, kind=PriceKind.MARKET, limit_price_krw=None)
AT_MARKET = replace(BUY, kind=PriceKind.MARKET, limit_price_krw=None, quantity=None, money_krw=Decimal(10_000))


@pytest.fixture
def pocket() -> Pocket:
    return make_pocket()


@pytest.fixture
def served() -> Iterator[tuple[FakeUpbit, UpbitBroker]]:
    """On a socket, in real time."""
    exchange = Exchange(listings(), clock=lambda: datetime.now(KST), rules=upbit_rules())
    fake = FakeUpbit(exchange, access_key=ACCESS, secret_key=SECRET)
    with OnSocket(fake.answer) as server:
        broker = broker_at(server.url)
        with closing(broker):
            yield fake, broker


def broker_at(url: str) -> UpbitBroker:
    return UpbitBroker(
        credentials=CREDENTIALS,
        pacer=Pacer(rates(datetime.now(KST).date())),
        clock=lambda: datetime.now(KST),
        sleep=lambda _: None,
        base_url=f"{url}/v1",
    )


@pytest.mark.parametrize(
    ("ticket", "name", "reason"),
    [
        (replace(BUY, quantity=Decimal(9)), "insufficient_funds_bid", Rejection.CASH),
        (SELL, "insufficient_funds_ask", Rejection.SELLABLE),
        (replace(BUY, limit_price_krw=Decimal(100_000_500)), "invalid_price_bid", Rejection.PRICE),
        (replace(BUY, quantity=Decimal("0.00004")), "under_min_total_bid", Rejection.SIZE),
        (replace(AT_MARKET, money_krw=Decimal(1_000_000_001)), "over_krw_funds_bid", Rejection.SIZE),
        (replace(BUY, symbol="KRW-NONE"), "notfoundmarket", Rejection.SYMBOL),
    ],
)
def test_a_refusal_means_that_there_is_no_order(pocket: Pocket, ticket: OrderTicket, name: str, reason: Rejection):
    with pytest.raises(OrderRejected) as refused:
        pocket.broker.send(ticket)
    assert (refused.value.code, refused.value.reason) == (name, reason)
    assert pocket.exchange.orders == []
    assert pocket.broker.find("sl-1") is None


def test_a_market_that_is_offline_refuses(pocket: Pocket):
    pocket.exchange.listings["KRW-BTC"].halted = True
    with pytest.raises(OrderRejected) as refused:
        pocket.broker.send(BUY)
    assert (refused.value.code, refused.value.reason) == ("market_offline", Rejection.HALTED)


def test_an_id_that_was_used_is_looked_up(pocket: Pocket):
    receipt = pocket.broker.send(BUY)
    with pytest.raises(OrderUnknown) as unknown:
        pocket.broker.send(BUY)
    assert (unknown.value.code, unknown.value.likely_refused) == ("duplicated_identifier", False)
    found = pocket.broker.find("sl-1")
    assert found is not None
    assert found.ref == receipt.ref
    assert len(pocket.exchange.orders) == 1


def test_a_refused_id_is_burnt(pocket: Pocket):
    with pytest.raises(OrderRejected):
        pocket.broker.send(replace(BUY, quantity=Decimal(9)))
    with pytest.raises(OrderUnknown):
        pocket.broker.send(BUY)
    assert pocket.broker.find("sl-1") is None


def test_a_refusal_that_nobody_knows_is_looked_up(pocket: Pocket):
    pocket.fake.stranger = 1
    with pytest.raises(OrderUnknown) as unknown:
        pocket.broker.send(BUY)
    assert unknown.value.likely_refused
    assert pocket.broker.find("sl-1") is None


RECORDED = [
    Trouble.RECORDED_NO_ANSWER,
    Trouble.RECORDED_LATE,
    Trouble.RECORDED_500,
    Trouble.RECORDED_HTML,
    Trouble.TRUNCATED,
]
LOST = [Trouble.NO_ANSWER, Trouble.ERROR_500, Trouble.HTML]
TURNED_AWAY = [Trouble.TOO_MANY, Trouble.TOKEN_DEAD]


@pytest.mark.parametrize("trouble", RECORDED + LOST + TURNED_AWAY)
def test_an_order_in_doubt_is_sent_once_and_found(pocket: Pocket, trouble: Trouble):
    pocket.fake.troubles.plan(Target.ORDER, trouble)
    with pytest.raises(OrderUnknown) as unknown:
        pocket.broker.send(BUY)
    assert unknown.value.likely_refused == (trouble in TURNED_AWAY)
    assert [one.method for one in pocket.fake.heard] == ["POST"]
    found = pocket.broker.find("sl-1")
    assert (found is not None) == (trouble in RECORDED)
    assert len(pocket.exchange.orders) == (trouble in RECORDED)


@pytest.mark.parametrize("trouble", [Trouble.RECORDED_NO_ANSWER, Trouble.RECORDED_HTML, Trouble.NO_ANSWER])
def test_an_order_in_doubt_on_a_socket(served: tuple[FakeUpbit, UpbitBroker], trouble: Trouble):
    fake, broker = served
    broker.cash()  # a connection that stays open, and that is then cut
    fake.troubles.plan(Target.ORDER, trouble)
    with pytest.raises(OrderUnknown):
        broker.send(BUY)
    assert [one.method for one in fake.heard] == ["GET", "POST"]
    assert (broker.find("sl-1") is not None) == trouble.recorded
    assert len(fake.exchange.orders) == trouble.recorded


def test_an_order_and_its_cancel_on_a_socket(served: tuple[FakeUpbit, UpbitBroker]):
    _fake, broker = served
    assert broker.check() == "••••0001"
    receipt = broker.send(BUY)
    broker.cancel(receipt.ref, symbol="KRW-BTC", side=Side.BUY)
    [order] = broker.day_orders(receipt.ref.day)
    assert (order.ref, order.state, order.client_order_id) == (receipt.ref, PlacedState.CANCELLED, "sl-1")
    assert set(broker.quotes(["KRW-BTC", "KRW-NONE"])) == {"KRW-BTC"}


def test_nothing_leaves_where_nobody_listens():
    with OnSocket(lambda _: Told()) as server:
        url = server.url
    with closing(broker_at(url)) as broker:
        with pytest.raises(OrderUnsent):
            broker.send(BUY)
        with pytest.raises(OrderUnsent):
            broker.cancel(OrderRef(datetime.now(KST).date(), "x"), symbol="KRW-BTC", side=Side.BUY)
        with pytest.raises(BrokerTemporary):
            broker.cash()


def test_an_acceptance_that_names_no_order_is_looked_up():
    def answer(_: Heard) -> Told:
        return Told(status=201, body=b'{"created_at":"2026-11-20T10:15:12+09:00"}')

    with OnSocket(answer) as server, closing(broker_at(server.url)) as broker, pytest.raises(OrderUnknown):
        broker.send(BUY)


def test_a_right_that_is_missing_shows_in_the_questions(pocket: Pocket):
    pocket.fake.refuses_key = "no_authorization_ip"
    with pytest.raises(OrderUnknown) as unknown:
        pocket.broker.send(BUY)
    assert (unknown.value.code, unknown.value.likely_refused) == ("no_authorization_ip", True)
    with pytest.raises(BrokerDenied):
        pocket.broker.find("sl-1")


@pytest.mark.parametrize("right", ["assets", "orders"])
def test_the_check_needs_both_rights_to_read(pocket: Pocket, right: str):
    pocket.fake.forbids = right
    with pytest.raises(BrokerDenied):
        pocket.broker.check()


def test_nothing_is_sent_while_requests_are_blocked(pocket: Pocket):
    pocket.fake.limits["order"] = 0
    for number in range(4):
        with pytest.raises(OrderUnknown):
            pocket.broker.send(replace(BUY, client_order_id=f"sl-{number}"))
    with pytest.raises(OrderUnsent):
        pocket.broker.send(BUY)
    assert len(pocket.fake.heard) == 4
    pocket.fake.limits["order"] = 12
    pocket.clock.sleep(100)
    pocket.broker.send(BUY)


@pytest.mark.parametrize("trouble", RECORDED + LOST + TURNED_AWAY)
def test_a_cancel_in_doubt_is_sent_once(pocket: Pocket, trouble: Trouble):
    ref = pocket.broker.send(BUY).ref
    pocket.fake.troubles.plan(Target.CANCEL, trouble)
    with pytest.raises(OrderUnknown):
        pocket.broker.cancel(ref, symbol="KRW-BTC", side=Side.BUY)
    assert sum(one.method == "DELETE" for one in pocket.fake.heard) == 1
    assert pocket.exchange.orders[0].ended == (trouble in RECORDED)


def test_nothing_left_to_cancel(pocket: Pocket):
    ref = pocket.broker.send(BUY).ref
    pocket.exchange.trade("KRW-BTC", Decimal(100_000_000))
    with pytest.raises(OrderRejected) as refused:
        pocket.broker.cancel(ref, symbol="KRW-BTC", side=Side.BUY)
    assert refused.value.reason is Rejection.FINISHED


def test_a_cancel_of_nothing(pocket: Pocket):
    ref = OrderRef(pocket.clock().date(), uuid_of("7"))
    with pytest.raises(OrderRejected) as refused:
        pocket.broker.cancel(ref, symbol="KRW-BTC", side=Side.BUY)
    assert (refused.value.reason, refused.value.code) == (Rejection.OTHER, "order_not_found")


def test_a_cancel_that_waits_is_refused_while_the_order_rests(pocket: Pocket):
    pocket.exchange.slow_cancels = True
    ref = pocket.broker.send(BUY).ref
    pocket.broker.cancel(ref, symbol="KRW-BTC", side=Side.BUY)
    with pytest.raises(OrderUnknown) as unknown:
        pocket.broker.cancel(ref, symbol="KRW-BTC", side=Side.BUY)
    assert unknown.value.likely_refused


@pytest.mark.parametrize(
    ("target", "trouble"),
    [
        (target, trouble)
        for target in (Target.JOURNAL, Target.BALANCE, Target.QUOTE)
        for trouble in (*LOST, *TURNED_AWAY, Trouble.TRUNCATED, Trouble.RECORDED_LATE)
        if (target, trouble) != (Target.QUOTE, Trouble.TOKEN_DEAD)  # prices need no token
    ],
)
def test_questions_are_repeated_within_bounds(pocket: Pocket, target: Target, trouble: Trouble):
    def ask() -> object:
        if target is Target.JOURNAL:
            return pocket.broker.find("sl-1")
        return pocket.broker.cash() if target is Target.BALANCE else pocket.broker.quotes(["KRW-BTC"])

    pocket.fake.troubles.plan(target, trouble, times=2)
    ask()
    asked = len(pocket.fake.heard)
    assert asked == 3
    pocket.fake.troubles.plan(target, trouble, times=3)
    with pytest.raises(BrokerTemporary):
        ask()
    assert len(pocket.fake.heard) == asked + 3
    ask()


def test_errors_tell_no_secrets(pocket: Pocket):
    pocket.fake.troubles.plan(Target.ORDER, Trouble.ERROR_500)
    with pytest.raises(OrderUnknown) as unknown:
        pocket.broker.send(BUY)
    pocket.fake.refuses_key = "expired_access_key"
    with pytest.raises(BrokerDenied) as denied:
        pocket.broker.cash()
    told = repr(unknown.value) + repr(denied.value) + repr(denied.value.__cause__)
    assert ACCESS not in told
    assert SECRET not in told
