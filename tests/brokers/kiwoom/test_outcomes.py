"""Every refusal and every failure ends as what is certain about it, and no order is ever sent twice."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from fakes.broker_faults import Heard, Target, Told, Trouble
from fakes.broker_server import OnSocket
from fakes.kiwoom_stage import KEYS, Stage
from hypothesis import given
from hypothesis import strategies as st

from stocklab.brokers.kiwoom.auth import KiwoomKeys
from stocklab.brokers.kiwoom.execution import KiwoomBroker
from stocklab.brokers.kiwoom.parse import inner_code
from stocklab.brokers.values import OrderRef, OrderTicket, PlacedState, PriceKind, Rejection, Side
from stocklab.errors import BrokerDenied, BrokerTemporary, OrderRejected, OrderUnknown, OrderUnsent

RECORDED = [trouble for trouble in Trouble if trouble.recorded]
ORDERS = ("kt10000", "kt10001")


def buy(quantity: int = 10, limit: int | None = 70_000, symbol: str = "005930", side: Side = Side.BUY) -> OrderTicket:
    return OrderTicket(
        client_order_id="one",
        symbol=symbol,
        side=side,
        kind=PriceKind.MARKET if limit is None else PriceKind.LIMIT,
        quantity=Decimal(quantity),
        limit_price_krw=None if limit is None else Decimal(limit),
    )


def sent(stage: Stage) -> int:
    """How many orders reached Kiwoom's door."""
    return sum(api_id in ORDERS for api_id, _ in stage.fake.heard)


@pytest.mark.parametrize(
    ("ticket", "reason", "code"),
    [
        (buy(limit=70_050), Rejection.PRICE, "RC4003"),
        (buy(quantity=2_000), Rejection.CASH, "855056"),
        (buy(side=Side.SELL), Rejection.SELLABLE, "800033"),
        (buy(symbol="999999"), Rejection.SYMBOL, "1902"),
        (buy(limit=30_000), Rejection.OTHER, "599101"),  # a code that nobody has seen: a refusal all the same
    ],
)
def test_a_refusal_names_its_reason(ticket: OrderTicket, reason: Rejection, code: str):
    stage = Stage()
    with pytest.raises(OrderRejected) as refused:
        stage.broker.send(ticket)
    assert (refused.value.reason, refused.value.code) == (reason, code)
    assert stage.exchange.orders == []


def test_refusals_of_a_closed_market_a_halt_and_a_second_cancel():
    stage = Stage(mock=True)
    ref = stage.broker.send(buy()).ref
    stage.broker.cancel(ref, symbol="005930", side=Side.BUY)
    with pytest.raises(OrderRejected) as finished:
        stage.broker.cancel(ref, symbol="005930", side=Side.BUY)
    stage.exchange.listings["005930"].halted = True
    with pytest.raises(OrderRejected) as halted:
        stage.broker.send(buy())
    stage.exchange.is_open = False
    with pytest.raises(OrderRejected) as closed:
        stage.broker.send(buy())
    reasons = [one.value.reason for one in (finished, halted, closed)]
    assert reasons == [Rejection.FINISHED, Rejection.HALTED, Rejection.CLOSED]
    cancel = OrderRef(ref.day, stage.exchange.orders[0].cancel_number or "")
    with pytest.raises(OrderRejected) as of_a_cancel:
        stage.broker.cancel(cancel, symbol="005930", side=Side.BUY)
    assert (of_a_cancel.value.reason, of_a_cancel.value.code) == (Rejection.FINISHED, "571435")


def canned(status: int, body: object, *, raw: bytes = b"") -> KiwoomBroker:
    """An adapter whose orders get this answer; tokens are issued as ever."""
    stage = Stage()

    def answer(heard: Heard) -> Told:
        if heard.headers.get("api-id", "") in (*ORDERS, "kt10003"):
            return Told(status=status, body=raw or json.dumps(body, ensure_ascii=False).encode())
        return stage.fake.answer(heard)

    stage.transport._answer = answer
    return stage.broker


