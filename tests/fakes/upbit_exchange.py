"""Upbit's Exchange API over the one account of `Exchange`: tokens, limits, orders, lists, balances, prices."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from fakes.broker_faults import CUT, Heard, Target, Told, Trouble, Troubles
from fakes.exchange import KST, ZERO, Exchange, Fill, Listing, Order, Refused, Rules, Why

_HASHES = {"HS512": hashlib.sha512, "HS256": hashlib.sha256}
_KEPT_NONCES = 10_000
_REFUSALS = {
    Why.NOT_OPEN_YET: (403, "market_offline"),
    Why.CLOSED: (403, "market_offline"),
    Why.HALTED: (403, "market_offline"),
    Why.TICK: (400, "invalid_price_{side}"),
    Why.BAND: (400, "invalid_price_{side}"),
    Why.CASH: (400, "insufficient_funds_bid"),
    Why.SELLABLE: (400, "insufficient_funds_ask"),
    Why.SYMBOL: (400, "notfoundmarket"),
    Why.KIND: (400, "create_{side}_error"),
    Why.TOO_SMALL: (400, "under_min_total_{side}"),
    Why.TOO_LARGE: (400, "over_krw_funds_bid"),
    Why.NOTHING_LEFT: (400, "order_is_ended"),  # its true name is not documented
    Why.NO_ORDER: (404, "order_not_found"),
    Why.DUPLICATE_ID: (400, "duplicated_identifier"),
}
# Price from, tick: docs of 2026; written down here again, so that the product's own table is not its judge.
_TICKS = (
    ("1000000", "1000"), ("500000", "500"), ("100000", "100"), ("50000", "50"), ("10000", "10"), ("5000", "5"),
    ("100", "1"), ("10", "0.1"), ("1", "0.01"), ("0.1", "0.001"), ("0.01", "0.0001"), ("0.001", "0.00001"),
)  # fmt: skip


class FakeUpbit:
    """Answers requests to ``/v1``. Deterministic: time is the exchange's clock.

    ``heard`` are all requests, ``overruns`` those above the limits. ``late_trades`` answers to come hide the last
    trade of an order; ``stranger`` refuses the next orders with a name that nobody knows, ``forbids`` is a right that
    the key lacks, ``refuses_key`` the name of an error of the key itself.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        access_key: str,
        secret_key: str,
        limits: dict[str, int] | None = None,
        ban_seconds: int = 90,
        late_seconds: float = 60.0,
    ) -> None:
        self.exchange = exchange
        self.access_key = access_key
        self.secret_key = secret_key
        self.limits = limits or {"default": 30, "order": 12, "ticker": 10}
        self.troubles = Troubles()
        self.heard: list[Heard] = []
        self.overruns = 0
        self.late_trades = 0
        self.stranger = 0
        self.forbids = ""
        self.refuses_key = ""
        self.extra_accounts: list[dict[str, Any]] = [
            {"currency": "APENFT", "balance": "0.0", "locked": "0.0", "avg_buy_price": "0",
             "avg_buy_price_modified": False, "unit_currency": "KRW"},
        ]  # fmt: skip
        self._ban_seconds = ban_seconds
        self._late_seconds = late_seconds
        self._nonces: dict[str, None] = {}
        self._burnt: set[str] = set()
        self._taken: dict[str, deque[datetime]] = {}
        self._over_in_a_row = 0
        self._banned_until: datetime | None = None
        self._cut_pages = 0
        self._lock = threading.RLock()

    def answer(self, heard: Heard) -> Told:
        """One request."""
        with self._lock:
            self.heard.append(heard)
            route = _ROUTES.get((heard.method, heard.path))
            if route is None:
                return _error(404, 404, "no Route matched with those values")
            group, target, right, handler = route
            left, refusal = self._take(group)
            told = refusal or self._served(heard, target, right, handler)
            if told is CUT:
                return told
            headers = {"content-type": "application/json; charset=utf-8"} | told.headers
            headers["Remaining-Req"] = f"group={group}; min=1800; sec={left}"
            return Told(status=told.status, body=told.body, headers=headers, wait=told.wait)

    def _served(self, heard: Heard, target: Target, right: str, handler: Callable[..., Told]) -> Told:
        pairs = _pairs(heard)
        if isinstance(pairs, Told):
            return pairs
        if right:
            name = self.refused_token(heard.headers.get("authorization", ""), _signed_text(heard, pairs), right)
            if name:
                return _error(401, name, "인증에 실패했습니다.")
        if target is Target.JOURNAL and self._cut_pages:
            self._cut_pages -= 1
            return _error(500, "internal_server_error", "서버 오류")
        trouble = self.troubles.take(target)
        before = _spoilt_before(trouble)
        if before is not None:
            return before
        told = handler(self, pairs)
        if trouble is Trouble.CUT_PAGES:
            self._cut_pages = 3
        return self._spoilt_after(trouble, told)

    def _spoilt_after(self, trouble: Trouble | None, told: Told) -> Told:
        match trouble:
            case Trouble.RECORDED_NO_ANSWER:
                return CUT
            case Trouble.RECORDED_LATE:
                return Told(status=told.status, body=told.body, wait=self._late_seconds)
            case Trouble.RECORDED_500:
                return _error(500, "internal_server_error", "서버 오류")
            case Trouble.RECORDED_HTML:
                return _html()
            case Trouble.TRUNCATED:
                return Told(status=told.status, body=told.body[: len(told.body) // 2])
        return told

    def refused_token(self, authorization: str, text: str, right: str = "") -> str:
        """The name of the error of a token; empty when it is good. Each nonce is good once."""
        if not authorization.startswith("Bearer ") or authorization.count(".") != 2:
            return "no_authorization_token"
        head, body, signature = authorization.removeprefix("Bearer ").split(".")
        try:
            algorithm, claims = json.loads(_unpacked(head))["alg"], json.loads(_unpacked(body))
        except (ValueError, KeyError):
            return "jwt_verification"
        made = hmac.new(self.secret_key.encode(), f"{head}.{body}".encode(), _HASHES.get(algorithm, hashlib.md5))
        if algorithm not in _HASHES or not hmac.compare_digest(made.digest(), _unpacked(signature)):
            return "jwt_verification"
        if claims.get("access_key") != self.access_key:
            return "invalid_access_key"
        if self.refuses_key:
            return self.refuses_key
        if not claims.get("nonce") or claims["nonce"] in self._nonces:
            return "nonce_used"
        self._nonces[claims["nonce"]] = None
        if len(self._nonces) > _KEPT_NONCES:
            del self._nonces[next(iter(self._nonces))]
        hashed = hashlib.sha512(text.encode()).hexdigest() if text else None
        if claims.get("query_hash") != hashed or claims.get("query_hash_alg") != ("SHA512" if text else None):
            return "invalid_query_payload"
        return "out_of_scope" if right and right == self.forbids else ""

    def _take(self, group: str) -> tuple[int, Told | None]:
        """Requests that are left in any one second, and the refusal when there are none."""
        now = self.exchange.clock()
        if self._banned_until is not None and now < self._banned_until:
            self.overruns += 1
            return 0, self._ban(now)
        taken = self._taken.setdefault(group, deque())
        while taken and now - taken[0] >= timedelta(seconds=1):
            taken.popleft()
        if len(taken) < self.limits[group]:
            taken.append(now)
            self._over_in_a_row = 0
            return self.limits[group] - len(taken), None
        self.overruns += 1
        self._over_in_a_row += 1
        if self._over_in_a_row > 3:
            self._banned_until = now + timedelta(seconds=self._ban_seconds)
            return 0, self._ban(now)
        return 0, Told(status=429, body=b"Too many API requests.")

    def _ban(self, now: datetime) -> Told:
        assert self._banned_until is not None
        seconds = int((self._banned_until - now).total_seconds()) + 1
        return Told(status=418, body=f"요청이 너무 많아 {seconds}초 동안 차단되었습니다.".encode())

    # Orders.

    def _place(self, pairs: list[tuple[str, str]]) -> Told:
        fields = dict(pairs)
        identifier = fields.get("identifier")
        if identifier is not None and (identifier in self._burnt or len(identifier) > 64):
            return _error(400, "duplicated_identifier" if len(identifier) <= 64 else "validation_error", "")
        if self.stranger:
            self.stranger -= 1
            self._burnt |= {identifier} if identifier else set()
            return _error(400, "order_stabilizer", "주문이 일시적으로 제한되었습니다.")
        name = _misfit(fields)
        if name:
            self._burnt |= {identifier} if identifier else set()
            return _error(400, name, "잘못된 요청입니다.")
        buys = fields["side"] == "bid"
        by_money = buys and fields["ord_type"] != "limit"
        try:
            order = self.exchange.place(
                fields["market"],
                buys=buys,
                quantity=None if by_money else Decimal(fields["volume"]),
                limit=Decimal(fields["price"]) if fields["ord_type"] == "limit" else None,
                money=Decimal(fields["price"]) if by_money else None,
                validity=fields.get("time_in_force", "day"),
                client_id=identifier,
            )
        except Refused as refusal:
            return _refused(refusal, fields["side"])
        # The answer shows the order as it was taken, without what it filled at once.
        return _json(_row(order, fresh=True), 201)

    def _cancel(self, pairs: list[tuple[str, str]]) -> Told:
        order = self._named(dict(pairs), self.exchange.orders)
        if order is None:
            return _refused(Refused(Why.NO_ORDER), "bid")
        before = _row(order)
        try:
            self.exchange.cancel(order.number)
        except Refused as refusal:
            return _refused(refusal, "bid" if order.buys else "ask")
        return _json(before)

    def _one(self, pairs: list[tuple[str, str]]) -> Told:
        order = self._named(dict(pairs), self.exchange.journal())
        if order is None:
            return _refused(Refused(Why.NO_ORDER), "bid")
        trades = [_trade(one) for one in self.exchange.shown_fills() if one.order_number == order.number]
        if self.late_trades and trades:
            self.late_trades -= 1
            trades.pop()
        return _json(_row(order) | {"trades": trades})

    def _named(self, fields: dict[str, str], orders: list[Order]) -> Order | None:
        if "uuid" in fields:
            return next((one for one in orders if uuid_of(one.number) == fields["uuid"]), None)
        return next((one for one in orders if one.client_id and one.client_id == fields.get("identifier")), None)

    def _open(self, pairs: list[tuple[str, str]]) -> Told:
        fields, limit = dict(pairs), int(dict(pairs).get("limit", "100"))
        if not _states(pairs, "wait") <= {"wait", "watch"} or not 1 <= limit <= 100:
            return _error(400, "validation_error", "잘못된 파라미터")
        rows = [one for one in self.exchange.journal() if not one.ended and "wait" in _states(pairs, "wait")]
        if fields.get("order_by", "desc") == "desc":
            rows.reverse()
        first = (int(fields.get("page", "1")) - 1) * limit
        return _json([_row(one) for one in rows[first : first + limit]])

    def _closed(self, pairs: list[tuple[str, str]]) -> Told:
        fields, limit = dict(pairs), int(dict(pairs).get("limit", "100"))
        start, end = _time(fields.get("start_time")), _time(fields.get("end_time"))
        week, now = timedelta(days=7), self.exchange.clock()
        if start is None:
            end = end or now
            start = end - week
        end = end or start + week
        if end - start > week or not 1 <= limit <= 1000 or not _states(pairs, "done", "cancel") <= {"done", "cancel"}:
            return _error(400, "validation_error", "잘못된 파라미터")
        states = _states(pairs, "done", "cancel")
        rows = [
            one
            for one in self.exchange.journal()
            if one.ended and _state(one) in states and start < one.placed_at < end
        ]
        if fields.get("order_by", "desc") == "desc":
            rows.reverse()
        return _json([_row(one) for one in rows[:limit]])

    # Balances and prices.

    def _accounts(self, _pairs: list[tuple[str, str]]) -> Told:
        total, free = self.exchange.shown_cash()
        rows = [_account("KRW", free, total - free, ZERO), *self.extra_accounts]
        for symbol, held, sellable, cost in self.exchange.shown_holdings():
            rows.append(_account(symbol.removeprefix("KRW-"), sellable, held - sellable, cost))
        return _json(rows)

    def _ticker_all(self, pairs: list[tuple[str, str]]) -> Told:
        quotes = dict(pairs).get("quote_currencies", "").split(",")
        listed = [one for one in self.exchange.listings.values() if one.symbol.split("-")[0] in quotes]
        return _json([ticker(one, self.exchange.clock()) for one in listed])

    def _ticker(self, pairs: list[tuple[str, str]]) -> Told:
        codes = dict(pairs).get("markets", "").split(",")
        if not all(code in self.exchange.listings for code in codes):
            return _error(404, 404, "Code not found")
        return _json([ticker(self.exchange.listings[code], self.exchange.clock()) for code in codes])


_ROUTES: dict[tuple[str, str], tuple[str, Target, str, Callable[..., Told]]] = {
    ("POST", "/v1/orders"): ("order", Target.ORDER, "place", FakeUpbit._place),
    ("DELETE", "/v1/order"): ("default", Target.CANCEL, "place", FakeUpbit._cancel),
    ("GET", "/v1/order"): ("default", Target.JOURNAL, "orders", FakeUpbit._one),
    ("GET", "/v1/orders/open"): ("default", Target.JOURNAL, "orders", FakeUpbit._open),
    ("GET", "/v1/orders/closed"): ("default", Target.JOURNAL, "orders", FakeUpbit._closed),
    ("GET", "/v1/accounts"): ("default", Target.BALANCE, "assets", FakeUpbit._accounts),
    ("GET", "/v1/ticker/all"): ("ticker", Target.QUOTE, "", FakeUpbit._ticker_all),
    ("GET", "/v1/ticker"): ("ticker", Target.QUOTE, "", FakeUpbit._ticker),
}


def upbit_rules() -> Rules:
    """What Upbit's won market demands of orders, and its commission."""
    return Rules(
        tick=_on_tick,
        buy_cost=Decimal("0.0005"),
        sell_cost=Decimal("0.0005"),
        cost_step=Decimal("0.00000001"),
        least_krw=Decimal(5_000),
        most_krw=Decimal(1_000_000_000),
        lot=Decimal("0.00000001"),
        day_ends=False,
    )


def uuid_of(number: str) -> str:
    """How Upbit names the order of a number."""
    return f"6f2b1d1e-7c53-4b7f-9a5e-{int(number):012d}"


def ticker(listing: Listing, now: datetime) -> dict[str, Any]:
    """A price as the quotation service says it: JSON numbers, small ones with an exponent."""
    at = now.astimezone(KST)
    return {
        "market": listing.symbol,
        "trade_date_kst": f"{at:%Y%m%d}",
        "trade_time_kst": f"{at:%H%M%S}",
        "trade_timestamp": int(now.timestamp() * 1000),
        "opening_price": float(listing.base_price),
        "trade_price": float(listing.price),
        "prev_closing_price": float(listing.base_price),
        "change": "EVEN",
        "timestamp": int(now.timestamp() * 1000),
    }


def _on_tick(_listing: Listing, price: Decimal, _day: date) -> bool:
    tick = next((Decimal(tick) for start, tick in _TICKS if price >= Decimal(start)), Decimal("0.00000001"))
    return price % tick == 0


def _pairs(heard: Heard) -> list[tuple[str, str]] | Told:
    """Parameters in the order in which they were sent."""
    if heard.method == "POST":
        if heard.headers.get("content-type") != "application/json; charset=utf-8":
            return _error(400, "bad_request", "Content-Type")
        try:
            return [(key, str(value)) for key, value in json.loads(heard.body).items() if value is not None]
        except ValueError:
            return _error(400, "bad_request", "JSON")
    if heard.body:
        return _error(400, "QUERY_PARAMETER_NOT_SUPPORTED", "body")
    parts = [one.partition("=") for one in heard.raw_query.split("&") if one]
    return [(unquote(key), unquote(value)) for key, _, value in parts]


def _signed_text(heard: Heard, pairs: list[tuple[str, str]]) -> str:
    # The keys as they came: brackets that were encoded do not give the hash of brackets.
    keys = [one.partition("=")[0] for one in heard.raw_query.split("&") if one]
    named = zip(keys, (value for _, value in pairs), strict=True) if heard.method != "POST" else pairs
    return "&".join(f"{key}={value}" for key, value in named)


def _misfit(fields: dict[str, str]) -> str:
    """The name of the error of an order whose fields do not go together."""
    side, kind, limit = fields.get("side"), fields.get("ord_type"), fields.get("time_in_force")
    if side not in {"bid", "ask"} or kind not in {"limit", "price", "market", "best"} or "market" not in fields:
        return "validation_error"
    wanted = {"limit": {"volume", "price"}, "price": {"price"}, "market": {"volume"}}.get(kind)
    wanted = wanted or ({"price"} if side == "bid" else {"volume"})
    if {"volume", "price"} & fields.keys() != wanted or (kind, side) in {("price", "ask"), ("market", "bid")}:
        return f"create_{side}_error"
    if limit not in {"limit": {None, "ioc", "fok"}, "best": {"ioc", "fok"}}.get(kind, {None}):
        return "invalid_time_in_force"
    if any(Decimal(fields[key]) % Decimal("0.00000001") or Decimal(fields[key]) <= 0 for key in wanted):
        return "validation_error"
    return ""


def _state(order: Order) -> str:
    if not order.ended:
        return "wait"
    whole = order.filled == order.quantity if order.quantity is not None else order.amount == order.money
    return "done" if whole else "cancel"


def _row(order: Order, *, fresh: bool = False) -> dict[str, Any]:
    filled, costs = (ZERO, ZERO) if fresh else (order.filled, order.costs)
    kind = "limit" if order.limit is not None else "price" if order.money is not None else "market"
    if kind != "limit" and order.validity != "day":
        kind = "best"
    price = order.limit if order.limit is not None else order.money
    row = {
        "market": order.symbol,
        "uuid": uuid_of(order.number),
        "side": "bid" if order.buys else "ask",
        "ord_type": kind,
        "price": None if price is None else _text(price),
        "state": "wait" if fresh else _state(order),
        "created_at": order.placed_at.astimezone(KST).replace(microsecond=0).isoformat(),
        "volume": None if order.quantity is None else _text(order.quantity),
        "remaining_volume": None if order.quantity is None else _text(order.quantity - filled),
        "executed_volume": _text(filled),
        "reserved_fee": "0",
        "remaining_fee": "0",
        "paid_fee": _text(costs),
        "locked": "0",
        "prevented_volume": "0",
        "prevented_locked": "0",
        "trades_count": 0,
        "identifier": order.client_id,
        "smp_type": "cancel_maker",
        "time_in_force": None if order.validity == "day" else order.validity,
    }
    return {key: value for key, value in row.items() if value is not None}


def _trade(fill: Fill) -> dict[str, Any]:
    return {
        "market": fill.symbol,
        "uuid": f"0d9a3c55-1be5-4ab7-8c5f-{fill.number:012d}",
        "price": _text(fill.price),
        "volume": _text(fill.quantity),
        "funds": _text(fill.quantity * fill.price),
        "trend": "down",
        "created_at": fill.at.astimezone(KST).isoformat(),
        "side": "bid" if fill.buys else "ask",
    }


def _account(currency: str, free: Decimal, bound: Decimal, cost: Decimal) -> dict[str, Any]:
    return {
        "currency": currency,
        "balance": _text(free),
        "locked": _text(bound),
        "avg_buy_price": _text(cost),
        "avg_buy_price_modified": False,
        "unit_currency": "KRW",
    }


def _states(pairs: list[tuple[str, str]], *usual: str) -> set[str]:
    return {value for key, value in pairs if key in {"state", "states[]"}} or set(usual)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    return datetime.fromtimestamp(int(text) / 1000, KST) if text.isdigit() else datetime.fromisoformat(text)


def _text(number: Decimal) -> str:
    return f"{number:f}"


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(value: object, status: int = 200) -> Told:
    return Told(status=status, body=json.dumps(value, ensure_ascii=False).encode())


def _error(status: int, name: str | int, message: str) -> Told:
    return _json({"error": {"name": name, "message": message}}, status)


def _html() -> Told:
    body = b"<html><body><h1>503 Service Temporarily Unavailable</h1><hr>nginx</body></html>"
    return Told(status=503, body=body, headers={"content-type": "text/html"})


def _refused(refusal: Refused, side: str) -> Told:
    status, name = _REFUSALS[refusal.why]
    return _error(status, name.format(side=side), "주문이 거부되었습니다.")


def _spoilt_before(trouble: Trouble | None) -> Told | None:
    match trouble:
        case Trouble.NO_ANSWER:
            return CUT
        case Trouble.ERROR_500:
            return _error(500, "internal_server_error", "서버 오류")
        case Trouble.HTML:
            return _html()
        case Trouble.TOO_MANY:
            return Told(status=429, body=b"Too many API requests.")
        case Trouble.TOKEN_DEAD:
            return _error(401, "nonce_used", "이미 사용된 nonce입니다.")  # a token is good for one request anyway
    return None
