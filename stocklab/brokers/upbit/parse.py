"""Upbit's answers as our values. Its raw rows stop here; anything unreadable is a `Garbled`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from stocklab.brokers.upbit.models import QUANTITY_STEP, WON_PREFIX
from stocklab.brokers.values import (
    BrokerCash,
    BrokerHolding,
    BrokerOrder,
    OrderRef,
    PlacedState,
    PriceKind,
    Quote,
    QuoteSource,
    Receipt,
    Side,
)

__all__ = [
    "Deals",
    "Garbled",
    "Placed",
    "cash_of",
    "error_of",
    "holdings_of",
    "instant",
    "moment",
    "placed_of",
    "quote_of",
    "receipt_of",
]

_KST: Final = ZoneInfo("Asia/Seoul")
_ZERO: Final = Decimal(0)
_WON: Final = WON_PREFIX.removesuffix("-")
_FINAL: Final = {"done": PlacedState.FILLED, "cancel": PlacedState.CANCELLED}


class Garbled(ValueError):
    """An answer without what it must have. It names the field, never its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deals:
    """What an order's single trades add up to; ``dearest`` is their highest price."""

    quantity: Decimal
    amount_krw: Decimal
    dearest_krw: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order as one row says it. ``deals`` is None in rows of lists, which do not show trades."""

    uuid: str
    symbol: str
    side: Side
    kind: PriceKind
    state: str
    placed_at: datetime
    price_krw: Decimal | None
    quantity: Decimal | None
    filled_quantity: Decimal
    costs_krw: Decimal
    client_order_id: str | None
    deals: Deals | None

    @property
    def ref(self) -> OrderRef:
        """Its name; the day is Seoul's."""
        return OrderRef(self.placed_at.astimezone(_KST).date(), self.uuid)

    @property
    def final(self) -> bool:
        """Whether it can still be filled."""
        return self.state in _FINAL

    @property
    def complete(self) -> bool:
        """Whether the trades are all there; they may lag behind what is executed."""
        return self.filled_quantity == (self.deals.quantity if self.deals is not None else _ZERO)

    def order(self) -> BrokerOrder:
        """The order, once it is `complete`."""
        limit = self.price_krw if self.kind is PriceKind.LIMIT else None
        return BrokerOrder(
            ref=self.ref,
            symbol=self.symbol,
            side=self.side,
            kind=self.kind,
            quantity=self.quantity,
            limit_price_krw=limit,
            filled_quantity=self.filled_quantity,
            # The won of every single trade: an average could not be multiplied back exactly.
            filled_krw=self.deals.amount_krw if self.deals is not None else _ZERO,
            state=self._placed_state(),
            placed_at=self.placed_at,
            costs_krw=self.costs_krw,
            client_order_id=self.client_order_id,
        )

    def _placed_state(self) -> PlacedState:
        """A state that is not known is open: it must not end an order. A purchase by money that ends with less left
        over than the smallest part of the coin costs is filled, although Upbit calls it cancelled."""
        state = _FINAL.get(self.state, PlacedState.OPEN)
        if state is PlacedState.CANCELLED and self.quantity is None and self.deals is not None and self.price_krw:
            left = self.price_krw - self.deals.amount_krw
            if left < self.deals.dearest_krw * QUANTITY_STEP:
                return PlacedState.FILLED
        return state


def placed_of(row: Any) -> Placed:
    """An order of any answer that shows one.

    Raises
    ------
    Garbled
    """
    fields = _fields(row)
    return Placed(
        uuid=_text(fields, "uuid"),
        symbol=_text(fields, "market"),
        side=_side(fields),
        kind=PriceKind.LIMIT if _text(fields, "ord_type") == "limit" else PriceKind.MARKET,
        state=_text(fields, "state"),
        placed_at=moment(_text(fields, "created_at")),
        price_krw=_optional(fields, "price"),
        quantity=_optional(fields, "volume"),
        filled_quantity=_number(fields, "executed_volume"),
        costs_krw=_number(fields, "paid_fee"),
        client_order_id=str(fields["identifier"]) if fields.get("identifier") else None,
        deals=_deals(fields["trades"]) if fields.get("trades") is not None else None,
    )


