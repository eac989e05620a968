"""Kiwoom's facts as tables: hosts, paths of its TRs, order kinds, limits, codes and what they mean for us.

As of 2026-11-21, from Kiwoom's REST guide, its official sample and error texts seen live ("seen" below). Kiwoom changes
codes without notice: one that is not here is never read as an acceptance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from stocklab.brokers.pacing import Rate
from stocklab.brokers.values import PriceKind, Rejection, Side, Validity

__all__ = [
    "AS_OF",
    "CLOSE_SETTLED",
    "CODES_PER_QUESTION",
    "ISSUE_GAP",
    "ITEMS_PER_CHUNK",
    "ITEMS_PER_SOCKET",
    "KST",
    "LIVE_REST",
    "LIVE_SOCKET",
    "MOCK_REST",
    "MOCK_SOCKET",
    "ORDER_KINDS",
    "ORDER_TRS",
    "PATHS",
    "RATES",
    "REFUSALS",
    "REFUSED_RETURN_CODES",
    "TOKEN_MARGIN",
    "Leg",
    "Meaning",
    "account_bucket",
    "meaning_of",
    "order_kind",
    "tr_bucket",
]

AS_OF: Final = date(2026, 11, 21)
KST: Final = ZoneInfo("Asia/Seoul")

LIVE_REST: Final = "https://api.kiwoom.com"
MOCK_REST: Final = "https://mockapi.kiwoom.com"
LIVE_SOCKET: Final = "wss://api.kiwoom.com:10000/api/dostk/websocket"
MOCK_SOCKET: Final = "wss://mockapi.kiwoom.com:10000/api/dostk/websocket"

PATHS: Final = {
    "au10001": "/oauth2/token",
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
"""A path serves many TRs; the header ``api-id`` chooses."""

ORDER_TRS: Final = {Side.BUY: "kt10000", Side.SELL: "kt10001"}

ORDER_KINDS: Final = (
    (
        date(2025, 3, 1),
        {
            (PriceKind.LIMIT, Validity.DAY): "0",
            (PriceKind.MARKET, Validity.DAY): "3",
            (PriceKind.LIMIT, Validity.IOC): "10",
            (PriceKind.MARKET, Validity.IOC): "13",
            (PriceKind.LIMIT, Validity.FOK): "20",
            (PriceKind.MARKET, Validity.FOK): "23",
        },
    ),
)
"""From a date on -> ``trde_tp``. 62 (시간외단일가) is void since 2026-09-14 and was never offered here."""

_MOCK_KINDS: Final = ("0", "3")  # what the mock server surely takes

CLOSE_SETTLED: Final = ((date(2016, 8, 1), time(15, 40)),)
"""From a date on -> when KRX's day orders of the regular session are surely dead (it closes at 15:30)."""

CODES_PER_QUESTION: Final = 100
"""Symbols of one ka10095; 110 gave 1634 (seen)."""
ITEMS_PER_SOCKET: Final = 200
ITEMS_PER_CHUNK: Final = 50
"""The socket takes 200 items, in chunks with 0.35 s between them (seen)."""

TOKEN_MARGIN: Final = timedelta(seconds=600)
ISSUE_GAP: Final = timedelta(seconds=60)
"""Kiwoom names no limit for issuing, but each issue may end the token before it: ours is one a minute."""

RATES: Final = {
    "kiwoom-live:all:": Rate(per_second=10, burst=10),
    "kiwoom-live:tr:": Rate(per_second=2, burst=3),
    "kiwoom-mock:all:": Rate(per_second=0.5, burst=1),
    "kiwoom-mock:tr:": Rate(per_second=0.5, burst=1),
}
"""For `Pacer`. Kiwoom allows 5/s for each app key and TR; its mock server less, and how much less is not known."""


def account_bucket(key_id: str, *, mock: bool) -> str:
    """The bucket of everything that one app key asks."""
    return f"kiwoom-{'mock' if mock else 'live'}:all:{key_id}"


def tr_bucket(key_id: str, api_id: str, *, mock: bool) -> str:
    """The bucket of one TR of an app key."""
    return f"kiwoom-{'mock' if mock else 'live'}:tr:{key_id}:{api_id}"


