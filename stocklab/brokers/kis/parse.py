"""What KIS answers, as values; its raw dictionaries end here.

Every value is a text, sometimes padded with blanks; prices carry true signs. Names of fields are upper case in answers
to orders and lower case elsewhere, but for ``excg_id_dvsn_Cd``, so that all are read in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from stocklab.brokers.kis.auth import KST
from stocklab.brokers.kis.journal import JournalRow
from stocklab.brokers.kis.models import MARKET_CODES
from stocklab.brokers.values import BrokerHolding, BrokerName, OrderRef, Quote, QuoteSource, Receipt
from stocklab.brokers.wire import Answer
from stocklab.errors import BrokerTemporary

__all__ = [
    "Row",
    "amount",
    "day_text",
    "holdings",
    "journal_row",
    "moment",
    "order_number",
    "price",
    "receipt",
    "rows",
    "several_prices",
]

_NONE: Final = Decimal(0)

Row = Mapping[str, str]
"""One record, names in lower case, values without blanks around them."""


def rows(answer: Answer, key: str) -> list[Row]:
    """The records under a key, whether it holds a list or one object; empty objects are left out.

    Raises
    ------
    BrokerTemporary
        The key is missing: an empty list is there when there is nothing.
    """
    found = answer.body.get(key) if isinstance(answer.body, dict) else None
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BrokerTemporary(BrokerName.KIS, f"expected records in {key}, found {type(found).__name__}")
    return [_row(one) for one in found if one]


def _row(raw: Mapping[str, Any]) -> Row:
    return {name.lower(): "" if value is None else str(value).strip() for name, value in raw.items()}


def amount(row: Row, *names: str, missing: Decimal | None = None) -> Decimal:
    """The number under the first of the names that is there, ``missing`` when none is.

    Raises
    ------
    BrokerTemporary
        There is none and none may be missing, or it is not a number.

    >>> amount({"pchs_avg_pric": "71300.0000"}, "pchs_avg_pric"), amount({"cnc_qty": "3"}, "cncl_qty", "cnc_qty")
    (Decimal('71300'), Decimal('3'))
    """
    text = next((row[name] for name in names if row.get(name)), "")
    if not text and missing is not None:
        return missing
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise BrokerTemporary(BrokerName.KIS, f"expected a number in {names[0]}, found {text[:20]!r}")
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()


def moment(day: str, clock: str) -> datetime:
    """``20261120`` and ``101414`` in Seoul.

    Raises
    ------
    BrokerTemporary
    """
    try:
        return datetime.strptime(day + clock, "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError as error:
        raise BrokerTemporary(BrokerName.KIS, f"expected a day and a time, found {day[:8]!r} {clock[:6]!r}") from error


def order_number(text: str) -> str:
    """Ten digits; empty where there is none, which some lists show as zeros.

    >>> order_number("12345"), order_number("0000000000"), order_number("")
    ('0000012345', '', '')
    """
    bare = text.strip().lstrip("0")
    return bare.zfill(10) if bare else ""


def receipt(answer: Answer, now: datetime) -> Receipt | None:
    """What a taken order is called; None when the answer does not name it."""
    try:
        found = rows(answer, "output")
        number = order_number(found[0].get("odno", "")) if found else ""
        if not number:
            return None
        today = now.astimezone(KST)
        stamp = found[0].get("ord_tmd", "")
        at = moment(f"{today:%Y%m%d}", stamp) if stamp else now
        return Receipt(ref=OrderRef(today.date(), number, found[0].get("krx_fwdg_ord_orgno", "")), accepted_at=at)
    except BrokerTemporary:
        return None


def journal_row(row: Row) -> JournalRow:
    """One row of inquire-daily-ccld. Raises BrokerTemporary."""
    at = moment(row.get("ord_dt", ""), row.get("ord_tmd", ""))
    side = row.get("sll_buy_dvsn_cd", "")
    if side not in ("01", "02"):
        raise BrokerTemporary(BrokerName.KIS, f"expected side 01 or 02, found {side[:4]!r}")
    number = order_number(row.get("odno", ""))
    if not number:
        raise BrokerTemporary(BrokerName.KIS, "a row of the journal without an order number")
    original = order_number(row.get("orgn_odno", ""))
    words = row.get("sll_buy_dvsn_cd_name", "") + row.get("ord_dvsn_name", "")
    shown = amount(row, "ord_unpr", missing=_NONE)
    return JournalRow(
        ref=OrderRef(at.date(), number, row.get("ord_gno_brno", "")),
        original=original,
        cancels=bool(original) and (row.get("cncl_yn", "").upper() == "Y" or "취소" in words),
        symbol=row.get("pdno", ""),
        buys=side == "02",
        quantity=amount(row, "ord_qty"),
        limit_krw=None if row.get("ord_dvsn_cd", "") in MARKET_CODES or shown == 0 else shown,
        filled=amount(row, "tot_ccld_qty"),
        # The exact sum; avg_prvs beside it is rounded.
        filled_krw=amount(row, "tot_ccld_amt"),
        rest=amount(row, "rmn_qty"),
        cancelled=amount(row, "cncl_cfrm_qty", "cnc_cfrm_qty", missing=_NONE),  # the sample spells it without the l
        refused=amount(row, "rjct_qty", missing=_NONE),
        at=at,
    )


def holdings(records: Iterable[Row]) -> list[BrokerHolding]:
    """Rows of inquire-balance, one for each symbol and loan day, summed up by symbol; what is sold stays as 0 to D+2.

    What was bought on credit is held, but a cash sale cannot sell it.
    """
    # A row that a new one pushed over to the next page comes twice, and the later one counts.
    single = {(one.get("pdno", ""), one.get("trad_dvsn_name", ""), one.get("loan_dt", "")): one for one in records}
    held: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
    for (symbol, _, loan), row in sorted(single.items()):
        quantity = amount(row, "hldg_qty")
        if quantity <= 0:
            continue
        before = held.get(symbol, (_NONE, _NONE, _NONE))
        sellable = _NONE if loan.strip("0") else amount(row, "ord_psbl_qty")
        cost = quantity * amount(row, "pchs_avg_pric")
        held[symbol] = (before[0] + quantity, before[1] + sellable, before[2] + cost)
    return [
        BrokerHolding(symbol=symbol, quantity=quantity, sellable=sellable, average_cost_krw=cost / quantity)
        for symbol, (quantity, sellable, cost) in held.items()
    ]


def price(symbol: str, row: Row, now: datetime) -> Quote | None:
    """inquire-price; None for a symbol that is not known, which comes with zeros."""
    last = _price(row, "stck_prpr")
    if last is None:
        return None
    return Quote(
        symbol=symbol,
        price_krw=last,
        at=now,
        source=QuoteSource.REST,
        base_price_krw=_price(row, "stck_sdpr"),
        upper_limit_krw=_price(row, "stck_mxpr"),
        lower_limit_krw=_price(row, "stck_llam"),
        halted=row.get("temp_stop_yn", "").upper() == "Y",
    )


def several_prices(records: Iterable[Row], now: datetime) -> dict[str, Quote]:
    """intstock-multprice, which does not say what is halted."""
    found = {}
    for row in records:
        symbol, last = row.get("inter_shrn_iscd", ""), _price(row, "inter2_prpr")
        if symbol and last is not None:
            found[symbol] = Quote(
                symbol=symbol,
                price_krw=last,
                at=now,
                source=QuoteSource.REST,
                bid_krw=_price(row, "inter2_bidp"),
                ask_krw=_price(row, "inter2_askp"),
                base_price_krw=_price(row, "inter2_sdpr"),
                upper_limit_krw=_price(row, "inter2_mxpr"),
                lower_limit_krw=_price(row, "inter2_llam"),
            )
    return found


def _price(row: Row, name: str) -> Decimal | None:
    """A price, None where it is missing or 0: nobody asks or bids."""
    value = amount(row, name, missing=_NONE)
    return value if value > 0 else None


def day_text(day: date) -> str:
    """``20261120``."""
    return f"{day:%Y%m%d}"