def receipt_of(body: Any, client_order_id: str) -> Receipt:
    """What the answer to a new order confirms. Raises Garbled, also where it confirms another one."""
    fields = _fields(body)
    if fields.get("identifier", client_order_id) != client_order_id:
        raise Garbled("identifier")
    accepted_at = moment(_text(fields, "created_at"))
    return Receipt(ref=OrderRef(accepted_at.astimezone(_KST).date(), _text(fields, "uuid")), accepted_at=accepted_at)


def holdings_of(body: Any) -> tuple[BrokerHolding, ...]:
    """Coins of an account, by symbol; what open sales bind is counted in. Raises Garbled."""
    found = []
    for row in _rows(body):
        free, bound, currency = _number(row, "balance"), _number(row, "locked"), _text(row, "currency")
        if currency == _WON or free + bound == 0:
            continue
        # A coin that came by transfer has an average of 0, one bought on another market is not counted in won.
        average = _optional(row, "avg_buy_price") if row.get("unit_currency") == _WON else None
        found.append(
            BrokerHolding(
                symbol=WON_PREFIX + currency, quantity=free + bound, sellable=free, average_cost_krw=average or None
            )
        )
    return tuple(sorted(found, key=lambda one: one.symbol))


def cash_of(body: Any) -> BrokerCash:
    """Won of an account; an account without a row of won has none. Raises Garbled."""
    won = [row for row in _rows(body) if _text(row, "currency") == _WON]
    free = sum((_number(row, "balance") for row in won), _ZERO)
    return BrokerCash(total_krw=free + sum((_number(row, "locked") for row in won), _ZERO), orderable_krw=free)


def quote_of(row: Any, source: QuoteSource) -> Quote:
    """A price of a ticker, of REST or of the socket. Raises Garbled."""
    fields = _fields(row)
    symbol = fields.get("market") or fields.get("code")
    if not isinstance(symbol, str):
        raise Garbled("market")
    return Quote(
        symbol=symbol,
        price_krw=_number(fields, "trade_price"),
        at=instant(fields.get("timestamp")),
        source=source,
        halted=fields.get("market_state", "ACTIVE") != "ACTIVE",
    )


def error_of(body: Any) -> tuple[str, str]:
    """Name and message of a refusal. Quotations have a number as its name; both are empty where there is none.

    >>> error_of({"error": {"name": 404, "message": "Code not found"}})
    ('404', 'Code not found')
    """
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("name") or ""), str(error.get("message") or "")


def moment(text: str) -> datetime:
    """A moment with its zone. Raises Garbled.

    >>> moment("2026-11-20T10:15:12+09:00").isoformat()
    '2026-11-20T10:15:12+09:00'
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise Garbled("a moment") from error
    if read.tzinfo is None:
        raise Garbled("a moment without its zone")
    return read


def instant(milliseconds: Any) -> datetime:
    """A moment of milliseconds since 1970. Raises Garbled."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | Decimal):
        raise Garbled("timestamp")
    try:
        return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Garbled("timestamp") from error


def _deals(rows: Any) -> Deals:
    quantity = amount = dearest = _ZERO
    # One trade is counted once, should a page of them overlap another.
    for row in {_text(one, "uuid"): one for one in _rows(rows)}.values():
        quantity += _number(row, "volume")
        amount += _number(row, "funds")
        dearest = max(dearest, _number(row, "price"))
    return Deals(quantity=quantity, amount_krw=amount, dearest_krw=dearest)


def _side(fields: dict[str, Any]) -> Side:
    match _text(fields, "side"):
        case "bid":
            return Side.BUY
        case "ask":
            return Side.SELL
    raise Garbled("side")


def _fields(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise Garbled("a row")
    return row


def _rows(body: Any) -> Iterable[dict[str, Any]]:
    if not isinstance(body, list):
        raise Garbled("a list")
    return [_fields(row) for row in body]


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise Garbled(key)
    return value


def _optional(fields: dict[str, Any], key: str) -> Decimal | None:
    return None if fields.get(key) is None else _number(fields, key)


def _number(fields: dict[str, Any], key: str) -> Decimal:
    """Decimal texts of the exchange, numbers of quotations (also 9.101e-05)."""
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Garbled(key)
    try:
        read = Decimal(value)
    except InvalidOperation as error:
        raise Garbled(key) from error
    if not read.is_finite():
        raise Garbled(key)
    return read
