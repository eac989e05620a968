"""Frames of the socket, against the examples of the notes on KIS's protocol."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest
from fakes.exchange import KST

from stocklab.brokers.kis import frames
from stocklab.errors import BrokerTemporary

# Made with another implementation of AES than ours: `openssl enc -aes-256-cbc`.
_KEY, _IV = "abcdefghijklmnopqrstuvwxyz012345", "0123456789abcdef"
_PLAIN = (
    "slab01^5012345601^0000012345^^02^0^00^0^005930^0000000010^000071400^100315^0^2^2^00950^000000010^홍길동"
    "^0^1^Y^^10^^삼성전자^000071400"
)
_CIPHER = (
    "ngnXhcUqozsibMlpnZWKV0DR0DWwELv2x3UexjNLznLGZlPLzo2Zz8hZjR0yV7qtWpxPRH69vOImMONNuQ8a6s/BsdT1gZUJlhfGChDE/wKHN3mr"
    "TF6YBPvW8o4naHfkn/oQswE8+AEGGJkUQEuFMnBB22OQvAHWizf2RDh+91FmKqHNUBsKv6cccNo/rjev"
)
_TRADE = (
    "005930^101512^71400^2^500^0.71^71286.40^71000^71900^70600^71500^71400^37^4112870^293187421000^18211^20117^1906^"
    "108.24^1921044^2079311^1^0.51^34.79^090008^2^400^092511^5^-500^090741^2^800^20261120^20^N^8123^15880^402118^511904^"
    "0.07^3987110^103.15^0^N^71000"
)


def test_the_notice_opens():
    found = frames.data(f"1|H0STCNI0|001|{_CIPHER}")
    assert found is not None
    assert found.encrypted
    plain = frames.decrypt(found.payload, _KEY, _IV)
    assert plain == _PLAIN
    (fields,) = found.records(plain)
    assert frames.notice(fields) == frames.Notice(
        account="5012345601", order_number="0000012345", symbol="005930", what="fill"
    )


@pytest.mark.parametrize(("key", "iv"), [("x" * 32, _IV), ("short", _IV), ("", ""), (_KEY, "short")])
def test_a_wrong_key_opens_nothing(key: str, iv: str):
    with pytest.raises(BrokerTemporary):
        frames.decrypt(_CIPHER, key, iv)


def test_a_notice_of_23_fields_and_two_in_a_frame():
    fields = _PLAIN.split("^")
    old = [*fields[:18], *fields[22:], "x"]
    assert len(old) == 23
    assert frames.notice(old) == frames.notice(fields)
    two = frames.Data(encrypted=False, tr_id="H0STCNI0", count=2, payload="")
    assert [len(one) for one in two.records(_PLAIN + "^" + _PLAIN)] == [26, 26]
    with pytest.raises(BrokerTemporary):
        two.records(_PLAIN + "^" + _PLAIN + "^x")


@pytest.mark.parametrize(
    ("changes", "number", "what"),
    [
        ({13: "1", 14: "1"}, "0000012345", "order"),
        ({13: "1", 12: "1"}, "0000012345", "refused"),
        ({13: "1", 14: "3"}, "0000012345", "cancelled"),
        ({13: "1", 5: "2", 3: "0000012300"}, "0000012300", "cancel"),
        ({13: "1", 5: "1", 3: "0000012300"}, "0000012300", "modify"),
        ({3: "0000000000"}, "0000012345", "fill"),
    ],
)
def test_what_a_notice_is_about(changes: dict[int, str], number: str, what: str):
    fields = _PLAIN.split("^")
    for place, value in changes.items():
        fields[place] = value
    found = frames.notice(fields)
    assert (found.order_number, found.what) == (number, what)


def test_a_trade_and_two_in_a_frame_with_new_fields():
    quote = frames.trade(_TRADE.split("^"))
    assert (quote.symbol, quote.price_krw, quote.ask_krw, quote.bid_krw) == ("005930", 71_400, 71_500, 71_400)
    assert quote.at == datetime(2026, 11, 20, 10, 15, 12, tzinfo=KST)
    assert not quote.halted
    found = frames.data(f"0|H0STCNT0|002|{_TRADE}^more^{_TRADE.replace('71400', '71300')}^more")
    assert found is not None
    assert [frames.trade(one).price_krw for one in found.records(found.payload)] == [Decimal(71_400), Decimal(71_300)]


@pytest.mark.parametrize("text", ["", "0|H0STCNT0|001", "2|H0STCNT0|001|x", "0|H0STCNT0|many|x", "[1]"])
def test_what_is_no_frame(text: str):
    assert frames.data(text) is None
    assert frames.control(text) is None


@pytest.mark.parametrize("record", ["005930", _TRADE.replace("71400", "0"), _TRADE.replace("20261120", "2026112x")])
def test_a_trade_that_cannot_be_read(record: str):
    with pytest.raises(BrokerTemporary):
        frames.trade(record.split("^"))


def test_controls():
    answered = frames.control(
        '{"header":{"tr_id":"H0STCNI0","tr_key":"slab01","encrypt":"Y"},"body":{"rt_cd":"0","msg_cd":"OPSP0000",'
        '"msg1":"SUBSCRIBE SUCCESS","output":{"iv":"0123456789abcdef","key":"abcdefghijklmnopqrstuvwxyz012345"}}}'
    )
    assert answered is not None
    assert (answered.ok, answered.code, answered.key, answered.iv) == (True, "OPSP0000", _KEY, _IV)
    taken = frames.control(
        '{"header":{"tr_id":"(null)","tr_key":"","encrypt":"N"},"body":{"rt_cd":"9","msg_cd":"OPSP8996",'
        '"msg1":"ALREADY IN USE appkey"}}'
    )
    assert taken is not None
    assert (taken.ok, taken.code) == (False, "OPSP8996")


def test_registrations():
    assert json.loads(frames.registration("0b1f7a52", "H0STCNT0", "005930", add=True)) == {
        "header": {"approval_key": "0b1f7a52", "custtype": "P", "tr_type": "1", "content-type": "utf-8"},
        "body": {"input": {"tr_id": "H0STCNT0", "tr_key": "005930"}},
    }
    assert json.loads(frames.registration("k", "H0STCNT0", "005930", add=False))["header"]["tr_type"] == "2"
