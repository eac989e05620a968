"""Frames of KIS's socket: what it is asked, its control messages, quotes and encrypted notices of orders."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from stocklab.brokers.kis.parse import moment, order_number
from stocklab.brokers.values import Quote, QuoteSource
from stocklab.errors import BrokerTemporary

__all__ = [
    "NOTICE_LIVE",
    "NOTICE_MOCK",
    "TRADES",
    "Control",
    "Data",
    "Notice",
    "control",
    "data",
    "decrypt",
    "notice",
    "registration",
    "trade",
]

TRADES: Final = "H0STCNT0"
NOTICE_LIVE: Final = "H0STCNI0"
NOTICE_MOCK: Final = "H0STCNI9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """An answer to a registration, or a heartbeat (``tr_id`` PINGPONG). ``key`` and ``iv`` open the notices."""

    tr_id: str
    tr_key: str = ""
    ok: bool = False
    code: str = ""
    text: str = ""
    key: str = ""
    iv: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Records of one kind; ``payload`` is still encrypted where it says so."""

    encrypted: bool
    tr_id: str
    count: int
    payload: str

    def records(self, plain: str) -> list[Sequence[str]]:
        """The records of the payload once it is plain. Fields are appended over time, so their number is derived.

        Raises
        ------
        BrokerTemporary
            They do not divide evenly.
        """
        fields = plain.split("^")
        width, odd = divmod(len(fields), max(1, self.count))
        if odd:
            raise BrokerTemporary("kis", f"{self.tr_id}: {len(fields)} fields in {self.count} records")
        return [fields[first : first + width] for first in range(0, len(fields), width)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something happened to an order of an account; ``order_number`` is the order's own, also of a request about it.

    A fill has no number, so that a notice is no more than a call to read the journal.
    """

    account: str
    order_number: str
    symbol: str
    what: str


def registration(approval_key: str, tr_id: str, tr_key: str, *, add: bool) -> str:
    """The text that registers, or takes back with ``tr_type`` 2."""
    return json.dumps(
        {
            "header": {
                "approval_key": approval_key,
                "custtype": "P",
                "tr_type": "1" if add else "2",
                "content-type": "utf-8",
            },
            "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}},
        }
    )


def control(text: str) -> Control | None:
    """A control message; None for anything else."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    header, body = _part(found, "header"), _part(found, "body")
    opening = _part(body, "output")
    return Control(
        tr_id=str(header.get("tr_id", "")),
        tr_key=str(header.get("tr_key", "")).strip(),
        ok=str(body.get("rt_cd", "")) == "0",
        code=str(body.get("msg_cd", "")).strip(),
        text=str(body.get("msg1", "")).strip(),
        key=str(opening.get("key", "")),
        iv=str(opening.get("iv", "")),
    )


def _part(found: Any, name: str) -> dict[str, Any]:
    part = found.get(name) if isinstance(found, dict) else None
    return part if isinstance(part, dict) else {}


def data(text: str) -> Data | None:
    """A frame ``flag|tr_id|count|payload``; None for anything else."""
    parts = text.split("|", 3)
    if len(parts) != 4 or parts[0] not in ("0", "1") or not parts[2].isdigit():
        return None
    return Data(encrypted=parts[0] == "1", tr_id=parts[1], count=int(parts[2]), payload=parts[3])


def decrypt(payload: str, key: str, iv: str) -> str:
    """AES-256-CBC with PKCS#7 under base64; key and iv are the texts of the answer as UTF-8, neither hex nor base64.

    Raises
    ------
    BrokerTemporary
        It does not open.
    """
    try:
        cipher = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).decryptor()
        padded = cipher.update(base64.b64decode(payload, validate=True)) + cipher.finalize()
        bare = PKCS7(128).unpadder()
        return (bare.update(padded) + bare.finalize()).decode()
    except (ValueError, binascii.Error) as error:
        raise BrokerTemporary("kis", f"a notice does not open ({type(error).__name__})") from error


def notice(fields: Sequence[str]) -> Notice:
    """A record of H0STCNI0 or H0STCNI9 with 26 fields, or 23 of older days: the first 18 are the same.

    Raises
    ------
    BrokerTemporary
        There are too few fields.
    """
    if len(fields) < 18:
        raise BrokerTemporary("kis", f"expected 18 fields of a notice at least, found {len(fields)}")
    own, original = order_number(fields[2]), order_number(fields[3])
    return Notice(
        account=fields[1].strip(),
        order_number=original if fields[5] in ("1", "2") and original else own,
        symbol=fields[8].strip(),
        what=_what(refused=fields[12] == "1", fill=fields[13] == "2", request=fields[5], stage=fields[14]),
    )


def _what(*, refused: bool, fill: bool, request: str, stage: str) -> str:
    if refused:
        return "refused"
    if fill:
        return "fill"
    if stage == "3":
        return "cancelled"
    return {"1": "modify", "2": "cancel"}.get(request, "order")


def trade(fields: Sequence[str]) -> Quote:
    """A record of H0STCNT0. Its base price is not in it.

    Raises
    ------
    BrokerTemporary
        A price or a time cannot be read.
    """
    try:
        last, ask, bid = (Decimal(fields[place]) for place in (2, 10, 11))
        at = moment(fields[33], fields[1])
        halted = fields[35] == "Y"
    except (InvalidOperation, IndexError) as error:
        raise BrokerTemporary("kis", f"a trade that cannot be read ({type(error).__name__})") from error
    if not last.is_finite() or last <= 0:
        raise BrokerTemporary("kis", f"expected a price, found {last}")
    return Quote(
        symbol=fields[0].strip(),
        price_krw=last,
        at=at,
        source=QuoteSource.SOCKET,
        bid_krw=bid if bid > 0 else None,
        ask_krw=ask if ask > 0 else None,
        halted=halted,
    )
