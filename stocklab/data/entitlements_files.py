"""Keep and open the entitlements of a panel: one small array each, beside the fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from stocklab.market.entitlements import Entitlements
from stocklab.types import AnyArray

__all__ = ["open_entitlements", "save_entitlements"]

_PREFIX: Final = "entitlement-"
_ARRAYS: Final = tuple(field.name for field in fields(Entitlements) if field.name != "dividends_known")


def save_entitlements(known: Entitlements, save: Callable[[str, AnyArray], None]) -> dict[str, Any]:
    """Write the arrays; what the panel's meta file says of them."""
    for name in _ARRAYS:
        save(f"{_PREFIX}{name}", getattr(known, name))
    return {"dividends_known": known.dividends_known}


def open_entitlements(directory: Path, meta: dict[str, Any]) -> Entitlements:
    """Read what `save_entitlements` wrote."""
    arrays: dict[str, AnyArray] = {}
    for name in _ARRAYS:
        values: AnyArray = np.load(directory / f"{_PREFIX}{name}.npy")
        values.flags.writeable = False
        arrays[name] = values
    return Entitlements(**arrays, dividends_known=bool(meta["dividends_known"]))
