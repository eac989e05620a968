"""Requests field by field against the exchange's documentation, and the signature against vectors made elsewhere."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

import httpx
import pytest
from fakes.upbit_pocket import ACCESS, CREDENTIALS, SECRET, START, Clock, make_pacer

from stocklab.brokers.upbit.auth import bearer
from stocklab.brokers.upbit.execution import UpbitBroker, order_pairs
from stocklab.brokers.upbit.models import ORDER_KINDS, ban_seconds, rates
from stocklab.brokers.values import OrderRef, OrderTicket, PriceKind, Rejection, Side, Validity
from stocklab.errors import BrokerDenied, BrokerTemporary, InputError, OrderRejected, OrderUnknown

NONCE = "11111111-2222-4333-8444-555555555555"
HEAD = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9"
NO_PARAMETERS = (
    f"Bearer {HEAD}.eyJhY2Nlc3Nfa2V5IjoiQUtFWEFNUExFMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAxIiwibm9uY2UiOiIxMTExMTExMS0y"
    "MjIyLTQzMzMtODQ0NC01NTU1NTU1NTU1NTUifQ.3QnCNNuP0yjKd0jWqyP43Aed5_00gzCrqUOT_XHk5V6QewZhyzjxh5VBQR2AEJqaHVy-fRFilC"
    "idtppUTg1i8g"
)
ORDER_HASH = (
    "ce927b344d98358397ca813519c2c86ac571c830322e06af0376f9c5208d07eaec047d86cd437f496218673105dabab45a2c937c15c2b2832ec"
    "cb7b22f4de177"
)
ORDER_SIGNATURE = "yAQuRKimBLZb8R2Dddj31DjMyFOdh7ZBAg265ffPeiG-cqVTDCgtLKLsETUvSfI1yBVo2oQ_DUACoRYwQqEFUQ"
STATES_HASH = (
    "c01bbcb80094d2225c90eda65128baf7ef800471fbdeb76579856d1532cd263060e41ede9c52bfc926a0b46c4b7797a61e4327cda59d236f829"
    "cde4c875dfe77"
)
ORDER = {
    "market": "KRW-BTC",
    "uuid": "6f2b1d1e-7c53-4b7f-9a5e-2f6c0f8f4a11",
    "side": "bid",
    "ord_type": "limit",
    "price": "108000000",
    "state": "wait",
    "created_at": "2026-11-20T10:15:12+09:00",
    "volume": "0.001",
    "remaining_volume": "0.001",
    "executed_volume": "0",
    "reserved_fee": "54",
    "remaining_fee": "54",
    "paid_fee": "0",
    "locked": "108054",
    "prevented_volume": "0",
    "prevented_locked": "0",
    "trades_count": 0,
    "identifier": "sl-7f3a-0001",
    "smp_type": "cancel_maker",
}
TICKET = OrderTicket(
    client_order_id="sl-7f3a-0001",
    symbol="KRW-BTC",
    side=Side.BUY,
    kind=PriceKind.LIMIT,
    quantity=Decimal("0.00100000"),
    limit_price_krw=Decimal("108E+6"),
)


class Told:
    """A broker that hears requests and gives the answers it was told to give."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self.clock = Clock()
        self._answers = iter(answers)
        nonces = count(1)
        self.broker = UpbitBroker(
            credentials=CREDENTIALS,
            pacer=make_pacer(self.clock),
            clock=self.clock,
            sleep=self.clock.sleep,
            nonce=lambda: NONCE if (number := next(nonces)) == 1 else f"nonce-{number}",
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def refusal(status: int, name: str | int) -> httpx.Response:
    return httpx.Response(status, json={"error": {"name": name, "message": "안내"}})


def claims(request: httpx.Request) -> dict[str, str]:
    import jwt

    token = request.headers["authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})


def test_signatures_match_the_vectors():
    assert bearer(CREDENTIALS, (), NONCE) == NO_PARAMETERS
    assert bearer(CREDENTIALS, order_pairs(TICKET), NONCE).rpartition(".")[2] == ORDER_SIGNATURE
    assert SECRET not in repr(CREDENTIALS)
    assert ACCESS not in repr(CREDENTIALS)


def test_an_order_goes_out_as_documented():
    told = Told(ok(ORDER, 201))
    receipt = told.broker.send(TICKET)
    [request] = told.requests
    assert (request.method, str(request.url)) == ("POST", "https://api.upbit.com/v1/orders")
    assert request.content == (
        b'{"market":"KRW-BTC","side":"bid","volume":"0.001","price":"108000000","ord_type":"limit",'
        b'"identifier":"sl-7f3a-0001"}'
    )
    assert request.headers.get_list("content-type") == ["application/json; charset=utf-8"]
    assert request.headers["accept"] == "application/json"
    assert "origin" not in request.headers
    assert claims(request) == {
        "access_key": ACCESS,
        "nonce": NONCE,
        "query_hash": ORDER_HASH,
        "query_hash_alg": "SHA512",
    }
    assert request.headers["authorization"].endswith("." + ORDER_SIGNATURE)
    assert receipt.ref == OrderRef(START.date(), ORDER["uuid"])
    assert receipt.accepted_at == START


@pytest.mark.parametrize(
    ("side", "kind", "validity", "fields"),
    [
        (Side.SELL, PriceKind.LIMIT, Validity.IOC, {"side": "ask", "volume": "2.5", "price": "0.0012", "ord_type": "limit", "time_in_force": "ioc"}),
        (Side.BUY, PriceKind.LIMIT, Validity.FOK, {"side": "bid", "volume": "2.5", "price": "0.0012", "ord_type": "limit", "time_in_force": "fok"}),
        (Side.BUY, PriceKind.MARKET, Validity.DAY, {"side": "bid", "price": "10000", "ord_type": "price"}),
        (Side.SELL, PriceKind.MARKET, Validity.DAY, {"side": "ask", "volume": "2.5", "ord_type": "market"}),
        (Side.BUY, PriceKind.MARKET, Validity.IOC, {"side": "bid", "price": "10000", "ord_type": "best", "time_in_force": "ioc"}),
        (Side.SELL, PriceKind.MARKET, Validity.FOK, {"side": "ask", "volume": "2.5", "ord_type": "best", "time_in_force": "fok"}),
    ],
)  # fmt: skip
def test_each_kind_has_its_fields(side: Side, kind: PriceKind, validity: Validity, fields: dict[str, str]):
    by_money = (side, kind) == (Side.BUY, PriceKind.MARKET)
    ticket = OrderTicket(
        client_order_id="a",
        symbol="KRW-XYZ",
        side=side,
        kind=kind,
        validity=validity,
        quantity=None if by_money else Decimal("2.50"),
        money_krw=Decimal("10000") if by_money else None,
        limit_price_krw=Decimal("0.00120") if kind is PriceKind.LIMIT else None,
    )
    assert dict(order_pairs(ticket)) == {"market": "KRW-XYZ", "identifier": "a"} | fields


def test_every_kind_is_in_the_table():
    assert set(ORDER_KINDS) == {(kind, validity, side) for kind in PriceKind for validity in Validity for side in Side}


@pytest.mark.parametrize(
    ("symbol", "quantity", "reason"),
    [
        ("KRW-BTC", Decimal(1), Rejection.KIND),
        ("BTC-ETH", Decimal(1), Rejection.SYMBOL),
    ],
)
def test_what_upbit_does_not_have_is_not_sent(symbol: str, quantity: Decimal, reason: Rejection):
    told = Told()
    ticket = OrderTicket(client_order_id="a", symbol=symbol, side=Side.BUY, kind=PriceKind.MARKET, quantity=quantity)
    with pytest.raises(OrderRejected) as refused:
        told.broker.send(ticket)
    assert refused.value.reason is reason
    assert told.requests == []


def test_nine_decimals_are_not_sent():
    told = Told()
    ticket = OrderTicket(
        client_order_id="a", symbol="KRW-BTC", side=Side.SELL, kind=PriceKind.MARKET, quantity=Decimal("0.123456789")
    )
    with pytest.raises(OrderRejected) as refused:
        told.broker.send(ticket)
    assert refused.value.reason is Rejection.SIZE


def test_a_cancel_names_the_order_in_the_query_alone():
    told = Told(ok(ORDER))
    told.broker.cancel(OrderRef(START.date(), ORDER["uuid"]), symbol="KRW-BTC", side=Side.BUY)
    [request] = told.requests
    assert (request.method, str(request.url)) == ("DELETE", f"https://api.upbit.com/v1/order?uuid={ORDER['uuid']}")
    assert request.content == b""
    assert "content-type" not in request.headers


def test_questions_go_out_as_documented():
    told = Told(ok([]), ok([]), ok(ORDER | {"trades": []}), ok([]), ok([]), ok([]))
    told.broker.day_orders(START.date())
    told.broker.find("sl-7f3a-0001")
    told.broker.cash()
    told.broker.holdings()
    told.broker.quotes(["KRW-BTC"])
    asked = [(one.method, one.url.raw_path.decode(), "authorization" in one.headers) for one in told.requests]
    assert asked == [
        ("GET", "/v1/orders/open?states[]=wait&states[]=watch&page=1&limit=100&order_by=asc", True),
        # 2026-11-20 in Seoul begins at 1795100400; the window reaches a second further, its end is still to come.
        (
            "GET",
            "/v1/orders/closed?states[]=done&states[]=cancel&start_time=1795100399000&limit=1000&order_by=asc",
            True,
        ),
        ("GET", "/v1/order?identifier=sl-7f3a-0001", True),
        ("GET", "/v1/accounts", True),
        ("GET", "/v1/accounts", True),
        ("GET", "/v1/ticker/all?quote_currencies=KRW", False),
    ]
    assert "query_hash" not in claims(told.requests[3])
    assert len({claims(one)["nonce"] for one in told.requests[:5]}) == 5


def test_the_hash_is_of_the_plain_text():
    token = bearer(CREDENTIALS, [("market", "KRW-BTC"), ("states[]", "wait"), ("states[]", "watch")], NONCE)
    request = httpx.Request("GET", "https://u.test", headers={"authorization": token})
    assert claims(request)["query_hash"] == STATES_HASH


@pytest.mark.parametrize("number", ["9.101e-05", "0.00009101"])
def test_small_prices_keep_their_digits(number: str):
    row = f'[{{"market":"KRW-XYZ","trade_price":{number},"timestamp":1795137312403}}]'
    told = Told(httpx.Response(200, content=row.encode()))
    assert told.broker.quotes(["KRW-XYZ", "KRW-GONE"])["KRW-XYZ"].price_krw == Decimal("0.00009101")


def test_balances_are_read():
    told = Told(
        *[
            ok([
                {"currency": "KRW", "balance": "1000000.0", "locked": "5400.5", "avg_buy_price": "0", "unit_currency": "KRW"},
                {"currency": "BTC", "balance": "0.00120000", "locked": "0.00030000", "avg_buy_price": "107250000", "unit_currency": "KRW"},
                {"currency": "ETH", "balance": "2.0", "locked": "0", "avg_buy_price": "0", "unit_currency": "KRW"},
                {"currency": "XCORE", "balance": "0.0", "locked": "0.0", "avg_buy_price": "0", "unit_currency": "KRW"},
            ])
        ]
        * 2
    )  # fmt: skip
    cash = told.broker.cash()
    assert (cash.total_krw, cash.orderable_krw) == (Decimal("1005400.5"), Decimal(1_000_000))
    held = [(one.symbol, one.quantity, one.sellable, one.average_cost_krw) for one in told.broker.holdings()]
    assert held == [
        ("KRW-BTC", Decimal("0.0015"), Decimal("0.0012"), Decimal(107_250_000)),
        ("KRW-ETH", Decimal(2), Decimal(2), None),
    ]


@pytest.mark.parametrize(
    "body",
    ['{"currency":"KRW"}', '[{"currency":"KRW","balance":NaN,"locked":"0"}]', '[{"currency":"KRW","locked":"0"}]', "7"],
)
def test_unreadable_balances_are_no_balances(body: str):
    with pytest.raises(BrokerTemporary):
        Told(httpx.Response(200, content=body.encode())).broker.cash()


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (401, "jwt_verification"), (401, "invalid_query_payload"), (401, "expired_access_key"),
        (401, "no_authorization_ip"), (401, "no_authorization_i_p"), (401, "no_authorization_token"),
        (401, "out_of_scope"), (403, "out_of_scope"), (401, "something_new"), (404, "pocket_not_found"),
    ],
)  # fmt: skip
def test_refused_keys_are_asked_for_once(status: int, name: str):
    told = Told(refusal(status, name))
    with pytest.raises(BrokerDenied) as denied:
        told.broker.cash()
    assert denied.value.code == name
    assert len(told.requests) == 1
    assert ACCESS not in str(denied.value)


