"""What KIS calls things, as dated tables: transactions, order kinds, hours, codes, rates.

State of knowledge: 2026-11-21. Sources: KIS's sample repository (github.com/koreainvestment/open-trading-api, July to
September 2026), its spreadsheet of order and account calls of 2026-09-11, and its notices of 2025-08-07, 2026-02-10
(no balances by stock any more; github.com/Soju06/python-kis, pull 82), 2026-02-24 (reconnecting in loops) and
2026-04-20 (rates). What one public project measured is marked "seen once"; no decision about an order rests on such a
row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stocklab.brokers.pacing import Rate
from stocklab.brokers.values import PriceKind, Rejection, Validity
from stocklab.errors import InputError

__all__ = [
    "AS_OF",
    "BALANCE",
    "BUY",
    "CANCEL",
    "CODES",
    "JOURNAL",
    "JOURNAL_MONTHS",
    "LEDGER_SECONDS",
    "MARKET_CODES",
    "OLD_JOURNAL",
    "ORDERABLE",
    "ORDER_HOURS",
    "ORDER_KINDS",
    "PRICE",
    "PRICES",
    "PRICES_AT_ONCE",
    "QUOTE_SECONDS",
    "RATES",
    "SELL",
    "SOCKET_REGISTRATIONS",
    "Code",
    "Hours",
    "Meaning",
    "OrderKind",
    "Transaction",
    "meaning",
    "order_hours",
    "order_kind",
]

AS_OF: Final = date(2026, 11, 21)

_TRADING: Final = "/uapi/domestic-stock/v1/trading"
_QUOTATIONS: Final = "/uapi/domestic-stock/v1/quotations"

LEDGER_SECONDS: Final = 15.0
"""Balances, journals and orders are slow at the open."""
QUOTE_SECONDS: Final = 10.0

SOCKET_REGISTRATIONS: Final = 40
"""Of one session, the notice included. KIS says 41; its own sample stops at 40."""

PRICES_AT_ONCE: Final = 30

JOURNAL_MONTHS: Final = 3
"""Older days have a transaction of their own."""

RATES: Final = MappingProxyType(
    {
        # 18 and 1 a second for each account since 2026-04-20; less, because what counts is when requests arrive there.
        # A burst of one keeps the gap between two requests.
        "kis:live:": Rate(per_second=15.0, burst=1),
        "kis:mock:": Rate(per_second=0.9, burst=1),
        "kis:approval:": Rate(per_second=0.9, burst=1),
    }
)
"""For `Pacer`. The rest of a bucket's name is a digest of the app key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One call: its path and its ``tr_id``, which for account calls differs in mock. ``mock`` None: not offered there.

    The ids are those of the spreadsheet of 2026-09-11; KIS warns that the older ones (TTTC0802U and so on) may stop
    without notice.
    """

    name: str
    method: str
    path: str
    live: str
    mock: str | None
    seconds: float = LEDGER_SECONDS

    def id(self, *, mock: bool) -> str:
        """The ``tr_id`` of an environment. Raises InputError where it is not offered."""
        found = self.mock if mock else self.live
        if found is None:
            raise InputError(f"kis: {self.name} is not offered in mock.")
        return found


BUY: Final = Transaction(name="buy", method="POST", path=f"{_TRADING}/order-cash", live="TTTC0012U", mock="VTTC0012U")
SELL: Final = Transaction(name="sell", method="POST", path=f"{_TRADING}/order-cash", live="TTTC0011U", mock="VTTC0011U")
CANCEL: Final = Transaction(
    name="cancel", method="POST", path=f"{_TRADING}/order-rvsecncl", live="TTTC0013U", mock="VTTC0013U"
)
JOURNAL: Final = Transaction(
    name="journal", method="GET", path=f"{_TRADING}/inquire-daily-ccld", live="TTTC0081R", mock="VTTC0081R"
)
OLD_JOURNAL: Final = Transaction(
    name="old_journal", method="GET", path=f"{_TRADING}/inquire-daily-ccld", live="CTSC9215R", mock="VTSC9215R"
)
BALANCE: Final = Transaction(
    name="balance", method="GET", path=f"{_TRADING}/inquire-balance", live="TTTC8434R", mock="VTTC8434R"
)
ORDERABLE: Final = Transaction(
    name="orderable", method="GET", path=f"{_TRADING}/inquire-psbl-order", live="TTTC8908R", mock="VTTC8908R"
)
PRICE: Final = Transaction(
    name="price",
    method="GET",
    path=f"{_QUOTATIONS}/inquire-price",
    live="FHKST01010100",
    mock="FHKST01010100",
    seconds=QUOTE_SECONDS,
)
PRICES: Final = Transaction(  # whether mock serves it is not known, so it is not asked there
    name="prices",
    method="GET",
    path=f"{_QUOTATIONS}/intstock-multprice",
    live="FHKST11300006",
    mock=None,
    seconds=QUOTE_SECONDS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKind:
    """One ``ORD_DVSN`` that we send. ``mock``: surely taken there."""

    code: str
    kind: PriceKind
    validity: Validity
    mock: bool


ORDER_KINDS: Final = (
    OrderKind(code="00", kind=PriceKind.LIMIT, validity=Validity.DAY, mock=True),
    OrderKind(code="01", kind=PriceKind.MARKET, validity=Validity.DAY, mock=True),
    OrderKind(code="11", kind=PriceKind.LIMIT, validity=Validity.IOC, mock=False),
    OrderKind(code="12", kind=PriceKind.LIMIT, validity=Validity.FOK, mock=False),
    OrderKind(code="13", kind=PriceKind.MARKET, validity=Validity.IOC, mock=False),
    OrderKind(code="14", kind=PriceKind.MARKET, validity=Validity.FOK, mock=False),
)

MARKET_CODES: Final = frozenset({"01", "13", "14"})
"""Of a person's own orders too. Their other kinds count as limit where a price is shown, else as market."""


