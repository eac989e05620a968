"""Requests field by field, and answers value by value, against the examples of KIS's specification."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from fakes.broker_faults import Heard, Told, WithoutSocket
from fakes.exchange import KST
from fakes.kis_stage import HYNIX, NAVER, SAMSUNG, Stage, ticket

from stocklab.brokers.values import OrderRef, PlacedState, Side, Validity
from stocklab.errors import OrderRejected

_ACCOUNT = {"CANO": "50123456", "ACNT_PRDT_CD": "01"}


def _last(stage: Stage) -> tuple[str, str, str]:
    heard = stage.fake.heard[-1]
    return heard.method, heard.path, heard.headers["tr_id"]


def _query(heard: Heard) -> dict[str, str]:
    return dict(parse_qsl(heard.raw_query, keep_blank_values=True))


@pytest.mark.parametrize(
    ("mock", "side", "tr_id", "sell_type"),
    [
        (False, Side.BUY, "TTTC0012U", ""),
        (False, Side.SELL, "TTTC0011U", "01"),
        (True, Side.BUY, "VTTC0012U", ""),
        (True, Side.SELL, "VTTC0011U", "01"),
    ],
)
def test_an_order(mock: bool, side: Side, tr_id: str, sell_type: str):
    stage = Stage(mock=mock)
    stage.exchange.by_hand(SAMSUNG, buys=True, quantity=Decimal(10))
    receipt = stage.broker.send(ticket(side=side))
    heard = stage.fake.heard[-1]
    assert _last(stage) == ("POST", "/uapi/domestic-stock/v1/trading/order-cash", tr_id)
    assert json.loads(heard.body) == _ACCOUNT | {
        "PDNO": "005930",
        "ORD_DVSN": "00",
        "ORD_QTY": "10",
        "ORD_UNPR": "71300",
        "EXCG_ID_DVSN_CD": "KRX",
        "SLL_TYPE": sell_type,
        "CNDT_PRIC": "",
    }
    sent = {name: heard.headers[name] for name in ("content-type", "authorization", "appkey", "appsecret", "custtype")}
    assert sent == {
        "content-type": "application/json; charset=utf-8",
        "authorization": f"Bearer {stage.fake.issued[-1]}",
        "appkey": stage.fake.app_key,
        "appsecret": stage.fake.app_secret,
        "custtype": "P",
    }
    assert (heard.headers["tr_cont"], heard.raw_query) == ("", "")
    assert receipt.ref == OrderRef(date(2026, 11, 20), "0000012346", "00950")
    assert receipt.accepted_at == datetime(2026, 11, 20, 10, 14, 14, tzinfo=KST)


@pytest.mark.parametrize(
    ("price", "validity", "code", "shown"),
    [
        (None, Validity.DAY, "01", "0"),
        ("71300", Validity.IOC, "11", "71300"),
        ("71300", Validity.FOK, "12", "71300"),
        (None, Validity.IOC, "13", "0"),
        (None, Validity.FOK, "14", "0"),
    ],
)
def test_kinds_of_orders(price: str | None, validity: Validity, code: str, shown: str):
    stage = Stage()
    stage.broker.send(ticket(price=price, validity=validity))
    body = json.loads(stage.fake.heard[-1].body)
    assert (body["ORD_DVSN"], body["ORD_UNPR"]) == (code, shown)


def test_what_is_not_offered_is_refused_before_it_is_sent():
    stage = Stage(mock=True)
    cases = [
        (ticket(validity=Validity.IOC), "kind"),
        (ticket(price=None, validity=Validity.FOK), "kind"),
        (ticket(quantity="1.5"), "size"),
        (ticket(quantity="12345678901"), "size"),
        (ticket(price="71300.5"), "price"),
    ]
    for one, reason in cases:
        with pytest.raises(OrderRejected) as refused:
            stage.broker.send(one)
        assert refused.value.reason == reason
    assert stage.fake.heard == []


@pytest.mark.parametrize(("mock", "tr_id"), [(False, "TTTC0013U"), (True, "VTTC0013U")])
def test_a_cancel(mock: bool, tr_id: str):
    stage = Stage(mock=mock)
    receipt = stage.broker.send(ticket())
    stage.broker.cancel(receipt.ref, symbol=SAMSUNG, side=Side.BUY)
    assert _last(stage) == ("POST", "/uapi/domestic-stock/v1/trading/order-rvsecncl", tr_id)
    assert json.loads(stage.fake.heard[-1].body) == _ACCOUNT | {
        "KRX_FWDG_ORD_ORGNO": "00950",
        "ORGN_ODNO": "0000012345",
        "ORD_DVSN": "00",
        "RVSE_CNCL_DVSN_CD": "02",
        "ORD_QTY": "0",
        "ORD_UNPR": "0",
        "QTY_ALL_ORD_YN": "Y",
        "EXCG_ID_DVSN_CD": "KRX",
    }


@pytest.mark.parametrize(
    ("mock", "day", "tr_id", "venue"),
    [
        (False, date(2026, 11, 20), "TTTC0081R", "ALL"),
        (True, date(2026, 11, 20), "VTTC0081R", "KRX"),
        (False, date(2026, 8, 20), "TTTC0081R", "ALL"),
        (False, date(2026, 8, 19), "CTSC9215R", "ALL"),
        (True, date(2026, 8, 19), "VTSC9215R", "KRX"),
    ],
)
def test_the_journal(mock: bool, day: date, tr_id: str, venue: str):
    stage = Stage(mock=mock)
    assert stage.broker.day_orders(day) == []
    assert _last(stage) == ("GET", "/uapi/domestic-stock/v1/trading/inquire-daily-ccld", tr_id)
    assert _query(stage.fake.heard[-1]) == _ACCOUNT | {
        "INQR_STRT_DT": f"{day:%Y%m%d}",
        "INQR_END_DT": f"{day:%Y%m%d}",
        "SLL_BUY_DVSN_CD": "00",
        "PDNO": "",
        "ORD_GNO_BRNO": "",
        "ODNO": "",
        "CCLD_DVSN": "00",
        "INQR_DVSN": "01",
        "INQR_DVSN_1": "",
        "INQR_DVSN_3": "00",
        "EXCG_ID_DVSN_CD": venue,
        "CTX_AREA_FK100": "",
        "CTX_AREA_NK100": "",
    }


def test_pages_are_asked_for_with_their_padded_keys():
    stage = Stage(page_rows=1)
    for _ in range(2):
        stage.broker.send(ticket(quantity="1"))
    stage.broker.day_orders(date(2026, 11, 20))
    first, second = stage.fake.heard[-2:]
    assert (first.headers["tr_cont"], second.headers["tr_cont"]) == ("", "N")
    assert f"CTX_AREA_NK100=1{'%20' * 99}" in second.raw_query
    assert _query(second)["CTX_AREA_FK100"] == "50123456!^01!^N".ljust(100)


@pytest.mark.parametrize(
    ("mock", "tr_id", "other"), [(False, "TTTC8434R", "TTTC8908R"), (True, "VTTC8434R", "VTTC8908R")]
)
def test_the_balance(mock: bool, tr_id: str, other: str):
    stage = Stage(mock=mock)
    stage.broker.cash()
    orderable, balance = stage.fake.heard[-2:]
    assert (orderable.path, orderable.headers["tr_id"]) == (
        "/uapi/domestic-stock/v1/trading/inquire-psbl-order",
        other,
    )
    assert _query(orderable) == _ACCOUNT | {
        "PDNO": "",
        "ORD_UNPR": "",
        "ORD_DVSN": "01",
        "CMA_EVLU_AMT_ICLD_YN": "N",
        "OVRS_ICLD_YN": "N",
    }
    assert _last(stage) == ("GET", "/uapi/domestic-stock/v1/trading/inquire-balance", tr_id)
    assert _query(balance) == _ACCOUNT | {
        "AFHR_FLPR_YN": "N",
        "OFL_YN": "",
        "INQR_DVSN": "01",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
        "CTX_AREA_FK100": "",
        "CTX_AREA_NK100": "",
    }


@pytest.mark.parametrize("refuses", [True, False])
def test_quotes(refuses: bool):
    stage = Stage()
    stage.fake.refuse_unknown_price = refuses
    stage.exchange.listings[HYNIX].halted = True
    found = stage.broker.quotes([HYNIX, "999999", SAMSUNG])
    assert _last(stage) == ("GET", "/uapi/domestic-stock/v1/quotations/inquire-price", "FHKST01010100")
    assert {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": HYNIX} in [_query(one) for one in stage.fake.heard]
    assert sorted(found) == [HYNIX, SAMSUNG]
    assert (found[HYNIX].halted, found[SAMSUNG].halted) == (True, False)
    one = found[SAMSUNG]
    shown = (one.price_krw, one.base_price_krw, one.upper_limit_krw, one.lower_limit_krw)
    assert shown == (Decimal(71_400), Decimal(70_900), Decimal(92_170), Decimal(49_630))


def test_many_quotes_come_by_thirties():
    stage = Stage()
    found = stage.broker.quotes([SAMSUNG, HYNIX, NAVER, *(f"9{place:05d}" for place in range(40))])
    asked = [one for one in stage.fake.heard if one.path.endswith("intstock-multprice")]
    assert [len(_query(one)) for one in asked] == [60, 26]
    assert {one.headers["tr_id"] for one in asked} == {"FHKST11300006"}
    assert {symbol: quote.price_krw for symbol, quote in found.items()} == {
        HYNIX: Decimal(200_000),
        NAVER: Decimal(180_000),
        SAMSUNG: Decimal(71_400),
    }


def _told(text: str) -> Told:
    return Told(body=text.encode(), headers={"tr_cont": ""})


def _answering(stage: Stage, told: Told) -> None:
    """The next answers are these, after the token."""
    real = stage.fake.answer
    stage.broker = stage.adapter(
        transport=WithoutSocket(lambda heard: real(heard) if heard.path.startswith("/oauth2") else told, stage.sleep)
    )


def test_the_example_of_the_journal():
    stage = Stage()
    _answering(
        stage,
        _told(
            '{"output1":[{"ord_dt":"20261120","ord_gno_brno":"00950","odno":"0000012345","orgn_odno":"",'
            '"ord_dvsn_name":"지정가","sll_buy_dvsn_cd":"02","sll_buy_dvsn_cd_name":"현금매수","pdno":"005930",'
            '"ord_qty":"10","ord_unpr":"71300","ord_tmd":"101414","tot_ccld_qty":"4","avg_prvs":"71300","cncl_yn":"N",'
            '"tot_ccld_amt":"285200","ord_dvsn_cd":"00","cncl_cfrm_qty":"0","rmn_qty":"6","rjct_qty":"0",'
            '"excg_id_dvsn_Cd":"KRX"}],"output2":{"tot_ord_qty":"10"},"rt_cd":"0","msg_cd":"KIOK0510","msg1":"조회"}'
        ),
    )
    (order,) = stage.broker.day_orders(date(2026, 11, 20))
    assert order.ref == OrderRef(date(2026, 11, 20), "0000012345", "00950")
    assert (order.quantity, order.filled_quantity, order.filled_krw) == (10, 4, 285_200)
    assert (order.state, order.limit_price_krw) == (PlacedState.OPEN, Decimal(71_300))
    assert order.placed_at == datetime(2026, 11, 20, 10, 14, 14, tzinfo=KST)


def test_the_example_of_the_balance():
    stage = Stage()
    _answering(
        stage,
        _told(
            '{"ctx_area_fk100":"x","ctx_area_nk100":" ","output1":[{"pdno":"005930","trad_dvsn_name":"현금",'
            '"hldg_qty":"10","ord_psbl_qty":"8","pchs_avg_pric":"71300.0000","loan_dt":""},'
            '{"pdno":"000660","trad_dvsn_name":"현금","hldg_qty":"0","ord_psbl_qty":"0","pchs_avg_pric":"0.0000",'
            '"loan_dt":""},{"pdno":"005930","trad_dvsn_name":"자기융자","hldg_qty":"5","ord_psbl_qty":"5",'
            '"pchs_avg_pric":"71600.0000","loan_dt":"20261102"}],"output2":[{"dnca_tot_amt":"10000000",'
            '"prvs_rcdl_excc_amt":"9286900"}],"rt_cd":"0","msg_cd":"KIOK0510","msg1":"조회가 완료되었습니다      "}'
        ),
    )
    # By hand: 10 at 71,300 and 5 on credit at 71,600 are 15 at 71,400; a cash sale cannot sell the five.
    (held,) = stage.broker.holdings()
    assert (held.symbol, held.quantity, held.sellable, held.average_cost_krw) == ("005930", 15, 8, 71_400)
