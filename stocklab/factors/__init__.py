"""The formula language: text to tree, tree to graph, graph to numbers; and the factor catalogue."""

from stocklab.factors.catalogue import CATALOGUE, Factor
from stocklab.factors.check import Checked, check, missing_inputs
from stocklab.factors.evaluate import DirectSource, FormulaSource, Wanted, evaluate, evaluate_series
from stocklab.factors.functions import FUNCTIONS, Function
from stocklab.factors.lacking import never_known
from stocklab.factors.translate import translate
from stocklab.factors.vocabulary import Kind

__all__ = [
    "CATALOGUE",
    "FUNCTIONS",
    "Checked",
    "DirectSource",
    "Factor",
    "FormulaSource",
    "Function",
    "Kind",
    "Wanted",
    "check",
    "evaluate",
    "evaluate_series",
    "missing_inputs",
    "never_known",
    "translate",
]
