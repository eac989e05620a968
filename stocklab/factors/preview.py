"""`preview`: what a formula gives for one stock, computed on that stock alone wherever that is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.factors.check import check, missing_inputs
from stocklab.factors.evaluate import Wanted, evaluate
from stocklab.factors.one_symbol import one_symbol
from stocklab.market.panel import Panel
from stocklab.types import DateArray, FloatArray

__all__ = ["Preview", "preview"]

PREVIEW_SESSIONS: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A formula for one stock.

    Attributes
    ----------
    sessions : (n,) datetime64[D], the last of the panel
    values : (n,) float64 in the formula's own unit, NaN = null
    close_krw : (n,) float64, beside it
    missing : raw fields and statement items the panel does not have, sorted
    across : whether other stocks entered: ranks and the like, over all that was listed on the day
    lookback : sessions needed for one value
    """

    sessions: DateArray
    values: FloatArray
    close_krw: FloatArray
    missing: tuple[str, ...]
    across: bool
    lookback: int

    @property
    def latest(self) -> float:
        """The value of the last session; NaN = null."""
        return float(self.values[-1])

    @property
    def known(self) -> int:
        """Sessions with a value."""
        return int(np.count_nonzero(~np.isnan(self.values)))


def preview(
    formula: str,
    panel: Panel,
    symbol: str,
    *,
    sessions: int = PREVIEW_SESSIONS,
    threads: int = 2,
    should_cancel: Callable[[], bool] | None = None,
) -> Preview:
    """Values of the last sessions for one stock; a row holds what was known at its close.

    Parameters
    ----------
    formula : in plain notation
    should_cancel : asked every few symbols; nothing longer than it allows is computed

    Raises
    ------
    FormulaError
        The formula is not valid.
    InputError
        The symbol is not in the panel.
    Cancelled
        ``should_cancel`` answered True.
    """
    checked = check(formula)
    column = panel.column(symbol)
    among = panel if checked.cross_sectional else one_symbol(panel, column, checked.inputs)
    wanted = [Wanted(formula, "value")]
    (values,) = evaluate(wanted, among, threads=threads, should_cancel=should_cancel)
    rows = slice(max(0, panel.n_sessions - sessions), panel.n_sessions)
    return Preview(
        sessions=panel.sessions[rows],
        values=np.array(values[rows, column if checked.cross_sectional else 0], dtype=np.float64),
        close_krw=np.array(panel.fields[panel.order_fields[3]][rows, column], dtype=np.float64),
        missing=missing_inputs(formula, panel),
        across=checked.cross_sectional,
        lookback=checked.lookback,
    )