class Meaning(StrEnum):
    """What an answer that is no success asks of us."""

    BUG = "bug"
    """The request has a wrong form: asking again changes nothing."""
    TOO_MANY = "too_many"
    SERVER = "server"
    """Their failure; a question may be asked again, an order has an unknown end."""
    TOKEN = "token"  # noqa: S105
    DENIED = "denied"
    EMPTY = "empty"
    REFUSED = "refused"
    """An order, or a symbol, for good."""
    UNKNOWN = "unknown"


_MEANINGS: Final = {
    **dict.fromkeys(("1501", "1504", "1505", "1511", "1512", "1513", "1514", "1515", "1516", "1517"), Meaning.BUG),
    **dict.fromkeys(("1634", "8011", "8012", "8104"), Meaning.BUG),  # 1634, 8104: seen
    **dict.fromkeys(("1687", "1700"), Meaning.TOO_MANY),
    "1999": Meaning.SERVER,
    **dict.fromkeys(("8003", "8005", "8006", "8009", "8016", "8103"), Meaning.TOKEN),
    **dict.fromkeys(("8001", "8002", "8010", "8020", "8030", "8031", "8040", "8050"), Meaning.DENIED),
    **dict.fromkeys(("571758", "501724"), Meaning.EMPTY),  # "no rows", said as an error by some lists (seen)
}

REFUSALS: Final = {
    "1901": Rejection.SYMBOL,
    "1902": Rejection.SYMBOL,
    "RC4057": Rejection.CLOSED,  # mock: not open yet
    "RC4058": Rejection.CLOSED,  # mock: closed
    "RC4003": Rejection.PRICE,  # not on the tick grid
    "RC9000": Rejection.KIND,  # mock: not offered
    "855056": Rejection.CASH,
    "800033": Rejection.SELLABLE,
    "571412": Rejection.KIND,  # cancel of an SOR order sent to another venue
    "521790": Rejection.KIND,  # not at this time of day
    "571357": Rejection.PRICE,  # this kind carries no price
    "571435": Rejection.FINISHED,  # the original is itself a cancel
    "506550": Rejection.FINISHED,
    "509193": Rejection.HALTED,  # circuit breaker
    "509247": Rejection.OTHER,  # leveraged ETF without registration
}
"""Codes of refusals -> why. Except 1901 and 1902 of the guide, all were seen in public logs."""

REFUSED_RETURN_CODES: Final = (20, 2000)
"""An order that Kiwoom's own system refused: the inner code says why, and one that is not known is a refusal too."""


def meaning_of(status: int, return_code: int, code: str) -> Meaning:
    """What an answer means; ``code`` is the inner one, which alone decides where it is known.

    >>> meaning_of(200, 3, "8005"), meaning_of(429, 5, ""), meaning_of(200, 5, "1634")
    (<Meaning.TOKEN: 'token'>, <Meaning.TOO_MANY: 'too_many'>, <Meaning.BUG: 'bug'>)
    """
    if code in _MEANINGS:
        return _MEANINGS[code]
    if status >= 500:
        return Meaning.SERVER
    if status == 429:
        return Meaning.TOO_MANY
    if status == 401:
        return Meaning.TOKEN
    if status == 200 and (code in REFUSALS or (code and return_code in REFUSED_RETURN_CODES)):
        return Meaning.REFUSED
    return Meaning.UNKNOWN


def order_kind(kind: PriceKind, validity: Validity, day: date, *, mock: bool) -> str | None:
    """``trde_tp`` of an order; None where it is not offered."""
    table = next((kinds for since, kinds in reversed(ORDER_KINDS) if since <= day), {})
    code = table.get((kind, validity))
    return None if mock and code not in _MOCK_KINDS else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A row of one of the three lists of orders, in one form.

    ``original`` is empty for an order of its own. ``rest`` None: this list does not say. ``confirmed`` is what a
    cancel took away. ``amount`` None: only ``average`` is known.
    """

    number: str
    original: str
    symbol: str
    side: Side
    cancels: bool
    refused: bool
    kind: PriceKind
    quantity: Decimal
    price: Decimal | None
    filled: Decimal
    average: Decimal
    rest: Decimal | None
    confirmed: Decimal
    at: time
    venue: str
    amount: Decimal | None = None
    costs: Decimal | None = None
