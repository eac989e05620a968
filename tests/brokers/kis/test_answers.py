"""What each answer and each trouble comes to: for orders, which go out once, and for questions, which may be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest
from fakes.broker_faults import Heard, Target, Told, Trouble, WithoutSocket
from fakes.broker_server import OnSocket
from fakes.exchange import Why
from fakes.kis_stage import SAMSUNG, Stage, ticket

from stocklab.brokers.kis.auth import KisAccount
from stocklab.brokers.kis.execution import KisBroker
from stocklab.brokers.values import OrderRef, PlacedState, Rejection, Side
from stocklab.errors import BrokerDenied, BrokerError, BrokerTemporary, OrderRejected, OrderUnknown, OrderUnsent

_DAY = date(2026, 11, 20)
_ORDERS = "/uapi/domestic-stock/v1/trading/order-cash"
_CANCELS = "/uapi/domestic-stock/v1/trading/order-rvsecncl"


def _answered(status: int, body: object) -> Callable[[Stage], KisBroker]:
    """An adapter whose every request but for tokens is answered so."""

    def build(stage: Stage) -> KisBroker:
        told = Told(status=status, body=json.dumps(body).encode())

        def answer(heard: Heard) -> Told:
            real = stage.fake.answer(heard)
            return real if heard.path.startswith("/oauth2") else told

        return stage.adapter(transport=WithoutSocket(answer, stage.sleep))

    return build


def _said(rt_cd: str, code: str, text: str = "x") -> dict[str, object]:
    return {"rt_cd": rt_cd, "msg_cd": code, "msg1": text.ljust(80)}


@pytest.mark.parametrize(
    ("status", "rt_cd", "code", "reason"),
    [
        (200, "1", "APBK0919", Rejection.CLOSED),
        (200, "7", "APBK0952", Rejection.CASH),
        (200, "1", "APBK0400", Rejection.SELLABLE),
        (200, "1", "APBK0656", Rejection.SYMBOL),
        (200, "1", "40570000", Rejection.CLOSED),
        (500, "1", "40570000", Rejection.CLOSED),
        (200, "1", "40580000", Rejection.CLOSED),
        (200, "1", "40100000", Rejection.CLOSED),
        (200, "1", "APBK7777", Rejection.OTHER),
    ],
)
def test_refusals_of_an_order(status: int, rt_cd: str, code: str, reason: Rejection):
    broker = _answered(status, _said(rt_cd, code))(Stage())
    with pytest.raises(OrderRejected) as refused:
        broker.send(ticket())
    assert (refused.value.code, refused.value.reason) == (code, reason)


@pytest.mark.parametrize(
    ("status", "body", "likely"),
    [
        (500, _said("1", "EGW00201"), True),
        (200, _said("1", "EGW00201"), True),
        (500, _said("1", "EGW00215"), True),
        (500, _said("1", "EGW00121"), True),
        (500, _said("1", "EGW00123"), True),
        (401, _said("1", "EGW00123"), True),
        (403, _said("1", "EGW00204"), True),
        (200, _said("1", "EGW02006"), True),
        (500, _said("1", "EGW99999"), False),
        (500, _said("1", "APBK7777"), False),
        (404, _said("1", "APBK7777"), False),
        (200, _said("1", ""), False),
        (200, _said("", "APBK7777"), False),
        (200, [], False),
        (200, "text", False),
        (429, {}, False),
        (200, _said("0", "APBK0013") | {"output": {"ODNO": ""}}, False),
        (200, _said("0", "APBK0013"), False),
    ],
)
def test_anything_else_leaves_an_order_in_doubt(status: int, body: object, likely: bool):
    stage = Stage()
    broker = _answered(status, body)(stage)
    with pytest.raises(OrderUnknown) as unknown:
        broker.send(ticket())
    assert unknown.value.likely_refused == likely
    assert stage.fake.count(_ORDERS) == 1


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (Why.CASH, Rejection.CASH),
        (Why.SELLABLE, Rejection.SELLABLE),
        (Why.SYMBOL, Rejection.SYMBOL),
        (Why.CLOSED, Rejection.CLOSED),
        (Why.HALTED, Rejection.HALTED),
        (Why.BAND, Rejection.PRICE),
    ],
)
@pytest.mark.parametrize("mock", [False, True])
def test_refusals_of_the_market(why: Why, reason: Rejection, mock: bool):
    stage = Stage(mock=mock)
    stage.exchange.is_open = why is not Why.CLOSED
    stage.exchange.listings[SAMSUNG].halted = why is Why.HALTED
    sent = {
        # 100 x 92,170 (the upper limit) is more than the ten million there are, 100 x 71,400 is not.
        Why.CASH: ticket(quantity="110", price=None),
        Why.SELLABLE: ticket(side=Side.SELL),
        Why.SYMBOL: ticket("999999"),
        Why.BAND: ticket(price="99000"),
    }.get(why, ticket())
    with pytest.raises(OrderRejected) as refused:
        stage.broker.send(sent)
    assert refused.value.reason == reason
    assert stage.exchange.orders == []


def test_a_cancel_that_comes_too_late():
    for mock in (False, True):
        stage = Stage(mock=mock)
        receipt = stage.broker.send(ticket(price="71400"))
        with pytest.raises(OrderRejected) as refused:
            stage.broker.cancel(receipt.ref, symbol=SAMSUNG, side=Side.BUY)
        assert refused.value.reason == Rejection.FINISHED


def test_yesterdays_number_never_cancels_an_order_of_today():
    stage = Stage()
    receipt = stage.broker.send(ticket())
    with pytest.raises(OrderRejected):
        stage.broker.cancel(OrderRef(date(2026, 11, 19), receipt.ref.number, "00950"), symbol=SAMSUNG, side=Side.BUY)
    assert stage.fake.count(_CANCELS) == 0


_IN_DOUBT = [one for one in Trouble if one is not Trouble.CUT_PAGES]


@pytest.mark.parametrize("trouble", _IN_DOUBT)
@pytest.mark.parametrize("target", [Target.ORDER, Target.CANCEL])
def test_trouble_with_an_order(target: Target, trouble: Trouble):
    stage = Stage()
    receipt = stage.broker.send(ticket())
    stage.fake.troubles.plan(target, trouble)
    ask: dict[Target, Callable[[], object]] = {
        Target.ORDER: lambda: stage.broker.send(ticket(quantity="3")),
        Target.CANCEL: lambda: stage.broker.cancel(receipt.ref, symbol=SAMSUNG, side=Side.BUY),
    }
    with pytest.raises(OrderUnknown) as unknown:
        ask[target]()
    assert unknown.value.likely_refused == (trouble in (Trouble.TOO_MANY, Trouble.TOKEN_DEAD))
    assert stage.fake.count(_ORDERS if target is Target.ORDER else _CANCELS) == (2 if target is Target.ORDER else 1)
    done = trouble.recorded or trouble is Trouble.TRUNCATED
    assert len(stage.exchange.orders) == (2 if done and target is Target.ORDER else 1)
    assert stage.exchange.orders[0].ended == (done and target is Target.CANCEL)
    # And what follows works: the journal tells.
    stage.now = stage.now.replace(minute=30)
    assert len(stage.broker.day_orders(_DAY)) == len(stage.exchange.orders)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_trouble_with_a_question_passes(trouble: Trouble):
    stage = Stage(page_rows=1)
    for _ in range(2):
        stage.broker.send(ticket(quantity="1"))
    stage.now = stage.now.replace(minute=20)
    for target in (Target.JOURNAL, Target.BALANCE, Target.QUOTE):
        stage.fake.troubles.plan(target, trouble)
    if trouble is Trouble.CUT_PAGES:
        with pytest.raises(BrokerTemporary):
            stage.broker.day_orders(_DAY)
    else:
        assert len(stage.broker.day_orders(_DAY)) == 2
    stage.now = stage.now.replace(minute=30)
    assert stage.broker.quotes([SAMSUNG])[SAMSUNG].price_krw == 71_400
    stage.now = stage.now.replace(minute=40)
    assert stage.broker.cash().total_krw == 10_000_000
    assert (stage.fake.overruns, stage.fake.hasty_tokens) == (0, 0)


@pytest.mark.parametrize(
    "trouble", [Trouble.NO_ANSWER, Trouble.ERROR_500, Trouble.HTML, Trouble.TRUNCATED, Trouble.TOO_MANY]
)
def test_trouble_with_a_question_that_stays(trouble: Trouble):
    stage = Stage()
    stage.broker.check()
    stage.fake.troubles.plan(Target.JOURNAL, trouble, times=9)
    with pytest.raises(BrokerTemporary):
        stage.broker.day_orders(_DAY)
    assert stage.fake.count("/uapi/domestic-stock/v1/trading/inquire-daily-ccld") == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((403, _said("1", "EGW00204")), BrokerDenied),
        ((200, _said("2", "OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO")), BrokerDenied),
        ((500, _said("1", "EGW02006")), BrokerDenied),
        ((200, _said("1", "APBK7777")), BrokerTemporary),
        ((200, _said("0", "KIOK0510")), BrokerTemporary),
        ((200, _said("0", "KIOK0510") | {"output1": [{"odno": "1"}], "output": {}}), BrokerTemporary),
    ],
)
def test_answers_to_questions(answer: tuple[int, object], kind: type[BrokerError]):
    broker = _answered(*answer)(Stage())
    for ask in (lambda: broker.day_orders(_DAY), broker.holdings, broker.cash):
        if ask == broker.holdings and isinstance(answer[1], dict) and "output1" in answer[1]:
            continue
        with pytest.raises(kind):
            ask()


def test_a_list_that_never_ends_is_no_list():
    stage = Stage()
    body = _said("0", "KIOK0500") | {"output1": [], "ctx_area_fk100": "a", "ctx_area_nk100": "b"}
    told = Told(body=json.dumps(body).encode(), headers={"tr_cont": "M"})
    real = stage.fake.answer
    broker = stage.adapter(
        transport=WithoutSocket(lambda heard: real(heard) if "oauth2" in heard.path else told, stage.sleep)
    )
    with pytest.raises(BrokerTemporary, match="does not end"):
        broker.day_orders(_DAY)


def test_nothing_left_this_machine():
    stage = Stage()
    stage.broker.check()  # a token is there

    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route", request=request)

    broker = stage.adapter(transport=httpx.MockTransport(unreachable))
    with pytest.raises(OrderUnsent):
        broker.send(ticket())
    with pytest.raises(BrokerTemporary):
        broker.holdings()


def test_errors_keep_secrets():
    stage = Stage()
    words = (stage.fake.cano, stage.fake.app_key, stage.fake.app_secret)
    broker = _answered(200, _said("1", "APBK7777", f"계좌 {words[0]} {words[1]}"))(stage)
    with pytest.raises(OrderRejected) as refused:
        broker.send(ticket())
    account = KisAccount(cano=stage.fake.cano, product="01")
    kept = " ".join((str(refused.value), repr(stage.credentials()), repr(account)))
    assert not any(word in kept for word in words)
    assert stage.broker.check() == "50****56-01"


def test_an_order_whose_answer_is_lost_on_a_real_socket():
    stage = Stage()
    with OnSocket(stage.fake.answer) as server:
        broker = stage.adapter(base_url=server.url, transport=None, read_seconds=0.4)
        taken = broker.send(ticket(quantity="1"))
        troubles = [one for one in _IN_DOUBT if one is not Trouble.TOKEN_DEAD]
        for trouble in troubles:
            before = (stage.fake.count(_ORDERS), len(stage.exchange.orders))
            stage.fake.troubles.plan(Target.ORDER, trouble)
            with pytest.raises(OrderUnknown):
                broker.send(ticket(quantity="2"))
            recorded = trouble.recorded or trouble is Trouble.TRUNCATED
            assert stage.fake.count(_ORDERS) == before[0] + 1
            assert len(stage.exchange.orders) == before[1] + recorded
            stage.sleep(1)
        found = broker.day_orders(_DAY)
        assert [one.ref.number for one in found] == [one.number for one in stage.exchange.orders]
        assert (found[0].ref, found[0].state) == (taken.ref, PlacedState.OPEN)
        stage.fake.troubles.plan(Target.CANCEL, Trouble.RECORDED_NO_ANSWER)
        with pytest.raises(OrderUnknown):
            broker.cancel(taken.ref, symbol=SAMSUNG, side=Side.BUY)
        assert broker.day_orders(_DAY)[0].state is PlacedState.CANCELLED
        broker.close()
    gone = stage.adapter(base_url=server.url, transport=None)
    with pytest.raises(OrderUnsent):
        gone.send(ticket())
    assert stage.exchange.cash == Decimal(10_000_000)
