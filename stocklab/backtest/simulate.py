"""`simulate`: plan, walk the sessions with progress and cancel, assemble the result."""

from __future__ import annotations

import hashlib
import json
from typing import Final

import stocklab
from stocklab.backtest.assemble import assemble
from stocklab.backtest.blocks import check_cancel
from stocklab.backtest.code_stamp import code_stamp
from stocklab.backtest.plan import build_plan
from stocklab.backtest.result import OnProgress, Progress, Result, RunRequest, ShouldCancel
from stocklab.backtest.statement_facts import require_mode
from stocklab.backtest.walking import run_kernel
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel

__all__ = ["ENGINE_VERSION", "run_id", "simulate"]

ENGINE_VERSION: Final = 4
"""Raised with every change of what a run means, so that results of before are not taken for results of now."""


def run_id(panel: Panel, request: RunRequest) -> str:
    """Content hash of a run's inputs: document, range, cash, seed, panel, code version; 40 hex digits.

    Names, descriptions and notes are part of the document, so that the card of a stored result is its own.
    """
    content = {
        "strategy": request.strategy.model_dump(mode="json"),
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "initial_cash_krw": request.initial_cash_krw,
        "seed": request.seed,
        "panel": panel.key,
        "version": stocklab.__version__,
        "engine": ENGINE_VERSION,
        "code": code_stamp(),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def simulate(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    on_progress: OnProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> Result:
    """Run a strategy over a panel.

    Parameters
    ----------
    panel : bars on one price basis
    request : the document, the inclusive range and the starting cash
    source : computes the document's formulas over the same panel
    on_progress : told the stage, and during the walk the curve so far
    should_cancel : asked at least every 100 ms outside of ``source``

    Returns
    -------
    Result; the same inputs give the same bytes.

    Raises
    ------
    InputError
        No session in the range, the document asks for what the panel does not have, or for company reports in another
        mode than the panel's.
    FormulaError
        A formula is not valid here.
    Cancelled
        ``should_cancel`` said so.
    """
    require_mode(panel, request.strategy)
    report = on_progress or _silent
    report(Progress(stage="factors", done=0.0))
    plan = build_plan(panel, request, source, should_cancel=should_cancel)
    report(Progress(stage="plan", done=0.7))
    state = run_kernel(panel, request, plan, on_progress=on_progress, should_cancel=should_cancel)
    check_cancel(should_cancel)
    report(Progress(stage="result", done=0.95))
    return assemble(panel, request, plan, state, run_id=run_id(panel, request), engine_version=ENGINE_VERSION)


def _silent(progress: Progress) -> None:
    return None
