"""Kiwoom's REST service over one account: tokens, header checks, limits, pages, orders, lists, and its refusals.

Facts are from the protocol notes; what those leave open is in `Habits`. Deterministic for a clock and calls.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fakes import kiwoom_rows as rows
from fakes.broker_faults import CUT, Heard, Target, Told, Trouble, Troubles
from fakes.exchange import KST, Exchange, Refused, Why
from fakes.kiwoom_rows import Habits

OK = "정상적으로 처리되었습니다"
JSON = "application/json;charset=UTF-8"
ACCOUNT = "5012345610"
LIMIT = 5  # requests a second of one app key and TR

PATHS = {
    "ka00001": "/api/dostk/acnt",
    "ka10075": "/api/dostk/acnt",
    "ka10076": "/api/dostk/acnt",
    "kt00001": "/api/dostk/acnt",
    "kt00007": "/api/dostk/acnt",
    "kt00018": "/api/dostk/acnt",
    "ka10095": "/api/dostk/stkinfo",
    "kt10000": "/api/dostk/ordr",
    "kt10001": "/api/dostk/ordr",
    "kt10003": "/api/dostk/ordr",
}
TARGETS = {
    "kt10000": Target.ORDER,
    "kt10001": Target.ORDER,
    "kt10003": Target.CANCEL,
    "ka10075": Target.JOURNAL,
    "ka10076": Target.JOURNAL,
    "kt00007": Target.JOURNAL,
    "kt00001": Target.BALANCE,
    "kt00018": Target.BALANCE,
    "ka10095": Target.QUOTE,
}
REQUIRED = {
    "kt00007": {"qry_tp", "stk_bond_tp", "sell_tp", "dmst_stex_tp"},
    "ka10075": {"all_stk_tp", "trde_tp", "stex_tp"},
    "ka10076": {"qry_tp", "sell_tp", "stex_tp"},
    "kt00018": {"qry_tp", "dmst_stex_tp"},
    "kt00001": {"qry_tp"},
    "ka10095": {"stk_cd"},
    "kt10000": {"dmst_stex_tp", "stk_cd", "ord_qty", "trde_tp"},
    "kt10001": {"dmst_stex_tp", "stk_cd", "ord_qty", "trde_tp"},
    "kt10003": {"dmst_stex_tp", "orig_ord_no", "stk_cd", "cncl_qty"},
}
REFUSALS = {
    Why.NOT_OPEN_YET: "[2000](RC4057:모의투자 장시작전입니다)",
    Why.CLOSED: "[2000](RC4058:모의투자 장종료 되었습니다)",
    Why.TICK: "[2000](RC4003:모의투자 호가단위 오류)",
    Why.BAND: "[2000](599101:상하한가 초과)",
    Why.CASH: "[2000](855056:매수증거금이 부족합니다. {quantity}주 매수가능)",
    Why.SELLABLE: "[2000](800033:매도가능수량이 부족합니다. {quantity}주 매도가능)",
    Why.HALTED: "[2000](509193:서킷브레이커 발동)",
    Why.KIND: "[2000](521790:해당 시간에 불가한 주문유형)",
    Why.TOO_SMALL: "[2000](599102:주문수량 오류)",
    Why.TOO_LARGE: "[2000](599103:주문한도 초과)",
    Why.NOTHING_LEFT: "[2000](506550:정정/취소할 수량이 없습니다)",
    Why.NO_ORDER: "[2000](599104:원주문번호 오류)",
}
KINDS = {
    "0": ("limit", "day"),
    "3": ("market", "day"),
    "10": ("limit", "ioc"),
    "13": ("market", "ioc"),
    "20": ("limit", "fok"),
    "23": ("market", "fok"),
}


class Said(Exception):
    """An answer that is no success."""

    def __init__(self, return_code: int, message: str, status: int = 200) -> None:
        self.return_code = return_code
        self.status = status
        super().__init__(message)


@dataclass(slots=True)
class _Token:
    app_key: str
    expires: datetime
    dead: bool = False


@dataclass(slots=True, kw_only=True)
class Gate:
    """Who may ask: keys, tokens, and how often. ``reissue_kills``: a new token ends the older ones."""

    clock: Callable[[], datetime]
    app_key: str
    secret_key: str
    other_app_key: str  # belongs to the other of the two servers
    reissue_kills: bool = True
    life: timedelta = timedelta(hours=24)
    address_allowed: bool = True
    issued: int = 0
    overruns: int = 0
    tokens: dict[str, _Token] = field(default_factory=dict)
    calls: defaultdict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def issue(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("grant_type") != "client_credentials":
            raise Said(3, "grant_type 오류[8012:grant_type 값이 맞지 않습니다]")
        if not body.get("appkey") or not body.get("secretkey"):
            raise Said(3, "입력 오류[8020:appkey 또는 secretkey가 없습니다]")
        if body["appkey"] == self.other_app_key:
            raise Said(3, "인증에 실패했습니다[8030:투자구분(실전/모의)이 달라서 Appkey를 사용할수가 없습니다]")
        if (body["appkey"], body["secretkey"]) != (self.app_key, self.secret_key):
            raise Said(3, "인증에 실패했습니다[8001:App Key와 Secret Key 검증에 실패했습니다]")
        if not self.address_allowed:
            raise Said(3, "인증에 실패했습니다[8010:Token을 발급받은 IP와 서비스를 요청한 IP가 동일하지 않습니다]")
        if self.reissue_kills:
            self.kill()
        self.issued += 1
        value, expires = f"token-{self.issued:04d}", self.clock() + self.life
        self.tokens[value] = _Token(self.app_key, expires)
        return {
            "expires_dt": expires.astimezone(KST).strftime("%Y%m%d%H%M%S"),
            "token_type": "bearer",
            "token": value,
        }

    def kill(self) -> None:
        """End every token, as issuing elsewhere does."""
        for token in self.tokens.values():
            token.dead = True

    def valid(self, value: str) -> bool:
        token = self.tokens.get(value)
        return token is not None and not token.dead and self.clock() < token.expires

    def admit(self, api_id: str, headers: dict[str, str]) -> None:
        given = headers.get("authorization", "")
        if not given:
            raise Said(3, "헤더 오류[1513:Http header에 authorization 필드가 설정되어 있어야 합니다]")
        if not given.startswith("Bearer ") or not given[7:]:
            raise Said(3, "헤더 오류[1514:authorization 필드 형식이 맞지 않습니다]")
        if not self.valid(given[7:]):
            raise Said(3, "인증에 실패했습니다[8005:Token이 유효하지 않습니다]")
        if not self.address_allowed:
            raise Said(3, "인증에 실패했습니다[8010:Token을 발급받은 IP와 서비스를 요청한 IP가 동일하지 않습니다]")
        now, calls = self.clock(), self.calls[api_id]
        while calls and now - calls[0] >= timedelta(seconds=1):
            calls.popleft()
        if len(calls) >= LIMIT:
            self.overruns += 1
            raise too_many(api_id)
        calls.append(now)


def too_many(api_id: str) -> Said:
    text = "허용된 요청 개수를 초과하였습니다"
    return Said(5, f"{text}[1700:{text}. 유량=5, API ID={api_id}]", 429)


class FakeKiwoom:
    """The service. ``heard`` are all requests but those for tokens, as (api-id, body)."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        app_key: str = "AK-EXAMPLE-LIVE-0001",
        secret_key: str = "SK-EXAMPLE-LIVE-0001",
        other_app_key: str = "AK-EXAMPLE-MOCK-0001",
        mock: bool = False,
        page_size: int = 50,
        late_seconds: float = 30.0,
        habits: Habits | None = None,
    ) -> None:
        self.exchange = exchange
        self.gate = Gate(clock=exchange.clock, app_key=app_key, secret_key=secret_key, other_app_key=other_app_key)
        self.troubles = Troubles()
        self.habits = habits or Habits()
        self.mock = mock
        self.page_size = page_size
        self.late_seconds = late_seconds
        self.unknown_symbol_refuses = True
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._broken_pages = 0
        self._lock = threading.RLock()

    def answer(self, heard: Heard) -> Told:
        with self._lock:
            if heard.method != "POST":
                return Told(status=405, body=b"<html>Request Blocked</html>", headers={"content-type": "text/html"})
            if heard.path in ("/oauth2/token", "/oauth2/revoke"):
                return self._in_trouble(Target.TOKEN, "au10001", heard, lambda: self._token(heard))
            api_id = heard.headers.get("api-id", "")
            if heard.path not in PATHS.values():
                return Told(status=404, body=b"<html>Not Found</html>", headers={"content-type": "text/html"})
            return self._in_trouble(TARGETS.get(api_id), api_id, heard, lambda: self._served(api_id, heard))

    def _in_trouble(self, target: Target | None, api_id: str, heard: Heard, serve: Callable[[], Told]) -> Told:
        broken = heard.headers.get("next-key", "").startswith("broken-")
        trouble = None if target is None or broken else self.troubles.take(target)
        if broken or trouble is Trouble.ERROR_500:
            return Told(status=500, body=_json(5, "시스템 오류[1999:예기치 못한 에러가 발생하였습니다]"))
        if trouble is Trouble.NO_ANSWER:
            return CUT
        if trouble is Trouble.HTML:
            return Told(status=502, body=b"<html>Bad Gateway</html>", headers={"content-type": "text/html"})
        if trouble is Trouble.TOO_MANY:
            return self._said(api_id, too_many(api_id))
        if trouble is Trouble.TOKEN_DEAD:
            self.gate.kill()
        told = serve()
        if trouble is Trouble.RECORDED_NO_ANSWER:
            return CUT
        if trouble is Trouble.RECORDED_LATE:
            return Told(status=told.status, body=told.body, headers=told.headers, wait=self.late_seconds)
        if trouble is Trouble.RECORDED_500:
            return Told(status=500, body=_json(5, "시스템 오류[1999:예기치 못한 에러가 발생하였습니다]"))
        if trouble is Trouble.RECORDED_HTML:
            return Told(status=200, body=b"<html>maintenance</html>", headers={"content-type": "text/html"})
        if trouble is Trouble.TRUNCATED:
            return Told(status=told.status, body=told.body[: len(told.body) // 2], headers=told.headers)
        if trouble is Trouble.CUT_PAGES:
            self._broken_pages += 1
            more = {"cont-yn": "Y", "next-key": f"broken-{self._broken_pages}"}
            return Told(status=told.status, body=told.body, headers=told.headers | more)
        return told

    def _token(self, heard: Heard) -> Told:
        try:
            body = _body(heard)
            if heard.path == "/oauth2/revoke":
                self.gate.tokens.pop(str(body.get("token")), None)
                return Told(body=_json(0, OK), headers={"content-type": JSON})
            return Told(body=_json(0, OK, self.gate.issue(body)), headers={"content-type": JSON})
        except Said as said:
            return self._said("au10001", said)

    def _served(self, api_id: str, heard: Heard) -> Told:
        try:
            self._check_headers(api_id, heard)
            self.gate.admit(api_id, heard.headers)
            body = _body(heard)
            missing = REQUIRED.get(api_id, set()) - body.keys()
            if missing:
                raise Said(
                    2,
                    f"입력 값 오류입니다[1511:필수 입력 값에 값이 존재하지 않습니다. 필수입력 파라미터={min(missing)}]",
                )
            self.heard.append((api_id, body))
            fields, more = self._fields(api_id, body, heard.headers)
            message = fields.pop("return_msg", OK)
            return Told(body=_json(0, message, fields), headers={"content-type": JSON, "api-id": api_id} | more)
        except Said as said:
            return self._said(api_id, said)

    @staticmethod
    def _said(api_id: str, said: Said) -> Told:
        return Told(
            status=said.status,
            body=_json(said.return_code, str(said)),
            headers={"content-type": JSON, "api-id": api_id},
        )

    @staticmethod
    def _check_headers(api_id: str, heard: Heard) -> None:
        if not api_id:
            raise Said(2, "헤더 오류[1501:API ID가 없습니다]")
        if api_id not in PATHS:
            raise Said(2, "헤더 오류[1505:해당 API ID는 존재하지 않습니다]")
        if PATHS[api_id] != heard.path:
            raise Said(2, f"[1504:해당 URI에서는 지원하는 API ID가 아닙니다. API ID={api_id}]")
        if heard.headers.get("content-type", "").replace(" ", "").lower() != JSON.lower():
            raise Said(2, "헤더 오류[1512:Http header에 content-type 값이 맞지 않습니다]")

    def _fields(
        self, api_id: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        today = self.exchange.clock().astimezone(KST).date()
        if api_id in ("kt10000", "kt10001"):
            return self._order(body, buys=api_id == "kt10000"), {}
        if api_id == "kt10003":
            return self._cancel(body), {}
        if api_id == "ka00001":
            return {"acctNo": ACCOUNT}, {}
        if api_id == "kt00001":
            return rows.deposit(self.exchange, mock=self.mock) | {"return_msg": " 조회가 완료되었습니다."}, {}
        if api_id == "ka10095":
            return self._quotes(str(body["stk_cd"])), {}
        if api_id == "kt00007":
            text = str(body.get("ord_dt") or f"{today:%Y%m%d}")
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            found = list(rows.journal_rows(self.exchange, day, self.habits))
            return self._page("acnt_ord_cntr_prps_dtl", found, headers)
        if api_id == "ka10075":
            return self._page("oso", list(rows.open_rows(self.exchange, today, self.habits)), headers)
        if api_id == "ka10076":
            return self._page("cntr", list(rows.fill_rows(self.exchange, today, self.habits)), headers)
        return self._page("acnt_evlt_remn_indv_tot", list(rows.holding_rows(self.exchange)), headers)

    def _page(
        self, key: str, found: list[dict[str, Any]], headers: dict[str, str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """``next-key`` is opaque; it counts only with ``cont-yn: Y``."""
        start = 0
        if headers.get("cont-yn") == "Y":
            start = int(headers.get("next-key", "").removeprefix("key") or 0)
        page = found[start : start + self.page_size]
        fields: dict[str, Any] = {key: page, "return_msg": " 조회가 완료되었습니다."}
        if not found:
            fields["return_msg"] = "모의투자 해당조회내역이 없습니다." if self.mock else "조회할 자료가 없습니다."
            if self.habits.no_key_when_empty:
                del fields[key]
        more = start + self.page_size < len(found)
        return fields, {"cont-yn": "Y", "next-key": f"key{start + self.page_size}"} if more else {"cont-yn": "N"}

    def _order(self, body: dict[str, Any], *, buys: bool) -> dict[str, Any]:
        if body["dmst_stex_tp"] != "KRX":
            raise Said(20, "[2000](RC9000:모의투자에서는 해당업무가 제공되지 않습니다.)")
        kind = KINDS.get(str(body["trde_tp"]))
        symbol, quantity, limit = str(body["stk_cd"]), str(body["ord_qty"]), str(body.get("ord_uv", ""))
        if kind is None or (self.mock and body["trde_tp"] not in ("0", "3")):
            raise Said(20, "[2000](521790:해당 시간에 불가한 주문유형)")
        if len(symbol) != 6 or not quantity.isdigit() or (kind[0] == "limit") != limit.isdigit() or int(quantity) < 1:
            raise Said(5, "입력 값 오류입니다[1517:입력 값 형식이 올바르지 않습니다]")
        try:
            order = self.exchange.place(
                symbol,
                buys=buys,
                quantity=Decimal(quantity),
                limit=Decimal(limit) if kind[0] == "limit" else None,
                validity=kind[1],
            )
        except Refused as refused:
            raise _refusal(refused) from None
        side = "매수" if buys else "매도"
        text = f"모의투자 {side}주문완료" if self.mock else f"{side}주문이 완료되었습니다."
        return {"ord_no": order.number, "dmst_stex_tp": "KRX", "return_msg": text}

    def _cancel(self, body: dict[str, Any]) -> dict[str, Any]:
        number = str(body["orig_ord_no"])
        if any(number == order.cancel_number for order in self.exchange.orders):
            raise Said(20, "[2000](571435:취소주문은 정정/취소할 수 없습니다)")
        try:
            order = self.exchange.cancel(number)
        except Refused as refused:
            raise _refusal(refused) from None
        return {
            "ord_no": order.cancel_number,
            "base_orig_ord_no": number,
            "cncl_qty": rows.padded(order.rest, 12),
            "return_msg": f"{'매수' if order.buys else '매도'}취소 주문입력이 완료되었습니다",
        }

    def _quotes(self, codes: str) -> dict[str, Any]:
        wanted = codes.split("|")
        if len(wanted) > 100:
            raise Said(5, "허용된 요청 개수를 초과하였습니다[1634:조회 종목수 초과]")
        unknown = [code for code in wanted if code not in self.exchange.listings]
        if unknown and self.unknown_symbol_refuses:
            raise Said(5, "입력 값 오류입니다[1902:종목 정보가 없습니다]")
        found = [rows.quote_row(self.exchange, code) for code in wanted if code not in unknown]
        blank = [{"stk_cd": "", "cur_prc": ""} for _ in unknown]
        return {"atn_stk_infr": found + blank}


def _refusal(refused: Refused) -> Said:
    if refused.why is Why.SYMBOL:
        return Said(5, "입력 값 오류입니다[1902:종목 정보가 없습니다]")
    return Said(20, REFUSALS[refused.why].format(quantity=refused.quantity))


def _body(heard: Heard) -> dict[str, Any]:
    try:
        body = json.loads(heard.body)
    except ValueError:
        raise Said(2, "입력 값 오류입니다[1517:입력 값 형식이 올바르지 않습니다]") from None
    if not isinstance(body, dict):
        raise Said(2, "입력 값 오류입니다[1517:입력 값 형식이 올바르지 않습니다]")
    return body


def _json(return_code: int, message: str, fields: dict[str, Any] | None = None) -> bytes:
    return json.dumps((fields or {}) | {"return_code": return_code, "return_msg": message}, ensure_ascii=False).encode()
