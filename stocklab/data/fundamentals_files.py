"""`Fundamentals` beside the arrays of a panel: saved at build time, mapped read-only when the panel is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from stocklab.market.fundamentals import Fundamentals, StatementMode
from stocklab.types import AnyArray

__all__ = ["open_fundamentals", "save_fundamentals"]

_ARRAYS: Final = (
    "first_report", "report_day", "report_slot", "report_end", "report_quarter", "consolidated", "from_deadline",
    "restated", "first_event", "event_day", "event_ratio", "first_view", "view_day", "view_row", "view_slot",
    "view_since", "view_consolidated", "view_annual",
)  # fmt: skip
_TABLES: Final = ("quarter_amounts", "cumulative_amounts", "balances")
_PREFIX: Final = "statements-"


def save_fundamentals(known: Fundamentals, save: Callable[[str, AnyArray], None]) -> dict[str, Any]:
    """Hand every array to ``save(name, values)``; what `open_fundamentals` needs besides (JSON-ready)."""
    for name in _ARRAYS:
        save(_PREFIX + name, getattr(known, name))
    names = {}
    for table in _TABLES:
        amounts = getattr(known, table)
        names[table] = list(amounts)
        stacked = np.stack(list(amounts.values())) if amounts else np.empty((0, known.n_reports))
        save(_PREFIX + table, stacked)
    return {"items": list(known.items), "tables": names, "width": known.width}


def open_fundamentals(directory: Path, meta: dict[str, Any], open_array: Callable[[Path], AnyArray]) -> Fundamentals:
    """The fundamentals of a panel directory, as `save_fundamentals` wrote them.

    Raises
    ------
    StoreError
        From ``open_array``: a file is missing or damaged.
    """
    arrays: dict[str, Any] = {name: open_array(directory / f"{_PREFIX}{name}.npy") for name in _ARRAYS}
    tables: dict[str, Any] = {}
    for table in _TABLES:
        stacked = open_array(directory / f"{_PREFIX}{table}.npy")
        tables[table] = MappingProxyType(dict(zip(meta["tables"][table], stacked, strict=True)))
    return Fundamentals(
        mode=StatementMode.STRICT, items=tuple(meta["items"]), width=int(meta["width"]), **arrays, **tables
    )