def said(code: int, message: str, **fields: str) -> dict:
    return {"return_code": code, "return_msg": message} | fields


@pytest.mark.parametrize(
    ("status", "body", "likely_refused"),
    [
        (429, said(5, "허용된 요청 개수를 초과하였습니다[1700:유량=5, API ID=kt10000]"), True),
        (200, said(3, "인증에 실패했습니다[8005:Token이 유효하지 않습니다]"), True),
        (200, said(3, "[8103:토큰 또는 단말기 인증 실패]"), True),
        (200, said(3, "[8010:IP가 동일하지 않습니다]"), True),
        (200, said(5, "입력 값 오류입니다[1517:형식]"), True),
        (401, said(3, "인증 실패"), True),
        (500, said(5, "[1999:예기치 못한 에러]"), False),
        (200, said(5, "[1999:예기치 못한 에러]"), False),
        (200, said(0, "매수주문이 완료되었습니다."), False),  # accepted, without a number
        (200, said(0, "매수주문이 완료되었습니다.", ord_no="0000000"), False),
        (200, said(20, "알 수 없음"), False),  # refused, without a code
        (200, said(20, "[2000](855056:매수증거금이 부족합니다.)", ord_no="0060327"), False),  # refused, with a number
        (200, {"return_code": "0", "ord_no": "0060327", "return_msg": ""}, False),
        (200, {"ord_no": "0060327"}, False),
        (200, ["0060327"], False),
        (503, said(0, "", ord_no="0060327"), False),
    ],
)
def test_what_is_neither_taken_nor_refused_for_good_is_unknown(status: int, body: object, likely_refused: bool):
    broker = canned(status, body)
    with pytest.raises(OrderUnknown) as unknown:
        broker.send(buy())
    assert unknown.value.likely_refused is likely_refused
    broker._clock.sleep(61)  # a token that was refused may be replaced by then
    with pytest.raises(OrderUnknown):
        broker.cancel(OrderRef(broker._today(), "0060327"), symbol="005930", side=Side.BUY)


CODES = st.sampled_from(["", "[1700:x]", "[8005:x]", "(855056:x)", "(RC4058:x)", "[1999:x]", "[1902:x]", "(123456:x)"])


@given(
    status=st.sampled_from([200, 201, 400, 401, 429, 500]),
    code=st.one_of(st.none(), st.booleans(), st.integers(-1, 25), st.just("0")),
    number=st.sampled_from(["", "0000000", "0060327"]),
    inner=CODES,
)
def test_only_a_whole_acceptance_is_one(status: int, code: object, number: str, inner: str):
    """Accepted: HTTP 200, the integer 0 and a number. Refused: HTTP 200, no number and a refusal's code."""
    broker = canned(status, {"return_code": code, "ord_no": number, "return_msg": inner})
    accepted = status == 200 and code == 0 and type(code) is int and number == "0060327"
    a_refusal = (
        type(code) is int
        and code != 0
        and ((code == 20 and inner == "(123456:x)") or inner in ("(855056:x)", "(RC4058:x)", "[1902:x]"))
    )
    if accepted:
        assert broker.send(buy()).ref.number == number
    elif status == 200 and not number and a_refusal:
        with pytest.raises(OrderRejected):
            broker.send(buy())
    else:
        with pytest.raises(OrderUnknown):
            broker.send(buy())


@pytest.mark.parametrize("trouble", list(Trouble))
def test_an_order_in_trouble_is_unknown_and_sent_once(trouble: Trouble):
    stage = Stage()
    if trouble is Trouble.CUT_PAGES:
        return  # orders have no pages
    stage.fake.troubles.plan(Target.ORDER, trouble)
    with pytest.raises(OrderUnknown):
        stage.broker.send(buy())
    # A cut answer was an answer to an order that was taken.
    taken = trouble.recorded or trouble is Trouble.TRUNCATED
    assert len(stage.exchange.orders) == int(taken)
    assert sent(stage) <= 1
    stage.clock.sleep(60)
    orders = stage.broker.day_orders(stage.broker._today())
    assert [order.ref.number for order in orders] == [order.number for order in stage.exchange.orders]


