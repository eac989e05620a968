"""Why a run bought, did not buy, sold, kept or did not fill: for any symbol and session."""

from stocklab.research.explain.explainer import explain
from stocklab.research.explain.values import Explanation
from stocklab.research.explain.verdicts import Code, Verdict
from stocklab.research.explain.view import RunView, open_run

__all__ = ["Code", "Explanation", "RunView", "Verdict", "explain", "open_run"]