def order_kind(kind: PriceKind, validity: Validity, *, mock: bool) -> OrderKind | None:
    """The ``ORD_DVSN`` of an order; None where it is not offered."""
    for row in ORDER_KINDS:
        if (row.kind, row.validity) == (kind, validity) and (row.mock or not mock):
            return row
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When orders are taken, roughly, from a day on; days that open late shift them."""

    since: date
    first: time
    last: time
    after_market: tuple[time, time]


ORDER_HOURS: Final = (
    # 시간외단일가 (16:00-18:00) gave way to the KRX after-market on 2026-09-14; its order kinds are 41 to 47, not ours.
    Hours(since=date(2016, 8, 1), first=time(8, 30), last=time(15, 30), after_market=(time(16), time(18))),
    Hours(since=date(2026, 9, 14), first=time(8, 30), last=time(15, 30), after_market=(time(16), time(20))),
)


def order_hours(day: date) -> Hours:
    """The hours that hold on a day."""
    return [row for row in ORDER_HOURS if row.since <= day][-1]


class Meaning(StrEnum):
    """What an answer says, as far as an order is concerned."""

    DONE = "done"
    REFUSED = "refused"
    """The order itself was refused: there is none."""
    TOKEN = "token"  # noqa: S105 - a word
    TOO_MANY = "too_many"
    BUSY = "busy"
    """KIS's ledger is overloaded, whoever asks."""
    DENIED = "denied"
    """A person must act."""
    GATEWAY = "gateway"
    """Another code of the gateway, which says nothing certain about how far the request came."""
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A ``msg_cd`` (or ``error_code``) with its class; ``why`` for refusals."""

    meaning: Meaning
    why: Rejection = Rejection.OTHER


CODES: Final = MappingProxyType(
    {
        "EGW00121": Code(meaning=Meaning.TOKEN),  # not valid
        "EGW00123": Code(meaning=Meaning.TOKEN),  # expired; HTTP 500, a 401 was seen once
        "EGW00201": Code(meaning=Meaning.TOO_MANY),  # HTTP 500, sometimes 200
        "EGW00215": Code(meaning=Meaning.BUSY),
        "EGW00133": Code(meaning=Meaning.TOO_MANY),  # a token was asked for within the last minute
        "EGW00103": Code(meaning=Meaning.DENIED),  # app key; the exact numbers of these two are not sure
        "EGW00105": Code(meaning=Meaning.DENIED),  # app secret
        "EGW00204": Code(meaning=Meaning.DENIED),  # address blocked; seen once
        "EGW02006": Code(meaning=Meaning.DENIED),  # not a call of the mock environment
        "OPSQ2000": Code(meaning=Meaning.DENIED),  # INVALID_CHECK_ACNO: the account does not go with the key
        "APBK0919": Code(meaning=Meaning.REFUSED, why=Rejection.CLOSED),
        "APBK0952": Code(meaning=Meaning.REFUSED, why=Rejection.CASH),
        "APBK0400": Code(meaning=Meaning.REFUSED, why=Rejection.SELLABLE),
        "APBK0656": Code(meaning=Meaning.REFUSED, why=Rejection.SYMBOL),
        "40570000": Code(meaning=Meaning.REFUSED, why=Rejection.CLOSED),  # mock, before the open; HTTP 200 or 500
        "40580000": Code(meaning=Meaning.REFUSED, why=Rejection.CLOSED),  # mock, after the close
        "40100000": Code(meaning=Meaning.REFUSED, why=Rejection.CLOSED),  # mock, not a business day
        "40250000": Code(meaning=Meaning.REFUSED, why=Rejection.CASH),  # mock
        "40330000": Code(meaning=Meaning.REFUSED, why=Rejection.FINISHED),  # mock: nothing left to modify or cancel
    }
)

_GATEWAY: Final = ("EGW", "IGW")


def meaning(status: int, rt_cd: str, code: str) -> Meaning:
    """What an answer means.

    An unknown code is a refusal only with HTTP 200 and a ``rt_cd`` that is not "0": with any other status nobody knows
    how far the request came.

    >>> meaning(200, "7", "APBK9999"), meaning(500, "1", "APBK9999"), meaning(200, "1", "EGW09999")
    (<Meaning.REFUSED: 'refused'>, <Meaning.UNCLEAR: 'unclear'>, <Meaning.GATEWAY: 'gateway'>)
    """
    if status == 200 and rt_cd == "0":
        return Meaning.DONE
    known = CODES.get(code)
    if known is not None:
        return known.meaning
    if code.startswith(_GATEWAY):
        return Meaning.GATEWAY
    if status == 200 and rt_cd and code:
        return Meaning.REFUSED
    return Meaning.UNCLEAR