@pytest.mark.parametrize("trouble", [one for one in Trouble if one is not Trouble.CUT_PAGES])
def test_a_cancel_in_trouble_is_unknown_and_may_be_repeated(trouble: Trouble):
    stage = Stage()
    ref = stage.broker.send(buy()).ref
    stage.fake.troubles.plan(Target.CANCEL, trouble)
    with pytest.raises(OrderUnknown):
        stage.broker.cancel(ref, symbol="005930", side=Side.BUY)
    stage.clock.sleep(60)
    if stage.broker.day_orders(ref.day)[0].state is PlacedState.OPEN:
        stage.broker.cancel(ref, symbol="005930", side=Side.BUY)
    assert stage.broker.day_orders(ref.day)[0].state is PlacedState.CANCELLED


QUESTIONS = {
    Target.JOURNAL: lambda broker: broker.day_orders(broker._today()),
    Target.BALANCE: lambda broker: (broker.holdings(), broker.cash()),
    Target.QUOTE: lambda broker: broker.quotes(["005930"]),
}


@pytest.mark.parametrize("target", list(QUESTIONS))
@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_question_in_trouble_is_asked_again_or_gets_no_answer_at_all(target: Target, trouble: Trouble):
    stage = Stage()
    for number in range(3):
        stage.exchange.by_hand("005930", buys=True, quantity=Decimal(1 + number))
    truth = QUESTIONS[target](stage.broker)
    stage.clock.sleep(100)
    stage.fake.troubles.plan(target, trouble)
    if trouble is Trouble.CUT_PAGES:
        with pytest.raises(BrokerTemporary):
            QUESTIONS[target](stage.broker)
    else:
        assert _prices(QUESTIONS[target](stage.broker)) == _prices(truth)
    stage.fake.troubles.clear()
    for _ in range(3):
        stage.fake.troubles.plan(target, trouble)
    stage.clock.sleep(100)
    with pytest.raises(BrokerTemporary):
        QUESTIONS[target](stage.broker)
    stage.fake.troubles.clear()
    stage.clock.sleep(100)
    assert _prices(QUESTIONS[target](stage.broker)) == _prices(truth)
    assert stage.fake.gate.overruns == 0


def _prices(answer: object) -> object:
    """Quotes without the moment they were asked for."""
    return {key: quote.price_krw for key, quote in answer.items()} if isinstance(answer, dict) else answer


def test_lists_of_a_broken_form_are_no_lists():
    """A row that cannot be read makes no list without it."""
    stage = Stage()
    stage.exchange.by_hand("005930", buys=True, quantity=Decimal(1))
    honest = stage.fake.answer
    for spoiled in ('"ord_qty": "0000000001"', '"ord_no": "0060327"', '"io_tp_nm": "현금매수"', '"ord_tm": "10:15:12"'):
        key = spoiled.split(":")[0]

        def answer(heard: Heard, spoiled: str = spoiled, key: str = key) -> Told:
            told = honest(heard)
            body = told.body.decode().replace(spoiled, f'{key}: ""')
            return Told(status=told.status, body=body.encode(), headers=told.headers)

        stage.transport._answer = answer
        stage.clock.sleep(10)
        with pytest.raises(BrokerTemporary, match="cannot be read"):
            stage.broker.day_orders(stage.broker._today())


def test_pages_without_an_end_are_an_error():
    stage = Stage()

    def answer(heard: Heard) -> Told:
        told = stage.fake.answer(heard)
        return Told(status=told.status, body=told.body, headers=told.headers | {"cont-yn": "Y", "next-key": "key0"})

    stage.transport._answer = answer
    with pytest.raises(BrokerTemporary, match="no end"):
        stage.broker.holdings()


def test_no_rows_as_an_error_is_an_empty_list():
    stage = Stage()

    def answer(heard: Heard) -> Told:
        if heard.headers.get("api-id") == "kt00018":
            return Told(body=json.dumps(said(20, "[2000](571758:조회할 내역이 없습니다)")).encode())
        return stage.fake.answer(heard)

    stage.transport._answer = answer
    assert stage.broker.holdings() == []


