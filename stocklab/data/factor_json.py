"""A row of the factor catalogue and an explained value as JSON-ready values."""

from __future__ import annotations

import math
from typing import Any

from stocklab.factors import Factor
from stocklab.factors.explain_quarters import Amount
from stocklab.factors.explain_value import Explanation, ValueNode, Window
from stocklab.factors.status import FormulaStatus

__all__ = ["explanation_json", "factor_json", "pit_of"]


def pit_of(factor: Factor) -> str:
    """When the slowest input is public: close, evening, T+1, T+2, filing or calendar, joined with ``+``."""
    return factor.notes.rpartition("PIT=")[2]


def factor_json(factor: Factor, status: FormulaStatus | None) -> dict[str, Any]:
    """One row of the catalogue; ``status`` is null, and ``missing`` empty, without data."""
    return {
        "id": factor.id,
        "name_ko": factor.name_ko,
        "name_en": factor.name_en,
        "category": factor.category,
        "type": factor.type,
        "formula": factor.formula,
        "inputs": list(factor.inputs),
        "lookback": factor.lookback,
        "unit": factor.unit,
        "higher_is_better": factor.higher_is_better,
        "update_frequency": factor.update_frequency,
        "pit": pit_of(factor),
        "ta_lib": factor.ta_lib,
        "source": factor.source,
        "notes": factor.notes,
        "status": None if status is None else status.state.value,
        "missing": [] if status is None else list(status.missing),
    }


def explanation_json(found: Explanation) -> dict[str, Any]:
    """A value and the tree of what went in; null = no value."""
    view = found.view
    reports = None
    if view is not None:
        reports = {
            "since": view.since.isoformat(),
            "basis": "CFS" if view.consolidated else "OFS",
            "annual": view.annual,
        }
    return {
        "formula": found.formula,
        "symbol": found.symbol,
        "session": found.session.isoformat(),
        "listed": found.listed,
        "value": _plain(found.value),
        "reports": reports,
        "tree": _node(found.top),
    }


def _node(node: ValueNode) -> dict[str, Any]:
    part = node.part
    found: dict[str, Any] = {
        "name": part.name or None,
        "formula": part.formula,
        "definition": part.definition or None,
        "how": part.how.value,
        "value": _plain(node.value),
        "unit": part.unit or None,
        "sessions_back": part.bars_back,
        "quarters_back": part.quarters_back,
    }
    if node.missing:
        found["missing"] = list(node.missing)
    if node.financial:
        found["financial"] = True
    if node.rank is not None:
        rank = node.rank
        found["rank"] = {"place": _plain(rank.place), "count": rank.count, "group": rank.group or None}
    if node.windows:
        found["windows"] = [_window(window) for window in node.windows]
    if node.statement is not None:
        found["quarters"] = [_amount(quarter) for quarter in node.statement.quarters]
    if node.below:
        found["parts"] = [_node(inner) for inner in node.below]
    return found


def _window(window: Window) -> dict[str, Any]:
    points = [
        {"on": None if point.on is None else point.on.isoformat(), "value": _plain(point.value)}
        for point in window.points
    ]
    return {"formula": window.formula, "size": window.size, "known": window.known, "points": points}


def _amount(quarter: Amount) -> dict[str, Any]:
    return {
        "value": _plain(quarter.value),
        "origin": quarter.origin.value,
        "period_end": None if quarter.period_end is None else quarter.period_end.isoformat(),
        "fiscal_quarter": quarter.fiscal_quarter or None,
        "filed_on": None if quarter.filed_on is None else quarter.filed_on.isoformat(),
        "from_deadline": quarter.from_deadline,
        "basis": "CFS" if quarter.consolidated else "OFS",
        "restated": quarter.restated,
        "reported": _plain(quarter.reported),
        "before": _plain(quarter.before),
        "share_factor": quarter.share_factor,
    }


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
