"""Screens to start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stocklab.ui.text import N_

__all__ = ["EXAMPLES", "Example"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A screen with its name, what it looks for, and its document."""

    name: str
    what: str
    document: Mapping[str, Any]


def _document(formulas: tuple[str, ...], columns: tuple[str, ...], by: str, direction: str) -> dict[str, Any]:
    rules = [{"id": "ABCDEF"[place], "formula": formula} for place, formula in enumerate(formulas)]
    return {
        "universe": {"min_trading_value_krw": 500_000_000},
        "conditions": {"rules": rules},
        "columns": list(columns),
        "sort": {"by": by, "direction": direction},
    }


EXAMPLES: Final[Mapping[str, Example]] = {
    "cheap_and_profitable": Example(
        name=N_("Cheap and profitable"),
        what=N_("A price below ten times earnings, a return on equity above 10 %, and little debt."),
        document=_document(
            ("per<10", "roe>10", "debt_ratio<100"),
            ("per", "pbr", "roe", "debt_ratio", "dividend_yield", "market_cap"),
            "per",
            "asc",
        ),
    ),
    "near_the_high": Example(
        name=N_("Strong and near the high"),
        what=N_("Up over six months, close to the highest price of a year, and traded more than usual."),
        document=_document(
            ("ret_6m>20", "range_pos_52w>90", "volume>1.5*sma(volume,20)"),
            ("ret_1d", "ret_6m", "range_pos_52w", "trading_value_20d", "market_cap"),
            "ret_6m",
            "desc",
        ),
    ),
    "dip_in_an_uptrend": Example(
        name=N_("A dip in an uptrend"),
        what=N_("Above the average of 120 sessions, while the last days were sold: RSI below 45."),
        document=_document(
            ("close>sma(close,120)", "rsi_14<45", "ret_1w<0"),
            ("ret_1w", "rsi_14", "disparity_120", "trading_value_20d", "market_cap"),
            "rsi_14",
            "asc",
        ),
    ),
}
"""By id, which may stand in a link."""