def test_more_symbols_than_a_question_takes_with_unknown_ones_between():
    stage = Stage()
    wanted = ["005930", "0001A0", *(f"9{number:05}" for number in range(102))]
    assert list(stage.broker.quotes(wanted)) == ["0001A0", "005930"]
    stage.fake.unknown_symbol_refuses = False
    stage.clock.sleep(10)
    assert list(stage.broker.quotes(wanted)) == ["0001A0", "005930"]
    assert max(str(body["stk_cd"]).count("|") + 1 for api, body in stage.fake.heard if api == "ka10095") <= 100
    assert stage.fake.gate.overruns == 0


# Tokens.


@pytest.mark.parametrize(
    "keys", [KiwoomKeys(app_key="AK-EXAMPLE-MOCK-0001", secret_key="x"), KiwoomKeys(app_key="?", secret_key="?")]
)
def test_wrong_keys_are_denied_before_any_order_is_sent(keys: KiwoomKeys):
    stage = Stage()
    broker = stage.adapter(keys=keys)
    with pytest.raises(BrokerDenied) as denied:
        broker.send(buy())
    assert keys.app_key not in str(denied.value)
    assert stage.exchange.orders == []


def test_an_address_that_is_not_registered_and_another_account_are_denied():
    stage = Stage()
    with pytest.raises(BrokerDenied, match="another account") as denied:
        stage.adapter(account="5099999910").check()
    assert "5012345610" not in str(denied.value)
    assert stage.adapter(account="50123456-10").check() == "50******10"
    stage.fake.gate.address_allowed = False
    with pytest.raises(BrokerDenied):
        stage.broker.holdings()


def test_a_token_is_shared_kept_and_renewed_ten_minutes_before_its_end():
    stage = Stage()
    stage.broker.check()
    stage.adapter().check()
    assert stage.fake.gate.issued == 1
    stage.clock.now += timedelta(hours=23, minutes=49)
    stage.broker.check()
    assert stage.fake.gate.issued == 1
    stage.clock.now += timedelta(minutes=2)
    stage.broker.check()
    assert stage.fake.gate.issued == 2


def test_a_token_that_another_owner_saved_meanwhile_is_used_not_issued_again():
    stage = Stage()
    stage.broker.check()
    stage.fake.gate.kill()
    stage.clock.sleep(61)
    stage.adapter().check()  # issues the second one
    assert stage.fake.gate.issued == 2
    stage.broker.check()
    assert stage.fake.gate.issued == 2


def test_dead_tokens_end_in_no_loop_and_never_more_than_one_issue_a_minute():
    stage = Stage()
    for _ in range(200):
        # The token of this question dies as often as it is renewed.
        stage.fake.troubles.plan(Target.BALANCE, Trouble.TOKEN_DEAD, 2)
        with pytest.raises(BrokerTemporary):
            stage.broker.holdings()
        stage.fake.troubles.clear()
        stage.clock.sleep(3)
    assert stage.fake.gate.issued <= 200 * 3 / 60 + 2
    assert stage.fake.gate.issued >= 9
    key_id = stage.broker._client._auth.key_id
    stage.tokens.forget(key_id, f"token-{stage.fake.gate.issued:04d}")
    stage.tokens.note_asking(key_id, stage.clock())
    with pytest.raises(OrderUnsent, match="KST"):  # it says when
        stage.broker.send(buy())
    assert stage.exchange.orders == []


def test_asking_for_a_token_is_remembered_before_it_is_answered():
    stage = Stage()
    stage.fake.troubles.plan(Target.TOKEN, Trouble.RECORDED_NO_ANSWER)
    with pytest.raises(BrokerTemporary):
        stage.broker.holdings()
    with pytest.raises(BrokerTemporary, match="10:16:12 KST"):
        stage.adapter().holdings()  # a restart changes nothing
    assert stage.fake.gate.issued == 1
    stage.clock.sleep(61)
    assert stage.broker.holdings() == []


