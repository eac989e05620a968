"""KIS Developers as a fake: tokens, headers, rates, paging, orders and lists in its own words, over an `Exchange`."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from fakes.broker_faults import CUT, Heard, Target, Told, Trouble, Troubles
from fakes.exchange import KST, ZERO, Exchange, Order, Refused, Rules, Why

TRADING = "/uapi/domestic-stock/v1/trading/"
QUOTATIONS = "/uapi/domestic-stock/v1/quotations/"
BRANCH = "00950"

# (path, name) -> (live id, mock id); a mock id of None is not offered there.
IDS: dict[tuple[str, str], tuple[str, str | None]] = {
    (TRADING + "order-cash", "buy"): ("TTTC0012U", "VTTC0012U"),
    (TRADING + "order-cash", "sell"): ("TTTC0011U", "VTTC0011U"),
    (TRADING + "order-rvsecncl", "cancel"): ("TTTC0013U", "VTTC0013U"),
    (TRADING + "inquire-daily-ccld", "journal"): ("TTTC0081R", "VTTC0081R"),
    (TRADING + "inquire-daily-ccld", "old_journal"): ("CTSC9215R", "VTSC9215R"),
    (TRADING + "inquire-balance", "balance"): ("TTTC8434R", "VTTC8434R"),
    (TRADING + "inquire-psbl-order", "orderable"): ("TTTC8908R", "VTTC8908R"),
    (QUOTATIONS + "inquire-price", "price"): ("FHKST01010100", "FHKST01010100"),
    (QUOTATIONS + "intstock-multprice", "prices"): ("FHKST11300006", None),
}

_TARGETS = {
    "buy": Target.ORDER,
    "sell": Target.ORDER,
    "cancel": Target.CANCEL,
    "journal": Target.JOURNAL,
    "old_journal": Target.JOURNAL,
    "balance": Target.BALANCE,
    "orderable": Target.BALANCE,
    "price": Target.QUOTE,
    "prices": Target.QUOTE,
}

# Refusals: live code and rt_cd, mock code; the codes 4... are those of mock. Some are not in any document: "APBK1234".
_REFUSALS: dict[Why, tuple[str, str, str, str]] = {
    Why.CLOSED: ("APBK0919", "7", "40580000", "장운영시간이 아닙니다(주문불가)"),
    Why.NOT_OPEN_YET: ("APBK0919", "7", "40570000", "장운영시간이 아닙니다(주문불가)"),
    Why.CASH: ("APBK0952", "7", "40250000", "주문가능금액을 초과 했습니다"),
    Why.SELLABLE: ("APBK0400", "1", "APBK0400", "주문 가능한 수량을 초과했습니다."),
    Why.SYMBOL: ("APBK0656", "1", "APBK0656", "해당종목정보가 없습니다."),
    Why.HALTED: ("APBK1234", "1", "40910000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    Why.TICK: ("APBK1235", "1", "40920000", "모의투자 주문처리가 안되었습니다(호가단위 오류)"),
    Why.BAND: ("APBK1236", "1", "40930000", "상한가보다 높은 주문입니다"),
    Why.NOTHING_LEFT: ("APBK1237", "1", "40330000", "정정/취소할 수량이 없습니다"),
    Why.NO_ORDER: ("APBK1238", "1", "40320000", "원주문번호가 존재하지 않습니다"),
}

_KINDS = {"00": (False, "day"), "01": (True, "day"), "11": (False, "ioc"), "12": (False, "fok")} | {
    "13": (True, "ioc"),
    "14": (True, "fok"),
}

_ORDER_FIELDS = {"CANO", "ACNT_PRDT_CD", "PDNO", "ORD_DVSN", "ORD_QTY", "ORD_UNPR"}
_ORDER_MAY = _ORDER_FIELDS | {"EXCG_ID_DVSN_CD", "SLL_TYPE", "CNDT_PRIC"}
_CANCEL_FIELDS = {"CANO", "ACNT_PRDT_CD", "KRX_FWDG_ORD_ORGNO", "ORGN_ODNO", "ORD_DVSN", "RVSE_CNCL_DVSN_CD"} | {
    "ORD_QTY",
    "ORD_UNPR",
    "QTY_ALL_ORD_YN",
    "EXCG_ID_DVSN_CD",
}


def krx_rules() -> Rules:
    """Ten digits for numbers, and the day's limits at 30 %, which a purchase at the market is checked at."""

    def band(listing: Any, _day: date) -> tuple[Decimal, Decimal]:
        return (listing.base_price * Decimal("0.7")).to_integral_value(), (
            listing.base_price * Decimal("1.3")
        ).to_integral_value()

    return Rules(band=band, number_width=10, first_number=12_345)


