"""What a run reads of company reports, and how sure their dates are: for its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stocklab.errors import InputError
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy
from stocklab.strategy.own_factors import statement_formulas

__all__ = ["require_mode", "statement_facts", "statement_note"]


def require_mode(panel: Panel, strategy: Strategy) -> None:
    """Refuse a panel whose reports are visible by another rule than the document asks for.

    Raises
    ------
    InputError
        The modes differ and a formula reads reports.
    """
    known = panel.fundamentals
    if known is not None and known.mode is not strategy.statements and statement_formulas(strategy):
        raise InputError(
            f"The strategy asks for {strategy.statements.value} company reports, the panel was opened with "
            f"{known.mode.value} ones. Hint: open_panel(store, statements=strategy.statements)."
        )


def statement_facts(panel: Panel, strategy: Strategy, last: int) -> Mapping[str, Any] | None:
    """Mode, and counts over the reports that were public by the close of session ``last`` - 1; None: none are read.

    ``dated_by_deadline`` counts those whose receipt is unknown, so that the legal deadline stands in for it;
    ``restated`` those whose numbers come from a later receipt (restated mode only).
    """
    if not statement_formulas(strategy):
        return None
    known = panel.fundamentals
    if known is None:
        return {"mode": strategy.statements.value, "reports": 0, "dated_by_deadline": 0, "restated": 0}
    public = known.report_day <= panel.sessions[last - 1].astype("datetime64[D]").astype(np.int64)
    return {
        "mode": known.mode.value,
        "reports": int(np.count_nonzero(public)),
        "dated_by_deadline": int(np.count_nonzero(public & known.from_deadline)),
        "restated": int(np.count_nonzero(public & known.restated)),
    }


def statement_note(facts: Mapping[str, Any]) -> str:
    """The facts as one English sentence or two."""
    if facts["mode"] == StatementMode.RESTATED.value:
        mode = (
            f"Company reports: restated mode, which is hindsight: numbers as corrected later ({facts['restated']:,} "
            "reports), from the day the report was first filed."
        )
    else:
        mode = "Company reports: strict mode, numbers as filed, from the day of their receipt."
    return (
        f"{mode} Of {facts['reports']:,} reports public by the end of the range, {facts['dated_by_deadline']:,} are "
        "dated by the legal deadline because their receipt is unknown."
    )
