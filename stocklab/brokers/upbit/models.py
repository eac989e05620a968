"""Upbit's paths, limits, codes and rules as dated tables.

Source of everything here: docs.upbit.com/kr, line v1.6.4, read 2026-11-21, unless a line names another.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stocklab.brokers.pacing import Rate
from stocklab.brokers.values import BrokerName, BrokerTraits, PriceKind, Rejection, Side, Validity
from stocklab.errors import InputError

__all__ = [
    "AS_OF",
    "BALANCES",
    "CANCEL",
    "CLOSED",
    "CLOSED_DAYS",
    "CLOSED_ROWS",
    "DENIED",
    "FIND",
    "LIVE_REST",
    "LIVE_SOCKET",
    "NONCE_USED",
    "NOT_FOUND",
    "OPEN",
    "OPEN_ROWS",
    "ORDER_KINDS",
    "ORDER_LIMITS",
    "PLACE",
    "QUANTITY_STEP",
    "REJECTIONS",
    "TICKERS",
    "TRAITS",
    "WON_PREFIX",
    "Call",
    "Group",
    "OrderKind",
    "ban_seconds",
    "rates",
]

AS_OF: Final = date(2026, 11, 21)
LIVE_REST: Final = "https://api.upbit.com/v1"
LIVE_SOCKET: Final = "wss://api.upbit.com/websocket/v1"
"""The public socket; the private one is below it at ``/private``. There is no test environment."""

WON_PREFIX: Final = "KRW-"
QUANTITY_STEP: Final = Decimal("0.00000001")


class Group(StrEnum):
    """Which limit a request counts for: quotations by address, the rest by pocket."""

    DEFAULT = "default"
    ORDER = "order"
    TICKER = "ticker"


Call = tuple[str, str, Group]

PLACE: Final[Call] = ("POST", "/orders", Group.ORDER)
CANCEL: Final[Call] = ("DELETE", "/order", Group.DEFAULT)
FIND: Final[Call] = ("GET", "/order", Group.DEFAULT)
OPEN: Final[Call] = ("GET", "/orders/open", Group.DEFAULT)
CLOSED: Final[Call] = ("GET", "/orders/closed", Group.DEFAULT)
BALANCES: Final[Call] = ("GET", "/accounts", Group.DEFAULT)
TICKERS: Final[Call] = ("GET", "/ticker/all", Group.TICKER)

OPEN_ROWS: Final = 100
CLOSED_ROWS: Final = 1000
CLOSED_DAYS: Final = timedelta(days=7)
"""The longest window of one question for ended orders. Windows are of the moment an order was made
(docs.upbit.com/kr/v1.6.4/reference/list-closed-orders)."""

ORDER_LIMITS: Final = (
    (date(2026, 6, 25), {Group.DEFAULT: 30, Group.ORDER: 8, Group.TICKER: 10}),
    (date(2026, 8, 21), {Group.DEFAULT: 30, Group.ORDER: 12, Group.TICKER: 10}),
)
"""Rows of (from, requests in one second). On the first day they began to be counted by pocket; what held before is not
kept."""

OrderKind = tuple[str, str | None]

ORDER_KINDS: Final[dict[tuple[PriceKind, Validity, Side], OrderKind]] = {
    (PriceKind.LIMIT, Validity.DAY, Side.BUY): ("limit", None),
    (PriceKind.LIMIT, Validity.DAY, Side.SELL): ("limit", None),
    (PriceKind.LIMIT, Validity.IOC, Side.BUY): ("limit", "ioc"),
    (PriceKind.LIMIT, Validity.IOC, Side.SELL): ("limit", "ioc"),
    (PriceKind.LIMIT, Validity.FOK, Side.BUY): ("limit", "fok"),
    (PriceKind.LIMIT, Validity.FOK, Side.SELL): ("limit", "fok"),
    (PriceKind.MARKET, Validity.DAY, Side.BUY): ("price", None),
    (PriceKind.MARKET, Validity.DAY, Side.SELL): ("market", None),
    (PriceKind.MARKET, Validity.IOC, Side.BUY): ("best", "ioc"),
    (PriceKind.MARKET, Validity.IOC, Side.SELL): ("best", "ioc"),
    (PriceKind.MARKET, Validity.FOK, Side.BUY): ("best", "fok"),
    (PriceKind.MARKET, Validity.FOK, Side.SELL): ("best", "fok"),
}
"""(ord_type, time_in_force) of each kind. ``best`` takes the best opposite price; ``smp_type`` stays away: the
exchange's own default (``cancel_maker`` since 2026-11-09) holds."""