def test_a_used_nonce_is_replaced():
    told = Told(refusal(401, "nonce_used"), ok([]))
    told.broker.cash()
    first, second = (claims(one)["nonce"] for one in told.requests)
    assert first != second


def test_a_nonce_that_is_always_used_ends():
    told = Told(*[refusal(401, "nonce_used")] * 3)
    with pytest.raises(BrokerTemporary):
        told.broker.cash()


def test_only_the_exact_answer_means_that_there_is_no_order():
    assert Told(refusal(404, "order_not_found")).broker.find("a") is None
    for answer in (refusal(404, 404), refusal(404, "currency_not_found"), refusal(400, "order_not_found")):
        with pytest.raises(BrokerTemporary):
            Told(answer).broker.find("a")


def test_another_order_than_the_one_asked_for_is_no_answer():
    told = Told(ok(ORDER | {"trades": []}), ok(ORDER | {"identifier": "sl-7f3a-0002"}, 201))
    with pytest.raises(BrokerTemporary):
        told.broker.find("sl-7f3a-0002")
    with pytest.raises(OrderUnknown):
        told.broker.send(TICKET)


def test_a_block_is_kept_without_asking():
    told = Told(httpx.Response(418, text="요청이 너무 많아 2분 동안 차단되었습니다."), ok([]))
    with pytest.raises(BrokerTemporary):
        told.broker.cash()
    told.clock.sleep(110)
    with pytest.raises(BrokerTemporary):
        told.broker.cash()
    assert len(told.requests) == 1
    told.clock.sleep(11)
    told.broker.cash()


def test_an_empty_second_is_waited_for():
    told = Told(
        httpx.Response(200, json=[], headers={"Remaining-Req": "group=default; min=1800; sec=0"}),
        httpx.Response(200, json=[], headers={"Remaining-Req": "group=default; min=1800; sec=29"}),
        ok([]),
    )
    for _ in range(3):
        told.broker.cash()
    assert told.clock.slept == [1.0]


def test_too_many_requests_are_followed_by_a_pause():
    told = Told(httpx.Response(429, text="Too many API requests."), refusal(429, 429), ok([]))
    told.broker.cash()
    assert told.clock.slept == [1.0, 1.0]


def test_blocks_are_read_in_their_units():
    texts = ("90초 동안", "2 분", "1시간", "try again in 30 seconds", "5 minutes")
    assert [ban_seconds(text) for text in texts] == [90, 120, 3600, 30, 300]


def test_paces_stay_below_the_limits():
    for name, limit in (("default", 30), ("order", 12), ("ticker", 10)):
        rate = rates(START.date())[f"upbit:{name}:"]
        assert rate.burst + rate.per_second < limit
    with pytest.raises(InputError, match="2026-06-25"):
        rates(START.date().replace(year=2020))
