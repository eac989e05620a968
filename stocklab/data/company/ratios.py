"""Ratios of one symbol over time: catalogue factors, as known at each close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.factors import Wanted, check, evaluate, missing_inputs
from stocklab.factors.one_symbol import one_symbol
from stocklab.market.panel import Panel
from stocklab.types import DateArray, FloatArray

__all__ = ["RATIOS", "RatioHistory", "ratio_history"]

RATIOS: Final = (
    *("per", "pbr", "psr", "pcr", "ev_ebitda", "dividend_yield"),
    *("roe", "roa", "operating_margin", "net_margin", "debt_ratio", "current_ratio"),
    *("revenue_growth_1y", "eps_growth_1y"),
)
"""Ids of the factors shown, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioHistory:
    """Ratios on every session on which the symbol was listed, oldest first.

    ``values`` (n,) by factor id in the factor's unit, NaN = null; ``missing`` names raw inputs the data do not have.
    """

    sessions: DateArray
    values: Mapping[str, FloatArray]
    missing: Mapping[str, tuple[str, ...]]

    def latest(self, factor: str) -> float:
        """The value of the last session; NaN = null."""
        values = self.values[factor]
        return float(values[-1]) if len(values) else float("nan")


def ratio_history(panel: Panel, symbol: str) -> RatioHistory:
    """Every ratio of one symbol.

    Raises
    ------
    InputError
        The panel does not hold the symbol.
    """
    checked = {name: check(name) for name in RATIOS}
    inputs = {name for each in checked.values() for name in each.inputs}
    own = one_symbol(panel, panel.column(symbol), inputs)
    found = evaluate([Wanted(name, "value") for name in RATIOS], own, threads=1)
    rows = np.flatnonzero(np.asarray(own.fields["listed"][:, 0], dtype=np.bool_))
    return RatioHistory(
        sessions=panel.sessions[rows],
        values={
            name: np.asarray(values[rows, 0], dtype=np.float64) for name, values in zip(RATIOS, found, strict=True)
        },
        missing={name: lacking for name in RATIOS if (lacking := missing_inputs(name, panel))},
    )