REJECTIONS: Final[dict[str, Rejection]] = {
    "insufficient_funds_bid": Rejection.CASH,
    "insufficient_funds_ask": Rejection.SELLABLE,
    "under_min_total_bid": Rejection.SIZE,
    "under_min_total_ask": Rejection.SIZE,
    "under_min_total_market_bid": Rejection.SIZE,
    "under_min_total_market_ask": Rejection.SIZE,
    "over_krw_funds_bid": Rejection.SIZE,
    "invalid_price_bid": Rejection.PRICE,
    "invalid_price_ask": Rejection.PRICE,
    "create_bid_error": Rejection.KIND,
    "create_ask_error": Rejection.KIND,
    "invalid_time_in_force": Rejection.KIND,
    "invalid_post_only": Rejection.KIND,
    "notfoundmarket": Rejection.SYMBOL,
    "market_offline": Rejection.HALTED,
    "validation_error": Rejection.OTHER,
    "invalid_parameter": Rejection.OTHER,
    "bad_request": Rejection.OTHER,
}
"""Refusals of an order after which there is none. ``duplicated_identifier`` is not here: it says that an order of this
id may exist, so it is looked up. A name that is not here is looked up too."""

NONCE_USED: Final = "nonce_used"
NOT_FOUND: Final = "order_not_found"

DENIED: Final = frozenset(
    {
        "expired_access_key",
        "invalid_access_key",
        "invalid_query_payload",
        "jwt_verification",
        "no_authorization_i_p",  # the older spelling
        "no_authorization_ip",
        "no_authorization_token",
        "out_of_scope",
        "pocket_not_found",
    }
)
"""Keys, address or rights: a person must act, whatever the status."""

TRAITS: Final = BrokerTraits(
    name=BrokerName.UPBIT,
    mock=False,
    knows_client_ids=True,
    day_ends=False,
    coins=True,
    buys_by_money=True,
    rests_stops=False,  # reserved orders exist in the app; the reference has no way to place one
    lookup_after=tuple(timedelta(seconds=seconds) for seconds in (0.5, 1, 2, 4, 8)),
    absent_after=timedelta(seconds=15),
)

_USUAL_BAN: Final = 600.0  # what a block without a readable time is taken for
_BAN: Final = re.compile(r"(\d+)\s*(초|분|시간|seconds?|minutes?|hours?|s|m|h)", re.IGNORECASE)
_BAN_UNITS: Final = {"초": 1, "분": 60, "시": 3600, "s": 1, "m": 60, "h": 3600}


def rates(day: date) -> dict[str, Rate]:
    """Buckets for a `Pacer`: each stays within the limit in any second, and leaves room for jitter on the way.

    Raises
    ------
    InputError
        No limits are known for the day.

    >>> rates(date(2026, 11, 21))["upbit:order:"]
    Rate(per_second=7.0, burst=4)
    """
    known = [limits for since, limits in ORDER_LIMITS if since <= day]
    if not known:
        raise InputError(f"Upbit's limits are known from {ORDER_LIMITS[0][0]} on, found {day}.")
    # What a burst and its refill bring together in one second must not exceed the limit.
    return {
        f"{BrokerName.UPBIT}:{group}:": Rate(per_second=float(limit - limit // 3 - 1), burst=limit // 3)
        for group, limit in known[-1].items()
    }


def ban_seconds(text: str) -> float:
    """How long a block lasts, by what its answer says.

    >>> ban_seconds("요청이 너무 많아 90초 동안 차단되었습니다."), ban_seconds("")
    (90.0, 600.0)
    """
    said = _BAN.search(text)
    return max(1.0, float(said[1]) * _BAN_UNITS[said[2][0].lower()]) if said is not None else _USUAL_BAN