class FakeKis:
    """One app key and one account. ``per_second`` requests within a second, the next is refused and counted.

    ``page_rows`` is how many rows a list has on a page (live 100 and 50, mock 15 and 20, unless it is given).
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        mock: bool = False,
        app_key: str = "PSEXAMPLE0000000000000000000000000000",
        app_secret: str = "SECRET" * 30,
        cano: str = "50123456",
        product: str = "01",
        page_rows: int | None = None,
        per_second: int | None = None,
    ) -> None:
        self.exchange = exchange
        self.mock = mock
        self.app_key, self.app_secret = app_key, app_secret
        self.cano, self.product = cano, product
        self.journal_rows = page_rows or (15 if mock else 100)
        self.balance_rows = page_rows or (20 if mock else 50)
        self.per_second = per_second or (1 if mock else 18)
        self.troubles = Troubles()
        self.heard: list[Heard] = []
        self.names: list[str] = []  # what each request was
        self.overruns = 0  # requests beyond the rate
        self.hasty_tokens = 0  # tokens asked for within a minute
        self.issued: list[str] = []
        self.approvals: list[str] = []
        self.stubborn = False  # the same token comes again although it is dead
        self.sold_out: list[str] = []  # symbols shown with quantity 0 in the balance
        self.deposit = Decimal(7)  # dnca_tot_amt, which is not what we want
        self.refuse_unknown_price = True  # else zeros
        self._tokens: dict[str, datetime] = {}  # value -> end
        self._issued_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._arrived: deque[datetime] = deque()
        self._cut_pages = False
        self._lock = threading.RLock()

    # The front door.

    def answer(self, heard: Heard) -> Told:
        with self._lock:
            self.heard.append(heard)
            if heard.path.startswith("/oauth2/"):
                return self._oauth(heard)
            self.names.append(heard.path)
            return self._gateway(heard)

    def count(self, name: str) -> int:
        """How often a call was made."""
        return self.names.count(name)

    def kill_tokens(self) -> None:
        """Every token is refused from now on."""
        with self._lock:
            self._tokens.clear()
            if not self.stubborn:
                self._issued_at = None

    # Keys.

    def _oauth(self, heard: Heard) -> Told:
        self.names.append(heard.path)
        body = json.loads(heard.body)
        if heard.path == "/oauth2/revokeP":
            self._tokens.pop(body.get("token", ""), None)
            return _json(200, {"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})
        approval = heard.path == "/oauth2/Approval"
        secret = body.get("secretkey" if approval else "appsecret")
        trouble = self.troubles.take(Target.TOKEN)
        if trouble is Trouble.NO_ANSWER:
            return CUT
        if trouble is Trouble.ERROR_500:
            return _json(500, {"error_code": "EGW00300", "error_description": "일시적 오류"})
        if trouble is Trouble.HTML:
            return Told(status=502, body=b"<html>Bad Gateway</html>")
        if body.get("grant_type") != "client_credentials" or body.get("appkey") != self.app_key:
            return _json(403, {"error_code": "EGW00103", "error_description": "유효하지 않은 AppKey입니다."})
        if secret != self.app_secret:
            return _json(403, {"error_code": "EGW00105", "error_description": "유효하지 않은 AppSecret입니다."})
        if approval:
            self.approvals.append(f"0b1f7a52-3c8e-4f6a-9a41-{len(self.approvals):012d}")
            return _json(200, {"approval_key": self.approvals[-1]})
        told = self._token(too_soon=trouble is Trouble.TOO_MANY)
        return _spoilt(told, trouble)

    def _token(self, *, too_soon: bool) -> Told:
        now = self.exchange.clock()
        if self._asked_at is not None and now - self._asked_at < timedelta(minutes=1):
            self.hasty_tokens += 1
            too_soon = True
        self._asked_at = now
        if too_soon:
            text = "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)"
            return _json(403, {"error_code": "EGW00133", "error_description": text})
        if self._issued_at is None or now - self._issued_at >= timedelta(hours=6):
            self._issued_at = now
            self.issued.append(f"eyJ0eXAi.{'M' if self.mock else 'L'}{len(self.issued) + 1:04d}.SIG")
            self._tokens[self.issued[-1]] = now + timedelta(hours=24)
        end = self._issued_at + timedelta(hours=24)
        return _json(
            200,
            {
                "access_token": self.issued[-1],
                "access_token_token_expired": f"{end.astimezone(KST):%Y-%m-%d %H:%M:%S}",
                "token_type": "Bearer",
                "expires_in": int((end - now).total_seconds()),
            },
        )

    # The gateway.

    def _gateway(self, heard: Heard) -> Told:
        now = self.exchange.clock()
        while self._arrived and now - self._arrived[0] >= timedelta(seconds=1):
            self._arrived.popleft()
        self._arrived.append(now)
        if len(self._arrived) > self.per_second:
            self.overruns += 1
            return _gone("EGW00201", "초당 거래건수를 초과하였습니다.")
        if not heard.headers.get("content-type", "").startswith("application/json"):
            return _gone("EGW00301", "content-type")
        if (heard.headers.get("appkey"), heard.headers.get("appsecret")) != (self.app_key, self.app_secret):
            return _gone("EGW00103", "유효하지 않은 AppKey입니다.", status=403)
        if heard.headers.get("custtype") != "P":
            return _gone("EGW00302", "custtype")
        token = heard.headers.get("authorization", "").removeprefix("Bearer ")
        end = self._tokens.get(token)
        if end is None:
            return _gone("EGW00121", "유효하지 않은 token 입니다.")
        if now >= end:
            return _gone("EGW00123", "기간이 만료된 token 입니다.")
        name = self._name(heard)
        if name is None:
            return _gone("EGW02006", "모의투자 TR 이 아닙니다.")
        return self._troubled(name, heard)

    def _name(self, heard: Heard) -> str | None:
        for (path, name), ids in IDS.items():
            if (heard.path, heard.headers.get("tr_id")) == (path, ids[self.mock]):
                assert heard.method == ("POST" if name in ("buy", "sell", "cancel") else "GET")
                return name
        return None

    def _troubled(self, name: str, heard: Heard) -> Told:
        following = heard.headers.get("tr_cont") == "N"
        if following and self._cut_pages:
            return CUT
        trouble = self.troubles.take(_TARGETS[name])
        self._cut_pages = self._cut_pages and following
        if trouble is Trouble.NO_ANSWER:
            return CUT
        if trouble is Trouble.ERROR_500:
            return _gone("EGW00300", "일시적 오류가 발생했습니다.")
        if trouble is Trouble.HTML:
            return Told(status=502, body=b"<html>Bad Gateway</html>")
        if trouble is Trouble.TOO_MANY:
            return _gone("EGW00201", "초당 거래건수를 초과하였습니다.")
        if trouble is Trouble.TOKEN_DEAD:
            self.kill_tokens()
            return _gone("EGW00121", "유효하지 않은 token 입니다.")
        told: Told = getattr(self, f"_{name.removeprefix('old_')}")(heard)
        if trouble is Trouble.CUT_PAGES:
            self._cut_pages = True
            return Told(status=told.status, body=told.body, headers=told.headers | {"tr_cont": "M"})
        return _spoilt(told, trouble)

    # Orders.

    def _buy(self, heard: Heard) -> Told:
        return self._order(heard, buys=True)

    def _sell(self, heard: Heard) -> Told:
        return self._order(heard, buys=False)

    def _order(self, heard: Heard, *, buys: bool) -> Told:
        body = self._body(heard, _ORDER_FIELDS, _ORDER_MAY)
        if body is None or body["ORD_DVSN"] not in _KINDS or not body["ORD_QTY"].isdigit():
            return _gone("IGW00007", "요청 전문을 읽을 수 없습니다.")
        if body.get("SLL_TYPE", "") != ("" if buys else "01"):
            return _gone("IGW00007", "SLL_TYPE")
        at_market, validity = _KINDS[body["ORD_DVSN"]]
        if self.mock and body["ORD_DVSN"] not in ("00", "01"):
            return self._refused(Why.KIND)
        if at_market and body["ORD_UNPR"] != "0":
            return self._refused(Why.BAND)
        try:
            order = self.exchange.place(
                body["PDNO"],
                buys=buys,
                quantity=Decimal(body["ORD_QTY"]),
                limit=None if at_market else Decimal(body["ORD_UNPR"]),
                validity=validity,
            )
        except Refused as refused:
            return self._refused(refused.why)
        text = (
            f"모의투자 {'매수' if buys else '매도'}주문이 완료 되었습니다."
            if self.mock
            else "주문 전송 완료 되었습니다."
        )
        return self._taken(order.number, text)

    def _cancel(self, heard: Heard) -> Told:
        body = self._body(heard, _CANCEL_FIELDS, _CANCEL_FIELDS | {"CNDT_PRIC"})
        if body is None or body["RVSE_CNCL_DVSN_CD"] != "02" or body["QTY_ALL_ORD_YN"] != "Y":
            return _gone("IGW00007", "요청 전문을 읽을 수 없습니다.")
        if body["KRX_FWDG_ORD_ORGNO"] not in (BRANCH, ""):
            return self._refused(Why.NO_ORDER)
        try:
            order = self.exchange.cancel(body["ORGN_ODNO"])
        except Refused as refused:
            return self._refused(refused.why)
        assert order.cancel_number is not None
        return self._taken(order.cancel_number, "정정취소 주문 전송 완료 되었습니다.")

    def _body(self, heard: Heard, must: set[str], may: set[str]) -> dict[str, str] | None:
        """The body where it is as KIS wants it: upper-case names, texts alone, our account, KRX."""
        body = json.loads(heard.body)
        fits = must <= set(body) <= may and all(isinstance(value, str) for value in body.values())
        if not fits or body.get("EXCG_ID_DVSN_CD", "KRX") != "KRX" or not self._ours(body):
            return None
        return dict(body)

    def _ours(self, params: Mapping[str, str]) -> bool:
        return (params.get("CANO"), params.get("ACNT_PRDT_CD")) == (self.cano, self.product)

    def _taken(self, number: str, text: str) -> Told:
        stamp = f"{self.exchange.clock().astimezone(KST):%H%M%S}"
        output = {"KRX_FWDG_ORD_ORGNO": BRANCH, "ODNO": number, "ORD_TMD": stamp}
        return _said("0", "40600000" if self.mock else "APBK0013", text, {"output": output})

    def _refused(self, why: Why) -> Told:
        code, rt_cd, mock_code, text = _REFUSALS.get(why, ("APBK1299", "1", "40990000", "주문이 거부되었습니다"))
        early = self.exchange.clock().astimezone(KST).time() < time(9)
        if why is Why.CLOSED and early:
            mock_code = "40570000"
        return _said("1" if self.mock else rt_cd, mock_code if self.mock else code, text, {})

    # Lists.

    def _journal(self, heard: Heard) -> Told:
        params = _params(heard)
        if not self._ours(params):
            return _said("2", "OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO", {})
        if params["EXCG_ID_DVSN_CD"] not in (("KRX",) if self.mock else ("KRX", "NXT", "SOR", "ALL")):
            return _said("2", "OPSQ2001", "ERROR : INPUT INVALID_CHECK_EXCG_ID_DVSN_CD", {})
        first, last = (datetime.strptime(params[key], "%Y%m%d").date() for key in ("INQR_STRT_DT", "INQR_END_DT"))
        old = heard.headers["tr_id"] == IDS[TRADING + "inquire-daily-ccld", "old_journal"][self.mock]
        today = self._day()
        if old != ((last.year * 12 + last.month + 3, last.day) < (today.year * 12 + today.month, today.day)):
            return _said("1", "APBK1111", "조회기간을 확인하여 주십시오", {})
        rows = [
            row
            for order in self.exchange.journal()
            if first <= order.day <= last
            for row in self._rows(order)
            if params["SLL_BUY_DVSN_CD"] in ("00", row["sll_buy_dvsn_cd"])
            and params["PDNO"] in ("", row["pdno"])
            and params["ODNO"] in ("", row["odno"])
            and (params["CCLD_DVSN"] == "00" or (params["CCLD_DVSN"] == "01") == (row["rmn_qty"] == "0"))
        ]
        rows.sort(key=lambda row: (row["ord_dt"], row["odno"]), reverse=params["INQR_DVSN"] == "00")
        sums = {"tot_ord_qty": "0", "tot_ccld_qty": "0", "tot_ccld_amt": "0", "prsm_tlex_smtl": "0"}
        return self._page(heard, params, rows, self.journal_rows, {"output2": sums | {"pchs_avg_pric": "0.0000"}})

    def _rows(self, order: Order) -> list[dict[str, str]]:
        """An order, and the request to cancel it where there is one."""
        assert order.quantity is not None
        refused = order.rest if order.refusal is not None else ZERO
        cancelled = order.rest if order.ended and order.cancel_number and not refused else ZERO
        own = self._row(order, order.number, "")
        own |= {
            "tot_ccld_qty": str(order.filled),
            "tot_ccld_amt": str(order.amount),
            "avg_prvs": str(round(order.amount / order.filled)) if order.filled else "0",
            "cncl_cfrm_qty": str(cancelled),
            "rjct_qty": str(refused),
            "rmn_qty": str(ZERO if order.ended else order.rest),
        }
        if order.cancel_number is None:
            return [own]
        request = self._row(order, order.cancel_number, order.number)
        words = "매수취소" if order.buys else "매도취소"
        request |= {"cncl_yn": "Y", "sll_buy_dvsn_cd_name": words, "cncl_cfrm_qty": str(cancelled)}
        return [own, request]

    def _row(self, order: Order, number: str, original: str) -> dict[str, str]:
        kinds = {value: code for code, value in _KINDS.items()}
        return {
            "ord_dt": f"{order.day:%Y%m%d}",
            "ord_gno_brno": BRANCH,
            "odno": number,
            "orgn_odno": original,
            "ord_dvsn_name": "지정가" if order.limit is not None else "시장가",
            "sll_buy_dvsn_cd": "02" if order.buys else "01",
            "sll_buy_dvsn_cd_name": "현금매수" if order.buys else "현금매도",
            "pdno": order.symbol,
            "prdt_name": self.exchange.listings[order.symbol].name,
            "ord_qty": str(order.quantity),
            "ord_unpr": str(order.limit or 0),
            "ord_tmd": f"{order.placed_at.astimezone(KST):%H%M%S}",
            "tot_ccld_qty": "0",
            "avg_prvs": "0",
            "cncl_yn": "N",
            "tot_ccld_amt": "0",
            "loan_dt": "",
            "ordr_empno": "" if order.by_hand else "OpnAPI",
            "ord_dvsn_cd": kinds[order.limit is None, order.validity],
            "cncl_cfrm_qty": "0",
            "rmn_qty": "0",
            "rjct_qty": "0",
            "ccld_cndt_name": "없음",
            "excg_id_dvsn_Cd": "KRX",
            "stpm_cndt_pric": "0",
        }

    def _balance(self, heard: Heard) -> Told:
        params = _params(heard)
        if not self._ours(params):
            return _said("2", "OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO", {})
        if params["INQR_DVSN"] != "01":  # since 2026-02-10
            return _said("2", "OPSQ2001", "ERROR : INPUT INVALID_CHECK_INQR_DVSN", {})
        rows = [
            _holding(symbol, held, sellable, f"{cost:.4f}")
            for symbol, held, sellable, cost in self.exchange.shown_holdings()
        ]
        rows += [_holding(symbol, ZERO, ZERO, "0.0000") for symbol in self.sold_out]
        rows.sort(key=lambda row: row["pdno"])
        total, _ = self.exchange.shown_cash()
        sums = {"dnca_tot_amt": str(self.deposit), "nxdy_excc_amt": str(self.deposit), "prvs_rcdl_excc_amt": str(total)}
        return self._page(heard, params, rows, self.balance_rows, {"output2": [sums]})

    def _orderable(self, heard: Heard) -> Told:
        params = _params(heard)
        if not self._ours(params):
            return _said("2", "OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO", {})
        total, free = self.exchange.shown_cash()
        output = {"ord_psbl_cash": str(total), "nrcvb_buy_amt": str(free), "max_buy_amt": str(free * 5)}
        return _said("0", "KIOK0510", "조회가 완료되었습니다", {"output": output | {"nrcvb_buy_qty": "0"}})

    def _page(
        self, heard: Heard, params: Mapping[str, str], rows: list[dict[str, str]], size: int, more: dict[str, Any]
    ) -> Told:
        """Rows from where the keys point; the keys are 100 characters, blanks included, and must come back so."""
        following = heard.headers.get("tr_cont") == "N"
        fk, nk = params["CTX_AREA_FK100"], params["CTX_AREA_NK100"]
        mark = f"{self.cano}!^{self.product}!^N".ljust(100)
        if following != bool(fk) or (following and (fk != mark or len(nk) != 100)):
            return _said("2", "OPSQ2001", "ERROR : INPUT INVALID_CHECK_CTX_AREA", {})
        first = int(nk.strip() or 0) if following else 0
        last = first + size >= len(rows)
        mode = ("E" if following else "") if last else ("M" if following else "F")
        body = {
            "ctx_area_fk100": mark,
            "ctx_area_nk100": ("" if last else str(first + size)).ljust(100),
            "output1": rows[first : first + size],
        }
        code, text = (
            ("KIOK0460" if following else "KIOK0510", "조회가 완료되었습니다") if last else ("KIOK0500", "계속")
        )
        return _said("0", code, text, body | more, headers={"tr_cont": mode})

    # Quotations.

    def _price(self, heard: Heard) -> Told:
        params = _params(heard)
        assert params["FID_COND_MRKT_DIV_CODE"] == "J"
        listing = self.exchange.listings.get(params["FID_INPUT_ISCD"])
        if listing is None:
            if self.refuse_unknown_price:
                return _said("1", "MCA05918", "종목코드 오류입니다.", {})
            return _said("0", "MCA00000", "정상처리 되었습니다.", {"output": {"stck_prpr": "0", "stck_sdpr": "0"}})
        low, high = self.exchange.rules.band(listing, self._day()) or (ZERO, ZERO)
        change = listing.price - listing.base_price
        output = {
            "iscd_stat_cls_code": "58" if listing.halted else "55",
            "temp_stop_yn": "Y" if listing.halted else "N",
            "stck_prpr": str(listing.price),
            "prdy_vrss": str(change),
            "prdy_vrss_sign": "2" if change > 0 else "5" if change < 0 else "3",
            "stck_mxpr": str(high),
            "stck_llam": str(low),
            "stck_sdpr": str(listing.base_price),
            "stck_shrn_iscd": listing.symbol,
        }
        return _said("0", "MCA00000", "정상처리 되었습니다.", {"output": output})

    def _prices(self, heard: Heard) -> Told:
        params = _params(heard)
        asked = [value for key, value in params.items() if key.startswith("FID_INPUT_ISCD_")]
        if len(asked) > 30 or len(params) != 2 * len(asked):
            return _said("2", "OPSQ2001", "ERROR : INPUT FIELD", {})
        rows = []
        for symbol in asked:
            listing = self.exchange.listings.get(symbol)
            if listing is None:
                rows.append({"inter_shrn_iscd": "", "inter2_prpr": "0"})
                continue
            low, high = self.exchange.rules.band(listing, self._day()) or (ZERO, ZERO)
            rows.append(
                {
                    "inter_shrn_iscd": symbol,
                    "inter_kor_isnm": listing.name,
                    "inter2_prpr": str(listing.price),
                    "inter2_askp": str(listing.price),
                    "inter2_bidp": str(listing.price - listing.spread),
                    "inter2_mxpr": str(high),
                    "inter2_llam": str(low),
                    "inter2_sdpr": str(listing.base_price),
                }
            )
        return _said("0", "MCA00000", "정상처리 되었습니다.", {"output": rows})

    def _day(self) -> date:
        return self.exchange.clock().astimezone(KST).date()


def _params(heard: Heard) -> dict[str, str]:
    return dict(parse_qsl(heard.raw_query, keep_blank_values=True))


def _holding(symbol: str, held: Decimal, sellable: Decimal, cost: str) -> dict[str, str]:
    return {
        "pdno": symbol,
        "trad_dvsn_name": "현금",
        "hldg_qty": str(held),
        "ord_psbl_qty": str(sellable),
        "pchs_avg_pric": cost,
        "loan_dt": "",
        "loan_amt": "0",
    }


def _json(status: int, body: Mapping[str, Any], headers: dict[str, str] | None = None) -> Told:
    return Told(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"content-type": "application/json; charset=utf-8"} | (headers or {}),
    )


def _said(
    rt_cd: str,
    code: str,
    text: str,
    body: Mapping[str, Any],
    *,
    headers: dict[str, str] | None = None,
    status: int = 200,
) -> Told:
    """An answer in KIS's form; its text is filled up with blanks."""
    return _json(status, {**body, "rt_cd": rt_cd, "msg_cd": code, "msg1": text.ljust(80)}, headers)


def _gone(code: str, text: str, *, status: int = 500) -> Told:
    return _said("1", code, text, {}, status=status)


def _spoilt(told: Told, trouble: Trouble | None) -> Told:
    """What was done, and its answer in trouble."""
    spoil: dict[Trouble, Callable[[], Told]] = {
        Trouble.RECORDED_NO_ANSWER: lambda: CUT,
        Trouble.RECORDED_LATE: lambda: Told(status=told.status, body=told.body, headers=told.headers, wait=60.0),
        Trouble.RECORDED_500: lambda: _gone("", "시스템 오류"),
        Trouble.RECORDED_HTML: lambda: Told(status=502, body=b"<html>Bad Gateway</html>"),
        Trouble.TRUNCATED: lambda: Told(
            status=told.status, body=told.body[: len(told.body) // 2], headers=told.headers
        ),
    }
    return spoil[trouble]() if trouble in spoil else told
