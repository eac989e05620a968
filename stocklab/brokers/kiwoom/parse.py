"""Kiwoom's answers as values; raw dicts end here.

Every value is a text. Three styles of numbers live side by side: signed (the sign of a price is only its colour),
padded with zeros, plain. An empty text means that there is no value, which is never read as 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from stocklab.brokers.kiwoom.models import KST, Leg
from stocklab.brokers.values import BrokerCash, BrokerHolding, PriceKind, Quote, QuoteSource, Side

__all__ = [
    "Unreadable",
    "amount",
    "cash_of",
    "clock_time",
    "fill_leg",
    "holding_of",
    "inner_code",
    "journal_leg",
    "moment",
    "open_leg",
    "price",
    "quote_of",
    "rows_of",
    "symbol_of",
]

_CODES: Final = tuple(
    re.compile(form) for form in (r"\[(\d{4}):", r"\((RC\d{4}|\d{6}):", r"CODE=(\d{4})", r"\[(\d{4})\]")
)
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
_TIME: Final = re.compile(r"(\d{2}):?(\d{2}):?(\d{2})")
_NOTHING: Final = Decimal(0)


class Unreadable(ValueError):
    """An answer without what it must have. Names the field, never its surroundings."""


def inner_code(message: str) -> str:
    """The code inside ``return_msg``; empty when there is none.

    >>> inner_code("[2000](855056:매수증거금이 부족합니다. 12주 매수가능)")
    '855056'
    >>> inner_code("인증에 실패했습니다[8005:Token이 유효하지 않습니다]"), inner_code("[CODE=8005, MESSAGE=x]")
    ('8005', '8005')
    """
    for form in _CODES:
        found = form.search(message)
        if found:
            return found.group(1)
    return ""


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def amount(row: Mapping[str, Any], key: str) -> Decimal:
    """A number with a true sign.

    >>> amount({"d2_slby_exct_amt": "-00000000713100"}, "d2_slby_exct_amt")
    Decimal('-713100')

    Raises
    ------
    Unreadable
        Missing, empty or no number.
    """
    text = _text(row, key)
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"{key}: expected a number, found {'nothing' if not text else 'other text'}")
    return Decimal(text)


def price(row: Mapping[str, Any], key: str) -> Decimal | None:
    """A price, whose sign is a colour; None where it is empty or 0.

    >>> price({"cur_prc": "-70900"}, "cur_prc"), price({"cur_prc": " 67300"}, "cur_prc"), price({"p": "-0"}, "p")
    (Decimal('70900'), Decimal('67300'), None)
    """
    return (abs(amount(row, key)) or None) if _text(row, key) else None


def symbol_of(row: Mapping[str, Any], key: str) -> str:
    """A code of six characters, without the ``A`` of some lists and the venue of others.

    >>> symbol_of({"stk_cd": "A005930"}, "stk_cd"), symbol_of({"stk_cd": "0001A0_NX"}, "stk_cd")
    ('005930', '0001A0')
    """
    text = _text(row, key).partition("_")[0]
    text = text[1:] if len(text) == 7 and text[0] in "AJQ" else text
    if len(text) != 6:
        raise Unreadable(f"{key}: expected a code of 6 characters, found {len(text)}")
    return text


def clock_time(text: str) -> time | None:
    """``101512`` or ``10:15:12``; None for anything else."""
    found = _TIME.fullmatch(text.strip())
    try:
        return time(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def moment(text: str) -> datetime:
    """``yyyyMMddHHmmss`` in Seoul. Raises Unreadable."""
    try:
        return datetime.strptime(text.strip(), "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError:
        raise Unreadable("expected a moment as yyyyMMddHHmmss") from None


def rows_of(body: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """A list of rows; a missing key is an empty list, as Kiwoom says "none" both ways. Raises Unreadable."""
    rows = body.get(key)
    if rows is None or rows == "":
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable(f"{key}: expected a list of rows")
    return rows


def _number_of(row: Mapping[str, Any], key: str) -> str:
    number = _text(row, key)
    return number if number.strip("0") else ""


def _leg(row: Mapping[str, Any], *, time_key: str, original_key: str, kind: str, limit_key: str) -> dict[str, Any]:
    number, side, at = _number_of(row, "ord_no"), _text(row, "io_tp_nm"), clock_time(_text(row, time_key))
    if not number:
        raise Unreadable("ord_no: expected an order number")
    if ("매수" in side) == ("매도" in side):
        raise Unreadable("io_tp_nm: expected 매수 or 매도")
    if at is None:
        raise Unreadable(f"{time_key}: expected a time")
    limit = price(row, limit_key)
    at_market = limit is None or "시장가" in kind
    return {
        "number": number,
        "original": _number_of(row, original_key),
        "symbol": symbol_of(row, "stk_cd"),
        "side": Side.BUY if "매수" in side else Side.SELL,
        "kind": PriceKind.MARKET if at_market else PriceKind.LIMIT,
        "quantity": amount(row, "ord_qty"),
        "price": None if at_market else limit,
        "at": at,
    }


def _costs(row: Mapping[str, Any]) -> Decimal | None:
    keys = ("tdy_trde_cmsn", "tdy_trde_tax")
    return sum((amount(row, key) for key in keys), _NOTHING) if all(_text(row, key) for key in keys) else None


def _venue(row: Mapping[str, Any], key: str) -> str:
    return "SOR" if _text(row, "sor_yn") == "Y" else _text(row, key) or "KRX"


def journal_leg(row: Mapping[str, Any]) -> Leg:
    """A row of kt00007: padded numbers, ``A`` before the code, colons in the time. It has an average alone."""
    what = _text(row, "io_tp_nm") + _text(row, "mdfy_cncl")
    refused = "거부" in _text(row, "acpt_tp")
    return Leg(
        **_leg(row, time_key="ord_tm", original_key="ori_ord", kind=_text(row, "trde_tp"), limit_key="ord_uv"),
        cancels="취소" in what,
        refused=refused,
        filled=amount(row, "cntr_qty"),
        average=price(row, "cntr_uv") or _NOTHING,
        rest=amount(row, "ord_remnq"),
        confirmed=_NOTHING if refused or not _text(row, "cnfm_qty") else amount(row, "cnfm_qty"),
        venue=_venue(row, "dmst_stex_tp"),
    )


def open_leg(row: Mapping[str, Any]) -> Leg:
    """A row of ka10075. ``cntr_tot_amt`` is the exact amount of what was filled."""
    cancels = "취소" in _text(row, "io_tp_nm")
    exact = amount(row, "cntr_tot_amt") if _text(row, "cntr_tot_amt") else None
    return Leg(
        **_leg(row, time_key="tm", original_key="orig_ord_no", kind=_text(row, "trde_tp"), limit_key="ord_pric"),
        cancels=cancels,
        refused="거부" in _text(row, "ord_stt"),
        filled=_NOTHING if cancels else amount(row, "cntr_qty"),  # of all fills; `unit_cntr_qty` is that of the last
        average=price(row, "cntr_pric") or _NOTHING,
        rest=amount(row, "oso_qty"),
        confirmed=_NOTHING,
        venue=_venue(row, "stex_tp_txt"),
        amount=exact,
        costs=_costs(row),
    )


def fill_leg(row: Mapping[str, Any]) -> Leg:
    """A row of ka10076: one for an order, or one for each fill; which of them is not documented."""
    filled, paid = amount(row, "cntr_qty"), price(row, "cntr_pric") or _NOTHING
    return Leg(
        **_leg(row, time_key="ord_tm", original_key="orig_ord_no", kind=_text(row, "trde_tp"), limit_key="ord_pric"),
        cancels="취소" in _text(row, "io_tp_nm"),
        refused="거부" in _text(row, "ord_stt"),
        filled=filled,
        average=paid,
        rest=None,
        confirmed=_NOTHING,
        venue=_venue(row, "stex_tp_txt"),
        costs=_costs(row),
    )


def holding_of(row: Mapping[str, Any]) -> BrokerHolding | None:
    """A row of kt00018; None for one of zero shares."""
    held = amount(row, "rmnd_qty")
    if not held:
        return None
    return BrokerHolding(
        symbol=symbol_of(row, "stk_cd"),
        quantity=held,
        sellable=amount(row, "trde_able_qty"),
        average_cost_krw=price(row, "pur_pric"),
    )


def cash_of(body: Mapping[str, Any]) -> BrokerCash:
    """kt00001. The 100 % class is what buys without debt; other classes show up to five times the cash.

    It may be negative while the deposit is not, which leaves nothing free.
    """
    return BrokerCash(
        total_krw=amount(body, "d2_entra"),
        orderable_krw=max(_NOTHING, amount(body, "100stk_ord_alow_amt")),
    )


def quote_of(row: Mapping[str, Any], now: datetime) -> Quote | None:
    """A row of ka10095; None where there is no price, as for a code that does not exist.

    A price of today is as fresh as the answer, also where nobody traded for an hour. One of an earlier day is a close.
    """
    last = price(row, "cur_prc") if _text(row, "stk_cd") else None
    if last is None:
        return None
    day, at = _text(row, "dt"), clock_time(_text(row, "cntr_tm"))
    old = len(day) == 8 and day < now.astimezone(KST).strftime("%Y%m%d")
    return Quote(
        symbol=symbol_of(row, "stk_cd"),
        price_krw=last,
        at=moment(day + (at or time(0)).strftime("%H%M%S")) if old else now,
        source=QuoteSource.CLOSE if old else QuoteSource.REST,
        bid_krw=price(row, "buy_bid"),
        ask_krw=price(row, "sel_bid"),
        base_price_krw=price(row, "base_pric"),
        upper_limit_krw=price(row, "upl_pric"),
        lower_limit_krw=price(row, "lst_pric"),
    )