def test_a_token_refused_in_the_answer_to_an_order_is_forgotten_and_the_order_unknown():
    stage = Stage()
    stage.broker.check()
    stage.clock.sleep(100)
    stage.fake.gate.kill()
    with pytest.raises(OrderUnknown) as unknown:
        stage.broker.send(buy())
    assert unknown.value.likely_refused
    stage.broker.send(buy())
    assert (stage.fake.gate.issued, len(stage.exchange.orders)) == (2, 1)


# The pace.


@pytest.mark.parametrize("mock", [False, True])
def test_kiwoom_never_has_to_say_too_many(mock: bool):
    stage = Stage(mock=mock, page_size=1)
    for _ in range(12):
        stage.exchange.by_hand("005930", buys=True, quantity=Decimal(1))
    began = stage.clock.now
    for _ in range(3):
        stage.broker.send(buy(quantity=1))
        stage.broker.day_orders(stage.broker._today())
        stage.broker.holdings()
    assert stage.fake.gate.overruns == 0
    if mock:  # one request in two seconds, whatever it asks
        assert (stage.clock.now - began).total_seconds() >= 2 * (len(stage.fake.heard) - 1)


# The decisive ones on real sockets.


@pytest.mark.parametrize("trouble", [*RECORDED, Trouble.NO_ANSWER, Trouble.HTML, Trouble.TRUNCATED])
def test_on_a_socket_an_answer_that_was_lost_is_unknown_and_found_in_the_journal(trouble: Trouble):
    stage = Stage()
    stage.fake.late_seconds = 5.0
    with OnSocket(stage.fake.answer) as server:
        broker = stage.adapter(url=server.url, order_seconds=0.3)
        broker.check()
        stage.fake.troubles.plan(Target.ORDER, trouble)
        with pytest.raises(OrderUnknown):
            broker.send(buy(quantity=7))
        taken = trouble.recorded or trouble is Trouble.TRUNCATED
        assert [order.quantity for order in broker.day_orders(broker._today())] == ([7] if taken else [])
        assert sent(stage) == int(taken)
        broker.close()


def test_on_a_socket_a_host_that_is_not_there_gets_no_order():
    stage = Stage()
    with OnSocket(stage.fake.answer) as server:
        before = stage.adapter(url=server.url)
        before.check()  # so that a token is kept
        before.close()
    broker = stage.adapter(url=server.url, order_seconds=0.3)
    with pytest.raises(OrderUnsent):
        broker.send(buy())
    with pytest.raises(BrokerTemporary):
        broker.holdings()
    broker.close()


# Small truths.


def test_codes_are_found_in_the_order_of_the_notes():
    assert inner_code("[2000](855056:매수증거금이 부족합니다. 12주 매수가능)") == "855056"
    assert inner_code("토큰 인증에 실패했습니다 [CODE=8005, MESSAGE=Token이 유효하지 않습니다]") == "8005"
    assert (
        inner_code("허용된 요청 개수를 초과하였습니다[1700:허용된 요청 개수를 초과하였습니다. 유량=5, API ID=ka10080]")
        == "1700"
    )
    assert inner_code("조회 오류 [1634]") == "1634"
    assert inner_code("[2000](RC4058:모의투자 장종료)") == "RC4058"
    assert inner_code(" 조회가 완료되었습니다.") == ""


def test_nothing_secret_is_in_logs_or_errors(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    caplog.set_level("DEBUG")
    texts = [repr(stage.broker), repr(KEYS)]
    for target in (Target.TOKEN, Target.ORDER, Target.BALANCE):
        stage.fake.troubles.plan(target, Trouble.HTML, 3)
        for ask in (lambda: stage.broker.send(buy()), stage.broker.holdings):
            try:
                ask()
            except (BrokerTemporary, OrderUnknown, OrderUnsent) as error:
                texts += [str(error), repr(error)]
            stage.clock.sleep(61)
    text = " ".join(texts) + caplog.text
    for secret in ("AK-EXAMPLE", "SK-EXAMPLE", "token-0001", "5012345610"):
        assert secret not in text
