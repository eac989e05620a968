"""What a person enters to link an account, checked and sealed; a value leaves only towards the broker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from stocklab.brokers.values import BrokerName
from stocklab.errors import InputError

__all__ = ["FIELDS", "PAPER_MARKETS", "Field", "masked", "read_keys", "sealed_text"]

PAPER_MARKETS: Final = ("KRX", "UPBIT")
"""What a paper account may trade: stocks or coins."""

_LONGEST: Final = 400
_PRODUCT: Final = 2
_CANO: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to enter. ``secret``: never shown again; ``optional``: may stay empty."""

    name: str
    secret: bool
    optional: bool = False


FIELDS: Final[Mapping[BrokerName, tuple[Field, ...]]] = MappingProxyType(
    {
        BrokerName.KIWOOM: (
            Field(name="app_key", secret=True),
            Field(name="secret_key", secret=True),
            Field(name="account", secret=False, optional=True),
        ),
        BrokerName.KIS: (
            Field(name="app_key", secret=True),
            Field(name="app_secret", secret=True),
            Field(name="account", secret=False),
            Field(name="hts_id", secret=False, optional=True),
        ),
        BrokerName.UPBIT: (Field(name="access_key", secret=True), Field(name="secret_key", secret=True)),
        BrokerName.PAPER: (),
    }
)
"""By broker. ``account`` of KIS is eight digits and two of the product; Kiwoom's is bound to its keys."""


def sealed_text(broker: BrokerName, entered: Mapping[str, str]) -> str:
    """What is to be sealed.

    Raises
    ------
    InputError
        Something is missing, unknown, or cannot be such a value. The message never repeats it.
    """
    if broker is BrokerName.PAPER:
        market = entered.get("market", PAPER_MARKETS[0])
        if market not in PAPER_MARKETS or entered.keys() - {"market"}:
            raise InputError(f"paper: expected a market of {', '.join(PAPER_MARKETS)} and nothing else.")
        return json.dumps({"market": market})
    known = {field.name: field for field in FIELDS[broker]}
    odd = sorted(set(entered) - set(known))
    if odd:
        raise InputError(f"{broker}: unknown {', '.join(odd)}. Expected {', '.join(known)}.")
    kept: dict[str, str] = {}
    for name, field in known.items():
        value = entered.get(name, "").strip()
        if not value and field.optional:
            continue
        if not value or len(value) > _LONGEST or not value.isascii() or not value.isprintable() or " " in value:
            raise InputError(f"{broker}: {name} must be 1 to {_LONGEST} letters, digits and signs without spaces.")
        kept[name] = value
    if broker is BrokerName.KIS:
        kept["account"] = _kis_account(kept["account"])
    return json.dumps(kept, sort_keys=True)


def read_keys(opened: str) -> Mapping[str, str]:
    """What `sealed_text` made."""
    found: dict[str, str] = json.loads(opened)
    return found


def masked(broker: BrokerName, entered: Mapping[str, str]) -> str:
    """What may be shown of an account before the broker has named it."""
    if broker is BrokerName.PAPER:
        return entered.get("market", "").strip() or PAPER_MARKETS[0]
    if broker is BrokerName.KIS:
        digits = _kis_account(entered["account"])
        return f"{digits[:2]}****{digits[6:8]}-{digits[8:]}"
    number = entered.get("account", "").strip()
    if number:
        return "*" * max(len(number) - 4, 0) + number[-4:]
    key = entered.get("access_key", entered.get("app_key", "")).strip()
    return f"••••{key[-4:]}" if key else ""


def _kis_account(text: str) -> str:
    digits = text.replace("-", "").strip()
    if len(digits) == _CANO:
        digits += "01"
    if len(digits) != _CANO + _PRODUCT or not digits.isdigit():
        raise InputError("kis: account must be eight digits and two of the product, such as 12345678-01.")
    return digits
