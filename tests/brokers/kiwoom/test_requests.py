"""What goes out, field by field, and what the answers of Kiwoom's guide say."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

import httpx
import pytest
from fakes.exchange import KST
from fakes.kiwoom_stage import KEYS, OPENING, Clock

from stocklab.brokers.kiwoom.execution import KiwoomBroker
from stocklab.brokers.kiwoom.models import RATES
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import AccessToken, MemoryTokens
from stocklab.brokers.values import (
    BrokerCash,
    OrderRef,
    OrderTicket,
    PlacedState,
    PriceKind,
    QuoteSource,
    Rejection,
    Side,
    Validity,
)
from stocklab.errors import OrderRejected

OK = {"return_code": 0, "return_msg": "정상적으로 처리되었습니다"}
TOKEN = {"expires_dt": "20261121101512", "token_type": "bearer", "token": "WQJCw1qEXAMPLEtoken9sVbS"} | OK
TODAY = date(2026, 11, 20)


class Guide:
    """Answers with the examples of the guide and keeps the requests."""

    def __init__(self, answers: dict[str, list[dict]], *, mock: bool = False) -> None:
        self.requests: list[httpx.Request] = []
        self.answers = {"": [TOKEN]} | answers
        clock = Clock()
        self.tokens = MemoryTokens()
        self.broker = KiwoomBroker(
            base_url="https://kiwoom.test",
            keys=KEYS,
            mock=mock,
            tokens=self.tokens,
            pacer=Pacer(RATES, clock=clock.seconds, sleep=clock.sleep),
            clock=clock,
            sleep=clock.sleep,
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        pages = self.answers[request.headers.get("api-id", "")]
        page = int(request.headers.get("next-key", "0"))
        more = {"cont-yn": "Y", "next-key": str(page + 1)} if page + 1 < len(pages) else {"cont-yn": "N"}
        return httpx.Response(200, json=pages[page], headers=more)

    @property
    def last(self) -> tuple[str, str, str, dict]:
        request = self.requests[-1]
        return request.method, request.url.path, request.headers["api-id"], json.loads(request.content)


def ticket(
    side: Side = Side.BUY,
    kind: PriceKind = PriceKind.LIMIT,
    validity: Validity = Validity.DAY,
    quantity: str = "10",
    symbol: str = "005930",
    limit: str = "71300",
) -> OrderTicket:
    return OrderTicket(
        client_order_id="one",
        symbol=symbol,
        side=side,
        kind=kind,
        quantity=Decimal(quantity),
        limit_price_krw=Decimal(limit) if kind is PriceKind.LIMIT else None,
        validity=validity,
    )


def test_a_token_is_asked_for_with_the_keys_alone():
    guide = Guide({"ka00001": [{"acctNo": "5012345610"} | OK]})
    assert guide.broker.check() == "50******10"
    issue, question = guide.requests
    assert (issue.method, issue.url.path) == ("POST", "/oauth2/token")
    assert issue.headers["content-type"] == "application/json;charset=UTF-8"
    assert "authorization" not in issue.headers
    assert "api-id" not in issue.headers
    assert json.loads(issue.content) == {
        "grant_type": "client_credentials",
        "appkey": "AK-EXAMPLE-LIVE-0001",
        "secretkey": "SK-EXAMPLE-LIVE-0001",
    }
    assert (question.method, question.url.path, question.headers["api-id"]) == ("POST", "/api/dostk/acnt", "ka00001")
    assert question.headers["authorization"] == "Bearer WQJCw1qEXAMPLEtoken9sVbS"
    assert question.headers["content-type"] == "application/json;charset=UTF-8"
    assert "cont-yn" not in question.headers
    assert json.loads(question.content) == {}
    kept = next(iter(guide.tokens._tokens.values()))
    assert kept.expires_at == datetime(2026, 11, 21, 10, 15, 12, tzinfo=KST)  # expires_dt is in Seoul's time
    assert "WQJC" not in repr(guide.tokens)
    assert "EXAMPLE" not in repr(KEYS)


@pytest.mark.parametrize(
    ("sent", "api_id", "body"),
    [
        (ticket(), "kt10000", {"ord_qty": "10", "ord_uv": "71300", "trde_tp": "0"}),
        (ticket(Side.SELL), "kt10001", {"ord_qty": "10", "ord_uv": "71300", "trde_tp": "0"}),
        (ticket(kind=PriceKind.MARKET), "kt10000", {"ord_qty": "10", "ord_uv": "", "trde_tp": "3"}),
        (ticket(validity=Validity.IOC), "kt10000", {"ord_qty": "10", "ord_uv": "71300", "trde_tp": "10"}),
        (
            ticket(Side.SELL, PriceKind.MARKET, Validity.IOC),
            "kt10001",
            {"ord_qty": "10", "ord_uv": "", "trde_tp": "13"},
        ),
        (ticket(validity=Validity.FOK), "kt10000", {"ord_qty": "10", "ord_uv": "71300", "trde_tp": "20"}),
        (
            ticket(Side.SELL, PriceKind.MARKET, Validity.FOK),
            "kt10001",
            {"ord_qty": "10", "ord_uv": "", "trde_tp": "23"},
        ),
    ],
)
def test_an_order_as_it_goes_out(sent: OrderTicket, api_id: str, body: dict):
    guide = Guide({api_id: [{"ord_no": "0060327", "dmst_stex_tp": "KRX"} | OK]})
    receipt = guide.broker.send(sent)
    assert receipt.ref == OrderRef(TODAY, "0060327")
    fixed = {"dmst_stex_tp": "KRX", "stk_cd": "005930", "cond_uv": ""}
    assert guide.last == ("POST", "/api/dostk/ordr", api_id, fixed | body)


def test_a_cancel_as_it_goes_out_and_never_for_another_day():
    guide = Guide({"kt10003": [{"ord_no": "0060401", "base_orig_ord_no": "0060327", "cncl_qty": "000000000010"} | OK]})
    guide.broker.cancel(OrderRef(TODAY, "0060388"), symbol="005930", side=Side.BUY)
    body = {"dmst_stex_tp": "KRX", "orig_ord_no": "0060388", "stk_cd": "005930", "cncl_qty": "0"}
    assert guide.last == ("POST", "/api/dostk/ordr", "kt10003", body)
    asked = len(guide.requests)
    with pytest.raises(OrderRejected) as refused:  # numbers begin again every day
        guide.broker.cancel(OrderRef(date(2026, 11, 19), "0060388"), symbol="005930", side=Side.BUY)
    assert refused.value.reason == Rejection.FINISHED
    assert len(guide.requests) == asked


@pytest.mark.parametrize(
    ("sent", "mock", "reason"),
    [
        (ticket(quantity="1.5"), False, Rejection.SIZE),
        (ticket(limit="71300.5"), False, Rejection.PRICE),
        (ticket(symbol="A005930"), False, Rejection.SYMBOL),
        (ticket(validity=Validity.IOC), True, Rejection.KIND),
    ],
)
def test_what_kiwoom_never_takes_is_not_sent(sent: OrderTicket, mock: bool, reason: Rejection):
    guide = Guide({}, mock=mock)
    with pytest.raises(OrderRejected) as refused:
        guide.broker.send(sent)
    assert refused.value.reason == reason
    assert guide.requests == []


JOURNAL_ROW = {
    "ord_no": "0060327", "stk_cd": "A005930", "trde_tp": "보통", "crd_tp": "보통매매", "ord_qty": "0000000010",
    "ord_uv": "0000071300", "cnfm_qty": "0000000000", "acpt_tp": "접수", "rsrv_tp": "", "ord_tm": "10:14:14",
    "ori_ord": "0000000", "stk_nm": "삼성전자", "io_tp_nm": "현금매수", "loan_dt": "", "cntr_qty": "0000000010",
    "cntr_uv": "0000071300", "ord_remnq": "0000000000", "comm_ord_tp": "REST API", "mdfy_cncl": "", "cnfm_tm": "",
    "dmst_stex_tp": "KRX", "cond_uv": "0000000000",
}  # fmt: skip
OPEN_ROW = {
    "acnt_no": "5012345610", "ord_no": "0060330", "mang_empno": "", "stk_cd": "005930", "tsk_tp": "", "ord_stt": "접수",
    "stk_nm": "삼성전자", "ord_qty": "10", "ord_pric": "71300", "oso_qty": "6", "cntr_tot_amt": "285200",
    "orig_ord_no": "0000000", "io_tp_nm": "-매도", "trde_tp": "보통", "tm": "101512", "cntr_no": "120031",
    "cntr_pric": "71300", "cntr_qty": "4", "cur_prc": "+71400", "unit_cntr_pric": "71300", "unit_cntr_qty": "4",
    "tdy_trde_cmsn": "40", "tdy_trde_tax": "0", "stex_tp": "1", "stex_tp_txt": "KRX", "sor_yn": "N", "stop_pric": "0",
}  # fmt: skip
FILL_ROW = {
    "ord_no": "0060327", "stk_nm": "삼성전자", "io_tp_nm": "+매수", "ord_pric": "71300", "ord_qty": "10",
    "cntr_pric": "71300", "cntr_qty": "10", "oso_qty": "0", "tdy_trde_cmsn": "100", "tdy_trde_tax": "0",
    "ord_stt": "체결", "trde_tp": "보통", "orig_ord_no": "0000000", "ord_tm": "101414", "stk_cd": "005930",
    "stex_tp": "1", "stex_tp_txt": "KRX", "sor_yn": "N", "stop_pric": "0",
}  # fmt: skip


def lists(journal: list[list[dict]], opened: list[dict], fills: list[dict]) -> Guide:
    return Guide(
        {
            "kt00007": [{"acnt_ord_cntr_prps_dtl": page} | OK for page in journal],
            "ka10075": [{"oso": opened} | OK],
            "ka10076": [{"cntr": fills} | OK],
        }
    )


def test_the_journal_of_a_day_from_the_examples_of_the_guide():
    guide = lists([[JOURNAL_ROW], []], [OPEN_ROW], [FILL_ROW])
    first, second = guide.broker.day_orders(TODAY)
    assert (first.ref.number, first.symbol, first.side, first.kind) == ("0060327", "005930", Side.BUY, PriceKind.LIMIT)
    assert (first.quantity, first.limit_price_krw, first.state) == (10, 71_300, PlacedState.FILLED)
    assert (first.filled_quantity, first.filled_krw, first.costs_krw) == (10, 713_000, 100)
    assert first.placed_at == datetime.combine(TODAY, time(10, 14, 14), KST)
    # The second one is in the list of open orders alone, which was read later.
    assert (second.ref.number, second.side, second.state) == ("0060330", Side.SELL, PlacedState.OPEN)
    assert (second.filled_quantity, second.filled_krw, second.costs_krw) == (4, 285_200, 40)

    asked = [
        (request.headers["api-id"], request.headers.get("cont-yn"), json.loads(request.content))
        for request in guide.requests[1:]
    ]
    journal = {
        "ord_dt": "20261120", "qry_tp": "1", "stk_bond_tp": "0", "sell_tp": "0", "stk_cd": "", "fr_ord_no": "",
        "dmst_stex_tp": "%",
    }  # fmt: skip
    assert asked == [
        ("kt00007", None, journal),
        ("kt00007", "Y", journal),
        ("ka10075", None, {"all_stk_tp": "0", "trde_tp": "0", "stk_cd": "", "stex_tp": "0"}),
        ("ka10076", None, {"stk_cd": "", "qry_tp": "0", "sell_tp": "0", "ord_no": "", "stex_tp": "0"}),
    ]
    assert {request.url.path for request in guide.requests[1:]} == {"/api/dostk/acnt"}


def changed(row: dict, **fields: str) -> dict:
    return row | fields


def test_changes_and_cancels_by_hand_are_part_of_their_order():
    """10 bought at 71,300: 4 filled, the rest moved to 71,400, there 2 filled, then 1 cancelled and 3 left."""
    first = changed(JOURNAL_ROW, cntr_qty="0000000004")
    moved = changed(
        JOURNAL_ROW, ord_no="0060340", ori_ord="0060327", mdfy_cncl="정정", io_tp_nm="현금매수정정", ord_qty="0000000006",
        ord_uv="0000071400", cnfm_qty="0000000006", cntr_qty="0000000002", cntr_uv="0000071400", ord_remnq="0000000003",
        dmst_stex_tp="SOR", ord_tm="10:20:00",
    )  # fmt: skip
    ended = changed(
        JOURNAL_ROW, ord_no="0060341", ori_ord="0060340", mdfy_cncl="취소", io_tp_nm="현금매수취소", ord_qty="0000000001",
        cnfm_qty="0000000001", cntr_qty="0000000000", cntr_uv="0000000000",
    )  # fmt: skip
    no_effect = changed(ended, ord_no="0060342", acpt_tp="거부", cnfm_qty="0000000003")
    guide = lists([[first, moved, ended, no_effect]], [], [])
    guide.answers["kt10003"] = [{"ord_no": "0060350"} | OK]
    (order,) = guide.broker.day_orders(TODAY)
    assert (order.ref.number, order.quantity, order.limit_price_krw) == ("0060327", 10, 71_400)
    assert (order.filled_quantity, order.filled_krw) == (6, 4 * 71_300 + 2 * 71_400)
    assert order.state is PlacedState.OPEN
    # A cancel names the number that lives now; the order's own is void after the change.
    guide.broker.cancel(order.ref, symbol="005930", side=Side.BUY)
    assert guide.last[3]["orig_ord_no"] == "0060340"

    gone = lists([[first, changed(moved, ord_remnq="0000000000"), changed(ended, cnfm_qty="0000000004")]], [], [])
    assert gone.broker.day_orders(TODAY)[0].state is PlacedState.CANCELLED


def test_an_order_that_the_exchange_refused_is_no_cancelled_one():
    guide = lists([[changed(JOURNAL_ROW, acpt_tp="거부", cntr_qty="0000000000", cntr_uv="0000000000")]], [], [])
    (order,) = guide.broker.day_orders(TODAY)
    assert (order.state, order.filled_quantity, order.filled_krw) == (PlacedState.REJECTED, 0, 0)


def test_a_rest_in_any_list_keeps_an_order_open_while_the_market_is():
    partly = changed(JOURNAL_ROW, cntr_qty="0000000004", ord_remnq="0000000006")
    assert lists([[partly]], [], []).broker.day_orders(TODAY)[0].state is PlacedState.OPEN
    assert lists([[changed(partly, ord_remnq="0000000000")]], [], []).broker.day_orders(TODAY)[0].state is (
        PlacedState.CANCELLED
    )
    listed = changed(OPEN_ROW, ord_no="0060327", io_tp_nm="+매수")
    assert lists([[changed(partly, ord_remnq="0000000000")]], [listed], []).broker.day_orders(TODAY)[0].state is (
        PlacedState.OPEN
    )
    # A confirmed cancel ends it, also where its rest is left beside it.
    cancel = changed(
        JOURNAL_ROW, ord_no="0060331", ori_ord="0060327", mdfy_cncl="취소", cntr_qty="0000000000", cntr_uv="0000000000",
        cnfm_qty="0000000006",
    )  # fmt: skip
    (ended,) = lists([[partly, cancel]], [], []).broker.day_orders(TODAY)
    assert ended.state is PlacedState.CANCELLED
    # Yesterday's day orders are dead whatever rest stands beside them.
    (old,) = lists([[partly]], [], []).broker.day_orders(date(2026, 11, 19))
    assert (old.state, old.filled_krw) == (PlacedState.CANCELLED, 285_200)


@pytest.mark.parametrize(
    ("average", "quantity", "truth"),
    [
        ("71333", 3, 71_300 + 71_300 + 71_400),  # cut from 71,333.33
        ("71367", 3, 71_300 + 71_400 + 71_400),  # rounded from 71,366.67
        ("71300", 900, 900 * 71_300),
        ("200166", 3, 199_900 + 200_000 + 200_600 - 0),  # hand-made: on the grid below 200,000 alone
        ("10006", 3, 10_005 + 10_005 + 10_010),  # an ETF, whose tick is 5; shares have 10 there
    ],
)
def test_the_amount_behind_an_average(average: str, quantity: int, truth: int):
    row = changed(
        JOURNAL_ROW,
        ord_qty=f"{quantity:010}", cntr_qty=f"{quantity:010}", cntr_uv=average.zfill(10), trde_tp="시장가",
        ord_uv="0000000000",
    )  # fmt: skip
    (order,) = lists([[row]], [], []).broker.day_orders(TODAY)
    assert (order.filled_krw, order.kind) == (truth, PriceKind.MARKET)


def test_holdings_cash_and_quotes_from_the_examples_of_the_guide():
    holding = {
        "stk_cd": "A005930", "rmnd_qty": "000000000000010", "trde_able_qty": "000000000000004",
        "pur_pric": "000000000071300", "evltv_prft": "-00000000000628", "cur_prc": "000000071400",
    }  # fmt: skip
    guide = Guide(
        {
            "kt00018": [
                {"acnt_evlt_remn_indv_tot": [holding | {"stk_cd": "A000660", "rmnd_qty": "000000000000000"}]} | OK,
                {"acnt_evlt_remn_indv_tot": [holding]} | OK,
            ],
            "kt00001": [
                {
                    "entr": "000000010000000", "ord_alow_amt": "000000009286900", "20stk_ord_alow_amt": "000000046434500",
                    "100stk_ord_alow_amt": "000000009286900", "d2_entra": "000000009286900", "stk_entr_prst": [],
                }
                | OK
            ],
            "ka10095": [
                {
                    "atn_stk_infr": [
                        {
                            "stk_cd": "005930", "cur_prc": "-70800", "base_pric": "70900", "sel_bid": "-70900",
                            "buy_bid": " 70800", "upl_pric": "+92100", "lst_pric": "-49700", "cntr_tm": "101511",
                            "dt": "20261120",
                        },
                        {"stk_cd": "000660_NX", "cur_prc": "+182500", "sel_bid": "-0", "cntr_tm": "153000", "dt": "20261119"},
                        {"stk_cd": "", "cur_prc": ""},
                    ]
                }
                | OK
            ],
        }
    )  # fmt: skip
    (held,) = guide.broker.holdings()
    assert (held.symbol, held.quantity, held.sellable, held.average_cost_krw) == ("005930", 10, 4, 71_300)
    assert guide.last == ("POST", "/api/dostk/acnt", "kt00018", {"qry_tp": "1", "dmst_stex_tp": "KRX"})
    assert guide.broker.cash() == BrokerCash(total_krw=Decimal(9_286_900), orderable_krw=Decimal(9_286_900))
    assert guide.last == ("POST", "/api/dostk/acnt", "kt00001", {"qry_tp": "3"})
    quotes = guide.broker.quotes(["000660", "999999", "005930"])
    assert guide.last == ("POST", "/api/dostk/stkinfo", "ka10095", {"stk_cd": "000660|005930|999999"})
    assert list(quotes) == ["000660", "005930"]
    now, before = quotes["005930"], quotes["000660"]
    assert (now.price_krw, now.bid_krw, now.ask_krw) == (70_800, 70_800, 70_900)
    assert (now.base_price_krw, now.lower_limit_krw, now.upper_limit_krw) == (70_900, 49_700, 92_100)
    assert (now.source, now.at >= OPENING) == (QuoteSource.REST, True)
    assert (before.source, before.at) == (QuoteSource.CLOSE, datetime(2026, 11, 19, 15, 30, tzinfo=KST))
    assert before.ask_krw is None


def test_a_kept_token_is_used_until_ten_minutes_before_its_end():
    answers: dict[str, list[dict]] = {"ka00001": [{"acctNo": "5012345610"} | OK]}
    issued: Callable[[Guide], int] = lambda guide: sum(r.url.path == "/oauth2/token" for r in guide.requests)  # noqa: E731
    for minute, count in ((24, 1), (26, 0)):
        guide = Guide(answers)
        key_id = guide.broker._client._auth.key_id
        end = datetime(2026, 11, 20, 10, minute, tzinfo=KST)  # it is 10:15:12
        guide.tokens.save(key_id, AccessToken(value="kept", issued_at=OPENING, expires_at=end))
        guide.broker.check()
        assert issued(guide) == count
